"""The comparison of recurrent cells: equal parameters, and a page from a run of a few seconds."""

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from genomes import Recurrent
from genomes.encoding import uniform
from genomes.recurrence import CELLS

RUNS = Path(__file__).parents[2] / "runs"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(RUNS))
    return importlib.import_module("text")


@pytest.mark.parametrize("width", [32, 48, 64])
def test_rivals_have_the_parameters_of_the_evolved_cell(script: ModuleType, width: int) -> None:
    rng = np.random.default_rng(0)
    best = Recurrent(widths=(width,), max_layers=1).sample(uniform(rng), rng=rng)
    found = script.rivals(best, 60)
    assert {genome.cell for genome in found.values()} == set(CELLS)
    for genome in found.values():
        assert script.size(genome, 60) == pytest.approx(script.size(best, 60), rel=script.TOLERANCE)


def test_a_cell_is_written_as_equations(script: ModuleType) -> None:
    assert script.equations(CELLS["lstm"])[3:] == [
        "output-gate = σ(W x + U h + b)",
        "kept = forget-gate ⊙ c",
        "renewed = input-gate ⊙ candidate",
        "c' = kept + renewed",
        "memory = tanh(c')",
        "h' = output-gate ⊙ memory",
    ]


def test_without_data_it_says_so(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EVONAS_DATA", str(tmp_path))
    assert script.main(["--out", str(tmp_path / "out")]) == 2
    assert "skipped: expected text/tinyshakespeare.txt in" in capsys.readouterr().err


def test_a_page_from_a_small_run_and_again_from_its_record(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "tinyshakespeare.txt").write_text("so it goes, and so it went; " * 60)
    monkeypatch.setenv("EVONAS_DATA", str(tmp_path))
    monkeypatch.setattr(script, "RATES", (0.01,))
    arguments = ["--out", str(tmp_path / "out"), "--evaluations", "2", "--population", "2", "--epochs", "1"]
    arguments += ["--repeats", "2", "--width", "32", "--characters", "1500"]
    assert script.main(arguments) == 0
    page = (tmp_path / "out" / "text.md").read_text()
    begins = tuple(f"| {label} " for label in ("evolved", "random-search", *CELLS))
    rows = [line for line in page.splitlines() if line.startswith(begins)]
    assert len(rows) == 5
    assert all("±" in row and "–" not in row for row in rows)
    assert "The first 1,500 characters, 14 symbols" in page
    (tmp_path / "text" / "tinyshakespeare.txt").rename(tmp_path / "text" / "b.txt")
    (tmp_path / "text" / "tinyshakespeare.txt").write_text("another")
    (tmp_path / "out" / "text.md").unlink()
    assert script.main([*arguments, "--report-only"]) == 0
    assert (tmp_path / "out" / "text.md").read_text() == page
    capsys.readouterr()
