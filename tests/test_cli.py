"""Every verb of the command line, and every way to get it wrong."""

import json
import pickle
import shutil
import signal
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas.campaign import Campaign, Store
from evonas.cli import STOPPED, main
from tests.campaigns import arrays, record, written_spec

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def evonas(capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """Runs a command here: its exit code, stdout and stderr."""
    handlers = {number: signal.getsignal(number) for number in STOPPED}

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments])
        code = caught.value.code
        assert isinstance(code, int)
        return code, *capsys.readouterr()

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def refused(result: tuple[int, str, str], code: int, *expected: str) -> str:
    """The one line that a command refused with."""
    assert result[0] == code, result
    assert result[1] == "", "results alone go to stdout"
    assert result[2].count("\n") == 1, result[2]
    assert result[2].startswith("evonas: ")
    assert "Traceback" not in result[2]
    for text in expected:
        assert text in result[2]
    return result[2]


def parsed(result: tuple[int, str, str]) -> Any:
    assert (result[0], result[2]) == (0, ""), result
    return json.loads(result[1])


# Imports


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--no-such-option"], []], ids=str)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    by_typer = {"pydantic"} if "run" in arguments else set()
    code = (
        "import sys\nfrom evonas.cli import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'numpy', 'pydantic', 'deap', 'matplotlib', 'networkx', 'sklearn', 'scipy', 'genomes'}\n"
        f"sys.exit(','.join(sorted((heavy - {by_typer}) & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_help_names_every_verb(evonas: Command) -> None:
    code, out, err = evonas("--help")
    assert (code, err) == (0, "")
    for verb in [
        "init",
        "run",
        "resume",
        "retrain",
        "status",
        "list",
        "show",
        "best",
        "lineage",
        "plot",
        "verify",
        "doctor",
    ]:
        assert f"  {verb} " in out


# Every verb


def test_init_writes_a_spec_that_can_be_run(evonas: Command, tmp_path: Path) -> None:
    from evonas.campaign.spec import read

    path = tmp_path / "my spec é.toml"
    code, out, _ = evonas("init", path)
    assert code == 0
    assert f"evonas run {path}" in out
    assert read(path).budget.evaluations == 200
    before = path.read_bytes()
    refused(evonas("init", path), 2, "expected a new file, there is one already", str(path))
    assert path.read_bytes() == before


def test_run_and_resume_end_with_what_they_found(evonas: Command, tmp_path: Path) -> None:
    spec, out = written_spec(tmp_path), tmp_path / "out"
    code, text, progress = evonas("run", spec, "--out", out, "--max-evaluations", 3)
    assert code == 0
    assert "small: 3 evaluations" in progress
    assert "evolution" in text.splitlines()[1]
    for kind in ("genome", "progress", "lineage"):
        assert f"{kind}.png" in text
        assert (out / "figures" / f"{kind}.svg").stat().st_size > 1000
    assert {path.stem for path in (out / "figures").iterdir()} == {"genome", "progress", "lineage"}
    assert len(Campaign.load(out).individuals) == 3
    found = parsed(evonas("resume", out, "--max-evaluations", 5, "-q", "--format", "json"))
    assert found["id"] in range(5)
    assert parsed(evonas("run", spec, "--out", out, "--max-evaluations", 5, "-q", "--format", "json")) == found
    assert parsed(evonas("best", out, "--format", "json")) == found
    whole = Campaign.of(Campaign.load(out).spec).run(tmp_path / "whole")
    assert record(whole.individuals) == record(Campaign.load(out).individuals)


def test_run_takes_changes(evonas: Command, tmp_path: Path) -> None:
    spec, out = written_spec(tmp_path), tmp_path / "out"
    changes = ("--set", "search.name=random", "--set", "budget.evaluations=9", "--set", "encoding.widths=[4, 16]")
    changes = (*changes, "--set", "search.population=1")
    refused(evonas("run", spec, "--out", out, *changes), 2, "search.population: unknown key; known are lag, name")
    changes = ("--set", "training.epochs=1", "--set", "encoding.widths=[4, 16]")
    result = evonas("run", spec, "--out", out, "--seed", 8, "--device", "cpu", "--max-evaluations", 2, "-q", *changes)
    assert (result[0], result[2]) == (0, "")
    found = Campaign.load(out).spec
    assert (found.seed, found.training.epochs, found.encoding.widths) == (8, 1, (4, 16))
    assert (found.evaluation.device, found.budget.evaluations) == ("cpu", 2)


def test_run_without_a_directory_goes_to_one_named_after_it(
    evonas: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written_spec(tmp_path)
    assert evonas("run", "spec.toml", "--max-evaluations", 1, "-q")[0] == 0
    assert (tmp_path / "runs" / "out" / "small" / "campaign.sqlite").exists()
    (row,) = parsed(evonas("list", "--format", "json"))
    assert row["directory"] == "runs/out/small"


def test_status(evonas: Command, finished: Path) -> None:
    found = parsed(evonas("status", finished, "--format", "json"))
    assert {**found, "seconds": 0, "best": 0, "best_fitness": 0} == {
        "name": "small",
        "state": "finished",
        "evaluations": 10,
        "failed": 0,
        "epochs": sum(one.epochs for one in Campaign.load(finished).individuals),
        "budget": "10 evaluations",
        "best": 0,
        "best_fitness": 0,
        "seconds": 0,
        "timed": False,
    }
    assert "state         finished" in evonas("status", finished)[1]


def test_status_of_a_campaign_that_runs_or_was_stopped(evonas: Command, copy: Path) -> None:
    with sqlite3.connect(copy / "campaign.sqlite") as connection:
        connection.execute("DELETE FROM told WHERE id > 6")
    connection.close()
    assert parsed(evonas("status", copy, "--format", "json"))["state"] == "stopped"
    store = Store.open(copy, write=True)
    found = parsed(evonas("status", copy, "--format", "json"))
    store.close()
    assert (found["state"], found["evaluations"]) == ("running", 7)


def test_list(evonas: Command, finished: Path) -> None:
    (row,) = parsed(evonas("list", finished.parent, "--format", "json"))
    assert row == {"directory": str(finished), **parsed(evonas("status", finished, "--format", "json"))}
    assert str(finished) in evonas("list", finished.parent)[1]
    assert parsed(evonas("list", finished / "weights", "--format", "json")) == []


SHOWN = [
    "id",
    "state",
    "parents",
    "operator",
    "digest",
    "genome_digest",
    "generation",
    "metrics",
    "fraction_inherited",
    "seconds",
    "epochs",
]


def test_show(evonas: Command, finished: Path) -> None:
    individuals = Campaign.load(finished).individuals
    rows = parsed(evonas("show", finished, "--format", "json"))
    assert [row["id"] for row in rows] == list(range(10))
    assert all(set(SHOWN) <= set(row) for row in rows)
    assert [row["genome_digest"] for row in rows] == [one.genome_digest for one in individuals]
    for one in individuals:
        row = parsed(evonas("show", finished, one.id, "--format", "json"))
        assert set(SHOWN) < set(row)
        assert row["metrics"] == one.metrics
        assert json.loads(row["genome"]) == json.loads(one.genome)
        if one.donors:
            assert row["parent_accuracy"] == individuals[one.donors[0]].metrics["accuracy"]
    lines = evonas("show", finished)[1].splitlines()
    assert len(lines) == 11
    assert "sample" in lines[1]
    names = [line.split()[0] for line in evonas("show", finished, 4)[1].splitlines()]
    assert not {"genome", "curve", "origins", "metrics"} & set(names)
    assert {"genome_digest", "metrics.accuracy", "metrics.parameters"} <= set(names)
    assert "{" not in evonas("show", finished, 4)[1]
    digest = next(line for line in evonas("show", finished, 4)[1].splitlines() if line.startswith("genome_digest "))
    assert digest.split()[1] == individuals[4].genome_digest


BEST = ["id", "fitness", "validation_accuracy", "test_accuracy", "parameters", "macs", "operator", "parents", "digest"]


def test_best(evonas: Command, finished: Path) -> None:
    campaign = Campaign.load(finished)
    found = parsed(evonas("best", finished, "--format", "json"))
    assert set(BEST) <= set(found)
    best = max(campaign.individuals, key=lambda one: (one.fitness, -one.metrics["loss"], -one.id))
    assert found["id"] == best.id
    assert found["validation_accuracy"] == found["fitness"] == best.metrics["accuracy"]
    assert found["test_accuracy"] == campaign.facts["tested"]["accuracy"]
    assert (found["parameters"], found["macs"]) == (best.metrics["parameters"], best.metrics["macs"])
    assert type(found["parameters"]) is int
    assert f"digest               {best.digest}" in evonas("best", finished)[1]


def test_best_without_a_test_says_so(evonas: Command, copy: Path) -> None:
    store = Store.open(copy, write=True)
    store.set_fact("tested", {"id": 99, "accuracy": 0.5})
    store.close()
    assert parsed(evonas("best", copy, "--format", "json"))["test_accuracy"] is None


def test_lineage(evonas: Command, finished: Path) -> None:
    rows = parsed(evonas("lineage", finished, 9, "--format", "json"))
    ids = [row["id"] for row in rows]
    assert ids == sorted(ids)
    assert ids[-1] == 9
    assert {parent for row in rows for parent in row["parents"]} == set(ids) - {9}
    assert not rows[0]["parents"]
    best = parsed(evonas("best", finished, "--format", "json"))["id"]
    assert parsed(evonas("lineage", finished, "--format", "json"))[-1]["id"] == best
    assert len(evonas("lineage", finished, 9)[1].splitlines()) == len(rows) + 1


@pytest.mark.parametrize("kind", ["genome", "progress", "lineage"])
def test_plot(kind: str, evonas: Command, copy: Path, tmp_path: Path) -> None:
    shutil.rmtree(copy / "figures", ignore_errors=True)
    code, out, err = evonas("plot", kind, copy)
    assert (code, err) == (0, "")
    assert out.splitlines() == [str(copy / "figures" / f"{kind}.{ending}") for ending in ("png", "svg")]
    path = tmp_path / "new" / "a.svg"
    assert evonas("plot", kind, copy, 9, "-o", path)[0] == 0
    assert b"<svg" in path.read_bytes()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("cell", "expected an encoding of cells to draw, got dag; plot genome"),
        ("stack", "expected an encoding that stacks cells, got dag; plot genome"),
        ("front", "expected two objectives to draw a front of, got accuracy; run a campaign with one more"),
    ],
)
def test_a_picture_that_a_campaign_does_not_have(kind: str, expected: str, evonas: Command, finished: Path) -> None:
    refused(evonas("plot", kind, finished), 2, expected, str(finished))


