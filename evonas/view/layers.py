"""Where the nodes of a directed acyclic graph go when it is drawn in layers, without matplotlib.

In the manner of Sugiyama, Tagawa & Toda 1981 (https://doi.org/10.1109/TSMC.1981.4308636): layers by longest path,
dummy nodes where an edge passes a layer, an order within each layer by barycentres. Columns are the linear programme of
Gansner, Koutsofios, North & Vo 1993 (https://doi.org/10.1109/32.221135). Departures: a layer has a greatest width, as
in Coffman & Graham 1972 (https://doi.org/10.1007/BF00288685); edges that leave one node share their dummies; neighbours
in a layer are also swapped where that uncrosses edges; columns are solved by a general solver in place of network
simplex, and a small extra term centres a node among its neighbours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

Spot = str | tuple[str, int]
"""A node by its id, or the place where edges from a node pass a layer, `(id, layer)`."""

Neighbours = dict[Spot, list[Spot]]

SWEEPS = 24
CENTRING = 0.1
NARROW = 40.0
"""The weight of the picture's width."""
STRAIGHT = {0: 1.0, 1: 2.0, 2: 8.0}
"""The weight of a segment's sideways travel by how many of its ends are dummies."""


@dataclass(frozen=True)
class Layered:
    """A graph placed in layers, the first on top.

    Attributes:
        rows: Every layer from left to right.
        columns: The horizontal centre of every spot, from 0 rightwards, in the unit of the gaps asked for.
        routes: For every edge `(source, target)` the spots it runs through, both ends included, one a layer.
    """

    rows: tuple[tuple[Spot, ...], ...]
    columns: Mapping[Spot, float]
    routes: Mapping[tuple[str, str], tuple[Spot, ...]]


def layered(inputs: Mapping[str, Sequence[str]], *, box: float, gap: float, lane: float, widest: int) -> Layered:
    """Place a graph in layers.

    Args:
        inputs: What every node reads, in topological order; the last node goes to the bottom layer.
        box: The width of a node.
        gap: The space between two nodes of a layer.
        lane: The space that an edge keeps to its neighbours where it passes a layer.
        widest: Nodes that a layer has at most.

    Returns:
        The placed graph; the same input gives the same places.
    """
    level = _levels(inputs, widest)
    routes: dict[tuple[str, str], tuple[Spot, ...]] = {}
    for target, sources in inputs.items():
        for source in sources:
            passed = [(source, at) for at in range(level[source] + 1, level[target])]
            routes[source, target] = (source, *passed, target)
    rows: list[list[Spot]] = [[] for _ in range(max(level.values()) + 1)]
    for name, at in level.items():
        rows[at].append(name)
    for dummy in dict.fromkeys(spot for route in routes.values() for spot in route if isinstance(spot, tuple)):
        rows[dummy[1]].append(dummy)
    links = list(dict.fromkeys(link for route in routes.values() for link in pairwise(route)))
    rows = _ordered(rows, links)
    half = {spot: lane / 2 if isinstance(spot, tuple) else (box + gap) / 2 for row in rows for spot in row}
    return Layered(tuple(tuple(row) for row in rows), _columns(rows, links, half), routes)


def _levels(inputs: Mapping[str, Sequence[str]], widest: int) -> dict[str, int]:
    """The layer of every node, by the longest path from the input; a full layer keeps those far from the end."""
    far = dict.fromkeys(inputs, 0)
    for name in reversed(list(inputs)):
        for source in inputs[name]:
            far[source] = max(far[source], far[name] + 1)
    level: dict[str, int] = {}
    waiting = list(inputs)
    at = 0
    while waiting:
        ready = [name for name in waiting if all(level.get(source, at) < at for source in inputs[name])]
        for name in sorted(ready, key=lambda name: -far[name])[:widest]:
            level[name] = at
        waiting = [name for name in waiting if name not in level]
        at += 1
    level[list(inputs)[-1]] = at - 1
    return {name: level[name] for name in inputs}


