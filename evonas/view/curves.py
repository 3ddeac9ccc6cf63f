"""A picture of learning: the validation score of every individual, epoch by epoch."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from evonas.analysis.lineage import fitter_line
from evonas.record import Individual
from evonas.view import figure

LIMIT = 2000
"""Faded curves drawn at most."""
MANY = 300
"""From here on the faded curves of an SVG are one image."""
LONG = 40
"""From so many fitter parents on, where their curves end is strong, and not the curves."""
NAMED = 14
"""Ancestors that carry their number at most."""

Points = np.ndarray
"""A curve, `(n, 2)`: epochs and scores."""


def curves(
    individuals: Sequence[Individual],
    *,
    winner: int | None = None,
    score: str = "accuracy",
    maximise: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw the validation score over the epochs that weights were trained, ancestors included.

    The curve of an individual that inherited begins where that of its first donor ended, with its score at birth. The
    winner and its fitter parents are strong, all others faded.

    Args:
        individuals: Those of a campaign, in any order; what has no curve is left out.
        winner: Whose ancestry is drawn strong; None for the highest fitness, among equals the first.
        score: The metric; curves hold it as `validation_NAME`, metrics at birth as `NAME_at_birth`.
        maximise: True if more of it is better.
        ax: Axes to draw on; None for those of a new figure.

    Returns:
        The axes; the lines have the gids `others` and `curve-ID`.
    """
    ax = figure.fresh(ax, 9.0, 5.0)
    told = {one.id: one for one in sorted(individuals, key=lambda one: one.id) if one.state != "pending"}
    begun = _beginnings(told)
    points = {i: found for i, one in told.items() if len(found := _points(one, begun[i], score))}
    if not points:
        text = "nothing to show: no individual has a learning curve"
        return figure.nothing(ax, text if any(one.curve for one in told.values()) else figure.reason(len(told)))
    if winner is None or winner not in points:
        winner = max(points, key=lambda i: (figure.fitness_of(told[i]) or -math.inf, -i))
    line = [one.id for one in fitter_line(told.values(), winner) if one.id in points]
    others = [i for i in points if i not in line]
    kept = others if len(others) <= LIMIT else [others[at] for at in np.linspace(0, len(others) - 1, LIMIT).astype(int)]
    many = len(kept) > MANY
    faded: dict[str, Any] = {"colors": figure.GREY, "linewidths": 0.7, "alpha": 0.12 if many else 0.35}
    name = f"all others ({len(kept):,} of {len(others):,})" if len(kept) < len(others) else "all others"
    if kept:
        ax.add_collection(LineCollection([points[i] for i in kept], gid="others", rasterized=many, label=name, **faded))
    _draw_line(ax, line, points, told)
    figure.plain(ax, "epochs trained, those of the ancestors whose weights were inherited included")
    ax.set_ylabel(f"validation {score.replace('_', ' ')}", family=figure.FONT)
    ax.autoscale_view()
    _limit(ax, [points[i] for i in kept], [points[i] for i in line], maximise=maximise)
    figure.legend_below(ax)
    return ax


def _beginnings(told: Mapping[int, Individual]) -> dict[int, int]:
    """The epochs that each one's weights had been trained when it was born."""
    begun: dict[int, int] = {}
    for i, one in told.items():
        donor = one.donors[0] if one.donors else i
        begun[i] = begun[donor] + told[donor].epochs if donor in begun else 0
    return begun


def _points(one: Individual, begun: int, score: str) -> Points:
    """A curve from birth on; empty where there is none."""
    name, at_birth = f"validation_{score}", one.metrics.get(f"{score}_at_birth", math.nan)
    found = [(begun, at_birth)] + [(begun + row["epoch"], row.get(name, math.nan)) for row in one.curve]
    return np.array([pair for pair in found if math.isfinite(pair[1])] if one.curve else [], dtype=float)


def _draw_line(ax: Axes, line: Sequence[int], points: Mapping[int, Points], told: Mapping[int, Individual]) -> None:
    """The winner's line, a curve each, and between two of them what the step did to the score before training."""
    long = len(line) > LONG
    faint: dict[str, Any] = {"alpha": 0.3} if long else {}
    for at, i in enumerate(line[:-1]):
        label = "its fitter parents" if at == 0 and not long else None
        ax.plot(
            *points[i].T, color=figure.BLUE, lw=0.6 if long else 1.8, zorder=4, gid=f"curve-{i}", label=label, **faint
        )
    for before, i in pairwise(line):
        if told[i].donors[:1] == (before,) and not long:
            step = np.array([points[before][-1], points[i][0]])
            ax.plot(*step.T, color=figure.BLUE, lw=1.0, linestyle=":", zorder=3.5)
    ends = np.array([points[i][-1] for i in line])
    dots: dict[str, Any] = {"marker": "" if long else "o", "ms": 4, "mec": "white", "lw": 1.8 if long else 0.0}
    label = "where its fitter parents ended" if long else None
    ax.plot(*ends[:-1].T, color=figure.BLUE, zorder=6, gid="ends", label=label, **dots)
    last = line[-1]
    name = f"individual {last}, the winner"
    ax.plot(*points[last].T, color=figure.VERMILION, lw=2.6, zorder=5, gid=f"curve-{last}", label=name)
    ax.plot(*ends[-1:].T, color=figure.VERMILION, marker="*", ms=13, mec="white", ls="", zorder=6)
    style: dict[str, Any] = {"family": figure.FONT, "size": 8, "ha": "center", "color": figure.INK}
    for at in range(len(line)) if len(line) <= NAMED else np.linspace(0, len(line) - 1, NAMED).astype(int):
        gid = f"name-{line[at]}"
        ax.annotate(str(line[at]), tuple(ends[at]), (0, 9), textcoords="offset points", zorder=7, gid=gid, **style)


def _limit(ax: Axes, faded: list[Points], strong: list[Points], *, maximise: bool) -> None:
    """End the vertical axis, on its worse side, where the later halves of most curves are inside."""
    sign = 1.0 if maximise else -1.0
    later = sign * np.concatenate([points[len(points) // 2 :] for points in (*faded, *strong)])[:, 1]
    worst = figure.floor(later, [sign * points[-1, 1] for points in strong])
    best = max(sign * float(points[:, 1].max() if maximise else points[:, 1].min()) for points in (*faded, *strong))
    if room := best - worst:
        ax.set_ylim(*sorted((sign * (worst - 0.06 * room), sign * (best + 0.14 * room))))
