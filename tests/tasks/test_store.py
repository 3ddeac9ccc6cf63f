"""The store: written once, whole or not at all, read by all, and never trusted."""

import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import BaseModel

from evonas.tasks import Arrays, Bundled, DataError, Diabetes, Digits, Task, Text, from_arrays, store

PARTS = ("train", "validation", "test")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EVONAS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tasks"


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by one with every data set that is prepared anew."""
    made: list[str] = []
    build = Arrays._build

    def noted(self: Arrays, path: Path) -> Task:
        made.append(path.name)
        return build(self, path)

    monkeypatch.setattr(Arrays, "_build", noted)
    return made


def saved(path: Path, *, shape: tuple[int, ...] = (3, 5, 4), seed: int = 0) -> Arrays:
    rng = np.random.default_rng(seed)
    np.savez(path, X=rng.integers(256, size=(40, *shape), dtype=np.uint8), y=np.arange(40) % 4)
    return Arrays(path=str(path), layout="channels_first")


def assert_same(a: Task, b: Task) -> None:
    for field in fields(Task):
        left, right = getattr(a, field.name), getattr(b, field.name)
        if field.name in PARTS:
            np.testing.assert_array_equal(left.inputs, right.inputs)
            np.testing.assert_array_equal(left.targets, right.targets)
            assert (left.inputs.dtype, left.targets.dtype) == (right.inputs.dtype, right.targets.dtype)
        elif field.name != "files":
            assert left == right, field.name


def test_what_is_stored_is_what_was_prepared(tmp_path: Path, cache: Path, builds: list[str]) -> None:
    config = saved(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as archive:
        prepared = from_arrays(archive["X"], archive["y"], layout="channels_first")
    first, second = config.load(), config.load()
    assert builds == ["a.npz"]
    assert_same(first, prepared)
    assert_same(second, prepared)
    assert first.files == second.files == {"a.npz": store.sha256(tmp_path / "a.npz")}
    assert [path.name[:5] for path in cache.iterdir() if path.name.startswith(store.TEMPORARY)] == []


@pytest.mark.parametrize("config", [Digits(), Bundled(name="iris"), Diabetes(), Text()], ids=lambda config: config.name)
def test_every_bundled_task_is_stored(config: BaseModel, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    first = config.load()
    monkeypatch.setattr(type(config), "_build", None)
    assert_same(config.load(), first)
    assert config.load().files == first.files != {}


def test_a_regression_keeps_its_targets(tmp_path: Path, cache: Path) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 3)), rng.normal(size=(30, 2))
    np.savez(tmp_path / "a.npz", X=X, y=y)
    config = Arrays(path=str(tmp_path / "a.npz"), kind="regression")
    for _ in range(2):
        assert_same(config.load(), from_arrays(X, y, kind="regression"))


@pytest.mark.parametrize("shape", [(3, 5, 4), (1, 5, 4), (7,)])
def test_torch_copies_nothing(shape: tuple[int, ...], tmp_path: Path, cache: Path) -> None:
    task = saved(tmp_path / "a.npz", shape=shape).load()
    assert task.input_shape == shape
    tensor = torch.from_numpy(task.train.inputs)
    if len(shape) == 3:
        assert tensor.contiguous(memory_format=torch.channels_last).data_ptr() == tensor.data_ptr()
    else:
        assert tensor.contiguous().data_ptr() == tensor.data_ptr()


def test_one_channel_looks_as_it_does_in_memory(tmp_path: Path, cache: Path) -> None:
    config = saved(tmp_path / "a.npz", shape=(1, 5, 4))
    with np.load(tmp_path / "a.npz") as archive:
        prepared = from_arrays(archive["X"], archive["y"], layout="channels_first")
    assert config.load().train.inputs.strides == prepared.train.inputs.strides


def test_what_one_process_writes_stays_its_own(tmp_path: Path, cache: Path, builds: list[str]) -> None:
    config = saved(tmp_path / "a.npz")
    first = config.load()
    first.train.inputs[:] = 7
    assert not (config.load().train.inputs == 7).any()
    assert len(builds) == 1


def test_content_and_configuration_name_a_store_and_the_place_does_not(
    tmp_path: Path, cache: Path, builds: list[str]
) -> None:
    config = saved(tmp_path / "a.npz")
    config.load()
    (tmp_path / "b").mkdir()
    (tmp_path / "a.npz").rename(tmp_path / "b" / "a.npz")
    moved = config.model_copy(update={"path": str(tmp_path / "b" / "a.npz")})
    moved.load()
    assert len(builds) == 1
    moved.model_copy(update={"split_seed": 1}).load()
    assert len(builds) == 2
    before = moved.load().fingerprint
    assert saved(tmp_path / "b" / "a.npz", seed=1).load().fingerprint != before
    assert len(builds) == 3


def entry_of(cache: Path) -> Path:
    (entry,) = cache.iterdir()
    return entry


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 5)


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-9] ^= 4
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("name", ["train-inputs.npy", "test-targets.npy", "task.json"])
@pytest.mark.parametrize("damage", [cut, flipped, Path.unlink, lambda path: path.write_bytes(b"")])
def test_a_damaged_store_is_made_anew(name: str, damage, tmp_path: Path, cache: Path, builds: list[str]) -> None:
    config = saved(tmp_path / "a.npz")
    whole = config.load()
    copies = {part: getattr(whole, part).inputs.copy() for part in PARTS}
    described = json.loads((entry_of(cache) / "task.json").read_text())
    del whole
    damage(entry_of(cache) / name)
    again = config.load()
    if (name, damage) != ("task.json", flipped):  # a flipped bit of white space changes nothing
        assert len(builds) == 2
    for part in PARTS:
        np.testing.assert_array_equal(getattr(again, part).inputs, copies[part])
    assert json.loads((entry_of(cache) / "task.json").read_text()) == described


def test_a_file_in_the_place_of_a_store_is_no_traceback(tmp_path: Path, cache: Path) -> None:
    config = saved(tmp_path / "a.npz")
    config.load()
    entry = entry_of(cache)
    entry.rename(tmp_path / "elsewhere")
    entry.write_text("x")
    with pytest.raises(DataError, match="EVONAS_CACHE"):
        config.load()


KILLED = """
import os, signal, sys
from evonas.tasks import Arrays, store
write = store._save
def dying(path, array):
    written = write(path, array)
    if path.name.startswith(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return written
store._save = dying
Arrays(path=sys.argv[1], layout="channels_first").load()
"""


@pytest.mark.parametrize("after", ["train-inputs", "test-targets"])
def test_a_kill_while_it_is_written_leaves_nothing_that_is_read(
    after: str, tmp_path: Path, cache: Path, builds: list[str]
) -> None:
    config = saved(tmp_path / "a.npz")
    command = [sys.executable, "-c", KILLED, config.path, after]
    assert subprocess.run(command, timeout=120, check=False).returncode == -9
    (left,) = cache.iterdir()
    assert left.name.startswith(store.TEMPORARY)
    config.load()
    assert builds == ["a.npz"]
    assert not left.exists()
    assert len(list(cache.iterdir())) == 1


def test_a_build_that_runs_is_not_swept(tmp_path: Path, cache: Path) -> None:
    cache.mkdir(parents=True)
    ours = cache / f"{store.TEMPORARY}{store.socket.gethostname()}-{os.getppid()}-x1"
    theirs = cache / f"{store.TEMPORARY}another-host-1-x1"
    for path in (ours, theirs):
        path.mkdir()
    saved(tmp_path / "a.npz").load()
    assert ours.is_dir()
    assert theirs.is_dir()


def test_the_second_of_two_at_once_uses_what_the_first_stored(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = saved(tmp_path / "a.npz")
    build = Arrays._build

    def overtaken(self: Arrays, path: Path) -> Task:
        monkeypatch.setattr(Arrays, "_build", build)
        self.load()
        (train,) = cache.glob("*/train-inputs.npy")
        stamp.append(train.stat().st_ino)
        return build(self, path)

    stamp: list[int] = []
    monkeypatch.setattr(Arrays, "_build", overtaken)
    config.load()
    assert (entry_of(cache) / "train-inputs.npy").stat().st_ino == stamp[0]


def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = saved(tmp_path / "a.npz")
    build = Arrays._build

    def disturbed(self: Arrays, path: Path) -> Task:
        task = build(self, path)
        saved(path, shape=(3, 6, 4))
        return task

    monkeypatch.setattr(Arrays, "_build", disturbed)
    with pytest.raises(DataError, match="changed meanwhile"):
        config.load()
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("EVONAS_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(
        DataError, match=r"cannot write it \(Not a directory\); make room or set EVONAS_CACHE"
    ) as caught:
        Digits().load()
    assert "\n" not in str(caught.value)


def test_a_full_disk_is_one_line_and_leaves_nothing(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = store._save

    def full(path: Path, array: np.ndarray) -> int:
        if path.name.startswith("test"):
            raise OSError(28, "No space left on device")
        return write(path, array)

    monkeypatch.setattr(store, "_save", full)
    with pytest.raises(DataError, match="No space left on device"):
        saved(tmp_path / "a.npz").load()
    assert list(cache.iterdir()) == []


SHARING = """
import re, sys
from evonas.tasks import Arrays
task = Arrays(path=sys.argv[1], layout="channels_first").load()
total = sum(float(getattr(task, part).inputs.sum()) for part in ("train", "validation", "test"))
print("ready", flush=True)
sys.stdin.readline()
text = open("/proc/self/smaps").read()
found = re.findall(r"train-inputs.npy\\n(?:.*\\n)*?Rss: *(\\d+) kB\\nPss: *(\\d+) kB", text)
print(*map(int, found[0]), flush=True)
sys.stdin.readline()
"""


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs Linux")
def test_two_processes_share_their_pages(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "a.npz"
    rng = np.random.default_rng(0)
    np.savez(path, X=rng.integers(256, size=(400, 3, 32, 32), dtype=np.uint8), y=np.arange(400) % 4)
    Arrays(path=str(path), layout="channels_first").load()
    command = [sys.executable, "-c", SHARING, str(path)]
    pipe = subprocess.PIPE
    with (
        subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as one,
        subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as two,
    ):
        for process in (one, two):
            assert process.stdout is not None
            assert process.stdin is not None
            assert process.stdout.readline() == "ready\n"
        one.stdin.write("\n")
        one.stdin.flush()
        rss, pss = map(int, one.stdout.readline().split())
        for process in (one, two):
            process.communicate("\n\n", timeout=60)
    assert rss >= 2000
    assert pss <= 0.6 * rss
