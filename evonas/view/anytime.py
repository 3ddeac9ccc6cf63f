"""A picture of what several ways of searching have found at any time: the mean over their runs, and a band."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from evonas.view import figure

COLOURS = (figure.BLUE, figure.VERMILION, figure.GREEN, figure.ORANGE, figure.PURPLE, figure.BLACK, figure.SKY)
DASHES: tuple[str | tuple[int, tuple[int, ...]], ...] = ("-", (0, (5, 2)), (0, (1, 1)), (0, (5, 2, 1, 2)))
"""Lines differ by these as well, so that a print without colours can be read."""
ROBUST = 30.0
"""Percentile of all that is shown at which the picture begins: the first, poor results would flatten the rest."""


def anytime(
    grid: Sequence[float] | np.ndarray,
    bands: Mapping[str, np.ndarray],
    *,
    counted: str = "epochs spent",
    measured: str = "fitness of the best so far",
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw a line and a band, such as an interval, for each way of searching.

    Args:
        grid: What was spent, `(m,)`.
        bands: By name `(3, m)`: mean, lower and upper end; NaN where there is none.
        counted: What the horizontal axis counts.
        measured: What the vertical axis measures.
        title: Above the picture.
        ax: Axes to draw on; None for those of a new figure.

    Returns:
        The axes; every line has its name as gid.

    Raises:
        ValueError: If a band is not three rows of the grid's length.
    """
    ax = figure.fresh(ax, 8.0, 4.8)
    at = np.asarray(grid, dtype=float)
    for name, band in bands.items():
        if np.shape(band) != (3, len(at)):
            raise ValueError(
                f"{name}: expected a band of shape (3, {len(at)}), got {np.shape(band)}; use the grid's length"
            )
    means = np.array([band[0] for band in bands.values()])
    if not np.isfinite(means).any():
        return figure.nothing(ax, "nothing to show: no run has a result yet")
    for index, (name, (mean, low, high)) in enumerate(bands.items()):
        colour = COLOURS[index % len(COLOURS)]
        ax.fill_between(at, low, high, step="post", color=colour, alpha=0.15, lw=0, zorder=2)
        line = DASHES[index % len(DASHES)]
        ax.step(at, mean, where="post", color=colour, linestyle=line, lw=2.0, zorder=3, label=name, gid=name)
    figure.plain(ax, counted)
    ax.set_ylabel(measured, family=figure.FONT)
    if title:
        ax.set_title(title, family=figure.FONT, fontsize=11)
    shown = means[np.isfinite(means)]
    bottom, top = float(np.percentile(shown, ROBUST)), float(shown.max())
    highs = np.array([band[2] for band in bands.values()])
    if np.isfinite(highs).any():
        top = max(top, min(float(np.nanmax(highs)), 2 * top - bottom))
    room = 0.08 * (top - bottom)
    if room:
        ax.set_ylim(bottom - room, top + 2 * room)
    ax.margins(x=0.02)
    figure.legend_below(ax)
    return ax
