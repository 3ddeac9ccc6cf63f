"""A picture of what a campaign traded against what: its individuals in the plane of two metrics."""

import math
import re
from collections.abc import Collection, Sequence
from itertools import product
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.path import Path
from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, NullFormatter
from matplotlib.transforms import Bbox

from evonas.record import COMPLETE, Individual
from evonas.view import figure

NAMED = 12
"""Individuals of the front whose numbers are written at most."""
WIDE = 20.0
"""An axis is logarithmic where the largest value is so many times the smallest."""
MANY = 5000
"""From here on the dots of an SVG are one image."""
SIZE, REACHES = 9.0, (6.5, 14.0, 24.0)
"""Size of the numbers, and how far from their dots they are tried, in points."""
LETTER = 0.68
"""Width of a digit, in sizes of it."""
WAYS = tuple(np.array(way) for way in ((1, 1), (0, 1), (1, 0), (-1, 1), (1, -1), (-1, 0), (0, -1), (-1, -1)))
"""Where a number may stand from its dot, in directions of what is better: there, no dot is nearer to it."""
UNITS = {"memory": "bytes", "latency": "s", "seconds": "s"}
"""The unit of a metric by a word of its name."""


def front(
    individuals: Sequence[Individual], x: str, y: str, *, maximize: Collection[str] = (), ax: Axes | None = None
) -> Axes:
    """Draw every individual in the plane of two metrics, and strong those that none dominates in it.

    The staircase is the border of what the front's individuals dominate. Up to 12 of them carry their numbers, the two
    ends first and then evenly along the front, where there is room.

    Args:
        individuals: Those of a campaign, in any order; what did not succeed or lacks a metric is left out.
        x: The metric that runs to the right.
        y: The metric that runs upwards.
        maximize: The metrics of which more is better; of the others less is.
        ax: Axes to draw on; None for those of a new figure.

    Returns:
        The axes; `front` is the gid of the front's dots, `staircase` of its line, `dominated` of the other dots, and
        `name-ID` of a number.
    """
    ax = figure.fresh(ax, 8.0, 5.5)
    told = [one for one in individuals if one.state != "pending"]
    alive = sorted((one for one in told if one.state == COMPLETE), key=lambda one: one.id)
    known = [one for one in alive if all(math.isfinite(one.metrics.get(name, math.nan)) for name in (x, y))]
    if not known:
        text = f"nothing to show: no individual has both {x} and {y}" if alive else figure.reason(len(told))
        return figure.nothing(ax, text)
    values = np.array([(one.metrics[x], one.metrics[y]) for one in known], dtype=float)
    signs = np.array([1.0 if name in maximize else -1.0 for name in (x, y)])
    best = non_dominated(values * signs)
    _draw_dots(ax, values, best)
    _prepare(ax, (x, y), values, maximize)
    order = best[np.lexsort((values[best, 1], values[best, 0]))]
    corners = _staircase(values[order], pre=x in maximize)
    ax.plot(*corners.T, color=figure.BLUE, lw=1.8, zorder=3, gid="staircase")
    _name(ax, [known[at].id for at in order], values[order], corners, signs)
    return ax


def non_dominated(gains: np.ndarray) -> np.ndarray:
    """Which rows no other row dominates: none is at least as large everywhere and larger somewhere.

    Args:
        gains: `(n, 2)`, of which more is better.

    Returns:
        Ascending indices `(n_best,)`; equal rows are all of them in it, or none is.
    """
    found, highest, at_highest = [], -math.inf, math.nan
    for at in np.lexsort((-gains[:, 1], -gains[:, 0])):
        first, second = gains[at]
        if second > highest or (second == highest and first == at_highest):
            found.append(at)
            highest, at_highest = second, first
    return np.array(sorted(found), dtype=int)


def named(metric: str) -> str:
    """A metric in words, with its unit where it has one."""
    words = re.sub(r"_(\d+)$", r" of a batch of \1", metric).replace("_", " ").replace("macs", "MACs")
    unit = next((unit for word, unit in UNITS.items() if word in metric), "")
    return f"{words} ({unit})" if unit else words


def _draw_dots(ax: Axes, values: np.ndarray, best: np.ndarray) -> None:
    rest = np.setdiff1d(np.arange(len(values)), best)
    many = len(rest) > MANY
    # Those with the same values are one point, and one on the front.
    n_best = len(np.unique(values[best], axis=0))
    if len(rest):
        style: dict[str, Any] = {"s": 14, "color": figure.GREY, "alpha": 0.25 if many else 0.45, "lw": 0}
        name = f"dominated ({len(rest):,})"
        ax.scatter(*values[rest].T, **style, rasterized=many, zorder=2, label=name, gid="dominated")
    style = {"s": 46, "color": figure.BLUE, "edgecolor": "white", "lw": 0.8}
    ax.scatter(*values[best].T, **style, zorder=4, label=f"dominated by none ({n_best:,})", gid="front")


