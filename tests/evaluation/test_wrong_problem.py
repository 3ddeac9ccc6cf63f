"""What a problem does wrong ends the campaign and is none of a candidate's failures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from evonas import Campaign, DataError, ProblemError
from evonas.network import NeuronPopulation
from evonas.tasks import Task
from evonas.tasks.problem import Networks, posed

pytestmark = pytest.mark.usefixtures("fast_disk")
Answer = Callable[[torch.Tensor], Any]


def usual(values: torch.Tensor) -> Any:
    return {"fitness": values, "solved": values > 1, "speed": values}


@dataclass(frozen=True)
class Told:
    """A problem that says of the first output what it is told to say; it counts what it was asked."""

    answer: Answer = usual
    tested: Answer = usual
    asked: list[int] = field(default_factory=list)
    n_inputs: Any = 2
    n_outputs: int = 1

    def score(self, networks: Networks, seeds: Any) -> Any:
        self.asked.append(networks.n)
        return self.answer(networks(torch.ones(1, 2))[:, 0, 0])

    def test(self, networks: Networks, seeds: Any) -> Any:
        return self.tested(networks(torch.ones(1, 2))[:, 0, 0])


class ToldTask:
    name = "told"
    kind = "behaviour"

    def __init__(self, problem: Told, metrics: tuple[str, ...] = ()) -> None:
        self.problem, self.metrics = problem, metrics

    def load(self) -> Task:
        return posed(self.name, self.problem, fingerprint="", metrics=self.metrics)


def campaign(
    answer: Answer = usual,
    n: int = 18,
    *,
    population: int = 6,
    metrics: tuple[str, ...] = (),
    until: str | None = None,
    tested: Answer = usual,
    **fields: Any,
) -> tuple[Campaign, Told]:
    problem = Told(answer, tested)
    budget = {"evaluations": n} | ({"until": until} if until else {})
    search = {"name": "speciated", "population": population}
    return Campaign(ToldTask(problem, metrics), "neat", **({"search": search} | fields), budget=budget), problem


def broken(values: torch.Tensor) -> Any:
    raise ZeroDivisionError("the wheel\nfell off")


ALIKE = (
    r"^task told: expected score\(\) to judge some of the first networks, got the same error for all that were tried: "
    r"ZeroDivisionError: the wheel fell off; mend it and run again$"
)


@pytest.mark.parametrize(("population", "most"), [(2, 4), (6, 12), (150, 20)])
def test_one_that_always_raises_ends_the_campaign(population: int, most: int, tmp_path: Path) -> None:
    made, problem = campaign(broken, 600, population=population)
    with pytest.raises(ProblemError, match=ALIKE) as caught:
        made.run(tmp_path)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert len(problem.asked) <= most
    assert {one.state for one in Campaign.load(tmp_path).individuals} == {"pending"}, "it is no failure of theirs"


def test_mended_it_goes_on_as_if_it_had_never_been_broken(tmp_path: Path) -> None:
    with pytest.raises(ProblemError):
        campaign(broken)[0].run(tmp_path / "out")
    mended, whole = (campaign()[0].run(tmp_path / name).individuals for name in ("out", "whole"))
    assert [(one.genome_digest, one.metrics) for one in mended] == [(one.genome_digest, one.metrics) for one in whole]


def test_one_after_another_it_ends_after_a_few(tmp_path: Path) -> None:
    made, problem = campaign(broken, 600, search={"name": "random", "lag": 1})
    with pytest.raises(ProblemError, match=ALIKE):
        made.run(tmp_path)
    assert len(problem.asked) == 17


def test_the_good_ones_among_bad_ones_succeed(tmp_path: Path) -> None:
    good: set[float] = set()

    def picky(values: torch.Tensor) -> Any:
        good.update([] if good else values[5::7].tolist())
        if not good.issuperset(values.tolist()):
            raise ZeroDivisionError("the wheel\nfell off")
        return usual(values)

    made, _ = campaign(picky, 40, population=40)
    made.run(tmp_path)
    assert {one.id for one in made.individuals if one.state == "complete"} == {5, 12, 19, 26, 33}
    assert {one.error for one in made.individuals if one.state == "failed"} == {"ZeroDivisionError: the wheel fell off"}


def test_those_that_fail_each_for_a_reason_of_its_own_are_recorded(tmp_path: Path) -> None:
    def picky(values: torch.Tensor) -> Any:
        raise ZeroDivisionError(f"{float(values[0])}")

    made, _ = campaign(picky, 40, population=40)
    made.run(tmp_path)
    assert len({one.error for one in made.individuals if one.state == "failed"}) > 30


def test_one_that_judged_once_may_fail_for_a_whole_generation(tmp_path: Path) -> None:
    problem = Told()

    def later(values: torch.Tensor) -> Any:
        return usual(values) if len(problem.asked) == 1 else broken(values)

    object.__setattr__(problem, "answer", later)
    search = {"name": "speciated", "population": 20}
    made = Campaign(ToldTask(problem), "neat", search, budget={"evaluations": 40}).run(tmp_path)
    assert [one.state for one in made.individuals] == ["complete"] * 20 + ["failed"] * 20


def test_what_succeeded_before_an_interruption_counts(tmp_path: Path) -> None:
    made, _ = campaign(n=6)
    made.run(tmp_path)
    resumed, _ = campaign(broken, 12)
    resumed.run(tmp_path)
    assert [one.state for one in resumed.individuals] == ["complete"] * 6 + ["failed"] * 6


def test_one_that_fits_but_does_not_fit_together_is_judged_in_halves(tmp_path: Path) -> None:
    def small(values: torch.Tensor) -> Any:
        if len(values) > 5:
            raise RuntimeError("out of memory")
        return usual(values)

    made, problem = campaign(small, 40, population=40)
    made.run(tmp_path)
    assert {one.state for one in made.individuals} == {"complete"}
    assert problem.asked == [40, 1, 20, 10, 5, 5, 10, 5, 5, 20, 10, 5, 5, 10, 5, 5]


def test_all_are_judged_once(tmp_path: Path) -> None:
    made, problem = campaign(n=40, population=20)
    made.run(tmp_path)
    assert problem.asked == [20, 20]


WRONG: list[tuple[Answer, str]] = [
    (lambda v: v, r"expected a mapping of metrics, such as {'fitness': …}, got Tensor; return one"),
    (lambda v: None, r"expected a mapping of metrics, .* got NoneType"),
    (lambda v: {}, r"expected fitness, by which networks are ranked, got nothing; return it"),
    (lambda v: {"solved": v}, r"expected fitness, by which networks are ranked, got solved; return it"),
    (lambda v: {3: v, "fitness": v}, r"expected names of metrics, got 3; name it by a string"),
    (
        lambda v: {"fitness": v[:-1]},
        r"expected fitness of shape \(6,\), one number for each network, got \(5,\); return one for each",
    ),
    (lambda v: {"fitness": v[:, None]}, r"expected fitness of shape \(6,\), .* got \(6, 1\); return one for each"),
    (lambda v: {"fitness": v.mean()}, r"expected fitness of shape \(6,\), .* got \(\);"),
    (lambda v: {"fitness": 0.5}, r"expected fitness of shape \(6,\), .* got 0.5;"),
    (lambda v: {"fitness": "abcdef"}, r"expected fitness of shape \(6,\), .* got 'abcdef';"),
    (lambda v: {"fitness": ["a"] * 6}, r"expected fitness of shape .* got list that is no list of numbers"),
    (lambda v: {"fitness": v, "solved": None}, r"expected solved of shape \(6,\), .* got None;"),
    (lambda v: {"fitness": v.numpy()[:2]}, r"expected fitness of shape \(6,\), .* got \(2,\);"),
    (lambda v: {"fitness": v.numpy()[:, None]}, r"expected fitness of shape \(6,\), .* got \(6, 1\);"),
    (lambda v: {"fitness": v.to(torch.complex64)}, r"expected fitness of shape \(6,\), .* got torch.complex64;"),
]


@pytest.mark.parametrize(("answer", "expected"), WRONG)
def test_a_wrong_answer_ends_the_campaign(answer: Answer, expected: str, tmp_path: Path) -> None:
    made, _ = campaign(answer)
    with pytest.raises(ProblemError, match=f"^score: {expected}") as caught:
        made.run(tmp_path)
    assert "\n" not in str(caught.value)
    assert {one.state for one in Campaign.load(tmp_path).individuals} == {"pending"}


RIGHT: list[Answer] = [
    lambda v: {"fitness": v.tolist()},
    lambda v: {"fitness": v.numpy()},
    lambda v: {"fitness": tuple(np.float64(one) for one in v.tolist())},
    lambda v: {"fitness": v.double().requires_grad_(not v.is_inference())},
]


@pytest.mark.parametrize("answer", RIGHT)
def test_arrays_and_lists_are_taken(answer: Answer, tmp_path: Path) -> None:
    found, expected = (campaign(one)[0].run(tmp_path / str(one is usual)).individuals for one in (answer, usual))
    assert [one.fitness for one in found] == [one.fitness for one in expected]


def test_whole_numbers_and_truths_are_numbers(tmp_path: Path) -> None:
    made, _ = campaign(lambda v: {"fitness": (v * 100).long(), "solved": v > 1})
    made.run(tmp_path)
    assert {type(one.metrics[name]) for one in made.individuals for name in ("fitness", "solved")} == {float}


def test_the_test_is_looked_at_too(tmp_path: Path) -> None:
    made, _ = campaign(tested=lambda v: {"fitness": v[:, None]})
    with pytest.raises(ProblemError, match=r"^test: expected fitness of shape \(1,\), .* got \(1, 1\);"):
        made.run(tmp_path)
    # What is measured in a test may be less.
    assert "speed" not in campaign(metrics=("speed",), tested=lambda v: {"fitness": v})[0].run(tmp_path).facts["tested"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"metrics": ("speed", "error")}, "expected error, which its task declares, got fitness, solved, speed;"),
        (
            {"metrics": ("error",), "objectives": {"minimize": ["error"]}},
            "expected error, which its task declares, got fitness, solved, speed; return it",
        ),
        ({"until": "won >= 1"}, "expected won, which budget.until names, got fitness, solved, speed; return it"),
    ],
)
def test_what_is_named_must_be_told(fields: Any, expected: str, tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match=f"^score: {expected}"):
        campaign(**fields)[0].run(tmp_path)


def test_what_is_named_and_told_is_fine(tmp_path: Path) -> None:
    made, _ = campaign(until="speed >= 0", metrics=("speed",), objectives={"maximize": ["speed"]})
    assert len(made.run(tmp_path / "metric").individuals) == 6
    made, _ = campaign(lambda v: {"fitness": v}, until="parameters >= 1")
    assert len(made.run(tmp_path / "size").individuals) == 6
    with pytest.raises(ProblemError, match=r"expected solved, which budget.until names, got fitness; return it"):
        campaign(lambda v: {"fitness": v}, until="solved >= 1")[0].run(tmp_path / "solved")


@pytest.mark.parametrize("inputs", [np.ones((1, 2)), [[1.0, 1.0]]])
def test_inputs_that_are_no_tensor_are_refused(inputs: Any, tmp_path: Path) -> None:
    made, _ = campaign()
    made.run(tmp_path)
    with pytest.raises(TypeError, match=r"inputs: expected a tensor \(batch, 2\), got (ndarray|list); use torch.as"):
        NeuronPopulation([made.phenotype(made.individual(0))])(inputs)  # type: ignore[arg-type]


class Half:
    n_inputs, n_outputs = 2, 1

    def score(self, networks: Networks, seeds: Any) -> Mapping[str, Any]:
        return {}


@pytest.mark.parametrize(
    ("problem", "fields", "expected"),
    [
        (Told(), {"metrics": "error"}, r"task it: metrics: expected a tuple of names, got 'error'; write \('error',\)"),
        (Told(), {"metrics": (3,)}, r"task it: metrics: expected a tuple of names, got \(3,\)"),
        (Told(), {"inputs": ("a",)}, "task it: inputs: expected 2 names, one for each input, got 1; correct it"),
        (Told(), {"inputs": "ab"}, "task it: inputs: expected a tuple of names, got 'ab'"),
        (Told(n_inputs="2"), {}, "task it: n_inputs: expected a whole number of 1 or more, got '2'; correct it"),
        (Told(n_outputs=0), {}, "task it: n_outputs: expected a whole number of 1 or more, got 0"),
        (Told, {}, "task it: expected an object with score and test, got the class Told; give an instance"),
        (Half(), {}, "task it: expected an object with score and test, got Half"),
        (Told(), {"name": 3}, "posed: expected a name as a string, got 3; give one"),
    ],
)
def test_a_problem_that_is_none_is_refused(problem: Any, fields: Any, expected: str) -> None:
    with pytest.raises(DataError, match=f"^{expected}"):
        posed(**{"name": "it", "problem": problem, "fingerprint": "", **fields})
    assert posed("it", Told(), fingerprint="", metrics=("a",), inputs=("x", "y")).features == ("x", "y")
