"""Evaluation in the campaign's own process."""

import dataclasses
import math
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

import evonas.evaluation.inline as inline
from evonas.evaluation import EvaluationConfig, Inline, Job, Legacy
from evonas.network import Network, inherit
from evonas.record import COMPLETE, FAILED, SOURCE, Budget, Evaluation, Proposal
from evonas.tasks import Digits, Split, Task
from evonas.training import Training
from genomes import Architecture, Dag, DagGenome
from genomes.dag import operators
from genomes.dag.genome import Gene
from tests.genomes.dags import conv, genome

ENCODING = Dag(widths=(4, 8, 12), max_sampled=4).for_task((1, 8, 8), 10)
BLOCK: dict[str, Any] = {"activation": "relu", "normalisation": "batch"}
SMALL = genome(conv("a", 8, **BLOCK), conv("b", 8, stride=2, **BLOCK), edges="input-a a-b b-output")
TINY = genome(conv("a", 4), edges="input-a a-output")


@pytest.fixture(scope="session")
def task() -> Task:
    return Digits().load()


class Broken(Exception):  # noqa: N818
    """What an encoding of somebody else's may raise."""


class Stubborn:
    """An encoding that cannot develop some genome."""

    abilities: frozenset[str] = frozenset()

    def __init__(self, refused: DagGenome) -> None:
        self.refused = refused

    def develop(self, developed: DagGenome) -> Architecture:
        if developed == self.refused:
            raise Broken("a gene\nthat cannot be read")
        return ENCODING.develop(developed)


def evaluator(
    task: Task, *, encoding: Any = ENCODING, training: Mapping[str, Any] | None = None, **limits: Any
) -> Inline:
    config = EvaluationConfig(**{"device": "cpu", **limits})
    return Inline(encoding, task, Training(**(training or {})), config, seed=0)


def job(of: DagGenome, number: int = 0, *, epochs: int = 1, legacies: tuple[Legacy, ...] = ()) -> Job:
    donors = tuple(legacy.individual for legacy in legacies)
    return Job(Proposal(number, of, donors, "sample", donors, Budget(epochs)), legacies)


def evaluated(by: Inline, *jobs: Job) -> list[Evaluation]:
    return [one for done in by.evaluate(jobs, lambda: None) for one in done]


def timeless(evaluation: Evaluation) -> Evaluation:
    return dataclasses.replace(evaluation, seconds=0.0, training_seconds=0.0)


# What is complete


def test_a_complete_evaluation_tells_all(task: Task) -> None:
    (found,) = evaluated(evaluator(task), job(SMALL, 5, epochs=2))
    assert (found.id, found.state, found.error, found.epochs) == (5, COMPLETE, "", 2)
    assert set(found.metrics) == {"accuracy", "loss", "parameters", "macs", "peak_memory"}
    assert all(math.isfinite(value) for value in found.metrics.values())
    architecture = ENCODING.develop(SMALL)
    assert found.metrics["parameters"] == architecture.n_parameters((1, 8, 8), 10)
    assert found.metrics["macs"] == architecture.macs((1, 8, 8), 10)
    assert [entry["epoch"] for entry in found.curve] == [1, 2]
    assert found.curve[-1]["validation_accuracy"] == found.metrics["accuracy"]
    assert found.curve[-1]["validation_loss"] == found.metrics["loss"]
    assert found.fraction_inherited == 0.0
    assert set(found.origins.values()) == {5}
    assert 0 < found.training_seconds < found.seconds
    assert found.weights is not None
    state = safetensors.torch.load(found.weights)
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == {
        parameter.name: parameter.shape for parameter in architecture.parameters((1, 8, 8), 10)
    }


def test_evaluations_depend_on_nothing_but_their_job(task: Task) -> None:
    """The same seed and job give the same bits, whatever was evaluated before and in which order."""
    first, second = evaluated(evaluator(task), job(SMALL, 0), job(TINY, 1))
    second_again, first_again = evaluated(evaluator(task), job(TINY, 1), job(SMALL, 0))
    assert timeless(first) == timeless(first_again)
    assert timeless(second) == timeless(second_again)
    (other,) = evaluated(evaluator(task), job(SMALL, 2))
    assert other.weights != first.weights


def test_each_individual_is_trained_by_a_stream_of_its_own(task: Task) -> None:
    by = evaluator(task)
    (parent,) = evaluated(by, job(TINY))
    legacies = (Legacy(0, TINY, parent.weights or b""),)
    first, second = evaluated(by, *(job(TINY, number, legacies=legacies) for number in (1, 2)))
    assert first.fraction_inherited == second.fraction_inherited == 1.0
    assert first.weights != second.weights


