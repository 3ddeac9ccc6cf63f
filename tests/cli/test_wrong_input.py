"""Wrong usage, wrong specs, wrong data: one line, an exit code, and nothing left behind."""

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.campaigns import arrays, written_spec
from tests.cli.commands import Command, refused

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
        (["plot", "genomes", "a"], "'species'; did you mean genome?"),
        (["plot", "xyz", "a"], "'species'; choose one of them"),
        (["export", "dots", "a"], "Invalid value for 'format': 'dots' is not one of 'genome', "),
        (["export", "dots", "a"], "; did you mean dot?"),
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
        (["--set", "training.epochs=-1"], "training.epochs: input should be greater than or equal to 0, got -1"),
        (["--set", "training.epochs"], "--set training.epochs: expected NAME=VALUE"),
        (["--set", "=3"], "--set =3: expected NAME=VALUE"),
        (["--set", "training=3"], "training: "),
        (["--set", "name.first=x"], "--set name.first: expected name to be a table"),
        (
            ["--set", "search.name=agein"],
            "search.name: expected one of evolution, ageing, speciated, random, controller, listed, got 'agein'",
        ),
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


def test_a_damaged_genome_file_is_named(evonas: Command, tmp_path: Path) -> None:
    (tmp_path / "genome.json").write_text('{"encoding": "dag", ')
    spec = tmp_path / "list.toml"
    spec.write_text('[search]\nname = "listed"\ngenomes = ["genome.json"]\n')
    refused(evonas("run", spec), 2, "genome.json: expected a JSON file", "it is no JSON text in UTF-8")


def test_what_the_system_refuses_is_named_without_its_number(evonas: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    line = refused(evonas("init", tmp_path / "file" / "a.toml"), 2, "file/a.toml: Not a directory; check the path")
    assert "Errno" not in line
