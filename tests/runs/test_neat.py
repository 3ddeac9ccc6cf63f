"""The studies of NEAT: runs in memory, ablations, figures."""

import importlib
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from evonas.campaign import Campaign, Spec
from evonas.campaign.spec import read
from evonas.search import Speciated
from evonas.tasks import Xor
from genomes import Neat
from genomes.encoding import uniform
from genomes.neat.genome import BIAS
from tests.campaigns import record

RUNS = Path(__file__).parents[2] / "runs"
SPEC: dict[str, Any] = {
    "task": {"name": "xor"},
    "encoding": {"name": "neat"},
    "search": {"name": "speciated", "population": 30},
    "seed": 3,
}


@pytest.fixture(scope="module")
def neat() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(RUNS))
        return importlib.import_module("neat")


def test_a_run_in_memory_meets_the_individuals_of_a_campaign(neat: ModuleType, tmp_path: Path, fast_disk: None) -> None:
    run = neat.Run(SPEC, Xor().load())
    met = [one for _ in range(4) for one in run.generation()]
    campaign = Campaign(**{**SPEC, "budget": {"evaluations": 120}}).run(tmp_path / "a")
    assert [one.id for one in campaign.individuals] == [proposal.id for proposal, _ in met]
    for one, (proposal, evaluation) in zip(record(campaign.individuals), met, strict=True):
        assert one["genome_digest"] == proposal.genome.digest
        assert one["parents"] == proposal.parents
        assert one["metrics"] == evaluation.metrics
    assert [one.members for one in campaign.species()] == [one.members for one in run.search.species]


def test_the_first_that_meets_a_criterion_is_counted(neat: ModuleType) -> None:
    criteria = {"three right": ("accuracy", 0.75), "never": ("fitness", 17.0)}
    found = neat.first_solutions(neat.Run(SPEC, Xor().load()), criteria, 5)
    run = neat.Run(SPEC, Xor().load())
    expected = [
        (proposal.id + 1, at, len(proposal.genome.hidden), sum(proposal.genome.enabled), proposal.genome)
        for at in range(1, 6)
        for proposal, evaluation in run.generation()
        if evaluation.metrics["accuracy"] >= 0.75
    ]
    assert found == {"three right": expected[0]}


def test_figures_are_over_those_that_solved_it(neat: ModuleType) -> None:
    solutions = [neat.Solution(n, n // 10, 2, 7 + n // 100, None) for n in (100, 200, 300)]
    found = neat.figures([*solutions, None])
    assert (found.n_solved, found.n, found.mean, found.deviation, found.worst) == (3, 4, 200.0, 100.0, 300.0)
    assert (found.generations, found.n_hidden, found.n_connections) == (20.0, 2.0, 9.0)
    assert 100 <= found.low < 150
    assert 250 < found.high <= 300
    assert neat.row("a", found).startswith("| a | 3 of 4 | 200 [")
    assert neat.row("a", found).count("|") == neat.HEAD.splitlines()[0].count("|")
    none = neat.figures([None, None])
    assert (none.n_solved, none.n) == (0, 2)
    assert math.isnan(none.mean)


def test_the_bootstrap_agrees_with_the_normal_interval_of_many_values(neat: ModuleType) -> None:
    values = np.random.default_rng(1).normal(50, 10, 400)
    low, high = neat.bootstrap(values)
    half = 1.96 * values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.1)


@pytest.mark.parametrize("least", [10, 1])
def test_a_start_with_hidden_neurons_is_whole(neat: ModuleType, least: int) -> None:
    encoding = neat.Started(Neat(n_inputs=2, n_outputs=1), least, 1.0 if least == 10 else 0.5)
    sizes = set()
    for seed in range(40):
        rng = np.random.default_rng(seed)
        genome = encoding.sample(uniform(rng), rng=rng)
        sizes.add(len(genome.hidden))
        assert set(genome.hidden) <= set(genome.wiring.sources)
        assert set(genome.hidden) <= set(genome.wiring.targets)
        encoding.develop(genome).run([[0.0, 1.0]])
        encoding.mutate(genome, rng=rng)
        if least == 10:
            assert len(genome.connections) == 10 * 3 + 10
            assert sum(link.source == BIAS for link in genome.connections) == 10
    assert sizes == ({10} if least == 10 else set(range(1, 11)))


@pytest.mark.parametrize("name", ["none", "no growth", "no speciation", "random start", "no mating"])
def test_an_ablation_leaves_out_what_it_says(neat: ModuleType, name: str) -> None:
    run = neat.Run(SPEC, Xor().load(), neat.ABLATIONS[name])
    asked = [proposal for _ in range(8) for proposal, _ in run.generation()]
    assert isinstance(run.search, Speciated)
    operators = {word for one in asked for word in one.operator.split("+")}
    assert (operators.isdisjoint({"add_node", "add_connection"})) == (name == "no growth")
    assert ("crossover" not in operators) == (name == "no mating")
    assert {len(one.members) for one in run.search.species} == {1} or name != "no speciation"
    hidden = {len(one.genome.hidden) for one in asked[:30]}
    assert (hidden == {0}) == (name in ("none", "no mating"))
    assert (hidden == {10}) == (name == "no growth")


def test_the_study_prints_its_table(neat: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(RUNS))
        xor = importlib.import_module("xor")
    assert xor.main(["--seeds", "2", "--generations", "2", "--set", "search.population=20"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row.split("|")[2].strip() for row in rows] == ["solved", "---", "100 of 100", "0 of 2", "0 of 2"]


def test_the_spec_of_the_study_has_the_paper_s_parameters() -> None:
    spec: Spec = read(RUNS / "xor.toml")
    search, encoding = spec.search, spec.encoding
    names = ("population", "threshold", "survival", "crossover", "mutation", "interspecies", "champions", "stagnation")
    assert [getattr(search, name) for name in names] == [150, 3.0, 0.2, 0.75, 0.8, 0.001, 5, 15]
    assert isinstance(encoding, Neat)
    assert (encoding.excess, encoding.disjoint, encoding.difference, encoding.weight_power) == (1.0, 1.0, 0.4, 2.5)
    assert (encoding.disabled_rate, encoding.replace_rate, encoding.bias) == (0.75, 0.1, "input")
    assert encoding.activations == encoding.output_activations == ("steep_sigmoid",)
    rates = encoding.mutation_weights
    assert (rates["add_node"], rates["add_connection"], rates["perturb_weights"]) == (0.03, 0.05, 0.8)
