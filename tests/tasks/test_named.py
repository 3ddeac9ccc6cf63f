"""Published data sets by name: where their files are looked for, and what is refused."""

import http.server
import os
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from evonas.tasks import Bundled, Cifar, DataError, Diabetes, Idx, idx
from evonas.tasks.cifar import LAYOUTS
from evonas.tasks.idx import PUBLISHED, idx_arrays, read_idx
from evonas.tasks.sources import located
from evonas.tasks.subset import subset
from tests.tasks.published import (
    cifar_files,
    expect_cifar,
    expect_idx,
    idx_bytes,
    idx_files,
    images,
    tar_of,
    write_idx,
)

FASHION = Idx(name="fashion_mnist")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EVONAS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("EVONAS_DATA", raising=False)
    return tmp_path / "cache"


DATA = Path(os.environ.get("EVONAS_DATA") or Path(__file__).parents[3] / "shared" / "data")


@pytest.mark.skipif(not (DATA / "FashionMNIST").is_dir(), reason="EVONAS_DATA or ../shared/data has no FashionMNIST")
def test_fashion_mnist_itself() -> None:
    arrays = idx_arrays("fashion_mnist", located(PUBLISHED["fashion_mnist"], str(DATA)))
    assert arrays["X_train"].shape == (60_000, 28, 28)
    assert arrays["X_train"].mean() / 255 == pytest.approx(0.2860, abs=1e-4)  # as published with torchvision's recipes
    assert arrays["y_train"][:10].tolist() == [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]
    assert np.bincount(arrays["y_test"]).tolist() == [1000] * 10


def refused(config: Idx | Cifar) -> str:
    with pytest.raises(DataError) as caught:
        config.load()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("config", "n", "shape", "classes"),
    [
        (Bundled(name="iris"), 150, (4,), ("setosa", "versicolor", "virginica")),
        (Bundled(name="wine"), 178, (13,), ("class_0", "class_1", "class_2")),
        (Bundled(name="breast_cancer"), 569, (30,), ("benign", "malignant")),
        (Diabetes(), 442, (10,), ()),
    ],
)
def test_bundled_tables(config: Bundled | Diabetes, n: int, shape: tuple[int, ...], classes: tuple[str, ...]) -> None:
    task = config.load()
    assert sum(len(part) for part in (task.train, task.validation, task.test)) == n
    assert (task.input_shape, task.classes, task.kind) == (shape, classes, config.kind)
    assert task.targets == (() if classes else ("progression",))
    assert all(len(digest) == 64 for digest in task.files.values())
    assert task.files


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("folder", ["", "raw", "FashionMNIST/raw", "fashion_mnist", "fashion-mnist/raw"])
def test_files_at_hand(folder: str, packed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = idx_files()
    expect_idx(monkeypatch, files)
    if folder == "raw":
        write_idx(tmp_path / "fashion_mnist" / "raw", files, packed=packed)
    else:
        write_idx(tmp_path / folder, files, packed=packed)
    task = Idx(name="fashion_mnist", path=str(tmp_path)).load()
    monkeypatch.setenv("EVONAS_DATA", str(tmp_path))
    assert FASHION.load().fingerprint == task.fingerprint
    assert (len(task.train), len(task.validation), len(task.test)) == (30, 10, 20)
    assert task.classes[0] == "T-shirt/top"
    assert task.classes[9] == "Ankle boot"
    np.testing.assert_array_equal(task.test.targets, images(20, seed=1)[1])
    raw = task.test.inputs * np.float32(task.deviation[0]) + np.float32(task.mean[0])
    np.testing.assert_allclose(raw[:, 0], images(20, seed=1)[0], atol=1e-3)


def test_a_file_that_was_packed_anew_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gzip

    files = idx_files()
    expect_idx(monkeypatch, files)
    for name, data in files.items():
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(data, 1, mtime=5))
    assert len(Idx(name="fashion_mnist", path=str(tmp_path)).load().test) == 20


