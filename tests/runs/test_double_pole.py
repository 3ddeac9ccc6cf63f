"""The study of double pole balancing: what a run counts, what is left out, and what is kept."""

import dataclasses
import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from evonas.tasks import poles
from genomes import Neat
from genomes.encoding import uniform

RUNS = Path(__file__).parents[2] / "runs"


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    monkeypatch.syspath_prepend(str(RUNS))
    module = importlib.import_module("double_pole")
    monkeypatch.setattr(module, "OUT", tmp_path / "runs")
    monkeypatch.setattr(module, "PAGE", tmp_path / "page.md")
    return module


def only(study: ModuleType, arm: Any, seed: int, cap: int) -> Any:
    """The run of one seed, alone."""
    (run,) = study.searched(arm, [seed], cap, 1)
    return dataclasses.replace(run, seconds=0.0)


def test_a_run_ends_with_the_first_that_solves_it(study: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """With other numbers of steps called solved, a run counts on to an individual and is the same until then."""
    arm = dataclasses.replace(study.ARMS["neat"], search={"population": 20})
    counts = []
    for n_steps in (20, 30, 60):
        monkeypatch.setattr(poles, "LONG_RUN", n_steps)
        run = only(study, arm, 0, 2_000)
        assert run.solved
        counts.append(run.evaluations)
    assert counts == sorted(counts)
    assert counts[-1] % 20 or counts[0] % 20
    assert only(study, arm, 0, 2_000) == run
    failed = only(study, arm, 0, counts[-1] - 1)
    assert (failed.evaluations, failed.solved) == (counts[-1] - 1, False)


def test_without_velocities_the_champion_is_tested(study: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poles, "LONG_RUN", 10)
    monkeypatch.setattr(poles, "SHORT_RUN", 5)
    monkeypatch.setattr(poles, "PASSED", 1)
    base = study.ARMS["without-velocities"]
    arm = dataclasses.replace(base, search={**base.search, "population": 20})
    run = only(study, arm, 0, 60)
    assert run.solved
    assert run.evaluations <= 20
    assert run.generalisation > 100
    monkeypatch.setattr(poles, "PASSED", 626)
    failed = only(study, arm, 0, 60)
    assert (failed.evaluations, failed.solved) == (60, False)


def test_the_champion_is_the_fittest_that_balances_and_was_not_tested(study: ModuleType) -> None:
    scores = study.Scores([0.1, 0.3, 0.4, 0.2], [1_000, 1_000, 999, 1_000])
    assert study.champion(scores, "abcd", set()) == 1
    assert study.champion(scores, "abcd", {"b"}) == 3
    assert study.champion(scores, "abcd", {"a", "b", "d"}) is None


@pytest.mark.parametrize(("name", "long"), [("neat", 60), ("without-velocities", 10)])
def test_what_a_run_comes_to_does_not_depend_on_those_beside_it(
    study: ModuleType, monkeypatch: pytest.MonkeyPatch, name: str, long: int
) -> None:
    monkeypatch.setattr(poles, "LONG_RUN", long)
    monkeypatch.setattr(poles, "SHORT_RUN", 5)
    monkeypatch.setattr(poles, "PASSED", 1)
    base = study.ARMS[name]
    arm = dataclasses.replace(base, search={**base.search, "population": 20})
    together = {run.seed: run for run in study.searched(arm, range(4), 200, 3)}
    assert sorted(together) == [0, 1, 2, 3]
    assert all(run.seconds > 0 for run in together.values())
    assert len({run.evaluations for run in together.values()}) > 2
    for seed, run in together.items():
        assert dataclasses.replace(run, seconds=0.0) == only(study, arm, seed, 200)


@pytest.mark.parametrize("recurrent_rate", [0.0, 0.5])
def test_a_plain_network_computes_what_the_graph_does(study: ModuleType, recurrent_rate: float) -> None:
    encoding = Neat(n_inputs=3, n_outputs=1, recurrent=True, recurrent_rate=recurrent_rate)
    rng = np.random.default_rng(0)
    genome = encoding.sample(uniform(rng), rng=rng)
    for _ in range(100):
        genome = encoding.mutate(genome, rng=rng).genome
    graph = encoding.develop(genome)
    network, state = study.plain(graph), None
    for inputs in rng.normal(size=(5, 3)):
        outputs, state = graph.step([inputs], state)
        assert network(inputs.tolist()) == pytest.approx(float(outputs[0, 0]), abs=1e-12)


def test_without_growth_every_genome_has_the_same_layer(study: ModuleType) -> None:
    arm = study.ARMS["no-growth"]
    encoding = study.Started(Neat(n_inputs=6, n_outputs=1, **study.PROGRAM | arm.encoding), arm.topology)
    rng = np.random.default_rng(0)
    a, b = (encoding.sample(uniform(rng), rng=rng) for _ in range(2))
    assert len(a.hidden) == 10
    assert len(a.weights) == 7 * 10 + 11
    assert a.weights != b.weights
    child = encoding.crossover(a, b, rng=rng).genome
    for _ in range(200):
        child = encoding.mutate(child, rng=rng).genome
    assert child.wiring == a.wiring


def test_a_random_start_draws_whole_topologies(study: ModuleType) -> None:
    arm = study.ARMS["random-start"]
    encoding = study.Started(Neat(n_inputs=6, n_outputs=1), arm.topology)  # Feed-forward: a cycle is an error.
    rng = np.random.default_rng(0)
    genomes = [encoding.sample(uniform(rng), rng=rng) for _ in range(300)]
    counts = np.bincount([len(genome.hidden) for genome in genomes], minlength=11)
    assert counts[0] == 0
    assert counts[1:].min() > 15
    largest = [genome for genome in genomes if len(genome.hidden) == 10]
    n_possible = 7 * 11 + 55
    assert np.mean([len(genome.weights) for genome in largest]) == pytest.approx(n_possible / 2, rel=0.05)
    for genome in genomes:
        assert encoding.develop(genome).levels


def test_runs_are_kept_and_what_is_missing_is_run(
    study: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(poles, "LONG_RUN", 15)
    study.PAGE.write_text("# Double pole balancing\n\nSome text.\n\n| an old | table |\n|---|---|\n")
    monkeypatch.setattr(sys, "argv", ["double_pole.py", "--arms", "neat", "--seeds", "2", "--report"])
    study.main()
    path = study.OUT / "neat.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    assert [json.loads(line)["seed"] for line in lines] == [0, 1]
    path.write_text(lines[1])
    study.main()
    again = study.kept("neat")
    assert [run.seed for run in again] == [0, 1]
    assert again[1].seconds == json.loads(lines[1])["seconds"]
    assert again[0].evaluations == json.loads(lines[0])["evaluations"]
    page = study.PAGE.read_text()
    assert page.startswith("# Double pole balancing\n\nSome text.\n\n| | published")
    assert "old" not in page
    assert "| NEAT | 3,600, 0 % | 2 |" in page
    assert "| NEAT | 3,600" in capsys.readouterr().out
