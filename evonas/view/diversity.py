"""A picture of how different the genomes are that a search looks at."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from evonas.analysis.diversity import Diversity
from evonas.analysis.spending import Axis
from evonas.view import figure


def diversity(
    measured: Diversity, *, control: Diversity | None = None, axis: Axis = "evaluations", ax: Axes | None = None
) -> Axes:
    """Draw the distance between two of the latest genomes: its mean, in a band of quartiles.

    Args:
        measured: As `evonas.analysis.diversity.diversity` gives it.
        control: That of another campaign, of which the mean is drawn.
        axis: What its places count.
        ax: Axes to draw on; None for those of a new figure.

    Returns:
        The axes; the lines have the gids `mean` and `control`.
    """
    ax = figure.fresh(ax, 9.0, 3.6)
    if not len(measured.at):
        return figure.nothing(ax, "nothing to show: fewer than two evaluations succeeded")
    mean, low, high = measured.distances
    at, marker = measured.at, "o" if len(measured.at) == 1 else ""
    ax.fill_between(at, low, high, color=figure.SKY, alpha=0.3, lw=0, zorder=2, label="quartiles")
    name = f"mean distance between two of the latest {measured.n_latest}"
    ax.plot(at, mean, color=figure.BLUE, lw=2.0, zorder=3, marker=marker, gid="mean", label=name)
    if control is not None and len(control.at):
        dot = "o" if len(control.at) == 1 else ""
        style: dict[str, Any] = {"color": figure.VERMILION, "linestyle": (0, (5, 2)), "lw": 1.6, "marker": dot}
        ax.plot(control.at, control.distances[0], zorder=2.5, gid="control", label="random search", **style)
    figure.plain(ax, axis)
    ax.set_ylabel("distance of genomes", family=figure.FONT)
    top = max(float(np.max(high)), *(control.distances[0] if control is not None and len(control.at) else (0.0,)))
    ax.set_ylim(0, 1.08 * top or 1.0)
    ax.margins(x=0.02)
    figure.legend_below(ax)
    return ax