@pytest.mark.parametrize("packed", [True, False])
def test_a_wrong_checksum_is_refused(
    packed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    files = idx_files()
    expect_idx(monkeypatch, files)
    wrong = files | {idx.NAMES[1]: files[idx.NAMES[1]][:-1] + b"\1"}
    write_idx(tmp_path, wrong, packed=packed)
    message = refused(Idx(name="fashion_mnist", path=str(tmp_path)))
    assert f"{tmp_path / idx.NAMES[1]}{'.gz' if packed else ''}: expected the published file" in message
    assert not cache.exists()


def test_missing_files_are_named_with_where_they_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = idx_files()
    expect_idx(monkeypatch, files, mirrors=("http://127.0.0.1:1/",))
    write_idx(tmp_path / "MNIST" / "raw", {name: files[name] for name in idx.NAMES[:3]})
    message = refused(Idx(name="mnist", path=str(tmp_path)))
    assert message.startswith(f"{tmp_path}: expected train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-")
    assert "MNIST/raw" in message
    monkeypatch.setenv("EVONAS_DATA", str(tmp_path))
    message = refused(FASHION)
    for part in ("train-images-idx3-ubyte.gz", str(tmp_path), "http://127.0.0.1:1/", "cache/downloads", "EVONAS_DATA"):
        assert part in message
    assert "could not download train-images-idx3-ubyte.gz (http://127.0.0.1:1/: NewConnectionError)" in message


class Mirror:
    """A server of some bytes by name; it answers 404 to every other name."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.announced: dict[str, int] = {}
        mirror = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.lstrip("/")
                if name not in mirror.files:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(mirror.announced.get(name, len(mirror.files[name]))))
                self.end_headers()
                self.wfile.write(mirror.files[name])

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    files = idx_files()
    mirror = Mirror()
    expect_idx(monkeypatch, files, mirrors=("http://127.0.0.1:1/", mirror.address))
    write_idx(tmp_path / "there", files)
    mirror.files = {path.name: path.read_bytes() for path in (tmp_path / "there").iterdir()}
    yield mirror
    mirror.server.shutdown()
    mirror.thread.join()
    mirror.server.server_close()


def test_a_download_from_the_second_mirror_is_kept(mirror: Mirror, cache: Path) -> None:
    task = FASHION.load()
    assert len(task.test) == 20
    assert {path.name for path in (cache / "downloads" / "fashion_mnist").iterdir()} == set(mirror.files)
    mirror.files = {}
    assert FASHION.load().fingerprint == task.fingerprint


@pytest.mark.parametrize("fault", ["another", "cut", "404"])
def test_a_bad_download_is_one_line_and_leaves_nothing(fault: str, mirror: Mirror, cache: Path) -> None:
    name = f"{idx.NAMES[2]}.gz"
    if fault == "another":
        mirror.files[name] = b"x" * len(mirror.files[name])
    elif fault == "cut":
        mirror.announced[name] = len(mirror.files[name])
        mirror.files[name] = mirror.files[name][:-50]
    else:
        del mirror.files[name]
    message = refused(FASHION)
    assert f"could not download {name}" in message
    assert {"another": "another checksum", "cut": "IncompleteRead", "404": "404"}[fault] in message
    left = {path.name for path in (cache / "downloads" / "fashion_mnist").iterdir()}
    assert left == {f"{name}.gz" for name in idx.NAMES[:2]}
    assert not (cache / "tasks").exists()


def test_a_damaged_file_in_the_cache_is_refused_by_name(mirror: Mirror, cache: Path) -> None:
    FASHION.load()
    path = cache / "downloads" / "fashion_mnist" / f"{idx.NAMES[0]}.gz"
    path.write_bytes(path.read_bytes()[:-9])
    assert str(path) in refused(FASHION)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0\x08",
        b"\0\0\x08\x01\0\0\0\x05ab",
        b"\0\0\x08\x01\0\0\0\x01ab",
        b"\0\0\x0d\x01\0\0\0\x02ab",
        b"\1\0\x08\x01\0\0\0\x02ab",
        b"\0\0\x08\x00",
        b"\0\0\x08\x04" + b"\xff" * 16,
        b"\x1f\x8b\x08",
        b"\x1f\x8babcdefghijklmnop",
    ],
)
def test_what_is_no_idx_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken"
    path.write_bytes(data)
    with pytest.raises(DataError, match="expected an IDX file of bytes"):
        read_idx(path)


def test_a_directory_in_place_of_a_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expect_idx(monkeypatch, idx_files())
    write_idx(tmp_path, idx_files())
    (tmp_path / f"{idx.NAMES[0]}.gz").unlink()
    (tmp_path / f"{idx.NAMES[0]}.gz").mkdir()
    assert "Is a directory" in refused(Idx(name="fashion_mnist", path=str(tmp_path)))


@pytest.mark.parametrize("word", ["cifar10", "cifar100"])
@pytest.mark.parametrize("form", ["loose", "folder", "archive", "archive in a folder"])
def test_cifar(word: str, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, layout = cifar_files(word), LAYOUTS[word]
    archive = tar_of({f"{layout.folder}/{name}": data for name, data in files.items()})
    expect_cifar(monkeypatch, word, files, archive)
    at = tmp_path / layout.folder if form == "folder" else tmp_path
    at.mkdir(exist_ok=True)
    for name, data in files.items() if form in ("loose", "folder") else [(layout.published.forms[1][0].name, archive)]:
        (at / name).write_bytes(data)
    path = tmp_path / layout.published.forms[1][0].name if form == "archive" else tmp_path
    task = Cifar(name=word, path=str(path)).load()
    assert task.input_shape == (3, 32, 32)
    assert task.classes == layout.classes
    assert task.test.targets.tolist() == list(range(len(layout.classes)))
    pixels = np.frombuffer(files[layout.test], np.uint8).reshape(len(layout.classes), -1)[:, layout.n_labels :]
    raw = task.test.inputs * np.reshape(task.deviation, (3, 1, 1)) + np.reshape(task.mean, (3, 1, 1))
    np.testing.assert_allclose(raw.reshape(len(pixels), -1), pixels, atol=1e-3)


def test_the_classes_of_cifar_are_as_many_as_they_should_be() -> None:
    assert [len(set(LAYOUTS[word].classes)) for word in ("cifar10", "cifar100")] == [10, 100]


def link(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, size
    member.linkname = "elsewhere" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
    return member


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (link("../up"), "a name inside the archive"),
        (link("a/../../up"), "a name inside the archive"),
        (link("/etc/x"), "a name inside the archive"),
        (link("a\nb"), "printable characters"),
        (link("a\x1b[1mb"), "printable characters"),
        (link("a\\b"), "without backslashes"),
        (link("a", tarfile.SYMTYPE), "a file or a folder"),
        (link("a", tarfile.LNKTYPE), "a file or a folder"),
        (link("a", tarfile.FIFOTYPE), "a file or a folder"),
    ],
)
def test_an_archive_with_a_hostile_member_is_refused(
    extra: tarfile.TarInfo, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, layout = cifar_files("cifar10"), LAYOUTS["cifar10"]
    archive = tar_of({f"{layout.folder}/{name}": data for name, data in files.items()}, extra=extra)
    expect_cifar(monkeypatch, "cifar10", files, archive)
    path = tmp_path / "a.tar.gz"
    path.write_bytes(archive)
    message = refused(Cifar(name="cifar10", path=str(path)))
    assert expected in message
    assert message.isprintable()


def test_a_damaged_archive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, layout = cifar_files("cifar10"), LAYOUTS["cifar10"]
    whole = tar_of({f"{layout.folder}/{name}": data for name, data in files.items()})
    path = tmp_path / "a.tar.gz"
    for damaged, expected in (
        (whole[: len(whole) // 2], "damaged"),
        (b"", "damaged"),
        (b"abc", "damaged"),
        (tar_of({f"{layout.folder}/test_batch.bin": b"x"}), "data_batch_1.bin, found none"),
    ):
        path.write_bytes(damaged)
        expect_cifar(monkeypatch, "cifar10", files, whole)
        assert "checksum" in refused(Cifar(name="cifar10", path=str(path)))
        expect_cifar(monkeypatch, "cifar10", files, damaged)
        assert expected in refused(Cifar(name="cifar10", path=str(path)))


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [("test_batch.bin", b"", "0 bytes"), ("test_batch.bin", b"\x63" + b"a" * 3072, "labels below 10, got 99")],
)
def test_batches_that_are_none(
    name: str, data: bytes, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = cifar_files("cifar10") | {name: data}
    expect_cifar(monkeypatch, "cifar10", files)
    for file, content in files.items():
        (tmp_path / file).write_bytes(content)
    assert expected in refused(Cifar(name="cifar10", path=str(tmp_path)))


def test_fewer_examples_are_a_part_of_more() -> None:
    labels = np.repeat([0, 1, 2], [100, 50, 10])
    few, more = (set(subset(labels, n, seed=3).tolist()) for n in (40, 90))
    assert few < more
    counts = np.bincount(labels[sorted(few)])
    assert counts.tolist() == pytest.approx([25, 12.5, 2.5], abs=1.5)
    assert set(subset(labels, 40, seed=4).tolist()) != few
    assert np.bincount(labels[subset(labels, 6, seed=3)]).tolist() == [2, 2, 2]
    assert len(subset(labels, None, seed=3)) == 160
    for n in (5, 161):
        with pytest.raises(DataError, match="n_train: expected 6"):
            subset(labels, n, seed=3)


def test_a_search_on_fewer_images_keeps_the_test_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = idx_files(80)
    expect_idx(monkeypatch, files)
    write_idx(tmp_path, files)
    task = Idx(name="fashion_mnist", path=str(tmp_path), n_train=40).load()
    assert (len(task.train), len(task.validation), len(task.test)) == (30, 10, 20)
    assert np.bincount(task.train.targets).tolist() == [3] * 10


def test_idx_bytes_are_read(tmp_path: Path) -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    (tmp_path / "a").write_bytes(idx_bytes(array))
    np.testing.assert_array_equal(read_idx(tmp_path / "a"), array)
