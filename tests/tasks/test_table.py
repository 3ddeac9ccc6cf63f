"""Tables from files: numbers are read exactly, and what is none is named by column and row."""

import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from evonas.tasks import DataError, Table, Task, columns, from_arrays

HEADER = "a,b,label\n"
ROWS = "".join(f"{n / 7},{n % 5},{'xyz'[n % 3]}\n" for n in range(30))


def written(path: Path, text: str | bytes) -> Path:
    data = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def refused(path: Path, **fields: Any) -> str:
    with pytest.raises(DataError) as caught:
        Table(path=str(path), **{"target": "label", **fields}).load()
    message = str(caught.value)
    assert message.isprintable()
    assert message.startswith(f"{path}: ")
    return message


def assert_same(a: Task, b: Task) -> None:
    for part in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(a, part).inputs, getattr(b, part).inputs)
        np.testing.assert_array_equal(getattr(a, part).targets, getattr(b, part).targets)
    assert (a.classes, a.mean, a.deviation, a.target_mean) == (b.classes, b.mean, b.deviation, b.target_mean)


@pytest.fixture
def expected() -> Task:
    X = np.array([[n / 7, n % 5] for n in range(30)])
    return from_arrays(X, np.array(list("xyz" * 10)))


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".tsv", ".TSV.gz", ".parquet"])
def test_every_format_gives_the_same_task(suffix: str, expected: Task, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix == ".parquet":
        table = {"a": [n / 7 for n in range(30)], "b": [n % 5 for n in range(30)], "label": list("xyz" * 10)}
        parquet.write_table(pyarrow.table(table), path)
    else:
        text = HEADER + ROWS
        written(path, text if "csv" in suffix else text.replace(",", "\t"))
    task = Table(path=str(path), target="label").load()
    assert_same(task, expected)
    assert (task.name, task.kind, list(task.files)) == ("table", "classification", [path.name])


@pytest.mark.parametrize(
    "text", ["\ufeff" + HEADER + ROWS, (HEADER + ROWS).replace("\n", "\r\n"), HEADER + ROWS + "\n\n"]
)
def test_what_spreadsheets_write_is_read(text: str, expected: Task, tmp_path: Path) -> None:
    assert_same(Table(path=str(written(tmp_path / "a.csv", text)), target="label").load(), expected)


def test_a_mark_of_the_byte_order_is_no_part_of_a_name(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "\ufefflabel,a\n" + "".join(f"{n % 2},{n}\n" for n in range(20)))
    assert Table(path=str(path), target="label").load().classes == ("0", "1")


def test_quotes_words_spaces_and_columns_between(tmp_path: Path) -> None:
    rows = "".join(f'"{n}",id{n},"{"x,y" if n % 2 else "z"}", {str(n % 3 == 0).upper()},1e{n % 3}\n' for n in range(20))
    path = written(tmp_path / "a.csv", "n,id,label,flag,size\n" + rows)
    task = Table(path=str(path), target="label", drop=("id",)).load()
    assert task.classes == ("x,y", "z")
    X = np.array([[n, n % 3 == 0, 10 ** (n % 3)] for n in range(20)], dtype=float)
    assert_same(task, from_arrays(X, np.array(["x,y" if n % 2 else "z" for n in range(20)])))


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (("9", "10"), ("9", "10")),
        (("1.0", "2"), ("1", "2")),
        (("007", "7"), ("007", "7")),
        (("a", "1"), ("1", "a")),
        (("1_0", "2"), ("1_0", "2")),
        (("True", "False"), ("False", "True")),
    ],
)
def test_classes_are_in_the_order_of_numbers_where_they_are_some(
    labels: tuple[str, str], classes: tuple[str, ...], tmp_path: Path
) -> None:
    text = "a,label\n" + "".join(f"{n},{labels[n % 2]}\n" for n in range(20))
    assert Table(path=str(written(tmp_path / "a.csv", text)), target="label").load().classes == classes


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_regression_on_several_targets(suffix: str, tmp_path: Path) -> None:
    X, y = np.random.default_rng(0).normal(size=(2, 30, 2))
    path = tmp_path / f"a{suffix}"
    names = ("u", "a", "v", "b")
    rows = np.column_stack([y[:, 0], X[:, 0], y[:, 1], X[:, 1]])
    if suffix == ".csv":
        written(path, ",".join(names) + "\n" + "".join(",".join(map(repr, row)) + "\n" for row in rows.tolist()))
    else:
        parquet.write_table(pyarrow.table(dict(zip(names, rows.T, strict=True))), path)
    task = Table(path=str(path), target=("u", "v"), kind="regression").load()
    assert_same(task, from_arrays(X, y, kind="regression"))
    assert task.targets == ("u", "v")


