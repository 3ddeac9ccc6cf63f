"""The loop: budgets, failures, what is kept, and that stopping changes nothing."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evonas.campaign import Campaign, Store
from evonas.campaign.loop import Loop, Progress
from evonas.campaign.spec import parse
from evonas.evaluation.evaluator import Check, Job
from evonas.record import COMPLETE, FAILED, Evaluation
from genomes.reading import read_genome
from tests.campaigns import Pretending, context, nobody, pretended, record

SEARCHES = [
    {"name": "evolution", "population": 5, "lag": 4},
    {"name": "evolution", "population": 4, "offspring": 6, "survival": "comma", "lag": 3},
    {"name": "ageing", "population": 4, "sample_size": 3, "lag": 3},
    {"name": "ageing", "population": 3, "sample_size": 2, "lag": 6},
    {"name": "random", "lag": 2},
]


pytestmark = pytest.mark.usefixtures("fast_disk")


class StopError(BaseException):
    """What a signal raises."""


def ran(
    directory: Path,
    budget: dict[str, Any],
    search: Any = "ageing",
    *,
    evaluator: Pretending | None = None,
    stop_at: int | None = None,
    observe: Callable[[Progress], None] = lambda progress: None,
    **fields: Any,
) -> Store:
    """The store of a campaign that is not trained, at the end of its budget or stopped after some evaluations."""
    encoding = context().encoding
    spec = parse({"search": search, "budget": budget, "encoding": encoding, "training": {"epochs": 2}, **fields})
    store = (Store.open if (directory / "campaign.sqlite").exists() else Store.create)(directory, **_how(directory))
    evaluator = evaluator or Pretending()
    n_checks = 0

    def check() -> None:
        nonlocal n_checks
        n_checks += 1
        if stop_at is not None and n_checks > stop_at:
            raise StopError

    made = Campaign.of(spec).search(encoding)
    with contextlib.suppress(StopError):
        Loop(spec, encoding, store, made, evaluator, check=check, observe=observe).run()
    return store


def _how(directory: Path) -> dict[str, Any]:
    return {"write": True} if (directory / "campaign.sqlite").exists() else {"facts": {}}


def record_and_close(store: Store) -> list[dict[str, Any]]:
    found = record(store.individuals())
    store.close()
    return found


# Budgets


def test_a_budget_of_evaluations_counts_failures(tmp_path: Path) -> None:
    store = ran(tmp_path, {"evaluations": 11}, evaluator=Pretending(1, lambda id: id % 2 == 0))
    found = record_and_close(store)
    assert [one["state"] for one in found] == ["failed", "complete"] * 5 + ["failed"]
    assert found[2]["error"] == "it was told to fail"


@pytest.mark.parametrize(("budget", "granted"), [(12, 12), (13, 14)])
def test_a_budget_of_epochs_ends_with_the_evaluation_that_reaches_it(budget: int, granted: int, tmp_path: Path) -> None:
    store = ran(tmp_path, {"epochs": budget}, search={"name": "random"})
    assert sum(one["epochs"] for one in record_and_close(store)) == granted


def test_a_budget_of_seconds_ends_the_campaign(tmp_path: Path) -> None:
    store = ran(tmp_path, {"seconds": 0.3}, search={"name": "random"})
    told = [one for one in store.individuals() if one.state == COMPLETE]
    assert told
    assert all(one.elapsed < 30 for one in told)
    n, spent = len(told), store.elapsed()
    store.close()
    store = ran(tmp_path, {"seconds": spent / 2}, search={"name": "random"})
    assert sum(one.state == COMPLETE for one in store.individuals()) == n, "its clock goes on where it stopped"
    store.close()


def test_the_first_of_several_budgets_ends_it(tmp_path: Path) -> None:
    store = ran(tmp_path, {"evaluations": 50, "epochs": 10, "seconds": 1000}, search={"name": "random"})
    assert len(record_and_close(store)) == 5


def test_a_goal_that_is_reached_ends_it(tmp_path: Path) -> None:
    whole = record_and_close(ran(tmp_path / "whole", {"evaluations": 40}))
    goal = sorted(one["metrics"]["accuracy"] for one in whole[:20])[-1]
    first = next(one["id"] for one in whole if one["metrics"]["accuracy"] >= goal)
    seen: list[Progress] = []
    budget = {"evaluations": 40, "until": f"accuracy >= {goal}"}
    found = record_and_close(ran(tmp_path / "short", budget, observe=seen.append))
    assert found == whole[: len(found)]
    assert first < len(found) <= first + 5, "what is in flight is finished, nothing more is proposed"
    assert seen[-1].fraction == 1
    assert record_and_close(ran(tmp_path / "short", budget)) == found
    assert record_and_close(ran(tmp_path / "short", {"evaluations": 40})) == whole, "and it can be given more"


class Together(Pretending):
    """An evaluator of all that is in flight at once."""

    def evaluate(self, jobs: Iterable[Job], check: Check) -> Iterator[list[Evaluation]]:
        check()
        yield [pretended(job.proposal, self.fails) for job in jobs]


@pytest.mark.parametrize("search", SEARCHES)
def test_results_that_come_together_are_recorded_as_if_they_came_one_by_one(search: Any, tmp_path: Path) -> None:
    def fails(id: int) -> bool:
        return id % 5 == 3

    one_by_one = record_and_close(ran(tmp_path / "one", {"evaluations": 23}, search, evaluator=Pretending(1, fails)))
    together = ran(tmp_path / "many", {"evaluations": 23}, search, evaluator=Together(1, fails))
    assert record_and_close(together) == one_by_one


def test_results_that_come_together_are_one_transaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    appended: list[int] = []
    append = Store.append

    def counted(store: Store, events: Any, encoding: Any) -> None:
        appended.append(len(events))
        append(store, events, encoding)

    monkeypatch.setattr(Store, "append", counted)
    search = {"name": "evolution", "population": 5, "lag": 5}
    seen: list[Progress] = []
    ran(tmp_path, {"evaluations": 15}, search, evaluator=Together(), observe=seen.append).close()
    assert appended == [5, 10, 10, 5], "each generation with the proposals of the next"
    assert [one.n_told for one in seen] == [0, 5, 10, 15]


TAUGHT = context(seed=99).sampled(5).genome


class Teaching(Pretending):
    """Training that makes another genome of every one: always the same, so that its children are known."""

    def evaluate(self, jobs: Iterable[Job], check: Check) -> Iterator[list[Evaluation]]:
        for job in jobs:
            check()
            yield [dataclasses.replace(pretended(job.proposal), learned=TAUGHT)]


@pytest.mark.parametrize("search", ["ageing", "evolution", "speciated"])
def test_what_was_learnt_is_recorded_and_bred_from(search: str, tmp_path: Path) -> None:
    fields = {"name": search, "population": 4, "lag": 4}
    found = record_and_close(ran(tmp_path / "whole", {"evaluations": 14}, fields, evaluator=Teaching()))
    encoding = context().encoding
    genomes = [read_genome(encoding, one["genome"]) for one in found]
    n_sampled = sum(one["operator"] == "sample" for one in found)
    own = set(TAUGHT.markings).difference(*(genome.markings for genome in genomes[:n_sampled]))
    assert len(own) > 3
    assert n_sampled < 10
    assert all(own & set(genome.markings) for genome in genomes[n_sampled:])
    assert all(read_genome(encoding, one["learned"]) == TAUGHT for one in found)
    ran(tmp_path / "cut", {"evaluations": 14}, fields, evaluator=Teaching(), stop_at=9).close()
    assert record_and_close(ran(tmp_path / "cut", {"evaluations": 14}, fields, evaluator=Teaching())) == found


def test_progress_goes_from_none_to_all(tmp_path: Path) -> None:
    seen: list[Progress] = []
    ran(tmp_path, {"evaluations": 8}, observe=seen.append, evaluator=Pretending(1, lambda id: id < 3)).close()
    assert [one.n_told for one in seen] == list(range(9))
    assert [one.fraction for one in seen] == [n / 8 for n in range(9)]
    assert [one.n_failed for one in seen] == [0, 1, 2] + [3] * 6
    assert [one.best is None for one in seen] == [True] * 4 + [False] * 5
    assert sorted(one.elapsed for one in seen) == [one.elapsed for one in seen]


# Stopped and resumed


@pytest.mark.parametrize("search", SEARCHES, ids=str)
def test_stopped_at_any_point_and_resumed_equals_never_stopped(search: Any, tmp_path: Path) -> None:
    evaluator = Pretending()
    whole = record_and_close(ran(tmp_path / "whole", {"evaluations": 18}, search, evaluator=evaluator))
    jobs = [(job.proposal.id, job.legacies) for job in evaluator.jobs]
    for stop_at in range(0, 18, 3):
        again = Pretending()
        place = tmp_path / str(stop_at)
        ran(place, {"evaluations": 18}, search, stop_at=stop_at).close()
        assert record_and_close(ran(place, {"evaluations": 18}, search, evaluator=again)) == whole
        assert [(job.proposal.id, job.legacies) for job in again.jobs] == jobs[stop_at:]


@pytest.mark.parametrize("n_workers", [1, 3])
@pytest.mark.parametrize("search", SEARCHES, ids=str)
def test_a_larger_budget_goes_on_as_a_longer_run_would_have(search: Any, n_workers: int, tmp_path: Path) -> None:
    evaluator, again = Pretending(n_workers), Pretending(n_workers)
    whole = record_and_close(ran(tmp_path / "whole", {"evaluations": 23}, search, evaluator=evaluator))
    for n in (1, 6, 7, 8, 13, 14, 23):
        found = record_and_close(ran(tmp_path / "grown", {"evaluations": n}, search, evaluator=again))
        assert found == whole[:n]
    assert legacies(again) == legacies(evaluator)
    ran(tmp_path / "epochs", {"epochs": 20}, search).close()
    assert record_and_close(ran(tmp_path / "epochs", {"epochs": 46}, search)) == whole


def legacies(evaluator: Pretending) -> dict[int, Any]:
    return {job.proposal.id: job.legacies for job in evaluator.jobs}


def test_a_smaller_budget_takes_nothing_back(tmp_path: Path) -> None:
    whole = record_and_close(ran(tmp_path, {"evaluations": 9}))
    assert record_and_close(ran(tmp_path, {"evaluations": 4})) == whole


def test_an_evaluation_that_was_interrupted_leaves_no_trace(tmp_path: Path) -> None:
    store = ran(tmp_path, {"evaluations": 9}, stop_at=4)
    assert [one.state for one in store.individuals()] == ["complete"] * 4 + ["pending"] * 4
    store.close()


# Weights


@pytest.mark.parametrize("search", SEARCHES, ids=str)
def test_the_disk_holds_the_weights_of_the_possible_parents_and_the_best(search: Any, tmp_path: Path) -> None:
    encoding = context().encoding
    spec = parse({"search": search, "budget": {"evaluations": 25}, "encoding": encoding, "keep_best": 2})

    def look(progress: Progress) -> None:
        assert files(loop, store) == loop.spared() & told(store)

    def told(store: Store) -> set[int]:
        return {one.id for one in store.individuals() if one.state == COMPLETE}

    store = Store.create(tmp_path, {})
    made = Campaign.of(spec).search(encoding)
    evaluator = Pretending(1, lambda id: id % 5 == 1)
    loop = Loop(spec, encoding, store, made, evaluator, observe=look)
    loop.run()
    complete = [one for one in store.individuals() if one.state == COMPLETE]
    best = sorted(complete, key=lambda one: one.metrics["accuracy"], reverse=True)[:2]
    assert {one.id for one in best} <= files(loop, store)
    assert made.keeps() <= files(loop, store)
    assert len(files(loop, store)) < len(complete)
    for job in evaluator.jobs:
        assert [legacy.weights for legacy in job.legacies] == [
            f"the weights of {id}".encode() for id in job.proposal.donors
        ]
    store.close()


def files(loop: Loop, store: Store) -> set[int]:
    return {int(path.name.split("-")[0]) for path in (store.directory / "weights").iterdir()}


def test_a_campaign_in_which_all_fail_ends(tmp_path: Path) -> None:
    store = ran(tmp_path, {"evaluations": 12}, evaluator=Pretending(2, lambda id: True))
    assert {one.state for one in store.individuals()} == {FAILED}
    assert list((tmp_path / "weights").iterdir()) == []
    store.close()


def test_nobody_fails_unless_told() -> None:
    assert not any(map(nobody, range(9)))
