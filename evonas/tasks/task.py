"""What a candidate is trained and judged on: a data set, split and normalised."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from evonas.tasks.problem import Problem

CLASSIFICATION: Literal["classification"] = "classification"
REGRESSION: Literal["regression"] = "regression"
LANGUAGE: Literal["language"] = "language"
BEHAVIOUR: Literal["behaviour"] = "behaviour"
KindName = Literal["classification", "regression", "language", "behaviour"]


@dataclass(frozen=True)
class Kind:
    """What is measured of a network on a kind of task.

    Attributes:
        score: The metric that ranks candidates unless a spec says otherwise.
        maximise: True where more of it is better.
        metrics: All that is measured on held-out data, the score first.
    """

    score: str
    maximise: bool
    metrics: tuple[str, ...]


KINDS: Mapping[str, Kind] = {
    CLASSIFICATION: Kind("accuracy", True, ("accuracy", "loss")),
    REGRESSION: Kind("r2", True, ("r2", "rmse", "loss")),
    LANGUAGE: Kind("bits_per_character", False, ("bits_per_character", "loss")),
    BEHAVIOUR: Kind("fitness", True, ("fitness", "solved")),
}
"""Every kind of task. `accuracy` is 0 to 1. `loss` is cross-entropy in nats, in regression the mean square of errors in
standard deviations of the target. `r2` is the coefficient of determination, `rmse` the root of the mean square of
errors in units of the target, over all targets together. `bits_per_character` is cross-entropy in bits. `fitness` and
`solved`, 1 or 0, are what a problem says of behaviour: see `evonas.tasks.problem.Problem`."""


class DataError(ValueError):
    """Data that no task can be made of; the message is one line: what was expected, what came, how to mend it."""


@dataclass(frozen=True, eq=False)
class Split:
    """One part of a data set.

    Attributes:
        inputs: Normalised inputs, `(n, features)` or `(n, channels, height, width)`, C-contiguous; of a text its
            symbols in order, `(n,)`, int64.
        targets: Class indices `(n,)`, int64, of a text the symbol behind each; in regression standardised values
            `(n, n_targets)`, float32.
    """

    inputs: npt.NDArray[Any]
    targets: npt.NDArray[Any]

    def __len__(self) -> int:
        """Number of examples."""
        return len(self.targets)


@dataclass(frozen=True, eq=False)
class Task:
    """A problem.

    Attributes:
        name: Its name in the spec.
        train: What candidates are trained on; the only part that normalisation looks at.
        validation: What fitness is measured on.
        test: What no search ever sees.
        classes: Name of every class or symbol, in the order of the target indices; empty in regression.
        fingerprint: SHA-256 over the data before splitting and normalisation, in hex.
        mean: What normalisation takes away, by channel or feature.
        deviation: What it then divides by.
        kind: A key of `KINDS`.
        targets: In regression the name of every target; else empty.
        features: Name of every feature of a table, or of what a problem gives networks, in the order of the inputs;
            empty where they have none.
        target_mean: What standardisation takes away from each target.
        target_deviation: What it then divides by.
        files: SHA-256, in hex, of every file that the data were read from, by its name.
        problem: What networks are judged by where there are no data; None where there are.
        metrics: What it measures beside those of its kind; objectives may name them.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    classes: tuple[str, ...]
    fingerprint: str
    mean: tuple[float, ...] = (0.0,)
    deviation: tuple[float, ...] = (1.0,)
    kind: KindName = CLASSIFICATION
    targets: tuple[str, ...] = ()
    target_mean: tuple[float, ...] = ()
    target_deviation: tuple[float, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    features: tuple[str, ...] = ()
    problem: "Problem | None" = None
    metrics: tuple[str, ...] = ()

    def normalised(self, inputs: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """New inputs as a network of this task expects them.

        Args:
            inputs: As they come, `(n, *input_shape)`.

        Raises:
            DataError: If they have another shape.
        """
        raw = np.asarray(inputs, dtype=np.float64)
        if raw.shape[1:] != self.input_shape:
            raise DataError(f"inputs: expected the shape (n, *{self.input_shape}), got {raw.shape}; reshape them")
        shape = (-1,) + (1,) * (raw.ndim - 2)
        values = (raw - np.reshape(self.mean, shape)) / np.reshape(self.deviation, shape)
        return values.astype(np.float32)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input: `(features,)` or `(channels, height, width)`; of a text that of a one-hot symbol."""
        if self.kind == LANGUAGE:
            return (len(self.classes),)
        return self.train.inputs.shape[1:]

    @property
    def n_outputs(self) -> int:
        """Number of classes, symbols or targets."""
        return len(self.classes) or len(self.targets)
