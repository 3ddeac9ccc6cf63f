"""The columns of many neuron graphs, one behind the other, in numpy: no Python per genome but collecting them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from evonas.network.activations import ACTIVATIONS, activation
from genomes.neurons import AGGREGATIONS, NeuronGraph

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

AGGREGATION_CODES = {name: code for code, name in enumerate(AGGREGATIONS)}


@dataclass(frozen=True, eq=False)
class Columns:
    """All neurons and all connections of n graphs, those of a graph side by side, graphs in order.

    Attributes:
        n_inputs: Values that each is given.
        recurrent: True if neurons read the step before.
        n_neurons: Of every graph, `(n,)`.
        n_connections: Of every graph, `(n,)`.
        outputs: Neurons that put out, counted over all graphs, `(n, n_outputs)`.
        activations: Places in `evonas.network.activations.ACTIVATIONS`, one a neuron.
        aggregations: Places in `genomes.neurons.AGGREGATIONS`, one a neuron.
        biases: One a neuron.
        responses: One a neuron.
        levels: Of every neuron, the neurons on the longest path to it from neurons that read none; 0 in recurrent ones.
        sources: What a connection reads: inputs are -1, -2, …, neurons are counted over all graphs.
        targets: The neuron that it feeds, counted over all graphs.
        weights: One a connection.
    """

    n_inputs: int
    recurrent: bool
    n_neurons: Ints
    n_connections: Ints
    outputs: Ints
    activations: Ints
    aggregations: Ints
    biases: Floats
    responses: Floats
    levels: Ints
    sources: Ints
    targets: Ints
    weights: Floats

    @property
    def n(self) -> int:
        """Number of graphs."""
        return len(self.n_neurons)

    @classmethod
    def of(cls, graphs: Sequence[NeuronGraph]) -> "Columns":
        """Collect the columns of graphs.

        Raises:
            ValueError: If there is none, if they differ in inputs, outputs or recurrence, if an activation is unknown,
                or if there is a cycle in a feed-forward one.
        """
        _check(graphs)
        first = graphs[0]
        k = first.n_inputs
        n_neurons, n_connections = _lengths("biases", graphs), _lengths("weights", graphs)
        shifts = starts(n_neurons) - k
        total, n_all = int(n_neurons.sum()), int(n_connections.sum())
        outputs = _column("outputs", graphs, np.int64, len(graphs) * len(first.outputs)).reshape(len(graphs), -1)
        sources, targets = (_column(name, graphs, np.int64, n_all) for name in ("sources", "targets"))
        shift = np.repeat(shifts, n_connections)
        sources = np.where(sources < k, ~sources, sources + shift)
        targets += shift
        return cls(
            k,
            first.recurrent,
            n_neurons,
            n_connections,
            outputs + shifts[:, None],
            _activations(graphs, total),
            _column("aggregations", graphs, np.int64, total, AGGREGATION_CODES.__getitem__),
            _column("biases", graphs, np.float64, total),
            _column("responses", graphs, np.float64, total),
            np.zeros(total, np.int64) if first.recurrent else _levels(sources, targets, total),
            sources,
            targets,
            _column("weights", graphs, np.float64, n_all),
        )

    def take(self, which: Ints) -> "Columns":
        """Those of some graphs, in the order asked for, `(m,)`."""
        neurons = _spans(starts(self.n_neurons)[which], self.n_neurons[which])
        connections = _spans(starts(self.n_connections)[which], self.n_connections[which])
        n_neurons, n_connections = self.n_neurons[which], self.n_connections[which]
        shifts = starts(n_neurons) - starts(self.n_neurons)[which]
        shift = np.repeat(shifts, n_connections)
        sources = self.sources[connections]
        return Columns(
            self.n_inputs,
            self.recurrent,
            n_neurons,
            n_connections,
            self.outputs[which] + shifts[:, None],
            self.activations[neurons],
            self.aggregations[neurons],
            self.biases[neurons],
            self.responses[neurons],
            self.levels[neurons],
            np.where(sources < 0, sources, sources + shift),
            self.targets[connections] + shift,
            self.weights[connections],
        )


def _check(graphs: Sequence[NeuronGraph]) -> None:
    if not graphs:
        raise ValueError("expected at least one graph of neurons, got none; give some")
    kinds = {(one.n_inputs, len(one.outputs), one.recurrent) for one in graphs}
    if len(kinds) > 1:
        (a, b, c), (x, y, z) = sorted(kinds)[:2]
        raise ValueError(
            "expected graphs with as many inputs, outputs, all recurrent or none, got "
            f"{(a, b)} {'recurrent' if c else 'feed-forward'} and {(x, y)} {'recurrent' if z else 'feed-forward'}; "
            "evaluate them apart"
        )


def _lengths(name: str, graphs: Sequence[NeuronGraph]) -> Ints:
    return np.fromiter(map(len, map(attrgetter(name), graphs)), np.int64, len(graphs))


def _column(
    name: str, graphs: Sequence[NeuronGraph], dtype: Any, n: int, code: Callable[[str], int] | None = None
) -> npt.NDArray[Any]:
    values: Iterable[Any] = chain.from_iterable(map(attrgetter(name), graphs))
    return np.fromiter(map(code, values) if code else values, dtype, n)


def _activations(graphs: Sequence[NeuronGraph], n: int) -> Ints:
    codes = {name: code for code, name in enumerate(ACTIVATIONS)}
    try:
        return _column("activations", graphs, np.int64, n, codes.__getitem__)
    except KeyError as error:
        activation(error.args[0])
        raise


def _levels(sources: Ints, targets: Ints, n: int) -> Ints:
    """Longest paths by relaxation over all connections between neurons at once, as many rounds as the deepest needs."""
    levels = np.zeros(n, np.int64)
    inner = sources >= 0
    sources, targets = sources[inner], targets[inner]
    level = 0
    while left := len(sources):
        level += 1
        levels[targets] = level
        waiting = levels[sources] == level
        sources, targets = sources[waiting], targets[waiting]
        if len(sources) == left:
            raise ValueError("expected no cycle in a feed-forward graph, got one; make it recurrent")
    return levels


def _spans(firsts: Ints, lengths: Ints) -> Ints:
    """The numbers from every first one on, as many as its length, one span behind the other."""
    return np.repeat(firsts - starts(lengths), lengths) + np.arange(lengths.sum())


def starts(lengths: Ints) -> Ints:
    """Where each of several spans begins, one behind the other, `(n,)`."""
    found = np.cumsum(lengths)
    found -= lengths
    return found
