"""Hidden places and connections of many CPPNs at once (Risi & Stanley 2012, https://doi.org/10.1162/ARTL_a_00071)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from genomes.es_hyperneat.program import Program
from genomes.es_hyperneat.quadtree import Ask, Division, Found, Mask, Whole, expressed, middle
from genomes.neurons import Values
from genomes.painting import asked

INPUT, HIDDEN, OUTPUT = 0, 1, 2
"""Kinds of places."""


class Places(NamedTuple):
    """Places of all genomes, those of a genome before those of the next.

    Attributes:
        genome: Whose.
        x: Coordinate.
        y: Coordinate.
    """

    genome: Whole
    x: Values
    y: Values


class Links(NamedTuple):
    """Connections of all genomes.

    Attributes:
        genome: Whose.
        source: Number of the input, or key of the hidden place, that is read.
        target: Number of the output, or key of the hidden place, that is fed.
        weight: What the CPPN says.
    """

    genome: Whole
    source: Whole
    target: Whole
    weight: Values

    def some(self, which: Mask) -> "Links":
        """Some of them, by mask."""
        return Links(self.genome[which], self.source[which], self.target[which], self.weight[which])


class Discovered(NamedTuple):
    """What CPPNs connect.

    A hidden place has a key, which tells where it is: see `place_of`.

    Attributes:
        inputs: Connections from inputs to hidden places.
        hidden: Between hidden places.
        outputs: From hidden places to outputs.
        keys: Every hidden place that was found.
        genomes: Whose each is.
        rounds: In which round each was found: 0 from the inputs.
    """

    inputs: Links
    hidden: Links
    outputs: Links
    keys: Whole
    genomes: Whole
    rounds: Whole


def key_of(found: Found, max_depth: int) -> Whole:
    """The key of the place in the middle of each square."""
    unit = np.left_shift(1, max_depth - found.depth)
    return (((2 * found.y + 1) * unit) << (max_depth + 1)) + (2 * found.x + 1) * unit


def place_of(key: Whole, max_depth: int) -> tuple[Values, Values]:
    """The coordinates x and y of hidden places."""
    side = 1 << (max_depth + 1)
    return (key % side) / (side >> 1) - 1.0, (key // side) / (side >> 1) - 1.0


class Asked:
    """The patterns that CPPNs paint around places: what is asked of all of them at once, each about its own.

    Args:
        programs: One a genome.
        queries: What they are asked with.
        places: Around which they are asked; one job each.
        outgoing: True if a place is the source, and the target is asked about.
    """

    def __init__(
        self, programs: Sequence[Program], queries: tuple[str, ...], places: Places, *, outgoing: bool
    ) -> None:
        self._programs, self._queries, self._places, self._outgoing = programs, queries, places, outgoing

    def __call__(self, job: Whole, x: Values, y: Values) -> Values:
        """The weight between the place of each job and another place, `(n,)`; jobs ascend."""
        places = self._places
        here = np.stack([places.x[job], places.y[job]], -1)
        there = np.stack([x, y], -1)
        points = asked(self._queries, here, there) if self._outgoing else asked(self._queries, there, here)
        columns = np.ascontiguousarray(points.T)
        bounds = np.searchsorted(places.genome[job], np.arange(len(self._programs) + 1))
        answers = np.empty(len(job))
        for program, begin, end in zip(self._programs, bounds, bounds[1:], strict=False):
            if end > begin:
                answers[begin:end] = program.run(columns[:, begin:end])
        return answers


def discovered(
    programs: Sequence[Program],
    expressions: Sequence[Program] | None,
    inputs: Values,
    outputs: Values,
    settings: Division,
    *,
    queries: tuple[str, ...],
    rounds: int,
) -> Discovered:
    """What CPPNs connect: from the inputs on, from hidden places on for some rounds, and back from the outputs.

    Args:
        programs: What paints the weights, one a genome.
        expressions: What has to be above 0 where there is a connection, one a genome; None: nothing more.
        inputs: Places `(n, 2)`.
        outputs: Places `(n, 2)`.
        settings: When quadtrees divide.
        queries: What CPPNs are asked with.
        rounds: How often hidden places that are new are asked what they feed.
    """
    n, depth = len(programs), settings.max_depth

    def connected(places: Places, *, outgoing: bool) -> tuple[Found, Whole]:
        found = expressed(Asked(programs, queries, places, outgoing=outgoing), len(places.genome), settings)
        if expressions is not None:
            order = np.argsort(found.job, kind="stable")
            found = found.some(order)
            ask: Ask = Asked(expressions, queries, places, outgoing=outgoing)
            kept = ask(found.job, middle(found.x, found.depth), middle(found.y, found.depth)) > 0
            found = found.some(kept)
        return found, key_of(found, depth)

    def fixed(places: Values) -> Places:
        return Places(np.repeat(np.arange(n), len(places)), np.tile(places[:, 0], n), np.tile(places[:, 1], n))

    begun = fixed(inputs)
    found, keys = connected(begun, outgoing=True)
    first = Links(begun.genome[found.job], found.job % len(inputs), keys, found.weight)
    known = fresh = np.unique(_combined(first.genome, keys, depth))
    in_round = [np.zeros(len(fresh), np.int64)]
    order = [fresh]
    between = []
    for at in range(rounds):
        if not len(fresh):
            break
        genome, source = _parted(fresh, depth)
        places = Places(genome, *place_of(source, depth))
        found, keys = connected(places, outgoing=True)
        between.append(Links(genome[found.job], source[found.job], keys, found.weight))
        fresh = np.setdiff1d(_combined(genome[found.job], keys, depth), known)
        known = np.union1d(known, fresh)
        order.append(fresh)
        in_round.append(np.full(len(fresh), at + 1))
    ends = fixed(outputs)
    found, keys = connected(ends, outgoing=False)
    genome = ends.genome[found.job]
    there = np.isin(_combined(genome, keys, depth), known)
    last = Links(genome[there], keys[there], found.job[there] % len(outputs), found.weight[there])
    nothing = np.empty(0, np.int64)
    none = Links(nothing, nothing, nothing, np.empty(0))
    whole = Links(*(np.concatenate(column) for column in zip(*between, none, strict=True)))
    genomes, keys = _parted(np.concatenate(order), depth)
    return Discovered(first, whole, last, keys, genomes, np.concatenate(in_round))


def _combined(genome: Whole, key: Whole, depth: int) -> Whole:
    return (genome << (2 * depth + 2)) + key


def _parted(combined: Whole, depth: int) -> tuple[Whole, Whole]:
    return combined >> (2 * depth + 2), combined & ((1 << (2 * depth + 2)) - 1)
