"""One campaign of a study from start to end: the search, then its winner trained from scratch and tested once."""

import json
import os
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evonas.campaign import Campaign, Spec, Store, StoreError
from evonas.evaluation import Check, Inline, Job
from evonas.evaluation.measure import TooLargeError
from evonas.record import COMPLETE, PENDING, Budget, Proposal
from evonas.stream import stream
from evonas.studies.study import RETRAINED, Arm, Study
from evonas.training.config import Training
from genomes.encoding import Genome, uniform
from genomes.reading import read_genome

MAX_DRAWS = 200
"""Architectures drawn, at most, until one is within the limits of `[evaluation]`."""


class StudyError(RuntimeError):
    """A campaign of a study that has no result; the message says which and why."""


@dataclass(frozen=True)
class Retrained:
    """A network trained from scratch by the final protocol, then tested, once.

    Attributes:
        individual: Its number in the campaign; None where it was drawn without a search.
        n_draws: Architectures drawn until one was within the limits; 0 where a search chose it.
        digest: Of its architecture.
        training: All fields of the training, as JSON values.
        accuracy: On the test data, 0 to 1.
        loss: On the test data, nats.
        validation_accuracy: On the validation data, 0 to 1.
        parameters: Trainable values.
        macs: Multiply-accumulates an example.
        seconds: Time it took, wall clock.
    """

    individual: int | None
    n_draws: int
    digest: str
    training: dict[str, Any]
    accuracy: float
    loss: float
    validation_accuracy: float
    parameters: int
    macs: int
    seconds: float


def retrained(directory: Path) -> Retrained | None:
    """The last measurement of a campaign, None if there is none yet."""
    try:
        return Retrained(**json.loads((directory / RETRAINED).read_text("utf-8")))
    except FileNotFoundError:
        return None


def is_done(study: Study, arm: Arm, seed: int) -> bool:
    """True if a campaign has spent this study's budget and its winner was trained and tested as the study wants it.

    Where the record is that of another spec it is not done: running it then says what differs.
    """
    directory = study.directory(arm, seed)
    found = retrained(directory)
    if found is None or found.training != study.final_training(arm).model_dump(mode="json"):
        return False
    if not arm.searches:
        return _drawn_from(directory) == _dumped(study.spec(arm, seed))
    with closing(Store.open(directory)) as store:
        facts, individuals = store.facts(), store.individuals()
    spec = study.spec(arm, seed)
    spec = spec.model_copy(update={"encoding": spec.encoding.for_task(tuple(facts["input_shape"]), facts["n_outputs"])})
    told = all(one.state != PENDING for one in individuals)
    return told and facts["spec"] == _dumped(spec) and facts.get("tested", {}).get("id") == found.individual


def work(study: Study, arm: Arm, seed: int, *, check: Check = lambda: None) -> None:
    """Bring one campaign of a study to its end, from wherever it is.

    Args:
        study: The study.
        arm: Which arm.
        seed: Which seed.
        check: Called before every training step; what it raises ends the work, nothing recorded is lost.

    Raises:
        StudyError: If no candidate succeeded, or the final training failed.
        StoreError: If the directory holds another campaign, or another process runs it.
        SpecError: If encoding, device and task do not fit each other.
        DataError: If the data cannot be used.
        OSError: If the directory cannot be written.
    """
    spec, directory = study.spec(arm, seed), study.directory(arm, seed)
    training = study.final_training(arm)
    if not arm.searches:
        _draw(spec, training, directory, check)
        return
    campaign = Campaign.of(spec).run(directory, check=check)
    best = campaign.best
    if best is None:
        raise StudyError(f"{directory}: expected a candidate that succeeded, got none; `evonas show` tells why")
    found = retrained(directory)
    if found is not None and (found.individual, found.training) == (best.id, training.model_dump(mode="json")):
        return
    encoding = campaign.spec.encoding
    genome = read_genome(encoding, best.genome)
    # A number that nobody in the campaign has: its streams are those of no candidate.
    _measure(_final(campaign.spec, training), genome, len(campaign.individuals), directory, check, best.id, 0)


def _draw(spec: Spec, training: Training, directory: Path, check: Check) -> None:
    """Draw until an architecture is within the limits, and measure it."""
    directory.mkdir(parents=True, exist_ok=True)
    known, dumped = _drawn_from(directory), _dumped(spec)
    if known is not None and known != dumped:
        raise StoreError(f"{directory}: expected the spec it was drawn from, got another; choose another directory")
    _write(directory / "spec.json", dumped)
    final = _final(spec, training)
    for number in range(MAX_DRAWS):
        rng = stream(spec.seed, "sampling", number)
        genome = final.encoding.sample(uniform(rng), rng=rng)
        if _measure(final, genome, number, directory, check, None, number + 1):
            return
    raise StudyError(f"{directory}: expected one of {MAX_DRAWS} architectures within the limits, got none; raise them")


@dataclass(frozen=True)
class _Final:
    """All that the last measurement needs."""

    encoding: Any
    training: Training
    evaluator: Inline


def _final(spec: Spec, training: Training) -> _Final:
    task = spec.task.load()
    encoding = spec.encoding.for_task(task.input_shape, task.n_outputs)
    return _Final(encoding, training, Inline(encoding, task, training, spec.evaluation, seed=spec.seed))


def _measure(
    final: _Final, genome: Genome, number: int, directory: Path, check: Check, individual: int | None, n_draws: int
) -> bool:
    """Train one genome from scratch, test it and record that; False if one that was drawn is beyond the limits."""
    began = time.perf_counter()
    proposal = Proposal(number, genome, (), "retrain", (), Budget(final.training.epochs))
    ((done,),) = final.evaluator.evaluate([Job(proposal)], check)
    if done.state != COMPLETE or done.weights is None:
        if individual is None and done.error.startswith(TooLargeError.__name__):
            return False
        raise StudyError(f"{directory}: expected a final training that succeeds, got a failure: {done.error}")
    scores = final.evaluator.test(genome, done.weights)
    found = Retrained(
        individual,
        n_draws,
        final.encoding.develop(genome).digest,
        final.training.model_dump(mode="json"),
        scores["accuracy"],
        scores["loss"],
        done.metrics["accuracy"],
        int(done.metrics["parameters"]),
        int(done.metrics["macs"]),
        time.perf_counter() - began,
    )
    _write(directory / RETRAINED, asdict(found))
    return True


def _drawn_from(directory: Path) -> Any:
    try:
        return json.loads((directory / "spec.json").read_text("utf-8"))
    except FileNotFoundError:
        return None


def _dumped(spec: Spec) -> Any:
    return json.loads(json.dumps(spec.model_dump(mode="json", exclude_none=True)))


def _write(path: Path, value: Any) -> None:
    """A JSON file that appears whole or not at all, and survives a power cut."""
    temporary = path.with_suffix(".new")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(value, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