def with_cell(cell: str, line: int = 4) -> str:
    lines = (HEADER + ROWS).splitlines()
    lines[line] = f"1,{cell},x"
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (with_cell(""), "line 5, column 'b': expected a number, got nothing"),
        (with_cell("tall"), "line 5, column 'b': expected a number, got 'tall'"),
        (with_cell("1_0"), "got '1_0'"),
        (with_cell("nan"), "line 5, column 'b': expected a finite number, got nan"),
        (with_cell("-inf"), "line 5, column 'b': expected a finite number, got -inf"),
        (with_cell("1e999"), "line 5, column 'b': expected a finite number"),
        (with_cell("\x1b[1m"), "got '\\x1b[1m'"),
        (with_cell("1,2"), "line 5: expected 3 columns as in the first row, got 4"),
        (HEADER + ROWS + "1,2", "line 32: expected 3 columns as in the first row, got 2"),
        (HEADER + ROWS + "1,2,", "line 32, column 'label': expected the name of a class, got nothing"),
        (HEADER + ROWS + f"1,2,{'x' * 999}", "got 999 characters"),
        (HEADER + ROWS + '1,2,"x', "line 32"),
        (HEADER + ROWS + '1,2,"x"y', "line 32"),
        (HEADER + ROWS + f'1,2,"{"x" * 200_000}"', "field larger than field limit"),
        (HEADER + ROWS + "1,2,rare", "1 of class 'rare'"),
        (HEADER + "1,2,x\n" * 9, "column 'label': expected at least two classes, got only 'x'"),
        (HEADER, "expected rows below the names"),
        ("", "expected a first row with the names"),
        ("\n", "expected a first row with the names"),
        ("a,,label\n" + ROWS, "column 2: expected a name"),
        ("a,a,label\n" + ROWS, "got 'a' twice"),
        ("a,b,lable\n" + ROWS, "target: expected a column, got 'label'; did you mean 'lable'?"),
        ("p,q,r\n" + ROWS, "got 'label'; columns are p, q, r"),
        ("a;b;label\n1;2;x\n", "the only column is 'a;b;label'"),
        (HEADER.encode() + b"1,2,caf\xe9\n", "expected UTF-8 text, got other bytes near line"),
        (b"\xff\xfea\0,\0", "expected UTF-8 text"),
        ((HEADER + ROWS).replace("\n", "\x00\n"), ""),
    ],
)
def test_a_table_that_is_none_is_one_line(text: str | bytes, expected: str, tmp_path: Path) -> None:
    assert expected in refused(written(tmp_path / "a.csv", text))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"drop": ("c",)}, "drop: expected a column, got 'c'; columns are a, b, label"),
        ({"drop": ("label",)}, "target, drop: expected every column once, got 'label' twice"),
        ({"drop": ("a", "b")}, "expected a column of features beside the target"),
        ({"target": ("a", "b")}, "target: expected one column of classes, got 2"),
        ({"target": "a", "drop": ("label",)}, "or set kind to 'regression'"),
        ({"kind": "regression"}, "line 2, column 'label': expected a number, got 'x'"),
    ],
)
def test_columns_that_cannot_be_used(fields: dict[str, Any], expected: str, tmp_path: Path) -> None:
    assert expected in refused(written(tmp_path / "a.csv", HEADER + ROWS), **fields)


