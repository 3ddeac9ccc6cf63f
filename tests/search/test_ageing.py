"""Ageing evolution follows Algorithm 1 of Real, Aggarwal, Huang & Le 2019."""

from collections import Counter

import numpy as np
import pytest

from evonas.record import COMPLETE, FAILED, Evaluation, Proposal
from evonas.search import AgeingConfig, RandomConfig, Search
from evonas.search.ageing import AgeingEvolution
from genomes import Dag
from tests.campaigns import context, pretended


def told(search: Search, proposal: Proposal, accuracy: float) -> None:
    search.tell([Evaluation(proposal.id, COMPLETE, {"accuracy": accuracy, "loss": 1.0})])


def steps(
    config: AgeingConfig, fitness: dict[int, float], n: int, seed: int = 0
) -> tuple[AgeingEvolution, list[Proposal]]:
    """`n` steps without lag; what is not in `fitness` reaches 0."""
    search = config.build(context(seed=seed))
    asked = []
    for _ in range(n):
        asked += search.ask(1)
        told(search, asked[-1], fitness.get(asked[-1].id, 0.0))
    return search, asked


def test_the_first_p_are_sampled_and_all_others_mutated() -> None:
    _, asked = steps(AgeingConfig(population=7, sample_size=3), {}, 40)
    assert [one.id for one in asked if not one.parents] == list(range(7))
    assert {one.operator for one in asked[:7]} == {"sample"}
    assert all(len(one.parents) == 1 and one.operator != "sample" for one in asked[7:])


def test_the_oldest_dies_however_good_it_is() -> None:
    search, _ = steps(AgeingConfig(population=5, sample_size=2), {0: 1.0, 3: 0.9}, 5)
    for newest in range(5, 15):
        (one,) = search.ask(1)
        told(search, one, 0.0)
        assert search.keeps() == set(range(newest - 4, newest + 1))


def test_the_failed_never_join_and_push_nobody_out() -> None:
    search, _ = steps(AgeingConfig(population=5, sample_size=2), {}, 5)
    (one,) = search.ask(1)
    search.tell([Evaluation(one.id, FAILED, error="no")])
    assert search.keeps() == set(range(5))


def test_a_large_sample_finds_the_best_of_the_living() -> None:
    _, asked = steps(AgeingConfig(population=6, sample_size=500), {2: 1.0, 4: 0.5}, 11)
    assert [one.parents for one in asked[6:]] == [(2,), (2,), (2,), (4,), (4,)]


def test_a_sample_of_one_chooses_evenly() -> None:
    parents: Counter[int] = Counter()
    for seed in range(300):
        _, asked = steps(AgeingConfig(population=4, sample_size=1), {0: 1.0}, 5, seed)
        parents[asked[4].parents[0]] += 1
    assert sorted(parents) == [0, 1, 2, 3]
    assert np.square(np.array([parents[id] for id in range(4)]) - 75).sum() / 75 < 16.3, "χ² with 3 degrees, p = 0.001"


def test_the_sample_is_drawn_with_replacement() -> None:
    # Of P = 4, a sample of S = 4 with replacement misses the best in (3/4)^4 = 32 % of draws; without, never.
    missed = 0
    for seed in range(300):
        _, asked = steps(AgeingConfig(population=4, sample_size=4), {0: 1.0}, 5, seed)
        missed += asked[4].parents != (0,)
    assert 64 < missed < 128, "four deviations about 94.9"


def test_a_population_smaller_than_its_sample_is_no_error() -> None:
    _, asked = steps(AgeingConfig(population=1, sample_size=25), {}, 6)
    assert [one.parents for one in asked] == [(), (0,), (1,), (2,), (3,), (4,)]


@pytest.mark.parametrize("seed", range(3))
def test_it_beats_random_search_where_genomes_have_a_slope(seed: int) -> None:
    """In the manner of the paper's toy: a planted value, here the number of nodes, which few samples have."""
    encoding = Dag(widths=(4, 8), max_sampled=4, max_nodes=24)
    found = {}
    for name, config in (("ageing", AgeingConfig(population=20, sample_size=8)), ("random", RandomConfig())):
        search, best = config.build(context(seed=seed)), []
        for _ in range(300):
            (one,) = search.ask(1)
            best.append(len(one.genome.nodes))
            told(search, one, float(best[-1]))
        found[name] = np.maximum.accumulate(best)
    assert encoding.max_nodes > 8
    assert found["ageing"][-1] > found["random"][-1]


def test_results_may_lag() -> None:
    config = AgeingConfig(population=4, sample_size=2, lag=3)
    search = config.build(context())
    waiting = search.ask(3)
    for _ in range(20):
        search.tell([pretended(waiting.pop(0))])
        waiting += search.ask(1)
        assert len(search.keeps()) <= 4
        assert max(search.keeps()) == waiting[0].id - 1
