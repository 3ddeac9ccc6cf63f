"""How different genomes are."""

import numpy as np
import pytest

from evonas.analysis.diversity import LEAST, MOST, PAIRS, POINTS, diversity
from evonas.record import COMPLETE, FAILED, Individual


def individual(id: int, place: float, *, state: str = COMPLETE, epochs: int = 2) -> Individual:
    given = (id, state, (), "sample", (), 0, str(place), "", "")
    return Individual(*given, fitness=0.5, epochs=epochs, elapsed=float(id))  # type: ignore[arg-type]


def measured(told: list[Individual], **fields):  # type: ignore[no-untyped-def]
    return diversity(told, lambda one: float(one.genome), lambda a, b: abs(a - b), **fields)


def test_a_few_are_compared_pair_by_pair() -> None:
    found = measured([individual(0, 0.0), individual(1, 1.0), individual(2, 3.0)])
    assert found.at.tolist() == [3.0]
    assert found.distances[0].tolist() == [2.0]


def test_only_the_latest_count_and_failures_do_not() -> None:
    told = [individual(i, 100.0 * i if i < 30 else 1.0) for i in range(60)]
    told.insert(5, individual(60, 1e9, state=FAILED))
    found = measured(told)
    assert found.n_latest == LEAST
    assert found.distances[0][0] > 100
    assert found.distances[0][-1] == 0
    assert len(found.at) <= POINTS


def test_the_same_record_gives_the_same_pairs_and_another_seed_others() -> None:
    rng = np.random.default_rng(0)
    told = [individual(i, place) for i, place in enumerate(rng.random(3000))]
    first, again, other = measured(told), measured(told), measured(told, seed=1)
    np.testing.assert_array_equal(first.distances, again.distances)
    assert (first.distances != other.distances).any()
    assert first.n_latest == MOST
    assert abs(first.distances[0].mean() - 1 / 3) < 0.05


def test_genomes_are_read_once_and_only_those_that_are_drawn() -> None:
    reads: list[int] = []
    told = [individual(i, float(i)) for i in range(4000)]

    def read(one: Individual) -> float:
        reads.append(one.id)
        return float(one.genome)

    diversity(told, read, lambda a, b: abs(a - b))
    assert len(reads) == len(set(reads)) <= 2 * PAIRS * POINTS


@pytest.mark.parametrize(("axis", "last"), [("evaluations", 12.0), ("epochs", 24.0), ("seconds", 11.0)])
def test_places_count_what_is_asked_for(axis: str, last: float) -> None:
    assert measured([individual(i, float(i)) for i in range(12)], axis=axis).at[-1] == last


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_have_no_diversity(n: int) -> None:
    found = measured([individual(i, 0.0) for i in range(n)])
    assert found.at.shape == (0,)
    assert found.distances.shape == (3, 0)
