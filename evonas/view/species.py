"""A picture of species: how many belonged to each, generation by generation."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba_array
from matplotlib.patheffects import withStroke

from evonas.view import boxes, figure

HUES = (
    figure.BLUE,
    figure.ORANGE,
    figure.GREEN,
    figure.SKY,
    figure.VERMILION,
    figure.PURPLE,
    figure.YELLOW,
    figure.GREY,
)
COLOURS = np.concatenate([to_rgba_array(HUES)[:, :3] * part + light for part, light in ((1, 0), (0.5, 0.5), (0.6, 0))])
"""As they are, light and dark: `(24, 3)`, red, green and blue."""
LETTERS, TALL, AIR = 8.0, 0.11, 0.04
"""Of numbers: their size in points, how high they are in inches, and the inches around them."""
COLLAPSE = "dotted: fewer than half as many species as a generation before"
LIMIT, LEAST = 200, 0.01
"""Species that are drawn one by one at most, and where there are more, the part of the height that one must reach."""
OTHERS = (0.93, 0.93, 0.93)
"""The colour of the rest."""


def species(sizes: Sequence[tuple[int, Mapping[int, int]]], *, ax: Axes | None = None) -> Axes:
    """Draw the members of every species over the generations, stacked, the oldest species at the bottom.

    The number of a species is written where it has room in its area; dotted lines stand where a population collapsed:
    where fewer than half as many species are alive as in the generation before. Of more than 200 species those that
    never reach a hundredth of the picture's height are one light area at the top; at most 200 are drawn, the largest.

    Args:
        sizes: For each generation its number, and by the number of a species how many members it has.
        ax: Axes to draw on; None for those of a new figure.

    Returns:
        The axes; the area of species `n` has the gid `species-n`, its number `number-n`, the area of the rest `others`,
        and the line where generation `g` begins with a collapse `collapse-g`.
    """
    ax = figure.fresh(ax, 9.0, 3.8)
    if not sizes:
        return figure.nothing(ax, "nothing to show: no generation is complete")
    numbers, n_species = _drawn(sizes)
    generations = np.array([generation for generation, _ in sizes], float)
    # A species is as wide in the middle of its generation as it is large: one generation alone is a band.
    edges = np.concatenate([generations - 0.5, generations[-1:] + 0.5])
    counts = np.array([[members.get(number, 0) for _, members in sizes] for number in numbers], float)
    counts = counts.reshape(len(numbers), len(sizes))
    totals = np.array([sum(members.values()) for _, members in sizes], float)
    tops = counts.cumsum(0)
    colours = _colours(counts > 0)
    for row, number in enumerate(numbers):
        _fill(ax, edges, tops[row] - counts[row], tops[row], COLOURS[colours[row]], f"species-{number}")
    figure.plain(ax, "generation")
    ax.set_ylabel(f"members of {n_species:,} species", family=figure.FONT)
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(0, totals.max())
    if len(numbers) < n_species:
        _fill(ax, edges, counts.sum(0), totals, OTHERS, "others")
        _note(ax, 0.0, f"light at the top: {n_species - len(numbers):,} smaller species", "n-others")
    fallen = _collapses(np.array([sum(n > 0 for n in members.values()) for _, members in sizes]))
    _mark(ax, edges[fallen], [sizes[at][0] for at in fallen])
    _name(ax, numbers, counts, tops, edges, fallen, colours)
    return ax


def _drawn(sizes: Sequence[tuple[int, Mapping[int, int]]]) -> tuple[list[int], int]:
    """The species that have areas of their own, ascending, and how many there are in all."""
    peaks: dict[int, int] = {}
    for _, members in sizes:
        for number, n in members.items():
            peaks[number] = max(n, peaks.get(number, 0))
    if len(peaks) <= LIMIT:
        return sorted(peaks), len(peaks)
    least = LEAST * max(sum(members.values()) for _, members in sizes)
    large = sorted((number for number, n in peaks.items() if n >= least), key=lambda number: (-peaks[number], number))
    return sorted(large[:LIMIT]), len(peaks)


def _fill(ax: Axes, edges: np.ndarray, low: np.ndarray, high: np.ndarray, colour: Any, gid: str) -> None:
    """An area between two heights in every generation, `(n_generations,)` each."""
    low, high = np.append(low, low[-1]), np.append(high, high[-1])
    style: dict[str, Any] = {"step": "post", "color": colour, "edgecolor": "white", "linewidth": 0.4}
    ax.fill_between(edges, low, high, **style).set_gid(gid)


def _colours(alive: np.ndarray) -> list[int]:
    """A row of `COLOURS` for each species: none that one beside it has, and of the others that used longest ago.

    Args:
        alive: Whether a species has members in a generation, `(n_species, n_generations)`.
    """
    beside: list[set[int]] = [set() for _ in alive]
    for column in alive.T:
        for below, above in pairwise(np.flatnonzero(column).tolist()):
            beside[above].add(below)
    found: list[int] = []
    last_used = dict.fromkeys(range(len(COLOURS)), -1)
    for row, others in enumerate(beside):
        taken = {found[other] for other in others}
        chosen = min(last_used, key=lambda colour: (colour in taken, last_used[colour]))
        last_used[chosen] = row
        found.append(chosen)
    return found


def _collapses(alive: np.ndarray) -> np.ndarray:
    """The generations in which fewer than half as many species are alive as in the one before, `(n_generations,)`."""
    return np.flatnonzero(alive[1:] < alive[:-1] / 2) + 1


def _mark(ax: Axes, at: np.ndarray, generations: Sequence[int]) -> None:
    """A dotted line where each of these generations begins, and what it means."""
    halo = [withStroke(linewidth=2.2, foreground="white")]
    for x, generation in zip(at, generations, strict=True):
        gid = f"collapse-{generation}"
        ax.axvline(x, color=figure.INK, lw=1.1, ls=(0, (1, 1.6)), zorder=3, gid=gid, path_effects=halo)
    if len(at):
        _note(ax, 1.0, COLLAPSE, "collapses")


def _note(ax: Axes, x: float, text: str, gid: str) -> None:
    """A line above the picture, at its left end, 0, or at its right, 1."""
    style: dict[str, Any] = {"fontsize": 8, "family": figure.FONT, "color": figure.INK, "gid": gid}
    ax.text(x, 1.015, text, transform=ax.transAxes, ha="right" if x else "left", va="bottom", **style)


def _name(
    ax: Axes,
    numbers: list[int],
    counts: np.ndarray,
    tops: np.ndarray,
    edges: np.ndarray,
    fallen: np.ndarray,
    colours: Sequence[int],
) -> None:
    """Write the number of a species in its area, where that is highest and has room, if it has any.

    Args:
        ax: The axes, with their limits.
        numbers: Of the species.
        counts: Their members, `(n_species, n_generations)`.
        tops: The upper sides of their areas, as many.
        edges: Where generations begin and end, `(n_generations + 1,)`.
        fallen: Generations that begin with a line, which no number may cross.
        colours: The rows of `COLOURS` that the areas have.
    """
    width, height = figure.inches(ax)
    tall = (TALL + AIR) * (ax.get_ylim()[1] / height)
    for row, number in enumerate(numbers):
        if counts[row].max() < tall:
            continue
        wide = (boxes.width_of(str(number), LETTERS) + AIR) * (edges[-1] - edges[0]) / width
        if place := _room(counts[row], tops[row], edges, fallen, wide, tall):
            colour = figure.ink_on(tuple(COLOURS[colours[row]]))
            style: dict[str, Any] = {
                "fontsize": LETTERS,
                "family": figure.FONT,
                "color": colour,
                "gid": f"number-{number}",
            }
            ax.text(*place, str(number), ha="center", va="center", clip_on=True, **style)


def _room(
    counts: np.ndarray, tops: np.ndarray, edges: np.ndarray, fallen: np.ndarray, wide: float, tall: float
) -> tuple[float, float] | None:
    """Where an area holds a text of this size whole: there where it is highest. None where it nowhere does."""
    centres = (edges[:-1] + edges[1:]) / 2
    for at in np.argsort(-counts, kind="stable"):
        if counts[at] < tall:
            break
        first, last = np.searchsorted(edges, [centres[at] - wide / 2, centres[at] + wide / 2], side="right") - 1
        if first < 0 or last >= len(counts) or ((first < fallen) & (fallen <= last)).any():
            continue
        low, high = (tops - counts)[first : last + 1].max(), tops[first : last + 1].min()
        if high - low >= tall:
            return float(centres[at]), float(high + low) / 2
    return None