def _prepare(ax: Axes, metrics: tuple[str, str], values: np.ndarray, maximize: Collection[str]) -> None:
    """Scale and name the axes; the dots' names go above them, where no dot can be."""
    figure.quiet(ax)
    for at, (axis, metric) in enumerate(zip((ax.xaxis, ax.yaxis), metrics, strict=True)):
        better = "higher" if metric in maximize else "lower"
        axis.set_label_text(f"{named(metric)}, {better} is better", family=figure.FONT, parse_math=False)
        low, high = values[:, at].min(), values[:, at].max()
        if low > 0 and high > WIDE * low:
            ax.set(**{f"{'xy'[at]}scale": "log"})
            decades = math.log10(high / low)
            axis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 2.5 else (1, 3) if decades < 4 else (1,)))
            axis.set_minor_formatter(NullFormatter())
        axis.set_major_formatter(FuncFormatter(_tick))
    ax.margins(0.08)
    style: dict[str, Any] = {"loc": "lower right", "bbox_to_anchor": (1.0, 1.0), "ncols": 2, "borderaxespad": 0.3}
    ax.legend(**style, prop={"family": figure.FONT, "size": 9}, frameon=False)


def _tick(value: float, _: int | None = None) -> str:
    """A number of few letters: 0.002, 350, 25k, 1.5M."""
    return EngFormatter(sep="").format_eng(value) if abs(value) >= 10_000 else f"{value:.6g}"


def _staircase(points: np.ndarray, *, pre: bool) -> np.ndarray:
    """The corners from point to point: between two it is at the one that still dominates there.

    Args:
        points: The front `(n, 2)`, from left to right.
        pre: True where more of the horizontal metric is better.
    """
    xs, ys = np.repeat(points, 2, axis=0).T
    return np.stack((xs[:-1], ys[1:]) if pre else (xs[1:], ys[:-1]), axis=1)


def _name(ax: Axes, ids: Sequence[int], points: np.ndarray, corners: np.ndarray, signs: np.ndarray) -> None:
    """Write numbers beside dots where they touch neither each other nor the front; else leave them out."""
    apart = [at for at in range(len(ids)) if at == 0 or tuple(points[at]) != tuple(points[at - 1])]
    chosen = [apart[at] for at in np.unique(np.linspace(0, len(apart) - 1, NAMED).round().astype(int))]
    figure.inches(ax)
    pixels = figure.figure_of(ax).dpi / 72
    dots, line = ax.transData.transform(points), Path(ax.transData.transform(corners))
    taken = [Bbox.from_extents(*(dot - 4 * pixels), *(dot + 4 * pixels)) for dot in dots]
    for at in sorted(chosen, key=lambda at: at not in (chosen[0], chosen[-1])):
        text = str(ids[at])
        half = np.array((LETTER * len(text) * SIZE, SIZE)) / 2 * pixels
        for reach, way in product(REACHES, WAYS):
            centre = dots[at] + way * signs * (half + reach * pixels / math.hypot(*way))
            box = Bbox.from_extents(*(centre - half), *(centre + half))
            if _free(ax, box, taken) and not line.intersects_bbox(box, filled=False):
                offset = (centre - dots[at]) / pixels
                _write(ax, text, points[at], offset, leader=reach > REACHES[0])
                taken.append(box)
                break


def _free(ax: Axes, box: Bbox, taken: Sequence[Bbox]) -> bool:
    inside = ax.bbox.x0 < box.x0 and box.x1 < ax.bbox.x1 and ax.bbox.y0 < box.y0 and box.y1 < ax.bbox.y1
    return inside and not any(box.overlaps(other) for other in taken)


def _write(ax: Axes, text: str, point: np.ndarray, offset: np.ndarray, *, leader: bool) -> None:
    style: dict[str, Any] = {"size": SIZE, "family": figure.FONT, "color": figure.INK, "ha": "center", "va": "center"}
    arrow = {"arrowstyle": "-", "lw": 0.6, "color": figure.BLUE, "shrinkA": 0, "shrinkB": 3} if leader else None
    ax.annotate(
        text,
        tuple(point),
        xytext=tuple(offset),
        textcoords="offset points",
        arrowprops=arrow,
        zorder=5,
        gid=f"name-{text}",
        **style,
    )
