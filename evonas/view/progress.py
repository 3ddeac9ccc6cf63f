"""A picture of how a campaign's fitness rose, beside that of a control."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

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
    ax: Axes | None = None,
) -> Axes:
    """Draw fitness over the number of evaluations told.

    Every evaluation is a dot, the best so far a line of steps, the latest twentieth of the evaluations (10 to 200 of
    them) a rolling median in a band of quartiles. Failed evaluations count, and are ticks at the bottom.

    Args:
        individuals: Those of a campaign, in any order; what is pending is left out.
        control: Those of another campaign, of which the best so far is drawn.
        label: The campaign's name.
        control_label: The control's name.
        ax: Axes to draw on; None for those of a new figure.

    Returns:
        The axes; the lines have the gids `best`, `median` and `control`.
    """
    ax = figure.fresh(ax, 9.0, 5.0)
    fitness, rival = _told(individuals), _told(control)
    if not np.isfinite([*fitness, *rival]).any():
        return figure.nothing(ax, figure.reason(len(fitness)))
    _draw_dots(ax, fitness)
    if np.isfinite(fitness).any():
        _draw_rolling(ax, fitness)
        ax.step(*_best(fitness), where="post", color=figure.BLUE, lw=2.2, zorder=4, label=f"{label}, best", gid="best")
    if np.isfinite(rival).any():
        ax.step(
            *_best(rival),
            where="post",
            color=figure.VERMILION,
            linestyle=DASHED,
            lw=2.0,
            zorder=3,
            label=f"{control_label}, best",
            gid="control",
        )
    figure.plain(ax, "evaluations")
    ax.margins(x=0.02)
    figure.legend(ax)
    return ax


def _told(individuals: Sequence[Individual]) -> np.ndarray:
    """Fitness `(n_told,)` in the order of telling, NaN where there is none."""
    told = sorted((i for i in individuals if i.state != "pending"), key=lambda i: (i.elapsed, i.id))
    return np.array([figure.fitness_of(one) for one in told], dtype=float)


def _best(fitness: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The best so far from the first success to the last evaluation told, and the count at each."""
    best = np.fmax.accumulate(fitness)
    first = int(np.argmax(np.isfinite(best)))
    return np.arange(first, len(best)) + 1, best[first:]


def _draw_dots(ax: Axes, fitness: np.ndarray) -> None:
    count = np.arange(len(fitness)) + 1
    ok = np.isfinite(fitness)
    many = len(fitness) > MANY
    ax.scatter(
        count[ok], fitness[ok], s=12, color=figure.SKY, alpha=0.25 if many else 0.45, lw=0, rasterized=many, zorder=1
    )
    figure.failures(ax, count[~ok], rasterized=many)


def _draw_rolling(ax: Axes, fitness: np.ndarray) -> None:
    count = np.flatnonzero(np.isfinite(fitness)) + 1
    values = fitness[count - 1]
    width = min(max(10, len(values) // 20), 200)
    if len(values) < width:
        return
    ends = np.unique(np.linspace(width, len(values), POINTS).astype(int))
    low, middle, high = np.array([np.percentile(values[end - width : end], (25, 50, 75)) for end in ends]).T
    at = count[ends - 1]
    ax.fill_between(at, low, high, color=figure.SKY, alpha=0.3, lw=0, zorder=2)
    name = f"median and quartiles of {width}"
    ax.plot(at, middle, color=figure.BLUE, lw=1.0, alpha=0.8, zorder=3, label=name, gid="median")
