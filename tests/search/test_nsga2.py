"""Evolution with several objectives."""

import random
from typing import Any

import pytest
from deap import tools

from evonas.record import COMPLETE, Evaluation, Proposal
from evonas.search import Context, EvolutionConfig
from evonas.search.evolution import Member, toolbox_for
from evonas.search.nsga2 import Fitness, crowded_tournament, fitness_class, survivors
from genomes import Dag
from tests.campaigns import TWO, context


def member(*values: float, id: int = 0, crowding: float = 0.0) -> Member:
    made = Member(None, id, n_objectives=len(values))
    made.fitness.values = values
    made.fitness.crowding_dist = crowding
    return made


def test_fitness_has_as_many_values_as_there_are_objectives_and_each_is_maximised() -> None:
    assert fitness_class(1) is Fitness
    three = fitness_class(3)
    assert three is fitness_class(3)
    assert three((1.0, 2.0, 3.0)).dominates(three((1.0, 2.0, 2.0)))
    assert not three((1.0, 0.0, 3.0)).dominates(three((0.0, 1.0, 3.0)))
    assert Fitness((1.0,)) < Fitness((2.0,))


def test_operators_follow_the_number_of_objectives() -> None:
    config = EvolutionConfig(tournament=5)
    made = toolbox_for(config, Dag(), n_objectives=2)
    assert (made.select.func, made.select.keywords) == (crowded_tournament, {"tournsize": 5})
    assert made.survive.func is survivors
    assert toolbox_for(config, Dag()).select.func is tools.selTournament


def test_a_tournament_prefers_who_dominates_then_who_is_less_crowded() -> None:
    best, dominated = member(2.0, 2.0, id=1), member(1.0, 1.0, id=2, crowding=9.0)
    rare, crowded = member(0.0, 3.0, id=3, crowding=2.0), member(3.0, 0.0, id=4, crowding=1.0)
    random.seed(0)
    assert {one.id for one in crowded_tournament([best, dominated], 20, 40)} == {1}
    assert {one.id for one in crowded_tournament([rare, crowded], 20, 40)} == {3}
    assert {one.id for one in crowded_tournament([rare, crowded], 40, 1)} == {3, 4}
    assert len(crowded_tournament([rare], 3, 2)) == 3


def test_survivors_are_whole_fronts_and_of_the_last_the_least_crowded() -> None:
    first = [member(float(x), 10.0 - x, id=x) for x in (0, 1, 5, 10)]
    second = [member(x - 0.5, 9.0 - x, id=20 + x) for x in (1, 5)]
    assert {one.id for one in survivors([*second, *first], 3)} == {0, 5, 10}
    assert {one.id for one in survivors([*second, *first], 4)} == {0, 1, 5, 10}
    assert {one.id for one in survivors([*second, *first], 6)} == {0, 1, 5, 10, 21, 25}
    assert survivors([], 3) == survivors(first, 0) == []


def metrics(proposal: Proposal) -> dict[str, float]:
    """A problem whose front is known: w parameters allow an accuracy of w, and more than four nodes lower it."""
    genome: Any = proposal.genome
    n_nodes, total = len(genome.nodes), sum(gene.width for gene in genome.nodes)
    return {"accuracy": total - abs(n_nodes - 4) / 2, "loss": 0.0, "parameters": float(total)}


def told(given: Context, config: EvolutionConfig, n: int) -> tuple[list[Proposal], set[int]]:
    search = config.build(given)
    asked: list[Proposal] = []
    while len(asked) < n:
        batch = search.ask(4)
        asked += batch
        search.tell(Evaluation(one.id, COMPLETE, metrics(one)) for one in batch)
    return asked, search.keeps()


@pytest.mark.parametrize("survival", ["plus", "comma"])
def test_it_comes_to_a_front_that_is_known(survival: Any) -> None:
    config = EvolutionConfig(population=12, survival=survival, elitism=12)
    for seed in range(3):
        given = context(seed=seed, objectives=TWO)
        asked, alive = told(given, config, 240)
        found = [metrics(one) for one in asked if one.id in alive]
        assert len(alive) == 12
        values = [fitness_class(2)((one["accuracy"], -one["parameters"])) for one in found]
        assert not any(a.dominates(b) for a in values for b in values)
        assert all(one["parameters"] - one["accuracy"] <= 2.5 for one in found), "hardly a node too many or too few"
        for name, of in (("parameters", min), ("accuracy", max)):
            assert of(one[name] for one in found) == of(metrics(one)[name] for one in asked), "both ends are kept"
        assert max(one["accuracy"] for one in found) > max(metrics(one)["accuracy"] for one in asked[:12])
        assert len({one["parameters"] for one in found}) >= 8, "and what lies between"


@pytest.mark.parametrize("objectives", [None, TWO], ids=["one", "two"])
def test_two_parents_are_two(objectives: Any) -> None:
    given = context(objectives=objectives) if objectives else context()
    for population in (2, 3, 6):
        config = EvolutionConfig(population=population, crossover=1.0, tournament=3)
        asked, _ = told(given, config, 60)
        pairs = [one.parents for one in asked if one.parents]
        assert len(pairs) >= 60 - population
        assert all(len(set(pair)) == 2 for pair in pairs)
    lonely, _ = told(given, EvolutionConfig(population=1, crossover=1.0), 8)
    assert {len(one.parents) for one in lonely[1:]} == {1}
