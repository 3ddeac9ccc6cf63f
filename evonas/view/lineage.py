"""A picture of who came of whom: all that was born, and strong in it the ancestry of the winner."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from evonas.analysis import ancestors
from evonas.record import Individual
from evonas.view import figure

LIMIT = 20_000
"""Individuals drawn at most."""
LETTERS, SMALLEST = 8.0, 6.5
"""Size of the operators' names in points, and the smallest where there are many."""
LEADING, LETTER = 1.3, 0.64
"""Height of a line and width of a letter, in sizes of the letters."""
BAND = 0.4
"""The part of the picture's height that names take at most."""

Told = Mapping[int, Individual]
Heights = Mapping[int, float]


def lineage(individuals: Sequence[Individual], *, winner: int | None = None, ax: Axes | None = None) -> Axes:
    """Draw fitness over birth, a line from every parent to its child, and the winner's ancestry strong.

    The thick line follows the fitter parent back from the winner; each of its steps carries the operator's name, read
    upwards above the picture. The thin coloured lines are the other ancestors, those that crossover brought in.

    Args:
        individuals: Those of a campaign, in any order; what is pending is left out.
        winner: Whose ancestry is drawn strong; None for the highest fitness, among equals the first.
        ax: Axes to draw on; None for those of a new figure.

    Returns:
        The axes; the lines have the gids `line` (fitter parents), `ancestry` (all other ancestors) and `others`, the
        names `step-ID`.
    """
    told = {i.id: i for i in sorted(individuals, key=lambda i: i.id) if i.state != "pending"}
    heights = {i: value for i, one in told.items() if (value := figure.fitness_of(one)) is not None}
    if not heights:
        return figure.nothing(figure.fresh(ax, 9.0, 6.0), figure.reason(len(told)))
    if winner is None or winner not in heights:
        winner = max(heights, key=lambda i: (heights[i], -i))
    line, ancestry = _line(told, winner), {one.id for one in ancestors(told.values(), winner)}
    drawn = _thinned(told, ancestry)
    floor = min(heights.values())
    heights |= {i: floor for i in ancestry if i not in heights}
    ax = figure.fresh(ax, 9.0, 6.0)
    _draw_others(ax, drawn, heights, ancestry)
    _draw_ancestry(ax, told, heights, line, ancestry)
    title = f"individual {winner}, fitness {heights[winner]:.4g}"
    if n_steps := len(line) - 1:
        title += f", {n_steps} {'step' if n_steps == 1 else 'steps'} from individual {line[0]}"
    if len(drawn) < len(told):
        title += f"\n{len(drawn):,} of {len(told):,} individuals drawn"
    ax.set_title(title, family=figure.FONT, color=figure.INK, fontsize=11, loc="left")
    figure.plain(ax, "individual, in order of birth")
    figure.legend(ax)
    if (n_named := _name_steps(ax, told, heights, line)) < len(line):
        title += f"\nthe {n_named} steps that changed fitness most are named"
        ax.set_title(title, family=figure.FONT, color=figure.INK, fontsize=11, loc="left")
    return ax


def _line(told: Told, winner: int) -> list[int]:
    """The winner's fitter parents, the oldest first and the winner last."""
    line = [winner]
    while (parents := told[line[-1]].parents) and parents[0] in told and parents[0] not in line:
        line.append(parents[0])
    return line[::-1]


def _thinned(told: Told, ancestry: set[int]) -> Told:
    """All, or the ancestry and as many others as the limit leaves room for, evenly over time."""
    if len(told) <= LIMIT:
        return told
    others = [i for i in told if i not in ancestry]
    room = max(0, LIMIT - len(ancestry))
    kept = {others[at] for at in np.linspace(0, len(others) - 1, room).astype(int)} | ancestry
    return {i: one for i, one in told.items() if i in kept}


def _draw_others(ax: Axes, drawn: Told, heights: Heights, ancestry: set[int]) -> None:
    many = len(drawn) > LIMIT // 4
    links = [(p, i) for i, one in drawn.items() for p in one.parents if p in drawn and i not in ancestry]
    links = [(p, i) for p, i in links if p in heights and i in heights]
    _add_lines(ax, links, heights, figure.GREY, 0.6, "others", alpha=0.15 if many else 0.35, rasterized=many)
    seen = [i for i in drawn if i in heights and i not in ancestry]
    ys = [heights[i] for i in seen]
    ax.scatter(seen, ys, s=9, color=figure.GREY, alpha=0.25 if many else 0.5, lw=0, rasterized=many, zorder=2)
    figure.failures(ax, [i for i in drawn if i not in heights], rasterized=many)


