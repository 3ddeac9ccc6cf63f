"""A campaign in a few figures."""

import json
from statistics import mean, stdev
from typing import Any

from evonas.campaign import Campaign, Spec
from evonas.campaign.store import is_locked
from evonas.record import FAILED, PENDING, Individual
from genomes.encoding import Encoding

BESIDES = ("front", "likeliest_genome_digest", "likeliest_individuals", "likeliest_genome")
"""Fields of some campaigns only: of several objectives, of a controller."""


def front_rows(campaign: Campaign) -> list[dict[str, Any]]:
    """The front, the best of the first objective first: `id`, the metrics that are objectives, and the score."""
    names = dict.fromkeys((*campaign.spec.objectives.names, campaign.spec.kind.score))
    return [{"id": one.id, **{name: one.metrics[name] for name in names}} for one in campaign.front]


def best_fields(campaign: Campaign) -> dict[str, Any] | None:
    """The best individual, with its score on the test data if it ended a run as the best; None if there is none.

    With several objectives, `front` holds the rows of `front_rows`.
    """
    one = campaign.best
    if one is None:
        return None
    tested, score = campaign.facts.get("tested", {}), campaign.spec.kind.score
    known = {"fitness": one.fitness, f"validation_{score}": one.metrics[score], "solved": _solved(one)}
    fields = {
        "id": one.id,
        **{name: known[name] for name in scores(campaign.spec)},
        f"test_{score}": tested.get(score) if tested.get("id") == one.id else None,
        "parameters": int(one.metrics["parameters"]),
        "macs": int(one.metrics["macs"]),
        "operator": one.operator,
        "parents": list(one.parents),
        "generation": one.generation,
        "digest": one.digest,
        "genome_digest": one.genome_digest,
    }
    return {**fields, "front": front_rows(campaign)} if campaign.spec.objectives.several else fields


def scores(spec: Spec) -> tuple[str, ...]:
    """What is told of the best beside its score on the test data: of a problem, whether it is solved."""
    return ("fitness", "solved") if "solved" in spec.kind.metrics else ("fitness", f"validation_{spec.kind.score}")


def _solved(one: Individual) -> bool | None:
    return bool(one.metrics["solved"]) if "solved" in one.metrics else None


def likeliest_fields(campaign: Campaign) -> dict[str, Any]:
    """The genome that a controller's policy finds likeliest, and the individuals who have it; empty for other searches.

    The policy is learned again from the record: so many updates as the campaign had.
    """
    genome = campaign.likeliest
    if genome is None:
        return {}
    same = [one.id for one in campaign.individuals if one.genome_digest == genome.digest]
    encoding: Encoding[Any] = campaign.spec.encoding
    written = json.dumps(encoding.to_json(genome))
    return {"likeliest_genome_digest": genome.digest, "likeliest_individuals": same, "likeliest_genome": written}


def status(campaign: Campaign) -> dict[str, Any]:
    """How far a campaign is and what it found; with several objectives, `front` holds the rows of `front_rows`."""
    individuals = campaign.individuals
    told = [one for one in individuals if one.state != PENDING]
    # Nobody tests what is evaluated by hand.
    n = campaign.spec.granted.evaluations
    ended = n is not None and len(told) >= n if campaign.spec.task.name == "own" else "tested" in campaign.facts
    finished = ended and len(told) == len(individuals)
    best = campaign.best
    fields = {
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
    return {**fields, "front": front_rows(campaign)} if campaign.spec.objectives.several else fields


def budget(spec: Spec) -> str:
    """The budget in force, in words."""
    limits = {name: value for name, value in spec.granted if value is not None}
    goal = limits.pop("until", None)
    words = [f"{value:,g} {name}" if name == "seconds" else f"{value:,} {name}" for name, value in limits.items()]
    return ", ".join(words if goal is None else [*words, f"until {goal}"])


def final(campaign: Campaign) -> dict[str, Any]:
    """The final numbers of a list.

    Returns:
        `individuals`: a mapping each, `test_SCORE` None until all are trained; `genomes`: a mapping for every genome
        listed, with `n` repeats tested, the mean of their score, such as `test_accuracy`, and its sample standard
        deviation, each None where there are too few.
    """
    assert campaign.spec.listed is not None
    score = campaign.spec.kind.score
    n, individuals, tests = len(campaign.spec.listed.genomes), campaign.individuals, campaign.facts.get("tests", {})
    rows = [_final(one, one.id % n, tests.get(str(one.id), {}), score) for one in individuals]
    genomes = []
    for number in range(n):
        tested = [value for row in rows[number::n] if (value := row[f"test_{score}"]) is not None]
        genomes.append(
            {
                "genome": number,
                "genome_digest": individuals[number].genome_digest if number < len(individuals) else None,
                "n": len(tested),
                f"test_{score}": mean(tested) if tested else None,
                "deviation": stdev(tested) if len(tested) > 1 else None,
            }
        )
    return {"individuals": rows, "genomes": genomes}


def _final(one: Individual, genome: int, scores: dict[str, float], score: str) -> dict[str, Any]:
    return {
        "id": one.id,
        "genome": genome,
        "state": one.state,
        f"validation_{score}": one.metrics.get(score),
        f"test_{score}": scores.get(score),
        "test_loss": scores.get("loss"),
        "parameters": one.metrics.get("parameters"),
        "macs": one.metrics.get("macs"),
        "fraction_inherited": one.fraction_inherited,
        "epochs": one.epochs,
        "seconds": one.seconds,
        "error": one.error,
    }


def columns(campaign: Campaign) -> tuple[str, ...]:
    """What the rows of `comparison` tell."""
    told = [name.replace("_", " ") for name in _scored(campaign)]
    return ("search", "evaluations", "epochs", "best", *told, "parameters", "MACs")


def comparison(campaign: Campaign) -> list[list[Any]]:
    """Rows of `columns`: the campaign and, where there is one, its control."""
    rows = [_compared(campaign.spec.search.name, campaign)]
    if (control := campaign.control) is not None:
        rows.append(_compared("random search", control))
    return rows


def _compared(name: str, campaign: Campaign) -> list[Any]:
    told = [one for one in campaign.individuals if one.state != PENDING]
    row = best_fields(campaign) or {}
    metrics = ("id", *_scored(campaign), "parameters", "macs")
    return [name, len(told), sum(one.epochs for one in told), *(row.get(key) for key in metrics)]


def _scored(campaign: Campaign) -> tuple[str, ...]:
    """Scores in a row of `comparison`; fitness is told where it is the score."""
    names, score = scores(campaign.spec), campaign.spec.kind.score
    return (*(names if score == "fitness" else names[1:]), f"test_{score}")
