"""A genome as JSON, and all individuals as tables: one row each, or a phylogeny in the ALife data standard."""

import csv as csvs
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from evonas.campaign import Campaign
from evonas.record import Individual

STANDARD = ("id", "ancestor_list", "origin_time")
TRAITS = ("generation", "elapsed", "operator", "state", "fitness", "trait")


def genome(campaign: Campaign, one: Individual) -> bytes:
    """An individual's genome as the JSON that `[search] name = "listed"` takes."""
    campaign.genome(one)
    return f"{json.dumps(json.loads(one.genome), indent=2)}\n".encode()


def csv(campaign: Campaign) -> bytes:
    """Every individual, one row each: `Individuals.rows`; parents and donors are numbers with blanks in between."""
    rows = campaign.individuals.rows()
    return _written(list(rows[0]) if rows else ["id"], (list(map(_cell, row.values())) for row in rows))


def phylogeny(campaign: Campaign) -> bytes:
    """Who came of whom, in the ALife data standard (https://alife-data-standards.github.io/alife-data-standards).

    `origin_time` counts proposals, as the number of an individual does; when an individual leaves the population is
    not recorded. `trait` is the digest of its architecture: isomorphic ones share it.
    """
    rows = [
        [one.id, f"[{','.join(map(str, one.parents)) or 'none'}]", one.id]
        + [one.generation, one.elapsed, one.operator, one.state, _cell(one.fitness), one.digest]
        for one in campaign.individuals
    ]
    return _written([*STANDARD, *TRAITS], rows)


def _cell(value: Any) -> Any:
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return "" if value is None else value


def _written(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    writer = csvs.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()
