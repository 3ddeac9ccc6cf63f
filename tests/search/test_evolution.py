"""Generational evolution: who survives, who is a parent, and operators of a user's own."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from deap import base, tools

from evonas.campaign import Campaign, SpecError, StoreError
from evonas.campaign.verify import damage
from evonas.record import COMPLETE, FAILED, Evaluation, Proposal
from evonas.search import EvolutionConfig, Search
from evonas.search.evolution import Member, operators_of, toolbox_for
from evonas.search.nsga2 import Fitness
from genomes import Dag
from tests.campaigns import arrays, context, pretended, record


def generation(search: Search, fitness: dict[int, float] | None = None) -> list[Proposal]:
    """Ask for a generation and tell it; what is not in `fitness` is as good as its genome's digest says."""
    asked = search.ask(1000)
    for one in asked:
        accuracy = (fitness or {}).get(one.id)
        metrics = pretended(one).metrics if accuracy is None else {"accuracy": accuracy, "loss": 1.0}
        search.tell([Evaluation(one.id, COMPLETE, metrics)])
    return asked


def fitness_of(asked: list[Proposal]) -> dict[int, float]:
    return {one.id: pretended(one).metrics["accuracy"] for one in asked}


# Survival


def test_plus_keeps_the_best_of_all_so_far() -> None:
    search = EvolutionConfig(population=4, offspring=6).build(context())
    known: dict[int, float] = {}
    for _ in range(12):
        known |= fitness_of(generation(search))
        best = sorted(known, key=lambda id: known[id], reverse=True)[:4]
        assert search.keeps() == set(best)


def test_comma_forgets_all_parents_but_the_elite() -> None:
    for elitism in (0, 1, 2):
        search = EvolutionConfig(population=4, offspring=6, survival="comma", elitism=elitism).build(context())
        known = fitness_of(generation(search))
        for _ in range(8):
            parents = sorted(search.keeps(), key=lambda id: known[id], reverse=True)
            children = fitness_of(generation(search))
            known |= children
            candidates = [*parents[:elitism], *children]
            assert search.keeps() == set(sorted(candidates, key=lambda id: known[id], reverse=True)[:4])


@pytest.mark.parametrize("survival", ["plus", "comma"])
def test_a_generation_that_fails_costs_the_population_nothing(survival: Any) -> None:
    search = EvolutionConfig(population=4, elitism=4 * (survival == "plus"), survival=survival).build(context())
    generation(search)
    before = search.keeps()
    for one in search.ask(1000):
        search.tell([Evaluation(one.id, FAILED, error="no")])
    assert search.keeps() == before
    assert all(one.parents for one in search.ask(1000))


def test_a_first_generation_that_fails_is_sampled_anew() -> None:
    search = EvolutionConfig(population=4).build(context())
    for one in search.ask(1000):
        search.tell([Evaluation(one.id, FAILED, error="no")])
    assert [(one.id, one.operator, one.generation) for one in search.ask(1000)] == [
        (number, "sample", 1) for number in range(4, 8)
    ]


def test_generations_have_the_sizes_that_were_asked_for() -> None:
    search = EvolutionConfig(population=3, offspring=5).build(context())
    assert [len(generation(search)) for _ in range(4)] == [3, 5, 5, 5]
    assert {one.generation for one in search.ask(1000)} == {4}


# Parents and operators


def test_the_fitter_parent_comes_first() -> None:
    search = EvolutionConfig(population=8, crossover=1.0, tournament=1).build(context())
    known: dict[int, float] = {}
    pairs = 0
    for _ in range(5):
        asked = generation(search)
        known |= fitness_of(asked)
        for one in asked:
            if one.parents:
                a, b = one.parents
                assert known[a] >= known[b]
                pairs += a != b
    assert pairs > 10


def test_rates_decide_what_is_done_to_a_child() -> None:
    for crossover, mutation, expected in ((0.0, 0.0, {1}), (1.0, 0.0, {1}), (1.0, 1.0, {2})):
        search = EvolutionConfig(population=6, crossover=crossover, mutation=mutation).build(context())
        generation(search)
        asked = generation(search)
        assert {len(one.parents) for one in asked} == {2 if crossover else 1}
        assert {len(one.operator.split("+")) for one in asked} == expected
        assert all(("crossover" in one.operator) == bool(crossover) for one in asked)


def test_a_large_tournament_chooses_the_best() -> None:
    search = EvolutionConfig(population=5, tournament=200, crossover=0.0).build(context())
    generation(search, {3: 2.0})
    assert {one.parents for one in generation(search)} == {(3,)}


def test_fitness_is_maximised_and_needs_no_creator() -> None:
    a, b = Fitness((1.0,)), Fitness((2.0,))
    assert a < b
    assert not Fitness().valid


# A user's own operators


def add_node(member: Member, encoding: Any = None) -> tuple[Member]:
    """A mutation that tries until it is given one that adds a node, from DEAP's global stream."""
    encoding = context().encoding
    rng = np.random.default_rng(random.getrandbits(32))
    member.genome = encoding.mutate(member.genome, rng=rng).genome
    member.operators.append("mine")
    return (member,)


