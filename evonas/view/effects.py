"""A picture of what each operator does: what its children gain or lose beside their fitter parents."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from evonas.analysis.effects import Effect
from evonas.view import figure

ROW = 0.34
"""Inches of height for an operator."""
SPREAD = 0.3
"""How far dots go up and down within a row."""
GOLDEN = (5**0.5 - 1) / 2
OUTER = (3.0, 99.5)
"""Percentiles of all gains between which the picture reaches at least."""
MANY = 4000


def effects(found: Sequence[Effect], *, measured: str = "fitness", ax: Axes | None = None) -> Axes:
    """Draw a row of dots for each operator, one a child: its fitness less that of its fitter parent.

    A dark tick is the median of several. Beside each row stand the number of children, the part of them that is fitter
    than the parent, and how many failed. What gained or lost far more than the others is a triangle at the picture's
    edge.

    Args:
        found: As `evonas.analysis.effects.effects` gives them, from top to bottom.
        measured: What fitness is.
        ax: Axes to draw on; None for those of a new figure.

    Returns:
        The axes; an operator's dots have the gids `gains-NAME` and `losses-NAME`, those at the edges `above-NAME` and
        `below-NAME`, its median `median-NAME`, its figures `n-NAME`, `fitter-NAME` and `failed-NAME`.
    """
    ax = figure.fresh(ax, 9.0, 1.5 + ROW * max(4, len(found)))
    gains = np.array([gain for effect in found for gain in effect.gains])
    if not found:
        return figure.nothing(ax, "nothing to show: no individual has a parent")
    left, right = _limits(gains)
    many = len(gains) > MANY
    for row, effect in enumerate(found):
        _draw_row(ax, effect, -row, (left, right), many=many)
    ax.axvline(0.0, color=figure.INK, lw=0.8, zorder=1)
    ax.set_xlim(left, right)
    ax.set_ylim(-len(found) + 0.4, 0.6)
    names = [effect.operator.replace("_", " ") for effect in found]
    ax.set_yticks([-row for row in range(len(found))], names, family=figure.FONT, size=9, parse_math=False)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(f"{measured} less that of the fitter parent", family=figure.FONT)
    figure.quiet(ax)
    ax.grid(False, axis="y")
    heading: dict[str, Any] = {"family": figure.FONT, "size": 8, "color": figure.INK, "transform": ax.transAxes}
    ax.text(1.02, 1.01, "children   fitter   failed", va="bottom", **heading)
    return ax


def _limits(gains: np.ndarray) -> tuple[float, float]:
    """The ends of the horizontal axis, with 0 inside and a little room."""
    if not len(gains):
        return -1.0, 1.0
    low, high = (float(end) for end in np.percentile(gains, OUTER))
    low, high = min(low, figure.floor(gains)), max(high, -figure.floor(-gains))
    middle = float(np.percentile(np.abs(gains), 75))
    low, high = min(low, -middle / 2), max(high, middle / 2)
    room = 0.06 * (high - low) or 0.01
    return low - room, high + room


def _draw_row(ax: Axes, effect: Effect, y: float, limits: tuple[float, float], *, many: bool) -> None:
    left, right = limits
    gains = np.array(effect.gains)
    shaken = y + SPREAD * (2 * ((np.arange(1, len(gains) + 1) * GOLDEN) % 1.0) - 1)
    edge = 0.012 * (right - left)
    inside = (gains > left + edge) & (gains < right - edge)
    style: dict[str, Any] = {"lw": 0, "alpha": 0.25 if len(gains) > 200 else 0.55, "zorder": 2, "rasterized": many}
    for better, colour in ((False, figure.VERMILION), (True, figure.BLUE)):
        chosen = inside & ((gains > 0) == better)
        gid = f"{'gains' if better else 'losses'}-{effect.operator}"
        ax.scatter(gains[chosen], shaken[chosen], s=13, color=colour, gid=gid, **style)
    for marker, outside, at in (("<", gains <= left + edge, left + edge), (">", gains >= right - edge, right - edge)):
        colour = figure.VERMILION if marker == "<" else figure.BLUE
        gid = f"{'below' if marker == '<' else 'above'}-{effect.operator}"
        ax.scatter(np.full(outside.sum(), at), shaken[outside], s=16, marker=marker, color=colour, gid=gid, **style)
    if len(gains) > 1:
        at = min(max(effect.median, left), right)
        ax.plot([at, at], [y - 0.36, y + 0.36], color=figure.INK, lw=2.4, zorder=1.8, gid=f"median-{effect.operator}")
    figures: dict[str, Any] = {"family": figure.FONT, "size": 8, "color": figure.INK, "va": "center", "ha": "right"}
    places = ax.get_yaxis_transform()
    failed = f"{effect.n_failed:,}" if effect.n_failed else "–"
    texts = {"n": (1.085, f"{effect.n:,}"), "fitter": (1.15, f"{effect.improved:.0%}"), "failed": (1.215, failed)}
    for name, (x, text) in texts.items():
        ax.text(x, y, text, transform=places, gid=f"{name}-{effect.operator}", **figures)
