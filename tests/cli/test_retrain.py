"""Retraining and lists from the command line."""

from pathlib import Path

import numpy as np
import pytest

from evonas.campaign import Campaign
from tests.campaigns import arrays, record, written_spec
from tests.cli.commands import Command, parsed, refused

# Retraining


QUICK = ("-q", "--set", "training.epochs=1")


def test_retrain_prints_a_table_and_the_same_again(evonas: Command, copy: Path) -> None:
    code, out, err = evonas("retrain", copy, *QUICK)
    best = Campaign.load(copy).best
    assert best is not None
    new = Campaign.load(copy / "retrained" / str(best.id))
    assert (code, err) == (0, "")
    rows = [line.split() for line in out.splitlines()]
    heads = ["id", "validation accuracy", "test accuracy", "parameters", "MACs", "inherited", "epochs", "time"]
    assert rows[0] == " ".join(heads).split()
    tests = [scores["accuracy"] for scores in new.facts["tests"].values()]
    assert [row[:3] for row in rows[1:4]] == [
        [str(one.id), f"{one.metrics['accuracy']:.4f}", f"{test:.4f}"]
        for one, test in zip(new.individuals, tests, strict=True)
    ]
    mean, deviation = np.mean(tests), np.std(tests, ddof=1)
    assert out.splitlines()[4] == f"test accuracy {mean:.4f} ± {deviation:.4f}, repeats: 3"
    before = record(new.individuals)
    again = evonas("retrain", copy, best.id, "--set", "training.epochs=1")
    assert again[:2] == (0, out)
    assert "nothing to do: 3 evaluations are recorded, the budget is 3 evaluations\n" in again[2]
    assert evonas("resume", new.directory, "-q") == (0, out, "")
    assert evonas("best", new.directory)[1].splitlines() == out.splitlines()[:5]
    assert record(Campaign.load(new.directory).individuals) == before
    assert [path.name for path in (copy / "retrained").iterdir()] == [str(best.id)]


def test_retrain_in_json(evonas: Command, copy: Path, tmp_path: Path) -> None:
    options = ("--repeats", 2, "--seed", 5, "--device", "cpu", "--out", tmp_path / "new", "--format", "json")
    found = parsed(evonas("retrain", copy, 9, "--inherit", *QUICK, *options))
    assert parsed(evonas("best", tmp_path / "new", "--format", "json")) == found
    assert [row["id"] for row in found["individuals"]] == [0, 1]
    assert {row["fraction_inherited"] for row in found["individuals"]} == {1.0}
    tests = [row["test_accuracy"] for row in found["individuals"]]
    (genome,) = found["genomes"]
    assert (genome["n"], genome["genome_digest"]) == (2, Campaign.load(copy).individuals[9].genome_digest)
    assert genome["test_accuracy"] == pytest.approx(np.mean(tests))
    assert genome["deviation"] == pytest.approx(np.std(tests, ddof=1))
    assert Campaign.load(tmp_path / "new").spec.seed == 5
    assert parsed(evonas("show", tmp_path / "new", 1, "--format", "json"))["donors"] == [-1]
    for verb in (["show"], ["lineage"], ["status"], ["verify"], ["plot", "lineage"], ["plot", "progress"]):
        assert evonas(*verb, tmp_path / "new")[0] == 0


def test_retrain_on_a_task_of_another_shape(evonas: Command, copy: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "flat.npz", X=arrays()[0].reshape(90, 16), y=arrays()[1])
    flat = ("--set", f"task.path={tmp_path / 'flat.npz'}", "--repeats", 1)
    (row,) = parsed(evonas("retrain", copy, *QUICK, *flat, "--format", "json"))["individuals"]
    assert row["state"] == "complete"
    message = "encoding.operations: expected linear and identity for an input of shape (16,)"
    refused(evonas("retrain", copy, *QUICK, *flat, "--set", 'encoding.operations=["conv"]'), 2, message)


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["10"], 3, "expected an individual from 0 to 9, got 10"),
        (["first"], 2, "'[ID]': Input should be a valid integer"),
        (["0", "--set", "encoding.n=6"], 2, "individual 0: encoding.n: unknown key; known are"),
        (["0", "--set", "training.epoch=6"], 2, "training.epoch: unknown key; did you mean epochs?"),
        (["0", "--set", "training.epochs"], 2, "--set training.epochs: expected NAME=VALUE"),
        (["0", "--set", "task.path=none.npz"], 2, "none.npz: expected an .npz file, found nothing there"),
        (["0", "--repeats", "0"], 2, "search.repeats: input should be greater than or equal to 1, got 0"),
        (["0", "--repeats", "many"], 2, "--repeats"),
        (["0", "--device", "abacus"], 2, "evaluation.device: expected auto, cpu or a device of this machine"),
        (["0", "--out", "/proc/evonas"], 2, "/proc/evonas"),
        (["{forgotten}", "--inherit"], 3, "only the best and possible parents keep theirs; leave out --inherit"),
        (["0", "--out", "{copy}"], 3, "expected the spec it was begun with, got changes in"),
    ],
    ids=str,
)
def test_what_cannot_be_retrained(arguments: list[str], code: int, expected: str, evonas: Command, copy: Path) -> None:
    kept = {path.name.split("-")[0] for path in (copy / "weights").iterdir()}
    known = {"forgotten": next(id for id in range(10) if str(id) not in kept), "copy": copy}
    refused(evonas("retrain", copy, "-q", *(text.format(**known) for text in arguments)), code, expected)
    assert not (copy / "retrained").exists()


def test_nothing_retrained_succeeds(evonas: Command, copy: Path) -> None:
    changes = ("--set", "evaluation.max_parameters=1")
    refused(evonas("retrain", copy, 0, *QUICK, *changes), 5, f"{copy / 'retrained' / '0'}: no candidate succeeded")


def test_a_list_of_several_genomes(evonas: Command, finished: Path, tmp_path: Path) -> None:
    rows = parsed(evonas("show", finished, "--format", "json"))
    sizes = [row["metrics"]["parameters"] for row in rows]
    large, small = sizes.index(max(sizes)), sizes.index(min(sizes))
    for id in (large, small):
        text = parsed(evonas("show", finished, id, "--format", "json"))["genome"]
        (tmp_path / f"{id}.json").write_text(text)
    names = f'["{large}.json", "{small}.json"]'
    spec = written_spec(tmp_path, search="listed", search_fields=f"genomes = {names}\nrepeats = 2")
    spec.write_text(spec.read_text().replace("population = 4\n", "").replace("evaluations = 8", "evaluations = 4"))
    limit = ("--set", f"evaluation.max_parameters={max(sizes) - 1}")
    code, out, err = evonas("run", spec, "--out", tmp_path / "out", "-q", *limit)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split()[1] == "genome"
    assert [line.split()[1] for line in lines[1:5]] == ["0", "1", "0", "1"]
    assert [line.split()[3] == "–" for line in lines[1:5]] == [True, False, True, False]
    assert lines[5].startswith("0: TooLargeError")
    assert lines[7] == "genome 0: test accuracy –, repeats: 0"
    assert lines[8].startswith("genome 1: test accuracy 0.")
    assert lines[8].endswith(", repeats: 2")
