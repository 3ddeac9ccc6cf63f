"""Studies: what they are made of, that they can be stopped and go on, and that one broken arm is only reported."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas.campaign import Campaign, SpecError, Store
from evonas.studies import Arm, Retrained, Step, Study, bands, collect, report, retrained, run
from evonas.studies.work import is_done, work
from tests.campaigns import written_data

ARMS = (
    Arm("small/inheriting", {"search": {"name": "ageing", "population": 3, "sample_size": 2, "lag": 2}}),
    Arm("small/random", {"search.name": "random", "training.inherit": False}),
)
SAMPLING = Arm("small/sampling", {"search.name": "random"}, searches=False)


def study(place: Path, arms: tuple[Arm, ...] = ARMS, seeds: tuple[int, ...] = (0, 1), **fields: Any) -> Study:
    data = place / "data.npz"
    if not data.exists():
        place.mkdir(exist_ok=True)
        written_data(data)
    base: dict[str, Any] = {
        "task": {"name": "arrays", "path": str(data)},
        "encoding": {"name": "dag", "widths": [4, 8], "max_sampled": 3, "max_nodes": 5},
        "training": {"epochs": 2, "inherited_epochs": 1, "batch_size": 32},
        "evaluation": {"device": "cpu"},
        "budget": {"epochs": 9},
    }
    return Study("tiny", {**base, **fields}, arms, seeds, place / "out", {"epochs": 3}, "random")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Run to its end. Read only."""
    made = study(tmp_path_factory.mktemp("study"), (*ARMS, SAMPLING))
    steps: list[Step] = []
    assert run(made, watch=steps.append) == []
    assert [(step.arm, step.seed) for step in steps] == [(arm.name, seed) for arm, seed in made.runs()]
    assert [step.n_done for step in steps] == [1, 2, 3, 4, 5, 6]
    return made


def test_seeds_are_interleaved(tmp_path: Path) -> None:
    order = [(arm.label, seed) for arm, seed in study(tmp_path).runs()]
    assert order == [("inheriting", 0), ("random", 0), ("inheriting", 1), ("random", 1)]


def test_an_arm_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    made = study(tmp_path)
    first, second = (made.spec(arm, 1) for arm in ARMS)
    assert (first.training.inherit, second.training.inherit) == (True, False)
    assert (first.search.name, second.search.name) == ("ageing", "random")
    assert (second.name, second.seed, second.training.epochs) == ("small-random", 1, 2)
    assert made.final_training(ARMS[1]).epochs == 3
    assert "inherit" not in made.base["training"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"training.epoch": 3}, "arm small/x: training.epoch: unknown key"),
        ({"seed.x": 3, "seed": 1}, "seed"),
        ({"name.first": 1}, r"small/x: name.first|name"),
    ],
)
def test_a_wrong_field_names_its_arm(fields: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=message):
        study(tmp_path, (Arm("small/x", fields),), name="plain", seed=0)


@pytest.mark.parametrize("name", ["", "a/b/c", "../up", "a b", "/a"])
def test_a_name_is_a_folder(name: str) -> None:
    with pytest.raises(ValueError, match="expected a name such as"):
        Arm(name)


def test_arms_and_seeds_are_there_and_differ(tmp_path: Path) -> None:
    for arms, seeds in (((), (0,)), (ARMS, ()), (ARMS + ARMS[:1], (0,)), (ARMS, (1, 1))):
        with pytest.raises(ValueError, match="tiny: expected"):
            study(tmp_path, arms, seeds)


def test_too_many_processes_are_refused(tmp_path: Path) -> None:
    for n in (0, 10_000):
        with pytest.raises(ValueError, match=r"n_processes: expected 1 to \d+ .*many times slower"):
            run(study(tmp_path), n)


def test_what_is_finished_is_not_run_again(finished: Study) -> None:
    files = _written(finished.out)
    steps: list[Step] = []
    assert run(finished, watch=steps.append) == []
    assert steps == []
    assert _written(finished.out) == files


def test_a_campaign_of_a_study_is_an_ordinary_one(finished: Study) -> None:
    campaign = Campaign.load(finished.directory(ARMS[0], 1))
    assert campaign.spec.seed == 1
    # Three samples of two epochs, then heirs of one.
    assert [one.epochs for one in campaign.individuals] == [2, 2, 2, 1, 1, 1]
    assert campaign.best is not None
    last = retrained(campaign.directory)
    assert last is not None
    assert (last.individual, last.digest) == (campaign.best.id, campaign.best.digest)
    assert last.training["epochs"] == 3


def test_a_larger_budget_goes_on_and_another_training_does_not(finished: Study, tmp_path: Path) -> None:
    changed = study(finished.out.parent, ARMS[:1], (0,), training={"epochs": 4})
    (failed,) = run(changed)
    assert "expected the spec it was begun with" in failed.error
    assert collect(changed) == []
    first = study(tmp_path, ARMS[1:], (0,))
    work(first, ARMS[1], 0)
    longer = study(tmp_path, ARMS[1:], (0,), budget={"epochs": 13})
    assert not is_done(longer, ARMS[1], 0)
    assert run(longer) == []
    assert collect(longer)[0].epochs == 14


def test_rows_hold_what_the_records_hold(finished: Study) -> None:
    rows = collect(finished)
    assert len(rows) == 6
    inheriting, random, sampling = rows[:3]
    assert (inheriting.evaluations, inheriting.epochs, random.evaluations, random.epochs) == (6, 9, 5, 10)
    campaign = Campaign.load(finished.directory(ARMS[1], 0))
    assert campaign.best is not None
    assert random.validation == campaign.best.metrics["accuracy"]
    assert random.test == campaign.facts["tested"]["accuracy"]
    assert random.curve is not None
    assert random.curve.spent == [2, 4, 6, 8, 10]
    assert (sampling.evaluations, sampling.validation, sampling.test, sampling.curve) == (0, None, None, None)
    assert 0 <= sampling.retrained <= 1


