"""What every search keeps to. A new one joins by a line in `SEARCHES`."""

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas.campaign import Campaign, CampaignBudget, Objectives, Spec, Store
from evonas.campaign.loop import Loop
from evonas.record import Evaluation, Proposal
from evonas.search import (
    AgeingConfig,
    ControllerConfig,
    EvolutionConfig,
    ListedConfig,
    RandomConfig,
    Search,
    SearchConfig,
    SpeciatedConfig,
)
from tests.campaigns import ONE, TWO, Pretending, context, listed, nobody, pretended, record

NSGA2 = EvolutionConfig(population=6, offspring=5, lag=3)
NSGA2_COMMA = EvolutionConfig(population=5, survival="comma", elitism=2, tournament=2)
SEVERAL: list[Any] = [NSGA2, NSGA2_COMMA]
"""Configurations that are given several objectives."""
SEARCHES: list[tuple[str, Any, str]] = [
    ("evolution-plus", EvolutionConfig(population=5, offspring=4), "a288a7f693793f79"),
    ("evolution-comma", EvolutionConfig(population=5, survival="comma", lag=3), "0e9252175ab3329b"),
    ("ageing", AgeingConfig(population=6, sample_size=3), "cc10bee3c477e78e"),
    ("speciated", SpeciatedConfig(population=7, threshold=0.4, champions=2, stagnation=2), "cbb5b7ddecad8935"),
    ("nsga2", NSGA2, "e611c6aefc523b74"),
    ("nsga2-comma", NSGA2_COMMA, "706552cf52718526"),
    ("random", RandomConfig(), "b8256eb675b2f7b5"),
    ("controller", ControllerConfig(batch=5, units=16), "ed1c132bd984f76a"),
    ("controller-sites", ControllerConfig(flavour="sites"), "700c3cf27b2ef3e1"),
    ("listed", ListedConfig(genomes=listed(3), repeats=1000), "c2a6dfdf2eccc14a"),
]
"""Name, configuration, and the digest of its first 30 proposals, which never changes."""

DRAWS_NOTHING = {"listed"}
"""What is the same for every seed."""

N_STEPS = 30
Log = list[Proposal | Evaluation]


@pytest.fixture(params=[config for _, config, _ in SEARCHES], ids=[name for name, *_ in SEARCHES])
def config(request: pytest.FixtureRequest) -> SearchConfig:
    return request.param


def built(config: Any, **fields: Any) -> Search:
    return config.build(context(objectives=objectives_of(config), **fields))


def objectives_of(config: Any) -> Objectives:
    return TWO if config in SEVERAL else ONE


def fold(search: Search, log: Log) -> list[Proposal]:
    """Give a search its log; the proposals that wait for a result."""
    pending: dict[int, Proposal] = {}
    for event in log:
        if isinstance(event, Proposal):
            search.recall([event])
            pending[event.id] = event
        else:
            search.tell([event])
            del pending[event.id]
    return list(pending.values())


def driven(
    search: Search, lag: int, n: int = N_STEPS, *, log: Log | None = None, fails: Callable[[int], bool] = nobody
) -> Log:
    """The log once `n` results are told, from where `log` ends, with `lag` proposals in flight."""
    log = list(log or [])
    pending = fold(search, log)
    n_told = sum(isinstance(event, Evaluation) for event in log)
    while n_told < n:
        while len(pending) < lag and (asked := search.ask(1)):
            pending += asked
            log += asked
        log.append(pretended(pending.pop(0), fails))
        search.tell(log[-1:])
        n_told += 1
    return log


def proposals(log: Log) -> list[Proposal]:
    return [event for event in log if isinstance(event, Proposal)]


def names(log: Log) -> list[Any]:
    return [[one.id, list(one.parents), one.operator, one.genome.digest] for one in proposals(log)]


# The fold over the log


def test_resumed_at_any_point_equals_uninterrupted(config: SearchConfig) -> None:
    whole = driven(built(config), config.lag)
    for cut in range(len(whole)):
        if cut % 4 == 0 or cut > len(whole) - 5:
            assert driven(built(config), config.lag, log=whole[:cut]) == whole, f"cut after {cut} events"


def test_a_log_with_failures_is_resumed_as_well(config: SearchConfig) -> None:
    def fails(id: int) -> bool:
        return id % 3 == 1

    whole = driven(built(config), config.lag, fails=fails)
    for cut in range(0, len(whole), 6):
        assert driven(built(config), config.lag, log=whole[:cut], fails=fails) == whole, f"cut after {cut} events"


def test_results_may_be_told_without_their_weights(config: SearchConfig) -> None:
    a, b = built(config), built(config)
    first = driven(a, config.lag, 11)
    bare = [
        event if isinstance(event, Proposal) else Evaluation(event.id, event.state, event.metrics) for event in first
    ]
    fold(b, bare)
    assert a.keeps() == b.keeps()
    assert a.ask(5) == b.ask(5)


def test_results_told_together_equal_results_told_one_by_one(config: SearchConfig) -> None:
    a, b = built(config), built(config)
    asked = a.ask(4)
    assert b.ask(4) == asked
    results = [pretended(one) for one in asked]
    a.tell(results)
    for one in results:
        b.tell([one])
    assert a.keeps() == b.keeps()
    assert a.ask(9) == b.ask(9)


@pytest.mark.usefixtures("fast_disk")
@pytest.mark.parametrize("n_workers", [2, 3, 7])
def test_one_worker_equals_several(config: SearchConfig, n_workers: int, tmp_path: Path) -> None:
    alone, many = Pretending(1, lambda id: id % 7 == 3), Pretending(n_workers, lambda id: id % 7 == 3)
    a, b = ran(config, tmp_path / "alone", alone), ran(config, tmp_path / "many", many)
    assert len(a) == N_STEPS
    assert a == b
    assert sorted(job.proposal.id for job in many.jobs) == list(range(N_STEPS))
    assert [job.legacies for job in sorted(many.jobs, key=number)] == [job.legacies for job in alone.jobs]


