"""From arrays to a task: checked, split by class, normalised by what the training part looks like."""

import hashlib
import json
from collections.abc import Iterator
from typing import Annotated, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import Field

from evonas.stream import stream
from evonas.tasks.checks import LARGEST, Array, Layout, check_inputs, check_labels, to_channels_first
from evonas.tasks.task import DataError, Split, Task

SplitSeed = Annotated[int, Field(ge=0, description="Fixes which examples go into which part.")]
ValidationFraction = Annotated[
    float, Field(gt=0, le=0.4, description="Part of all examples (of the training ones if a test set is given).")
]
TestFraction = Annotated[
    float, Field(gt=0, le=0.4, description="Part of all examples; not used if a test set is given.")
]

KEYS = ("X", "y", "X_test", "y_test")
ROWS = 1024
CONSTANT = 1e-12


class Splitting(Protocol):
    """How a data set is split; the configuration of every data set has these fields."""

    @property
    def split_seed(self) -> int:
        """Fixes which examples go into which part."""

    @property
    def validation_fraction(self) -> float:
        """Part of all examples that becomes the validation set."""

    @property
    def test_fraction(self) -> float:
        """Part of all examples that becomes the test set, where none is given."""


def prepare(
    name: str,
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    test: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    config: Splitting,
    layout: Layout = "auto",
    keys: tuple[str, str, str, str] = KEYS,
) -> Task:
    """Make a task of arrays.

    The split is stratified: of every class, each part gets its fraction to the nearest example, and at least one.
    Inputs are normalised to mean 0 and deviation 1, images by channel and vectors by feature, as measured on the
    training part alone; what is constant there is only centred.

    Args:
        name: The task's name.
        X: `(n, features)`, `(n, height, width)` or `(n, channels, height, width)`.
        y: Labels, `(n,)`; see `check_labels`.
        test: `X` and `y` of the test set, taken as it is; without it, one is split off.
        config: How to split.
        layout: Where the channels of four dimensions are; see `to_channels_first`.
        keys: What errors call `X`, `y` and the two arrays of `test`.

    Raises:
        DataError: The arrays make no task; the message names the array and the way out.
    """
    inputs = check_inputs(X, keys[0])
    labels = check_labels(y, len(inputs), keys[1], keys[0])
    values, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    classes = tuple(str(value) for value in values.tolist())
    _check_classes(classes, counts, 3 if test is None else 2, keys[1])
    shape = inputs.shape[1:]
    inputs = to_channels_first(inputs, layout, keys[0])
    train, validation, rest = _split(codes, classes, config, test is None)
    if test is None:
        test_inputs, test_codes = inputs[rest], codes[rest]
        digest = _digest([inputs, codes], classes)
    else:
        test_inputs = check_inputs(test[0], keys[2])
        if test_inputs.shape[1:] != shape:
            raise DataError(
                f"{keys[2]}: expected rows of shape {shape} as in {keys[0]}, got {test_inputs.shape[1:]}; "
                "prepare both in the same way"
            )
        test_labels = check_labels(test[1], len(test_inputs), keys[3], keys[2])
        test_inputs = to_channels_first(test_inputs, layout, keys[2])
        test_codes = _encode(test_labels, classes, keys[3])
        digest = _digest([inputs, codes, test_inputs, test_codes], classes)
    mean, deviation = _moments(inputs, train)
    return Task(
        name=name,
        train=_normalise(inputs[train], codes[train], mean, deviation, keys[0]),
        validation=_normalise(inputs[validation], codes[validation], mean, deviation, keys[0]),
        test=_normalise(test_inputs, test_codes, mean, deviation, keys[0] if test is None else keys[2]),
        classes=classes,
        fingerprint=digest,
        mean=tuple(mean.ravel().tolist()),
        deviation=tuple(deviation.ravel().tolist()),
    )


