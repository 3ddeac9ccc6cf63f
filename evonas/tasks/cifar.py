"""CIFAR-10 and CIFAR-100 by name, in the binary version: nothing is unpickled."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from evonas.tasks.archive import members
from evonas.tasks.prepare import SplitSeed, ValidationFraction, prepare
from evonas.tasks.sources import File, Published, check, located
from evonas.tasks.store import stored
from evonas.tasks.subset import NTrain, subset
from evonas.tasks.task import CLASSIFICATION, DataError, KindName, Task

Bytes = npt.NDArray[np.uint8]

KEYS = ("X_train", "y_train", "X_test", "y_test")
SHAPE = (3, 32, 32)
PIXELS = 3 * 32 * 32


@dataclass(frozen=True)
class Layout:
    """How a set lies in its files.

    Attributes:
        published: Where it is to be had.
        folder: The folder in its archive.
        train: Names of the files of the training part.
        test: Name of the file of the test part.
        n_labels: Bytes before the pixels of an image; the last one is the label.
        classes: Names of the labels, in their order.
    """

    published: Published
    folder: str
    train: tuple[str, ...]
    test: str
    n_labels: int
    classes: tuple[str, ...]


def _published(word: str, archive: File, folder: str, loose: dict[str, str]) -> Published:
    files = tuple(File(name, checksum) for name, checksum in loose.items())
    folders = (folder, f"{word}/{folder}", f"{word.upper()}/{folder}", word, word.upper())
    return Published(word, (files, (archive,)), ("https://www.cs.toronto.edu/~kriz/",), folders)


# MD5s of the archives are their publisher's; SHA-1s of the batches of CIFAR-10 are those of MXNet's loader.
_BATCHES = {
    "data_batch_1.bin": "sha1:aadd24acce27caa71bf4b10992e9e7b2d74c2540",
    "data_batch_2.bin": "sha1:c0ba65cce70568cd57b4e03e9ac8d2a5367c1795",
    "data_batch_3.bin": "sha1:1dd00a74ab1d17a6e7d73e185b69dbf31242f295",
    "data_batch_4.bin": "sha1:aab85764eb3584312d3c7f65fd2fd016e36a258e",
    "data_batch_5.bin": "sha1:26e2849e66a845b7f1e4614ae70f4889ae604628",
    "test_batch.bin": "sha1:67eb016db431130d61cd03c7ad570b013799c88c",
}
_FINE = {
    "train.bin": "md5:6172c7755cfe09b2fe270c85cebc1b15",
    "test.bin": "md5:4499cfba6c016c1be1438163640a0898",
}
_TEN = "airplane automobile bird cat deer dog frog horse ship truck"
_HUNDRED = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish
forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale willow_tree
wolf woman worm
"""
LAYOUTS = {
    "cifar10": Layout(
        _published(
            "cifar10",
            File("cifar-10-binary.tar.gz", "md5:c32a1d4ab5d03f1284b67883e8d87530"),
            "cifar-10-batches-bin",
            _BATCHES,
        ),
        "cifar-10-batches-bin",
        tuple(name for name in _BATCHES if name != "test_batch.bin"),
        "test_batch.bin",
        1,
        tuple(_TEN.split()),
    ),
    "cifar100": Layout(
        _published(
            "cifar100",
            File("cifar-100-binary.tar.gz", "md5:03b5dce01913d631647c71ecec9e9cb8"),
            "cifar-100-binary",
            _FINE,
        ),
        "cifar-100-binary",
        ("train.bin",),
        "test.bin",
        2,
        tuple(_HUNDRED.split()),
    ),
}


class Cifar(BaseModel):
    """50,000 training and 10,000 test images `(3, 32, 32)` of ten or a hundred classes (Krizhevsky 2009).

    https://www.cs.toronto.edu/~kriz/cifar.html. Read are the files of the binary version, or the archive that holds
    them; labels of `cifar100` are the fine ones. The published test set is the test set.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[KindName] = CLASSIFICATION
    name: Literal["cifar10", "cifar100"]
    path: Annotated[
        str | None,
        Field(min_length=1, description="The folder of its files, or their archive; else as for `fashion_mnist`."),
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
        files = located(LAYOUTS[self.name].published, self.path)
        return stored(self, {path.name: path for path in files.values()}, lambda: self._build(files))

    def _build(self, files: dict[str, Path]) -> Task:
        layout = LAYOUTS[self.name]
        contents = _contents(layout, files)
        parts = [_records(name, contents[name], layout) for name in layout.train]
        X, y = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        rows = subset(y, self.n_train, seed=self.split_seed)
        test = _records(layout.test, contents[layout.test], layout)
        task = prepare(self.name, X[rows], y[rows], test=test, config=self, layout="channels_first", keys=KEYS)
        return replace(task, classes=tuple(layout.classes[int(code)] for code in task.classes))


def _contents(layout: Layout, files: dict[str, Path]) -> dict[str, bytes]:
    """The checked bytes of each file of the set, by its name."""
    for form in layout.published.forms:
        for file in form:
            if file.name in files:
                check(file, files[file.name])
    names = (*layout.train, layout.test)
    if set(names) <= files.keys():
        return {name: files[name].read_bytes() for name in names}
    (archive,) = files.values()
    found = members(archive, {f"{layout.folder}/{name}" for name in names})
    return {name: found[f"{layout.folder}/{name}"] for name in names}


def _records(name: str, data: bytes, layout: Layout) -> tuple[Bytes, Bytes]:
    """Images `(n, 3, 32, 32)` and labels `(n,)` of one file."""
    length = layout.n_labels + PIXELS
    if not data or len(data) % length:
        raise DataError(f"{name}: expected images of {length} bytes each, got {len(data)} bytes; download it again")
    records = np.frombuffer(data, np.uint8).reshape(-1, length)
    labels = records[:, layout.n_labels - 1]
    if (largest := int(labels.max())) >= len(layout.classes):
        raise DataError(f"{name}: expected labels below {len(layout.classes)}, got {largest}; download it again")
    return records[:, layout.n_labels :].reshape(-1, *SHAPE), labels
