"""From arrays to a task: checked, split, normalised by what the training part looks like."""

import hashlib
import json
from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import Field

from evonas.stream import stream
from evonas.tasks.checks import LARGEST, Array, Layout, check_inputs, check_labels, check_targets, to_channels_first
from evonas.tasks.task import CLASSIFICATION, REGRESSION, DataError, KindName, Split, Task

ChosenKind = Annotated[
    Literal["classification", "regression"], Field(description="What is predicted: one of some classes, or numbers.")
]
SplitSeed = Annotated[int, Field(ge=0, description="Fixes which examples go into which part.")]
ValidationFraction = Annotated[
    float, Field(gt=0, le=0.4, description="Part of all examples (of the training ones if a test set is given).")
]
TestFraction = Annotated[
    float, Field(gt=0, le=0.4, description="Part of all examples; not used if a test set is given.")
]

Parts = tuple[Array, Array, Array]
"""Row numbers of train, validation and test."""
KEYS = ("X", "y", "X_test", "y_test")
ROWS = 1024
LEAST = 2
"""Examples in each part of a regression: of a single one there is no variance to explain."""
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
    kind: KindName = CLASSIFICATION,
    targets: tuple[str, ...] = (),
    parts: Parts | None = None,
) -> Task:
    """Make a task of arrays.

    The split of a classification is stratified: of every class, each part gets its fraction to the nearest example, and
    at least one; that of a regression is drawn from all rows. Inputs are normalised to mean 0 and deviation 1, images
    by channel and vectors by feature, as measured on the training part alone; what is constant there is only centred.
    The targets of a regression are standardised in the same way.

    Args:
        name: The task's name.
        X: `(n, features)`, `(n, height, width)` or `(n, channels, height, width)`.
        y: Labels `(n,)`, see `check_labels`; or targets `(n,)` or `(n, n_targets)`, see `check_targets`.
        test: `X` and `y` of the test set, taken as it is; without it, one is split off.
        config: How to split.
        layout: Where the channels of four dimensions are; see `to_channels_first`.
        keys: What errors call `X`, `y` and the two arrays of `test`.
        kind: What `y` is.
        targets: Names of the targets of a regression; none: they are numbered.
        parts: Row numbers of train, validation and test where they are given, of a classification; else they are drawn.

    Raises:
        DataError: The arrays make no task; the message names the array and the way out.
    """
    inputs = check_inputs(X, keys[0])
    shape = inputs.shape[1:]
    regression = kind == REGRESSION
    least = 1 if parts else 2 if test else 3
    answers = _targets(y, len(inputs), keys, targets) if regression else _labels(y, len(inputs), keys, least)
    inputs = to_channels_first(inputs, layout, keys[0])
    if parts:
        train, validation, rest = _checked(parts, answers, keys[1])
    elif regression:
        train, validation, rest = _split_evenly(len(inputs), config, test is None, keys[1])
    else:
        train, validation, rest = split(answers.values, answers.names, config, test is None)
    if test is None:
        test_inputs, test_values = inputs[rest], answers.values[rest]
        digest = _digest([inputs, answers.values], answers.names)
    else:
        test_inputs = check_inputs(test[0], keys[2])
        if test_inputs.shape[1:] != shape:
            raise DataError(
                f"{keys[2]}: expected rows of shape {shape} as in {keys[0]}, got {test_inputs.shape[1:]}; "
                "prepare both in the same way"
            )
        test_values = _answers_of_test(test[1], len(test_inputs), keys, answers, regression)
        test_inputs = to_channels_first(test_inputs, layout, keys[2])
        digest = _digest([inputs, answers.values, test_inputs, test_values], answers.names)
    mean, deviation = _moments(inputs, train)
    target_mean, target_deviation = _moments(answers.values, train) if regression else (np.empty(0), np.empty(0))
    if regression and (constant := np.ptp(answers.values[train], axis=0) == 0).any():
        name_of = answers.names[int(constant.argmax())]
        raise DataError(f"{keys[1]}: expected targets that vary, got a constant one ({name_of}); choose another target")

    def part(inputs: Array, values: Array, key: str) -> Split:
        values = (values - target_mean) / target_deviation if regression else values
        normalised = _normalise(inputs, mean, deviation, key)
        return Split(normalised, values.astype(np.float32 if regression else np.int64))

    return Task(
        name=name,
        train=part(inputs[train], answers.values[train], keys[0]),
        validation=part(inputs[validation], answers.values[validation], keys[0]),
        test=part(test_inputs, test_values, keys[0] if test is None else keys[2]),
        classes=() if regression else answers.names,
        fingerprint=digest,
        mean=tuple(mean.ravel().tolist()),
        deviation=tuple(deviation.ravel().tolist()),
        kind=kind,
        targets=answers.names if regression else (),
        target_mean=tuple(target_mean.ravel().tolist()),
        target_deviation=tuple(target_deviation.ravel().tolist()),
    )


