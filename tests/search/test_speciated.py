"""Evolution in species follows Stanley & Miikkulainen 2002."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evonas.campaign import Spec
from evonas.record import COMPLETE, Evaluation, Proposal
from evonas.search import Speciated, SpeciatedConfig
from genomes import Dag, Neat
from genomes.encoding import Decide
from tests.search.line import Line, Point, built, generation, told, x_of

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
