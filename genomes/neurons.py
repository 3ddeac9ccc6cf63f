"""The phenotype of single neurons and weighted connections, and what it computes, in numpy and float64."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from genomes.innovation import marking
from genomes.operations import Shape

Values = npt.NDArray[np.float64]

ACTIVATIONS: dict[str, Callable[[Values], Values]] = {
    "sigmoid": lambda x: 0.5 + 0.5 * np.tanh(0.5 * x),
    "steep_sigmoid": lambda x: 0.5 + 0.5 * np.tanh(2.45 * x),
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0.0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0.0))),
    "identity": lambda x: x,
    "sine": np.sin,
    "cosine": np.cos,
    "gaussian": lambda x: np.exp(-np.square(x)),
    "abs": np.abs,
    "square": np.square,
    "clamped": lambda x: np.clip(x, -1.0, 1.0),
    "step": lambda x: (x > 0).astype(np.float64),
}
"""What a neuron does to its sum, by name. `steep_sigmoid` is 1 / (1 + exp(-4.9 x)) (Stanley & Miikkulainen 2002),
`gaussian` exp(-x²), `clamped` x between -1 and 1, `step` 1 above 0, else 0; the others are what torch calls so."""

BUILT_IN = frozenset(ACTIVATIONS)
"""The names that `register_activation` does not give to others."""
UNREGISTERED: set[str] = set()
"""Activations of other programs: genomes that name them can be read, and not computed."""

AGGREGATIONS: dict[str, Callable[[Values], Values]] = {
    "sum": lambda terms: terms.sum(0),
    "product": lambda terms: terms.prod(0),
    "mean": lambda terms: terms.mean(0),
    "max": lambda terms: terms.max(0),
    "min": lambda terms: terms.min(0),
}
"""How a neuron combines its weighted inputs `(n_inputs, batch)`, by name. Without inputs all give 0, the product 1."""


@dataclass(frozen=True)
class NeuronGraph:
    """Neurons in columns, and connections in columns.

    A place is an index: the inputs are places 0 … n_inputs - 1, the neurons follow. A neuron puts out
    activation(bias + response × aggregation(weight × value of source, for each connection into it)). In a feed-forward
    graph every neuron is computed after all that it reads, in whatever order the neurons are listed; in a recurrent one
    all neurons read the values of the step before, which are 0 at first.

    Attributes:
        n_inputs: Values that come in.
        outputs: Places of the neurons that put out, in order.
        ids: Of every neuron. Law of ids: the same id means homologous structure, in any two graphs.
        activations: Keys of `ACTIVATIONS`, one a neuron.
        aggregations: Keys of `AGGREGATIONS`, one a neuron.
        biases: One a neuron.
        responses: One a neuron.
        sources: Place that a connection reads.
        targets: Place of the neuron that it feeds.
        weights: One a connection.
        markings: The historical marking of every connection.
        recurrent: True if neurons read the step before.
    """

    n_inputs: int
    outputs: tuple[int, ...]
    ids: tuple[str, ...]
    activations: tuple[str, ...]
    aggregations: tuple[str, ...]
    biases: tuple[float, ...]
    responses: tuple[float, ...]
    sources: tuple[int, ...]
    targets: tuple[int, ...]
    weights: tuple[float, ...]
    markings: tuple[str, ...]
    recurrent: bool = False

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits over all that it computes; ids and markings are ignored."""
        neurons = [self.activations, self.aggregations, self.biases, self.responses]
        connections = [self.sources, self.targets, self.weights]
        return marking(repr((self.n_inputs, self.outputs, neurons, connections, self.recurrent)))

    @cached_property
    def incoming(self) -> tuple[tuple[int, ...], ...]:
        """For every neuron the indices of the connections into it."""
        found: list[list[int]] = [[] for _ in self.ids]
        for index, target in enumerate(self.targets):
            found[target - self.n_inputs].append(index)
        return tuple(map(tuple, found))

    @cached_property
    def levels(self) -> tuple[int, ...]:
        """For every neuron of a feed-forward graph the length of the longest path into it; 0 without inputs.

        Raises:
            ValueError: If there is a cycle.
        """
        readers: list[list[int]] = [[] for _ in self.ids]
        left = [0] * len(self.ids)
        levels = [0] * len(self.ids)
        for source, target in zip(self.sources, self.targets, strict=True):
            at = target - self.n_inputs
            if source < self.n_inputs:
                levels[at] = max(levels[at], 1)
            else:
                readers[source - self.n_inputs].append(at)
                left[at] += 1
        ready = [at for at, n in enumerate(left) if not n]
        for at in ready:
            for reader in readers[at]:
                levels[reader] = max(levels[reader], levels[at] + 1)
                left[reader] -= 1
                if not left[reader]:
                    ready.append(reader)
        if len(ready) < len(self.ids):
            stuck = next(self.ids[at] for at, n in enumerate(left) if n)
            raise ValueError(f"neuron {stuck}: expected no cycle in a feed-forward graph, got one; make it recurrent")
        return tuple(levels)

    def check(self, input_shape: Shape, n_outputs: int) -> None:
        """Check that it fits a task.

        Args:
            input_shape: `(channels, height, width)`, which is flattened, or `(features,)`.
            n_outputs: Values that are asked for.

        Raises:
            ValueError: If it has other inputs or outputs.
        """
        n_inputs = prod(input_shape)
        if (self.n_inputs, len(self.outputs)) != (n_inputs, n_outputs):
            got = f"{self.n_inputs} and {len(self.outputs)}"
            raise ValueError(f"expected neurons for {n_inputs} inputs and {n_outputs} outputs, got {got}; correct it")

    def n_parameters(self, input_shape: Shape, n_outputs: int) -> int:
        """Weights of connections and biases of neurons; arguments and errors as in `check`."""
        self.check(input_shape, n_outputs)
        return len(self.weights) + len(self.biases)

    def macs(self, input_shape: Shape, n_outputs: int) -> int:
        """Multiply-accumulates of one example: a connection is one; arguments and errors as in `check`."""
        self.check(input_shape, n_outputs)
        return len(self.weights)

    def run(self, inputs: npt.ArrayLike) -> Values:
        """What a feed-forward graph puts out.

        Args:
            inputs: `(batch, n_inputs)`.

        Returns:
            `(batch, n_outputs)`.
        """
        return self._computed(np.asarray(inputs, np.float64), None)[0]

    def trace(self, inputs: npt.ArrayLike) -> Values:
        """The values of all neurons of a feed-forward graph, `(batch, n_neurons)`, for inputs `(batch, n_inputs)`."""
        return self._computed(np.asarray(inputs, np.float64), None)[1]

    def step(self, inputs: npt.ArrayLike, state: Values | None = None) -> tuple[Values, Values]:
        """What a recurrent graph puts out in one step, and the values of its neurons behind it.

        Args:
            inputs: `(batch, n_inputs)`.
            state: The values of the neurons before, `(batch, n_neurons)`; None: zeros.

        Returns:
            `(batch, n_outputs)` and `(batch, n_neurons)`.
        """
        given = np.asarray(inputs, np.float64)
        return self._computed(given, np.zeros((len(given), len(self.ids))) if state is None else state)

    def _computed(self, inputs: Values, state: Values | None) -> tuple[Values, Values]:
        if inputs.ndim != 2 or inputs.shape[1] != self.n_inputs:
            raise ValueError(f"inputs: expected the shape (batch, {self.n_inputs}), got {inputs.shape}; reshape them")
        values = np.zeros((self.n_inputs + len(self.ids), len(inputs)))
        values[: self.n_inputs] = inputs.T
        read = values
        if state is not None:
            read = values.copy()
            read[self.n_inputs :] = state.T
        levels = self.levels if state is None else (0,) * len(self.ids)
        with np.errstate(over="ignore", invalid="ignore"):
            for at in sorted(range(len(self.ids)), key=levels.__getitem__):
                values[self.n_inputs + at] = self._neuron(at, read)
        return values[list(self.outputs)].T, values[self.n_inputs :].T

    def _neuron(self, at: int, values: Values) -> Values:
        connections = list(self.incoming[at])
        word = self.aggregations[at]
        if connections:
            weights = np.array([self.weights[one] for one in connections])
            total = AGGREGATIONS[word](weights[:, None] * values[[self.sources[one] for one in connections]])
        else:
            total = np.full(values.shape[1], float(word == "product"))
        return ACTIVATIONS[self.activations[at]](self.biases[at] + self.responses[at] * total)


