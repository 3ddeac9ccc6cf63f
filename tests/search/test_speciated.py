"""Evolution in species follows Stanley & Miikkulainen 2002."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evonas.campaign import Spec
from evonas.record import COMPLETE, FAILED, Budget, Evaluation, Proposal
from evonas.search import Context, Speciated, SpeciatedConfig
from evonas.search.species import Member, Species, apportioned, divided, ranked, shares
from genomes import Dag, Neat
from genomes.encoding import MEASURES_MANY, Decide, Variation


@dataclass(frozen=True)
class Point:
    """A genome that is a number."""

    x: float

    @property
    def digest(self) -> str:
        return f"{self.x!r}"


@dataclass(frozen=True)
class Line:
    """Genomes on a line; what crossover makes lies nearer to the fitter parent."""

    abilities: frozenset[str] = frozenset()
    spread: float = 10.0
    step: float = 0.05

    def sample(self, decide: Decide, *, rng: np.random.Generator) -> Point:
        return Point(float(rng.uniform(-self.spread, self.spread)))

    def mutate(self, genome: Point, *, rng: np.random.Generator) -> Variation[Point]:
        return Variation(Point(genome.x + float(rng.normal(0, self.step))), "shift", ())

    def crossover(self, a: Point, b: Point, *, rng: np.random.Generator) -> Variation[Point]:
        return Variation(Point(0.9 * a.x + 0.1 * b.x), "crossover", ())

    def distance(self, a: Point, b: Point) -> float:
        return abs(a.x - b.x)

    def distances(self, a: Sequence[Point], b: Sequence[Point]) -> np.ndarray:
        return np.abs(np.array([one.x for one in a])[:, None] - np.array([one.x for one in b]))


Fitness = Callable[[Proposal], float | None]


def x_of(proposal: Proposal) -> float:
    genome: Any = proposal.genome
    return float(genome.x)


def built(encoding: Any = Line(), seed: int = 0, **fields: Any) -> Speciated:
    context = Context(encoding, seed, lambda evaluation: (evaluation.metrics["fitness"],), lambda inherits: Budget(0))
    return SpeciatedConfig(**fields).build(context)


def told(search: Speciated, proposals: Sequence[Proposal], fitness: Fitness = x_of) -> None:
    """Tell what was asked; None: it failed. The size of a genome is its distance from 0."""
    for one in proposals:
        value = fitness(one)
        known = {"fitness": value, "parameters": abs(x_of(one))} if value is not None else {}
        search.tell([Evaluation(one.id, FAILED if value is None else COMPLETE, known)])


def generation(search: Speciated, fitness: Fitness = x_of) -> list[Proposal]:
    """Ask for a whole generation and tell it."""
    asked = search.ask(100_000)
    told(search, asked, fitness)
    return asked


def species(number: int, *values: float, n_stale: int = 0) -> Species:
    return Species(number, ranked(Member(at, Point(value), value) for at, value in enumerate(values)), n_stale=n_stale)


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


# Births


def parents_of(asked: Sequence[Proposal]) -> list[tuple[int, ...]]:
    return [one.parents for one in asked]


def test_the_population_has_its_size_in_every_generation() -> None:
    search = built(population=17, threshold=1.0)
    for at in range(8):
        asked = generation(search)
        assert [one.id for one in asked] == list(range(17 * at, 17 * at + 17))
        assert {one.generation for one in asked} == {at}


def test_the_champion_of_a_species_of_more_than_five_is_copied() -> None:
    for n, copied in ((5, []), (6, ["copy"])):
        search = built(Line(spread=0.1), population=n, threshold=100.0)
        first = generation(search)
        second = search.ask(n)
        assert [one.operator for one in second if one.operator == "copy"] == copied
        if copied:
            best = max(first, key=x_of)
            assert (second[0].genome, second[0].parents) == (best.genome, (best.id,))


def test_parents_are_the_best_fifth_of_a_species() -> None:
    search = built(Line(spread=0.1), population=50, threshold=100.0)
    first = generation(search)
    best = {one.id for one in sorted(first, key=x_of, reverse=True)[:11]}  # ⌊50 / 5⌋ + 1
    assert {id for one in search.ask(50) for id in one.parents} == best


def test_couples_are_two_with_the_fitter_first() -> None:
    search = built(Line(spread=0.1), population=60, threshold=100.0, crossover=1.0)
    fitness = {one.id: x_of(one) for one in generation(search)}
    second = search.ask(60)[1:]
    assert all(len(set(one.parents)) == 2 for one in second)
    assert all(fitness[a] >= fitness[b] for a, b in (one.parents for one in second))


def test_of_equally_fit_ones_the_smaller_is_the_champion_and_the_first_parent() -> None:
    search = built(Line(spread=1.0), population=40, threshold=100.0, crossover=1.0)
    size = {one.id: abs(x_of(one)) for one in generation(search, lambda one: 1.0)}
    (members,) = search.species[0].members.values()
    assert [size[id] for id in members] == sorted(size.values())
    second = search.ask(40)[1:]
    assert len({one.parents for one in second}) > 10
    assert all(size[a] <= size[b] for a, b in (one.parents for one in second))


def test_rates_decide_how_children_are_made() -> None:
    search = built(Line(spread=0.1), population=2000, threshold=100.0)
    generation(search)
    made = Counter(one.operator for one in search.ask(2000))
    n = 1999
    assert made["copy"] == 1
    for operator, rate in (("shift", 0.25), ("crossover", 0.75 * 0.2), ("crossover+shift", 0.75 * 0.8)):
        assert abs(made[operator] - rate * n) < 4 * np.sqrt(n * rate * (1 - rate)), operator


def test_parents_of_equal_genomes_have_mutants_only() -> None:
    search = built(Line(spread=0.0), population=30, threshold=1.0, crossover=1.0, mutation=0.0)
    generation(search)
    assert {one.operator for one in search.ask(30)[1:]} == {"crossover+shift"}


@pytest.mark.parametrize("fields", [{}, {"parents": "tournament", "tournament": 500}], ids=["random", "tournament"])
def test_a_tournament_prefers_the_fittest(fields: dict[str, Any]) -> None:
    search = built(Line(spread=0.1), population=50, threshold=100.0, crossover=0.0, **fields)
    generation(search)
    n_parents = len(set(parents_of(search.ask(50))))
    assert n_parents == 1 if fields else n_parents > 6


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_mating_between_species_is_with_a_champion_of_another(rate: float) -> None:
    search = built(Line(), population=40, threshold=3.0, crossover=1.0, interspecies=rate)
    generation(search)
    groups = search.species[0].members
    home = {id: number for number, ids in groups.items() for id in ids}
    couples = [one.parents for one in search.ask(40) if len(one.parents) == 2]
    assert couples
    for a, b in couples:
        assert (home[a] != home[b]) == bool(rate)
        assert not rate or {a, b} & set(search.species[0].champions.values())


# Stagnation


@dataclass(frozen=True)
class Clusters(Line):
    """Genomes around -10, 0 and 10."""

    step: float = 0.01

    def sample(self, decide: Decide, *, rng: np.random.Generator) -> Point:
        return Point(10.0 * (int(rng.integers(3)) - 1))


def flat(one: Proposal) -> float:
    """The same for all of a cluster: 1, 2 and 3."""
    return 2.0 + round(x_of(one) / 10)


def alive(search: Speciated) -> list[int]:
    return [len(one.members) for one in search.species]


@pytest.mark.parametrize("elitism", [1, 2])
def test_a_species_that_does_not_improve_dies_unless_it_is_among_the_best(elitism: int) -> None:
    search = built(Clusters(), population=30, threshold=2.0, stagnation=4, species_elitism=elitism)
    asked = [generation(search, flat) for _ in range(7)]
    assert alive(search) == [3, 3, 3, 3, 3, elitism, elitism]
    assert {flat(one) for one in asked[-1]} == {1: {3.0}, 2: {2.0, 3.0}}[elitism]


def test_a_species_that_improves_lives_on() -> None:
    search = built(Clusters(), population=30, threshold=2.0, stagnation=3, species_elitism=0)
    for _ in range(10):
        generation(search, lambda one: one.generation + flat(one))
    assert alive(search) == [3] * 10


def test_a_population_that_does_not_improve_is_left_to_its_two_best_species() -> None:
    search = built(Clusters(), population=30, threshold=2.0, stagnation=100, population_stagnation=4)
    for _ in range(9):
        generation(search, flat)
    # Generation 0 sets the best, 1 to 5 do not improve: more than 4 generations.
    assert alive(search) == [3, 3, 3, 3, 3, 3, 2, 2, 2]


def test_total_extinction_keeps_the_best_and_samples_anew() -> None:
    search = built(Clusters(), population=30, threshold=2.0, stagnation=3, species_elitism=0)
    for _ in range(4):
        generation(search, flat)
    asked = search.ask(100)
    assert [one.operator for one in asked] == ["copy", *["sample"] * 29]
    assert x_of(asked[0]) > 5
    assert asked[0].parents[0] in search.keeps()
    told(search, asked, flat)
    assert not set(search.species[-1].members) & set(search.species[-2].members), "new species have new numbers"


# Failures


def test_those_that_fail_have_no_species_and_no_children() -> None:
    search = built(population=20, threshold=2.0)
    generation(search, lambda one: None if one.id % 3 else x_of(one))
    ids = [id for members in search.species[0].members.values() for id in members]
    assert sorted(ids) == list(range(0, 20, 3))
    assert all(id % 3 == 0 for one in search.ask(20) for id in one.parents)


def test_a_generation_in_which_all_fail_goes_on_from_the_one_before() -> None:
    search = built(population=12, threshold=2.0)
    first = generation(search)
    failed = generation(search, lambda one: None)
    again = generation(search)
    assert {id for one in again for id in one.parents} <= {one.id for one in first}
    assert [one.genome for one in again] != [one.genome for one in failed]
    assert [one.generation for one in search.species] == [0, 2]


def test_while_none_has_succeeded_the_search_samples() -> None:
    search = built(population=6)
    for _ in range(3):
        assert {one.operator for one in generation(search, lambda one: None)} == {"sample"}
    assert search.species == []


# The record


def test_a_search_that_reads_its_log_has_the_same_species() -> None:
    def fails(one: Proposal) -> float | None:
        return None if one.id % 7 == 3 else x_of(one)

    a, b = (built(Line(step=0.5), population=15, threshold=2.0, target_species=4, stagnation=3) for _ in range(2))
    for _ in range(7):
        asked = generation(a, fails)
        for one in asked:
            b.recall([one])
        told(b, asked, fails)
    assert a.species == b.species
    assert a.keeps() == b.keeps()
    assert a.ask(100) == b.ask(100)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 30),
    st.floats(0.1, 20),
    st.floats(0, 1),
    st.integers(0, 3),
    st.integers(1, 3),
    st.lists(st.sampled_from([None, -5.0, 0.0, 1.0, 1e300, -1e300]), min_size=1, max_size=7),
)
def test_it_goes_on_whatever_it_is_told(
    population: int, threshold: float, survival: float, elitism: int, stagnation: int, values: list[float | None]
) -> None:
    search = built(
        population=population,
        threshold=threshold,
        survival=survival,
        species_elitism=elitism,
        stagnation=stagnation,
        population_stagnation=2,
        interspecies=0.3,
        champions=1,
    )
    for _ in range(6):
        assert len(generation(search, lambda one: values[one.id % len(values)])) == population


def test_a_generation_is_in_flight_unless_a_lag_is_given() -> None:
    assert SpeciatedConfig(population=12).lag == 12
    assert SpeciatedConfig().lag == SpeciatedConfig().population == 150
    assert SpeciatedConfig(population=12, lag=3).lag == 3
    spec = Spec.model_validate({"search": {"name": "speciated", "population": 9}})
    assert (spec.search.lag, spec.encoding) == (9, Dag())


def test_neat_resumed_within_a_generation_goes_on_as_if_it_had_not_stopped() -> None:
    neat = Neat(n_inputs=2, n_outputs=1)

    def fitness(one: Proposal) -> Evaluation:
        genome: Any = one.genome
        return Evaluation(one.id, COMPLETE, {"fitness": sum(genome.weights), "parameters": len(genome.weights)})

    whole = built(neat, population=20)
    log = [one for _ in range(4) for one in whole.ask(20) if whole.tell([fitness(one)]) is None]
    assert any("+" in one.operator for one in log)
    resumed = built(neat, population=20)
    for start in (0, 20):
        resumed.recall(log[start : start + 20])
        resumed.tell(map(fitness, log[start : start + 20]))
    resumed.recall(log[40:52])
    resumed.tell(map(fitness, log[40:47]))
    rest = [*resumed.ask(3), *resumed.ask(20)]
    assert rest == log[52:60]
    resumed.tell(map(fitness, log[47:60]))
    assert resumed.ask(20) == log[60:]