def test_a_last_measurement_is_made_once_and_equals_itself(finished: Study) -> None:
    directory = finished.directory(SAMPLING, 1)
    before = retrained(directory)
    assert before is not None
    work(finished, SAMPLING, 0)
    (directory / "retrained.json").unlink()
    work(finished, SAMPLING, 1)
    again = retrained(directory)
    assert again is not None
    assert (again.accuracy, again.loss, again.digest) == (before.accuracy, before.loss, before.digest)


def test_sampling_draws_until_one_is_within_the_limits(tmp_path: Path) -> None:
    free = _drawn(tmp_path / "free", 1_000_000)
    small = _drawn(tmp_path / "small", free.parameters - 1)
    assert free.n_draws == 1 < small.n_draws
    assert small.parameters < free.parameters


def _drawn(place: Path, limit: int) -> Retrained:
    made = study(place, (SAMPLING,), (0,), evaluation={"device": "cpu", "max_parameters": limit})
    work(made, SAMPLING, 0)
    found = retrained(made.directory(SAMPLING, 0))
    assert found is not None
    return found


def test_the_report_has_every_arm(finished: Study) -> None:
    text = report(finished, pictures=[("small", "small.png")])
    assert "6 of 6 runs." in text
    for arm in finished.arms:
        assert f"| {arm.label} | 2 |" in text
    assert "Against *random*" in text
    assert "](small.png)" in text
    (line,) = [line for line in text.splitlines() if line.startswith("| sampling | 2 ")]
    assert line.split(" | ")[5:7] == ["–", "–"]


def test_the_report_says_what_is_missing(tmp_path: Path) -> None:
    made = study(tmp_path)
    assert "0 of 4 runs, **4 missing**" in report(made)
    grid, found = bands(collect(made), made.arms)
    assert list(grid) == [0]
    assert found == {}


def test_bands_are_means_over_seeds(finished: Study) -> None:
    grid, found = bands(collect(finished), finished.arms)
    assert list(found) == ["inheriting", "random"]
    assert grid[-1] == 10
    rows = [row for row in collect(finished) if row.arm == "small/random"]
    first = [row.curve.value[0] for row in rows if row.curve is not None]
    assert found["random"][0, list(grid).index(2)] == pytest.approx(np.mean(first))
    assert np.isnan(found["random"][0, 0])


def test_a_broken_arm_is_reported_and_the_rest_goes_on(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    broken = Arm("small/broken", {"task.path": str(tmp_path / "nothing.npz")})
    hopeless = Arm("small/hopeless", {"evaluation.max_parameters": 1})
    steps: list[Step] = []
    made = study(tmp_path, (broken, hopeless, ARMS[1]), (0,))
    failed = run(made, watch=steps.append)
    assert [step.arm for step in failed] == ["small/broken", "small/hopeless"]
    assert "DataError" in failed[0].error
    assert "nothing.npz" in failed[0].error
    assert "expected a candidate that succeeded, got none" in failed[1].error
    assert [bool(step.error) for step in steps] == [True, True, False]
    assert [row.arm for row in collect(made)] == ["small/random"]
    assert "1 of 3 runs, **2 missing**" in report(made)
    capfd.readouterr()


PATIENCE = 240
"""Seconds after which a process is taken to hang; a busy machine needs many to import torch."""

INTERRUPTED = """\
import sys
from pathlib import Path
from evonas.studies import run
from tests.studies.test_study import ARMS, study

if __name__ == "__main__":
    made = study(Path(sys.argv[1]), ARMS, (0,), budget={"epochs": 4_000})
    try:
        run(made, watch=lambda step: print(step, flush=True))
    except KeyboardInterrupt:
        print("stopped", flush=True)
        sys.exit(130)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_study_goes_on(number: signal.Signals, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(INTERRUPTED)
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, str(script), str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    made = study(tmp_path, ARMS, (0,), budget={"epochs": 4_000})
    directory = made.directory(ARMS[0], 0)
    try:
        _wait(lambda: (directory / "campaign.sqlite").exists() and _n_told(directory) >= 3)
        process.send_signal(number)
        output, _ = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert process.returncode == (130 if number == signal.SIGINT else -number)
    assert ("stopped" in output) == (number == signal.SIGINT)
    # Its worker has stopped, or stops within a training step once it is orphaned: the record can be written again.
    _wait(lambda: _is_free(directory))
    told = _n_told(directory)
    assert 3 <= told < 3_800
    shorter = study(tmp_path, ARMS[:1], (0,), budget={"epochs": told + 10})
    assert run(shorter) == []
    (row,) = collect(shorter)
    assert row.evaluations >= told


def _written(place: Path) -> dict[Path, int]:
    """When each file was written, but for those that reading a database touches."""
    suffixes = (".sqlite", ".json", ".safetensors", ".toml")
    return {path: path.stat().st_mtime_ns for path in place.rglob("*") if path.suffix in suffixes}


def _wait(condition: Any, seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.05)


def _n_told(directory: Path) -> int:
    with closing(Store.open(directory)) as store:
        return sum(one.state == "complete" for one in store.individuals())


def _is_free(directory: Path) -> bool:
    from evonas.campaign.store import is_locked

    return not is_locked(directory)
