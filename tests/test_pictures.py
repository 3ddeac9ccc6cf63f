"""Which pictures a campaign has, and that each shows it."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from matplotlib.axes import Axes

from evonas import cli, pictures
from evonas.campaign import SpecError
from evonas.campaign.spec import Objectives
from evonas.record import Individual
from genomes.cell import CellGenome
from genomes.cell.genome import checked

BLOCK = [0, 1, "sep_conv_3x3", "identity", "add"]
STAGES = [("image", 1, (3, 8, 8)), ("normal cell", 2, (16, 8, 8)), ("softmax", 1, (10,))]


class Cells:
    """An encoding of cells that knows how they are stacked."""

    name = "cell"
    asked: tuple[Any, ...] = ()

    def from_json(self, data: dict[str, Any]) -> CellGenome:
        return checked(data["cells"], ([], []))

    def stack_rows(
        self, genome: CellGenome, input_shape: tuple[int, ...], n_outputs: int
    ) -> list[tuple[str, int, Any]]:
        self.asked = (genome, input_shape, n_outputs)
        return STAGES  # type: ignore[return-value]


class Others:
    """An encoding without cells."""

    name = "others"

    def from_json(self, data: dict[str, Any]) -> dict[str, Any]:
        return data


def individual(number: int, state: Any = "complete") -> Individual:
    genome = json.dumps({"cells": [[BLOCK], [BLOCK, BLOCK]]})
    metrics = {"accuracy": 0.5 + number / 10, "parameters": 100.0 * (number + 1), "loss": 1.0}
    return Individual(number, state, (), "sample", (), 0, genome, "", "", fitness=metrics["accuracy"], metrics=metrics)


def campaign(encoding: Any, *objectives: str, n: int = 3) -> Any:
    several = Objectives.model_construct(maximize=objectives[:1], minimize=objectives[1:])
    spec = SimpleNamespace(encoding=encoding, objectives=several, search=SimpleNamespace(name="evolution"))
    facts = {"input_shape": [3, 8, 8], "n_outputs": 10}
    individuals = [individual(number) for number in range(n)]
    known: dict[str, Any] = {"spec": spec, "facts": facts, "individuals": individuals, "control": None}
    return SimpleNamespace(
        **known, directory=Path("runs/a"), genome=lambda one: encoding.from_json(json.loads(one.genome))
    )


def texts(ax: Axes) -> set[str]:
    figure = ax.get_figure()
    assert figure is not None
    return {text.get_text() for axes in figure.axes for text in axes.texts} | {text.get_text() for text in figure.texts}


def test_the_command_line_names_every_kind() -> None:
    assert [kind.value for kind in cli.Kind] == list(pictures.KINDS)


@pytest.mark.parametrize(
    ("encoding", "objectives", "wanted"),
    [
        (Others(), ("accuracy",), {"genome", "progress", "lineage"}),
        (Others(), ("accuracy", "parameters"), {"genome", "progress", "lineage", "front"}),
        (Cells(), ("accuracy",), {"cell", "stack", "progress", "lineage"}),
        (Cells(), ("accuracy", "parameters", "loss"), {"cell", "stack", "progress", "lineage", "front"}),
    ],
)
def test_a_run_draws_what_fits_the_campaign(encoding: Any, objectives: tuple[str, ...], wanted: set[str]) -> None:
    assert set(pictures.fitting(campaign(encoding, *objectives))) == wanted


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("cell", r"runs/a: expected an encoding of cells to draw, got others; plot genome"),
        ("stack", r"runs/a: expected an encoding that stacks cells, got others; plot genome"),
        ("front", r"runs/a: expected two objectives to draw a front of, got accuracy; run a campaign with one more"),
    ],
)
def test_what_a_campaign_does_not_have_is_refused(kind: str, expected: str) -> None:
    with pytest.raises(SpecError, match=expected):
        pictures.require(kind, campaign(Others(), "accuracy"))


def test_cells_without_a_stack_are_drawn_and_their_stack_refused() -> None:
    bare = SimpleNamespace(name="bare", from_json=Cells().from_json)
    pictures.require("cell", campaign(bare, "accuracy"))
    with pytest.raises(SpecError, match="expected an encoding that stacks cells, got bare"):
        pictures.require("stack", campaign(bare, "accuracy"))


def test_both_cells_of_the_individual_are_drawn() -> None:
    ax = pictures.draw("cell", campaign(Cells(), "accuracy"), individual(2))
    assert {"individual 2", "h[i-1]", "add", "sep", "identity"} <= texts(ax)


def test_the_stack_is_asked_of_the_encoding() -> None:
    encoding = Cells()
    ax = pictures.draw("stack", campaign(encoding, "accuracy"), individual(1))
    assert encoding.asked[1:] == ((3, 8, 8), 10)
    assert isinstance(encoding.asked[0], CellGenome)
    assert {"normal cell  × 2", "8×8, 16 channels"} <= texts(ax)
    assert ax.get_title() == "individual 1"


def test_the_front_has_the_first_objective_upwards_and_the_second_to_the_right() -> None:
    ax = pictures.draw("front", campaign(Cells(), "accuracy", "parameters", "loss"), None)
    assert ax.get_ylabel() == "accuracy, higher is better"
    assert ax.get_xlabel() == "parameters, lower is better"
    assert {"0", "1", "2"} <= texts(ax)
