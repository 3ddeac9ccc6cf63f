"""A campaign with training: equal results, failures, the test split, a user's own arrays."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from evonas.campaign import Campaign, SpecError, StoreError
from evonas.tasks import Arrays, DataError, Task, from_arrays
from evonas.training import Examples, Training, score
from tests.campaigns import arrays, record

FIELDS: dict[str, Any] = {
    "encoding": {"name": "dag", "widths": [4, 8], "max_sampled": 3, "max_nodes": 5},
    "search": {"name": "ageing", "population": 3, "sample_size": 2, "lag": 2},
    "training": {"epochs": 2, "inherited_epochs": 1, "batch_size": 32},
}


def campaign(n: int = 8, task: Any = None, **fields: Any) -> Campaign:
    return Campaign(arrays() if task is None else task, budget={"evaluations": n}, **{**FIELDS, **fields})


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """A finished campaign on arrays; read only."""
    return campaign(9).run(tmp_path_factory.mktemp("whole") / "out")


# Equal results


def test_the_same_spec_and_seed_give_the_same_individuals(whole: Campaign, tmp_path: Path) -> None:
    assert record(campaign(9).run(tmp_path).individuals) == record(whole.individuals)


def test_another_seed_gives_others(whole: Campaign, tmp_path: Path) -> None:
    other = record(campaign(9, seed=1).run(tmp_path).individuals)
    assert [one["genome_digest"] for one in other] != [one.genome_digest for one in whole.individuals]


def test_a_larger_budget_goes_on_as_a_longer_run_would_have(whole: Campaign, tmp_path: Path) -> None:
    for n in (4, 5, 9):
        found = campaign(n).run(tmp_path)
        assert record(found.individuals) == record(whole.individuals)[:n]
    assert found.facts["tested"] == whole.facts["tested"]


def test_an_interrupted_run_goes_on_where_it_was(whole: Campaign, tmp_path: Path) -> None:
    n_steps = 0

    def check() -> None:
        nonlocal n_steps
        n_steps += 1
        if n_steps == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        campaign(9).run(tmp_path, check=check)
    assert 0 < sum(one.state == "complete" for one in Campaign.load(tmp_path).individuals) < 9
    assert record(Campaign.load(tmp_path).run().individuals) == record(whole.individuals)


# Failures


def test_a_diverging_candidate_is_a_failure_with_its_reason(tmp_path: Path) -> None:
    training = {"epochs": 1, "learning_rate": 1e6, "clip": None, "schedule": "constant", "recalibrate": False}
    found = campaign(6, training=training).run(tmp_path).individuals
    failed = [one for one in found if one.state == "failed"]
    assert failed
    assert all(one.error.startswith("DivergedError: expected a finite") for one in failed)
    assert all(one.fitness is None and not one.metrics and one.weights_sha256 is None for one in failed)
    assert all("\n" not in one.error for one in failed)


@pytest.mark.parametrize("limit", ["parameters", "macs"])
def test_a_candidate_that_is_too_large_is_a_failure(limit: str, tmp_path: Path) -> None:
    found = campaign(4, evaluation={f"max_{limit}": 1}).run(tmp_path)
    assert {one.state for one in found.individuals} == {"failed"}
    assert all(f"TooLargeError: expected at most 1 {limit}, got" in one.error for one in found.individuals)
    assert found.best is None
    assert "tested" not in found.facts


# The test split


class Spying(Arrays):
    """A task whose test split is poison to whoever reads it too early."""

    def load(self) -> Task:
        task = super().load()
        poison = np.full_like(task.test.inputs, np.nan)
        return dataclasses.replace(task, test=dataclasses.replace(task.test, inputs=poison))


def test_the_search_never_reads_the_test_split(whole: Campaign, tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", **dict(zip("Xy", arrays(), strict=True)))
    poisoned = Campaign("digits", budget={"evaluations": 9}, **FIELDS)
    task = Spying(path=str(tmp_path / "data.npz"))
    poisoned.spec = poisoned.spec.model_copy(update={"task": task})
    with pytest.raises(ArithmeticError, match=r"held-out"):
        poisoned.run(tmp_path / "out")
    assert record(poisoned.individuals) == record(whole.individuals)
    assert "tested" not in poisoned.facts


def test_the_test_split_is_measured_once(whole: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from evonas.evaluation import Inline

    measured = []
    measure = Inline.test

    def noted(self: Inline, genome: Any, weights: bytes) -> dict[str, float]:
        measured.append(genome.digest)
        return measure(self, genome, weights)

    monkeypatch.setattr(Inline, "test", noted)
    for _ in range(3):
        found = campaign(9).run(tmp_path)
    assert found.best is not None
    assert measured == [found.best.genome_digest]
    assert found.facts["tested"] == whole.facts["tested"]
    assert found.facts["tested"]["id"] == found.best.id


def test_the_tested_accuracy_is_that_of_the_best(whole: Campaign) -> None:
    best, tested = whole.best, whole.facts["tested"]
    assert best is not None
    assert tested["accuracy"] == measured(whole, best.id, "test")["accuracy"]


def measured(campaign: Campaign, id: int, split: str) -> dict[str, float]:
    torch.set_num_threads(1)
    examples = Examples.of(getattr(from_arrays(*arrays()), split), torch.device("cpu"))
    return score(campaign.network(id).network, examples, Training())


# From Python


def test_a_network_has_the_accuracy_that_was_recorded(whole: Campaign) -> None:
    found = []
    for one in whole.individuals:
        if not (whole.directory / "weights" / f"{one.id}-0.safetensors").exists():
            with pytest.raises(StoreError, match=r"kept for the best and for possible parents only"):
                whole.network(one.id)
            continue
        network = whole.network(one.id)
        found.append(one.id)
        assert not network.training
        assert measured(whole, one.id, "validation")["accuracy"] == one.metrics["accuracy"]
        assert sum(tensor.numel() for tensor in network.parameters()) == one.metrics["parameters"]
    assert whole.best is not None
    assert whole.best.id in found


def test_an_individual_that_is_none_is_refused(whole: Campaign) -> None:
    for id in (-1, 9, 1000):
        with pytest.raises(StoreError, match=rf"expected an individual from 0 to \d+, got {id}"):
            whole.network(id)


def test_arrays_stay_beside_the_record(whole: Campaign) -> None:
    loaded = Campaign.load(whole.directory)
    assert isinstance(loaded.spec.task, Arrays)
    with np.load(loaded.spec.task.path, allow_pickle=False) as data:
        assert np.array_equal(data["X"], arrays()[0])
    assert loaded.run().individuals == whole.individuals


def test_other_arrays_are_another_campaign(whole: Campaign, tmp_path: Path) -> None:
    campaign(3).run(tmp_path)
    X, y = arrays()
    before = (tmp_path / "data.npz").read_bytes()
    for other in ((X + 1, y), (X, y[::-1]), (X[:60], y[:60])):
        with pytest.raises(StoreError, match=r"expected the arrays it was begun with, got others"):
            campaign(3, other).run(tmp_path)
    assert (tmp_path / "data.npz").read_bytes() == before
    assert len(campaign(3).run(tmp_path).individuals) == 3


@pytest.mark.parametrize("kind", ["list", "objects", "strings"])
def test_labels_may_be_names(kind: str, tmp_path: Path) -> None:
    X, y = arrays(60)
    named = [("left", "right", "middle")[label] for label in y]
    labels = {"list": named, "objects": np.array(named, dtype=object), "strings": np.array(named)}[kind]
    found = campaign(2, (X.tolist() if kind == "list" else X, labels)).run(tmp_path)
    assert found.facts["classes"] == ["left", "middle", "right"]
    assert found.run(tmp_path).best is not None


def test_arrays_that_are_no_task_leave_nothing_behind(tmp_path: Path) -> None:
    X, y = arrays()
    for task in ((X[1:], y), (X, y.astype(object)), (np.full_like(X, np.nan), y), (X, np.zeros_like(y))):
        with pytest.raises(DataError):
            campaign(3, task).run(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_campaign_that_never_ran_has_no_directory() -> None:
    with pytest.raises(StoreError, match=r"got a new one; call run\(\) first"):
        _ = campaign().individuals


def test_a_device_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        SpecError, match=r"evaluation.device: expected auto, cpu or a device of this machine, got 'gpu'"
    ):
        campaign(evaluation={"device": "gpu"}).run(tmp_path / "out")
    assert not (tmp_path / "out" / "campaign.sqlite").exists()


def test_an_encoding_that_does_not_fit_the_task_is_refused(tmp_path: Path) -> None:
    X, y = arrays()
    encoding = {"name": "dag", "operations": ["conv"]}
    with pytest.raises(SpecError, match=r"encoding.operations: expected linear and identity"):
        campaign(2, (X.reshape(len(X), -1), y), encoding=encoding).run(tmp_path / "out")


# The same campaign or none


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"seed": 5}, "seed: 0 → 5"),
        ({"keep_best": 1}, "keep_best: 5 → 1"),
        ({"training": {**FIELDS["training"], "epochs": 3}}, "training.epochs: 2 → 3"),
        ({"search": "random"}, "search.name: 'ageing' → 'random'"),
    ],
)
def test_a_changed_spec_is_refused(fields: Any, expected: str, whole: Campaign) -> None:
    with pytest.raises(StoreError, match=r"expected the spec it was begun with, got changes in") as caught:
        campaign(9, **fields).run(whole.directory)
    assert expected in str(caught.value)
    assert len(whole.individuals) == 9


def test_changed_data_and_libraries_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from evonas.campaign import opening

    done = campaign(2).run(tmp_path)
    X, y = arrays()
    np.savez(tmp_path / "data.npz", X=X + 1, y=y)
    with pytest.raises(StoreError, match=r"expected the data it was begun with, they have changed"):
        Campaign.load(tmp_path).run()
    np.savez(tmp_path / "data.npz", X=X, y=y)
    versions = {**done.facts["versions"], "numpy": "0.1"}
    monkeypatch.setattr(opening, "_versions", lambda: versions)
    with pytest.raises(StoreError, match=r"expected numpy .*, with which it was begun, got 0.1"):
        Campaign.load(tmp_path).run()
    monkeypatch.undo()
    assert len(Campaign.load(tmp_path).run().individuals) == 2


def test_the_control_gets_the_same_budget(finished: Path) -> None:
    main = Campaign.load(finished)
    control = main.control
    assert control is not None
    granted, spent = (sum(one.epochs for one in each.individuals) for each in (main, control))
    assert granted <= spent < granted + 2
    assert {one.operator for one in control.individuals} == {"sample"}
    assert control.spec.name == "small-control"