def test_a_constant_target_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "a,label\n" + "".join(f"{n},3\n" for n in range(9)))
    assert "label" in refused(path, kind="regression")


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    assert "found nothing there" in refused(tmp_path / "a.csv")
    (tmp_path / "b.csv").mkdir()
    assert "got a directory" in refused(tmp_path / "b.csv")
    assert "expected a name that ends in .csv" in refused(written(tmp_path / "c.xlsx", HEADER))
    (tmp_path / "d.csv.gz").write_bytes(gzip.compress((HEADER + ROWS).encode())[:-20])
    assert "cannot be read" in refused(tmp_path / "d.csv.gz")
    (tmp_path / "e.csv.gz").write_bytes((HEADER + ROWS).encode())
    assert "cannot be read" in refused(tmp_path / "e.csv.gz")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", HEADER + ROWS)
    path.chmod(0)
    assert "Permission denied" in refused(path)


def test_an_endless_line_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "LONGEST_LINE", 1000)
    assert "expected lines of less than 1000" in refused(written(tmp_path / "a.csv.gz", HEADER + "0" * 5000))


def test_a_hundred_thousand_columns(tmp_path: Path) -> None:
    n = 100_000
    head = ",".join(f"c{number}" for number in range(n))
    rows = "".join(",".join([str(row)] * n) + f",{'xy'[row % 2]}\n" for row in range(8))
    path = written(tmp_path / "a.csv", f"{head},label\n{rows}")
    assert Table(path=str(path), target="label").load().input_shape == (n,)
    assert "99991 more" in refused(path, target="nothing like it")


def table_of(**columns: Any) -> pyarrow.Table:
    return pyarrow.table({"a": [float(n) for n in range(9)], "label": list("xyz" * 3), **columns})


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"b": [1, None] + [2] * 7}, "row 2, column 'b': expected a value, got none"),
        ({"b": list("abcdefghi")}, "column 'b': expected numbers or booleans, got string"),
        ({"b": [[1]] * 9}, "column 'b': expected numbers or booleans, got list"),
        ({"b": [1.0, float("nan")] + [2.0] * 7}, "row 2, column 'b': expected a finite number, got nan"),
        ({"label": ["x", None] + ["y"] * 7}, "row 2, column 'label': expected a value, got none"),
        ({"label": ["x", ""] + ["y"] * 7}, "row 2, column 'label': expected the name of a class"),
        ({"label": [b"x"] * 9}, "column 'label': expected numbers or booleans, got binary"),
    ],
)
def test_a_parquet_column_that_cannot_be_used(columns: dict[str, Any], expected: str, tmp_path: Path) -> None:
    parquet.write_table(table_of(**columns), tmp_path / "a.parquet")
    assert expected in refused(tmp_path / "a.parquet")


@pytest.mark.parametrize(
    "labels",
    [[n % 3 for n in range(9)], [n % 2 == 0 for n in range(9)], pyarrow.array(list("xyz" * 3)).dictionary_encode()],
)
def test_parquet_labels(labels: Any, tmp_path: Path) -> None:
    parquet.write_table(table_of(label=labels, flag=[n % 2 == 0 for n in range(9)]), tmp_path / "a.parquet")
    task = Table(path=str(tmp_path / "a.parquet"), target="label").load()
    assert task.input_shape == (2,)
    assert task.classes in (("0", "1", "2"), ("False", "True"), ("x", "y", "z"))


def test_parquet_files_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(table_of(), path)
    whole = path.read_bytes()
    for data in (b"", b"PAR1", whole[:-30], whole[:40] + b"\0" * 40 + whole[80:]):
        path.write_bytes(data)
        assert "cannot be read" in refused(path)
    parquet.write_table(table_of().slice(0, 0), path)
    assert "expected rows, got none" in refused(path)


def test_parquet_without_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet.write_table(table_of(), tmp_path / "a.parquet")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    assert 'pip install "evonas[parquet]"' in refused(tmp_path / "a.parquet")
