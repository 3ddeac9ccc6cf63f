"""What commands print of campaigns that train nothing."""

from pathlib import Path

import pytest

from evonas import commands, terminal
from evonas.campaign import Campaign
from evonas.record import Individual
from tests.cli.commands import Command, parsed

pytestmark = pytest.mark.usefixtures("fast_disk")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.0, "0 µs"), (3.95e-5, "39.5 µs"), (0.0123, "12.3 ms"), (1.0, "1 s"), (12.34, "12.3 s"), (4321.0, "4,321 s")],
)
def test_a_time_has_the_unit_that_fits_it(seconds: float, expected: str) -> None:
    assert terminal.written(terminal.Seconds(seconds)) == expected


def test_columns_that_say_nothing_are_left_out(evonas: Command, tmp_path: Path) -> None:
    search = {"name": "speciated", "population": 5}
    Campaign("xor", "neat", search, budget={"evaluations": 15}).run(tmp_path / "out")
    for verb in ("show", "lineage"):
        heads, *rows = (line.split() for line in evonas(verb, tmp_path / "out")[1].splitlines())
        assert [word for word in heads if word != "parents"] == [
            "id", "state", "operator", "fitness", "parameters", "time",
        ]  # fmt: skip
        assert all(row[-1] in ("µs", "ms") for row in rows)
    lines = [line.split() for line in evonas("show", tmp_path / "out", 3)[1].splitlines()]
    assert next(words[2] for words in lines if words[0] == "seconds") in ("µs", "ms")


def test_columns_that_say_something_of_one_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    def one(number: int, epochs: int, **fields: object) -> Individual:
        metrics = {"accuracy": 0.5, "parameters": 3.0}
        return Individual(number, "complete", (), "sample", (), 0, "{}", "", "", 0.5, metrics, epochs=epochs, **fields)  # type: ignore[arg-type]

    some = [one(0, 0), one(1, 2, seconds=0.5)]
    terminal.print_individuals(some, {}, "accuracy")
    heads, first, second = (line.split() for line in capsys.readouterr().out.splitlines())
    assert heads == ["id", "state", "operator", "accuracy", "parameters", "epochs", "time"]
    assert (first[-2:], second[-3:]) == (["0", "–"], ["2", "500", "ms"])
    terminal.print_individuals([], {}, "accuracy")
    assert "at birth" in capsys.readouterr().out


def test_a_learned_genome_is_not_printed_whole() -> None:
    row = {"id": 1, "learned": '{"encoding": "cppn"}' * 99, "metrics": {}, "seconds": 0.1}
    assert commands.shown(row)["learned"] == "a genome of 1,980 characters; --format json prints it"
    assert "learned" not in commands.shown(row | {"learned": None})
    assert list(commands.shown(row | {"donors": (), "error": ""})) == ["id", "learned", "seconds"]


def test_the_best_of_a_problem_is_told_to_solve_it(evonas: Command, tmp_path: Path) -> None:
    search = {"name": "speciated", "population": 5}
    Campaign("xor", "neat", search, budget={"evaluations": 10}).run(tmp_path / "out")
    names = [line.split()[0] for line in evonas("best", tmp_path / "out")[1].splitlines()]
    assert names[:4] == ["id", "fitness", "solved", "test_fitness"]
    assert "validation_fitness" not in names
    assert parsed(evonas("best", tmp_path / "out", "--format", "json"))["solved"] is False
    heads, row = (line.split() for line in evonas("compare", tmp_path / "out")[1].splitlines())
    assert row[heads.index("solved")] == "no"
    heads, row = (line.split() for line in evonas("resume", tmp_path / "out", "-q")[1].splitlines()[:2])
    assert heads[3:6] == ["best", "fitness", "solved"]
    assert row[5] == "no"


def test_numbers_of_individuals_are_written_as_commands_take_them(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.print_fields({"id": 12813, "evaluations": 12900})
    terminal.print_table(("best", "parameters"), [[12813, 12900]])
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["id", "12813"],
        ["evaluations", "12,900"],
        ["best", "parameters"],
        ["12813", "12,900"],
    ]
