"""A picture of a recurrent cell: from what comes in and what was, on top, to its output at the bottom."""

from matplotlib.axes import Axes

from evonas.view import boxes, figure
from evonas.view.boxes import LARGE, MARGIN, MEDIUM
from evonas.view.layers import layered
from genomes.recurrence import HIDDEN, INPUT_MAP, LINEAR, MAPS, MEMORY, PRODUCT, STATE_MAP, RecurrentCell, Step

READ = "x, h"
"""The box of what the maps read: the input, and the output of the time step before."""
COMPUTED = {
    LINEAR: "W x + U h",
    PRODUCT: "W x × U h",
    INPUT_MAP: "W x",
    STATE_MAP: "U h",
    "add": "+",
    "multiply": "×",
    "one_minus": "1 −",
}
COLOURS = {"identity": figure.GREY, "tanh": figure.BLUE, "sigmoid": figure.ORANGE, "relu": figure.GREEN}
WIDEST = 8
BOX_WIDTH, BOX_HEIGHT, GAP, LANE, ROW_GAP = 1.0, 0.5, 0.14, 0.12, 0.34
"""Lengths in inches, which are the units of the axes."""


def recurrent(cell: RecurrentCell, *, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Draw a recurrent cell, one box a step: what it computes, and the activation that follows, which is its colour.

    `h'` and `c'` say which step is the output, and which one's value before its activation is the next memory.

    Args:
        cell: What to draw.
        ax: Axes to draw on; the picture is scaled to them. None: those of a new figure.
        title: A line above the picture.

    Returns:
        The axes. The box of a step has the gid `node-NAME`, that of x and h `node-x`, of c `node-c`; edges
        `edge-FROM-TO`.
    """
    inputs = _inputs(cell)
    placed = layered(inputs, box=BOX_WIDTH, gap=GAP, lane=LANE, widest=WIDEST)
    tops = boxes.tops(placed, [BOX_HEIGHT] * len(placed.rows), ROW_GAP)
    columns = placed.columns.values()
    left, right = min(columns) - BOX_WIDTH / 2 - MARGIN, max(columns) + BOX_WIDTH / 2 + MARGIN
    top, bottom = MARGIN, tops[-1] - BOX_HEIGHT - MARGIN
    if ax is None:
        ax = boxes.sized(right - left, top - bottom, title)
    scale = boxes.frame(ax, (left, right), (bottom, top), title)
    spots = {spot: (placed.columns[spot], tops[at]) for at, row in enumerate(placed.rows) for spot in row}
    for (source, target), route in placed.routes.items():
        x, y = spots[source]
        stops = [(at, upper, upper - BOX_HEIGHT) for at, upper in (spots[spot] for spot in route[1:])]
        at, enter, _ = stops[-1]
        stops[-1] = (at, enter, enter)
        boxes.draw_edge(ax, (x, y - BOX_HEIGHT), stops, scale, f"edge-{source}-{target}")
    steps = {step.name: step for step in cell.steps}
    for name in inputs:
        x, y = spots[name]
        words = _words(cell, steps[name]) if name in steps else (READ if name == "x" else MEMORY, "")
        colour = COLOURS[steps[name].activation] if name in steps else figure.GREY
        centre, strength = (x, y - BOX_HEIGHT / 2), 0.3 if name in steps else 0.08
        boxes.draw_box(ax, centre, (BOX_WIDTH, BOX_HEIGHT), colour, scale, f"node-{name}", strength=strength)
        for word, size, offset in zip(words, (LARGE, MEDIUM), (0.09, -0.11) if words[1] else (0.0, 0.0), strict=True):
            boxes.write(ax, x, centre[1] + offset, word, size * scale, bold=size == LARGE)
    return ax


def _inputs(cell: RecurrentCell) -> dict[str, tuple[str, ...]]:
    """What every box reads: maps read `x`, and so do steps that read h itself; the output last, if none reads it."""
    found: dict[str, tuple[str, ...]] = {"x": ()}
    if any(MEMORY in step.inputs for step in cell.steps):
        found[MEMORY] = ()
    for step in cell.steps:
        read = ("x",) if step.operation in MAPS else tuple("x" if name == HIDDEN else name for name in step.inputs)
        found[step.name] = tuple(dict.fromkeys(read))
    if not any(cell.hidden in read for read in found.values()):
        found[cell.hidden] = found.pop(cell.hidden)
    return found


def _words(cell: RecurrentCell, step: Step) -> tuple[str, str]:
    """The two lines of a step's box."""
    memory = "c'" if step.name == cell.memory else ""
    activation = "" if step.activation == "identity" else step.activation
    hidden = "h'" if step.name == cell.hidden else ""
    return COMPUTED[step.operation], " · ".join(part for part in (memory, activation, hidden) if part)
