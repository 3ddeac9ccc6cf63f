"""Arrays read from a file: the same task as from memory, and one clear line for every file that is none."""

import io
import os
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from numpy.lib import format as npy

from evonas.tasks import Arrays, DataError, from_arrays

X = np.random.default_rng(0).normal(size=(30, 1, 3, 3)).astype(np.float32)
y = np.array(["cat", "ant", "bee"])[np.arange(30) % 3]


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path: str):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def assert_same(a, b) -> None:
    assert (a.name, a.classes, a.fingerprint, a.input_shape) == (b.name, b.classes, b.fingerprint, b.input_shape)
    for part in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(a, part).inputs, getattr(b, part).inputs)
        np.testing.assert_array_equal(getattr(a, part).targets, getattr(b, part).targets)


def header(shape: tuple[int, ...]) -> bytes:
    """A .npy member that declares `shape` and holds 16 bytes."""
    buffer = io.BytesIO()
    npy.write_array_header_1_0(buffer, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return buffer.getvalue() + bytes(16)


def load(path) -> str:
    """The one line that loading the file ends with."""
    with pytest.raises(DataError) as caught:
        Arrays(path=str(path)).load()
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_file_is_the_same_task_as_its_arrays(tmp_path, save):
    save(tmp_path / "all.npz", X=X, y=y, unrelated=np.zeros(2))
    path = str(tmp_path / "all.npz")
    assert_same(Arrays(path=path, split_seed=3).load(), from_arrays(X, y, split_seed=3))
    save(tmp_path / "all.npz", X_train=X, y_train=y, X_test=X[:4], y_test=y[:4])
    assert_same(Arrays(path=path).load(), from_arrays(X, y, X_test=X[:4], y_test=y[:4]))


def test_layout_and_fractions_reach_the_split(tmp_path):
    images = np.random.default_rng(0).normal(size=(30, 5, 6, 3))
    np.savez(tmp_path / "a.npz", X=images, y=y)
    fields = {"layout": "channels_last", "validation_fraction": 0.1, "test_fraction": 0.3}
    task = Arrays(path=str(tmp_path / "a.npz"), **fields).load()
    assert task.input_shape == (3, 5, 6)
    assert (len(task.train), len(task.validation), len(task.test)) == (18, 3, 9)
    assert_same(task, from_arrays(images, y, **fields))


def test_a_relative_path_starts_at_the_current_directory(tmp_path, monkeypatch):
    np.savez(tmp_path / "a.npz", X=X, y=y)
    monkeypatch.chdir(tmp_path)
    assert_same(Arrays(path="a.npz").load(), from_arrays(X, y))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert_same(Arrays(path="~/a.npz").load(), from_arrays(X, y))


def test_files_that_are_none(tmp_path):
    assert load(tmp_path / "none.npz").startswith("expected an .npz file, found nothing there")
    assert load(tmp_path).startswith("expected an .npz file, got a directory")
    assert load(tmp_path / ("a" * 300)).startswith("cannot be read (File name too long)")
    (tmp_path / "empty.npz").write_bytes(b"")
    assert load(tmp_path / "empty.npz").startswith("expected an .npz file, got an empty file")
    (tmp_path / "text.npz").write_text("X,y\n1,2\n")
    assert load(tmp_path / "text.npz").startswith("expected an .npz file, got another format")
    np.save(tmp_path / "single.npy", X)
    assert load(tmp_path / "single.npy").startswith("expected an .npz file, got a single array (.npy)")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    assert load(tmp_path / "pipe.npz").startswith("expected an .npz file, got no regular file")


def test_a_file_without_permission(tmp_path, monkeypatch):
    np.savez(tmp_path / "a.npz", X=X, y=y)

    def refuse(*_args, **_keywords):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    assert load(tmp_path / "a.npz") == "cannot be read (Permission denied); check the path and its permissions"


def test_pickles_are_refused_and_not_run(tmp_path):
    trap = tmp_path / "sprung"
    (tmp_path / "pickle.npz").write_bytes(pickle.dumps(Trap(str(trap))))
    assert load(tmp_path / "pickle.npz").startswith("expected an .npz file, got a pickle, which is never loaded")
    objects = np.array([Trap(str(trap))] * 30, dtype=object)
    np.savez(tmp_path / "objects.npz", X=X, y=objects)
    assert load(tmp_path / "objects.npz").startswith("y: expected numbers or strings, got an object array")
    assert not trap.exists()


def test_missing_keys_are_listed_beside_those_found(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, inputs=X, y=y)
    assert load(path).startswith(
        "expected the arrays X, y or X_train, y_train, X_test, y_test, found inputs, y; save it with"
    )
    np.savez(path, X_train=X, y_train=y)
    assert "found X_train, y_train;" in load(path)
    np.savez(path)
    assert "found none;" in load(path)
    np.savez(path, X=X, y=y, X_train=X, y_train=y, X_test=X, y_test=y)
    assert "found X, y, X_train, y_train, X_test, y_test;" in load(path)


def test_an_error_in_the_arrays_names_the_path_and_the_key(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, X=X, y=y[:-1])
    assert load(path).startswith("y: expected one label for each of the 30 rows of X, got 29")
    np.savez(path, X_train=X * np.nan, y_train=y, X_test=X, y_test=y)
    assert load(path).startswith("X_train: expected finite inputs")
    np.savez(path, X_train=X, y_train=y[:-1], X_test=X, y_test=y)
    assert load(path).startswith("y_train: expected one label for each of the 30 rows of X_train")
    np.savez(path, X_train=X, y_train=y, X_test=X[:, :, :2], y_test=y)
    assert load(path).startswith("X_test: expected rows of shape (1, 3, 3) as in X_train")


@pytest.mark.parametrize("shape", [(10**6, 10), (10**14, 10), (2**62, 8), (10**30, 3), (2**32, 2**32), (-1, 2)])
def test_a_shape_that_the_file_cannot_hold(tmp_path, shape):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("X.npy", header(shape))
        archive.writestr("y.npy", header((2,)))
    assert load(tmp_path / "a.npz").startswith("X: cannot be read (")


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_member_of_any_compression(tmp_path, compression):
    buffer = io.BytesIO()
    np.save(buffer, X)
    with zipfile.ZipFile(tmp_path / "a.npz", "w", compression) as archive:
        archive.writestr("X.npy", buffer.getvalue())
        archive.writestr("y.npy", header((2,)))
    whole = bytearray((tmp_path / "a.npz").read_bytes())
    whole[60:500] = bytes(440)
    (tmp_path / "a.npz").write_bytes(whole)
    assert load(tmp_path / "a.npz").startswith("X: cannot be read (")


def test_a_header_of_absurd_length_is_one_line(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("X.npy", b"\x93NUMPY\x01\x00" + (20000).to_bytes(2, "little") + b" " * 20000)
        archive.writestr("y.npy", header((2,)))
    assert load(tmp_path / "a.npz").startswith("X: cannot be read (Header info length")


def test_a_member_that_is_no_array(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("X.npy", b"no array at all")
        archive.writestr("y.npy", header((2,)))
    assert load(tmp_path / "a.npz").startswith("X: expected an array, got a file that is none")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_file_cut_short_anywhere_is_one_line(tmp_path, save):
    save(tmp_path / "a.npz", X=X, y=y)
    whole = (tmp_path / "a.npz").read_bytes()
    for length in range(0, len(whole), 7):
        (tmp_path / "cut.npz").write_bytes(whole[:length])
        assert "expected an .npz file" in load(tmp_path / "cut.npz")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_damaged_byte_anywhere_is_one_line_or_harmless(tmp_path, save):
    save(tmp_path / "a.npz", X=X, y=y)
    whole = (tmp_path / "a.npz").read_bytes()
    reference = from_arrays(X, y)
    rng = np.random.default_rng(0)
    refusals = []
    for position in rng.permutation(len(whole))[:400].tolist():
        damaged = bytearray(whole)
        damaged[position] ^= int(rng.integers(1, 256))
        (tmp_path / "a.npz").write_bytes(damaged)
        try:
            task = Arrays(path=str(tmp_path / "a.npz")).load()
        except DataError as error:
            refusals.append(str(error))
        else:
            assert_same(task, reference)
    assert len(refusals) > 200
    assert not any("\n" in refusal for refusal in refusals)


def test_the_room_is_light_to_import():
    script = "import sys, evonas.tasks; print([m for m in ('sklearn', 'scipy', 'torch', 'deap') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
