"""The study of exclusive or: runs in memory, figures, parameters."""

import importlib
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from evonas.campaign import Campaign, Spec
from evonas.campaign.spec import read
from genomes import Neat
from tests.campaigns import record

RUNS = Path(__file__).parents[2] / "runs"
FIELDS: dict[str, Any] = {
    "task": {"name": "xor"},
    "encoding": {"name": "neat"},
    "search": {"name": "speciated", "population": 30},
    "seed": 3,
}


@pytest.fixture(scope="module")
def xor() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(RUNS))
        return importlib.import_module("xor")


def test_a_run_in_memory_meets_the_individuals_of_a_campaign(xor: ModuleType, tmp_path: Path, fast_disk: None) -> None:
    run = xor.Run(Spec.model_validate(FIELDS))
    met = [one for _ in range(4) for one in run.generation()]
    campaign = Campaign(**{**FIELDS, "budget": {"evaluations": 120}}).run(tmp_path / "a")
    assert [one.id for one in campaign.individuals] == [proposal.id for proposal, _ in met]
    for one, (proposal, evaluation) in zip(record(campaign.individuals), met, strict=True):
        assert one["genome_digest"] == proposal.genome.digest
        assert one["parents"] == proposal.parents
        assert one["metrics"] == evaluation.metrics
    assert [one.members for one in campaign.species()] == [one.members for one in run.search.species]


def test_the_first_that_meets_a_criterion_is_counted(xor: ModuleType) -> None:
    criteria = {"three right": ("accuracy", 0.75), "never": ("fitness", 17.0)}
    found = xor.first_solutions(xor.Run(Spec.model_validate(FIELDS)), criteria, 5)
    run = xor.Run(Spec.model_validate(FIELDS))
    expected = [
        (proposal.id + 1, at, len(proposal.genome.hidden), sum(proposal.genome.enabled), proposal.genome)
        for at in range(1, 6)
        for proposal, evaluation in run.generation()
        if evaluation.metrics["accuracy"] >= 0.75
    ]
    assert found == {"three right": expected[0]}


def test_figures_are_over_those_that_solved_it(xor: ModuleType) -> None:
    solutions = [xor.Solution(n, n // 10, 2, 7 + n // 100, None) for n in (100, 200, 300)]
    found = xor.figures([*solutions, None])
    assert (found.n_solved, found.n, found.mean, found.deviation, found.worst) == (3, 4, 200.0, 100.0, 300.0)
    assert (found.generations, found.n_hidden, found.n_connections) == (20.0, 2.0, 9.0)
    assert 100 <= found.low < 150
    assert 250 < found.high <= 300
    assert xor.row("a", found).startswith("| a | 3 of 4 | 200 [")
    assert xor.row("a", found).count("|") == xor.HEAD.splitlines()[0].count("|")
    none = xor.figures([None, None])
    assert (none.n_solved, none.n) == (0, 2)
    assert math.isnan(none.mean)


def test_the_bootstrap_agrees_with_the_normal_interval_of_many_values(xor: ModuleType) -> None:
    values = np.random.default_rng(1).normal(50, 10, 400)
    low, high = xor.bootstrap(values)
    half = 1.96 * values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.1)


def test_the_study_prints_its_table(xor: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
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
