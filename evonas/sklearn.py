"""Estimators for scikit-learn: a campaign that is fitted, with the best network found as the model."""

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from evonas.campaign import Campaign
from evonas.network import TrainedNetwork
from evonas.tasks import DataError

MAX_SEED = 2**31 - 1
MIN_SAMPLES = 6
"""Of a regression: two each to train on, to compare on and to test on."""
Array = npt.NDArray[Any]


class _Temporary:
    """A directory that goes with the last hold on it, without a warning."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="evonas-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


class _Evolved(BaseEstimator):
    """What both estimators share: a campaign on arrays."""

    campaign_: Campaign
    network_: TrainedNetwork
    n_features_in_: int

    def __init__(
        self,
        encoding: Any = "dag",
        search: Any = "evolution",
        training: Any = None,
        evaluation: Any = None,
        objectives: Any = None,
        *,
        max_evaluations: int | None = 50,
        time_limit: float | None = None,
        input_shape: tuple[int, int, int] | None = None,
        validation_fraction: float = 0.2,
        test_fraction: float = 0.1,
        random_state: Any = None,
        out: str | Path | None = None,
    ) -> None:
        self.encoding, self.search, self.training = encoding, search, training
        self.evaluation, self.objectives = evaluation, objectives
        self.max_evaluations, self.time_limit = max_evaluations, time_limit
        self.input_shape, self.random_state, self.out = input_shape, random_state, out
        self.validation_fraction, self.test_fraction = validation_fraction, test_fraction

    def leaderboard(self) -> list[dict[str, Any]]:
        """Every network that was trained, the best first.

        Returns:
            One mapping each: `id`, `fitness`, all metrics, `operator`, `generation`, `seconds`; `pandas.DataFrame`
            takes the list as it is.
        """
        check_is_fitted(self)
        spec = self.campaign_.spec
        complete = [one for one in self.campaign_.individuals if one.state == "complete"]
        ranked = sorted(complete, key=lambda one: spec.rank(one.id, one.metrics), reverse=True)
        return [
            {"id": one.id, "fitness": one.fitness, **one.metrics}
            | {"operator": one.operator, "generation": one.generation, "seconds": one.seconds}
            for one in ranked
        ]

    def _evolve(self, X: Array, y: Array, kind: str) -> None:
        """Run the campaign and keep its best network."""
        self._temporary = _Temporary() if self.out is None else None
        place = self.out if self._temporary is None else self._temporary.path
        fractions = {"validation_fraction": self.validation_fraction, "test_fraction": self.test_fraction}
        tables = {"training": self.training, "evaluation": self.evaluation, "objectives": self.objectives}
        budget = {"evaluations": self.max_evaluations, "seconds": self.time_limit}
        campaign = Campaign(
            task={"X": self._shaped(X), "y": y, "kind": kind, **fractions},
            encoding=self.encoding,
            search=self.search,
            budget={name: value for name, value in budget.items() if value is not None},
            seed=int(check_random_state(self.random_state).randint(MAX_SEED)),
            **{name: table for name, table in tables.items() if table is not None},
        ).run(place)
        best = campaign.best
        if best is None:
            reason = next((one.error for one in campaign.individuals if one.error), "none was evaluated")
            raise DataError(f"expected a candidate that can be trained, all failed ({reason}); allow more or change it")
        self.campaign_ = Campaign.load(campaign.directory)
        # Predictions in double precision depend on nothing but the example, whatever batch it comes in.
        self.network_ = campaign.network(best.id).double()

    def _shaped(self, X: Array) -> Array:
        if self.input_shape is None:
            return X
        shape = tuple(self.input_shape)
        if len(shape) != 3 or int(np.prod(shape)) != X.shape[1]:
            raise DataError(
                f"input_shape: expected (channels, height, width) of {X.shape[1]} features together, got {shape}; "
                "correct it or leave it out"
            )
        return X.reshape(len(X), *shape)

    def _outputs(self, X: Any) -> Array:
        """Logits or values, `(n, n_outputs)`."""
        check_is_fitted(self)
        return self.network_.outputs(self._shaped(validate_data(self, X, reset=False)))

    def __getstate__(self) -> dict[str, Any]:
        """All but the hold on a temporary directory, which goes with the estimator that was fitted."""
        return {name: value for name, value in dict(super().__getstate__()).items() if name != "_temporary"}


class EvolvedClassifier(ClassifierMixin, _Evolved):
    """A classifier whose network is evolved.

    Args:
        encoding: As of `evonas.Campaign`: a word or a mapping.
        search: The same.
        training: The fields of the `[training]` table; None: their defaults.
        evaluation: The same of `[evaluation]`.
        objectives: The same of `[objectives]`; with several, the first decides which network predicts.
        max_evaluations: Networks trained; None: no limit.
        time_limit: Seconds; None: no limit. Results then depend on the machine.
        input_shape: `(channels, height, width)` where the features are the pixels of an image; None: they are not.
        validation_fraction: Part of the examples on which networks are compared.
        test_fraction: Part of the examples that is scored once, at the end: `campaign_.facts["tested"]`.
        random_state: An int for reproducible results.
        out: The campaign's directory, where another `fit` with the same data and parameters goes on or is done at once;
            None: a temporary one that lives as long as the estimator.

    Attributes:
        classes_: The classes, sorted.
        campaign_: The campaign.
        network_: The best network, for raw inputs.
        n_features_in_: Features of an example.

    Example:
        >>> from evonas.sklearn import EvolvedClassifier
        >>> EvolvedClassifier(max_evaluations=20, random_state=0).fit(X, y).score(X_test, y_test)
    """

    classes_: Array

    def fit(self, X: Any, y: Any) -> "EvolvedClassifier":
        """Evolve a network.

        Args:
            X: `(n, n_features)`.
            y: Classes, `(n,)`, of each at least three examples.

        Raises:
            ValueError: If the data or a parameter cannot be used.
        """
        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise DataError(f"y: expected two classes or more, got 1 class, {self.classes_[0]!r}; add examples")
        self._evolve(X, y if y.dtype.kind in "biuU" else codes, "classification")
        return self

    def predict_proba(self, X: Any) -> Array:
        """The probability of every class, `(n, n_classes)`, for `X` of shape `(n, n_features)`."""
        logits = self._outputs(X)
        powers = np.exp(logits - logits.max(1, keepdims=True))
        probabilities: Array = powers / powers.sum(1, keepdims=True)
        return probabilities

    def predict(self, X: Any) -> Array:
        """The likeliest class, `(n,)`, for `X` of shape `(n, n_features)`."""
        likeliest = self._outputs(X).argmax(1)
        classes: Array = self.classes_[likeliest]
        return classes


class EvolvedRegressor(RegressorMixin, _Evolved):
    """A regressor whose network is evolved; parameters and attributes as of `EvolvedClassifier`."""

    def fit(self, X: Any, y: Any) -> "EvolvedRegressor":
        """Evolve a network.

        Args:
            X: `(n, n_features)`.
            y: Targets, `(n,)` or `(n, n_targets)`, of six examples or more.

        Raises:
            ValueError: If the data or a parameter cannot be used.
        """
        X, y = validate_data(self, X, y, multi_output=True, y_numeric=True, ensure_min_samples=MIN_SAMPLES)
        self._is_flat = y.ndim == 1
        self._evolve(X, y, "regression")
        return self

    def predict(self, X: Any) -> Array:
        """The targets, `(n,)` or `(n, n_targets)` as `fit` was given, for `X` of shape `(n, n_features)`."""
        values = self._outputs(X)
        return values[:, 0] if self._is_flat else values

    def __sklearn_tags__(self) -> Any:
        """Several targets are fine."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = True
        return tags
