"""A picture of who came of whom: all that was born, and strong in it the ancestry of the winner."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from evonas.analysis import ancestors
from evonas.analysis.lineage import fitter_line
from evonas.record import Individual
from evonas.view import figure
from evonas.view.wording import signed

LIMIT = 20_000
"""Individuals drawn at most."""
THIN_FROM = 60
"""Fitter parents from which on lines are thinner, so that they are not a surface."""
LETTERS, SMALLEST = 8.0, 6.5
"""Size of the operators' names in points, and the smallest where there are many."""
LEADING, LETTER = 1.3, 0.64
"""Height of a line and width of a letter, in sizes of the letters."""
BAND = 0.4
"""The part of the picture's height that names take at most."""

Told = Mapping[int, Individual]
Heights = Mapping[int, float]


def lineage(
    individuals: Sequence[Individual],
    *,
    winner: int | None = None,
    lifespans: Mapping[int, int | None] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw fitness over birth: a bar for how long each lived, a line from both parents to each child.

    A bar runs at an individual's fitness from its birth to when the search ceased to keep it as a possible parent; a
    child leaves the bars of its parents at its own birth. The thick line follows the fitter parent back from the
    winner; each of its steps carries the operator's name, read upwards above the picture. The orange lines are the
    other ancestors, those that crossover brought in. What left descendants among the living is coloured, all lines that
    died out are faded. Of more than 20,000 individuals that many are drawn; what is drawn of more than 5,000 is one
    image in an SVG.

    Args:
        individuals: Those of a campaign, in any order; what is pending is left out.
        winner: Whose ancestry is drawn strong; None for the highest fitness, among equals the first.
        lifespans: As `Campaign.lifespans` gives them. None where they are not known: each then lives to the birth of
            its last child, and nobody is known to be alive.
        ax: Axes to draw on; None for those of a new figure.

    Returns:
        The axes; the lines have the gids `line` (fitter parents), `ancestry` (all other ancestors), `living` and
        `extinct`, each with its bars `line-bars` and so on; the names `step-ID`.
    """
    told = {i.id: i for i in sorted(individuals, key=lambda i: i.id) if i.state != "pending"}
    heights = {i: value for i, one in told.items() if (value := figure.fitness_of(one)) is not None}
    if not heights:
        return figure.nothing(figure.fresh(ax, 9.0, 6.0), figure.reason(len(told)))
    if winner is None or winner not in heights:
        winner = max(heights, key=lambda i: (heights[i], -i))
    line = [one.id for one in fitter_line(told.values(), winner)]
    ancestry = {one.id for one in ancestors(told.values(), winner)}
    drawn = _thinned(told, ancestry)
    floor = figure.floor(list(heights.values()), [heights[i] for i in line if i in heights])
    n_below = sum(height < floor for height in heights.values())
    heights = {i: max(heights.get(i, floor), floor) for i in told if i in heights or i in ancestry}
    family = _Family(told, heights, _ends(told, lifespans or {}), set(line), ancestry, _living(told, lifespans or {}))
    ax = figure.fresh(ax, 9.0, 6.0)
    _draw_others(ax, family, drawn)
    _draw_ancestry(ax, family, line)
    notes = [f"{len(drawn):,} of {len(told):,} individuals drawn"] if len(drawn) < len(told) else []
    notes += [f"{n_below:,} below {signed(floor)} are drawn at that height"] if n_below else []
    title = f"individual {winner}, fitness {signed(heights[winner])}"
    if n_steps := len(line) - 1:
        title += f", {n_steps} {'step' if n_steps == 1 else 'steps'} from individual {line[0]}"
    style: dict[str, Any] = {"family": figure.FONT, "color": figure.INK, "fontsize": 11, "loc": "left"}
    ax.set_title("\n".join([title, *notes]), **style)
    figure.plain(ax, "individual, in order of birth")
    figure.legend_below(ax)
    if (n_named := _name_steps(ax, told, heights, line)) < len(line):
        notes.append(f"the {n_named} steps that changed fitness most are named")
        ax.set_title("\n".join([title, *notes]), **style)
    return ax


@dataclass(frozen=True)
class _Family:
    """All that is drawn, and what each is to the winner.

    Attributes:
        told: All by number.
        heights: Where on the vertical axis.
        ends: Where each bar ends.
        line: The winner's fitter parents.
        ancestry: All its ancestors.
        living: Those with descendants that are alive, or alive themselves.
    """

    told: Told
    heights: Heights
    ends: Mapping[int, int]
    line: set[int]
    ancestry: set[int]
    living: set[int]

    def links(self, children: Iterable[int]) -> list[tuple[int, int]]:
        """The pairs of parent and child that can be drawn."""
        pairs = [(p, i) for i in sorted(children) for p in self.told[i].parents if i in self.heights]
        return [(p, i) for p, i in pairs if p in self.heights]


def _ends(told: Told, lifespans: Mapping[int, int | None]) -> dict[int, int]:
    """Where every bar ends: at the right end for the living, nowhere before the last child."""
    last = max(told)
    ends = {i: last if (end := lifespans.get(i, i)) is None else end for i in told}
    for i, one in told.items():
        for parent in one.parents:
            if parent in ends:
                ends[parent] = max(ends[parent], i)
    return ends


def _living(told: Told, lifespans: Mapping[int, int | None]) -> set[int]:
    """The living and all that they descend from."""
    found: set[int] = set()
    frontier = [i for i in told if lifespans.get(i, i) is None]
    while frontier:
        at = frontier.pop()
        if at not in found:
            found.add(at)
            frontier += [parent for parent in told[at].parents if parent in told]
    return found


def _thinned(told: Told, ancestry: set[int]) -> Told:
    """All, or the ancestry and as many others as the limit leaves room for, evenly over time."""
    if len(told) <= LIMIT:
        return told
    others = [i for i in told if i not in ancestry]
    room = max(0, LIMIT - len(ancestry))
    kept = {others[at] for at in np.linspace(0, len(others) - 1, room).astype(int)} | ancestry
    return {i: one for i, one in told.items() if i in kept}


def _draw_others(ax: Axes, family: _Family, drawn: Told) -> None:
    many = len(drawn) > LIMIT // 4
    rest = [i for i in drawn if i not in family.ancestry]
    groups = {"extinct": [i for i in rest if i not in family.living], "living": [i for i in rest if i in family.living]}
    for order, (gid, members) in enumerate(groups.items()):
        colour, alpha = (figure.GREY, 0.1 if many else 0.3) if gid == "extinct" else (figure.GREEN, 0.55)
        style: dict[str, Any] = {"alpha": alpha, "rasterized": many, "zorder": 1 + 0.3 * order}
        links = [(p, i) for p, i in family.links(members) if p in drawn]
        _add_lines(ax, _forks(family.heights, links), colour, 0.6, gid, **style)
        _add_lines(ax, _bars(family, members), colour, 1.0 if many else 1.4, f"{gid}-bars", **style)
        seen = [i for i in members if i in family.heights]
        label = "died out" if gid == "extinct" else "alive or with living descendants"
        ys = [family.heights[i] for i in seen]
        dots: dict[str, Any] = {**style, "alpha": min(1.0, 1.6 * alpha), "label": label if seen else None, "gid": gid}
        ax.scatter(seen, ys, s=9, color=colour, lw=0, **dots)
    figure.failures(ax, [i for i in drawn if i not in family.heights], rasterized=many)


def _draw_ancestry(ax: Axes, family: _Family, line: list[int]) -> None:
    heights, on_line = family.heights, set(pairwise(line))
    links = [link for link in family.links(family.ancestry) if link not in on_line]
    rest = sorted(family.ancestry - family.line)
    thin = min(1.0, max(0.4, THIN_FROM / len(line)))
    many = len(rest) > LIMIT // 4
    for gid, lines in (("ancestry", _forks(heights, links)), ("ancestry-bars", _bars(family, rest))):
        _add_lines(ax, lines, figure.ORANGE, 1.3 * thin, gid, zorder=3, rasterized=many)
    label = "other ancestors" if rest else None
    dots: dict[str, Any] = {"zorder": 4, "label": label, "rasterized": many, "gid": "ancestry-births"}
    ax.scatter(rest, [heights[i] for i in rest], s=16, color=figure.ORANGE, lw=0, **dots)
    corners = [(line[0], heights[line[0]])]
    for before, i in pairwise(line):
        corners += [(i, heights[before]), (i, heights[i])]
    ax.plot(*zip(*corners, strict=True), color=figure.BLUE, lw=2.4 * thin, gid="line", zorder=5, label="fitter parents")
    _add_lines(ax, _bars(family, line), figure.BLUE, 1.2 * thin, "line-bars", zorder=4.5)
    ys = [heights[i] for i in line]
    size = min(34.0, max(5.0, 1500 / len(line)))
    ax.scatter(line, ys, s=size, color=figure.BLUE, edgecolors="white", linewidths=size / 42, zorder=6, gid="births")
    ax.plot(line[-1:], ys[-1:], marker="*", markersize=15, color=figure.VERMILION, mec="white", ls="", zorder=7)


Segment = tuple[tuple[float, float], tuple[float, float]]


def _forks(heights: Heights, links: Iterable[tuple[int, int]]) -> list[Segment]:
    """Where children leave their parents' bars: at the child's birth, straight up or down."""
    return [((i, heights[p]), (i, heights[i])) for p, i in links]


def _bars(family: _Family, members: Iterable[int]) -> list[Segment]:
    """Lives, from birth to the end of each bar."""
    known = [i for i in members if i in family.heights and family.ends[i] > i]
    return [((i, family.heights[i]), (family.ends[i], family.heights[i])) for i in known]


def _add_lines(ax: Axes, segments: list[Segment], colour: str, width: float, gid: str, **style: Any) -> None:
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
