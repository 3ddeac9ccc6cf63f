"""From discovered places and connections to graphs of neurons."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from genomes.es_hyperneat.program import Program
from genomes.es_hyperneat.quadtree import Whole
from genomes.es_hyperneat.search import Asked, Discovered, Places, place_of
from genomes.innovation import marking
from genomes.neat.genome import edge, input_ids, output_ids
from genomes.neurons import NeuronGraph, Values


class Style(NamedTuple):
    """What neurons are like, whatever a CPPN says.

    Attributes:
        activation: Of hidden neurons.
        output_activation: Of output neurons.
        scale: What weights and biases are multiplied by.
        recurrent: True if every hidden place may feed every other.
    """

    activation: str
    output_activation: str
    scale: float
    recurrent: bool


class _Wired(NamedTuple):
    """Neurons and connections of all genomes, in order; places are those of `NeuronGraph`.

    Attributes:
        keys: Of the hidden neurons.
        genomes: Whose each is.
        owner: Whose each connection is.
        source: The place that it reads.
        target: The place that it feeds.
        weight: Of each.
        pairs: Names of what is read and fed: inputs by number, then hidden places by key, then outputs.
    """

    keys: Whole
    genomes: Whole
    owner: Whole
    source: Whole
    target: Whole
    weight: Values
    pairs: Whole


@lru_cache(maxsize=1 << 16)
def hidden_id(x: float, y: float) -> str:
    """The id of the neuron at a place."""
    return marking("place", repr(x), repr(y))


def graphs(
    found: Discovered,
    biases: Sequence[Program] | None,
    inputs: Values,
    outputs: Values,
    depth: int,
    style: Style,
    *,
    queries: tuple[str, ...],
    n: int,
) -> list[NeuronGraph]:
    """The networks of all genomes.

    Of the hidden places those stay that lead from an input to an output. Where a network is not recurrent, a connection
    between hidden places stays if its target was found in a later round, or lies further up or to the right: the paper
    leaves open how cycles are kept out.

    Args:
        found: What CPPNs connect.
        biases: What paints the biases, from the place in the middle, one a genome; None: there are none.
        inputs: Places `(n, 2)`.
        outputs: Places `(n, 2)`.
        depth: Of the quadtrees.
        style: What neurons are like.
        queries: What CPPNs are asked with.
        n: How many genomes.
    """
    wired = _wired(found, len(inputs), depth, style, n)
    named = _names(wired, len(inputs), len(outputs), depth)
    owned = np.searchsorted(wired.genomes, np.arange(n + 1)).tolist()
    linked = np.searchsorted(wired.owner, np.arange(n + 1)).tolist()
    painted = None if biases is None else _biases(wired, biases, outputs, depth, queries)
    x, y = (values.tolist() for values in place_of(wired.keys, depth))
    ids = [hidden_id(*place) for place in zip(x, y, strict=True)]
    ends = output_ids(len(outputs))
    made = []
    for genome in range(n):
        here, there = slice(owned[genome], owned[genome + 1]), slice(linked[genome], linked[genome + 1])
        n_hidden = here.stop - here.start
        n_neurons = n_hidden + len(outputs)
        values = [0.0] * n_neurons if painted is None else [*painted[0][here], *painted[1][genome]]
        made.append(
            NeuronGraph(
                len(inputs),
                tuple(range(len(inputs) + n_hidden, len(inputs) + n_neurons)),
                (*ids[here], *ends),
                (style.activation,) * n_hidden + (style.output_activation,) * len(outputs),
                ("sum",) * n_neurons,
                tuple([style.scale * value for value in values]),
                (1.0,) * n_neurons,
                tuple(wired.source[there].tolist()),
                tuple(wired.target[there].tolist()),
                tuple((style.scale * wired.weight[there]).tolist()),
                tuple(named[there].tolist()),
                style.recurrent,
            )
        )
    return made


def _wired(found: Discovered, n_inputs: int, depth: int, style: Style, n: int) -> _Wired:
    side = depth + 1
    order = np.lexsort((found.keys & ((1 << side) - 1), found.keys >> side, found.rounds, found.genomes))
    keys, genomes = found.keys[order], found.genomes[order]
    places = (genomes << (2 * side)) + keys
    by_place = np.argsort(places)

    def at(genome: Whole, key: Whole) -> Whole:
        return by_place[np.searchsorted(places[by_place], (genome << (2 * side)) + key)]

    first, last = at(found.inputs.genome, found.inputs.target), at(found.outputs.genome, found.outputs.source)
    begin, end = at(found.hidden.genome, found.hidden.source), at(found.hidden.genome, found.hidden.target)
    kept = np.ones(len(begin), bool) if style.recurrent else begin < end
    alive = _reached(len(keys), first, begin[kept], end[kept]) & _reached(len(keys), last, end[kept], begin[kept])
    starts = np.concatenate([[0], np.cumsum(alive)])[np.searchsorted(genomes, genomes)]
    local = n_inputs + np.cumsum(alive) - 1 - starts
    n_hidden = np.bincount(genomes[alive], minlength=n)

    inside, above = n_inputs, n_inputs + (1 << (2 * side))
    into, inner, out = alive[first], kept & alive[begin] & alive[end], alive[last]
    incoming, between, outgoing = found.inputs.some(into), found.hidden.some(inner), found.outputs.some(out)
    first, begin, end, last = first[into], begin[inner], end[inner], last[out]
    ends = n_inputs + n_hidden[outgoing.genome] + outgoing.target
    columns = (
        (incoming.genome, between.genome, outgoing.genome),
        (incoming.source, local[begin], local[last]),
        (local[first], local[end], ends),
        (incoming.weight, between.weight, outgoing.weight),
        (incoming.source, inside + keys[begin], inside + keys[last]),
        (inside + keys[first], inside + keys[end], above + outgoing.target),
    )
    owner, source, target, weight, read, fed = (np.concatenate(column) for column in columns)
    ordered = np.lexsort((source, target, owner))
    pairs = np.stack([read, fed], -1)
    return _Wired(keys[alive], genomes[alive], *(column[ordered] for column in (owner, source, target, weight, pairs)))


def _reached(n: int, begin: Whole, source: Whole, target: Whole) -> npt.NDArray[np.bool_]:
    """True for all of n places that connections lead to from some of them, these included."""
    found = np.zeros(n, bool)
    found[begin] = True
    while True:
        ahead = target[found[source]]
        ahead = ahead[~found[ahead]]
        if not len(ahead):
            return found
        found[ahead] = True


def _names(wired: _Wired, n_inputs: int, n_outputs: int, depth: int) -> npt.NDArray[np.object_]:
    """The marking of every connection; each pair of places is named once."""
    hidden = 1 << (2 * depth + 2)
    n = n_inputs + hidden + n_outputs
    unique, inverse = np.unique(wired.pairs[:, 0] * n + wired.pairs[:, 1], return_inverse=True)
    inputs, outputs = input_ids(n_inputs), output_ids(n_outputs)
    x, y = (values.tolist() for values in place_of(np.maximum(unique // n - n_inputs, 0), depth))
    u, v = (values.tolist() for values in place_of(np.minimum(unique % n - n_inputs, hidden - 1), depth))
    named = np.empty(len(unique), object)
    for at, code in enumerate(unique.tolist()):
        source, target = divmod(code, n)
        begin = inputs[source] if source < n_inputs else hidden_id(x[at], y[at])
        end = outputs[target - n_inputs - hidden] if target >= n_inputs + hidden else hidden_id(u[at], v[at])
        named[at] = edge(begin, end)
    return named[inverse]


def _biases(
    wired: _Wired, programs: Sequence[Program], outputs: Values, depth: int, queries: tuple[str, ...]
) -> tuple[list[float], list[list[float]]]:
    """What is painted from the middle: for every hidden neuron, and for the outputs of every genome."""
    n = len(programs)
    middle = Places(np.arange(n), np.zeros(n), np.zeros(n))
    ask = Asked(programs, queries, middle, outgoing=True)
    hidden = ask(wired.genomes, *place_of(wired.keys, depth)).tolist()
    ends = ask(np.repeat(np.arange(n), len(outputs)), np.tile(outputs[:, 0], n), np.tile(outputs[:, 1], n))
    return hidden, ends.reshape(n, len(outputs)).tolist()
