"""Reading Parquet files, with errors that name column and row."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from evonas.tasks.checks import Array
from evonas.tasks.columns import Chosen, Columns, label_of
from evonas.tasks.task import DataError


def read_parquet(path: Path, choose: Callable[[list[str]], Chosen]) -> Columns:
    """Read a Parquet file.

    Args:
        path: The file.
        choose: Tells what its columns are for.

    Raises:
        DataError: It is no such file, a value is missing, or a feature is no number; or pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise DataError(
            'reading Parquet needs pyarrow; pip install "evonas[parquet]", or save the table as .csv'
        ) from None
    try:
        file = parquet.ParquetFile(path)
        chosen = choose(list(file.schema_arrow.names))
        wanted = [chosen.header[number] for number in (*chosen.features, *chosen.targets)]
        table = file.read(columns=wanted, use_threads=False)
    except (pyarrow.ArrowException, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(f"expected a Parquet file, got one that cannot be read ({reason}); save it again") from error
    if table.num_rows == 0:
        raise DataError("expected rows, got none; add examples")
    columns = dict(zip(table.column_names, table.columns, strict=True))
    features = np.empty((table.num_rows, len(chosen.features)))
    for place, number in enumerate(chosen.features):
        features[:, place] = _numbers(columns[chosen.header[number]], chosen.header[number])
    read = _numbers if chosen.numeric else _labels
    names = [chosen.header[number] for number in chosen.targets]
    return Columns(features, [read(columns[name], name) for name in names])


def _numbers(column: Any, name: str) -> Array:
    from pyarrow import types

    _check_whole(column, name)
    kind = column.type
    if not any(is_kind(kind) for is_kind in (types.is_boolean, types.is_integer, types.is_floating, types.is_decimal)):
        raise DataError(
            f"column {name!r}: expected numbers or booleans, got {kind}; turn it into numbers, or drop the column"
        )
    values = column.cast("float64", safe=False).to_numpy()
    if not (finite := np.isfinite(values)).all():
        row = int(finite.argmin())
        raise DataError(
            f"row {row + 1}, column {name!r}: expected a finite number, got {values[row]}; fill it in or drop the row"
        )
    return np.asarray(values)


def _labels(column: Any, name: str) -> list[str] | Array:
    from pyarrow import types

    _check_whole(column, name)
    kind = column.type.value_type if types.is_dictionary(column.type) else column.type
    if types.is_string(kind) or types.is_large_string(kind):
        return [label_of(label, f"row {row}", name) for row, label in enumerate(column.to_pylist(), 1)]
    if types.is_boolean(kind):
        return column.cast("int8").to_numpy().astype(bool)
    if types.is_integer(kind):
        return np.asarray(column.to_numpy())
    return _numbers(column, name)


def _check_whole(column: Any, name: str) -> None:
    if column.null_count:
        row = column.is_null().to_pylist().index(True)
        raise DataError(f"row {row + 1}, column {name!r}: expected a value, got none; fill it in or drop the row")
