"""The front of a campaign: the individuals that no other is better than in all that matters."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from evonas.campaign.objectives import Objectives, Rank
from evonas.campaign.spec import Spec
from evonas.record import COMPLETE, Individual


class Ranked(NamedTuple):
    """An individual as a front compares it.

    Attributes:
        rank: See `Objectives.rank`.
        values: See `Objectives.values`.
        id: Its number.
    """

    rank: Rank
    values: tuple[float, ...]
    id: int

    @classmethod
    def of(cls, id: int, metrics: Mapping[str, float], objectives: Objectives) -> "Ranked":
        """Compare a complete individual by these objectives."""
        return cls(objectives.rank(id, metrics), objectives.values(metrics), id)

    def supersedes(self, other: "Ranked") -> bool:
        """True if it dominates the other, or is as good in every objective and comes before it in rank."""
        if self.values == other.values:
            return self.rank > other.rank
        return all(a >= b for a, b in zip(self.values, other.values, strict=True))


def joined(front: Sequence[Ranked], one: Ranked) -> list[Ranked]:
    """The front of all that made this front, and one more, the best of rank first.

    Of several with the same values, the one that solves the problem or has the lower loss is on the front, then the one
    with the lower number.
    """
    if any(other.supersedes(one) for other in front):
        return list(front)
    return sorted([one, *(other for other in front if not one.supersedes(other))], reverse=True)


def front_of(individuals: Iterable[Individual], objectives: Objectives) -> list[Individual]:
    """The complete individuals that no other dominates, the best of the first objective first.

    With a single fitness, the best alone; see `joined` for equal values.
    """
    known = {one.id: one for one in individuals if one.state == COMPLETE}
    found: list[Ranked] = []
    for one in known.values():
        found = joined(found, Ranked.of(one.id, one.metrics, objectives))
    return [known[one.id] for one in found]


def best_of(individuals: Iterable[Individual], spec: Spec) -> Individual | None:
    """The individual that a spec ranks highest, None if none is complete."""
    complete = [one for one in individuals if one.state == COMPLETE]
    return max(complete, key=lambda one: spec.rank(one.id, one.metrics), default=None)
