"""What the commands say of several objectives."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from evonas.campaign import Campaign
from evonas.campaign.spec import read
from evonas.cli import main
from tests.campaigns import written_spec

OBJECTIVES = '[objectives]\nmaximize = ["accuracy"]\nminimize = ["parameters", "peak_memory"]\n'


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished campaign of three objectives."""
    place = tmp_path_factory.mktemp("front")
    spec = read(written_spec(place, evaluations=8, more=OBJECTIVES), {"control": "random"})
    return Campaign.of(spec).run(place / "out").directory


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What a command that succeeds prints."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    assert caught.value.code == 0
    return capsys.readouterr().out


def rows(directory: Path) -> list[dict[str, Any]]:
    names = ("accuracy", "parameters", "peak_memory")
    return [{"id": one.id, **{name: one.metrics[name] for name in names}} for one in Campaign.load(directory).front]


@pytest.mark.parametrize("verb", ["status", "best"])
def test_the_front_is_said(verb: str, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(said(capsys, verb, directory, "--format", "json"))
    assert found["front"] == rows(directory)
    assert type(found["front"][0]["parameters"]) is type(found["front"][0]["peak_memory"]) is int
    lines = said(capsys, verb, directory).splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith(f"front of {len(found['front'])}"))
    assert lines[at + 1].split() == ["id", "accuracy", "parameters", "peak_memory"]
    assert [int(line.split()[0]) for line in lines[at + 2 :]] == [row["id"] for row in found["front"]]


def test_run_ends_with_the_front(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "resume", directory, "-q")
    assert re.search(rf"front of {len(rows(directory))} *\n *id +accuracy +parameters +peak_memory\n", text)
    assert json.loads(said(capsys, "resume", directory, "-q", "--format", "json"))["front"] == rows(directory)


def test_progress_is_drawn_as_hypervolume(
    directory: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from evonas import view

    drawn: list[Any] = []
    save = view.save

    def noted(ax: Any, path: Path) -> Any:
        drawn.append(ax)
        return save(ax, path)

    monkeypatch.setattr(view, "save", noted)
    said(capsys, "plot", "progress", directory)
    assert drawn[0].get_ylabel() == "hypervolume of the front"
    assert {one.get_gid() for one in drawn[0].lines} == {"best", "control"}


def test_one_objective_has_no_table_of_its_front(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("status", "best"):
        assert "front" not in json.loads(said(capsys, verb, finished, "--format", "json"))
        assert "front" not in said(capsys, verb, finished)


def test_small_numbers_keep_their_digits() -> None:
    from evonas.terminal import written

    assert [written(value) for value in (0.000123456, 0.25, 0.0, -0.00012)] == [
        "0.000123",
        "0.2500",
        "0.0000",
        "-0.00012",
    ]
