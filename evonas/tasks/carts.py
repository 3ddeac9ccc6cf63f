"""Networks that balance poles: carts and networks advance together, step by step."""

import math
from collections.abc import Callable, Sequence
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
EARLY = 1_000
"""Steps in which carts are arrays, however few they are: floats differ in the last bit, and nothing but how long a
network balances decides which it is given in them."""
EVERY = 10
"""Steps after which networks that no longer balance are left out, if they are a quarter of all or more."""

Steps = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
Watch = Callable[[int, Steps, "_Few | _Many"], None]


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
        return self._balanced(networks, starts, n_steps, lambda step, left, carts: None)

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
        swayed = np.zeros((n_steps + 1, networks.n))

        def watch(step: int, left: Steps, carts: "_Few | _Many") -> None:
            swayed[step, left] = _array(carts.swaying)[:, 0]

        counts = self._balanced(networks, [start], n_steps, watch)[:, 0]
        sums, every = np.cumsum(swayed, 0, out=swayed), np.arange(networks.n)
        return counts, sums[counts, every] - sums[np.maximum(counts - last, 0), every]

    def alone(self, network: Callable[[Sequence[float]], float], start: State, n_steps: int) -> int:
        """For how long one network balances, in Python's floats: the fastest for one.

        Args:
            network: Puts out a value for the inputs of a step; it keeps what it remembers.
            start: The state in which it begins.
            n_steps: The most there are.
        """
        state, pairs = start, tuple(zip(self.seen, self.scales, strict=True))
        for step in range(n_steps):
            inputs = [state[at] / scale for at, scale in pairs]
            for _ in range(self.activations):
                output = network(inputs)
            state = _pushed(self.cart, state, output)
            if not self.cart.holds(state):
                return step
        return n_steps

    def _balanced(self, networks: Networks, starts: Sequence[State], n_steps: int, watch: Watch) -> Steps:
        """As `steps`; `watch` is told the number of every step, whose carts they are, and the carts."""
        import torch

        states = np.tile(np.asarray(starts, np.float64), (networks.n, 1, 1))
        carts: _Few | _Many = _Many(self, states, networks.device)
        counts, left = np.zeros(states.shape[:2], np.int64), np.arange(networks.n)
        alive = carts.holding
        counted = alive * 0
        memory = None
        with torch.inference_mode():
            for step in range(1, n_steps + 1):
                memory = self._push(networks, carts, memory)
                alive = alive & carts.holding
                counted = counted + alive
                watch(step, left, carts)
                if not alive.any():
                    break
                if step % EVERY == 0 and 4 * len(kept := np.flatnonzero(_array(alive).any(1))) <= 3 * len(left):
                    counts[left] = _array(counted)
                    left, which = left[kept], torch.from_numpy(kept).to(networks.device)
                    networks, memory = networks.choose(which), None if memory is None else memory[which]
                    holding, steps = _array(alive)[kept], _array(counted)[kept]
                    carts = type(carts)(self, carts.states()[kept], networks.device)
                    alive, counted = carts.own(holding), carts.own(steps)
                if step >= EARLY and isinstance(carts, _Many) and alive.shape[0] * alive.shape[1] <= FEW:
                    alive, counted = _array(alive), _array(counted)
                    carts = _Few(self, carts.states(), networks.device)
        counts[left] = _array(counted)
        return counts

    def _push(self, networks: Networks, carts: "_Few | _Many", memory: Any) -> Any:
        """One step of all; what networks then remember."""
        inputs = carts.inputs()
        for _ in range(self.activations):
            outputs, memory = networks.step(inputs, memory)
        carts.advance(outputs[..., 0])
        return memory


def _pushed(cart: Cart, state: State, output: float) -> State:
    """The state of a cart after a step, in Python's floats; one that has fallen stays as it is."""
    if not cart.holds(state):
        return state
    force = (min(max(output, 0.0), 1.0) - 0.5) * 2 * FORCE if output == output else output
    for _ in range(STEPS_OF_A_FORCE):
        state = cart.step(state, force, SECONDS, math)
    return state


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
        pairs = zip(self._states, outputs.flatten().tolist(), strict=True)
        self._states = [_pushed(self._balancing.cart, state, output) for state, output in pairs]

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