def _ordered(rows: list[list[Spot]], links: list[tuple[Spot, Spot]]) -> list[list[Spot]]:
    """The rows in the order with the fewest crossings that sweeps down and up have met."""
    above: Neighbours = {spot: [] for row in rows for spot in row}
    below: Neighbours = {spot: [] for row in rows for spot in row}
    for upper, lower in links:
        below[upper].append(lower)
        above[lower].append(upper)
    rows, best = [list(row) for row in rows], rows
    fewest = _n_crossings(best, below)
    for sweep in range(SWEEPS):
        places = list(range(len(rows)))
        for at in places if sweep % 2 == 0 else reversed(places):
            fixed, near = (at - 1, above) if sweep % 2 == 0 else (at + 1, below)
            if 0 <= fixed < len(rows):
                rows[at] = _by_barycentre(rows[at], rows[fixed], near)
        _swap_neighbours(rows, above, below)
        if (n_crossings := _n_crossings(rows, below)) < fewest:
            fewest, best = n_crossings, [list(row) for row in rows]
    return best


def _by_barycentre(row: list[Spot], fixed: list[Spot], near: Neighbours) -> list[Spot]:
    place = {spot: at for at, spot in enumerate(fixed)}
    scale = max(1, len(fixed) - 1) / max(1, len(row) - 1)
    centre = {spot: at * scale for at, spot in enumerate(row)}
    centre |= {spot: float(np.mean([place[n] for n in near[spot]])) for spot in row if near[spot]}
    return sorted(row, key=lambda spot: centre[spot])


def _swap_neighbours(rows: list[list[Spot]], above: Neighbours, below: Neighbours) -> None:
    place = {spot: at for row in rows for at, spot in enumerate(row)}

    def crossings(left: Spot, right: Spot) -> int:
        return sum(place[a] > place[b] for n in (above, below) for a in n[left] for b in n[right])

    for row in rows:
        for at in range(len(row) - 1):
            left, right = row[at], row[at + 1]
            if crossings(left, right) > crossings(right, left):
                row[at], row[at + 1] = right, left
                place[left], place[right] = at + 1, at


def _n_crossings(rows: list[list[Spot]], below: Neighbours) -> int:
    place = {spot: at for row in rows for at, spot in enumerate(row)}
    count = 0
    for row in rows:
        ends = [(at, place[end]) for at, spot in enumerate(row) for end in below[spot]]
        count += sum((a - c) * (b - d) < 0 for (a, b), (c, d) in combinations(ends, 2))
    return count


def _columns(rows: list[list[Spot]], links: list[tuple[Spot, Spot]], half: Mapping[Spot, float]) -> dict[Spot, float]:
    """Columns that keep neighbours apart by their half widths and keep edges straight and the picture narrow."""
    number = {spot: at for at, spot in enumerate(spot for row in rows for spot in row)}
    rules: list[tuple[dict[int, float], float]] = []
    for row in rows:
        for left, right in pairwise(row):
            rules.append(({number[left]: 1.0, number[right]: -1.0}, -half[left] - half[right]))
    cost = [0.0] * len(number)

    def bound(terms: dict[int, float], weight: float) -> None:
        """Add a variable that is at least the size of a sum of terms, at a cost."""
        cost.append(weight)
        for sign in (1.0, -1.0):
            rules.append(({**{at: sign * value for at, value in terms.items()}, len(cost) - 1: -1.0}, 0.0))

    near: dict[Spot, list[Spot]] = {spot: [] for spot in number}
    for upper, lower in links:
        near[upper].append(lower)
        near[lower].append(upper)
        n_dummies = isinstance(upper, tuple) + isinstance(lower, tuple)
        bound({number[upper]: 1.0, number[lower]: -1.0}, STRAIGHT[n_dummies])
    for spot, others in near.items():
        if len(others) > 1:
            bound({number[spot]: 1.0} | {number[n]: -1.0 / len(others) for n in others}, CENTRING)
    cost.append(NARROW)
    for spot, at in number.items():
        rules += [({at: -1.0}, -half[spot]), ({at: 1.0, len(cost) - 1: -1.0}, -half[spot])]
    entries = [(row, at, value) for row, (terms, _) in enumerate(rules) for at, value in terms.items()]
    places, variables, values = zip(*entries, strict=True)
    matrix = coo_array((values, (places, variables)), shape=(len(rules), len(cost))).tocsr()
    solved = linprog(cost, A_ub=matrix, b_ub=[limit for _, limit in rules], method="highs")
    assert solved.success, solved.message
    return {spot: float(round(solved.x[at], 4)) for spot, at in number.items()}