def test_verify(evonas: Command, copy: Path) -> None:
    assert evonas("verify", copy) == (0, f"{copy}: nothing is damaged\n", "")
    path = next((copy / "weights").iterdir())
    path.write_bytes(b"")
    assert evonas("verify", copy) == (4, "", f"{path}: expected the recorded content, got another\n")


def test_doctor(evonas: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = parsed(evonas("doctor", "--format", "json"))
    assert found["cores"] >= 1
    assert {"torch", "numpy", "device"} <= set(found)
    assert list(tmp_path.iterdir()) == []


# Usage


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["rnu"], "rnu"),
        (["run"], "SPEC"),
        (["best"], "DIR"),
        (["show", "a", "1", "c"], "argument"),
        (["show", "a", "first"], "'[ID]': Input should be a valid integer"),
        (["run", "a.toml", "--sede", "1"], "--sede"),
        (["run", "a.toml", "--seed", "one"], "--seed"),
        (["run", "a.toml", "--set"], "--set"),
        (["best", "a", "--format", "yaml"], "yaml"),
        (["plot", "genomes", "a"], "genomes"),
        (["resume", "a", "--time-limit", "soon"], "--time-limit"),
    ],
    ids=lambda case: " ".join(case) if isinstance(case, list) else "",
)
def test_wrong_usage(arguments: list[str], expected: str, evonas: Command) -> None:
    refused(evonas(*arguments), 2, expected)


