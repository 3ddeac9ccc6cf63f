"""The columns of many neuron graphs, one behind the other, in numpy: no Python per genome but collecting them."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import attrgetter, iconcat
from typing import Any

import numpy as np
import numpy.typing as npt

from evonas.network.activations import ACTIVATIONS
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
        k, n = first.n_inputs, len(graphs)
        joined = [_joined(name, graphs) for name in _JOINED]
        outputs, activations, aggregations, biases, responses, sources, targets, weights = joined
        n_neurons, n_connections = _lengths("biases", graphs), _lengths("weights", graphs)
        shifts = starts(n_neurons) - k
        shift = np.repeat(shifts, n_connections)
        reads, feeds = _packed("q", sources), _packed("q", targets) + shift
        reads = np.where(reads < k, ~reads, reads + shift)
        return cls(
            k,
            first.recurrent,
            n_neurons,
            n_connections,
            _packed("q", outputs).reshape(n, -1) + shifts[:, None],
            _coded(activations, {name: code for code, name in enumerate(ACTIVATIONS)}),
            _coded(aggregations, AGGREGATION_CODES),
            _packed("d", biases),
            _packed("d", responses),
            np.zeros(len(biases), np.int64) if first.recurrent else _levels(reads, feeds, len(biases)),
            reads,
            feeds,
            _packed("d", weights),
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


_JOINED = ("outputs", "activations", "aggregations", "biases", "responses", "sources", "targets", "weights")


def _check(graphs: Sequence[NeuronGraph]) -> None:
    if not graphs:
        raise ValueError("expected at least one graph of neurons, got none; give some")
    n_outputs = set(map(len, map(attrgetter("outputs"), graphs)))
    if len(set(map(attrgetter("n_inputs", "recurrent"), graphs))) == len(n_outputs) == 1:
        return
    kinds = {(one.n_inputs, len(one.outputs), "recurrent" if one.recurrent else "feed-forward") for one in graphs}
    (*a, how), (*b, other) = sorted(kinds)[:2]
    raise ValueError(
        "expected graphs with as many inputs and outputs, all recurrent or none, got "
        f"{tuple(a)} {how} and {tuple(b)} {other}; evaluate them apart"
    )


def _joined(name: str, graphs: Sequence[NeuronGraph]) -> list[Any]:
    return reduce(iconcat, map(attrgetter(name), graphs), [])


def _lengths(name: str, graphs: Sequence[NeuronGraph]) -> Ints:
    return _packed("q", list(map(len, map(attrgetter(name), graphs))))


def _packed(kind: str, values: list[Any]) -> npt.NDArray[Any]:
    """An array of Python's floats, `d`, or integers, `q`: `struct` is twice as fast as numpy."""
    return np.frombuffer(struct.pack(f"{len(values)}{kind}", *values), kind)


def _coded(words: list[str], codes: dict[str, int]) -> Ints:
    try:
        if len(used := set(words)) == 1:
            return np.full(len(words), codes[used.pop()])
        return _packed("q", list(map(codes.__getitem__, words)))
    except KeyError as error:
        raise ValueError(
            f"expected one of {', '.join(codes)}, got {error.args[0]!r}; add it by evonas.register_activation"
        ) from None


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
