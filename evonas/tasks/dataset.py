"""Examples one by one, as a torch `Dataset` or a list has them."""

from collections.abc import Sequence
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from evonas.tasks.arrays import from_arrays
from evonas.tasks.checks import Array, Layout
from evonas.tasks.task import CLASSIFICATION, DataError, Task


@runtime_checkable
class Dataset(Protocol):
    """What has a number of examples `(x, y)`: a torch map-style `Dataset`, or any sequence."""

    def __len__(self) -> int:
        """Number of examples."""

    def __getitem__(self, index: int, /) -> Any:
        """One example, `(x, y)`."""


def from_dataset(
    dataset: Dataset,
    *,
    test: Dataset | None = None,
    kind: Literal["classification", "regression"] = CLASSIFICATION,
    layout: Layout = "auto",
    split_seed: int = 0,
    validation_fraction: float = 0.2,
    test_fraction: float = 0.2,
) -> Task:
    """Make a task of a data set that gives its examples one by one; all are held in memory.

    Args:
        dataset: `(x, y)` by number, 0 to `len(dataset) - 1`. `x` is what `numpy.asarray` makes an array of one shape
            of: a tensor on the CPU, an array, a picture of Pillow; `y` is a label, or the targets of a regression. A
            transformation that draws at random is drawn once.
        test: A test set of its own; None splits one off.
        kind: What `y` is.
        layout: Where pictures have their channels; see `from_arrays`, as for the rest.
        split_seed: Fixes which examples go into which part.
        validation_fraction: Part of all examples (of the training ones if a test set is given), up to 0.4.
        test_fraction: Part of all examples, up to 0.4; not used if a test set is given.

    Raises:
        DataError: The examples make no task; the message names the first that does not fit.
    """
    X, y = arrays_of(dataset)
    X_test, y_test = (None, None) if test is None else arrays_of(test)
    return from_arrays(
        X,
        y,
        X_test=X_test,
        y_test=y_test,
        kind=kind,
        layout=layout,
        split_seed=split_seed,
        validation_fraction=validation_fraction,
        test_fraction=test_fraction,
    )


def arrays_of(dataset: Dataset) -> tuple[Array, Array]:
    """The examples of a data set as two arrays, `(n, …)` each.

    Raises:
        DataError: It is empty, or an example is no pair, no array or of another shape than the first.
    """
    n = len(dataset)
    if n == 0:
        raise DataError("dataset: expected examples (x, y), got none; add some")
    X, y = _pair(dataset, 0)
    inputs, answers = (np.empty((n, *one.shape), one.dtype) for one in (X, y))
    for number in range(n):
        if number:
            X, y = _pair(dataset, number)
        inputs, answers = _with(inputs, X, number), _with(answers, y, number)
    return inputs, answers


def _pair(dataset: Dataset, number: int) -> Sequence[Array]:
    item = dataset[number]
    if not isinstance(item, (tuple, list)) or len(item) != 2:
        raise DataError(f"dataset: example {number}: expected a pair (x, y), got {type(item).__name__}; give both")
    try:
        return [np.asarray(one) for one in item]
    except (TypeError, ValueError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(f"dataset: example {number}: expected what numpy makes an array of, got {reason}") from error


def _with(array: Array, value: Array, number: int) -> Array:
    """The array with one value put in; it takes on the type of both."""
    if value.shape != array.shape[1:]:
        raise DataError(
            f"dataset: example {number}: expected the shape {array.shape[1:]} of the first, got {value.shape}; make "
            "all equal"
        )
    if value.dtype != array.dtype:
        array = array.astype(np.result_type(array.dtype, value.dtype))
    array[number] = value
    return array
