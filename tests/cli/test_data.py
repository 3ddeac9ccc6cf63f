"""Data that cannot be used end a command with one line and exit code 2, and leave nothing half-written."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evonas.tasks.idx import NAMES
from tests.cli.commands import Command, refused

SPEC = """
name = "a"
[task]
{task}
[encoding]
name = "dag"
operations = ["linear"]
widths = [4]
max_sampled = 2
min_nodes = 1
[search]
name = "random"
[training]
epochs = 1
[budget]
evaluations = 1
"""


def table(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b,label\n1,2,x\n1,tall,y\n")


def wrong_files(tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(b"\0\0\x08\x01\0\0\0\x01a"))


def pictures(tmp_path: Path) -> None:
    for name in "xy":
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(4):
            Image.new("L", (5, 5), 40 * number).save(tmp_path / "pictures" / name / f"{number}.png")


def cut_picture(tmp_path: Path) -> None:
    pictures(tmp_path)
    path = tmp_path / "pictures" / "y" / "3.png"
    path.write_bytes(path.read_bytes()[:-30])


def nothing(tmp_path: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("task", "make", "expected"),
    [
        ('path = "a.csv"\ntarget = "label"', table, "a.csv: line 3, column 'b': expected a number, got 'tall'"),
        ('path = "a.csv"\ntarget = "lable"', table, "did you mean 'label'?"),
        ('path = "a.csv"', table, "task.target: missing"),
        ('path = "a.csv"\ntarget = 3', table, "task.target"),
        ('name = "fashion_mnist"\npath = "."', wrong_files, "expected the published file with checksum md5:"),
        ('name = "mnist"\npath = "nowhere"', nothing, "expected train-images-idx3-ubyte.gz"),
        ('name = "cifar10"\npath = "."', nothing, "expected data_batch_1.bin, data_batch_2.bin"),
        ('name = "fashion_mnist"\nn_train = 0', nothing, "task.n_train: input should be greater than or equal to 1"),
        ('path = "pictures"', cut_picture, "3.png: expected an image, got a damaged one"),
        ('path = "pictures"\nsize = [3]', pictures, "task.size"),
        ('path = "pictures"\nchannels = 2', pictures, "task.channels"),
        ('path = "nowhere"', nothing, "expected a folder of images, found nothing there"),
        ('name = "given"\ncalled = "mine"\nkind = "classification"', nothing, "task mine: expected the Python object"),
    ],
)
def test_wrong_data(
    task: str,
    make: Callable[[Path], None],
    expected: str,
    tmp_path: Path,
    evonas: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EVONAS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("EVONAS_DATA", raising=False)
    make(tmp_path)
    (tmp_path / "a.toml").write_text(SPEC.format(task=task))
    refused(evonas("run", str(tmp_path / "a.toml"), "--out", str(tmp_path / "out")), 2, expected)
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "cache").exists()


def test_a_cache_that_cannot_be_written(tmp_path: Path, evonas: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").write_text("a file")
    monkeypatch.setenv("EVONAS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "a.toml").write_text(SPEC.format(task='name = "iris"'))
    refused(evonas("run", str(tmp_path / "a.toml"), "--out", str(tmp_path / "out")), 2, "EVONAS_CACHE")
    assert not (tmp_path / "out").exists()


def test_paths_start_at_the_spec(tmp_path: Path, evonas: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from evonas import Campaign

    here = tmp_path / "here"
    here.mkdir()
    pictures(here)
    rows = np.random.default_rng(0).normal(size=(30, 2))
    (here / "a.csv").write_text("a,b\n" + "".join(f"{a},{b}\n" for a, b in rows))
    monkeypatch.chdir(tmp_path)
    for name, task in (("1", 'path = "pictures"'), ("2", 'path = "a.csv"\ntarget = "b"\nkind = "regression"')):
        (here / "a.toml").write_text(SPEC.format(task=task))
        code, _, _ = evonas("run", "here/a.toml", "--out", name)
        assert code == 0
        facts = Campaign.load(name).facts
        assert facts["files"]
        assert Path(facts["spec"]["task"]["path"]).is_absolute()
    assert facts["targets"] == ["b"]
