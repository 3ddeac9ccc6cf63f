"""A user's own images: a folder with a folder for every class."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from evonas.tasks.checks import Array
from evonas.tasks.image import SUFFIXES, read_image
from evonas.tasks.prepare import Parts, SplitSeed, TestFraction, ValidationFraction, prepare, split
from evonas.tasks.store import stored
from evonas.tasks.task import CLASSIFICATION, DataError, KindName, Task

Side = Annotated[int, Field(ge=1, le=4096)]

TRAIN = "train"
VALIDATION = ("val", "validation")
TEST = ("test",)
LEFT = ("Thumbs.db", "desktop.ini")
"""Files that file managers leave."""


class Images(BaseModel):
    """Pictures `root/CLASS/*.png`, as of torchvision's ImageFolder; classes are numbered in the order of their names.

    Instead, root may hold the folders train, and val or test or both, each with the folders of the classes; what is
    missing is split off train. Names that begin with a dot, and files beside the folders of classes, are left out; in
    the folder of a class, and in those within it, nothing but images is accepted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[KindName] = CLASSIFICATION
    name: Literal["images"] = "images"
    path: Annotated[str, Field(min_length=1, description="The folder; a relative one starts at the spec's directory.")]
    size: Annotated[
        Side | tuple[Side, Side] | None,
        Field(
            description="The side all images are brought to, or [height, width]: bilinear, antialiased, whole images. "
            "Needed where they differ in size."
        ),
    ] = None
    channels: Annotated[
        Literal[1, 3], Field(description="3 for colours, 1 for greys (ITU-R 601); images are converted to it.")
    ] = 3
    split_seed: SplitSeed = 0
    validation_fraction: ValidationFraction = 0.2
    test_fraction: TestFraction = 0.2

    def load(self) -> Task:
        """Read, convert, split and normalise the images.

        Raises:
            DataError: The folder, or an image in it, cannot be used; names it.
        """
        root = Path(os.path.expanduser(self.path))
        files = {
            f"{part}/{name}" if part else name: path
            for part, folder in _parts(root).items()
            for name, path in _scanned(folder).items()
        }
        return stored(self, files, lambda: self._build(root, files))

    def _build(self, root: Path, files: dict[str, Path]) -> Task:
        names = [name.split("/") for name in files]
        divided = "" not in _parts(root)
        y = np.array([name[1 if divided else 0] for name in names])
        X = self._read(list(files.values()))
        try:
            rows = self._rows(y, np.array([name[0] for name in names])) if divided else None
            keys = ("images", "folders of classes", "", "")
            return prepare(self.name, X, y, config=self, layout="channels_last", keys=keys, parts=rows)
        except DataError as error:
            raise DataError(f"{root}: {error}") from error

    def _read(self, paths: list[Path]) -> Array:
        """All images, `(n, height, width, channels)`, bytes."""
        size = (self.size, self.size) if isinstance(self.size, int) else self.size
        first = read_image(paths[0], size, self.channels)
        images = np.empty((len(paths), *first.shape), np.uint8)
        for number, path in enumerate(paths):
            image = read_image(path, size, self.channels)
            if image.shape != first.shape:
                sizes = [f"{height}x{width}" for height, width, _ in (image.shape, first.shape)]
                raise DataError(f"{path}: expected {sizes[1]} pixels as of {paths[0]}, got {sizes[0]}; set size")
            images[number] = image
        return images

    def _rows(self, labels: Array, of_part: Array) -> Parts:
        """Row numbers of train, validation and test; what has no folder is drawn from the training part."""
        classes, codes = np.unique(labels, return_inverse=True)
        train = np.flatnonzero(of_part == TRAIN)
        given = {part: np.flatnonzero(np.isin(of_part, names)) for part, names in (("v", VALIDATION), ("t", TEST))}
        counts = np.bincount(codes[train], minlength=len(classes))
        least = 1 if all(map(len, given.values())) else 2
        few = int(counts.argmin())
        if counts[few] < least:
            raise DataError(
                f"{TRAIN}: expected at least {least} images of every class, got {counts[few]} of {classes[few]}; "
                "add images or drop the class"
            )
        if least == 1:
            return train, given["v"], given["t"]
        names = tuple(map(str, classes))
        drawn = [train[rows] for rows in split(codes[train], names, self, len(given["t"]) == 0)]
        if len(given["v"]):
            return np.sort(np.concatenate(drawn[:2])), given["v"], drawn[2]
        return drawn[0], drawn[1], given["t"]


def _parts(root: Path) -> dict[str, Path]:
    """The folders of the parts by their names; of an undivided data set the root itself, named by nothing."""
    if not os.path.isdir(root):
        got = "a file" if os.path.exists(root) else "nothing there"
        raise DataError(
            f"{root}: expected a folder of images, found {got}; "
            "other data end in .npz, .csv, .tsv, .parquet, .txt or .gz"
        )
    names = [path.name for path in _listed(root) if os.path.isdir(path)]
    if TRAIN not in names or not set(names) <= {TRAIN, *VALIDATION, *TEST}:
        return {"": root}
    if len(set(names) & set(VALIDATION)) > 1:
        raise DataError(f"{root}: expected one folder of validation images, got {', '.join(sorted(names))}; keep one")
    if len(names) == 1:
        return {"": root / TRAIN}
    return {name: root / name for name in sorted(names)}


def _scanned(root: Path) -> dict[str, Path]:
    """The images below a folder by their names from there, in the order of these."""
    found: dict[str, Path] = {}
    for folder in (path for path in _listed(root) if os.path.isdir(path)):
        of_class = dict(_images(folder, folder.name))
        if not of_class:
            raise DataError(f"{folder}: expected images of a class, got none; add some or remove the folder")
        found |= of_class
    if not found:
        raise DataError(f"{root}: expected a folder of images for every class, found none; sort the images into some")
    return dict(sorted(found.items()))


def _images(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    for path in _listed(folder):
        below = f"{name}/{path.name}"
        if os.path.isdir(path):
            yield from _images(path, below)
        elif path.name.lower().endswith(SUFFIXES):
            yield below, path
        else:
            raise DataError(f"{path}: expected an image ({', '.join(SUFFIXES)}), got another file; move it away")


def _listed(folder: Path) -> list[Path]:
    """What a folder holds, without hidden files; links to folders are refused, since they may lead in circles."""
    try:
        found = sorted(path for path in folder.iterdir() if path.name[0] != "." and path.name not in LEFT)
    except OSError as error:
        raise DataError(f"{error.filename}: cannot be read ({error.strerror}); check its permissions") from error
    for path in found:
        if not path.name.isprintable():
            raise DataError(f"{folder}: expected names of printable characters, got {path.name!r}; rename it")
        if os.path.islink(path) and os.path.isdir(path):
            raise DataError(f"{path}: expected a folder, got a link to one, which is not followed; copy the folder")
    return found
