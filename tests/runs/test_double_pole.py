"""The study of double pole balancing: what a run counts, what is left out, and what is kept."""

import dataclasses
import importlib
import json
import sys
from pathlib import Path
from types import ModuleType

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


def test_a_run_ends_with_the_first_that_solves_it(study: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """With other numbers of steps called solved, a run counts on to an individual and is the same until then."""
    arm = dataclasses.replace(study.ARMS["neat"], search={"population": 20})
    counts = []
    for n_steps in (20, 30, 60):
        monkeypatch.setattr(poles, "LONG_RUN", n_steps)
        run = study.search(arm, 0, 2_000)
        assert run.solved
        counts.append(run.evaluations)
    assert counts == sorted(counts)
    assert counts[-1] % 20 or counts[0] % 20
    again = dataclasses.replace(study.search(arm, 0, 2_000), seconds=run.seconds)
    assert again == run
    failed = study.search(arm, 0, counts[-1] - 1)
    assert (failed.evaluations, failed.solved) == (counts[-1] - 1, False)


def test_without_velocities_the_champion_is_tested(study: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poles, "LONG_RUN", 10)
    monkeypatch.setattr(poles, "SHORT_RUN", 5)
    monkeypatch.setattr(study, "SHORT", 5)
    monkeypatch.setattr(poles, "PASSED", 1)
    base = study.ARMS["without-velocities"]
    arm = dataclasses.replace(base, search={**base.search, "population": 20})
    run = study.search(arm, 0, 60)
    assert run.solved
    assert run.evaluations <= 20
    assert run.generalisation > 100
    monkeypatch.setattr(poles, "PASSED", 626)
    failed = study.search(arm, 0, 60)
    assert (failed.evaluations, failed.solved) == (60, False)


def test_without_growth_every_genome_has_the_same_full_topology(study: ModuleType) -> None:
    arm = study.ARMS["no-growth"]
    encoding = study.FullyConnected(Neat(n_inputs=6, n_outputs=1, **arm.encoding), arm.hidden)
    rng = np.random.default_rng(0)
    a, b = (encoding.sample(uniform(rng), rng=rng) for _ in range(2))
    assert len(a.hidden) == 10
    assert len(a.weights) == 7 * 11 + 10
    assert a.weights != b.weights
    child = encoding.crossover(a, b, rng=rng).genome
    for _ in range(200):
        child = encoding.mutate(child, rng=rng).genome
    assert child.wiring == a.wiring
    graph = encoding.develop(a)
    assert max(graph.levels) == 2


def test_runs_are_kept_and_what_is_missing_is_run(
    study: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(poles, "LONG_RUN", 15)
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
    assert page.startswith("# Double pole balancing")
    assert "| NEAT | 3,600, 0 % | 2 |" in page
    assert "| NEAT | 3,600" in capsys.readouterr().out
