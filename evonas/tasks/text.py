"""Text, read character by character: every character is predicted from those before it."""

import hashlib
import json
import os
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from evonas.tasks.store import stored
from evonas.tasks.task import LANGUAGE, DataError, KindName, Split, Task

UNKNOWN = "\ufffd"
"""The symbol, number 0, that stands for every character that the training part lacks."""
LEAST = 2
"""Characters that a part must have: one to read, one to predict."""
BUNDLED = "scripture.txt"
Codes = npt.NDArray[np.int64]
Fraction = Annotated[float, Field(gt=0, le=0.4)]


class Text(BaseModel):
    """A text file in UTF-8; without a path, Ecclesiastes, Ruth and Jonah in the King James Version (1611), 48 kB.

    Its parts are contiguous: the training part first, then validation, then test. The symbols are the characters of
    the training part, and one for all others.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[KindName] = LANGUAGE
    name: Literal["text"] = "text"
    path: Annotated[
        str | None,
        Field(min_length=1, description="The file; a relative one starts at the spec's directory. None: the bundled."),
    ] = None
    characters: Annotated[
        int | None, Field(ge=1, description="So many from the start of the file are used; None: all.")
    ] = None
    validation_fraction: Annotated[Fraction, Field(description="Part of all characters.")] = 0.05
    test_fraction: Annotated[Fraction, Field(description="Part of all characters, at the end of the text.")] = 0.05

    def load(self) -> Task:
        """Read, check and split the text.

        Raises:
            DataError: The file cannot be read or makes no task; names the path.
        """
        path = _checked(Path(os.path.expanduser(self.path))) if self.path else Path(__file__).parent / "texts" / BUNDLED
        return stored(self, {path.name: path}, lambda: self._build(path))

    def _build(self, path: Path) -> Task:
        name = str(path) if self.path else BUNDLED
        text = _decoded(_read(path), name)[: self.characters]
        n_test, n_validation = (round(part * len(text)) for part in (self.test_fraction, self.validation_fraction))
        n_train = len(text) - n_test - n_validation
        if min(n_train, n_validation, n_test) < LEAST:
            raise DataError(
                f"{name}: expected at least {LEAST} characters in each part, got {n_train:,} to train, "
                f"{n_validation:,} to validate and {n_test:,} to test; take a longer text or larger fractions"
            )
        symbols = sorted(set(text[:n_train]) - {UNKNOWN})
        classes = (UNKNOWN, *symbols)
        if len(symbols) < 2:
            raise DataError(
                f"{name}: expected two symbols or more, got only {(symbols or classes)[0]!r}; take another text"
            )
        codes = encoded(text, classes)
        parts = np.split(codes, [n_train, n_train + n_validation])
        train, validation, test = (Split(part[:-1], part[1:]) for part in parts)
        digest = hashlib.sha256(json.dumps(classes).encode() + text.encode()).hexdigest()
        return Task(self.name, train, validation, test, classes, digest, kind=self.kind)


def encoded(text: str, classes: tuple[str, ...]) -> Codes:
    """The numbers of a text's symbols, as networks of a task read them.

    Args:
        text: Any text.
        classes: The symbols of the task, `Task.classes`.

    Returns:
        `(len(text),)`; 0 for characters that are no symbol of it.
    """
    known = np.array([ord(symbol) for symbol in classes[1:]], dtype=np.uint32)
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    places = np.searchsorted(known, points).clip(max=len(known) - 1)
    return np.where(known[places] == points, places + 1, 0).astype(np.int64)


def _checked(path: Path) -> Path:
    if os.path.isdir(path):
        raise DataError(f"{path}: expected a text file, got a directory; name a file in it")
    if not os.path.exists(path):
        raise DataError(f"{path}: expected a text file, found nothing there; check the path")
    return path


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from None


def _decoded(data: bytes, name: str) -> str:
    if not data:
        raise DataError(f"{name}: expected text, got an empty file; check the path")
    if b"\0" in data:
        raise DataError(f"{name}: expected text in UTF-8, got binary data; name a text file, or save it in UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name}: expected text in UTF-8, got another byte at {error.start:,}; save it in UTF-8"
        ) from None
