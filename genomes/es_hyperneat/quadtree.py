"""Where a CPPN's pattern has information: many quadtrees at once, a whole level at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from genomes.neurons import Values

Whole = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Ask = Callable[[Whole, Values, Values], Values]
"""`(job, x, y) -> weight`, `(n,)` each; jobs ascend."""


@dataclass(frozen=True)
class Division:
    """When a quadtree divides, and what of it is expressed (Risi & Stanley 2012).

    Attributes:
        initial_depth: Levels that are divided in any case: 2^depth places a side.
        max_depth: Levels that there are at most.
        division: A square is divided further where the variance of its four quarters is above this.
        variance: Below this variance, a square is one place; above it, its quarters are looked at.
        band: A place is connected where its weight differs by more than this from those of two neighbours that face
            each other.
    """

    initial_depth: int
    max_depth: int
    division: float
    variance: float
    band: float


class Level(NamedTuple):
    """Squares of one size in all trees, four quarters of a square in a row; squares of a tree before those of the next.

    Attributes:
        depth: Squares are 2 / 2^depth wide.
        job: The tree of each.
        x: Its column, from 0.
        y: Its row, from 0.
        weight: What the CPPN says of its middle.
        divided: True where the next level has its quarters.
    """

    depth: int
    job: Whole
    x: Whole
    y: Whole
    weight: Values
    divided: Mask


class Found(NamedTuple):
    """Places that trees connect, in no particular order.

    Attributes:
        job: Whose tree.
        depth: See `Level`.
        x: See `Level`.
        y: See `Level`.
        weight: See `Level`.
    """

    job: Whole
    depth: Whole
    x: Whole
    y: Whole
    weight: Values

    def some(self, which: Whole | Mask) -> "Found":
        """Some of them, by number or mask."""
        return Found(self.job[which], self.depth[which], self.x[which], self.y[which], self.weight[which])


def middle(at: Whole, depth: int | Whole) -> Values:
    """The coordinate of the middle of a column or row, in [-1, 1]; exact."""
    return (2 * at + 1) / np.exp2(depth) - 1


def expressed(ask: Ask, n_jobs: int, settings: Division) -> Found:
    """The places that each tree connects.

    Args:
        ask: The pattern of every job.
        n_jobs: How many trees.
        settings: When they divide.
    """
    levels, dense = _grown(ask, n_jobs, settings)
    candidates = _pruned(levels, settings.variance)
    return _banded(ask, candidates, dense, settings)


def _grown(ask: Ask, n_jobs: int, settings: Division) -> tuple[list[Level], Values]:
    """The levels of all trees, and all weights of the levels that every tree has, `(n_jobs, places)`."""
    template = _template(settings.initial_depth)
    x, y = (np.concatenate([middle(level[axis], depth) for depth, level in template]) for axis in (0, 1))
    dense = ask(np.repeat(np.arange(n_jobs), len(x)), np.tile(x, n_jobs), np.tile(y, n_jobs)).reshape(n_jobs, len(x))
    levels, begin = [], 0
    for depth, (column, row) in template:
        job, n = np.repeat(np.arange(n_jobs), len(column)), len(column)
        weight = dense[:, begin : begin + n].reshape(-1)
        divided = np.ones(len(job), bool) if depth < settings.initial_depth else _worth(weight, depth, settings)
        levels.append(Level(depth, job, np.tile(column, n_jobs), np.tile(row, n_jobs), weight, divided))
        begin += n
    while levels[-1].divided.any():
        depth, job, column, row, _, divided = levels[-1]
        job, column, row = _quartered(job[divided], column[divided], row[divided])
        weight = ask(job, middle(column, depth + 1), middle(row, depth + 1))
        levels.append(Level(depth + 1, job, column, row, weight, _worth(weight, depth + 1, settings)))
    return levels, dense


@lru_cache(maxsize=16)
def _template(depth: int) -> list[tuple[int, tuple[Whole, Whole]]]:
    """The columns and rows of every level of a whole tree."""
    found = []
    job = column = row = np.zeros(1, np.int64)
    for at in range(1, depth + 1):
        job, column, row = _quartered(job, column, row)
        found.append((at, (column, row)))
    return found


@lru_cache(maxsize=16)
def _offsets(depth: int) -> list[Whole]:
    """For every level of a whole tree the index of each row and column in all its places."""
    found, begin = [], 0
    for _, (column, row) in _template(depth):
        table = np.empty((side := int(np.sqrt(len(column))), side), np.int64)
        table[row, column] = begin + np.arange(len(column))
        found.append(table)
        begin += len(column)
    return found


def _quartered(job: Whole, column: Whole, row: Whole) -> tuple[Whole, Whole, Whole]:
    columns = (2 * column[:, None] + np.array([0, 1, 0, 1])).reshape(-1)
    rows = (2 * row[:, None] + np.array([0, 0, 1, 1])).reshape(-1)
    return np.repeat(job, 4), columns, rows


def _worth(weight: Values, depth: int, settings: Division) -> Mask:
    """True for all quarters of a square whose weights vary enough to divide them once more."""
    if depth >= settings.max_depth:
        return np.zeros(len(weight), bool)
    return np.repeat(weight.reshape(-1, 4).var(1) > settings.division, 4)


def _pruned(levels: list[Level], threshold: float) -> Found:
    """The squares that are one place: none above them varies as little, and nothing in them varies more."""
    variances = _variances(levels)
    parts = []
    reached = np.ones(len(levels[0].job) // 4, bool)
    for level, variance in zip(levels, variances, strict=True):
        here = np.repeat(reached, 4)
        deeper = level.divided & (variance >= threshold)
        chosen = here & ~deeper
        depth = np.full(int(chosen.sum()), level.depth)
        parts.append(Found(level.job[chosen], depth, level.x[chosen], level.y[chosen], level.weight[chosen]))
        reached = (here & deeper)[level.divided]
    return Found(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _variances(levels: list[Level]) -> list[Values]:
    """For every square of every level the variance of the weights of all smallest squares in it.

    Upwards, two moments at a time (Chan, Golub & LeVeque 1983).
    """
    found: list[Values] = []
    n = mean = squares = np.empty(0)
    for level in reversed(levels):
        inner = n.reshape(-1, 4), mean.reshape(-1, 4), squares.reshape(-1, 4)
        n, mean, squares = np.ones(len(level.job)), level.weight.copy(), np.zeros(len(level.job))
        if len(inner[0]):
            total = inner[0].sum(1)
            average = (inner[0] * inner[1]).sum(1) / total
            n[level.divided], mean[level.divided] = total, average
            squares[level.divided] = (inner[2] + inner[0] * np.square(inner[1] - average[:, None])).sum(1)
        found.append(squares / n)
    return found[::-1]


def _banded(ask: Ask, candidates: Found, dense: Values, settings: Division) -> Found:
    """The candidates whose weight is apart from those on both sides, on either axis."""
    n = len(candidates.job)
    columns = candidates.x[:, None] + np.array([-1, 1, 0, 0])
    rows = candidates.y[:, None] + np.array([0, 0, -1, 1])
    sides = np.left_shift(1, candidates.depth)[:, None]
    inside = (columns >= 0) & (columns < sides) & (rows >= 0) & (rows < sides)
    known = inside & (candidates.depth <= settings.initial_depth)[:, None]
    around = np.empty((n, 4))
    for depth, table in enumerate(_offsets(settings.initial_depth), 1):
        at = np.nonzero(known & (candidates.depth == depth)[:, None])
        around[at] = dense[candidates.job[at[0]], table[rows[at], columns[at]]]
    one, side = np.nonzero(~known)
    order = np.argsort(candidates.job[one], kind="stable")
    one, side = one[order], side[order]
    depths = candidates.depth[one]
    around[one, side] = ask(candidates.job[one], middle(columns[one, side], depths), middle(rows[one, side], depths))
    apart = np.abs(around - candidates.weight[:, None])
    band = np.maximum(apart[:, :2].min(1), apart[:, 2:].min(1))
    return candidates.some(band > settings.band)
