"""Small files in the formats of the published data sets, and registries that expect them."""

import dataclasses
import gzip
import hashlib
import io
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest

from evonas.tasks import cifar, idx
from evonas.tasks.sources import File, Published


def idx_bytes(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def md5(data: bytes) -> str:
    return f"md5:{hashlib.md5(data).hexdigest()}"


def images(n: int = 40, side: int = 4, *, n_classes: int = 10, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(256, size=(n, side, side), dtype=np.uint8), (np.arange(n) % n_classes).astype(np.uint8)


def idx_files(n: int = 40, side: int = 4) -> dict[str, bytes]:
    """Four unpacked files by their names."""
    arrays = [*images(n, side), *images(20, side, seed=1)]
    return {name: idx_bytes(array) for name, array in zip(idx.NAMES, arrays, strict=True)}


def write_idx(folder: Path, files: dict[str, bytes], *, packed: bool = True) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        path = folder / (f"{name}.gz" if packed else name)
        path.write_bytes(gzip.compress(data, mtime=0) if packed else data)


def expect_idx(
    monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes], word: str = "fashion_mnist", mirrors: tuple[str, ...] = ()
) -> Published:
    """Make these files the published ones."""
    form = tuple(File(f"{name}.gz", md5(gzip.compress(data, mtime=0)), name, md5(data)) for name, data in files.items())
    published = dataclasses.replace(idx.PUBLISHED[word], forms=(form,), mirrors=mirrors)
    monkeypatch.setitem(idx.PUBLISHED, word, published)
    return published


def cifar_records(word: str, n: int, seed: int = 0) -> bytes:
    """Images `(n, 3, 32, 32)` in the binary format; the coarse label of CIFAR-100 is always 19."""
    layout = cifar.LAYOUTS[word]
    rng = np.random.default_rng(seed)
    labels = (np.arange(n) % len(layout.classes)).astype(np.uint8)
    coarse = [np.full((n, 1), 19, np.uint8)] * (layout.n_labels - 1)
    pixels = rng.integers(256, size=(n, cifar.PIXELS), dtype=np.uint8)
    return np.concatenate([*coarse, labels[:, None], pixels], axis=1).tobytes()


def cifar_files(word: str) -> dict[str, bytes]:
    layout = cifar.LAYOUTS[word]
    n = len(layout.classes) * (1 if len(layout.train) > 1 else 4)
    files = {name: cifar_records(word, n, seed) for seed, name in enumerate(layout.train)}
    return files | {layout.test: cifar_records(word, len(layout.classes), 99)}


def tar_of(files: dict[str, bytes], *, extra: tarfile.TarInfo | None = None) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        if extra is not None:
            archive.addfile(extra, io.BytesIO(bytes(extra.size)))
    return written.getvalue()


def expect_cifar(monkeypatch: pytest.MonkeyPatch, word: str, files: dict[str, bytes], archive: bytes = b"") -> None:
    layout = cifar.LAYOUTS[word]
    loose = tuple(File(name, md5(data)) for name, data in files.items())
    name = layout.published.forms[1][0].name
    published = dataclasses.replace(layout.published, forms=(loose, (File(name, md5(archive)),)), mirrors=())
    monkeypatch.setitem(cifar.LAYOUTS, word, dataclasses.replace(layout, published=published))