# Specs


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (["--set", "training.epoch=1"], "training.epoch: unknown key; did you mean epochs?"),
        (["--set", "training.epochs=many"], "training.epochs: input should be a valid integer"),
        (["--set", "training.epochs=0"], "training.epochs: input should be greater than or equal to 1, got 0"),
        (["--set", "training.epochs"], "--set training.epochs: expected NAME=VALUE"),
        (["--set", "=3"], "--set =3: expected NAME=VALUE"),
        (["--set", "training=3"], "training: "),
        (["--set", "name.first=x"], "--set name.first: expected name to be a table"),
        (["--set", "search.name=agein"], "search.name: expected one of evolution, ageing, random, listed, got 'agein'"),
        (["--set", "encoding.widths=[8, 4]"], "widths: expected ascending numbers"),
        (["--set", "budget.seconds=nan"], "budget.seconds: "),
        (["--seed", "-1"], "seed: "),
        (["--max-evaluations", "0"], "budget.evaluations: "),
        (["--time-limit", "-1"], "budget.seconds: "),
        (["--device", "abacus"], "evaluation.device: expected auto, cpu or a device of this machine, got 'abacus'"),
        (["--set", "task.path=none.npz"], "none.npz: expected an .npz file, found nothing there"),
        (["--set", "encoding.operations=[]"], "operations: expected some of"),
    ],
    ids=str,
)
def test_a_wrong_spec_leaves_nothing_behind(changes: list[str], expected: str, evonas: Command, tmp_path: Path) -> None:
    refused(evonas("run", written_spec(tmp_path), "--out", tmp_path / "out", *changes), 2, expected)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [None, b"", b"sede = 1", b"a = [", b"\xff", b"[search]\nname = 3\n"], ids=str)
