"""How different the genomes are that a search looks at."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from evonas.analysis.spending import Axis, spent
from evonas.record import COMPLETE, Individual
from evonas.stream import stream

POINTS, PAIRS = 40, 24
"""Places at which diversity is measured at most, and pairs drawn at each."""
LEAST, MOST = 10, 100
"""Bounds on how many individuals count as the latest; between them it is a tenth of all."""


@dataclass(frozen=True)
class Diversity:
    """Distances between pairs of the latest individuals.

    Attributes:
        at: What had been spent at each place, `(m,)`.
        distances: The mean and both quartiles at each place, `(3, m)`.
        n_latest: How many individuals are the latest.
    """

    at: np.ndarray
    distances: np.ndarray
    n_latest: int


def diversity(
    individuals: Iterable[Individual],
    genome: Callable[[Individual], Any],
    distance: Callable[[Any, Any], float],
    *,
    axis: Axis = "evaluations",
    seed: int = 0,
) -> Diversity:
    """The distance between two of the latest individuals, as a campaign went on.

    The pairs are drawn from the stream (seed, "diversity", place): the same record gives the same picture.

    Args:
        individuals: Those of a campaign, in any order; what is pending or failed is left out.
        genome: Reads an individual's genome; called for those that are drawn.
        distance: The encoding's distance.
        axis: What is counted as spent.
        seed: The campaign's seed.

    Returns:
        Empty where fewer than two succeeded.
    """
    told, amounts = spent(individuals, axis)
    kept = [(one, float(amount)) for one, amount in zip(told, amounts, strict=True) if one.state == COMPLETE]
    n_latest = min(max(LEAST, len(kept) // 10), MOST)
    if len(kept) < 2:
        return Diversity(np.zeros(0), np.zeros((3, 0)), n_latest)
    known: dict[int, Any] = {}

    def read(one: Individual) -> Any:
        if one.id not in known:
            known[one.id] = genome(one)
        return known[one.id]

    ends = np.unique(np.linspace(min(n_latest, len(kept)), len(kept), POINTS).astype(int))
    rows = []
    for end in ends:
        latest = [one for one, _ in kept[max(0, end - n_latest) : end]]
        pairs = _pairs(len(latest), stream(seed, "diversity", int(end)))
        found = [distance(read(latest[a]), read(latest[b])) for a, b in pairs]
        rows.append((np.mean(found), *np.percentile(found, (25, 75))))
    return Diversity(np.array([kept[end - 1][1] for end in ends]), np.array(rows, dtype=float).T, n_latest)


def _pairs(n: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """All pairs of `n`, or as many as are drawn at most."""
    first, second = np.triu_indices(n, 1)
    at = np.arange(len(first)) if len(first) <= PAIRS else rng.choice(len(first), PAIRS, replace=False)
    return list(zip(first[at].tolist(), second[at].tolist(), strict=True))
