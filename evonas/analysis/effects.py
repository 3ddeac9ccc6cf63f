"""What each operator does to fitness: its children beside their fitter parents."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from evonas.record import COMPLETE, PENDING, Individual

CROSSED = "crossover + mutation"
"""The word for all children that were crossed and then mutated: of neither alone can it be said what it did."""


@dataclass(frozen=True)
class Effect:
    """What came of one operator.

    Attributes:
        operator: Its name.
        children: Numbers of its children that have a gain, `(n,)`.
        gains: Their fitness less that of their fitter parent, `(n,)`.
        n_failed: Children whose evaluation failed.
    """

    operator: str
    children: tuple[int, ...]
    gains: tuple[float, ...]
    n_failed: int

    @property
    def n(self) -> int:
        """Children told, failures included."""
        return len(self.gains) + self.n_failed

    @property
    def median(self) -> float:
        """The median gain; NaN where all failed."""
        return median(self.gains) if self.gains else math.nan

    @property
    def improved(self) -> float:
        """The part of all children told, 0 to 1, that are fitter than their fitter parent."""
        return sum(gain > 0 for gain in self.gains) / self.n if self.n else math.nan


def effects(individuals: Iterable[Individual]) -> list[Effect]:
    """The effect of every operator that made children, the highest median first, then those that only failed.

    Args:
        individuals: Those of a campaign, in any order. What has no parent, or is pending, is left out; so are children
            of parents without a fitness.
    """
    known = {one.id: one for one in sorted(individuals, key=lambda one: one.id)}
    gains: dict[str, list[tuple[int, float]]] = {}
    failed: dict[str, int] = {}
    for one in known.values():
        if one.state == PENDING or not one.parents:
            continue
        name = CROSSED if one.operator.startswith("crossover+") else one.operator
        gains.setdefault(name, [])
        failed.setdefault(name, 0)
        parent = known.get(one.parents[0])
        if one.state != COMPLETE:
            failed[name] += 1
        elif (gain := _difference(one, parent)) is not None:
            gains[name].append((one.id, gain))
    found = [
        Effect(name, tuple(id for id, _ in pairs), tuple(gain for _, gain in pairs), failed[name])
        for name, pairs in gains.items()
    ]
    return sorted((one for one in found if one.n), key=_order)


def _difference(one: Individual, parent: Individual | None) -> float | None:
    if parent is None or one.fitness is None or parent.fitness is None:
        return None
    gain = one.fitness - parent.fitness
    return gain if math.isfinite(gain) else None


def _order(effect: Effect) -> tuple[float, str]:
    return -effect.median if effect.gains else math.inf, effect.operator
