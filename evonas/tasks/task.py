"""What a candidate is trained and judged on: a data set, split and normalised."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


class DataError(ValueError):
    """Data that no task can be made of; the message is one line: what was expected, what came, how to mend it."""


@dataclass(frozen=True, eq=False)
class Split:
    """One part of a data set.

    Attributes:
        inputs: Normalised inputs, `(n, features)` or `(n, channels, height, width)`, C-contiguous.
        targets: Class indices, `(n,)`.
    """

    inputs: npt.NDArray[np.float32]
    targets: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Number of examples."""
        return len(self.targets)


@dataclass(frozen=True, eq=False)
class Task:
    """A classification problem.

    Attributes:
        name: Its name in the spec.
        train: What candidates are trained on; the only part that normalisation looks at.
        validation: What fitness is measured on.
        test: What no search ever sees.
        classes: Name of every class, in the order of the target indices.
        fingerprint: SHA-256 over the data before splitting and normalisation, in hex.
        mean: What normalisation takes away, by channel or feature.
        deviation: What it then divides by.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    classes: tuple[str, ...]
    fingerprint: str
    mean: tuple[float, ...] = (0.0,)
    deviation: tuple[float, ...] = (1.0,)

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
        """Shape of one input: `(features,)` or `(channels, height, width)`."""
        return self.train.inputs.shape[1:]

    @property
    def n_outputs(self) -> int:
        """Number of classes."""
        return len(self.classes)
