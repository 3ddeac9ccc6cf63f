"""A campaign that was evaluated by hand is one like any other for the command line, which cannot go on with it."""

from pathlib import Path

import pytest

from evonas.campaign import Campaign
from tests.cli.commands import Command, parsed, refused


@pytest.fixture(scope="module")
def robot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("robot") / "out"
    task = {"name": "own", "input_shape": [4], "n_outputs": 2, "metrics": ["reward", "steps"]}
    fields = {"search": {"name": "evolution", "population": 3}, "budget": {"evaluations": 7}}
    campaign = Campaign(task, {"name": "dag", "max_sampled": 3}, **fields)
    with campaign.by_hand(place) as hand:
        while asked := hand.ask():
            number = asked[0].id
            if number == 2:
                hand.fail(number, "it fell")
            else:
                hand.tell(number, {"reward": number / 2, "steps": 7}, weights=hand.build(asked[0]))
    return place


def test_it_is_shown(robot: Path, evonas: Command) -> None:
    best = parsed(evonas("best", robot, "--format", "json"))
    assert (best["id"], best["validation_reward"], best["fitness"]) == (6, 3.0, 3.0)
    assert parsed(evonas("status", robot, "--format", "json"))["evaluations"] == 7
    shown = parsed(evonas("show", robot, 6, "--format", "json"))
    assert shown["metrics"]["steps"] == 7
    assert evonas("show", robot)[0] == evonas("lineage", robot)[0] == evonas("verify", robot)[0] == 0
    assert evonas("show", robot, 2)[0] == 0


@pytest.mark.parametrize("kind", ["progress", "lineage", "genome"])
def test_it_is_drawn(kind: str, robot: Path, evonas: Command, tmp_path: Path) -> None:
    assert evonas("plot", kind, robot, "-o", tmp_path / "x.svg") == (0, f"{tmp_path / 'x.svg'}\n", "")


def test_it_is_exported(robot: Path, evonas: Command, tmp_path: Path) -> None:
    from evonas import load

    assert evonas("export", "weights", robot, "-o", tmp_path / "x")[0] == 0
    assert load(tmp_path / "x").input_shape == (4,)
    text = Path(evonas("export", "csv", robot)[1].strip()).read_text()
    assert text.splitlines()[0].split(",")[-5:] == ["reward", "steps", "parameters", "macs", "peak_memory"]


def test_only_its_user_goes_on_with_it(robot: Path, evonas: Command, tmp_path: Path) -> None:
    refused(evonas("resume", robot, "--max-evaluations", 9), 2, "task own: ", "Campaign.by_hand")
    refused(evonas("retrain", robot, "--out", tmp_path / "again"), 2, "task own: ")
    assert not (tmp_path / "again").exists()