def _check_classes(classes: tuple[str, ...], counts: Array, least: int, key: str) -> None:
    if len(classes) < 2:
        raise DataError(f"{key}: expected at least two classes, got only {classes[0]!r}; add examples of another")
    rare = int(counts.argmin())
    if counts[rare] < least:
        parts = "train, validation and test" if least == 3 else "train and validation"
        raise DataError(
            f"{key}: expected at least {least} examples of every class, to split into {parts}, got "
            f"{int(counts[rare])} of class {classes[rare]!r} ({int((counts < least).sum())} such classes of "
            f"{len(classes)}); add examples or drop the class"
        )


def _encode(labels: Array, classes: tuple[str, ...], key: str) -> Array:
    values, codes = np.unique(labels, return_inverse=True)
    index = {name: code for code, name in enumerate(classes)}
    names = [str(value) for value in values.tolist()]
    unseen = [name for name in names if name not in index]
    if unseen:
        raise DataError(
            f"{key}: expected only classes of the training labels, got {len(unseen)} others, the first {unseen[0]!r}; "
            "drop their rows or add training examples"
        )
    return np.array([index[name] for name in names])[codes]


def _digest(arrays: list[Array], classes: tuple[str, ...]) -> str:
    digest = hashlib.sha256(json.dumps(classes).encode())
    for array in arrays:
        values = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        digest.update(f"{values.dtype.str}{values.shape}".encode())
        digest.update(values.data)
    return digest.hexdigest()


def _split(codes: Array, classes: tuple[str, ...], config: Splitting, with_test: bool) -> tuple[Array, Array, Array]:
    """Row numbers of train, validation and test, each ascending."""
    parts: tuple[list[Array], list[Array], list[Array]] = ([], [], [])
    for code, name in enumerate(classes):
        rows = stream(config.split_seed, "split", name).permutation(np.flatnonzero(codes == code))
        n_test = max(1, round(config.test_fraction * len(rows))) if with_test else 0
        n_validation = max(1, round(config.validation_fraction * len(rows)))
        n_validation = min(n_validation, len(rows) - n_test - 1)
        for part, chosen in zip(parts, np.split(rows, [-n_test - n_validation, len(rows) - n_test]), strict=True):
            part.append(chosen)
    train, validation, test = (np.sort(np.concatenate(part)) for part in parts)
    return train, validation, test


def _chunks(n: int) -> Iterator[slice]:
    return (slice(start, start + ROWS) for start in range(0, n, ROWS))


def _moments(inputs: Array, rows: Array) -> tuple[Array, Array]:
    """Mean and deviation of the rows, (features,) or (channels, 1, 1), in float64 and a chunk at a time."""
    axes = (0, 2, 3) if inputs.ndim == 4 else (0,)
    count = len(rows) * int(np.prod(inputs.shape[2:]))
    shape = (inputs.shape[1],) + (1,) * (inputs.ndim - 2)
    mean = sum(inputs[rows[part]].sum(axis=axes, dtype=np.float64) for part in _chunks(len(rows))) / count
    mean = np.asarray(mean).reshape(shape)
    squares = sum((np.square(inputs[rows[part]] - mean)).sum(axis=axes) for part in _chunks(len(rows))) / count
    deviation = np.sqrt(np.asarray(squares)).reshape(shape)
    deviation[deviation <= CONSTANT * np.abs(mean)] = 1.0
    return mean, deviation


def _normalise(inputs: Array, codes: Array, mean: Array, deviation: Array, key: str) -> Split:
    normalised = np.empty(inputs.shape, dtype=np.float32)
    for part in _chunks(len(inputs)):
        values = (inputs[part] - mean) / deviation
        if np.abs(values).max() > LARGEST:
            raise DataError(
                f"{key}: expected values of the scale of the training part, got one more than {LARGEST:g} of its "
                "standard deviations away; drop or rescale that feature"
            )
        normalised[part] = values
    return Split(normalised, codes.astype(np.int64))
