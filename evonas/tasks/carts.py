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
EVERY = 50
"""Steps after which networks that no longer balance are left out, if they are a quarter of all or more."""

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
        """For how long networks balance; long runs cost only those that still do.

        Args:
            networks: Whom.
            starts: The states in which each begins, from zeros inside.
            n_steps: The most there are.

        Returns:
            `(n, n_starts)`.
        """
        import torch

        states = np.tile(np.asarray(starts, np.float64), (networks.n, 1, 1))
        carts = _carts(self, states, networks)
        counts, left = np.zeros(states.shape[:2], np.int64), np.arange(networks.n)
        alive = carts.holding
        counted = alive * 0
        memory = None
        with torch.inference_mode():
            for step in range(1, n_steps + 1):
                memory = self._push(networks, carts, memory)
                alive = alive & carts.holding
                counted = counted + alive
                if not alive.any():
                    break
                if step % EVERY == 0 and 4 * len(kept := np.flatnonzero(_array(alive).any(1))) <= 3 * len(left):
                    counts[left] = _array(counted)
                    left, which = left[kept], torch.from_numpy(kept).to(networks.device)
                    networks, memory = networks.choose(which), None if memory is None else memory[which]
                    holding, steps = _array(alive)[kept], _array(counted)[kept]
                    carts = _carts(self, carts.states()[kept], networks)
                    alive, counted = carts.own(holding), carts.own(steps)
        counts[left] = _array(counted)
        return counts

    def sways(self, networks: Networks, start: State, n_steps: int, last: int) -> tuple[Steps, Values]:
        """For how long networks balance, and how much they sway at the end.

        Args:
            networks: Whom.
            start: The state in which each begins.
            n_steps: The most there are.
            last: Steps to sum swaying over.

        Returns:
            Steps `(n,)`, and of each the sum of |x| + |ẋ| + |θ| + |θ̇|, θ that of the first pole, over the last that it
            balanced.
        """
        import torch

        carts = _carts(self, np.tile(np.asarray(start, np.float64), (networks.n, 1, 1)), networks)
        alive = carts.holding
        counted = alive * 0
        swayed, memory = [], None
        with torch.inference_mode():
            for _ in range(n_steps):
                memory = self._push(networks, carts, memory)
                alive = alive & carts.holding
                counted = counted + alive
                swayed.append(_array(carts.swaying)[:, 0])
                if not alive.any():
                    break
        counts = np.asarray(_array(counted)[:, 0], np.int64)
        sums = np.zeros((len(swayed) + 1, networks.n))
        np.cumsum(np.stack(swayed), 0, out=sums[1:])
        every = np.arange(networks.n)
        return counts, sums[counts, every] - sums[np.maximum(counts - last, 0), every]

    def _push(self, networks: Networks, carts: "_Few | _Many", memory: Any) -> Any:
        """One step of all; what networks then remember."""
        inputs = carts.inputs()
        for _ in range(self.activations):
            outputs, memory = networks.step(inputs, memory)
        carts.advance(outputs[..., 0])
        return memory


def _carts(balancing: Balancing, states: Values, networks: Networks) -> "_Few | _Many":
    few = states.shape[0] * states.shape[1] <= FEW
    return (_Few if few else _Many)(balancing, states, networks.device)


def _array(values: Any) -> npt.NDArray[Any]:
    return values if isinstance(values, np.ndarray) else values.cpu().numpy()


def _library(device: "torch.device") -> Any:
    """What computes many carts: numpy beside networks on the CPU, being three times faster there for up to 1,000."""
    import torch

    return np if device.type == "cpu" else torch


class _Few:
    """Carts one after the other, in Python's floats."""

    def __init__(self, balancing: Balancing, states: Values, device: "torch.device") -> None:
        self._balancing, self._device = balancing, device
        self._shape = states.shape[:2]
        self._states: list[State] = [tuple(state) for state in states.reshape(-1, states.shape[2]).tolist()]

    def inputs(self) -> "Tensor":
        import torch

        pairs = tuple(zip(self._balancing.seen, self._balancing.scales, strict=True))
        values = [[state[at] / scale for at, scale in pairs] for state in self._states]
        return torch.tensor(values, dtype=torch.float32, device=self._device).view(*self._shape, -1)

    def advance(self, outputs: "Tensor") -> None:
        cart, moved = self._balancing.cart, []
        for state, output in zip(self._states, outputs.flatten().tolist(), strict=True):
            force = (min(max(output, 0.0), 1.0) - 0.5) * 2 * FORCE if output == output else output
            for _ in range(STEPS_OF_A_FORCE if cart.holds(state) else 0):
                state = cart.step(state, force, SECONDS, math)
            moved.append(state)
        self._states = moved

    @property
    def holding(self) -> Any:
        return np.array([self._balancing.cart.holds(state) for state in self._states]).reshape(self._shape)

    @property
    def swaying(self) -> Any:
        return np.array([sum(map(abs, state[:4])) for state in self._states]).reshape(self._shape)

    def states(self) -> Values:
        return np.array(self._states).reshape(*self._shape, -1)

    def own(self, values: npt.NDArray[Any]) -> Any:
        return values


class _Many:
    """All carts at once, in float64: in numpy, or in torch where the networks are on a device of their own."""

    def __init__(self, balancing: Balancing, states: Values, device: "torch.device") -> None:
        self._balancing, self._device = balancing, device
        self._library = _library(device)
        self._state: State = tuple(self.own(states[..., at].copy()) for at in range(states.shape[2]))

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

    @property
    def holding(self) -> Any:
        return self._balancing.cart.holds(self._state)

    @property
    def swaying(self) -> Any:
        return sum(map(abs, self._state[:4]))

    def states(self) -> Values:
        return np.stack([_array(values) for values in self._state], -1)

    def own(self, values: npt.NDArray[Any]) -> Any:
        import torch

        return values if self._library is np else torch.from_numpy(values).to(self._device)
