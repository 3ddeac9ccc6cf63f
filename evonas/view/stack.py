"""A picture of the macro structure of a network made of cells: from the image on top to the softmax at the bottom."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from evonas.view import boxes, figure
from evonas.view.boxes import LARGE, MARGIN, MEDIUM
from genomes.operations import HEAD, INPUT, Shape

Stage = tuple[str, int, Shape]
"""What a stage is called, how many of it follow each other, and the shape that the last of them puts out."""

BOX = (1.75, 0.42)
GAP, OFFSET, BESIDE = 0.26, 0.07, 0.16
"""Inches between stages, between the sheets of a repeated one, and from a box to its shape."""
SHEETS = 2
"""Boxes seen behind that of a repeated stage."""
LETTER = 0.075
"""Width of a letter of the largest text, in inches."""
COLOURS = {
    "image": boxes.COLOURS[INPUT],
    "input": boxes.COLOURS[INPUT],
    "normal": figure.SKY,
    "reduction": figure.ORANGE,
    "softmax": boxes.COLOURS[HEAD],
}
"""The colour of a stage by a word of its name; one that is not here is white."""


def stack(stages: Sequence[Stage], *, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Draw a network as a column of stages, as in figure 2 of Zoph, Vasudevan, Shlens & Le 2018.

    That figure is drawn upwards; we draw downwards, as all our pictures of networks. A repeated stage is one box with
    sheets behind it and its number; beside each box stands the shape it puts out. An arrow is only the order: that a
    cell also reads the output of the cell before the previous one is left out.

    Args:
        stages: Name, count and shape of each from the image on: `("normal cell", 6, (192, 32, 32))`.
        ax: Axes to draw on; the picture is scaled to them. None: those of a new figure.
        title: A line above the picture.

    Returns:
        The axes. The box of stage `i`, counted from 0, has the gid `stage-i`, an edge `edge-i-j`.

    Raises:
        ValueError: Naming the stage whose count is below 1.
    """
    for at, (name, count, _) in enumerate(stages):
        if count < 1:
            raise ValueError(f"stage {at} ({name}): expected a count of 1 or more, got {count}; leave the stage out")
    if not stages:
        return figure.nothing(figure.fresh(ax, 4.0, 3.0), "nothing to show: no stages")
    shapes = [size(shape) for _, _, shape in stages]
    names = [name if count == 1 else f"{name}  × {count}" for name, count, _ in stages]
    width = max(BOX[0], max(map(len, names)) * LETTER * 1.15 + MARGIN)
    left = -width / 2 - MARGIN
    right = width / 2 + BESIDE + SHEETS * OFFSET + max(map(len, shapes)) * LETTER + MARGIN
    tops = _tops(stages)
    lower, upper = tops[-1] - BOX[1] - MARGIN, MARGIN + _height(stages[0]) - BOX[1]
    if ax is None:
        ax = boxes.sized(right - left, upper - lower, title)
    scale = boxes.frame(ax, (left, right), (lower, upper), title)
    for at, ((name, count, _), top) in enumerate(zip(stages, tops, strict=True)):
        _draw_stage(ax, at, names[at], _colour(name), count, (width, top), scale)
        x = width / 2 + SHEETS * OFFSET + BESIDE
        boxes.write(ax, x, top - BOX[1] / 2, shapes[at], MEDIUM * scale, across="left")
        if at:
            end = top + _height(stages[at]) - BOX[1]
            boxes.draw_edge(ax, (0.0, tops[at - 1] - BOX[1]), [(0.0, end, end)], scale, f"edge-{at - 1}-{at}")
    return ax


def size(shape: Shape) -> str:
    """A shape in words: `32×32, 96 channels`, or `10 values`."""
    if len(shape) == 1:
        return f"{shape[0]:,} value{'s' if shape[0] != 1 else ''}"
    channels, *sides = shape
    return f"{'×'.join(map(str, sides))}, {channels:,} channel{'s' if channels != 1 else ''}"


def _height(stage: Stage) -> float:
    return BOX[1] + (SHEETS * OFFSET if stage[1] > 1 else 0.0)


def _tops(stages: Sequence[Stage]) -> list[float]:
    """The upper side of every stage's front box, that of the first at 0."""
    found = [0.0]
    for stage in stages[1:]:
        found.append(found[-1] - GAP - _height(stage))
    return found


def _colour(name: str) -> str | None:
    return next((colour for word, colour in COLOURS.items() if word in name.lower()), None)


def _draw_stage(ax: Axes, at: int, text: str, colour: str | None, count: int, place: boxes.Point, scale: float) -> None:
    width, top = place
    y = top - BOX[1] / 2
    strength = 0.3 if colour else 0.0
    colour = colour or figure.GREY
    for sheet in range(SHEETS if count > 1 else 0, -1, -1):
        gid = f"sheet-{at}-{sheet}" if sheet else f"stage-{at}"
        centre = (sheet * OFFSET, y + sheet * OFFSET)
        boxes.draw_box(ax, centre, (width, BOX[1]), colour, scale, gid, strength=strength, zorder=3 - 0.1 * sheet)
    boxes.write(ax, 0.0, y, text, LARGE * scale, bold=True)
