"""The comparisons that ship: their options are understood and their specs are specs."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from evonas.campaign.spec import parse
from tests.tasks.published import expect_idx, idx_files, images, write_idx

RUNS = Path(__file__).parents[2] / "runs"
SCRIPTS = ("inheritance", "controller", "epochs")


def known(table: str, fields: dict[str, Any]) -> bool:
    """True if this version of the engine has the encoding or search that these fields name."""
    try:
        parse({table: {"name": fields["name"]}})
    except ValueError:
        return False
    return True


@pytest.fixture
def problems(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(RUNS))
    return importlib.import_module("problems")


@pytest.mark.parametrize("script", SCRIPTS)
def test_help(script: str) -> None:
    command = [sys.executable, str(RUNS / f"{script}.py"), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=RUNS.parent)
    assert "--task" in done.stdout
    assert f"python runs/{script}.py" in done.stdout


@pytest.mark.parametrize("script", ["inheritance", "controller"])
@pytest.mark.parametrize("task", ["digits", "fashion"])
def test_every_arm_of_a_comparison_is_a_spec(
    script: str, task: str, problems: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(problems, "fashion", lambda out: out / "fashion.npz")
    labels = importlib.import_module(script).LABELS
    encodings = [name for name, space in problems.SPACES.items() if known("encoding", space)]
    labels = [label for label in labels if "controller" not in label or known("search", {"name": "controller"})]
    options = problems.parser("x").parse_args(["--task", task, "--out", str(tmp_path), "--encodings", *encodings])
    study = problems.study_of("x", options, labels)
    assert len(study.arms) == len(encodings) * len(labels)
    budgets = {study.spec(arm, 0).budget.epochs for arm in study.arms}
    assert budgets == {problems.SIZES[task]["budget"]}
    inherits = {arm.label for arm in study.arms if study.spec(arm, 0).training.inherit}
    assert inherits == {label for label in labels if label == "ageing-inheriting"}
    assert {arm.label for arm in study.arms if not arm.searches} == {problems.SAMPLING}
    assert {study.final_training(arm).epochs for arm in study.arms} == {problems.SIZES[task]["final"]}


def test_idx_is_read_and_pooled(problems: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = idx_files(30)
    expect_idx(monkeypatch, files)
    write_idx(tmp_path / "FashionMNIST" / "raw", files)
    monkeypatch.setenv("EVONAS_DATA", str(tmp_path))
    monkeypatch.setattr(problems, "N_FASHION", 20)
    with np.load(problems.fashion(tmp_path / "out")) as archive:
        assert archive["X_train"].shape == (20, 1, 2, 2)
        assert archive["y_train"].shape == (20,)
        assert archive["X_test"].shape == (20, 1, 2, 2)
        assert archive["X_test"][7, 0, 1, 0] == pytest.approx(images(20, seed=1)[0][7, 2:, :2].mean())
    task = parse(problems.base("fashion", tmp_path / "out") | {"search": "random"}).task.load()
    assert task.input_shape == (1, 2, 2)


def test_missing_data_are_said_clearly(
    problems: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EVONAS_DATA", str(tmp_path))
    arguments = ["--task", "fashion", "--encodings", "dag", "--out", str(tmp_path)]
    assert problems.main("x", "x", ["random-search"], arguments) == 2
    assert f"skipped: {tmp_path}: expected train-images-idx3-ubyte.gz, " in capsys.readouterr().err


def test_the_epochs_table_and_what_is_noted(
    problems: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    epochs = importlib.import_module("epochs")
    arguments = ["--encodings", "dag", "--children", "2", "--full", "1", "--out", str(tmp_path)]
    small = {"name": "dag", "operations": ["conv"], "widths": [8], "max_sampled": 2, "min_nodes": 2}
    monkeypatch.setitem(problems.SPACES, "dag", small)
    monkeypatch.setattr(epochs, "SHORT", (1, 2))
    assert epochs.main(arguments) == 0
    noted = tmp_path / "dag.jsonl"
    lines = noted.read_text().splitlines()
    assert len(lines) == 3
    # A torn last line is measured again, to the same result.
    noted.write_text("\n".join(lines[:2]) + "\n" + lines[2][:40])
    assert epochs.main(arguments) == 0
    again = noted.read_text().splitlines()
    assert again[:2] == lines[:2]
    first, second = (json.loads(text[2])["child"] for text in (lines, again))
    names = first.keys() - {"operator"}
    assert {name: first[name]["loss"] for name in names} == {name: second[name]["loss"] for name in names}
    text = (tmp_path / "epochs-digits.md").read_text()
    for name in ("inherited, 1 epoch", "scratch, 1 epoch", "scratch, 2 epochs", "full"):
        assert f"| {name} |" in text
    assert epochs.main([*arguments[:-3], "2", "--out", str(tmp_path)]) == 2
    assert "expected the spec it was begun with" in capsys.readouterr().err
