"""What tests of searches and campaigns share: small data, a small spec, evaluations without training."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from evonas.campaign import Objectives
from evonas.evaluation.evaluator import Check, Job
from evonas.record import COMPLETE, FAILED, Budget, Evaluation, Individual, Proposal
from evonas.search import Context
from genomes import Dag

SPEC = """\
name = "small"
seed = 3
[task]
path = "{data}"
[encoding]
widths = [4, 8]
max_sampled = 3
max_nodes = 5
[search]
name = "{search}"
lag = 3
{population}
{search_fields}
[training]
epochs = 2
inherited_epochs = 1
batch_size = 32
[budget]
evaluations = {evaluations}
"""
POPULATION = {"evolution": "population = 4", "ageing": "population = 4", "speciated": "population = 6"}
"""For the searches that have one."""

CLOCKS = ("seconds", "elapsed")


def written_data(path: Path, n: int = 90) -> Path:
    """An `.npz` file of `n` images `(4, 4)` of three classes."""
    X, y = arrays(n)
    np.savez(path, X=X, y=y)
    return path


def arrays(n: int = 90) -> tuple[np.ndarray, np.ndarray]:
    """Images `(n, 4, 4)` of three patterns under noise, and their classes `(n,)`."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    patterns = rng.standard_normal((3, 4, 4))
    return (patterns[y] + rng.standard_normal((n, 4, 4))).astype(np.float32), y


def written_spec(
    directory: Path, *, search: str = "evolution", evaluations: int = 8, search_fields: str = "", more: str = ""
) -> Path:
    """A spec file beside its data; a few evaluations of some milliseconds each."""
    written_data(directory / "data.npz")
    path = directory / "spec.toml"
    known = {"data": "data.npz", "search": search, "search_fields": search_fields, "evaluations": evaluations}
    path.write_text(SPEC.format(**known, population=POPULATION.get(search, "")) + more, "utf-8")
    return path


def record(individuals: Iterable[Individual]) -> list[dict[str, Any]]:
    """Individuals without what a clock said."""
    return [{name: value for name, value in asdict(one).items() if name not in CLOCKS} for one in individuals]


ONE = Objectives()
TWO = Objectives(maximize=("accuracy",), minimize=("parameters",))
"""Several objectives, as a search meets them."""


def context(*, seed: int = 0, inherit: bool = True, objectives: Objectives = ONE) -> Context:
    """A campaign's context over small genomes."""
    encoding = Dag(widths=(4, 8), max_sampled=3, max_nodes=8).for_task((1, 8, 8), 10)
    return Context(
        encoding,
        seed,
        lambda evaluation: objectives.values(evaluation.metrics),
        lambda inherits: Budget(2),
        inherit,
        objectives.names,
    )


def listed(n: int) -> tuple[str, ...]:
    """The JSON texts of `n` genomes of `context`."""
    given = context()
    return tuple(json.dumps(given.encoding.to_json(given.sampled(number).genome)) for number in range(n))


def nobody(id: int) -> bool:
    """The candidates that fail: none."""
    return False


def pretended(proposal: Proposal, fails: Callable[[int], bool] = nobody) -> Evaluation:
    """What training might have given: it depends on the genome and the parents alone."""
    if fails(proposal.id):
        return Evaluation(proposal.id, FAILED, error="it was told to fail")
    text = f"{proposal.genome.digest} {proposal.parents}"
    accuracy = int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 2**32
    n_parameters = 100.0 + int(proposal.genome.digest[:3], 16)
    metrics = {"accuracy": accuracy, "loss": 1 - accuracy, "parameters": n_parameters, "macs": 1000.0}
    weights = f"the weights of {proposal.id}".encode()
    return Evaluation(proposal.id, COMPLETE, metrics, epochs=proposal.budget.epochs, weights=weights)


class Pretending:
    """An evaluator of several workers: it takes `n_workers` jobs and yields the last first."""

    def __init__(self, n_workers: int = 1, fails: Callable[[int], bool] = nobody) -> None:
        self.n_workers, self.fails = n_workers, fails
        self.jobs: list[Job] = []

    def evaluate(self, jobs: Iterable[Job], check: Check) -> Iterator[list[Evaluation]]:
        stream = iter(jobs)
        while batch := list(islice(stream, self.n_workers)):
            self.jobs += batch
            for job in reversed(batch):
                check()
                yield [pretended(job.proposal, self.fails)]