def register_activation(name: str, function: Callable[[Values], Values]) -> None:
    """Add an activation of one's own, so that genomes may name it.

    Args:
        name: An identifier that is not taken.
        function: Element by element; float64 arrays of any shape.

    Raises:
        ValueError: If the name is none, is built in, or is taken by another function.
    """
    if not name.isidentifier():
        raise ValueError(f"activation: expected an identifier, got {name!r}; choose another name")
    if name in BUILT_IN or (name not in UNREGISTERED and ACTIVATIONS.get(name, function) is not function):
        raise ValueError(f"activation: expected a new name, got {name!r}, which is taken; choose another")
    UNREGISTERED.discard(name)
    ACTIVATIONS[name] = function


def expect_activation(name: str) -> None:
    """Let genomes name an activation that the program that made them registered; what is known already stays."""
    if name.isidentifier() and name not in ACTIVATIONS:
        UNREGISTERED.add(name)
        ACTIVATIONS[name] = lambda x: check_registered((name,))


def check_registered(names: Iterable[str]) -> Any:
    """Check that activations can be computed.

    Raises:
        ValueError: Naming those that no program has registered in this process.
    """
    if missing := sorted(UNREGISTERED.intersection(names)):
        raise ValueError(
            f"activation: expected {', '.join(missing)} to be registered, as it was where it was recorded; from Python "
            "call evonas.register_activation first"
        )
