"""Who came of whom, and what each step gained."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from evonas.record import Individual


def with_parents(one: Individual, known: Mapping[int, Individual], score: str) -> dict[str, Any]:
    """An individual's record; beside its `SCORE_at_birth` stands `parent_SCORE`, what its first donor reached.

    That of a donor from another campaign is not told: it was measured on other data.

    Args:
        one: The individual.
        known: All of its campaign, by number.
        score: The metric that ranks candidates, such as `accuracy`.
    """
    row = {field.name: getattr(one, field.name) for field in fields(one)}
    if one.donors and one.donors[0] in known:
        row[f"parent_{score}"] = known[one.donors[0]].metrics.get(score)
    return row


def fitter_line(individuals: Iterable[Individual], id: int) -> list[Individual]:
    """An individual's fitter parents, the root first and itself last; what is not among these ends the line.

    Raises:
        KeyError: If there is no such individual.
    """
    known = {one.id: one for one in individuals}
    line = [known[id]]
    while (parents := line[-1].parents) and parents[0] in known and parents[0] < line[-1].id:
        line.append(known[parents[0]])
    return line[::-1]


def tensor_lines(individuals: Iterable[Individual], id: int) -> dict[str, tuple[int, ...]]:
    """For every tensor of an individual the individuals that trained it, from the one in which it began.

    `Individual.origins` says of each tensor who left most of it; its own number where nobody did. Followed back, this
    is the tensor's own line of descent, which at a crossover may leave that of the fitter parents.

    Args:
        individuals: Those of a campaign.
        id: Whose tensors.

    Returns:
        By the tensor's name, in the order of the record: numbers, the oldest first and `id` last. The first may be
        `evonas.record.SOURCE`, a network from elsewhere.

    Raises:
        KeyError: If there is no such individual.
    """
    known = {one.id: one for one in individuals}
    found = {}
    for name in known[id].origins:
        line = [id]
        while line[-1] in known and (origin := known[line[-1]].origins.get(name, line[-1])) < line[-1]:
            line.append(origin)
        found[name] = tuple(line[::-1])
    return found
