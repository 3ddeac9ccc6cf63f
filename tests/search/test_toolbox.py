"""A user's DEAP toolbox that does not fit is refused in one line."""

import random
from pathlib import Path
from typing import Any

import pytest
from deap import base, tools

from evonas.campaign import Campaign, SpecError
from evonas.search import EvolutionConfig
from evonas.search.evolution import Member, OperatorError, operators_of
from tests.campaigns import arrays, context, pretended

FIELDS: dict[str, Any] = {
    "encoding": {"name": "dag", "widths": [4], "max_sampled": 2, "max_nodes": 3},
    "search": {"name": "evolution", "population": 3, "crossover": 0.0},
    "training": {"epochs": 1},
    "budget": {"evaluations": 5},
}


def toolbox(**operators: Any) -> base.Toolbox:
    made = base.Toolbox()
    for name, operator in operators.items():
        made.register(name, operator)
    return made


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mutation", "expected operators among select, mate, mutate, survive, got 'mutation'; did you mean mutate?"),
        ("evaluate", "got 'evaluate'; unregister it: evonas samples and evaluates itself"),
    ],
)
def test_an_operator_that_nobody_would_call_is_refused(name: str, expected: str) -> None:
    with pytest.raises(SpecError, match=r"^toolbox: ") as caught:
        Campaign(toolbox=toolbox(**{name: len}), **FIELDS)
    assert expected in str(caught.value)


def test_what_is_no_toolbox_is_refused() -> None:
    with pytest.raises(SpecError, match=r"^toolbox: expected a deap.base.Toolbox, got dict; register operators in one"):
        Campaign(toolbox={"mutate": breaks}, **FIELDS)  # type: ignore[arg-type]


def test_what_every_toolbox_has_is_no_operator() -> None:
    mine = base.Toolbox()
    mine.register("map", map)
    mine.register("clone", Member)
    assert operators_of(mine) == {}


def no_tuple(member: Member) -> Member:
    return member


def other_genome(member: Member) -> tuple[Member]:
    member.genome = "0101"
    return (member,)


def breaks(member: Member) -> tuple[Member]:
    raise RuntimeError("this\nbroke")


MUTATIONS = [
    (tools.mutGaussian, "TypeError: "),
    (no_tuple, "expected mutate(member) -> (member,), whose genome it replaces, got <"),
    (other_genome, "expected members whose genome is a DagGenome, got str"),
    (breaks, "got RuntimeError: this broke"),
]


@pytest.mark.parametrize(("operator", "expected"), MUTATIONS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_mutation_that_does_not_fit_genomes_is_one_line(operator: Any, expected: str, tmp_path: Path) -> None:
    with pytest.raises(OperatorError) as caught:
        Campaign(arrays(60), toolbox=toolbox(mutate=operator), **FIELDS).run(tmp_path)
    assert str(caught.value).startswith("toolbox.mutate: expected ")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sum(one.state == "complete" for one in Campaign.load(tmp_path, toolbox=None).individuals) == 2


def nobody(members: list[Member], k: int) -> list[Member]:
    return []


def everybody(members: list[Member], k: int) -> list[Member]:
    return members


def genomes(members: list[Member], k: int) -> list[Any]:
    return [member.genome for member in members[:k]]


@pytest.mark.parametrize("name", ["select", "survive"])
@pytest.mark.parametrize("operator", [nobody, everybody, genomes])
def test_a_selection_of_others_is_one_line(name: str, operator: Any) -> None:
    mine = toolbox(**{name: operator})
    search = EvolutionConfig(population=3, offspring=9, operators=operators_of(mine)).build(context(), mine)

    def run() -> None:
        for _ in range(20):
            search.tell([pretended(one) for one in search.ask(1)])

    with pytest.raises(OperatorError, match=rf"toolbox.{name}: expected {name}\(members, k\) -> list of k of them"):
        run()


def test_an_operator_draws_from_the_stream_of_its_child(tmp_path: Path) -> None:
    """Whatever a user's script did to `random` before."""
    found = []
    for seed in (1, 2):
        random.seed(seed)
        done = Campaign(arrays(60), toolbox=toolbox(select=tools.selRandom), **FIELDS).run(tmp_path / str(seed))
        found.append([one.genome_digest for one in done.individuals])
    assert found[0] == found[1]
