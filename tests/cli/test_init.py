"""A spec to begin with, and what is said where the data cannot be used."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evonas.campaign.spec import read
from tests.cli.commands import Command, refused


def test_init_writes_a_spec_that_can_be_run(evonas: Command, tmp_path: Path) -> None:
    path = tmp_path / "my spec é.toml"
    code, out, _ = evonas("init", path)
    assert code == 0
    assert f"evonas run {path}" in out
    assert read(path).budget.evaluations == 200
    before = path.read_bytes()
    refused(evonas("init", path), 2, "expected a new file, there is one already", str(path))
    assert path.read_bytes() == before


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "houses.csv"
    path.parent.mkdir()
    rows = [f"{n},{n % 7},{'good' if n % 2 else 'bad'},{1.5 * n}" for n in range(40)]
    path.write_text("\n".join(["size,rooms,state,price", *rows]) + "\n")
    return path


def test_init_names_a_table_from_where_the_spec_is(evonas: Command, tmp_path: Path, table: Path) -> None:
    path = tmp_path / "specs" / "my.toml"
    path.parent.mkdir()
    assert evonas("init", path, "--data", table, "--target", "price", "--kind", "regression")[0] == 2, "a word column"
    table.write_text(table.read_text().replace("good", "1").replace("bad", "0"))
    assert evonas("init", path, "--data", table, "--target", "price", "--kind", "regression")[0] == 0
    assert 'path = "../data/houses.csv"' in path.read_text()
    spec = read(path)
    assert spec.objectives.maximize == ("r2",)
    assert spec.task.load().targets == ("price",)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--target", "prise"), "did you mean 'price'?"),
        ((), "--target: expected the column of"),
        (("--target", "state"), "set kind to 'regression'"),
        (("--target", "price", "--kind", "ranking"), "task.kind: input should be 'classification' or 'regression'"),
        (("--target", "rooms", "--size", "8"), "task.size: unknown key"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_written(
    evonas: Command, tmp_path: Path, table: Path, options: tuple[str, ...], expected: str
) -> None:
    if expected.startswith("set kind"):
        table.write_text(table.read_text().replace("good", "0.5").replace("bad", "0.25"))
    path = tmp_path / "my.toml"
    refused(evonas("init", path, "--data", table, *options), 2, expected)
    assert not path.exists()


def test_init_of_a_folder_of_images_of_many_sizes_asks_for_one(evonas: Command, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(12):
        folder = tmp_path / "photos" / ("cat", "dog")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 255, (8 + number, 9, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    path = tmp_path / "my.toml"
    refused(evonas("init", path, "--data", tmp_path / "photos"), 2, "set size")
    assert evonas("init", path, "--data", tmp_path / "photos", "--size", 8)[0] == 0
    assert read(path).task.load().input_shape == (3, 8, 8)


def test_init_of_text_chooses_recurrent_cells(evonas: Command, tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text("the quick brown fox jumps over the lazy dog. " * 200)
    assert evonas("init", tmp_path / "book.toml", "--data", tmp_path / "book.txt")[0] == 0
    spec = read(tmp_path / "book.toml")
    assert (spec.task.name, spec.encoding.name) == ("text", "recurrent")
