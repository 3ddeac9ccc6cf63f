"""Losses and metrics by kind of task."""

import numpy as np
import pytest
import torch
from sklearn.metrics import r2_score

from evonas.tasks import KINDS, from_arrays
from evonas.training import Examples, Training, criterion_of, train
from evonas.training.criterion import CrossEntropy, SquaredError
from tests.network.nets import architecture, network, node


def test_the_scores_of_a_regression_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    raw = rng.standard_normal((50, 2)) * (3.0, 0.5) + (10.0, -1.0)
    mean, deviation = raw.mean(0) + 0.3, raw.std(0) * 1.1
    guessed = raw + rng.standard_normal((50, 2)) * 0.4
    targets, outputs = (torch.tensor((values - mean) / deviation, dtype=torch.float32) for values in (raw, guessed))
    found = SquaredError(tuple(deviation)).scores(outputs, targets)
    assert tuple(found) == KINDS["regression"].metrics
    assert found["r2"] == pytest.approx(r2_score(raw, guessed), abs=1e-5)
    assert found["rmse"] == pytest.approx(np.sqrt(np.square(raw - guessed).mean()), rel=1e-5)
    assert found["loss"] == pytest.approx(np.square((raw - guessed) / deviation).mean(), rel=1e-5)


def test_a_constant_target_explains_nothing() -> None:
    assert SquaredError((1.0,)).scores(torch.zeros(3, 1), torch.ones(3, 1))["r2"] == 0.0


def test_classes_are_scored_in_the_order_of_their_kind() -> None:
    found = CrossEntropy().scores(torch.eye(3), torch.arange(3))
    assert tuple(found) == KINDS["classification"].metrics
    assert found["accuracy"] == 1.0


def test_a_line_is_learnt() -> None:
    rng = np.random.default_rng(1)
    X = rng.standard_normal((400, 3))
    task = from_arrays(X, 100 + 7 * (X @ [1.0, -2.0, 0.5]), kind="regression")
    criterion = criterion_of(task)
    device = torch.device("cpu")
    made = network(architecture(node("a", "linear", "input", width=8, activation="relu")), (3,), 1)
    sides = [Examples.of(split, device, criterion) for split in (task.train, task.validation)]
    curve = train(made, *sides, Training(learning_rate=0.05), 30, rng=np.random.default_rng(0))
    assert set(curve[-1]) == {"epoch", "loss", "validation_r2", "validation_rmse", "validation_loss"}
    assert curve[-1]["validation_r2"] > 0.95
    assert curve[-1]["validation_rmse"] < 0.25 * float(np.std(7 * (X @ [1.0, -2.0, 0.5])))
