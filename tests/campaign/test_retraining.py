"""An individual trained anew: from scratch or from its weights, on the same task or another, tested once."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from evonas.campaign import Campaign, DamagedError, SpecError, StoreError, retrain
from evonas.campaign.verify import damage
from evonas.evaluation import Inline
from evonas.record import SOURCE
from evonas.tasks import Arrays, Digits
from tests.campaigns import arrays, record

QUICK: dict[str, Any] = {"training.epochs": 1, "training.inherited_epochs": 1}


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))


@pytest.fixture
def best(finished: Path) -> int:
    found = Campaign.load(finished).best
    assert found is not None
    return found.id


@pytest.fixture
def tested(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The weights that were scored on the test data."""
    seen: list[bytes] = []
    measure = Inline.test

    def noted(self: Inline, genome: Any, weights: bytes) -> dict[str, float]:
        scores = measure(self, genome, weights)
        seen.append(weights)
        return scores

    monkeypatch.setattr(Inline, "test", noted)
    return seen


def forgotten(directory: Path) -> int:
    """An individual without weights."""
    found = Campaign.load(directory).individuals
    return next(one.id for one in found if not (directory / "weights" / f"{one.id}-0.safetensors").exists())


# The spec


@pytest.mark.parametrize(
    ("changes", "epochs"), [({"training.epochs": 5}, 5), ({"training.epochs": 5, "training.inherited_epochs": 2}, 2)]
)
def test_epochs_that_are_asked_for_are_given_to_heirs_too(
    changes: dict[str, Any], epochs: int, finished: Path, best: int, tmp_path: Path
) -> None:
    campaign = retrain(finished, best, changes=changes, inherit=True, out=tmp_path / "new")
    assert campaign.spec.training.epochs_of(inherits=True) == epochs


def test_the_spec_is_the_old_one_but_for_what_was_changed(finished: Path, best: int, tmp_path: Path) -> None:
    old = Campaign.load(finished)
    new = retrain(finished, best, changes={"training.epochs": 7}, repeats=4, out=tmp_path / "out").spec
    assert new.training == old.spec.training.model_copy(update={"epochs": 7})
    for field in ("task", "encoding", "evaluation", "objectives", "keep_best"):
        assert getattr(new, field) == getattr(old.spec, field)
    assert new.listed is not None
    assert new.listed.genomes == (old.individuals[best].genome,)
    assert (new.listed.repeats, new.listed.source, new.listed.lag) == (4, None, old.spec.search.lag)
    assert (new.name, new.control, new.budget.evaluations) == (f"small-retrained-{best}", "none", 4)
    assert not (tmp_path / "out").exists(), "nothing is written before it runs"


def test_the_seed_follows_from_the_old_one_and_the_individual(finished: Path, tmp_path: Path) -> None:
    seeds = [retrain(finished, id, out=tmp_path).spec.seed for id in (0, 0, 1)]
    assert seeds[0] == seeds[1] != seeds[2]
    assert Campaign.load(finished).spec.seed not in seeds
    assert retrain(finished, 0, seed=9, out=tmp_path).spec.seed == 9


def test_a_draw_for_which_it_was_selected_is_not_made_again(finished: Path, tmp_path: Path) -> None:
    found = Campaign.load(finished)
    assert found.individuals[0].donors == ()
    new = retrain(finished, 0, out=tmp_path / "new", repeats=2).run().individuals
    same = retrain(finished, 0, out=tmp_path / "same", repeats=1, seed=found.spec.seed).run().individuals
    assert same[0].curve == found.individuals[0].curve, "the same seed makes the same draws"
    curves = [one.curve for one in (*new, found.individuals[0])]
    assert all(a != b for at, a in enumerate(curves) for b in curves[:at])


