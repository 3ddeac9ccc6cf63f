"""What is measured before training, and what keeps a candidate from it."""

from typing import Any

import pytest
import torch

import evonas.evaluation.measure as measure
from evonas.evaluation import Constraint, EvaluationConfig, Inline, Screening
from evonas.evaluation.measure import latency
from evonas.network import Network
from evonas.record import COMPLETE, FAILED, Evaluation
from evonas.tasks import Digits, Task
from evonas.training import Training, loop
from genomes.memory import peak_memory
from tests.evaluation.test_inline import ENCODING, SMALL, TINY, evaluated, evaluator, job
from tests.network.nets import architecture, network, node


@pytest.fixture(scope="module")
def task() -> Task:
    return Digits().load()


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry each time that a candidate begins to train."""
    calls: list[int] = []
    train = loop.train

    def noted(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        return train(*arguments, **options)

    monkeypatch.setattr(loop, "train", noted)
    return calls


def screened(task: Task, *constraints: str, latencies: tuple[str, ...] = ()) -> Inline:
    screening = Screening(latencies, tuple(Constraint.parse(text) for text in constraints))
    return Inline(ENCODING, task, Training(), EvaluationConfig(device="cpu"), seed=0, screening=screening)


def n_parameters() -> int:
    return ENCODING.develop(TINY).n_parameters((1, 8, 8), 10)


# Constraints


@pytest.mark.parametrize("metric", ["parameters", "macs", "peak_memory"])
def test_an_infeasible_candidate_is_never_trained(metric: str, task: Task, trained: list[int]) -> None:
    (fits,) = evaluated(screened(task), job(TINY))
    value = int(fits.metrics[metric])
    trained.clear()
    for sign, limit in (("<=", value - 1), (">=", value + 1)):
        (found,) = evaluated(screened(task, f"{metric} {sign} {limit}"), job(TINY, 4, epochs=3))
        assert (found.id, found.state, found.epochs, found.metrics) == (4, FAILED, 0, {})
        assert found.error == f"InfeasibleError: expected {metric} {sign} {limit:,}, got {value:,}"
    assert not trained
    for sign in ("<=", ">="):
        (found,) = evaluated(screened(task, f"{metric} {sign} {value}"), job(TINY))
        assert found.state == COMPLETE
    assert len(trained) == 2


def test_a_slow_candidate_is_never_trained(task: Task, trained: list[int]) -> None:
    (found,) = evaluated(screened(task, "latency_1 <= 1e-9", latencies=("latency_1",)), job(TINY))
    assert (found.state, found.epochs) == (FAILED, 0)
    assert found.error.startswith("InfeasibleError: expected latency_1 <= 1e-09, got ")
    assert not trained


def test_of_several_constraints_each_must_hold(task: Task, trained: list[int]) -> None:
    size = n_parameters()
    (found,) = evaluated(screened(task, f"parameters <= {size}", "macs <= 1"), job(TINY))
    assert found.error.startswith("InfeasibleError: expected macs <= 1, got")
    assert not trained


# Epochs of what failed


def test_a_failure_before_the_first_step_costs_no_epochs(task: Task) -> None:
    def failed(by: Inline) -> Evaluation:
        (found,) = evaluated(by, job(TINY, epochs=3))
        assert found.state == FAILED
        return found

    assert failed(evaluator(task, max_parameters=1)).epochs == 0
    assert failed(evaluator(task, timeout=1e-9)).epochs == 0
    assert failed(evaluator(task, training={"learning_rate": 1e30, "clip": None, "schedule": "constant"})).epochs == 3


# Latency


def test_latencies_are_metrics_where_they_are_asked_for(task: Task) -> None:
    (found,) = evaluated(screened(task, latencies=("latency_1", "latency_64")), job(SMALL))
    assert 0 < found.metrics["latency_1"] < found.metrics["latency_64"] < 10
    (other,) = evaluated(screened(task), job(SMALL))
    assert not {"latency_1", "latency_64"} & set(other.metrics)
    assert found.weights == other.weights, "measuring changes nothing"


def test_latency_is_the_median_of_thirty_after_five(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(at for pass_ in range(35) for at in (0.0, 100.0 if pass_ < 5 else float(pass_)))
    monkeypatch.setattr(measure.time, "perf_counter", lambda: next(clock))
    net = network(architecture(node("a", "conv", "input", normalisation="batch"))).train()
    seen: list[tuple[int, ...]] = []
    hook = next(net.children()).register_forward_hook(lambda module, args, output: seen.append((*output.shape,)))
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    assert latency(net, (3, 8, 8), 64, Training()) == 19.5
    hook.remove()
    assert seen == [(64, 3, 8, 8)] * 35
    assert next(clock, None) is None
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())


def test_peak_memory_is_that_of_a_batch_of_64(task: Task) -> None:
    (found,) = evaluated(screened(task), job(SMALL))
    assert found.metrics["peak_memory"] == peak_memory(ENCODING.develop(SMALL), (1, 8, 8), 10, batch=64)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_latency_of_a_gpu() -> None:
    net = network(architecture(node("a", "conv", "input"))).to("cuda")
    assert isinstance(net, Network)
    assert 0 < latency(net, (3, 8, 8), 64, Training()) < 1
