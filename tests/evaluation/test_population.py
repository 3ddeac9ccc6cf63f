"""Evaluation of many candidates at once."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from evonas.evaluation import Constraint, EvaluationConfig, Job, Population, Screening
from evonas.record import COMPLETE, FAILED, Budget, Evaluation, Proposal
from evonas.tasks import Digits, Task
from evonas.tasks.problem import Networks, posed
from genomes import EsHyperNeat, Neat, NeatGenome
from genomes.encoding import Encoding, uniform
from genomes.memory import peak_memory
from genomes.neat.operators import add_node

ENCODING = Neat().for_task((3,), 2)
N = 12
MANY = EsHyperNeat.develop_many


@dataclass(frozen=True)
class Asked:
    """A problem: the first output for one input; it remembers who was judged together, and with which seeds."""

    groups: list[list[int]] = field(default_factory=list)
    n_inputs: int = 3
    n_outputs: int = 2
    spoil: Callable[[Tensor], Tensor] = lambda values: values

    def score(self, networks: Networks, seeds: Any) -> Mapping[str, Tensor]:
        assert seeds.shape == (networks.n,)
        self.groups.append(list(seeds))
        outputs, _ = networks.step(torch.ones(1, self.n_inputs, device=networks.device))
        values = self.spoil(outputs[:, 0, 0])
        return {"fitness": values, "solved": (values > 0.5).double(), "more": values + 1}

    def test(self, networks: Networks, seeds: Any) -> Mapping[str, Tensor]:
        return {name: -values for name, values in self.score(networks, seeds).items()}


def evaluator(problem: Any, encoding: Encoding[Any] = ENCODING, **limits: Any) -> Population:
    task = problem if isinstance(problem, Task) else posed("asked", problem, fingerprint="")
    return Population(encoding, task, EvaluationConfig(device="cpu", **limits), seed=0)


def sampled(number: int, encoding: Encoding[Any] = ENCODING) -> NeatGenome:
    rng = np.random.default_rng(number)
    genome = encoding.sample(uniform(rng), rng=rng)
    for _ in range(8):
        genome = encoding.mutate(genome, rng=rng).genome
    return genome


def jobs(n: int = N, encoding: Encoding[Any] = ENCODING) -> list[Job]:
    return [
        Job(Proposal(one, sampled(one, encoding), (), "sample", (), Budget(0), generation=one // 8)) for one in range(n)
    ]


def evaluated(by: Population, given: list[Job]) -> dict[int, Evaluation]:
    return {one.id: one for done in by.evaluate(given, lambda: None) for one in done}


def timeless(found: Mapping[int, Evaluation]) -> dict[int, Any]:
    return {id: (one.state, one.metrics, one.error) for id, one in found.items()}


def test_all_are_judged_at_once_by_what_their_genomes_say() -> None:
    problem = Asked()
    (done,) = evaluator(problem).evaluate(jobs(), lambda: None)
    assert [one.id for one in done] == list(range(N))
    assert len(problem.groups) == 1
    for one, job in zip(done, jobs(), strict=True):
        graph = ENCODING.develop(job.proposal.genome)
        expected = graph.run(np.ones((1, 3)))[0, 0]
        assert one.metrics["fitness"] == pytest.approx(expected, abs=1e-5)
        assert one.metrics["more"] == pytest.approx(expected + 1, abs=1e-5)
        assert one.metrics["parameters"] == graph.n_parameters((3,), 2)
        assert one.metrics["macs"] == len(graph.weights)
        assert one.metrics["peak_memory"] == peak_memory(graph, (3,), 2)
        assert (one.state, one.epochs, one.weights, one.learned) == (COMPLETE, 0, None, None)
        assert one.seconds > 0


def test_those_of_one_size_are_told_apart_from_those_of_others() -> None:
    linear = sampled(0, replace(ENCODING, mutations=dict.fromkeys(("add_node", "add_connection"), 0.0)))
    (at, *_), rng = range(len(linear.weights)), np.random.default_rng(0)
    disabled = replace(linear, enabled=tuple(place != at for place in range(len(linear.enabled))))
    split = add_node(ENCODING, linear, rng)
    assert split is not None
    lone = replace(split.genome, enabled=disabled.enabled + (False,) * 2)
    genomes = [linear, disabled, split.genome, lone, linear]
    given = [Job(Proposal(id, genome, (), "sample", (), Budget(0))) for id, genome in enumerate(genomes)]
    for id, one in evaluated(evaluator(Asked()), given).items():
        graph = ENCODING.develop(genomes[id])
        counted = graph.n_parameters((3,), 2), graph.macs((3,), 2), peak_memory(graph, (3,), 2)
        assert tuple(one.metrics[name] for name in ("parameters", "macs", "peak_memory")) == counted


def test_what_a_size_does_not_keep_to_fails_every_candidate_of_it() -> None:
    linear = sampled(0, replace(ENCODING, mutations=dict.fromkeys(("add_node", "add_connection"), 0.0)))
    given = [Job(Proposal(id, linear, (), "sample", (), Budget(0))) for id in range(3)]
    limit = Constraint.parse("macs <= 1")
    task = posed("asked", Asked(), fingerprint="")
    screened = Population(
        ENCODING, task, EvaluationConfig(device="cpu"), seed=0, screening=Screening(constraints=(limit,))
    )
    found = evaluated(screened, given)
    assert [one.state for one in found.values()] == [FAILED] * 3
    assert all(one.error.startswith("InfeasibleError: expected macs <= 1") for one in found.values())


def test_a_result_does_not_depend_on_those_beside_it() -> None:
    together = timeless(evaluated(evaluator(Asked()), jobs()))
    alone = {id: one for job in jobs() for id, one in timeless(evaluated(evaluator(Asked()), [job])).items()}
    assert alone == together


def test_those_of_a_generation_meet_the_same() -> None:
    problem = Asked()
    evaluated(evaluator(problem), jobs())
    (seeds,) = problem.groups
    assert len(set(seeds[:8])) == 1
    assert len(set(seeds[8:])) == 1
    assert seeds[0] != seeds[8]


def test_no_jobs_are_no_group() -> None:
    assert list(evaluator(Asked()).evaluate([], lambda: None)) == []


def test_one_that_is_no_number_fails_alone() -> None:
    def spoil(values: Tensor) -> Tensor:
        return torch.where(torch.arange(len(values)) == 3, math.nan, values)

    found = evaluated(evaluator(Asked(spoil=spoil)), jobs())
    assert [id for id, one in found.items() if one.state == FAILED] == [3]
    assert found[3].error.startswith("NotFiniteError: expected finite scores, got fitness nan")


def test_one_that_breaks_the_problem_fails_alone() -> None:
    target = ENCODING.develop(sampled(5)).run(np.ones((1, 3)))[0, 0]

    def spoil(values: Tensor) -> Tensor:
        if (values - target).abs().min() < 1e-6:
            raise RuntimeError("not enough\nmemory")
        return values

    found = evaluated(evaluator(Asked(spoil=spoil)), jobs())
    assert [id for id, one in found.items() if one.state == FAILED] == [5]
    assert found[5].error == "RuntimeError: not enough memory"
    good = timeless(evaluated(evaluator(Asked()), jobs()))
    del found[5], good[5]
    assert timeless(found) == good


def test_one_that_is_too_large_is_not_judged() -> None:
    given = jobs()
    counts = [ENCODING.develop(job.proposal.genome).n_parameters((3,), 2) for job in given]
    limit = sorted(counts)[N // 2]
    found = evaluated(evaluator(Asked(), max_parameters=limit), given)
    assert [one.state == FAILED for one in map(found.get, range(N)) if one] == [n > limit for n in counts]
    assert any(one.error.startswith("TooLargeError") for one in found.values())


def test_a_long_trial_can_be_stopped_within() -> None:
    class StopError(BaseException):
        pass

    class Long(Asked):
        def score(self, networks: Networks, seeds: Any) -> Mapping[str, Tensor]:
            for _ in range(100):
                networks.choose(torch.tensor([0])).step(torch.ones(1, 3))
            raise AssertionError("nobody stopped it")

    calls = []

    def check() -> None:
        calls.append(1)
        if len(calls) == 7:
            raise StopError

    with pytest.raises(StopError):
        list(evaluator(Long()).evaluate(jobs(), check))
    assert len(calls) == 7


def test_those_that_develop_together_are_developed_together(monkeypatch: pytest.MonkeyPatch) -> None:
    encoding = EsHyperNeat(initial_depth=2).for_task((3,), 2)
    expected = timeless(evaluated(evaluator(Asked(), encoding), jobs(4, encoding)))
    assert {state for state, _, _ in expected.values()} == {COMPLETE}

    def refused(*_: Any) -> Any:
        raise RuntimeError("not so")

    for method in ("develop", "develop_many"):
        with monkeypatch.context() as patched:
            patched.setattr(EsHyperNeat, method, refused)
            if method == "develop_many":
                patched.setattr(EsHyperNeat, "develop", lambda self, genome, many=MANY: many(self, [genome])[0])
            assert timeless(evaluated(evaluator(Asked(), encoding), jobs(4, encoding))) == expected


def test_the_test_is_another() -> None:
    by = evaluator(Asked())
    (done,) = by.evaluate(jobs(1), lambda: None)
    assert by.test(sampled(0))["fitness"] == -done[0].metrics["fitness"]


def test_data_are_a_problem_of_all_that_no_test_sees() -> None:
    task = Digits().load()
    encoding = Neat(output_activations=("identity",)).for_task(task.input_shape, task.n_outputs)
    found = evaluated(evaluator(task, encoding), jobs(3, encoding))
    inputs = np.concatenate([task.train.inputs, task.validation.inputs]).reshape(-1, 64)
    targets = np.concatenate([task.train.targets, task.validation.targets])
    for id, one in found.items():
        outputs = encoding.develop(sampled(id, encoding)).run(inputs)
        right = (outputs.argmax(1) == targets).mean()
        assert one.metrics["accuracy"] == pytest.approx(right, abs=2 / len(targets))
        logs = np.log(np.exp(outputs - outputs.max(1, keepdims=True)).sum(1)) + outputs.max(1)
        assert one.metrics["loss"] == pytest.approx((logs - outputs[np.arange(len(targets)), targets]).mean(), rel=1e-4)
    tested = evaluator(task, encoding).test(sampled(0, encoding))
    outputs = encoding.develop(sampled(0, encoding)).run(task.test.inputs.reshape(-1, 64))
    assert tested["accuracy"] == pytest.approx((outputs.argmax(1) == task.test.targets).mean(), abs=1e-6)


class Together:
    """An encoding that develops many at once, unless one of them is spoilt."""

    abilities = frozenset(("develops_many",))

    def __init__(self, spoilt: int | None = None) -> None:
        self.asked: list[int] = []
        self.spoilt = None if spoilt is None else sampled(spoilt)

    def develop(self, genome: NeatGenome) -> Any:
        if genome == self.spoilt:
            raise ValueError("expected a genome that develops")
        self.asked.append(1)
        return ENCODING.develop(genome)

    def develop_many(self, genomes: list[NeatGenome]) -> list[Any]:
        assert self.spoilt not in genomes, "one cannot be developed"
        self.asked.append(len(genomes))
        return [ENCODING.develop(genome) for genome in genomes]


def test_an_encoding_that_develops_many_is_asked_once() -> None:
    together: Any = Together()
    found = timeless(evaluated(evaluator(Asked(), together), jobs()))
    assert together.asked == [N]
    assert found == timeless(evaluated(evaluator(Asked()), jobs()))


def test_one_that_cannot_be_developed_fails_alone() -> None:
    together: Any = Together(spoilt=4)
    found = evaluated(evaluator(Asked(), together), jobs())
    assert together.asked == [1] * (N - 1)
    assert [id for id, one in found.items() if one.state == FAILED] == [4]
    assert found[4].error == "ValueError: expected a genome that develops"