def test_a_change_of_the_task_begins_anew(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = {"task.split_seed": 4}
    assert retrain(finished, 0, changes=changed, out=tmp_path / "a").spec.task.split_seed == 4
    digits = retrain(finished, 0, changes={"task.name": "digits"}, out=tmp_path / "a").spec
    assert digits.task == Digits()
    assert digits.encoding.input_shape == (1, 8, 8)
    monkeypatch.chdir(tmp_path)
    np.savez("other.npz", X=np.ones((30, 5)) + np.arange(30)[:, None], y=np.arange(30) % 2)
    other = retrain(finished, 0, changes={"task.path": "other.npz"}, out=tmp_path / "a").spec
    assert other.task == Arrays(path=str(tmp_path / "other.npz"))
    assert other.encoding.input_shape == (5,)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"training.epoch": 1}, "training.epoch: unknown key; did you mean epochs"),
        ({"encoding.n": 6}, "encoding.n: unknown key"),
        ({"encoding.name": "net"}, "encoding.name: "),
        ({"search.repeats": 0}, "search.repeats: input should be greater than or equal to 1"),
        ({"seed": -1}, "seed: input should be greater than or equal to 0"),
        ({"name.first": 1}, "--set name.first: expected name to be a table"),
        ({"task.name": "digit"}, "task.name: expected one of digits"),
    ],
    ids=str,
)
def test_a_wrong_change_is_one_line(changes: dict[str, Any], expected: str, finished: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        retrain(finished, 0, changes=changes, out=tmp_path / "out")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_an_encoding_that_cannot_live_on_the_task_is_refused(finished: Path, tmp_path: Path) -> None:
    path = tmp_path / "flat.npz"
    np.savez(path, X=arrays()[0].reshape(90, 16), y=arrays()[1])
    changes = {"task.path": str(path), "encoding.operations": ["conv", "max_pool"]}
    with pytest.raises(SpecError, match=r"encoding.operations: expected linear and identity for an input of shape"):
        retrain(finished, 0, changes=changes, out=tmp_path / "out")


def test_a_genome_that_cannot_live_on_the_task_is_refused(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    developed = Campaign.load(finished).spec.encoding.develop
    monkeypatch.setattr("genomes.dag.encoding.Dag.develop", lambda self, genome: developed(genome))
    np.savez(tmp_path / "flat.npz", X=arrays()[0].reshape(90, 16), y=arrays()[1])
    spatial = next(
        one.id
        for one in Campaign.load(finished).individuals
        if any(node.operation not in ("linear", "identity") for node in _nodes(finished, one.id))
    )
    with pytest.raises(SpecError, match=r"search.genomes.0: node .* expected an input \(C, H, W\), got \(16,\)"):
        retrain(finished, spatial, changes={"task.path": str(tmp_path / "flat.npz")}, out=tmp_path / "out")


def _nodes(directory: Path, id: int) -> Any:
    campaign = Campaign.load(directory)
    return campaign.phenotype(campaign.individuals[id]).nodes[1:-1]


def test_an_individual_that_is_none_is_refused(finished: Path) -> None:
    for id in (-1, 10):
        with pytest.raises(StoreError, match=rf"expected an individual from 0 to 9, got {id}"):
            retrain(finished, id)


# Final numbers


def test_each_is_tested_once_when_all_are_trained(
    finished: Path, best: int, tmp_path: Path, tested: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, seen = tmp_path / "out", []
    measure = Inline.test

    def looked(self: Inline, genome: Any, weights: bytes) -> dict[str, float]:
        seen.append({one.state for one in Campaign.load(out).individuals})
        return measure(self, genome, weights)

    monkeypatch.setattr(Inline, "test", looked)
    for _ in range(3):
        found = retrain(finished, best, changes=QUICK, out=out).run()
    assert len(tested) == len(set(tested)) == 3
    assert seen == [{"complete"}] * 3
    facts = found.facts
    assert set(facts["tests"]) == {"0", "1", "2"}
    assert all(set(scores) == {"accuracy", "loss"} for scores in facts["tests"].values())
    assert found.best is not None
    assert facts["tested"] == {"id": found.best.id, **facts["tests"][str(found.best.id)]}
    assert [(out / "weights" / f"{id}-0.safetensors").read_bytes() for id in range(3)] == tested


def test_a_list_that_its_budget_cut_short_is_not_tested(
    finished: Path, best: int, tmp_path: Path, tested: list[bytes]
) -> None:
    cut = {**QUICK, "budget.evaluations": 2}
    found = retrain(finished, best, changes=cut, out=tmp_path / "out").run()
    assert len(found.individuals) == 2
    assert not {"tests", "tested"} & set(found.facts)
    assert tested == []
    found = retrain(finished, best, changes=QUICK, out=tmp_path / "out").run()
    assert len(found.facts["tests"]) == len(tested) == 3


def test_a_failed_candidate_is_not_tested(finished: Path, tmp_path: Path) -> None:
    genomes = [one.genome for one in Campaign.load(finished).individuals[:3]]
    sizes = [one.metrics["parameters"] for one in Campaign.load(finished).individuals[:3]]
    changes = {**QUICK, "search.genomes": genomes, "evaluation.max_parameters": int(sorted(sizes)[1])}
    found = retrain(finished, 0, changes=changes, repeats=2, out=tmp_path).run()
    failed = {one.id for one in found.individuals if one.state == "failed"}
    assert failed == {id for id in range(6) if sizes[id % 3] == max(sizes)}
    assert set(found.facts["tests"]) == {str(id) for id in range(6) if id not in failed}


# Stopped and resumed


def stopped(n: int) -> Callable[[], None]:
    """A check that interrupts at its n-th call."""
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls == n:
            raise KeyboardInterrupt

    return check


@pytest.mark.parametrize("inherit", [False, True])
def test_interrupted_anywhere_and_resumed_equals_never_stopped(
    inherit: bool, finished: Path, best: int, tmp_path: Path, tested: list[bytes]
) -> None:
    calls: list[int] = []
    whole = retrain(finished, best, changes=QUICK, inherit=inherit, out=tmp_path / "whole")
    whole.run(check=lambda: calls.append(1))
    for n in range(1, len(calls) + 1):
        out = tmp_path / str(n)
        tested.clear()
        with pytest.raises(KeyboardInterrupt):
            retrain(finished, best, changes=QUICK, inherit=inherit, out=out).run(check=stopped(n))
        assert damage(out) == []
        found = Campaign.load(out).run()
        assert record(found.individuals) == record(whole.individuals)
        assert (found.facts["tests"], found.facts["tested"]) == (whole.facts["tests"], whole.facts["tested"])
        assert len(tested) == len(set(tested)) == 3
    assert len(calls) > 5


# Inherited weights


def test_it_begins_with_the_weights_that_were_found(finished: Path, best: int, tmp_path: Path) -> None:
    still = {"training.learning_rate": 1e-30, "training.weight_decay": 0.0, "training.inherited_epochs": 2}
    found = retrain(finished, best, changes=still, inherit=True, out=tmp_path).run()
    theirs = Campaign.load(finished).network(best).network.state_dict()
    accuracy = Campaign.load(finished).individuals[best].metrics["accuracy"]
    for one in found.individuals:
        assert (one.donors, one.parents, one.epochs, one.fraction_inherited) == ((SOURCE,), (), 2, 1.0)
        assert set(one.origins.values()) == {SOURCE}
        assert one.metrics["accuracy_at_birth"] == accuracy
        for name, tensor in found.network(one.id).network.state_dict().items():
            if not name.endswith(("mean", "variance")):
                assert torch.equal(tensor, theirs[name])


def test_a_campaign_that_inherited_nothing_leaves_weights_as_well(tmp_path: Path) -> None:
    fields: dict[str, Any] = {"training": {"epochs": 1, "inherit": False}, "budget": {"evaluations": 1}}
    Campaign(arrays(), {"name": "dag", "widths": [4]}, **fields).run(tmp_path)
    found = retrain(tmp_path, 0, changes=QUICK, inherit=True, repeats=1).run()
    assert found.individuals[0].fraction_inherited == 1.0


def test_without_inheriting_it_begins_from_scratch(finished: Path, best: int, tmp_path: Path) -> None:
    changes = {"training.epochs": 1, "training.inherited_epochs": 3}
    for one in retrain(finished, best, changes=changes, repeats=2, out=tmp_path).run().individuals:
        assert (one.donors, one.epochs, one.fraction_inherited) == ((), 1, 0.0)
        assert "accuracy_at_birth" not in one.metrics
        assert set(one.origins.values()) == {one.id}
    assert not (tmp_path / "source.json").exists()


@pytest.mark.parametrize("kind", ["digits", "vectors", "three channels"])
def test_weights_go_to_another_task(kind: str, finished: Path, best: int, tmp_path: Path) -> None:
    X, y = arrays()
    path = str(tmp_path / "other.npz")
    inputs = {"vectors": X.reshape(90, 16), "three channels": np.stack([X, -X, X**2], 1)}.get(kind, X)
    np.savez(path, X=inputs, y=y % 2)
    changes = {"task.name": "digits"} if kind == "digits" else {"task.path": path}
    found = retrain(finished, best, changes={**QUICK, **changes}, inherit=True, repeats=2, out=tmp_path / "out").run()
    for one in found.individuals:
        assert one.state == "complete", one.error
        assert SOURCE in one.origins.values()
        assert 0 < one.fraction_inherited <= 1
    assert damage(tmp_path / "out") == []


def test_it_needs_nothing_of_the_campaign_that_found_it(copy: Path, best: int, tmp_path: Path) -> None:
    out = tmp_path / "out"
    whole = retrain(copy, best, changes=QUICK, inherit=True, out=tmp_path / "whole").run()
    with pytest.raises(KeyboardInterrupt):
        retrain(copy, best, changes=QUICK, inherit=True, out=out).run(check=stopped(2))
    shutil.rmtree(copy)
    assert record(Campaign.load(out).run().individuals) == record(whole.individuals)
    described = json.loads((out / "source.json").read_text())
    assert (described["campaign"], described["individual"]) == ("small", best)
    assert (described["input_shape"], described["n_outputs"]) == ([1, 4, 4], 3)
    assert safetensors.torch.load((out / "source.safetensors").read_bytes())


@pytest.mark.parametrize("name", ["source.json", "source.safetensors"])
@pytest.mark.parametrize("change", ["gone", "changed"])
def test_a_source_that_is_damaged_is_found(name: str, change: str, finished: Path, best: int, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        retrain(finished, best, changes=QUICK, inherit=True, out=tmp_path).run(check=stopped(2))
    path = tmp_path / name
    sound = path.read_bytes()
    path.unlink() if change == "gone" else path.write_bytes(sound.replace(sound[-9:], bytes(9)))
    found = {
        "gone": "the network that candidates begin with, found none",
        "changed": "the recorded content, got another",
    }
    expected = found[change]
    (line,) = damage(tmp_path)
    assert line == f"{path}: expected {expected}; put back a copy"
    with pytest.raises(DamagedError, match=expected):
        Campaign.load(tmp_path).run()
    path.write_bytes(sound)
    assert len(Campaign.load(tmp_path).run().facts["tests"]) == 3
    path.unlink()
    assert len(Campaign.load(tmp_path).run().facts["tests"]) == 3, "a finished one needs it no more"


def test_weights_that_were_not_kept_cannot_be_inherited(copy: Path, best: int) -> None:
    id = forgotten(copy)
    with pytest.raises(StoreError) as caught:
        retrain(copy, id, inherit=True)
    assert f"expected the weights of individual {id}, found none: only the best and possible parents" in str(
        caught.value
    )
    assert "leave out --inherit" in str(caught.value)
    assert not (copy / "retrained").exists()
    (copy / "weights" / f"{best}-0.safetensors").write_bytes(b"")
    with pytest.raises(DamagedError, match="expected the recorded content"):
        retrain(copy, best, inherit=True)


# Where it is


def test_each_spec_has_a_directory_of_its_own(copy: Path, best: int) -> None:
    base = copy / "retrained"
    first = retrain(copy, best, changes=QUICK, repeats=1).run()
    assert first.directory == base / str(best)
    again = retrain(copy, best, changes=QUICK, repeats=1)
    assert again.directory == first.directory
    assert again.run().individuals == first.individuals
    other = {**QUICK, "training.batch_size": 16}
    assert retrain(copy, best, changes=other, repeats=1).run().directory == base / f"{best}-2"
    assert retrain(copy, best, changes=QUICK, repeats=1, inherit=True).directory == base / f"{best}-3"
    assert retrain(copy, best, changes=other, repeats=1).directory == base / f"{best}-2"
    assert retrain(copy, best, changes=QUICK, repeats=1).directory == base / str(best)
    assert retrain(copy, 0, changes=QUICK, repeats=1).directory == base / "0" if best else True


def test_a_directory_that_holds_another_campaign_is_left_as_it_is(copy: Path, best: int) -> None:
    before = {path.name for path in copy.iterdir()}
    with pytest.raises(StoreError, match=r"expected the spec it was begun with, got changes in .*search"):
        retrain(copy, best, inherit=True, out=copy).run()
    assert {path.name for path in copy.iterdir() if "sqlite-" not in path.name} <= before
    assert damage(copy) == []


def test_a_retrained_one_is_retrained_again(copy: Path, best: int) -> None:
    first = retrain(copy, best, changes=QUICK, repeats=2, inherit=True).run()
    second = retrain(first.directory, 1, changes=QUICK, repeats=1, inherit=True).run()
    assert second.directory == first.directory / "retrained" / "1"
    assert second.individuals[0].fraction_inherited == 1.0
    third = retrain(first.directory, 1, changes=QUICK, repeats=1)
    assert third.spec.listed is not None
    assert third.spec.listed.source is None
