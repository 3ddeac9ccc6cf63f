"""Who belongs together, what a species is worth, and what it gets."""

from collections import Counter
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas.search.species import apportioned, divided, shares
from genomes.encoding import MEASURES_MANY
from tests.search.line import Line, Point, built, generation, species, x_of

# Apportionment and sharing


@given(
    st.lists(st.floats(0, 1e12, allow_subnormal=False), min_size=1, max_size=60).filter(lambda parts: sum(parts) > 0),
    st.integers(0, 2000),
)
def test_places_are_divided_exactly_and_nobody_is_further_than_one_from_its_quota(parts: list[float], n: int) -> None:
    counts = apportioned(parts, n)
    quotas = np.array(parts) / sum(parts) * n
    assert sum(counts) == n
    assert (np.abs(counts - quotas) < 1 + 1e-6).all()


def test_the_largest_remainders_get_what_is_left() -> None:
    assert apportioned([5, 3, 1], 4) == [2, 1, 1]  # quotas 2.22, 1.33, 0.44
    assert apportioned([1, 1, 1], 2) == [1, 1, 0]
    assert apportioned([0, 2, 0], 7) == [0, 7, 0]


def test_a_species_is_worth_the_mean_of_its_members() -> None:
    large, small = species(0, 1.0, 2.0, 3.0, 2.0), species(1, 6.0)
    worth = shares([large, small], [*large.members, *small.members])
    assert worth[1] / worth[0] == pytest.approx(3.0)


def test_fitness_that_is_negative_is_relative_to_the_lowest() -> None:
    a, b, c = species(0, -8.0, -2.0), species(1, -4.0), species(2, -10.0)
    worth = shares([a, b, c], [one for kind in (a, b, c) for one in kind.members])
    assert worth.tolist() == pytest.approx([0.5, 0.6, 0.0])


@pytest.mark.parametrize("value", [0.0, -3.0, 1e308])
def test_where_all_are_equal_each_species_is_worth_the_same(value: float) -> None:
    kinds = [species(0, value, value, value), species(1, value)]
    worth = shares(kinds, [one for kind in kinds for one in kind.members])
    assert worth[0] == worth[1] > 0


def test_offspring_follow_the_worth_of_a_species() -> None:
    search = built(population=40, threshold=4.0, interspecies=0.0)
    fitness = {one.id: 1.0 + abs(x_of(one)) for one in generation(search, lambda one: 1.0 + abs(x_of(one)))}
    groups = search.species[0].members
    children = Counter(one.parents[0] for one in search.ask(40))
    found = [sum(children[id] for id in ids) for ids in groups.values()]
    assert len(groups) > 2
    assert found == apportioned([np.mean([fitness[id] for id in ids]) for ids in groups.values()], 40)


# Division


def test_a_genome_joins_the_first_species_that_is_near_enough_and_else_founds_one() -> None:
    points = [Point(x) for x in (0.4, 5.0, 0.9, 5.4, 20.0, 4.6, 1.2)]
    for encoding in (Line(), Line(frozenset({MEASURES_MANY}))):
        found = divided(encoding, [Point(0.0), Point(0.8)], points, 1.0)  # type: ignore[arg-type]
        assert found == [0, 2, 0, 2, 3, 2, 1]
        assert divided(encoding, [], points, 1.0) == [0, 1, 0, 1, 2, 1, 0]  # type: ignore[arg-type]
        assert divided(encoding, [Point(0.0)], [], 1.0) == []  # type: ignore[arg-type]


def test_many_species_are_founded_as_if_one_genome_chose_after_the_other() -> None:
    rng = np.random.default_rng(0)
    points = [Point(float(x)) for x in rng.uniform(0, 40, 300)]
    founders = [points[0].x - 0.5]
    expected = []
    for one in points:
        near = [at for at, x in enumerate(founders) if abs(x - one.x) < 1.0]
        expected.append(near[0] if near else len(founders))
        founders += [] if near else [one.x]
    assert len(founders) > 20
    for encoding in (Line(), Line(frozenset({MEASURES_MANY}))):
        assert divided(encoding, [Point(founders[0])], points, 1.0) == expected  # type: ignore[arg-type]


def test_measuring_many_distances_at_once_changes_nothing() -> None:
    runs = []
    for abilities in (frozenset[str](), frozenset({MEASURES_MANY})):
        search = built(Line(abilities, step=2.0), population=20, threshold=2.0)
        asked = [one for _ in range(6) for one in generation(search)]
        runs.append(([(one.genome, one.parents, one.operator) for one in asked], search.species))
    assert runs[0] == runs[1]


def test_species_keep_their_number_and_name_their_members_the_fittest_first() -> None:
    search = built(population=30, threshold=3.0)
    fitness: dict[int, float] = {}
    for _ in range(5):
        fitness |= {one.id: x_of(one) for one in generation(search)}
    assert [one.generation for one in search.species] == list(range(5))
    for at, one in enumerate(search.species):
        ids = [id for members in one.members.values() for id in members]
        assert sorted(ids) == list(range(30 * at, 30 * at + 30))
        for number, members in one.members.items():
            assert [fitness[id] for id in members] == sorted((fitness[id] for id in members), reverse=True)
            assert one.champions[number] == members[0]
    first, last = search.species[0].members, search.species[-1].members
    assert set(last) < set(first), "on a line with small steps the better of the first species remain"


@pytest.mark.parametrize("representative", ["random", "champion"])
def test_the_new_are_compared_with_a_member_of_the_generation_before(representative: str) -> None:
    class Watched(Line):
        compared: ClassVar[list[Point]] = []

        def distance(self, a: Point, b: Point) -> float:
            self.compared.append(b)
            return super().distance(a, b)

    encoding = Watched(spread=1.0)
    search = built(encoding, population=12, threshold=100.0, representative=representative)
    champions = []
    for _ in range(6):
        before = generation(search)
        encoding.compared.clear()
        generation(search)
        (compared,) = set(encoding.compared)
        assert compared in [one.genome for one in before]
        champions.append(compared == max(before, key=x_of).genome)
    assert all(champions) == (representative == "champion")


@pytest.mark.parametrize(("target", "start"), [(6, 0.05), (3, 40.0)])
def test_a_dynamic_threshold_approaches_its_number_of_species(target: int, start: float) -> None:
    encoding = Line(step=1.5)
    fixed = built(encoding, population=60, threshold=start)
    moved = built(encoding, population=60, threshold=start, target_species=target, threshold_step=0.3)
    for _ in range(40):
        generation(fixed, lambda one: 1.0)
        generation(moved, lambda one: 1.0)
    late = np.mean([len(one.members) for one in moved.species[-15:]])
    assert abs(late - target) <= 2 < abs(len(fixed.species[-1].members) - target) or start == 40.0
    thresholds = [one.threshold for one in moved.species]
    assert np.abs(np.diff(thresholds)).max() == pytest.approx(0.3)
    assert min(thresholds) >= 0.05


def test_the_threshold_never_falls_below_its_step() -> None:
    search = built(Line(spread=0.0), population=5, threshold=1.0, target_species=3, threshold_step=0.4)
    for _ in range(6):
        generation(search)
    assert [one.threshold for one in search.species] == pytest.approx([1.0, 0.6, 0.4, 0.4, 0.4, 0.4])