def test_jobs_are_read_as_late_as_possible(task: Task) -> None:
    read = []

    def jobs() -> Any:
        for number in range(3):
            read.append(number)
            yield job(TINY, number)

    evaluations = evaluator(task).evaluate(jobs(), lambda: None)
    assert [one.id for one in next(evaluations)] == [0]
    assert read == [0]


def test_weights_give_the_same_accuracy_when_they_are_read_again(task: Task) -> None:
    by = evaluator(task)
    (found,) = evaluated(by, job(SMALL))
    assert found.weights is not None
    as_test = evaluator(dataclasses.replace(task, test=task.validation))
    again = as_test.test(SMALL, found.weights)
    assert again == {"accuracy": found.metrics["accuracy"], "loss": found.metrics["loss"]}
    network = by.network(SMALL, found.weights)
    assert not network.training
    right = network(torch.from_numpy(task.validation.inputs)).argmax(1) == torch.from_numpy(task.validation.targets)
    assert right.float().mean().item() == pytest.approx(found.metrics["accuracy"])


def test_the_test_reads_the_test_data_alone(task: Task) -> None:
    (found,) = evaluated(evaluator(task), job(SMALL))
    assert found.weights is not None
    expected = evaluator(task).test(SMALL, found.weights)
    nothing = Split(np.full((4, 1, 8, 8), np.nan, np.float32), np.zeros(4, np.int64))
    assert (
        evaluator(dataclasses.replace(task, train=nothing, validation=nothing)).test(SMALL, found.weights) == expected
    )
    (blind,) = evaluated(evaluator(dataclasses.replace(task, test=nothing)), job(SMALL))
    assert timeless(blind) == timeless(found)


# Inheritance


@pytest.mark.parametrize("operator", [operators.widen, operators.deepen])
def test_a_child_that_keeps_the_function_is_born_as_accurate(task: Task, operator: operators.Operator) -> None:
    by = evaluator(task)
    n_validation = len(task.validation)
    for seed in range(3):
        (parent,) = evaluated(by, job(SMALL, seed, epochs=2))
        assert parent.weights is not None
        variation = operator(ENCODING, SMALL, np.random.default_rng(seed))
        assert variation is not None
        legacies = (Legacy(seed, SMALL, parent.weights),)
        (child,) = evaluated(by, job(variation.genome, 10 + seed, legacies=legacies))
        assert abs(child.metrics["accuracy_at_birth"] - parent.metrics["accuracy"]) <= 1 / n_validation
        assert 0.2 < child.fraction_inherited < 1
        assert seed in child.origins.values()
        assert set(child.origins.values()) <= {seed, 10 + seed}


def test_two_donors_leave_what_they_have(task: Task) -> None:
    by = evaluator(task)
    other = genome(conv("a", 8, **BLOCK), conv("c", 8, **BLOCK), edges="input-a a-c c-output")
    both = genome(
        conv("a", 8, **BLOCK),
        conv("b", 8, stride=2, **BLOCK),
        conv("c", 8, **BLOCK),
        edges="input-a a-b a-c b-output c-output",
    )
    parents = evaluated(by, job(SMALL, 0), job(other, 1))
    legacies = tuple(Legacy(one.id, of, one.weights or b"") for one, of in zip(parents, (SMALL, other), strict=True))
    (child,) = evaluated(by, job(both, 2, legacies=legacies))
    assert child.state == COMPLETE
    assert child.fraction_inherited == 1.0
    assert {child.origins[f"{name}.conv/weight"] for name in "ab"} == {0}
    assert child.origins["c.conv/weight"] == 1


def test_a_donor_from_elsewhere_is_read_as_it_was_trained(task: Task) -> None:
    """Its network was another, developed by another encoding, for other inputs and outputs."""
    by = evaluator(task, training={"learning_rate": 1e-30, "weight_decay": 0.0})
    theirs = ENCODING.for_task((3, 6, 6), 10).develop(genome(conv("a", 12), edges="input-a a-output"))
    other = Network(theirs, (3, 6, 6), 4)
    inherit(other, [], seed=5, individual=7)
    state = {name: tensor.clone() for name, tensor in other.state_dict().items()}
    legacy = Legacy(SOURCE, SMALL, safetensors.torch.save(state), theirs, (3, 6, 6), 4)
    for width in (4, 12):
        ours = genome(conv("a", width), edges="input-a a-output")
        (child,) = evaluated(by, job(ours, 3, legacies=(legacy,)))
        assert child.state == COMPLETE, child.error
        assert child.weights is not None
        found = safetensors.torch.load(child.weights)
        assert torch.equal(found["a.conv/weight"], state["a.conv/weight"][:width, :1])
        assert set(child.origins.values()) == {SOURCE}
        assert 0 < child.fraction_inherited < 1


