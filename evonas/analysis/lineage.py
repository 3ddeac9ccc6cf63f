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


def with_parents(one: Individual, known: Mapping[int, Individual]) -> dict[str, Any]:
    """An individual's record; beside its `accuracy_at_birth` stands `parent_accuracy`, what its first donor reached.

    The accuracy of a donor from another campaign is not told: it was measured on other data.
    """
    row = asdict(one)
    if one.donors and one.donors[0] in known:
        row["parent_accuracy"] = known[one.donors[0]].metrics.get("accuracy")
    return row