def test_a_spec_file_that_is_none(content: bytes | None, evonas: Command, tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    if content == b"":
        content = b"[budget]\n"
    if content is not None:
        path.write_bytes(content)
    refused(evonas("run", path, "--out", tmp_path / "out"), 2, str(path))
    refused(evonas("run", tmp_path, "--out", tmp_path / "out"), 2, "Is a directory")
    assert not (tmp_path / "out").exists()


# Data


def objects(path: Path) -> None:
    X, y = arrays(60)
    np.savez(path, X=X.astype(object), y=y)


def pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps({"X": [1], "y": [2]}))


class Trap:
    """Unpickled, it leaves a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def trapped(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        header = b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little")
        described = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
        content = header + described + pickle.dumps(Trap(path.parent / "sprung"))
        archive.writestr("X.npy", content)
        archive.writestr("y.npy", content)


def saved(**changes: Callable[[np.ndarray], Any]) -> Callable[[Path], None]:
    def save(path: Path) -> None:
        X, y = arrays(60)
        np.savez(path, X=changes.get("X", lambda one: one)(X), y=changes.get("y", lambda one: one)(y))

    return save


def first_is_nan(X: np.ndarray) -> np.ndarray:
    X[0, 0, 0] = np.nan
    return X


DATA: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (lambda path: path.unlink(), "found nothing there"),
    "a directory": (lambda path: (path.unlink(), path.mkdir()), "got a directory"),
    "junk": (lambda path: path.write_bytes(b"junk"), "got another format"),
    "truncated": (lambda path: path.write_bytes(path.read_bytes()[:300]), "got a damaged one"),
    "a pickle": (pickled, "got a pickle, which is never loaded"),
    "objects": (objects, "X: expected numbers or strings, got an object array"),
    "a trap": (trapped, "got an object array, which would have to be unpickled"),
    "too few labels": (saved(y=lambda y: y[:-1]), "y: expected one label for each of the 60 rows of X, got 59"),
    "NaN": (saved(X=first_is_nan), "X: expected finite inputs"),
    "one class": (saved(y=np.zeros_like), "y: expected at least two classes, got only '0'"),
    "no labels": (saved(y=lambda y: y + 0.5), "y: expected class labels"),
    "one-hot labels": (saved(y=lambda y: np.eye(3)[y]), "y: expected labels of shape (n,), got (60, 3)"),
    "flat inputs": (saved(X=lambda X: X[:, 0, 0]), "X: expected one example a row"),
    "no examples": (saved(X=lambda X: X[:0], y=lambda y: y[:0]), "X: expected at least one value"),
    "words": (saved(X=lambda X: X.astype(str)), "X: expected numbers"),
}


@pytest.mark.parametrize("kind", DATA)
def test_data_that_make_no_task_leave_nothing_behind(kind: str, evonas: Command, tmp_path: Path) -> None:
    damage, expected = DATA[kind]
    spec = written_spec(tmp_path)
    damage(tmp_path / "data.npz")
    refused(evonas("run", spec, "--out", tmp_path / "out"), 2, expected, str(tmp_path / "data.npz"))
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "sprung").exists()


# Directories


@pytest.mark.parametrize(
    "verb", ["status", "show", "best", "lineage", "verify", "resume", "plot genome", "plot progress"]
)
def test_a_directory_that_is_no_campaign(verb: str, evonas: Command, tmp_path: Path) -> None:
    refused(evonas(*verb.split(), tmp_path), 3, str(tmp_path), "found no campaign.sqlite in it; check the path")
    refused(evonas(*verb.split(), tmp_path / "none"), 3, "found no campaign.sqlite in it; check the path")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_holds_no_campaigns(evonas: Command, tmp_path: Path) -> None:
    assert evonas("list", tmp_path)[0] == 0
    refused(evonas("list", tmp_path / "none"), 3, "expected a directory, found none")


@pytest.mark.parametrize("verb", ["status", "show", "best", "lineage", "resume", "retrain", "plot progress"])
@pytest.mark.parametrize("damage", ["junk", "empty", "cut", "short"])
def test_a_damaged_log(verb: str, damage: str, evonas: Command, copy: Path) -> None:
    path = copy / "campaign.sqlite"
    sound = path.read_bytes()
    content = {"junk": b"junk" * 99, "empty": b"", "cut": sound[: len(sound) // 2], "short": sound[:5000]}[damage]
    path.write_bytes(content)
    refused(evonas(*verb.split(), copy), 3, f"{path}: expected a campaign's log, got a damaged file (")
    assert path.read_bytes() == content, "nothing is lost"
    code, out, err = evonas("verify", copy)
    assert (code, out) == (4, "")
    assert "damaged file" in err


def test_a_damaged_log_hides_no_other_campaign(evonas: Command, copy: Path) -> None:
    shutil.copytree(copy, copy.parent / "sound")
    (copy / "campaign.sqlite").write_bytes(b"junk" * 99)
    damaged, sound = parsed(evonas("list", copy.parent, "--format", "json"))
    assert (damaged["directory"], damaged["state"]) == (str(copy), "damaged")
    assert "expected a campaign's log, got a damaged file" in damaged["error"]
    assert (sound["state"], sound["evaluations"]) == ("finished", 10)
    code, out, err = evonas("list", copy.parent)
    assert code == 0
    assert [line.split()[1] for line in out.splitlines()] == ["state", "damaged", "finished"]
    assert err == f"{damaged['error']}\n"


def test_individuals_that_are_none(evonas: Command, finished: Path) -> None:
    for id in (10, 99):
        for verb in ("show", "lineage", "retrain"):
            refused(evonas(verb, finished, id), 3, f"expected an individual from 0 to 9, got {id}")
        refused(evonas("plot", "genome", finished, id), 3, f"expected an individual from 0 to 9, got {id}")
    refused(evonas("show", finished, "--", -1), 3, "got -1")


@pytest.mark.parametrize("place", ["file/below/out", "/proc/evonas/out", "/proc/evonas"])
def test_a_directory_that_cannot_be_written(place: str, evonas: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content")
    refused(evonas("run", written_spec(tmp_path), "--out", tmp_path / place), 2, place.split("/")[1])
    refused(evonas("init", tmp_path / place / "a.toml"), 2)
    assert (tmp_path / "file").read_text() == "content"


def test_a_picture_that_cannot_be_written(evonas: Command, finished: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused(evonas("plot", "progress", finished, "-o", tmp_path / "file" / "a.png"), 2, "file")
    refused(evonas("plot", "progress", finished, "-o", tmp_path / "a.xyz"), 2, "xyz")


def test_a_second_writer(evonas: Command, copy: Path) -> None:
    before = Campaign.load(copy).individuals
    store = Store.open(copy, write=True)
    refused(evonas("resume", copy, "-q"), 3, "expected no other writer, another process runs this campaign")
    assert evonas("best", copy)[0] == 0
    store.close()
    assert evonas("resume", copy, "-q")[0] == 0
    assert Campaign.load(copy).individuals == before


def test_another_spec_in_the_same_directory(evonas: Command, tmp_path: Path) -> None:
    spec, out = written_spec(tmp_path, evaluations=2), tmp_path / "out"
    assert evonas("run", spec, "--out", out, "-q")[0] == 0
    before = Campaign.load(out).individuals
    refused(evonas("run", spec, "--out", out, "-q", "--seed", 9), 3, "got changes in seed: 3 → 9; undo them or")
    refused(evonas("resume", out, "--max-evaluations", 0), 2, "budget: budget.evaluations: ")
    np.savez(tmp_path / "data.npz", X=arrays(60)[0], y=arrays(60)[1])
    refused(evonas("resume", out, "-q"), 3, "expected the data it was begun with, they have changed")
    (tmp_path / "data.npz").unlink()
    refused(evonas("resume", out, "-q"), 2, "found nothing there")
    assert Campaign.load(out).individuals == before


def test_weights_that_are_gone_stop_a_resumed_run(evonas: Command, tmp_path: Path) -> None:
    spec, out = written_spec(tmp_path, evaluations=4), tmp_path / "out"
    assert evonas("run", spec, "--out", out, "-q")[0] == 0
    for path in (out / "weights").iterdir():
        path.unlink()
    message = "expected the weights of individual"
    refused(evonas("resume", out, "-q", "--max-evaluations", 8), 4, message, "which are needed, found none")


def test_a_budget_that_is_spent_says_so(evonas: Command, tmp_path: Path) -> None:
    spec, out = written_spec(tmp_path, evaluations=4), tmp_path / "out"
    assert "nothing to do" not in evonas("run", spec, "--out", out)[2]
    for n in (2, 4):
        code, _, err = evonas("resume", out, "--max-evaluations", n)
        assert code == 0
        assert f"nothing to do: 4 evaluations are recorded, the budget is {n} evaluations\n" in err
    assert "nothing to do" not in evonas("resume", out, "--max-evaluations", 5)[2]


def test_the_control_is_in_the_json(evonas: Command, copy: Path) -> None:
    found = parsed(evonas("resume", copy, "-q", "--format", "json"))
    assert found["control"] == parsed(evonas("best", copy / "control", "--format", "json"))
    assert {name: found[name] for name in found if name != "control"} == parsed(
        evonas("best", copy, "--format", "json")
    )


# Retraining


QUICK = ("-q", "--set", "training.epochs=1")


def test_retrain_prints_a_table_and_the_same_again(evonas: Command, copy: Path) -> None:
    code, out, err = evonas("retrain", copy, *QUICK)
    best = Campaign.load(copy).best
    assert best is not None
    new = Campaign.load(copy / "retrained" / str(best.id))
    assert (code, err) == (0, "")
    rows = [line.split() for line in out.splitlines()]
    assert rows[0] == ["id", "validation", "test", "parameters", "MACs", "inherited", "epochs", "seconds"]
    tests = [scores["accuracy"] for scores in new.facts["tests"].values()]
    assert [row[:3] for row in rows[1:4]] == [
        [str(one.id), f"{one.metrics['accuracy']:.4f}", f"{test:.4f}"]
        for one, test in zip(new.individuals, tests, strict=True)
    ]
    mean, deviation = np.mean(tests), np.std(tests, ddof=1)
    assert out.splitlines()[4] == f"test accuracy {mean:.4f} ± {deviation:.4f}, repeats: 3"
    before = record(new.individuals)
    again = evonas("retrain", copy, best.id, "--set", "training.epochs=1")
    assert again[:2] == (0, out)
    assert "nothing to do: 3 evaluations are recorded, the budget is 3 evaluations\n" in again[2]
    assert evonas("resume", new.directory, "-q") == (0, out, "")
    assert evonas("best", new.directory)[1].splitlines() == out.splitlines()[:5]
    assert record(Campaign.load(new.directory).individuals) == before
    assert [path.name for path in (copy / "retrained").iterdir()] == [str(best.id)]


def test_retrain_in_json(evonas: Command, copy: Path, tmp_path: Path) -> None:
    options = ("--repeats", 2, "--seed", 5, "--device", "cpu", "--out", tmp_path / "new", "--format", "json")
    found = parsed(evonas("retrain", copy, 9, "--inherit", *QUICK, *options))
    assert parsed(evonas("best", tmp_path / "new", "--format", "json")) == found
    assert [row["id"] for row in found["individuals"]] == [0, 1]
    assert {row["fraction_inherited"] for row in found["individuals"]} == {1.0}
    tests = [row["test_accuracy"] for row in found["individuals"]]
    (genome,) = found["genomes"]
    assert (genome["n"], genome["genome_digest"]) == (2, Campaign.load(copy).individuals[9].genome_digest)
    assert genome["test_accuracy"] == pytest.approx(np.mean(tests))
    assert genome["deviation"] == pytest.approx(np.std(tests, ddof=1))
    assert Campaign.load(tmp_path / "new").spec.seed == 5
    assert parsed(evonas("show", tmp_path / "new", 1, "--format", "json"))["donors"] == [-1]
    for verb in (["show"], ["lineage"], ["status"], ["verify"], ["plot", "lineage"], ["plot", "progress"]):
        assert evonas(*verb, tmp_path / "new")[0] == 0


def test_retrain_on_a_task_of_another_shape(evonas: Command, copy: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "flat.npz", X=arrays()[0].reshape(90, 16), y=arrays()[1])
    flat = ("--set", f"task.path={tmp_path / 'flat.npz'}", "--repeats", 1)
    (row,) = parsed(evonas("retrain", copy, *QUICK, *flat, "--format", "json"))["individuals"]
    assert row["state"] == "complete"
    message = "encoding.operations: expected linear and identity for an input of shape (16,)"
    refused(evonas("retrain", copy, *QUICK, *flat, "--set", 'encoding.operations=["conv"]'), 2, message)


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["10"], 3, "expected an individual from 0 to 9, got 10"),
        (["first"], 2, "'[ID]': Input should be a valid integer"),
        (["0", "--set", "encoding.n=6"], 2, "individual 0: encoding.n: unknown key; known are"),
        (["0", "--set", "training.epoch=6"], 2, "training.epoch: unknown key; did you mean epochs?"),
        (["0", "--set", "training.epochs"], 2, "--set training.epochs: expected NAME=VALUE"),
        (["0", "--set", "task.path=none.npz"], 2, "none.npz: expected an .npz file, found nothing there"),
        (["0", "--repeats", "0"], 2, "search.repeats: input should be greater than or equal to 1, got 0"),
        (["0", "--repeats", "many"], 2, "--repeats"),
        (["0", "--device", "abacus"], 2, "evaluation.device: expected auto, cpu or a device of this machine"),
        (["0", "--out", "/proc/evonas"], 2, "/proc/evonas"),
        (["{forgotten}", "--inherit"], 3, "only the best and possible parents keep theirs; leave out --inherit"),
        (["0", "--out", "{copy}"], 3, "expected the spec it was begun with, got changes in"),
    ],
    ids=str,
)
def test_what_cannot_be_retrained(arguments: list[str], code: int, expected: str, evonas: Command, copy: Path) -> None:
    kept = {path.name.split("-")[0] for path in (copy / "weights").iterdir()}
    known = {"forgotten": next(id for id in range(10) if str(id) not in kept), "copy": copy}
    refused(evonas("retrain", copy, "-q", *(text.format(**known) for text in arguments)), code, expected)
    assert not (copy / "retrained").exists()


def test_nothing_retrained_succeeds(evonas: Command, copy: Path) -> None:
    changes = ("--set", "evaluation.max_parameters=1")
    refused(evonas("retrain", copy, 0, *QUICK, *changes), 5, f"{copy / 'retrained' / '0'}: no candidate succeeded")


def test_a_list_of_several_genomes(evonas: Command, finished: Path, tmp_path: Path) -> None:
    rows = parsed(evonas("show", finished, "--format", "json"))
    sizes = [row["metrics"]["parameters"] for row in rows]
    large, small = sizes.index(max(sizes)), sizes.index(min(sizes))
    for id in (large, small):
        text = parsed(evonas("show", finished, id, "--format", "json"))["genome"]
        (tmp_path / f"{id}.json").write_text(text)
    names = f'["{large}.json", "{small}.json"]'
    spec = written_spec(tmp_path, search="listed", search_fields=f"genomes = {names}\nrepeats = 2")
    spec.write_text(spec.read_text().replace("population = 4\n", "").replace("evaluations = 8", "evaluations = 4"))
    limit = ("--set", f"evaluation.max_parameters={max(sizes) - 1}")
    code, out, err = evonas("run", spec, "--out", tmp_path / "out", "-q", *limit)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split()[1] == "genome"
    assert [line.split()[1] for line in lines[1:5]] == ["0", "1", "0", "1"]
    assert [line.split()[3] == "–" for line in lines[1:5]] == [True, False, True, False]
    assert lines[5].startswith("0: TooLargeError")
    assert lines[7] == "genome 0: test accuracy –, repeats: 0"
    assert lines[8].startswith("genome 1: test accuracy 0.")
    assert lines[8].endswith(", repeats: 2")


# Campaigns without success


def test_no_candidate_succeeds(evonas: Command, tmp_path: Path) -> None:
    spec, out = written_spec(tmp_path, evaluations=3), tmp_path / "out"
    changes = ("--set", "evaluation.max_parameters=1")
    message = f"{out}: no candidate succeeded; evonas show {out} tells why each failed"
    refused(evonas("run", spec, "--out", out, "-q", *changes), 5, message)
    for verb in (["best"], ["lineage"], ["plot", "genome"], ["resume", "-q"]):
        refused(evonas(*verb, out), 5, message)
    assert parsed(evonas("status", out, "--format", "json"))["failed"] == 3
    assert "TooLargeError: expected at most 1 parameters" in evonas("show", out)[1]
    for row in parsed(evonas("show", out, "--format", "json")):
        assert (row["state"], row["fitness"], row["metrics"]) == ("failed", None, {})
    assert evonas("plot", "progress", out)[0] == 0
    assert evonas("plot", "lineage", out)[0] == 0
    assert evonas("verify", out)[0] == 0


def test_a_bug_of_ours_is_one_line_and_a_traceback_if_asked_for(
    evonas: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise RuntimeError("this is\nbroken")

    monkeypatch.setattr("evonas.campaign.campaign.Loop", broken)
    spec = written_spec(tmp_path)
    assert refused(evonas("run", spec, "--out", tmp_path / "a", "-q"), 1) == "evonas: this is broken\n"
    code, _, err = evonas("run", spec, "--out", tmp_path / "b", "-q", "-v")
    assert code == 1
    assert "Traceback" in err
    assert err.endswith("evonas: this is broken\n")