def number(job: Any) -> int:
    return job.proposal.id


def ran(config: Any, directory: Path, evaluator: Pretending) -> list[dict[str, Any]]:
    """The individuals of a campaign whose candidates are not trained."""
    given = context()
    spec = Spec(
        task="digits",
        search=config,
        encoding=given.encoding,
        budget=CampaignBudget(evaluations=N_STEPS),
        objectives=objectives_of(config),
    )
    store = Store.create(directory, {})
    try:
        Loop(spec, given.encoding, store, Campaign.of(spec).search(given.encoding), evaluator).run()
        return record(store.individuals())
    finally:
        store.close()


# Failures


def test_a_failed_evaluation_is_survived(config: SearchConfig) -> None:
    log = driven(built(config), config.lag, fails=lambda id: id in (2, 9, 10, 17))
    assert not {2, 9, 10, 17} & {parent for one in proposals(log) for parent in one.parents}
    assert len(proposals(log)) >= N_STEPS


@pytest.mark.parametrize(("first", "last"), [(0, 14), (8, 20), (0, N_STEPS)])
def test_a_time_in_which_all_fail_is_survived(config: SearchConfig, first: int, last: int) -> None:
    search = built(config)
    log = driven(search, config.lag, fails=lambda id: first <= id < last)
    asked = proposals(log)
    assert len(asked) >= N_STEPS
    assert not set(range(first, last)) & {parent for one in asked for parent in one.parents}
    assert not set(range(first, last)) & search.keeps()


# Weights


@pytest.mark.parametrize("fails", [nobody, lambda id: id % 4 == 2], ids=["none fails", "some fail"])
def test_it_keeps_every_donor_that_a_later_proposal_names(config: SearchConfig, fails: Callable[[int], bool]) -> None:
    search = built(config)
    log: Log = []
    told: set[int] = set()
    kept: list[tuple[int, set[int], set[int]]] = []
    for n in range(1, N_STEPS + 1):
        before = len(log)
        log = _one_more(search, config.lag, log, fails)
        told |= {event.id for event in log[before:] if isinstance(event, Evaluation)}
        kept.append((len(log), set(told), search.keeps()))
        assert len(told) == n
    for at, known, keeps in kept:
        needed = {donor for event in log[at:] if isinstance(event, Proposal) for donor in event.donors}
        assert needed & known <= keeps
        assert keeps <= known


def _one_more(search: Search, lag: int, log: Log, fails: Callable[[int], bool]) -> Log:
    told = {event.id for event in log if isinstance(event, Evaluation)}
    pending = [one for one in proposals(log) if one.id not in told]
    log = list(log)
    while len(pending) < lag and (asked := search.ask(1)):
        pending += asked
        log += asked
    log.append(pretended(pending[0], fails))
    search.tell(log[-1:])
    return log


def test_parents_leave_weights_unless_the_campaign_forbids_it(config: SearchConfig) -> None:
    for inherit in (True, False):
        asked = proposals(driven(built(config, inherit=inherit), config.lag))
        for one in asked:
            assert one.donors == (tuple(dict.fromkeys(one.parents)) if inherit else ())


# Proposals


def test_ask_gives_no_more_than_it_was_asked_for_and_numbers_on(config: SearchConfig) -> None:
    search = built(config)
    assert search.ask(0) == []
    ids: list[int] = []
    for n in (1, 3, 7, 50, 2):
        asked = search.ask(n)
        assert len(asked) <= n
        ids += [one.id for one in asked]
        search.tell(pretended(one) for one in asked)
    assert ids == list(range(len(ids)))
    assert len(ids) > 5


def test_asking_at_once_equals_asking_one_by_one(config: SearchConfig) -> None:
    a, b = built(config), built(config)
    for search in (a, b):
        driven(search, 1, 7)
    at_once = a.ask(3)
    assert at_once == [one for _ in range(3) for one in b.ask(1)]
    assert at_once


def test_parents_are_told_before_their_children_are_proposed(config: SearchConfig) -> None:
    told: set[int] = set()
    for event in driven(built(config), config.lag):
        if isinstance(event, Evaluation):
            told.add(event.id)
        else:
            assert set(event.parents) | set(event.donors) <= told
            assert event.budget.epochs == 2
            assert event.generation >= 0
            json.dumps(dict(event.memory), allow_nan=False)


def test_nothing_global_is_drawn_from_or_seeded(config: SearchConfig) -> None:
    random.seed(12345)
    np.random.seed(12345)
    before = random.getstate(), repr(np.random.get_state())
    log = driven(built(config), config.lag)
    assert (random.getstate(), repr(np.random.get_state())) == before
    random.seed(2)
    assert driven(built(config), config.lag) == log


def test_another_seed_gives_another_list(config: Any) -> None:
    lists = [names(driven(built(config, seed=seed), config.lag, 20)) for seed in (0, 0, 1, 2)]
    assert lists[0] == lists[1]
    assert len({json.dumps(one) for one in lists}) == (1 if config.name in DRAWS_NOTHING else 3)


@pytest.mark.parametrize(("name", "config", "golden"), SEARCHES, ids=[name for name, *_ in SEARCHES])
def test_the_first_30_proposals_never_change(name: str, config: SearchConfig, golden: str) -> None:
    found = names(driven(built(config), config.lag))[:N_STEPS]
    assert hashlib.sha256(json.dumps(found).encode()).hexdigest()[:16] == golden
