"""Targets that are numbers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas.campaign import Campaign, SpecError
from evonas.campaign.spec import parse
from evonas.tasks import DataError, from_arrays

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 4))
Y = X @ np.array([[1.0, 3.0], [0.0, -2.0], [2.0, 0.0], [0.0, 1.0]]) * (5, 0.1) + (100, 0)


def test_targets_are_standardised_by_the_training_part_and_come_back() -> None:
    task = from_arrays(X, Y, kind="regression")
    assert (task.kind, task.classes, task.targets, task.n_outputs) == ("regression", (), ("y[0]", "y[1]"), 2)
    assert task.train.targets.dtype == np.float32
    np.testing.assert_allclose(task.train.targets.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(task.train.targets.std(0), 1, atol=1e-6)
    parts = (task.train, task.validation, task.test)
    back = np.concatenate([part.targets * task.target_deviation + task.target_mean for part in parts])
    np.testing.assert_allclose(np.sort(back, 0), np.sort(Y, 0), rtol=1e-4)
    assert [len(part) for part in parts] == [36, 12, 12]


def test_the_split_is_fixed_by_its_seed() -> None:
    first, again, other = (from_arrays(X, Y, kind="regression", split_seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(first.test.targets, again.test.targets)
    assert not np.array_equal(first.test.targets, other.test.targets)


def test_a_test_set_of_its_own_is_kept() -> None:
    task = from_arrays(X[:40], Y[:40], X_test=X[40:], y_test=Y[40:], kind="regression")
    assert [len(part) for part in (task.train, task.validation, task.test)] == [32, 8, 20]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.full(60, 3.0), r"y: expected targets that vary, got a constant one \(y\[0\]\); choose another target"),
        (np.array(["a", "b"] * 30), "y: expected numbers as targets, got dtype <U1; convert them, or name classes"),
        (Y[:, :, None], r"y: expected targets of shape \(n,\) or \(n, n_targets\), got \(60, 2, 1\)"),
        (Y[:50], "y: expected targets for each of the 60 rows of X, got 50"),
        (np.where(np.arange(60) == 7, np.nan, Y[:, 0]), "y: expected finite inputs .* got 1 .* the first"),
    ],
)
def test_wrong_targets_are_named(y: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        from_arrays(X, y, kind="regression")


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(DataError, match="y: expected at least 6 examples to split, got 5; add examples"):
        from_arrays(X[:5], Y[:5], kind="regression")


def test_fractions_as_classes_hint_at_regression() -> None:
    with pytest.raises(DataError, match="set kind to 'regression'"):
        from_arrays(X, Y[:, 0])


def test_the_objective_follows_the_kind() -> None:
    spec = parse({"task": {"path": "x.npz", "kind": "regression"}})
    assert (spec.objectives.maximize, spec.objectives.minimize) == (("r2",), ())
    assert parse({}).objectives.maximize == ("accuracy",)
    with pytest.raises(SpecError, match=r"objectives: expected metrics of this task among r2, rmse, .*y"):
        parse({"task": {"path": "x.npz", "kind": "regression"}, "objectives": {"maximize": ["accuracy"]}})
    with pytest.raises(SpecError, match=r"expected metrics of this task among accuracy, .* got 'r2'"):
        parse({"objectives": {"maximize": ["r2"]}})


def test_a_campaign_of_a_regression(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", X=X, y=Y)
    campaign = Campaign(
        {"path": str(tmp_path / "data.npz"), "kind": "regression"},
        search={"name": "evolution", "population": 3},
        training={"epochs": 6, "batch_size": 12, "learning_rate": 0.02},
        budget={"evaluations": 7},
    ).run(tmp_path / "out")
    best = Campaign.load(tmp_path / "out").best
    assert best is not None
    assert best.fitness == best.metrics["r2"] == max(one.fitness for one in campaign.individuals if one.fitness)
    assert set(campaign.facts["tested"]) == {"id", "r2", "rmse", "loss"}
    assert campaign.facts["targets"] == ["y[0]", "y[1]"]
    assert any("r2_at_birth" in one.metrics for one in campaign.individuals)
