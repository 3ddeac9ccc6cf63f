"""A user's own arrays, from an `.npz` file or from memory."""

import lzma
import os
import zipfile
import zlib
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from evonas.tasks.checks import Array, Layout
from evonas.tasks.prepare import ChosenKind, SplitSeed, TestFraction, ValidationFraction, prepare
from evonas.tasks.store import stored
from evonas.tasks.task import CLASSIFICATION, DataError, Task

WHOLE = ("X", "y")
DIVIDED = ("X_train", "y_train", "X_test", "y_test")
EXPECTED = f"expected the arrays {', '.join(WHOLE)} or {', '.join(DIVIDED)}"
SAVE = "save it with np.savez(path, X=X, y=y)"
DAMAGED = (
    ValueError,
    OSError,
    EOFError,
    OverflowError,
    MemoryError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)


class Arrays(BaseModel):
    """The arrays `X, y` or `X_train, y_train, X_test, y_test` of an `.npz` file; see `from_arrays` for their shapes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["arrays"] = "arrays"
    kind: ChosenKind = CLASSIFICATION
    path: Annotated[str, Field(min_length=1, description="The file; a relative one starts at the spec's directory.")]
    layout: Annotated[
        Layout,
        Field(
            description="Where four-dimensional inputs have their channels; auto: first, or last where the shape "
            "leaves no doubt."
        ),
    ] = "auto"
    split_seed: SplitSeed = 0
    validation_fraction: ValidationFraction = 0.2
    test_fraction: TestFraction = 0.2

    def load(self) -> Task:
        """Read, check, split and normalise the arrays; nothing is ever unpickled.

        Raises:
            DataError: The file cannot be read or its arrays make no task; names the path and the array.
        """
        path = Path(os.path.expanduser(self.path))
        _check_file(path)
        return stored(self, {path.name: path}, lambda: self._build(path))

    def _build(self, path: Path) -> Task:
        found = _read(path)
        X, y, *test = found.values()
        keys = DIVIDED if test else (*WHOLE, "X_test", "y_test")
        try:
            return prepare(
                self.name,
                X,
                y,
                test=(test[0], test[1]) if test else None,
                config=self,
                layout=self.layout,
                keys=keys,
                kind=self.kind,
            )
        except DataError as error:
            raise DataError(f"{path}: {error}") from error


def from_arrays(
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    X_test: npt.ArrayLike | None = None,
    y_test: npt.ArrayLike | None = None,
    kind: Literal["classification", "regression"] = CLASSIFICATION,
    layout: Layout = "auto",
    split_seed: int = 0,
    validation_fraction: float = 0.2,
    test_fraction: float = 0.2,
) -> Task:
    """Make a task of arrays in memory; the same task as from an `.npz` file that holds them.

    Args:
        X: `(n, features)`, `(n, height, width)` (one channel) or `(n, channels, height, width)`; booleans, integers
            or floats. Square `(n, height, width, channels)` of 1, 3 or 4 channels is recognised.
        y: Labels `(n,)`: integers, booleans, strings or floats that are whole numbers, classes are sorted; or the
            targets of a regression, `(n,)` or `(n, n_targets)`.
        X_test: A test set of its own, rows shaped as in `X`; None splits one off.
        y_test: Labels of `X_test`.
        kind: What `y` is.
        layout: Where four-dimensional inputs have their channels.
        split_seed: Fixes which examples go into which part.
        validation_fraction: Part of all examples (of the training ones if a test set is given), up to 0.4.
        test_fraction: Part of all examples, up to 0.4; not used if a test set is given.

    Raises:
        DataError: The arrays make no task; the message names the array and the way out.
    """
    if (X_test is None) != (y_test is None):
        raise DataError("X_test, y_test: expected both or neither, got one; give the other, or split a test set off")
    config = Arrays(
        path="memory",
        kind=kind,
        layout=layout,
        split_seed=split_seed,
        validation_fraction=validation_fraction,
        test_fraction=test_fraction,
    )
    test = None if X_test is None or y_test is None else (X_test, y_test)
    return prepare(config.name, X, y, test=test, config=config, layout=layout, kind=kind)


def _read(path: Path) -> dict[str, Array]:
    """The two or four arrays of the file, by key."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            found = archive.files
            keys = [chosen for chosen in (WHOLE, DIVIDED) if set(chosen) <= set(found)]
            if len(keys) != 1:
                raise DataError(f"{path}: {EXPECTED}, found {', '.join(found) or 'none'}; {SAVE}")
            return {key: _member(archive, key, path) for key in keys[0]}
    except DataError:
        raise
    except DAMAGED as error:
        raise DataError(
            f"{path}: expected an .npz file, got a damaged one ({_reason(error)}); save it again"
        ) from error


def _check_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise DataError(f"{path}: expected an .npz file, got a directory; name a file in it")
        if not path.exists():
            raise DataError(f"{path}: expected an .npz file, found nothing there; check the path")
        if not path.is_file():
            raise DataError(f"{path}: expected an .npz file, got no regular file; {SAVE}")
        with path.open("rb") as file:
            head = file.read(6)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from error
    if head == b"\x93NUMPY":
        raise DataError(f"{path}: expected an .npz file, got a single array (.npy); {SAVE}")
    if head[:1] == b"\x80":
        raise DataError(f"{path}: expected an .npz file, got a pickle, which is never loaded; {SAVE}")
    if head[:4] not in (b"PK\x03\x04", b"PK\x05\x06"):
        raise DataError(f"{path}: expected an .npz file, got {'another format' if head else 'an empty file'}; {SAVE}")


def _member(archive: "np.lib.npyio.NpzFile", key: str, path: Path) -> Array:
    try:
        array = archive[key]
    except DAMAGED as error:
        if "Object arrays" in str(error):
            raise DataError(
                f"{path}: {key}: expected numbers or strings, got an object array, which would have to be unpickled; "
                "save it with a plain dtype"
            ) from error
        raise DataError(f"{path}: {key}: cannot be read ({_reason(error)}); save the file again") from error
    if not isinstance(array, np.ndarray):
        raise DataError(f"{path}: {key}: expected an array, got a file that is none; {SAVE}")
    return array


def _reason(error: BaseException) -> str:
    return (str(error).partition("\n")[0] or type(error).__name__)[:200]
