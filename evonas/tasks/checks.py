"""What inputs and labels may look like, and the errors that say what came instead."""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from evonas.tasks.task import DataError

Array = npt.NDArray[Any]
Layout = Literal["auto", "channels_first", "channels_last"]

CHANNELS = (1, 3, 4)
LARGEST = 1e30
EXACT = 2.0**53


def as_array(values: npt.ArrayLike, key: str) -> Array:
    """The values as a numpy array.

    Args:
        values: An array or nested sequences.
        key: Its name in errors.

    Raises:
        DataError: They are ragged, or some are masked.
    """
    if np.ma.isMaskedArray(values) and np.ma.is_masked(values):
        raise DataError(f"{key}: expected a plain array, got one with masked values; fill or drop them")
    try:
        return np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(f"{key}: expected a rectangular array, got {type(values).__name__}: {reason}") from error


def check_inputs(values: npt.ArrayLike, key: str) -> Array:
    """Inputs that are finite numbers, one example a row.

    Args:
        values: `(n, features)`, `(n, height, width)` or `(n, channels, height, width)`; booleans, integers or floats.
        key: Its name in errors.

    Returns:
        The same values and shape, floats as float32 or float64.

    Raises:
        DataError: Another type or dimension, no values at all, or some that are not finite.
    """
    X = as_array(values, key)
    if X.dtype.kind not in "biuf":
        raise DataError(f"{key}: expected numbers (bool, int or float), got dtype {X.dtype}; convert it to float32")
    if X.ndim < 2:
        raise DataError(
            f"{key}: expected one example a row, (n, features) or (n, channels, height, width), got shape "
            f"{X.shape}; one feature is {key}.reshape(-1, 1)"
        )
    if X.ndim > 4:
        raise DataError(
            f"{key}: expected 2 to 4 dimensions, (n, features) to (n, channels, height, width), got {X.ndim} with "
            f"shape {X.shape}; flatten it with {key}.reshape(len({key}), -1)"
        )
    if X.size == 0:
        raise DataError(f"{key}: expected at least one value, got an empty array of shape {X.shape}")
    if X.dtype.kind == "f":
        with np.errstate(invalid="ignore", over="ignore"):
            X = X.astype(np.float32 if X.dtype.itemsize <= 4 else np.float64, copy=False)
            bad = ~(np.abs(X) <= LARGEST)
        if bad.any():
            first = tuple(int(axis) for axis in np.unravel_index(int(bad.argmax()), X.shape))
            raise DataError(
                f"{key}: expected finite inputs within ±{LARGEST:g}, got {int(bad.sum())} that are NaN, infinite or "
                f"larger, the first ({X[first]}) at index {first}; fill them or drop these rows"
            )
    return X


def to_channels_first(X: Array, layout: Layout, key: str) -> Array:
    """Images as `(n, channels, height, width)`; vectors as they are.

    `auto` takes `(n, a, b, c)` as channels last only when it is unmistakable: c is 1, 3 or 4, the image is square
    (a = b) and c < a. It refuses to guess when c is 1, 3 or 4 while neither a is one of these nor b = c.

    Args:
        X: `(n, features)`, `(n, height, width)` or four dimensions.
        layout: Where the channels of four dimensions are.
        key: Its name in errors.

    Returns:
        A view of `X`, `(n, features)` or `(n, channels, height, width)`.

    Raises:
        DataError: `layout` is `auto` and the shape can be read both ways.
    """
    if X.ndim == 2:
        return X
    if X.ndim == 3:
        return X[:, None]
    _, a, b, c = X.shape
    if layout == "auto" and c in CHANNELS and a != b and a not in CHANNELS and b != c:
        raise DataError(
            f"{key}: cannot tell whether shape {X.shape} has its channels first or last; set layout to "
            f"'channels_first' or 'channels_last', or use {key}.transpose(0, 3, 1, 2) on channels last"
        )
    last = layout == "channels_last" or (layout == "auto" and c in CHANNELS and a == b and c < a)
    return X.transpose(0, 3, 1, 2) if last else X


def check_labels(values: npt.ArrayLike, n: int, key: str, inputs_key: str) -> Array:
    """Labels that name classes, one an example.

    Args:
        values: `(n,)`; integers, booleans, strings or floats that are whole numbers.
        n: Number of examples.
        key: Its name in errors.
        inputs_key: The inputs' name in errors.

    Returns:
        `(n,)`; whole floats have become integers and bytes strings.

    Raises:
        DataError: Another type, dimension or length.
    """
    y = as_array(values, key)
    if y.ndim == 2 and y.shape[1] == 1:
        raise DataError(f"{key}: expected labels of shape (n,), got {y.shape}; use {key}.ravel()")
    if y.ndim == 2:
        raise DataError(
            f"{key}: expected labels of shape (n,), got {y.shape}, which looks one-hot; use {key}.argmax(axis=1)"
        )
    if y.ndim != 1:
        raise DataError(f"{key}: expected labels of shape (n,), got {y.shape}; give one label for each example")
    if len(y) != n:
        raise DataError(
            f"{key}: expected one label for each of the {n} rows of {inputs_key}, got {len(y)}; "
            "the two must be in the same order and of the same length"
        )
    return _as_names(y, key)


def check_targets(values: npt.ArrayLike, n: int, key: str, inputs_key: str) -> Array:
    """Targets of a regression, one or several an example.

    Args:
        values: `(n,)` or `(n, n_targets)`; booleans, integers or floats.
        n: Number of examples.
        key: Its name in errors.
        inputs_key: The inputs' name in errors.

    Returns:
        `(n, n_targets)`, float64.

    Raises:
        DataError: Another type, dimension or length, or some that are not finite.
    """
    y = as_array(values, key)
    if y.dtype.kind not in "biuf":
        raise DataError(f"{key}: expected numbers as targets, got dtype {y.dtype}; convert them, or name classes")
    if y.ndim not in (1, 2) or y.size == 0:
        raise DataError(f"{key}: expected targets of shape (n,) or (n, n_targets), got {y.shape}; reshape them")
    if len(y) != n:
        raise DataError(
            f"{key}: expected targets for each of the {n} rows of {inputs_key}, got {len(y)}; "
            "the two must be in the same order and of the same length"
        )
    return check_inputs(y.reshape(n, -1), key).astype(np.float64)


def _as_names(y: Array, key: str) -> Array:
    if y.dtype.kind in "biuU":
        return y
    if y.dtype.kind == "O" and all(isinstance(label, str) for label in y):
        return y.astype(str)
    if y.dtype.kind == "S":
        try:
            return np.char.decode(y, "utf-8")
        except UnicodeDecodeError as error:
            raise DataError(f"{key}: expected labels in UTF-8, got other bytes; save them as strings") from error
    if y.dtype.kind == "f":
        with np.errstate(invalid="ignore", over="ignore"):
            bad = ~(np.abs(y.astype(np.float64)) < EXACT) | (y != np.floor(y))
        if not bad.any():
            return y.astype(np.int64)
        first = int(bad.argmax())
        raise DataError(
            f"{key}: expected class labels (integers, booleans or strings), got {int(bad.sum())} values that are "
            f"none, the first ({y[first]}) at index {first}; number or name the classes, or set kind to 'regression'"
        )
    raise DataError(
        f"{key}: expected class labels (integers, booleans or strings), got dtype {y.dtype}; number or name the classes"
    )
