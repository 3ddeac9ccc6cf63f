"""A campaign in a few figures."""

from typing import Any

from evonas.campaign import Campaign
from evonas.campaign.store import is_locked
from evonas.record import FAILED, PENDING


def front_rows(campaign: Campaign) -> list[dict[str, Any]]:
    """The front, the best of the first objective first: `id`, the metrics that are objectives, and `accuracy`."""
    names = dict.fromkeys((*campaign.spec.objectives.names, "accuracy"))
    return [{"id": one.id, **{name: one.metrics[name] for name in names}} for one in campaign.front]


def best_fields(campaign: Campaign) -> dict[str, Any] | None:
    """The best individual, with its test accuracy if it was the best at the end of a run; None if none succeeded.

    With several objectives, `front` holds the rows of `front_rows`.
    """
    one = campaign.best
    if one is None:
        return None
    tested = campaign.facts.get("tested", {})
    fields = {
        "id": one.id,
        "fitness": one.fitness,
        "validation_accuracy": one.metrics["accuracy"],
        "test_accuracy": tested.get("accuracy") if tested.get("id") == one.id else None,
        "parameters": int(one.metrics["parameters"]),
        "macs": int(one.metrics["macs"]),
        "operator": one.operator,
        "parents": list(one.parents),
        "generation": one.generation,
        "digest": one.digest,
        "genome_digest": one.genome_digest,
    }
    return {**fields, "front": front_rows(campaign)} if campaign.spec.objectives.several else fields


def status(campaign: Campaign) -> dict[str, Any]:
    """How far a campaign is and what it found; with several objectives, `front` holds the rows of `front_rows`."""
    individuals = campaign.individuals
    told = [one for one in individuals if one.state != PENDING]
    finished = "tested" in campaign.facts and len(told) == len(individuals)
    best = campaign.best
    fields = {
        "name": campaign.spec.name,
        "state": "running" if is_locked(campaign.directory) else "finished" if finished else "stopped",
        "evaluations": len(told),
        "failed": sum(one.state == FAILED for one in told),
        "epochs": sum(one.epochs for one in told),
        "budget": ", ".join(f"{value} {name}" for name, value in campaign.spec.budget if value is not None),
        "best": None if best is None else best.id,
        "best_fitness": None if best is None else best.fitness,
        "seconds": max((one.elapsed for one in told), default=0.0),
        "timed": campaign.spec.timed,
    }
    return {**fields, "front": front_rows(campaign)} if campaign.spec.objectives.several else fields


COLUMNS = ("search", "evaluations", "epochs", "best", "validation", "test", "parameters", "MACs")


def comparison(campaign: Campaign) -> list[list[Any]]:
    """Rows of `COLUMNS`: the campaign and, where there is one, its control."""
    rows = [_compared(campaign.spec.search.name, campaign)]
    if (control := campaign.control) is not None:
        rows.append(_compared("random search", control))
    return rows


def _compared(name: str, campaign: Campaign) -> list[Any]:
    told = [one for one in campaign.individuals if one.state != PENDING]
    row = best_fields(campaign) or {}
    metrics = ("id", "validation_accuracy", "test_accuracy", "parameters", "macs")
    return [name, len(told), sum(one.epochs for one in told), *(row.get(key) for key in metrics)]
