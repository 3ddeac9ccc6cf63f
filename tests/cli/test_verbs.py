"""Every verb of the command line."""

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from evonas.campaign import Campaign, Store
from evonas.record import Individual
from tests.campaigns import record, written_spec
from tests.cli.commands import Command, parsed, refused

# Imports


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--no-such-option"], []], ids=str)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    by_typer = {"pydantic"} if "run" in arguments else set()
    code = (
        "import sys\nfrom evonas.cli import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'numpy', 'pydantic', 'deap', 'matplotlib', 'networkx', 'sklearn', 'scipy', 'genomes'}\n"
        f"sys.exit(','.join(sorted((heavy - {by_typer}) & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_help_names_every_verb(evonas: Command) -> None:
    code, out, err = evonas("--help")
    assert (code, err) == (0, "")
    for verb in [
        "init",
        "run",
        "resume",
        "retrain",
        "status",
        "list",
        "show",
        "best",
        "lineage",
        "plot",
        "compare",
        "verify",
        "doctor",
    ]:
        assert f"  {verb} " in out


# Every verb


def test_run_and_resume_end_with_what_they_found(evonas: Command, tmp_path: Path) -> None:
    spec, out = written_spec(tmp_path), tmp_path / "out"
    code, text, progress = evonas("run", spec, "--out", out, "--max-evaluations", 3)
    assert code == 0
    assert "small: 3 evaluations" in progress
    assert "evolution" in text.splitlines()[1]
    for kind in ("genome", "progress", "lineage"):
        assert f"{kind}.png" in text
        assert (out / "figures" / f"{kind}.svg").stat().st_size > 1000
    assert {path.stem for path in (out / "figures").iterdir()} == {"genome", "progress", "lineage"}
    assert len(Campaign.load(out).individuals) == 3
    found = parsed(evonas("resume", out, "--max-evaluations", 5, "-q", "--format", "json"))
    assert found["id"] in range(5)
    assert parsed(evonas("run", spec, "--out", out, "--max-evaluations", 5, "-q", "--format", "json")) == found
    assert parsed(evonas("best", out, "--format", "json")) == found
    whole = Campaign.of(Campaign.load(out).spec).run(tmp_path / "whole")
    assert record(whole.individuals) == record(Campaign.load(out).individuals)


def test_run_takes_changes(evonas: Command, tmp_path: Path) -> None:
    spec, out = written_spec(tmp_path), tmp_path / "out"
    changes = ("--set", "search.name=random", "--set", "budget.evaluations=9", "--set", "encoding.widths=[4, 16]")
    changes = (*changes, "--set", "search.population=1")
    refused(evonas("run", spec, "--out", out, *changes), 2, "search.population: unknown key; known are lag, name")
    changes = ("--set", "training.epochs=1", "--set", "encoding.widths=[4, 16]")
    result = evonas("run", spec, "--out", out, "--seed", 8, "--device", "cpu", "--max-evaluations", 2, "-q", *changes)
    assert (result[0], result[2]) == (0, "")
    found = Campaign.load(out).spec
    assert (found.seed, found.training.epochs, found.encoding.widths) == (8, 1, (4, 16))
    assert (found.evaluation.device, found.budget.evaluations) == ("cpu", 2)


def test_run_without_a_directory_goes_to_one_named_after_it(
    evonas: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written_spec(tmp_path)
    assert evonas("run", "spec.toml", "--max-evaluations", 1, "-q")[0] == 0
    assert (tmp_path / "runs" / "out" / "small" / "campaign.sqlite").exists()
    (row,) = parsed(evonas("list", "--format", "json"))
    assert row["directory"] == "runs/out/small"


def test_two_specs_without_a_name_are_two_campaigns(
    evonas: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("a", "b")):
        (tmp_path / f"{name}.toml").write_text(
            f'seed = {seed}\nsearch = "random"\ntask = "xor"\nencoding = "neat"\nbudget = {{ evaluations = 2 }}'
        )
        assert evonas("run", f"{name}.toml", "-q")[0] == 0
    assert [path.name for path in sorted((tmp_path / "runs" / "out").iterdir())] == ["a", "b"]


def test_status(evonas: Command, finished: Path) -> None:
    found = parsed(evonas("status", finished, "--format", "json"))
    assert {**found, "seconds": 0, "best": 0, "best_fitness": 0} == {
        "name": "small",
        "state": "finished",
        "evaluations": 10,
        "failed": 0,
        "epochs": sum(one.epochs for one in Campaign.load(finished).individuals),
        "budget": "10 evaluations",
        "best": 0,
        "best_fitness": 0,
        "seconds": 0,
        "timed": False,
    }
    assert "state         finished" in evonas("status", finished)[1]


def test_status_of_a_campaign_that_runs_or_was_stopped(evonas: Command, copy: Path) -> None:
    with sqlite3.connect(copy / "campaign.sqlite") as connection:
        connection.execute("DELETE FROM told WHERE id > 6")
    connection.close()
    assert parsed(evonas("status", copy, "--format", "json"))["state"] == "stopped"
    store = Store.open(copy, write=True)
    found = parsed(evonas("status", copy, "--format", "json"))
    store.close()
    assert (found["state"], found["evaluations"]) == ("running", 7)


def test_list(evonas: Command, finished: Path) -> None:
    (row,) = parsed(evonas("list", finished.parent, "--format", "json"))
    assert row == {"directory": str(finished), **parsed(evonas("status", finished, "--format", "json"))}
    assert str(finished) in evonas("list", finished.parent)[1]
    assert parsed(evonas("list", finished / "weights", "--format", "json")) == []


SHOWN = [
    "id",
    "state",
    "parents",
    "operator",
    "digest",
    "genome_digest",
    "generation",
    "metrics",
    "fraction_inherited",
    "seconds",
    "epochs",
]


def test_show(evonas: Command, finished: Path) -> None:
    individuals = Campaign.load(finished).individuals
    rows = parsed(evonas("show", finished, "--format", "json"))
    assert [row["id"] for row in rows] == list(range(10))
    assert all(set(SHOWN) <= set(row) for row in rows)
    assert [row["genome_digest"] for row in rows] == [one.genome_digest for one in individuals]
    for one in individuals:
        row = parsed(evonas("show", finished, one.id, "--format", "json"))
        assert set(SHOWN) < set(row)
        assert row["metrics"] == one.metrics
        assert json.loads(row["genome"]) == json.loads(one.genome)
        if one.donors:
            assert row["parent_accuracy"] == individuals[one.donors[0]].metrics["accuracy"]
    lines = evonas("show", finished)[1].splitlines()
    assert len(lines) == 11
    assert "sample" in lines[1]
    names = [line.split()[0] for line in evonas("show", finished, 4)[1].splitlines()]
    assert not {"genome", "curve", "origins", "metrics"} & set(names)
    assert {"genome_digest", "metrics.accuracy", "metrics.parameters"} <= set(names)
    assert "{" not in evonas("show", finished, 4)[1]
    digest = next(line for line in evonas("show", finished, 4)[1].splitlines() if line.startswith("genome_digest "))
    assert digest.split()[1] == individuals[4].genome_digest


BEST = ["id", "fitness", "validation_accuracy", "test_accuracy", "parameters", "macs", "operator", "parents", "digest"]


def test_best(evonas: Command, finished: Path) -> None:
    campaign = Campaign.load(finished)
    found = parsed(evonas("best", finished, "--format", "json"))
    assert set(BEST) <= set(found)
    best = max(campaign.individuals, key=lambda one: (one.fitness, -one.metrics["loss"], -one.id))
    assert found["id"] == best.id
    assert found["validation_accuracy"] == found["fitness"] == best.metrics["accuracy"]
    assert found["test_accuracy"] == campaign.facts["tested"]["accuracy"]
    assert (found["parameters"], found["macs"]) == (best.metrics["parameters"], best.metrics["macs"])
    assert type(found["parameters"]) is int
    assert f"digest               {best.digest}" in evonas("best", finished)[1]


def test_best_without_a_test_says_so(evonas: Command, copy: Path) -> None:
    store = Store.open(copy, write=True)
    store.set_fact("tested", {"id": 99, "accuracy": 0.5})
    store.close()
    assert parsed(evonas("best", copy, "--format", "json"))["test_accuracy"] is None


def test_lineage(evonas: Command, finished: Path) -> None:
    rows = parsed(evonas("lineage", finished, 9, "--format", "json"))
    ids = [row["id"] for row in rows]
    assert ids == sorted(ids)
    assert ids[-1] == 9
    assert {parent for row in rows for parent in row["parents"]} == set(ids) - {9}
    assert not rows[0]["parents"]
    best = parsed(evonas("best", finished, "--format", "json"))["id"]
    assert parsed(evonas("lineage", finished, "--format", "json"))[-1]["id"] == best
    assert len(evonas("lineage", finished, 9)[1].splitlines()) == len(rows) + 1


@pytest.mark.parametrize("kind", ["genome", "progress", "lineage", "ancestry", "genealogy"])
def test_plot(kind: str, evonas: Command, copy: Path, tmp_path: Path) -> None:
    shutil.rmtree(copy / "figures", ignore_errors=True)
    code, out, err = evonas("plot", kind, copy)
    assert (code, err) == (0, "")
    assert out.splitlines() == [str(copy / "figures" / f"{kind}.{ending}") for ending in ("png", "svg")]
    path = tmp_path / "new" / "a.svg"
    assert evonas("plot", kind, copy, 9, "-o", path)[0] == 0
    assert b"<svg" in path.read_bytes()


def test_plot_over_what_was_spent(evonas: Command, finished: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    assert evonas("plot", "progress", finished, "--axis", "seconds", "-o", path)[0] == 0
    assert path.read_bytes().startswith(b"%PDF")
    refused(evonas("plot", "lineage", finished, "--axis", "epochs"), 2, "--axis: expected none for lineage, got epochs")
    refused(evonas("plot", "progress", finished, "--axis", "hours"), 2, "hours")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("cell", "expected an encoding of cells to draw, got dag; plot genome"),
        ("stack", "expected an encoding that stacks cells, got dag; plot genome"),
        ("front", "expected two objectives to draw a front of, got accuracy; run a campaign with another"),
    ],
)
def test_a_picture_that_a_campaign_does_not_have(kind: str, expected: str, evonas: Command, finished: Path) -> None:
    refused(evonas("plot", kind, finished), 2, expected, str(finished))


def test_verify(evonas: Command, copy: Path) -> None:
    assert evonas("verify", copy) == (0, f"{copy}: nothing is damaged\n", "")
    path = next((copy / "weights").iterdir())
    path.write_bytes(b"")
    assert evonas("verify", copy) == (4, "", f"{path}: expected the recorded content, got another\n")


def test_doctor(evonas: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = parsed(evonas("doctor", "--format", "json"))
    assert found["cores"] >= 1
    assert {"torch", "numpy", "device"} <= set(found)
    assert list(tmp_path.iterdir()) == []


def test_compare(evonas: Command, finished: Path, tmp_path: Path) -> None:
    code, out, err = evonas("compare", finished, finished / "control", "-o", tmp_path / "new" / "a.svg")
    assert (code, err) == (0, "")
    assert [line.split()[:3] for line in out.splitlines()[1:3]] == [
        ["small", "evolution", "dag"],
        ["small-control", "random", "dag"],
    ]
    assert out.splitlines()[-1] == str(tmp_path / "new" / "a.svg")
    assert b"<svg" in (tmp_path / "new" / "a.svg").read_bytes()
    rows = parsed(evonas("compare", finished, finished / "control", finished, "--format", "json"))
    assert [row["directory"] for row in rows] == [str(finished), str(finished / "control")]
    assert rows[0]["validation_accuracy"] == Campaign.load(finished).best.metrics["accuracy"]  # type: ignore[union-attr]
    refused(evonas("compare", finished, tmp_path / "nothing"), 3, "nothing")
    refused(evonas("compare", finished, "-o", tmp_path / "a.gif"), 2, ".gif")


def test_compare_refuses_other_objectives(evonas: Command, finished: Path, tmp_path: Path) -> None:
    spec, out = written_spec(tmp_path, evaluations=2, more='[objectives]\nminimize = ["loss"]\n'), tmp_path / "out"
    assert evonas("run", spec, "--out", out, "-q")[0] == 0
    refused(evonas("compare", finished, out), 2, f"{out} beside {finished}: expected the objective accuracy, got −loss")


def test_the_version_is_printed(evonas: Command) -> None:
    from evonas import __version__

    assert evonas("--version") == (0, f"evonas {__version__}\n", "")


def test_one_individual_is_shown_without_reading_the_others(
    evonas: Command, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = evonas("show", finished, 9)

    def all_read(store: Store) -> list[Individual]:
        raise AssertionError("every individual was read")

    monkeypatch.setattr(Store, "individuals", all_read)
    assert evonas("show", finished, 9) == expected
    assert expected[0] == 0


def test_the_newest_are_shown(evonas: Command, finished: Path) -> None:
    whole, newest = (evonas("show", finished, *more)[1].splitlines() for more in ([], ["--last", 3]))
    assert [line.split()[0] for line in newest] == ["id", "7", "8", "9"]
    assert newest[-1].split() == whole[-1].split(), "a parent that is not shown is known"
    rows = parsed(evonas("show", finished, "--last", 2, "--format", "json"))
    assert rows == parsed(evonas("show", finished, "--format", "json"))[-2:]
    assert len(parsed(evonas("show", finished, "--last", 99, "--format", "json"))) == 10
    refused(evonas("show", finished, 4, "--last", 3), 2, "--last: expected none beside the ID 4, got 3; leave one out")
    refused(evonas("show", finished, "--last", 0), 2, "--last")


def test_what_one_inherited_stands_beside_its_donor(evonas: Command, copy: Path) -> None:
    individuals = Campaign.load(copy).individuals
    one = next(one for one in individuals if one.parents and one.parents[0] > 0)
    scores = [other.metrics["accuracy"] for other in individuals]
    donor = next(at for at, score in enumerate(scores) if score != scores[one.parents[0]])
    with sqlite3.connect(copy / "campaign.sqlite") as connection:
        connection.execute("UPDATE proposed SET donors = ? WHERE id = ?", (f"[{donor}]", one.id))
    connection.close()
    row = parsed(evonas("show", copy, one.id, "--format", "json"))
    assert row["parent_accuracy"] == scores[donor]


def test_it_is_a_module_as_well() -> None:
    done = subprocess.run([sys.executable, "-m", "evonas", "--version"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("evonas ")


def test_showing_draws_nothing(finished: Path) -> None:
    code = (
        f"import sys\nfrom evonas.cli import main\ntry: main(['show', {str(finished)!r}, '--last', '1'])\n"
        "except SystemExit: pass\nsys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
