"""Campaigns on text: every search, killed and resumed, retrained; and what does not fit is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from evonas.analysis.summary import best_fields
from evonas.campaign import Campaign, SpecError
from evonas.campaign.retraining import retrain
from evonas.campaign.verify import damage
from evonas.export.portable import load, packed
from evonas.tasks.text import encoded
from genomes import Recurrent, RecurrentGenome
from tests.campaigns import record
from tests.cli.commands import Command, parsed, refused
from tests.cli.conftest import evonas  # noqa: F401

SEARCHES: dict[str, dict[str, Any]] = {
    "evolution": {"population": 4, "crossover": 0.5},
    "ageing": {"population": 4, "sample_size": 2},
    "random": {},
    "controller": {"batch": 4},
}


def campaign(directory: Path, search: str = "evolution", **fields: Any) -> Campaign:
    path = directory / "a.txt"
    path.write_text("so it goes, and so it went; " * 40)
    known: dict[str, Any] = {
        "task": {"path": str(path)},
        "encoding": {"name": "recurrent", "base": 3, "widths": [3, 5]},
        "search": {"name": search, **SEARCHES[search]},
        "training": {"epochs": 1, "batch_size": 8, "window": 16, "optimizer": "adamw"},
        "budget": {"evaluations": 8},
    }
    return Campaign(**{**known, **fields})


class StopError(BaseException):
    """An interruption, as a signal makes one."""


def stopping(after: int) -> Callable[[], None]:
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls > after:
            raise StopError

    return check


@pytest.mark.parametrize("search", SEARCHES)
def test_a_campaign_that_is_stopped_ends_as_one_that_is_not(search: str, tmp_path: Path) -> None:
    whole = campaign(tmp_path, search).run(tmp_path / "whole")
    stopped = campaign(tmp_path, search)
    for after in (7, 23):
        with pytest.raises(StopError):
            stopped.run(tmp_path / "stopped", check=stopping(after))
    stopped.run(tmp_path / "stopped")
    assert record(stopped.individuals) == record(whole.individuals)
    assert stopped.facts["tested"] == whole.facts["tested"]
    assert (whole.facts["kind"], whole.facts["n_outputs"]) == ("language", 14)
    assert damage(whole.directory) == []
    fields = best_fields(whole)
    assert fields is not None
    best = min(one.metrics["bits_per_character"] for one in whole.individuals if one.metrics)
    assert (fields["validation_bits_per_character"], fields["fitness"]) == (best, -best)
    assert 0 < fields["test_bits_per_character"] < 8


def test_children_begin_where_their_parents_ended(tmp_path: Path) -> None:
    found = campaign(tmp_path, "ageing", budget={"evaluations": 14}).run(tmp_path / "out")
    known = {one.id: one for one in found.individuals}
    gains = []
    for one in found.individuals:
        if one.operator == "change_index" or not one.parents or not one.metrics:
            continue
        assert one.fraction_inherited > 0
        parent = known[one.parents[0]]
        if one.fraction_inherited == 1.0 and parent.metrics:
            gains.append(one.metrics["bits_per_character_at_birth"] - parent.metrics["bits_per_character"])
    assert gains
    assert min(gains) < 0.3


def test_cells_of_the_field_by_name_and_retraining(tmp_path: Path) -> None:
    spec = campaign(tmp_path, budget={"evaluations": 3}).spec
    fields = spec.model_dump(exclude_none=True) | {"search": {"name": "listed", "genomes": ["lstm", "gru", "tanh"]}}
    listed = Campaign(**fields)
    listed.run(tmp_path / "out")
    genomes = [listed.genome(one) for one in listed.individuals]
    assert genomes == [RecurrentGenome(name, (64,)) for name in ("lstm", "gru", "tanh")]
    assert set(listed.facts["tests"]) == {"0", "1", "2"}
    again = retrain(
        listed.directory, 1, changes={"training.epochs": 2}, repeats=2, out=tmp_path / "again", inherit=True
    )
    again.run(tmp_path / "again")
    assert [one.fraction_inherited for one in again.individuals] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("task", "encoding", "expected"),
    [
        ("text", "dag", "encoding.name: dag expected examples without an order, got a text, text; use recurrent"),
        ("text", "cell", "encoding.name: cell expected examples"),
        ("digits", "recurrent", "encoding.name: recurrent expected a text, got digits (classification); use dag"),
    ],
)
def test_what_does_not_fit_is_refused(task: str, encoding: str, expected: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as refusal:
        Campaign(task, encoding).run(tmp_path / "out")
    assert expected in str(refusal.value)
    assert not (tmp_path / "out").exists()


SPEC = """\
name = "words"
[task]
path = "a.txt"
[encoding]
name = "recurrent"
base = 2
widths = [4]
[search]
population = 2
[training]
epochs = 1
batch_size = 8
[budget]
evaluations = 3
"""


def test_on_the_command_line(evonas: Command, tmp_path: Path) -> None:  # noqa: F811
    path = tmp_path / "a.toml"
    path.write_text(SPEC)
    (tmp_path / "a.txt").write_text("so it goes, and so it went; " * 40)
    out = tmp_path / "out"
    assert evonas("run", path, "--out", out, "-q")[0] == 0
    assert "test_bits_per_character" in parsed(evonas("best", out, "--format", "json"))
    shown = parsed(evonas("show", out, "0", "--format", "json"))
    assert json.loads(json.dumps(shown["genome"] if isinstance(shown["genome"], dict) else json.loads(shown["genome"])))
    for kind in ("genome", "progress", "lineage"):
        assert evonas("plot", kind, out)[0] == 0
    assert evonas("verify", out)[0] == 0
    for kind in ("dot", "graphml", "weights"):
        assert evonas("export", kind, out, "0")[0] == 0
    for kind in ("onnx", "pt2"):
        refused(
            evonas("export", kind, out, "0"), 2, "expected a network without a state, got one that goes step by step"
        )
    refused(evonas("run", path, "--out", tmp_path / "b", "--set", "encoding.name=dag", "--set", "encoding.base=2"), 2)
    (tmp_path / "a.txt").write_bytes(b"\0" * 50)
    refused(evonas("run", path, "--out", tmp_path / "b"), 2, "a.txt: expected text in UTF-8, got binary data")
    assert not (tmp_path / "b").exists()


def test_a_trained_network_reads_symbols_and_goes_on_where_it_was(tmp_path: Path) -> None:
    found = campaign(tmp_path, "random", budget={"evaluations": 1}).run(tmp_path / "out")
    network = found.network(0)
    (tmp_path / "0.safetensors").write_bytes(packed(found, found.individuals[0]))
    symbols = torch.from_numpy(encoded("so it goes, and", network.classes))[None]
    with torch.no_grad():
        whole = network(symbols)
        assert torch.equal(load(tmp_path / "0.safetensors")(symbols), whole)
        before, states = network.step(symbols[:, :4])
        after, _ = network.step(symbols[:, 4:], states)
    torch.testing.assert_close(torch.cat([before, after], 1), whole)
    assert whole.shape == (1, 15, 14)
    assert network.predict(symbols).tolist() == [[network.classes[code] for code in whole[0].argmax(-1)]]


def test_an_architecture_of_a_wrong_place_is_refused_by_name() -> None:
    phenotype = Recurrent().develop(RecurrentGenome("gru", (4,)))
    with pytest.raises(ValueError, match=r"node layer-0 \(recur\): expected time steps of shape \(features,\)"):
        phenotype.layout((3, 8, 8), 5)
