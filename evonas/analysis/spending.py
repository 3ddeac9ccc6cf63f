"""What a campaign had spent when each of its results was known."""

from collections.abc import Iterable
from typing import Literal

import numpy as np

from evonas.record import PENDING, Individual
from genomes.words import meant

Axis = Literal["evaluations", "epochs", "seconds"]
AXES: tuple[Axis, ...] = ("evaluations", "epochs", "seconds")
"""What can be counted: evaluations told, epochs they trained together, seconds of the campaign's clock."""


def spent(individuals: Iterable[Individual], axis: Axis = "evaluations") -> tuple[list[Individual], np.ndarray]:
    """The individuals told, in the order of telling, and what had been spent when each was.

    Args:
        individuals: Those of a campaign, in any order; what is pending is left out.
        axis: What is counted.

    Returns:
        The individuals, and amounts `(n_told,)` that do not fall.

    Raises:
        ValueError: If the axis is unknown.
    """
    if axis not in AXES:
        raise ValueError(f"axis: expected one of {', '.join(AXES)}, got {axis!r}; {meant(axis, AXES)}")
    told = sorted((one for one in individuals if one.state != PENDING), key=lambda one: (one.elapsed, one.id))
    if axis == "seconds":
        return told, np.array([one.elapsed for one in told], dtype=float)
    return told, np.cumsum([one.epochs if axis == "epochs" else 1 for one in told], dtype=int)
