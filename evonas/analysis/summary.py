"""A campaign in a few figures."""

from statistics import mean, stdev
from typing import Any

from evonas.campaign import Campaign, Spec
from evonas.campaign.store import is_locked
from evonas.record import FAILED, PENDING, Individual


def best_fields(campaign: Campaign) -> dict[str, Any] | None:
    """The best individual, with its test accuracy if it was the best at the end of a run; None if none succeeded."""
    one = campaign.best
    if one is None:
        return None
    tested = campaign.facts.get("tested", {})
    return {
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


def status(campaign: Campaign) -> dict[str, Any]:
    """How far a campaign is and what it found."""
    individuals = campaign.individuals
    told = [one for one in individuals if one.state != PENDING]
    finished = "tested" in campaign.facts and len(told) == len(individuals)
    best = campaign.best
    return {
        "name": campaign.spec.name,
        "state": "running" if is_locked(campaign.directory) else "finished" if finished else "stopped",
        "evaluations": len(told),
        "failed": sum(one.state == FAILED for one in told),
        "epochs": sum(one.epochs for one in told),
        "budget": budget(campaign.spec),
        "best": None if best is None else best.id,
        "best_fitness": None if best is None else best.fitness,
        "seconds": max((one.elapsed for one in told), default=0.0),
        "timed": campaign.spec.timed,
    }


def budget(spec: Spec) -> str:
    """The budget in force, in words."""
    return ", ".join(f"{value} {name}" for name, value in spec.granted if value is not None)


def final(campaign: Campaign) -> dict[str, Any]:
    """The final numbers of a list.

    Returns:
        `individuals`: a mapping each, `test_accuracy` None until all are trained; `genomes`: a mapping for every genome
        listed, with `n` repeats tested, the mean of their test accuracy and its sample standard deviation, each None
        where there are too few.
    """
    assert campaign.spec.listed is not None
    n, individuals, tests = len(campaign.spec.listed.genomes), campaign.individuals, campaign.facts.get("tests", {})
    rows = [_final(one, one.id % n, tests.get(str(one.id), {})) for one in individuals]
    genomes = []
    for number in range(n):
        tested = [row["test_accuracy"] for row in rows[number::n] if row["test_accuracy"] is not None]
        genomes.append(
            {
                "genome": number,
                "genome_digest": individuals[number].genome_digest if number < len(individuals) else None,
                "n": len(tested),
                "test_accuracy": mean(tested) if tested else None,
                "deviation": stdev(tested) if len(tested) > 1 else None,
            }
        )
    return {"individuals": rows, "genomes": genomes}


def _final(one: Individual, genome: int, scores: dict[str, float]) -> dict[str, Any]:
    return {
        "id": one.id,
        "genome": genome,
        "state": one.state,
        "validation_accuracy": one.metrics.get("accuracy"),
        "test_accuracy": scores.get("accuracy"),
        "test_loss": scores.get("loss"),
        "parameters": one.metrics.get("parameters"),
        "macs": one.metrics.get("macs"),
        "fraction_inherited": one.fraction_inherited,
        "epochs": one.epochs,
        "seconds": one.seconds,
        "error": one.error,
    }


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
