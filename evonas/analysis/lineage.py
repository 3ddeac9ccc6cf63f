"""Who came of whom, and what each step gained."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from evonas.record import Individual


def ancestors(individuals: Iterable[Individual], id: int) -> list[Individual]:
    """An individual and all of these that it descends from, the oldest first.

    Raises:
        KeyError: If there is no such individual.
    """
    known = {one.id: one for one in individuals}
    found: set[int] = set()
    frontier = [known[id].id]
    while frontier:
        at = frontier.pop()
        if at not in found:
            found.add(at)
            frontier += [parent for parent in known[at].parents if parent in known]
    return [known[one] for one in sorted(found)]


def with_parents(one: Individual, known: Mapping[int, Individual], score: str) -> dict[str, Any]:
    """An individual's record; beside its `SCORE_at_birth` stands `parent_SCORE`, what its first donor reached.

    That of a donor from another campaign is not told: it was measured on other data.

    Args:
        one: The individual.
        known: All of its campaign, by number.
        score: The metric that ranks candidates, such as `accuracy`.
    """
    row = asdict(one)
    if one.donors and one.donors[0] in known:
        row[f"parent_{score}"] = known[one.donors[0]].metrics.get(score)
    return row
