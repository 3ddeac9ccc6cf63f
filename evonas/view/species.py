"""A picture of species: how many belonged to each, generation by generation."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba_array

from evonas.view import figure

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


def species(sizes: Sequence[tuple[int, Mapping[int, int]]], *, ax: Axes | None = None) -> Axes:
    """Draw the members of every species over the generations, stacked, the oldest species at the bottom.

    Args:
        sizes: For each generation its number, and by the number of a species how many members it has.
        ax: Axes to draw on; None for those of a new figure.

    Returns:
        The axes; the area of species `n` has the gid `species-n`.
    """
    ax = figure.fresh(ax, 9.0, 3.8)
    if not sizes:
        return figure.nothing(ax, "nothing to show: no generation is complete")
    numbers = sorted({number for _, members in sizes for number in members})
    generations = np.array([generation for generation, _ in sizes], float)
    # A species is as wide in the middle of its generation as it is large: one generation alone is a band.
    edges = np.concatenate([generations - 0.5, generations[-1:] + 0.5])
    counts = np.array([[members.get(number, 0) for _, members in sizes] for number in numbers], float)
    tops = counts.cumsum(0)
    colours = _colours(counts > 0)
    for row, number in enumerate(numbers):
        low = tops[row] - counts[row]
        area = ax.fill_between(
            edges,
            np.append(low, low[-1]),
            np.append(tops[row], tops[row][-1]),
            step="post",
            color=COLOURS[colours[row]],
            edgecolor="white",
            linewidth=0.4,
        )
        area.set_gid(f"species-{number}")
    _name(ax, numbers, counts, tops, generations)
    figure.plain(ax, "generation")
    ax.set_ylabel(f"members of {len(numbers)} species", family=figure.FONT)
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(0, tops[-1].max())
    return ax


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


def _name(ax: Axes, numbers: list[int], counts: np.ndarray, tops: np.ndarray, generations: np.ndarray) -> None:
    """Write the number of a species where it is largest, if there is room."""
    for row, number in enumerate(numbers):
        at = int(counts[row].argmax())
        if counts[row, at] >= 0.08 * tops[-1].max():
            y = tops[row, at] - counts[row, at] / 2
            ax.text(
                generations[at], y, str(number), ha="center", va="center", fontsize=8, family=figure.FONT, clip_on=True
            )
