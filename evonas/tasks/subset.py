"""Fewer examples of a large data set, in the same proportions."""

from typing import Annotated

import numpy as np
from pydantic import Field

from evonas.stream import stream
from evonas.tasks.checks import Array
from evonas.tasks.task import DataError

NTrain = Annotated[
    int | None,
    Field(
        ge=1,
        description="So many examples of the training part are used, drawn by class; its validation set is split off "
        "them. A larger number holds all of a smaller one.",
    ),
]


def subset(labels: Array, n: int | None, *, seed: int) -> Array:
    """Row numbers of some examples, ascending; every class has its share of them, and at least two.

    Args:
        labels: `(n_examples,)`.
        n: How many; None for all.
        seed: Fixes which.

    Raises:
        DataError: There are fewer, or too few for two of every class.
    """
    if n is None:
        return np.arange(len(labels))
    values, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if not 2 * len(values) <= n <= len(labels):
        raise DataError(
            f"n_train: expected {2 * len(values)} (two of every class) to {len(labels)} examples, got {n}; "
            "choose a number between them"
        )
    ranks = np.empty(len(labels))
    for code, value in enumerate(values.tolist()):
        rows = stream(seed, "subset", str(value)).permutation(np.flatnonzero(codes == code))
        # Examples of all classes are taken in turn, each class at the pace of its size; two of each come first.
        ranks[rows] = (np.arange(len(rows)) + 0.5) / counts[code]
        ranks[rows[:2]] = -1.0
    return np.sort(np.argsort(ranks, kind="stable")[:n])
