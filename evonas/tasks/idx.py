"""MNIST and the sets made in its image: IDX files, by name."""

import gzip
import math
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from evonas.tasks.prepare import SplitSeed, ValidationFraction, prepare
from evonas.tasks.sources import File, Published, check, located
from evonas.tasks.store import stored
from evonas.tasks.subset import NTrain, subset
from evonas.tasks.task import CLASSIFICATION, DataError, KindName, Task

Bytes = npt.NDArray[np.uint8]

KEYS = ("X_train", "y_train", "X_test", "y_test")
NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
BYTE = 8
"""The code for unsigned bytes."""
MOST_AXES = 4


def _published(word: str, folder: str, mirrors: tuple[str, ...], packed: str, plain: str = "") -> Published:
    """A set of four files from their MD5s, in the order of `NAMES`."""
    unpacked = plain.split() or [""] * len(NAMES)
    files = tuple(
        File(f"{name}.gz", f"md5:{md5}", name, f"md5:{content}" if content else "")
        for name, md5, content in zip(NAMES, packed.split(), unpacked, strict=True)
    )
    usual = dict.fromkeys((folder, word, word.replace("_", "-")))
    return Published(word, (files,), mirrors, tuple(f"{name}{raw}" for name in usual for raw in ("/raw", "")))


# Checksums and mirrors are torchvision's; those of unpacked files are of what these hold.
PUBLISHED = {
    "fashion_mnist": _published(
        "fashion_mnist",
        "FashionMNIST",
        (
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ),
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d 25c81989df183df01b3e8a0aad5dffbe "
        "bef4ecab320f06d8554ea6380940ec79 bb300cfdad3c16e7a12a480ee83cd310",
        "f4a8712d7a061bf5bd6d2ca38dc4d50a 9018921c3c673c538a1fc5bad174d6f9 "
        "8181f5470baa50b63fa0f6fddb340f0a 15d484375f8d13e6eb1aabb0c3f46965",
    ),
    "kmnist": _published(
        "kmnist",
        "KMNIST",
        ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
        "bdb82020997e1d708af4cf47b453dcf7 e144d726b3acfaa3e44228e80efcd344 "
        "5c965bf0a639b31b8f53240b1b52f4d7 7320c461ea6c1c855c0b718fb2a4b134",
    ),
    "mnist": _published(
        "mnist",
        "MNIST",
        ("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"),
        "f68b3c2dcbeaaa9fbdd348bbdeb94873 d53e105ee54ea40749a09fcbcd1e9432 "
        "9fb629c4189551a2d022fa330f9573f3 ec29112dd5afa0611ce80d1b7f02629c",
        "6bbc9ace898e44ae57da46a324031adb a25bea736e30d166cdddb491f175f624 "
        "2646ac647ad5339dbf082846283269ea 27ae3e4e09519cfbb04c329615203637",
    ),
}
CLASSES = {
    "fashion_mnist": (
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
    "kmnist": ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    "mnist": tuple("0123456789"),
}


class Idx(BaseModel):
    """60,000 training and 10,000 test images `(1, 28, 28)` of ten classes, in the files of MNIST.

    `fashion_mnist` (Xiao et al. 2017, https://arxiv.org/abs/1708.07747), `kmnist` (Clanuwat et al. 2018,
    https://arxiv.org/abs/1812.01718), `mnist` (LeCun et al. 1998, https://doi.org/10.1109/5.726791). The published test
    set is the test set.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[KindName] = CLASSIFICATION
    name: Literal["fashion_mnist", "kmnist", "mnist"]
    path: Annotated[
        str | None, Field(min_length=1, description="The folder of its files; else EVONAS_DATA, the cache, a download.")
    ] = None
    n_train: NTrain = None
    split_seed: SplitSeed = 0
    validation_fraction: ValidationFraction = 0.2
    test_fraction: ClassVar[float] = 0.0

    def load(self) -> Task:
        """Find, check, split and normalise the images.

        Raises:
            DataError: The files are missing, damaged or others.
        """
        files = located(PUBLISHED[self.name], self.path)
        return stored(self, {path.name: path for path in files.values()}, lambda: self._build(files))

    def _build(self, files: dict[str, Path]) -> Task:
        X, y, X_test, y_test = idx_arrays(self.name, files).values()
        rows = subset(y, self.n_train, seed=self.split_seed)
        task = prepare(self.name, X[rows], y[rows], test=(X_test, y_test), config=self, keys=KEYS)
        return replace(task, classes=tuple(CLASSES[self.name][int(code)] for code in task.classes))


def idx_arrays(word: str, files: dict[str, Path]) -> dict[str, Bytes]:
    """The checked arrays of a set: images `(n, 28, 28)` and labels `(n,)` by X_train, y_train, X_test, y_test.

    Args:
        word: The set's name.
        files: As `located` gives them.

    Raises:
        DataError: A file is damaged or not the published one.
    """
    for file in PUBLISHED[word].forms[0]:
        check(file, files[file.name])
    return {key: read_idx(files[f"{name}.gz"]) for key, name in zip(KEYS, NAMES, strict=True)}


def read_idx(path: Path) -> Bytes:
    """An array of bytes from an IDX file, the format of LeCun's MNIST (http://yann.lecun.com/exdb/mnist).

    Args:
        path: Plain or gzipped.

    Raises:
        DataError: If it is no such file, or damaged.
    """
    wrong = f"{path}: expected an IDX file of bytes"
    try:
        with path.open("rb") as plain:
            packed = plain.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as file:
            head = file.read(4)
            kind, n_axes = struct.unpack(">HBB", head)[1:] if len(head) == 4 else (0, 0)
            if kind != BYTE or not 1 <= n_axes <= MOST_AXES or head[:2] != b"\0\0":
                raise DataError(f"{wrong}, got another; download it again")
            sizes = file.read(4 * n_axes)
            shape = struct.unpack(f">{n_axes}I", sizes) if len(sizes) == 4 * n_axes else ()
            # One byte more than announced tells of a file that is too long, without reading all of it.
            data = file.read(math.prod(shape) + 1)
    except DataError:
        raise
    except (OSError, EOFError, zlib.error, MemoryError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise DataError(f"{wrong}, got one that cannot be read ({reason}); download it again") from error
    if not shape or len(data) != math.prod(shape):
        raise DataError(f"{wrong}, {'x'.join(map(str, shape))} of them, got another number; download it again")
    return np.frombuffer(data, np.uint8).reshape(shape)
