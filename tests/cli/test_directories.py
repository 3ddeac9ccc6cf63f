"""Directories that are no campaign, or one that is damaged, busy, spent or without success."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from evonas.campaign import Campaign, Store
from tests.campaigns import arrays, written_spec
from tests.cli.commands import Command, parsed, refused

# Directories


@pytest.mark.parametrize(
    "verb", ["status", "show", "best", "lineage", "verify", "resume", "plot genome", "plot progress"]
)
def test_a_directory_that_is_no_campaign(verb: str, evonas: Command, tmp_path: Path) -> None:
    refused(evonas(*verb.split(), tmp_path), 3, str(tmp_path), "found no campaign.sqlite in it; check the path")
    refused(evonas(*verb.split(), tmp_path / "none"), 3, "found no campaign.sqlite in it; check the path")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_holds_no_campaigns(evonas: Command, tmp_path: Path) -> None:
    assert evonas("list", tmp_path)[0] == 0
    refused(evonas("list", tmp_path / "none"), 3, "expected a directory, found none")


@pytest.mark.parametrize("verb", ["status", "show", "best", "lineage", "resume", "retrain", "plot progress"])
@pytest.mark.parametrize("damage", ["junk", "empty", "cut", "short"])
def test_a_damaged_log(verb: str, damage: str, evonas: Command, copy: Path) -> None:
    path = copy / "campaign.sqlite"
    sound = path.read_bytes()
    content = {"junk": b"junk" * 99, "empty": b"", "cut": sound[: len(sound) // 2], "short": sound[:5000]}[damage]
    path.write_bytes(content)
    refused(evonas(*verb.split(), copy), 3, f"{path}: expected a campaign's log, got a damaged file (")
    assert path.read_bytes() == content, "nothing is lost"
    code, out, err = evonas("verify", copy)
    assert (code, out) == (4, "")
    assert "damaged file" in err


def test_a_damaged_log_hides_no_other_campaign(evonas: Command, copy: Path) -> None:
    shutil.copytree(copy, copy.parent / "sound")
    (copy / "campaign.sqlite").write_bytes(b"junk" * 99)
    damaged, sound = parsed(evonas("list", copy.parent, "--format", "json"))
    assert (damaged["directory"], damaged["state"]) == (str(copy), "damaged")
    assert "expected a campaign's log, got a damaged file" in damaged["error"]
    assert (sound["state"], sound["evaluations"]) == ("finished", 10)
    code, out, err = evonas("list", copy.parent)
    assert code == 0
    assert [line.split()[1] for line in out.splitlines()] == ["state", "damaged", "finished"]
    assert err == f"{damaged['error']}\n"


def test_individuals_that_are_none(evonas: Command, finished: Path) -> None:
    for id in (10, 99):
        for verb in ("show", "lineage", "retrain"):
            refused(evonas(verb, finished, id), 3, f"expected an individual from 0 to 9, got {id}")
        refused(evonas("plot", "genome", finished, id), 3, f"expected an individual from 0 to 9, got {id}")
    refused(evonas("show", finished, "--", -1), 3, "got -1")


@pytest.mark.parametrize("place", ["file/below/out", "/proc/evonas/out", "/proc/evonas"])
def test_a_directory_that_cannot_be_written(place: str, evonas: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content")
    refused(evonas("run", written_spec(tmp_path), "--out", tmp_path / place), 2, place.split("/")[1])
    refused(evonas("init", tmp_path / place / "a.toml"), 2)
    assert (tmp_path / "file").read_text() == "content"


def test_a_picture_that_cannot_be_written(evonas: Command, finished: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused(evonas("plot", "progress", finished, "-o", tmp_path / "file" / "a.png"), 2, "file")
    refused(evonas("plot", "progress", finished, "-o", tmp_path / "a.xyz"), 2, "xyz")


def test_a_second_writer(evonas: Command, copy: Path) -> None:
    before = Campaign.load(copy).individuals
    store = Store.open(copy, write=True)
    refused(evonas("resume", copy, "-q"), 3, "expected no other writer, another process runs this campaign")
    assert evonas("best", copy)[0] == 0
    store.close()
    assert evonas("resume", copy, "-q")[0] == 0
    assert Campaign.load(copy).individuals == before


def test_another_spec_in_the_same_directory(evonas: Command, tmp_path: Path) -> None:
    spec, out = written_spec(tmp_path, evaluations=2), tmp_path / "out"
    assert evonas("run", spec, "--out", out, "-q")[0] == 0
    before = Campaign.load(out).individuals
    refused(evonas("run", spec, "--out", out, "-q", "--seed", 9), 3, "got changes in seed: 3 → 9; undo them or")
    refused(evonas("resume", out, "--max-evaluations", 0), 2, "budget: budget.evaluations: ")
    np.savez(tmp_path / "data.npz", X=arrays(60)[0], y=arrays(60)[1])
    refused(evonas("resume", out, "-q"), 3, "expected the data it was begun with, they have changed")
    (tmp_path / "data.npz").unlink()
    refused(evonas("resume", out, "-q"), 2, "found nothing there")
    assert Campaign.load(out).individuals == before


def test_weights_that_are_gone_stop_a_resumed_run(evonas: Command, tmp_path: Path) -> None:
    spec, out = written_spec(tmp_path, evaluations=4), tmp_path / "out"
    assert evonas("run", spec, "--out", out, "-q")[0] == 0
    for path in (out / "weights").iterdir():
        path.unlink()
    message = "expected the weights of individual"
    refused(evonas("resume", out, "-q", "--max-evaluations", 8), 4, message, "which are needed, found none")


def test_a_budget_that_is_spent_says_so(evonas: Command, tmp_path: Path) -> None:
    spec, out = written_spec(tmp_path, evaluations=4), tmp_path / "out"
    assert "nothing to do" not in evonas("run", spec, "--out", out)[2]
    for n in (2, 4):
        code, _, err = evonas("resume", out, "--max-evaluations", n)
        assert code == 0
        assert f"nothing to do: 4 evaluations are recorded, the budget is {n} evaluations\n" in err
    assert "nothing to do" not in evonas("resume", out, "--max-evaluations", 5)[2]


def test_where_nothing_is_to_do_pictures_that_show_all_are_left(evonas: Command, tmp_path: Path) -> None:
    spec, out = written_spec(tmp_path, evaluations=4), tmp_path / "out"
    assert evonas("run", spec, "--out", out)[2].count("drawing the pictures\n") == 1
    written = {path: path.stat().st_mtime_ns for path in (out / "figures").iterdir()}
    assert len(written) == 6
    code, text, err = evonas("run", spec, "--out", out)
    assert (code, "drawing" in err) == (0, False)
    assert f"{out / 'figures' / 'lineage.png'}" in text
    assert {path: path.stat().st_mtime_ns for path in (out / "figures").iterdir()} == written
    (out / "figures" / "genome.svg").unlink()
    assert "drawing" in evonas("run", spec, "--out", out)[2]
    changed = {path.stem for path, at in written.items() if path.stat().st_mtime_ns != at}
    assert changed == {"genome"}
    # Evaluations that were not drawn make every picture old.
    assert evonas("resume", out, "--max-evaluations", 5, "-q", "--format", "json")[0] == 0
    now = {path: path.stat().st_mtime_ns for path in written}
    assert evonas("resume", out, "--max-evaluations", 5, "-q")[2] == ""
    assert all(path.stat().st_mtime_ns > at for path, at in now.items())


def test_the_control_is_in_the_json(evonas: Command, copy: Path) -> None:
    found = parsed(evonas("resume", copy, "-q", "--format", "json"))
    assert found["control"] == parsed(evonas("best", copy / "control", "--format", "json"))
    assert {name: found[name] for name in found if name != "control"} == parsed(
        evonas("best", copy, "--format", "json")
    )


# Campaigns without success


def test_no_candidate_succeeds(evonas: Command, tmp_path: Path) -> None:
    spec, out = written_spec(tmp_path, evaluations=3), tmp_path / "out"
    changes = ("--set", "evaluation.max_parameters=1")
    message = f"{out}: no candidate succeeded; evonas show {out} tells why each failed"
    refused(evonas("run", spec, "--out", out, "-q", *changes), 5, message)
    for verb in (["best"], ["lineage"], ["plot", "genome"], ["resume", "-q"]):
        refused(evonas(*verb, out), 5, message)
    assert parsed(evonas("status", out, "--format", "json"))["failed"] == 3
    assert "TooLargeError: expected at most 1 parameters" in evonas("show", out)[1]
    for row in parsed(evonas("show", out, "--format", "json")):
        assert (row["state"], row["fitness"], row["metrics"]) == ("failed", None, {})
    assert evonas("plot", "progress", out)[0] == 0
    assert evonas("plot", "lineage", out)[0] == 0
    assert evonas("verify", out)[0] == 0


def test_a_bug_of_ours_is_one_line_and_a_traceback_if_asked_for(
    evonas: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise RuntimeError("this is\nbroken")

    monkeypatch.setattr("evonas.campaign.campaign.Loop", broken)
    spec = written_spec(tmp_path)
    assert refused(evonas("run", spec, "--out", tmp_path / "a", "-q"), 1) == "evonas: this is broken\n"
    code, _, err = evonas("run", spec, "--out", tmp_path / "b", "-q", "-v")
    assert code == 1
    assert "Traceback" in err
    assert err.endswith("evonas: this is broken\n")