def _draw_ancestry(ax: Axes, told: Told, heights: Heights, line: list[int], ancestry: set[int]) -> None:
    on_line = set(pairwise(line))
    links = [(p, i) for i in ancestry for p in told[i].parents if p in told and (p, i) not in on_line]
    _add_lines(ax, sorted(links), heights, figure.ORANGE, 1.2, "ancestry", label="other ancestors", zorder=3)
    rest = sorted(ancestry - set(line))
    ax.scatter(rest, [heights[i] for i in rest], s=16, color=figure.ORANGE, lw=0, zorder=4)
    ys = [heights[i] for i in line]
    dots: dict[str, Any] = {"marker": "o", "markersize": 6, "markeredgecolor": "white", "markeredgewidth": 0.8}
    ax.plot(line, ys, color=figure.BLUE, lw=2.6, label="fitter parents", gid="line", zorder=5, **dots)
    ax.plot(line[-1:], ys[-1:], marker="*", markersize=15, color=figure.VERMILION, mec="white", ls="", zorder=6)


def _add_lines(
    ax: Axes, links: Iterable[tuple[int, int]], heights: Heights, colour: str, width: float, gid: str, **style: Any
) -> None:
    """One line a link, straight from parent to child."""
    segments = [((p, heights[p]), (i, heights[i])) for p, i in links]
    if segments:
        ax.add_collection(LineCollection(segments, colors=colour, linewidths=width, gid=gid, **style))


def _name_steps(ax: Axes, told: Told, heights: Heights, line: list[int]) -> int:
    """Write each step's operator in a band above all fitness, apart from each other; the number of steps named."""
    low, high = min(heights.values()), max(heights.values())
    room = (high - low or abs(high) or 1.0) * 0.05
    low, high = low - room, high + room
    first, last = min(told), max(told)
    margin = max(1.0, 0.03 * (last - first))
    left, right = first - margin, last + margin
    ax.set_xlim(left, right)
    wide, tall = figure.inches(ax)
    size = min(LETTERS, max(SMALLEST, 72 * wide / (LEADING * len(line))))
    named = _largest_gains(line, heights, int(72 * wide / (LEADING * size)))
    longest = max(3, int(72 * tall * BAND / (LETTER * size)))
    names = [_shortened(told[i].operator, longest) for i in named]
    wanted = [(i - left) / (right - left) for i in named]
    places = _spread(wanted, LEADING * size / 72 / wide)
    fan = 0.02 + 0.25 * max(abs(a - b) for a, b in zip(wanted, places, strict=True))
    band = fan + max(len(name) for name in names) * LETTER * size / 72 / tall
    top = low + (high - low) / (1 - band)
    elbow = high + fan * (top - low)
    ticks = [tick for tick in ax.get_yticks() if low <= tick <= high]
    ax.set_ylim(low, top)
    ax.set_yticks(ticks)
    for i, name, at in zip(named, names, places, strict=True):
        x = left + at * (right - left)
        leader = [(i, heights[i]), (i, high), (x, elbow)]
        ax.plot(*zip(*leader, strict=True), color=figure.BLUE, lw=0.6, alpha=0.45, zorder=1, solid_capstyle="butt")
        style: dict[str, Any] = {
            "rotation": 90,
            "ha": "center",
            "va": "bottom",
            "parse_math": False,
            "family": figure.FONT,
        }
        ax.text(x, elbow, f" {name}", size=size, color=figure.INK, gid=f"step-{i}", **style)
    return len(named)


def _largest_gains(line: list[int], heights: Heights, limit: int) -> list[int]:
    """The steps that fit, those dropped first whose fitness moved the least from the step before."""
    gain = {i: heights[i] - heights[before] for before, i in pairwise(line)}
    kept = set(sorted(line, key=lambda i: -abs(gain.get(i, np.inf)))[: max(1, limit)])
    return [i for i in line if i in kept]


def _shortened(name: str, longest: int) -> str:
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def _spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Places in 0 to 1 nearest to those wanted, in their order, a gap apart (pool adjacent violators)."""
    pools: list[list[float]] = []
    for at, place in enumerate(wanted):
        pools.append([place - at * gap])
        while len(pools) > 1 and np.mean(pools[-2]) > np.mean(pools[-1]):
            pools[-2:] = [pools[-2] + pools[-1]]
    level = [float(np.mean(pool)) for pool in pools for _ in pool]
    highest = 1.0 - gap / 2 - (len(wanted) - 1) * gap
    return [min(max(place, gap / 2), highest) + at * gap for at, place in enumerate(level)]
