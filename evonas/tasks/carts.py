"""Networks that balance poles: carts and networks advance together, step by step."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from evonas.tasks.cart import Cart, State
from evonas.tasks.problem import Networks

if TYPE_CHECKING:
    import torch
    from torch import Tensor

FORCE = 10.0
"""The largest, in newtons."""
SECONDS = 0.01
"""Of one Runge-Kutta step."""
STEPS_OF_A_FORCE = 2
FEW = 8
"""Up to so many carts, Python's own floats are faster than arrays: 34 µs a cart and step, arrays 290 µs at least."""
STAGES = (50, 250, 1_000, 5_000, 25_000)
"""Steps after which only networks that still balance go on."""

Steps = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Balancing:
    """How networks meet carts.

    Attributes:
        cart: The system.
        seen: The values of the state that a network is given, as indices.
        scales: What each of them is divided by.
        activations: How often a network is activated in a step, on the same inputs.
    """

    cart: Cart
    seen: tuple[int, ...]
    scales: tuple[float, ...]
    activations: int

    def steps(self, networks: Networks, starts: Sequence[State], n_steps: int) -> Steps:
        """For how long networks balance, all begun anew whenever some have failed, so that long runs cost few.

        Args:
            networks: Whom.
            starts: The states in which each begins, from zeros inside.
            n_steps: The most there are.

        Returns:
            `(n, n_starts)`.
        """
        import torch

        counts = np.zeros((networks.n, len(starts)), np.int64)
        left = np.arange(networks.n)
        for stage in (*(stage for stage in STAGES if stage < n_steps), n_steps):
            some = networks if len(left) == networks.n else networks.choose(torch.from_numpy(left).to(networks.device))
            counts[left], _ = self.run(some, starts, stage)
            left = left[(counts[left] >= stage).any(1)]
            if not len(left):
                break
        return counts

    def run(
        self, networks: Networks, starts: Sequence[State], n_steps: int, *, last: int = 0
    ) -> tuple[Steps, Values | None]:
        """For how long networks balance, and how much they sway.

        Args:
            networks: Whom.
            starts: As in `steps`.
            n_steps: The most there are.
            last: Steps before the end to sum swaying over; 0: it is not measured.

        Returns:
            Steps `(n, n_starts)`, and of each the sum of |x| + |ẋ| + |θ| + |θ̇|, θ that of the first pole, over the
            last that it balanced.
        """
        import torch

        few = networks.n * len(starts) <= FEW
        carts: _Few | _Many = (_Few if few else _Many)(self, starts, networks)
        alive = carts.hold()
        counts = alive * 0
        swayed = []
        state = None
        with torch.inference_mode():
            for _ in range(n_steps):
                inputs = carts.inputs()
                for _ in range(self.activations):
                    outputs, state = networks.step(inputs, state)
                carts.advance(outputs[..., 0])
                alive = alive & carts.hold()
                counts = counts + alive
                if last:
                    swayed.append(carts.sways())
                if not alive.any():
                    break
        found = np.asarray(counts if isinstance(counts, np.ndarray) else counts.cpu(), np.int64)
        return found, _summed(swayed, found, last) if last else None


def _summed(swayed: list[Any], counts: Steps, last: int) -> Values:
    """Over the last steps of each count."""
    each = np.stack([np.asarray(one if isinstance(one, np.ndarray) else one.cpu()) for one in swayed])
    sums = np.zeros((len(each) + 1, *each.shape[1:]))
    np.cumsum(each, 0, out=sums[1:])
    until = np.take_along_axis(sums, counts[None], 0)[0]
    return until - np.take_along_axis(sums, np.maximum(counts - last, 0)[None], 0)[0]


def _library(device: "torch.device") -> Any:
    """What computes many carts: numpy beside networks on the CPU, being three times faster there for up to 1,000."""
    import torch

    return np if device.type == "cpu" else torch


class _Few:
    """Carts one after the other, in Python's floats."""

    def __init__(self, balancing: Balancing, starts: Sequence[State], networks: Networks) -> None:
        self._balancing = balancing
        self._shape = (networks.n, len(starts))
        self._device = networks.device
        self._states = [tuple(map(float, start)) for _ in range(networks.n) for start in starts]

    def inputs(self) -> "Tensor":
        import torch

        pairs = tuple(zip(self._balancing.seen, self._balancing.scales, strict=True))
        values = [[state[at] / scale for at, scale in pairs] for state in self._states]
        return torch.tensor(values, dtype=torch.float32, device=self._device).reshape(*self._shape, -1)

    def advance(self, outputs: "Tensor") -> None:
        cart, moved = self._balancing.cart, []
        for state, output in zip(self._states, outputs.flatten().tolist(), strict=True):
            force = (min(max(output, 0.0), 1.0) - 0.5) * 2 * FORCE if output == output else output
            for _ in range(STEPS_OF_A_FORCE if cart.holds(state) else 0):
                state = cart.step(state, force, SECONDS, math)
            moved.append(state)
        self._states = moved

    def hold(self) -> Any:
        return np.array([self._balancing.cart.holds(state) for state in self._states]).reshape(self._shape)

    def sways(self) -> Any:
        return np.array([sum(map(abs, state[:4])) for state in self._states]).reshape(self._shape)


class _Many:
    """All carts at once, in float64: in numpy, or in torch where the networks are on a device of their own."""

    def __init__(self, balancing: Balancing, starts: Sequence[State], networks: Networks) -> None:
        import torch

        self._balancing = balancing
        self._library: Any = _library(networks.device)
        columns = np.asarray(starts, np.float64).T
        states = [np.tile(column, (networks.n, 1)) for column in columns]
        self._state: State = tuple(states)
        if self._library is torch:
            self._state = tuple(torch.from_numpy(values).to(networks.device) for values in states)

    def inputs(self) -> "Tensor":
        import torch

        pairs = zip(self._balancing.seen, self._balancing.scales, strict=True)
        seen = self._library.stack([self._state[at] / scale for at, scale in pairs], -1)
        with np.errstate(all="ignore"):
            return torch.from_numpy(seen.astype(np.float32)) if self._library is np else seen.float()

    def advance(self, outputs: "Tensor") -> None:
        force = (outputs.double().clamp(0.0, 1.0) - 0.5) * (2 * FORCE)
        given = force.numpy() if self._library is np else force
        with np.errstate(all="ignore"):
            for _ in range(STEPS_OF_A_FORCE):
                self._state = self._balancing.cart.step(self._state, given, SECONDS, self._library)

    def hold(self) -> Any:
        return self._balancing.cart.holds(self._state)

    def sways(self) -> Any:
        return sum(map(abs, self._state[:4]))
