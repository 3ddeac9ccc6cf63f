"""Reading the rows of CSV and TSV files into numbers, with errors that name column and line."""

import csv
import gzip
import math
import zlib
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from evonas.tasks.checks import Array
from evonas.tasks.task import DataError

if TYPE_CHECKING:
    from _csv import Reader

DELIMITERS = {".csv": ",", ".csv.gz": ",", ".tsv": "\t", ".tsv.gz": "\t"}
WORDS = {"true": 1.0, "false": 0.0}
LONGEST_LINE = 2**26
"""Characters; a table of a million columns has shorter ones."""
LONGEST_LABEL = 200
SHOWN = 40


@dataclass(frozen=True)
class Chosen:
    """What a table's columns are for.

    Attributes:
        header: Names of all columns.
        features: Numbers of the columns of features.
        targets: Numbers of those to predict.
        numeric: True if the targets are numbers, False if they are labels.
    """

    header: list[str]
    features: list[int]
    targets: list[int]
    numeric: bool


@dataclass(frozen=True)
class Columns:
    """A table that was read.

    Attributes:
        features: `(n, features)`, float64, finite.
        targets: One column each: labels `(n,)`, or numbers `(n,)`.
    """

    features: Array
    targets: list[list[str] | Array]


def read_text(path: Path, suffix: str, choose: Callable[[list[str]], Chosen]) -> Columns:
    """Read a table of text.

    Args:
        path: UTF-8, plain or gzipped; its first row names the columns.
        suffix: A key of `DELIMITERS`.
        choose: Tells what the columns of that row are for.

    Raises:
        DataError: It is no such table; names the line, and the column where there is one.
    """
    opened = gzip.open if suffix.endswith(".gz") else open
    rows = None
    try:
        with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(_lines(file), delimiter=DELIMITERS[suffix], strict=True)
            header = next(rows, None)
            if not header:
                raise DataError("expected a first row with the names of the columns, got none; add it")
            return _read(rows, choose(header))
    except DataError:
        raise
    except csv.Error as error:
        raise DataError(f"line {rows.line_num if rows else 1}: {error}; save the table again") from error
    except UnicodeDecodeError as error:
        line = rows.line_num + 1 if rows else 1
        raise DataError(f"expected UTF-8 text, got other bytes near line {line}; save it as UTF-8") from error
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise DataError(f"cannot be read ({reason}); check the file") from error


def number_of(cell: str, row: str, column: str) -> float:
    """A number, or true or false as 1 and 0.

    Args:
        cell: The text.
        row: What errors call its row.
        column: And its column.

    Raises:
        DataError: It is neither, or not finite.
    """
    text = cell.strip()
    if not text:
        raise DataError(f"{row}, column {column!r}: expected a number, got nothing; fill it in or drop the row")
    try:
        value = WORDS[text.lower()] if text.lower() in WORDS else float(text.replace("_", "?"))
    except ValueError:
        shown = text[:SHOWN]
        raise DataError(
            f"{row}, column {column!r}: expected a number, got {shown!r}; turn text into numbers, or drop the column"
        ) from None
    if not math.isfinite(value):
        raise DataError(f"{row}, column {column!r}: expected a finite number, got {text[:SHOWN]}; fill it in")
    return value


def label_of(cell: str, row: str, column: str) -> str:
    """The name of a class.

    Raises:
        DataError: It is empty or too long for a name.
    """
    text = cell.strip()
    if not text or len(text) > LONGEST_LABEL:
        got = f"{len(text)} characters" if text else "nothing"
        raise DataError(
            f"{row}, column {column!r}: expected the name of a class, got {got}; fill it in or drop the row"
        )
    return text


def _lines(file: IO[str]) -> Iterator[str]:
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise DataError(f"expected lines of less than {LONGEST_LINE} characters, got a longer one; check the file")
        yield line


def _read(rows: "Reader", choose: Chosen) -> Columns:
    header = choose.header
    n_columns = len(header)
    features = array("d")
    numbers = [array("d") for _ in choose.targets]
    labels: list[list[str]] = [[] for _ in choose.targets]
    plain = choose.features == list(range(len(choose.features)))
    for cells in rows:
        if not cells:
            continue
        if len(cells) != n_columns:
            raise DataError(
                f"line {rows.line_num}: expected {n_columns} columns as in the first row, got {len(cells)}; "
                "check its delimiters"
            )
        chosen = cells[: len(choose.features)] if plain else [cells[number] for number in choose.features]
        features.extend(_numbers(chosen, choose, rows.line_num))
        for place, number in enumerate(choose.targets):
            where = (cells[number], f"line {rows.line_num}", header[number])
            if choose.numeric:
                numbers[place].append(number_of(*where))
            else:
                labels[place].append(label_of(*where))
    n = len((numbers if choose.numeric else labels)[0])
    if n == 0:
        raise DataError("expected rows below the names of the columns, got none; add examples")
    targets = [np.frombuffer(column) for column in numbers] if choose.numeric else labels
    return Columns(np.frombuffer(features).reshape(n, -1), list(targets))


def _numbers(cells: list[str], choose: Chosen, line: int) -> list[float]:
    """A row of features, fast where all is well and with the name of the column where it is not."""
    try:
        values = list(map(float, cells))
        # Text such as 1_000 is a number to Python alone; the sum of the finite alone is finite, or too large.
        if math.isfinite(math.fsum(values)) and "_" not in "".join(cells):
            return values
    except (ValueError, OverflowError):
        pass
    return [number_of(cell, f"line {line}", choose.header[at]) for cell, at in zip(cells, choose.features, strict=True)]