class _Answers(NamedTuple):
    """What is to be predicted: class indices `(n,)` and the classes, or values `(n, n_targets)` and the targets."""

    values: Array
    names: tuple[str, ...]


def _checked(parts: Parts, answers: _Answers, key: str) -> Parts:
    for part, rows in zip(("train", "validation", "test"), parts, strict=True):
        if len(rows) == 0:
            raise DataError(f"{key}: expected examples in every part, got none for {part}; add some")
    missing = np.setdiff1d(np.arange(len(answers.names)), answers.values[parts[0]])
    if len(missing):
        raise DataError(
            f"{key}: expected every class in the training part, got {answers.names[missing[0]]!r} elsewhere alone; add "
            "training examples or drop the class"
        )
    return parts


def _labels(y: npt.ArrayLike, n: int, keys: tuple[str, ...], least: int) -> _Answers:
    labels = check_labels(y, n, keys[1], keys[0])
    values, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    classes = tuple(str(value) for value in values.tolist())
    _check_classes(classes, counts, least, keys[1])
    return _Answers(codes, classes)


def _targets(y: npt.ArrayLike, n: int, keys: tuple[str, ...], names: tuple[str, ...]) -> _Answers:
    values = check_targets(y, n, keys[1], keys[0])
    return _Answers(values, names or tuple(f"{keys[1]}[{number}]" for number in range(values.shape[1])))


def _answers_of_test(y: npt.ArrayLike, n: int, keys: tuple[str, ...], known: _Answers, regression: bool) -> Array:
    if not regression:
        return _encode(check_labels(y, n, keys[3], keys[2]), known.names, keys[3])
    values = check_targets(y, n, keys[3], keys[2])
    if values.shape[1] != len(known.names):
        raise DataError(
            f"{keys[3]}: expected {len(known.names)} targets as in {keys[1]}, got {values.shape[1]}; use the same"
        )
    return values


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


def split(codes: Array, classes: tuple[str, ...], config: Splitting, with_test: bool) -> Parts:
    """Draw the parts of a classification, stratified.

    Args:
        codes: Class indices, `(n,)`.
        classes: Names of the classes, by which the draws are named.
        config: How to split.
        with_test: True if a test set is to be split off too.

    Returns:
        Row numbers of train, validation and test, each ascending.
    """
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


def _split_evenly(n: int, config: Splitting, with_test: bool, key: str) -> Parts:
    """Row numbers of train, validation and test, each ascending and drawn from all rows."""
    least = LEAST * (3 if with_test else 2)
    if n < least:
        raise DataError(f"{key}: expected at least {least} examples to split, got {n}; add examples")
    rows = stream(config.split_seed, "split", "regression").permutation(n)
    n_test = max(LEAST, round(config.test_fraction * n)) if with_test else 0
    n_validation = min(max(LEAST, round(config.validation_fraction * n)), n - n_test - LEAST)
    train, validation, test = np.split(rows, [n - n_test - n_validation, n - n_test])
    return np.sort(train), np.sort(validation), np.sort(test)


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


def _normalise(inputs: Array, mean: Array, deviation: Array, key: str) -> npt.NDArray[np.float32]:
    normalised = np.empty(inputs.shape, dtype=np.float32)
    for part in _chunks(len(inputs)):
        values = (inputs[part] - mean) / deviation
        if np.abs(values).max() > LARGEST:
            raise DataError(
                f"{key}: expected values of the scale of the training part, got one more than {LARGEST:g} of its "
                "standard deviations away; drop or rescale that feature"
            )
        normalised[part] = values
    return normalised