class Culling:
    """An operator that is an object."""

    def __call__(self, members: list[Member], k: int) -> list[Member]:
        return tools.selTournament(members, k, tournsize=2)


def toolbox() -> base.Toolbox:
    made = base.Toolbox()
    made.register("select", tools.selRandom)
    made.register("mutate", add_node)
    return made


NAMES = {"select": "deap.tools.selection.selRandom", "mutate": f"{__name__}.add_node"}


def test_operators_are_named() -> None:
    assert operators_of(toolbox()) == NAMES
    assert operators_of(base.Toolbox()) == operators_of(None) == {}


def test_plain_arguments_of_an_operator_are_part_of_its_name() -> None:
    made = base.Toolbox()
    made.register("select", tools.selTournament, tournsize=2)
    made.register("mutate", add_node, object())
    assert operators_of(made) == {
        "select": "deap.tools.selection.selTournament(tournsize=2)",
        "mutate": f"{__name__}.add_node",
    }


def test_an_operator_that_is_an_object_is_named_by_its_class() -> None:
    made = base.Toolbox()
    made.register("survive", Culling())
    made.select = Culling()
    assert operators_of(made) == {"select": f"{__name__}.Culling", "survive": f"{__name__}.Culling"}


def test_what_a_toolbox_does_not_register_stays_ours() -> None:
    ours = toolbox_for(EvolutionConfig(tournament=7), Dag(), toolbox())
    assert ours.select.func is tools.selRandom
    assert ours.survive.func is tools.selBest
    assert toolbox_for(EvolutionConfig(tournament=7), Dag()).select.keywords == {"tournsize": 7}


def test_a_toolbox_must_be_the_one_that_the_spec_names() -> None:
    with pytest.raises(ValueError, match=r"expected a toolbox with no operators of its own"):
        EvolutionConfig().build(context(), toolbox())
    with pytest.raises(ValueError, match=r"got none; run it from Python"):
        EvolutionConfig(operators=NAMES).build(context())


def test_operators_of_a_users_own_are_used() -> None:
    search = EvolutionConfig(population=6, crossover=0.0, operators=NAMES).build(context(), toolbox())
    generation(search, dict.fromkeys(range(5), 0.0) | {5: 5.0})
    parents: set[int] = set()
    for _ in range(3):
        asked = generation(search, dict.fromkeys(range(100), -1.0))
        assert {one.operator for one in asked} == {"mine"}
        parents |= {parent for one in asked for parent in one.parents}
    assert len(parents) > 3, "selRandom prefers nobody"


@pytest.mark.parametrize(
    "survive", [Culling(), tools.selRandom, tools.selNSGA2], ids=["object", "selRandom", "selNSGA2"]
)
def test_a_users_survival_is_spared_an_empty_population(survive: Any) -> None:
    made = base.Toolbox()
    made.register("survive", survive)
    search = EvolutionConfig(population=4, operators=operators_of(made)).build(context(), made)
    for one in search.ask(1000):
        search.tell([Evaluation(one.id, FAILED, error="no")])
    assert {one.operator for one in generation(search)} == {"sample"}
    assert len(generation(search)) == 4
    assert 1 <= len(search.keeps()) <= 4


def test_a_campaign_records_them_and_resumes_with_no_other(tmp_path: Path) -> None:
    fields: dict[str, Any] = {"encoding": {"name": "dag", "widths": [4], "max_sampled": 2, "max_nodes": 3}}
    fields |= {"search": {"name": "evolution", "population": 3}, "training": {"epochs": 1}}
    whole = Campaign(arrays(60), toolbox=toolbox(), budget={"evaluations": 7}, **fields).run(tmp_path / "whole")
    assert whole.spec.search.model_dump()["operators"] == NAMES
    assert Campaign.load(tmp_path / "whole").facts["spec"]["search"]["operators"] == NAMES
    assert {one.operator for one in whole.individuals[3:]} <= {"mine", "crossover", "crossover+mine"}

    directory = tmp_path / "half"
    Campaign(arrays(60), toolbox=toolbox(), budget={"evaluations": 4}, **fields).run(directory)
    with pytest.raises(StoreError, match=r"expected a toolbox with .*add_node.*, got none; run it from Python"):
        Campaign.load(directory).run()
    other = base.Toolbox()
    other.register("select", tools.selBest)
    with pytest.raises(StoreError, match=r"expected a toolbox with"):
        Campaign.load(directory, toolbox=other).run()
    assert damage(directory) == []
    assert Campaign.load(directory, toolbox=toolbox()).best is not None
    Campaign(arrays(60), toolbox=toolbox(), budget={"evaluations": 7}, **fields).run(directory)
    assert record(Campaign.load(directory).individuals) == record(whole.individuals)


def test_only_evolution_takes_a_toolbox() -> None:
    with pytest.raises(SpecError, match=r"expected the search evolution, got ageing"):
        Campaign(search="ageing", toolbox=toolbox())
