"""What several objectives came to: the front, and how its hypervolume grew."""

from collections.abc import Iterable, Sequence

import moocore
import numpy as np

from evonas.campaign.front import Ranked, front_of, joined
from evonas.campaign.objectives import Objectives
from evonas.record import COMPLETE, PENDING, Individual


def front(individuals: Iterable[Individual], objectives: Objectives) -> list[Individual]:
    """The complete individuals that no other dominates, the best of the first objective first."""
    return front_of(individuals, objectives)


def hypervolume_curve(
    individuals: Iterable[Individual], objectives: Objectives, *, scale: Iterable[Individual] | None = None
) -> np.ndarray:
    """The hypervolume of the front so far, after each evaluation told: what part of the space it dominates.

    Each objective is scaled to 0 … 1, between the worst and the best value seen in the whole campaign; an objective
    that never differs counts as 1. The reference point is the worst. Hypervolumes are comparable on one scale only.
    Zitzler & Thiele 1998 (https://doi.org/10.1007/BFb0056872), computed by moocore.

    Args:
        individuals: Those of a campaign, in any order; what is pending is left out.
        objectives: The campaign's.
        scale: Individuals whose worst and best values are 0 and 1; None: these. A campaign and its control need one
            scale: give both.

    Returns:
        `(n_told,)`, between 0 and 1, in the order of telling; 0 before the first success.
    """
    told = sorted((one for one in individuals if one.state != PENDING), key=lambda one: (one.elapsed, one.id))
    seen = np.array(_values(told if scale is None else scale, objectives), dtype=float)
    if not len(seen):
        return np.zeros(len(told))
    worst, best = seen.min(0), seen.max(0)
    curve = np.zeros(len(told))
    found: list[Ranked] = []
    for at, one in enumerate(told):
        before = found
        if one.state == COMPLETE:
            found = joined(found, Ranked.of(one.id, one.metrics, objectives))
        same = found == before
        curve[at] = (curve[at - 1] if at else 0.0) if same else _hypervolume([i.values for i in found], worst, best)
    return curve


def _values(individuals: Iterable[Individual], objectives: Objectives) -> list[tuple[float, ...]]:
    return [objectives.values(one.metrics) for one in individuals if one.state == COMPLETE]


def _hypervolume(values: Sequence[tuple[float, ...]], worst: np.ndarray, best: np.ndarray) -> float:
    """The hypervolume of points, each `(n_objectives,)`, scaled between the worst and the best."""
    differs = best > worst
    span = np.where(differs, best - worst, 1.0)
    points = np.where(differs, (np.array(values) - worst) / span, 1.0)
    return float(moocore.hypervolume(points, ref=np.zeros(len(worst)), maximise=True))
