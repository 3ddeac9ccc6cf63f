"""A legend in lines below a picture of a graph. Lengths are in inches, the axes' units."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import Circle, Polygon

from evonas.view import boxes, figure

LETTERS = 7.0
"""Size of text in points."""
ABOVE, LINE = 0.15, 0.2
"""Before the first line, and from line to line."""
SAMPLE, GAP, BETWEEN = 0.22, 0.06, 0.16
"""Of a sample, behind it, and between two entries."""

Sample = Callable[[Axes, float, float, float], None]
"""Draws what an entry explains: on axes, from x on, at the height y, in a scale."""


class Entry(NamedTuple):
    """A sample and what it means.

    Attributes:
        word: Its text has the gid `legend-WORD`.
        text: One line.
        sample: What is drawn before it.
    """

    word: str
    text: str
    sample: Sample

    @property
    def width(self) -> float:
        """Of both."""
        return SAMPLE + GAP + boxes.width_of(self.text, LETTERS)


def line(colour: str, style: str = "-") -> Sample:
    """A line as connections are."""

    def draw(ax: Axes, x: float, y: float, scale: float) -> None:
        ax.plot([x, x + SAMPLE], [y, y], color=colour, lw=1.6 * scale, ls=style, alpha=0.75)

    return draw


def wedge(thin: float, thick: float) -> Sample:
    """A line that begins in one width, in points, and ends in another."""

    def draw(ax: Axes, x: float, y: float, scale: float) -> None:
        half, end = thin / 144, thick / 144
        corners = [(x, y - half), (x, y + half), (x + SAMPLE, y + end), (x + SAMPLE, y - end)]
        ax.add_patch(Polygon(corners, facecolor=figure.GREY, edgecolor="none"))

    return draw


def disc(colour: str) -> Sample:
    """A neuron of a colour."""

    def draw(ax: Axes, x: float, y: float, scale: float) -> None:
        centre = (x + SAMPLE - 0.07, y)
        ax.add_patch(Circle(centre, 0.065, facecolor=colour, edgecolor=figure.INK, linewidth=0.6 * scale))

    return draw


def text(words: str, size: float) -> Sample:
    """Text of a size in points."""

    def draw(ax: Axes, x: float, y: float, scale: float) -> None:
        boxes.write(ax, x + SAMPLE, y, words, size * scale, across="right")

    return draw


def lines(entries: Sequence[Entry], width: float) -> list[list[Entry]]:
    """Entries in lines of a width, which one that is wider has for itself."""
    found: list[list[Entry]] = []
    room = 0.0
    for entry in entries:
        if not found or entry.width > room:
            found.append([])
            room = width
        found[-1].append(entry)
        room -= entry.width + BETWEEN
    return found


def height(lines: Sequence[Sequence[Entry]]) -> float:
    """What a legend of these lines takes, with the space before it."""
    return ABOVE + LINE * len(lines) if lines else 0.0


def draw(ax: Axes, lines: Sequence[Sequence[Entry]], middle: float, top: float, scale: float) -> None:
    """Draw a legend, every line centred.

    Args:
        ax: The axes.
        lines: Its entries.
        middle: Where the middle of each line is.
        top: The lower end of what is above.
        scale: What `boxes.frame` returned.
    """
    for row, entries in enumerate(lines):
        x = middle - (sum(entry.width + BETWEEN for entry in entries) - BETWEEN) / 2
        y = top - ABOVE - LINE * (row + 0.5)
        for entry in entries:
            entry.sample(ax, x, y, scale)
            gid = f"legend-{entry.word}"
            boxes.write(ax, x + SAMPLE + GAP, y, entry.text, LETTERS * scale, across="left", gid=gid)
            x += entry.width + BETWEEN
