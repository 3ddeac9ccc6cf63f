"""A picture of how a campaign's fitness or hypervolume rose, beside that of a control."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from evonas.analysis.spending import Axis, spent
from evonas.record import Individual
from evonas.view import figure

POINTS = 400
"""Places at which the rolling figures are drawn at most."""
MANY = 5000
"""From here on the dots of an SVG are one image."""
DASHED = (0, (5, 2))


def progress(
    individuals: Sequence[Individual],
    *,
    control: Sequence[Individual] = (),
    label: str = "evolution",
    control_label: str = "random search",
    axis: Axis = "evaluations",
    ax: Axes | None = None,
) -> Axes:
    """Draw fitness over what was spent: evaluations told, the epochs they trained together, or seconds.

    Every evaluation is a dot, the best so far a line of steps, the latest twentieth of the evaluations (10 to 200 of
    them) a rolling median in a band of quartiles. Failed evaluations count, and are ticks at the bottom. What is far
    below all others, as first samples may be, is a triangle there.

    Args:
        individuals: Those of a campaign, in any order; what is pending is left out.
        control: Those of another campaign, of which the best so far is drawn.
        label: The campaign's name.
        control_label: The control's name.
        axis: What the horizontal axis counts; epochs where the two spend different numbers on an evaluation.
        ax: Axes to draw on; None for those of a new figure.

    Returns:
        The axes; the lines have the gids `best`, `median` and `control`.
    """
    ax = figure.fresh(ax, 9.0, 5.0)
    (spent, fitness), (rival_spent, rival) = _told(individuals, axis), _told(control, axis)
    if not np.isfinite([*fitness, *rival]).any():
        return figure.nothing(ax, figure.reason(len(fitness)))
    _draw_dots(ax, spent, fitness)
    if np.isfinite(fitness).any():
        _draw_rolling(ax, spent, fitness)
        _draw_steps(ax, *_best(spent, fitness), f"{label}, best", "best")
    if np.isfinite(rival).any():
        _draw_steps(ax, *_best(rival_spent, rival), f"{control_label}, best", "control")
    figure.plain(ax, axis)
    ax.margins(x=0.02)
    _cut(ax, spent, fitness, np.array([np.nanmax(values) for values in (fitness, rival) if np.isfinite(values).any()]))
    figure.legend(ax)
    return ax


def hypervolume(
    individuals: Sequence[Individual],
    curve: np.ndarray,
    *,
    control: Sequence[Individual] = (),
    control_curve: np.ndarray | Sequence[float] = (),
    label: str = "evolution",
    control_label: str = "random search",
    axis: Axis = "evaluations",
    ax: Axes | None = None,
) -> Axes:
    """Draw the hypervolume of the front so far over what was spent: what `progress` is for several objectives.

    Failed evaluations count, and are ticks at the bottom.

    Args:
        individuals: Those of a campaign, in any order; what is pending is left out.
        curve: `(n_told,)`, their hypervolume as `evonas.analysis.front.hypervolume_curve` gives it.
        control: Those of another campaign.
        control_curve: Theirs, on the same scale.
        label: The campaign's name.
        control_label: The control's name.
        axis: What the horizontal axis counts.
        ax: Axes to draw on; None for those of a new figure.

    Returns:
        The axes; the lines have the gids `best` and `control`.
    """
    ax = figure.fresh(ax, 9.0, 5.0)
    (spent, fitness), (rival_spent, rival) = _told(individuals, axis), _told(control, axis)
    if not np.isfinite([*fitness, *rival]).any():
        return figure.nothing(ax, figure.reason(len(fitness)))
    figure.failures(ax, spent[~np.isfinite(fitness)], rasterized=len(fitness) > MANY)
    _draw_steps(ax, spent, np.asarray(curve), label, "best")
    if len(rival):
        _draw_steps(ax, rival_spent, np.asarray(control_curve), control_label, "control")
    figure.plain(ax, axis)
    ax.set_ylabel("hypervolume of the front", family=figure.FONT)
    ax.set_ylim(0, 1.02)
    ax.margins(x=0.02)
    figure.legend(ax)
    return ax


def _draw_steps(ax: Axes, at: np.ndarray, values: np.ndarray, label: str, gid: str) -> None:
    """Steps of the campaign, thick, or of its control, dashed."""
    style: dict[str, Any] = {"color": figure.BLUE, "lw": 2.2, "zorder": 4}
    if gid == "control":
        style = {"color": figure.VERMILION, "lw": 2.0, "zorder": 3, "linestyle": DASHED}
    ax.step(at, values, where="post", label=label, gid=gid, **style)


def _told(individuals: Sequence[Individual], axis: Axis) -> tuple[np.ndarray, np.ndarray]:
    """What was spent by each telling, and fitness or NaN; both `(n_told,)`, in the order of telling."""
    told, amounts = spent(individuals, axis)
    return amounts, np.array([figure.fitness_of(one) for one in told], dtype=float)


def _best(spent: np.ndarray, fitness: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The best so far from the first success to the last evaluation told, after what was spent by each."""
    best = np.fmax.accumulate(fitness)
    first = int(np.argmax(np.isfinite(best)))
    return spent[first:], best[first:]


def _draw_dots(ax: Axes, spent: np.ndarray, fitness: np.ndarray) -> None:
    ok = np.isfinite(fitness)
    many = len(fitness) > MANY
    ax.scatter(
        spent[ok], fitness[ok], s=12, color=figure.SKY, alpha=0.25 if many else 0.45, lw=0, rasterized=many, zorder=1
    )
    figure.failures(ax, spent[~ok], rasterized=many)


def _cut(ax: Axes, spent: np.ndarray, fitness: np.ndarray, shown: np.ndarray) -> None:
    """End the picture above what is far below all others, and mark what that is."""
    if not np.isfinite(fitness).any():
        return
    end = figure.floor(fitness, shown)
    below = fitness < end
    if not below.any():
        return
    top = ax.get_ylim()[1]
    # All that is shown may be equal.
    room = 0.05 * (float(np.nanmax(shown)) - end or abs(end) or 1.0)
    ax.set_ylim(end - 2 * room, min(top, float(np.nanmax(shown)) + 2 * room))
    name = f"below the picture ({below.sum():,})"
    at = np.full(below.sum(), end - room)
    ax.scatter(spent[below], at, s=18, marker="v", color=figure.SKY, lw=0, label=name, gid="below", zorder=2)


def _draw_rolling(ax: Axes, spent: np.ndarray, fitness: np.ndarray) -> None:
    ok = np.isfinite(fitness)
    spent, values = spent[ok], fitness[ok]
    width = min(max(10, len(values) // 20), 200)
    if len(values) < width:
        return
    ends = np.unique(np.linspace(width, len(values), POINTS).astype(int))
    low, middle, high = np.array([np.percentile(values[end - width : end], (25, 50, 75)) for end in ends]).T
    at = spent[ends - 1]
    ax.fill_between(at, low, high, color=figure.SKY, alpha=0.3, lw=0, zorder=2)
    name = f"median and quartiles of {width}"
    ax.plot(at, middle, color=figure.BLUE, lw=1.0, alpha=0.8, zorder=3, label=name, gid="median")
