"""Where neurons stand and how far their connections bend when they are drawn, without matplotlib."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from genomes.neurons import NeuronGraph

SWEEPS = 8
STEP, FARTHEST = 0.15, 16
"""Inches by which a connection is bent more, and how often at most, to either side."""
SAMPLES = 40
"""Points of a curve that are looked at."""
CROWDED, FEW = 150, 2
"""Connections up to which curves are bent as far as it takes and keep apart from one another, which takes time; and how
often at most those of more are bent."""
NEAR = 0.06
"""Inches within which two curves look like one."""
BLOCKED, COVERED, MERGED = 1000.0, 1.0, 1.5
"""What it costs to run through a neuron, over a text, and all along another curve, beside the inches of the bend."""

Place = tuple[float, float]
Array = npt.NDArray[np.float64]


def leading_back(graph: NeuronGraph) -> frozenset[int]:
    """The connections that close a cycle: without them the graph is feed-forward.

    Which of a cycle it is depends on what is taken first: connections that lead away from the inputs, then others,
    then those that an output feeds.

    Returns:
        Their indices; none in a feed-forward graph, and in a recurrent one without cycles.
    """
    if not graph.recurrent:
        return frozenset()
    pairs = list(zip(graph.sources, graph.targets, strict=True))
    away = _distances(graph)
    outputs = {*graph.outputs}
    onwards = [source not in outputs and away[source] < away[target] for source, target in pairs]
    order = sorted(range(len(pairs)), key=lambda at: (not onwards[at], pairs[at][0] in outputs, at))
    readers: list[list[int]] = [[] for _ in away]
    found = set()
    for at in order:
        source, target = pairs[at]
        # Connections that all lead away from the inputs close no cycle.
        if not onwards[at] and _reaches(readers, target, source):
            found.add(at)
        else:
            readers[source].append(target)
    return frozenset(found)


def rows(graph: NeuronGraph, back: frozenset[int]) -> list[list[int]]:
    """Places by row, the inputs first and the outputs last, each row ordered so that connections cross little.

    Args:
        graph: What is drawn.
        back: The connections that do not count, as of `leading_back`.
    """
    levels = _levels(graph, back)
    last = max([1, *levels[graph.n_inputs :]])
    outputs = {*graph.outputs}
    if any(levels[place] == last and place not in outputs for place in range(graph.n_inputs, len(levels))):
        last += 1
    found: list[list[int]] = [[] for _ in range(last + 1)]
    for place, level in enumerate(levels):
        found[last if place in outputs else level].append(place)
    found = [row for row in found if row]
    neighbours: dict[int, list[int]] = {place: [] for place in range(len(levels))}
    for source, target in zip(graph.sources, graph.targets, strict=True):
        neighbours[source].append(target)
        neighbours[target].append(source)
    for _ in range(SWEEPS):
        at = {place: index - (len(row) - 1) / 2 for row in found for index, place in enumerate(row)}
        for row in found[1:-1]:
            row.sort(key=lambda place: (np.mean([at[one] for one in neighbours[place]] or [at[place]]), place))
    return found


def bent(start: Place, end: Place, bends: npt.ArrayLike) -> Array:
    """Points of connections between two places.

    Args:
        start: Where they begin.
        end: Where they end.
        bends: Of each how far its control point is off the middle, to the left of the way, in parts of its length.

    Returns:
        `(n_bends, SAMPLES, 2)`, both ends included.
    """
    a, b, amounts = np.array(start), np.array(end), np.asarray(bends, float).reshape(-1, 1)
    across = b - a
    control = (a + b) / 2 + amounts * np.array([across[1], -across[0]])
    t = np.linspace(0, 1, SAMPLES)[:, None]
    return (1 - t) ** 2 * a + 2 * t * (1 - t) * control[:, None] + t**2 * b


def bends(
    pairs: Sequence[tuple[int, int]], where: Sequence[Place], radii: Sequence[float], texts: npt.ArrayLike
) -> tuple[list[float], int]:
    """How far to bend every connection so that it runs through nothing that lies between, as little as will do.

    Short ones are laid first; one that may pass on either side takes the other side than the one before.

    Args:
        pairs: Source and target of every connection, as indices of places.
        where: Every place, in inches.
        radii: How far to keep from each, in inches.
        texts: Discs that are covered only where nothing else is left: x, y and radius, `(n, 3)`.

    Returns:
        Of every connection the bend, as of `bent`, 0 for one that leads to where it begins; and how many run through
        something all the same.
    """
    discs = np.column_stack([np.reshape(where, (-1, 2)), radii])
    covered = np.asarray(texts, float).reshape(-1, 3)
    lengths = [float(np.hypot(*np.subtract(where[source], where[target]))) for source, target in pairs]
    found, blocked, side = [0.0] * len(pairs), 0, 1
    laid: list[Array] = []
    steps = STEP * np.arange(1, (FARTHEST if len(pairs) <= CROWDED else FEW) + 1)
    for at in sorted(range(len(pairs)), key=lambda at: (lengths[at], at)):
        source, target = pairs[at]
        if source == target:
            continue
        # A curve goes half as far as its control point.
        choices = 2 * np.concatenate([[0.0], np.ravel(np.column_stack([side * steps, -side * steps]))]) / lengths[at]
        others = np.delete(discs, [source, target], 0)
        points = np.concatenate(laid) if laid and len(pairs) <= CROWDED else np.empty((0, 2))
        for some in (choices[:1], choices):
            curves = bent(where[source], where[target], some)
            hits = _met(curves, others)
            cost = BLOCKED * hits + COVERED * _met(curves, covered) + MERGED * _along(curves, points)
            if not cost[0]:
                break
        cost = cost + np.abs(some) * lengths[at] / 2
        chosen = int(cost.argmin())
        blocked += bool(hits[chosen])
        found[at] = float(some[chosen])
        laid.append(curves[chosen])
        side = -side if chosen else side
    return found, blocked


def _met(curves: Array, discs: Array) -> Array:
    """How many discs each curve runs through: `(n_curves,)`."""
    if not len(discs):
        return np.zeros(len(curves))
    away = np.square(curves[:, :, None] - discs[:, :2]).sum(-1)
    return (away.min(1) < np.square(discs[:, 2])).sum(1).astype(float)


def _along(curves: Array, points: Array) -> Array:
    """The part of each curve that lies close to points of others, its ends left out: `(n_curves,)`."""
    if not len(points):
        return np.zeros(len(curves))
    inner = curves[:, SAMPLES // 5 : -SAMPLES // 5 : 2]
    away = np.hypot(*np.moveaxis(inner[:, :, None] - points, -1, 0))
    return (away.min(2) < NEAR).mean(1)


def _distances(graph: NeuronGraph) -> list[int]:
    """Of every place how many connections lead to it from an input at least; 1 for what no input leads to."""
    away = [0] * graph.n_inputs + [0] * len(graph.ids)
    frontier, distance = set(range(graph.n_inputs)), 0
    while frontier:
        distance += 1
        reached = {target for source, target in zip(graph.sources, graph.targets, strict=True) if source in frontier}
        frontier = {place for place in reached if place >= graph.n_inputs and not away[place]}
        for place in frontier:
            away[place] = distance
    return away[: graph.n_inputs] + [one or 1 for one in away[graph.n_inputs :]]


def _levels(graph: NeuronGraph, back: frozenset[int]) -> list[int]:
    """Of every place the longest way to it, what leads back left out."""
    pairs = [pair for at, pair in enumerate(zip(graph.sources, graph.targets, strict=True)) if at not in back]
    fed = {target for _, target in pairs}
    # What nothing leads to stands in the first row of neurons, and what it feeds below it.
    pairs += [(0, place) for place in range(graph.n_inputs, graph.n_inputs + len(graph.ids)) if place not in fed]
    sources, targets = zip(*pairs, strict=True)
    return [0] * graph.n_inputs + list(replace(graph, sources=sources, targets=targets, recurrent=False).levels)


def _reaches(readers: Sequence[Sequence[int]], start: int, end: int) -> bool:
    """Whether connections lead from one place to another."""
    seen, left = {start}, [start]
    while left:
        place = left.pop()
        if place == end:
            return True
        new = [reader for reader in readers[place] if reader not in seen]
        seen.update(new)
        left += new
    return False
