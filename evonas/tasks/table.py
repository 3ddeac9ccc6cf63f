"""A user's own table: a CSV, TSV or Parquet file with one example a row and a name for every column."""

import difflib
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from evonas.tasks.checks import Array
from evonas.tasks.columns import DELIMITERS, Chosen, read_text
from evonas.tasks.parquet import read_parquet
from evonas.tasks.prepare import ChosenKind, SplitSeed, TestFraction, ValidationFraction, prepare
from evonas.tasks.store import stored
from evonas.tasks.task import CLASSIFICATION, DataError, Task

PARQUET = ".parquet"
SUFFIXES = (*DELIMITERS, PARQUET)
COMPARED = 10_000
"""So many column names are searched for the one that was meant."""


class Table(BaseModel):
    """The rows of a `.csv`, `.tsv` (either may be gzipped) or `.parquet` file; all columns but the target are features.

    Features are numbers or true and false. Parquet needs `pip install "evonas[parquet]"`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["table"] = "table"
    kind: ChosenKind = CLASSIFICATION
    path: Annotated[str, Field(min_length=1, description="The file; a relative one starts at the spec's directory.")]
    target: Annotated[
        str | Annotated[tuple[str, ...], Field(min_length=1)],
        Field(description="The column to predict; in regression several may be listed."),
    ]
    drop: Annotated[tuple[str, ...], Field(description="Columns that are no features, such as a row's number.")] = ()
    split_seed: SplitSeed = 0
    validation_fraction: ValidationFraction = 0.2
    test_fraction: TestFraction = 0.2

    def load(self) -> Task:
        """Read, check, split and normalise the table.

        Raises:
            DataError: The file cannot be read or makes no task; names the column and the row.
        """
        path = Path(os.path.expanduser(self.path))
        suffix = _checked_suffix(path)
        return stored(self, {path.name: path}, lambda: self._build(path, suffix))

    def _build(self, path: Path, suffix: str) -> Task:
        chosen: list[Chosen] = []

        def choose(header: list[str]) -> Chosen:
            chosen.append(self._choose(header))
            return chosen[-1]

        try:
            found = read_parquet(path, choose) if suffix == PARQUET else read_text(path, suffix, choose)
            labels = self.kind == CLASSIFICATION
            names = self._targets
            y = np.array(_labels(found.targets[0])) if labels else np.column_stack(found.targets)
            keys = ("features", f"column {names[0]!r}", "", "")
            task = prepare(
                self.name, found.features, y, config=self, keys=keys, kind=self.kind, targets=() if labels else names
            )
            return replace(task, features=tuple(chosen[-1].header[number] for number in chosen[-1].features))
        except DataError as error:
            raise DataError(f"{path}: {error}") from error

    @property
    def _targets(self) -> tuple[str, ...]:
        return (self.target,) if isinstance(self.target, str) else self.target

    def _choose(self, header: list[str]) -> Chosen:
        """Which columns are features and which targets, by the names of all."""
        _check_header(header)
        if self.kind == CLASSIFICATION and len(self._targets) > 1:
            raise DataError(
                f"target: expected one column of classes, got {len(self._targets)}; name one or set kind 'regression'"
            )
        numbers = {name: number for number, name in enumerate(header)}
        for field, names in (("target", self._targets), ("drop", self.drop)):
            for name in names:
                if name not in numbers:
                    raise DataError(f"{field}: expected a column, got {name!r}; {_hint(name, header)}")
        if twice := next((name for name, n in Counter((*self._targets, *self.drop)).items() if n > 1), None):
            raise DataError(f"target, drop: expected every column once, got {twice!r} twice; name it once")
        targets = [numbers[name] for name in self._targets]
        left = {*targets, *(numbers[name] for name in self.drop)}
        features = [number for number in range(len(header)) if number not in left]
        if not features:
            raise DataError("expected a column of features beside the target, got none; drop fewer columns")
        return Chosen(header, features, targets, numeric=self.kind != CLASSIFICATION)


def _checked_suffix(path: Path) -> str:
    suffix = next((suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)), None)
    if suffix is None:
        raise DataError(f"{path}: expected a name that ends in {', '.join(SUFFIXES)}, got another; rename the file")
    if not os.path.exists(path):
        raise DataError(f"{path}: expected a table, found nothing there; check the path")
    if not os.path.isfile(path):
        got = "a directory" if os.path.isdir(path) else "no regular file"
        raise DataError(f"{path}: expected a file, got {got}; check the path")
    return suffix


def _check_header(header: list[str]) -> None:
    for number, name in enumerate(header, 1):
        if not name.strip():
            raise DataError(
                f"column {number}: expected a name in the first row, got none; name it (pandas writes its index "
                "without a name: save with index=False)"
            )
    if twice := next((name for name, n in Counter(header).items() if n > 1), None):
        raise DataError(f"expected every column to have a name of its own, got {twice!r} twice; rename one")


def _hint(name: str, header: list[str]) -> str:
    if len(header) == 1 and any(mark in header[0] for mark in ",;\t|"):
        return f"the only column is {header[0][:80]!r}: save the table with commas (.csv) or tabs (.tsv)"
    if near := difflib.get_close_matches(name, header[:COMPARED], 1):
        return f"did you mean {near[0]!r}?"
    more = f" and {len(header) - 10} more" if len(header) > 10 else ""
    return f"columns are {', '.join(header[:10])}{more}"


def _labels(column: list[str] | Array) -> list[int] | list[float] | list[str] | Array:
    """Labels as numbers where all of them are written as such: classes are then in the order of numbers."""
    if not isinstance(column, list):
        return column
    try:
        if all(str(int(label)) == label for label in column):
            return [int(label) for label in column]
    except ValueError:
        pass
    try:
        values = [float(label.replace("_", "?")) for label in column]
    except ValueError:
        return column
    # 7 and 007 may be two classes; 0.5 and 0.50 are none at all, and refused later.
    return column if all(map(float.is_integer, values)) and len(set(values)) < len(set(column)) else values
