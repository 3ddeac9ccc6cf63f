"""The estimators are scikit-learn's in all that its own checks ask for."""

import gc
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from evonas.sklearn import EvolvedClassifier, EvolvedRegressor

TINY: dict[str, Any] = {
    "encoding": {
        "name": "dag",
        "widths": [16],
        "min_nodes": 1,
        "max_sampled": 1,
        "max_nodes": 2,
        "normalisations": ["none"],
    },
    "search": "random",
    "training": {"epochs": 6, "batch_size": 32, "optimizer": "adamw", "learning_rate": 0.05},
    "max_evaluations": 2,
    "random_state": 0,
}


@parametrize_with_checks([EvolvedClassifier(**TINY), EvolvedRegressor(**TINY)])
def test_checks_of_scikit_learn(estimator: Any, check: Any, fast_disk: None) -> None:
    check(estimator)


def data(n: int = 60) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    return rng.normal(size=(3, 4))[y] * 3 + rng.normal(size=(n, 4)), y


def test_the_leaderboard_is_ranked_and_has_the_best_first() -> None:
    fitted = EvolvedClassifier(**{**TINY, "max_evaluations": 4}).fit(*data())
    board = fitted.leaderboard()
    assert len(board) == 4
    assert [row["fitness"] for row in board] == sorted((row["fitness"] for row in board), reverse=True)
    assert board[0]["id"] == fitted.campaign_.best.id
    assert {"accuracy", "loss", "parameters", "operator", "generation", "seconds"} <= board[0].keys()
    assert sum(tensor.numel() for tensor in fitted.network_.parameters()) == board[0]["parameters"]


@pytest.mark.parametrize("labels", [["a", "b", "c"], [5, 10, 200], [True, False, True], [2.0, 1.0, 30.0]])
def test_classes_are_those_that_were_given(labels: list[Any]) -> None:
    X, y = data()
    named = np.array(labels)[y]
    fitted = EvolvedClassifier(**TINY).fit(X, named)
    assert list(fitted.classes_) == sorted(set(labels))
    assert set(fitted.predict(X)) <= set(labels)
    probabilities = fitted.predict_proba(X)
    assert np.allclose(probabilities.sum(1), 1)
    assert list(fitted.classes_[probabilities.argmax(1)]) == list(fitted.predict(X))
    assert fitted.score(X, named) > 0.5


def test_the_same_random_state_gives_the_same_estimator() -> None:
    X, y = data()
    one, same, other = (EvolvedClassifier(**{**TINY, "random_state": seed}).fit(X, y) for seed in (1, 1, 2))
    assert np.array_equal(one.predict_proba(X), same.predict_proba(X))
    assert not np.array_equal(one.predict_proba(X), other.predict_proba(X))


def test_a_prediction_depends_on_its_example_alone() -> None:
    X, y = data()
    fitted = EvolvedClassifier(**TINY).fit(X, y)
    together = fitted.predict_proba(X)
    alone = np.concatenate([fitted.predict_proba(X[at : at + 1]) for at in range(len(X))])
    assert together.dtype == np.float64
    assert np.abs(together - alone).max() < 1e-14


def test_features_may_be_the_pixels_of_an_image() -> None:
    X, y = data()
    encoding = {"name": "dag", "widths": [4], "max_sampled": 2}
    fitted = EvolvedClassifier(**{**TINY, "encoding": encoding, "input_shape": (1, 2, 2)}).fit(X, y)
    assert fitted.network_.input_shape == (1, 2, 2)
    assert fitted.predict(X).shape == (60,)
    with pytest.raises(ValueError, match=r"input_shape: expected \(channels, height, width\) of 4 features together"):
        EvolvedClassifier(**{**TINY, "input_shape": (1, 2, 3)}).fit(X, y)


def test_a_directory_of_the_users_own_holds_the_campaign(tmp_path: Path) -> None:
    X, y = data()
    first = EvolvedClassifier(**TINY, out=tmp_path / "mine").fit(X, y)
    assert (tmp_path / "mine/campaign.sqlite").exists()
    more = EvolvedClassifier(**{**TINY, "max_evaluations": 3}, out=tmp_path / "mine").fit(X, y)
    assert list(more.campaign_.individuals)[:2] == list(first.campaign_.individuals)[:2]
    assert len(more.campaign_.individuals) == 3


def test_a_temporary_directory_goes_with_the_estimator() -> None:
    X, y = data()
    fitted = EvolvedClassifier(**TINY).fit(X, y)
    place, copied = fitted.campaign_.directory, pickle.loads(pickle.dumps(fitted))
    assert place.is_dir()
    del fitted
    gc.collect()
    assert not place.exists()
    assert copied.predict(X).shape == (60,)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"encoding": "dags"}, "encoding.name: expected one of"),
        ({"search": "grid"}, "search.name: expected one of"),
        ({"training": {"epoch": 1}}, "training.epoch: unknown key; did you mean epochs?"),
        ({"max_evaluations": None}, "expected evaluations, epochs or seconds, got none of them"),
        ({"max_evaluations": 0}, "budget.evaluations: "),
        ({"test_fraction": 0.9}, "task.test_fraction: "),
        ({"evaluation": {"max_parameters": 1}}, "all failed (TooLargeError: "),
    ],
)
def test_a_wrong_parameter_is_one_line(wrong: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=re.escape(expected)) as caught:
        EvolvedClassifier(**{**TINY, **wrong}).fit(*data())
    assert "\n" not in str(caught.value)


def test_too_few_examples_of_a_class_are_refused() -> None:
    X, y = data(8)
    with pytest.raises(ValueError, match=r"expected at least 3 examples of every class"):
        EvolvedClassifier(**TINY).fit(X, y)


def test_several_targets_keep_their_units() -> None:
    X, _ = data()
    y = np.stack([X[:, 0] * 1000 + 5000, X[:, 1]], 1)
    fitted = EvolvedRegressor(**{**TINY, "training": {"epochs": 30, "batch_size": 16, "optimizer": "adamw"}}).fit(X, y)
    assert fitted.score(X, y) > 0.5
    assert fitted.predict(X).shape == (60, 2)
    assert abs(fitted.predict(X)[:, 0].mean() - 5000) < 1500
    assert EvolvedRegressor(**TINY).fit(X, y[:, 1]).predict(X).shape == (60,)
    assert "r2" in fitted.leaderboard()[0]