# What fails


def test_a_failure_is_recorded_and_survived(task: Task) -> None:
    by = evaluator(task, encoding=Stubborn(SMALL))
    first, failed, last = evaluated(by, job(TINY, 0), job(SMALL, 1), job(TINY, 2))
    assert (first.state, last.state) == (COMPLETE, COMPLETE)
    assert (failed.id, failed.state) == (1, FAILED)
    assert failed.error == "Broken: a gene that cannot be read"
    assert failed.weights is None
    assert failed.metrics == {}
    assert failed.seconds >= 0
    assert timeless(last) == timeless(evaluated(evaluator(task), job(TINY, 2))[0])


@pytest.mark.parametrize(("limit", "what"), [("max_parameters", "parameters"), ("max_macs", "macs")])
def test_what_is_too_large_is_refused_before_it_is_built(
    task: Task, monkeypatch: pytest.MonkeyPatch, limit: str, what: str
) -> None:
    (fits,) = evaluated(evaluator(task), job(TINY))
    size = int(fits.metrics[what])
    enough: dict[str, Any] = {limit: size}
    too_little: dict[str, Any] = {limit: size - 1}
    assert evaluated(evaluator(task, **enough), job(TINY))[0].state == COMPLETE

    built: list[object] = []
    monkeypatch.setattr(inline, "built", lambda *args: built.append(args))
    (refused,) = evaluated(evaluator(task, **too_little), job(TINY))
    assert refused.state == FAILED
    assert refused.error == f"TooLargeError: expected at most {size - 1:,} {what}, got {size:,}; raise {limit}"
    assert not built


def test_the_largest_genome_fails_at_once(task: Task) -> None:
    huge = genome(*(conv(name, 65_536, kernel=255) for name in "ab"), edges="input-a a-b b-output")
    began = time.perf_counter()
    (refused,) = evaluated(evaluator(task), job(huge))
    assert refused.error.startswith("TooLargeError")
    assert time.perf_counter() - began < 5


def test_a_divergence_is_recorded(task: Task) -> None:
    training = {"learning_rate": 1e30, "clip": None, "schedule": "constant"}
    (found,) = evaluated(evaluator(task, training=training), job(TINY))
    assert found.state == FAILED
    assert found.error.startswith("DivergedError: expected a finite")
    assert found.weights is None


def test_an_operation_that_cannot_read_its_input_is_recorded() -> None:
    vectors = Split(np.ones((8, 5), np.float32), np.arange(8) % 2)
    task = Task("vectors", vectors, vectors, vectors, ("no", "yes"), "")
    (found,) = evaluated(evaluator(task), job(genome(Gene("a", "conv", width=4), edges="input-a a-output")))
    assert found.state == FAILED
    assert "node a (conv): expected an input (C, H, W)" in found.error


def test_a_timeout_is_recorded(task: Task) -> None:
    by = evaluator(task, timeout=0.05)
    (slow,) = evaluated(by, job(SMALL, epochs=1000))
    assert slow.state == FAILED
    assert slow.error == "TimedOutError: expected an end within 0.05 s; raise [evaluation] timeout"
    assert 0.05 <= slow.seconds < 20


def test_an_interruption_passes_through(task: Task) -> None:
    class InterruptionError(BaseException):
        pass

    calls = []

    def check() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise InterruptionError

    by = evaluator(task)
    with pytest.raises(InterruptionError):
        list(by.evaluate([job(TINY, 0), job(TINY, 1)], check))
    assert len(calls) == 3
    assert evaluated(by, job(TINY, 0))[0].state == COMPLETE


# Devices


@pytest.mark.parametrize("name", ["gpu", "", "cuda:99", "cpu:x", "meta", "hpu", "mps:7"])
def test_an_unknown_device_is_refused_in_one_line(task: Task, name: str) -> None:
    with pytest.raises(ValueError, match="device: expected auto, cpu or a device of this machine") as refusal:
        evaluator(task, device=name)
    message = str(refusal.value)
    assert repr(name) in message
    assert "\n" not in message
    assert len(message) < 250


def test_auto_is_the_first_gpu_or_the_processor() -> None:
    assert inline.device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_threads_are_set(task: Task) -> None:
    before = torch.get_num_threads()
    try:
        evaluator(task, threads=2)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_a_gpu_evaluates_and_its_weights_load_anywhere(task: Task) -> None:
    by = evaluator(task, device="cuda")
    (found,) = evaluated(by, job(SMALL, epochs=2))
    assert found.state == COMPLETE
    assert found.weights is not None
    there, here = by.test(SMALL, found.weights), evaluator(task).test(SMALL, found.weights)
    assert abs(there["accuracy"] - here["accuracy"]) < 0.02
