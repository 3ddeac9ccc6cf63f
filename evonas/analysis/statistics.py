"""What repeated runs tell: intervals, effect sizes, tests, rank agreement, and progress on a common grid."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats


class Interval(NamedTuple):
    """A mean and its confidence interval, in the unit of the values.

    Attributes:
        mean: The arithmetic mean.
        low: Lower end; NaN where one value alone says nothing of the spread.
        high: Upper end; NaN in the same case.
        n: Number of values.
    """

    mean: float
    low: float
    high: float
    n: int


def mean_interval(values: Iterable[float], level: float = 0.95) -> Interval:
    """The mean with Student's t interval (Student 1908, https://doi.org/10.1093/biomet/6.1.1).

    Args:
        values: Independent repetitions, `(n,)`.
        level: The interval's confidence, between 0 and 1.

    Returns:
        All NaN where there are no values; equal values give an interval of no width.

    Raises:
        ValueError: If the level is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"level: expected a confidence between 0 and 1, got {level}; 0.95 is usual")
    data = np.asarray(list(values), dtype=float)
    n = len(data)
    if n == 0:
        return Interval(math.nan, math.nan, math.nan, 0)
    mean = float(data.mean())
    if n == 1:
        return Interval(mean, math.nan, math.nan, 1)
    half = float(stats.t.ppf((1 + level) / 2, n - 1)) * float(data.std(ddof=1)) / math.sqrt(n)
    return Interval(mean, mean - half, mean + half, n)


def a12(a: Iterable[float], b: Iterable[float]) -> float:
    """How often a value of `a` exceeds one of `b`, ties counted half.

    The measure of stochastic superiority of Vargha & Delaney 2000 (https://doi.org/10.3102/10769986025002101): 0.5
    where neither is larger; they call 0.56, 0.64 and 0.71 a small, medium and large effect.

    Args:
        a: `(n,)`.
        b: `(m,)`.

    Returns:
        0 to 1; NaN where either is empty.
    """
    left, right = np.asarray(list(a), dtype=float), np.asarray(list(b), dtype=float)
    if not (len(left) and len(right)):
        return math.nan
    differences = left[:, None] - right[None, :]
    return float(((differences > 0) + 0.5 * (differences == 0)).mean())


def mann_whitney(a: Iterable[float], b: Iterable[float]) -> float:
    """The two-sided p value of Mann & Whitney 1947 (https://doi.org/10.1214/aoms/1177730491), as SciPy computes it.

    Args:
        a: Independent values, `(n,)`.
        b: Independent values, `(m,)`.

    Returns:
        0 to 1: exact for small samples without ties, else by the normal approximation corrected for ties. 1 where all
        values are equal, NaN where either is empty.
    """
    left, right = np.asarray(list(a), dtype=float), np.asarray(list(b), dtype=float)
    if not (len(left) and len(right)):
        return math.nan
    return float(stats.mannwhitneyu(left, right, alternative="two-sided", method="auto").pvalue)


def kendall(a: Sequence[float], b: Sequence[float]) -> float:
    """Rank agreement τ-b, corrected for ties (Kendall 1945, https://doi.org/10.1093/biomet/33.3.239).

    Args:
        a: `(n,)`.
        b: `(n,)`, paired with `a`.

    Returns:
        -1 to 1; NaN where there are fewer than two pairs or either ranks nothing, all of it being equal.

    Raises:
        ValueError: If the lengths differ.
    """
    if len(a) != len(b):
        raise ValueError(f"a, b: expected as many values in each, got {len(a)} and {len(b)}; pair them")
    if len(a) < 2:
        return math.nan
    return float(stats.kendalltau(a, b, variant="b").statistic)


class Curve(NamedTuple):
    """What one run reached, in the order in which it spent.

    Attributes:
        spent: What had been spent when each value was known, `(n,)`, not falling; epochs, for one.
        value: What is shown, `(n,)`; NaN where an evaluation failed.
        fitness: What selects, higher is better, `(n,)`, NaN where it failed; None: the value itself.
    """

    spent: Sequence[float]
    value: Sequence[float]
    fitness: Sequence[float] | None = None


def anytime(curves: Iterable[Curve], grid: Sequence[float]) -> np.ndarray:
    """The value of the best so far of every run, on a common grid: what each would answer if it was stopped there.

    Args:
        curves: One a run. Where what is shown is not what selects, the shown value of the best may fall.
        grid: Amounts spent, `(m,)`, in the unit of `Curve.spent`.

    Returns:
        `(n_curves, m)`; NaN before a run's first success. Beyond a run's end its last answer stands.

    Raises:
        ValueError: If the columns of a curve are of different lengths.
    """
    rows = []
    for curve in curves:
        spent, value = np.asarray(curve.spent, dtype=float), np.asarray(curve.value, dtype=float)
        fitness = value if curve.fitness is None else np.asarray(curve.fitness, dtype=float)
        if not len(spent) == len(value) == len(fitness):
            got = f"{len(spent)}, {len(value)} and {len(fitness)}"
            raise ValueError(f"curve: expected columns of one length, got {got}; give a fitness for every value")
        best, shown, top = [math.nan], math.nan, -math.inf
        for one, rank in zip(value, fitness, strict=True):
            if rank > top:
                shown, top = float(one), float(rank)
            best.append(shown)
        rows.append(np.asarray(best)[np.searchsorted(spent, np.asarray(grid, dtype=float), side="right")])
    return np.array(rows).reshape(len(rows), len(grid))
