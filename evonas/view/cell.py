"""A picture of a cell: from the hidden states it begins with, on top, to its output at the bottom."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evonas.view import boxes, figure
from evonas.view.boxes import LARGE, MARGIN, MEDIUM, SMALL, Point, Stop
from evonas.view.layers import Layered, Spot, layered
from genomes.cell import CellGenome
from genomes.cell.genome import KINDS, LEFT, N_INPUTS, REDUCTION, RIGHT, gene
from genomes.cell.spaces import WORDS
from genomes.operations import INPUT

INPUTS = (("h[i-1]", "two cells back"), ("h[i]", "one cell back"))
OUTPUT = ("h[i+1]", "this cell")
NOTE = "/2: stride 2, on all that reads an input of the cell"
DASHED, WHOLE = "--", "-"
"""Lines from `h[i-1]` are dashed: they would be hard to tell from those of `h[i]` where they cross."""

NAMES = {
    "conv": "conv",
    "dil_conv": "dilated",
    "avg_pool": "avg pool",
    "max_pool": "max pool",
    "sep_conv": "sep",
    "dil_sep_conv": "dil sep",
}

WIDEST, WIDEST_OF_BOTH = 5, 3
"""Blocks side by side: those of the NASNet paper's cells, and what a page's width leaves legible of two cells."""
OPERATION = (0.74, 0.42)
COMBINE = (0.66, 0.26)
STATE = (1.1, 0.4)
PAIR, INNER, PORT = 0.08, 0.25, 0.2
"""Inches between a block's operations, from them to the box that combines them, and between edges that end there."""
BLOCK = (2 * OPERATION[0] + PAIR, OPERATION[1] + INNER + COMBINE[1])
GAP, LANE, ROW_GAP, ARROW, BETWEEN, NOTE_HEIGHT = 0.2, 0.16, 0.36, 0.13, 0.5, 0.26


def cell(genome: CellGenome, kind: str | None = None, *, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Draw one cell, or both side by side, as the papers on NASNet and DARTS draw them.

    The NASNet paper draws upwards; we draw downwards, as all our pictures of networks. A block is two operations and
    the box below them that adds or concatenates; dashed lines come from `h[i-1]`, the output of the cell before the
    previous one. The states that the output concatenates run into the bar at the bottom.

    Args:
        genome: What to draw.
        kind: `normal` or `reduction`; None for both.
        ax: Axes to draw one cell on; the picture is scaled to them. None: those of a new figure.
        title: A line above the picture; None for the kind of the cell.

    Returns:
        The axes, of both cells those of the normal one. A gene's box has the gid `node-MARKING`, such as
        `node-normal-0-left`; inputs are `node-normal-input-0`, the output `node-normal-output`; edges `edge-FROM-TO`.

    Raises:
        ValueError: If the kind is unknown, or axes are given for both cells.
    """
    if kind is None:
        if ax is not None:
            raise ValueError(
                "ax: expected none for both cells, which need two, got one; give a kind, normal or reduction"
            )
        return _both(genome, title)
    if kind not in KINDS:
        raise ValueError(f"kind: expected {' or '.join(KINDS)}, or None for both, got {kind!r}; correct it")
    plan = _planned(genome, kind, WIDEST)
    title = f"{kind} cell" if title is None else title
    if ax is None:
        ax = boxes.sized(plan.right - plan.left, plan.top - plan.bottom, title)
    _draw(ax, plan, title)
    return ax


def label(word: str) -> tuple[str, str]:
    """The two lines of an operation's box: what it does, and the kernel."""
    name, *sizes = re.split(r"_(?=\d+x\d+)", word)
    size, *second = [part.replace("x", "×") for part in sizes] or [""]
    return (f"{size} then", second[0]) if second else (NAMES.get(name, name.replace("_", " ")), size)


Level = Mapping[Spot, float]
"""The upper side of every spot."""


@dataclass(frozen=True)
class _Plan:
    """A cell and where its parts go; lengths in inches, the upper side of the inputs at 0."""

    genome: CellGenome
    kind: str
    placed: Layered
    tops: list[float]
    ports: list[str]
    left: float
    right: float
    top: float
    bottom: float

    @property
    def bar(self) -> Point:
        """Width and height of the box that the output's states run into."""
        return max(COMBINE[0], PORT * (len(self.ports) + 1)), COMBINE[1]


def _planned(genome: CellGenome, kind: str, widest: int) -> _Plan:
    blocks = genome.cells[kind]
    inputs: dict[str, tuple[str, ...]] = {_state(kind, at): () for at in range(N_INPUTS)}
    for at, block in enumerate(blocks):
        inputs[gene(kind, at)] = tuple(dict.fromkeys(_state(kind, state) for state in (block.left, block.right)))
    output = f"{kind}-output"
    inputs[output] = tuple(_state(kind, state) for state in genome.output(kind))
    placed = layered(inputs, box=BLOCK[0], gap=GAP, lane=LANE, widest=widest)
    heights = [STATE[1], *[BLOCK[1]] * (len(placed.rows) - 2)]
    tops = boxes.tops(placed, heights, ROW_GAP)
    ports = sorted(inputs[output], key=lambda source: placed.columns[placed.routes[source, output][-2]])
    plan = _Plan(genome, kind, placed, tops, ports, 0.0, 0.0, 0.0, 0.0)
    sides = [(placed.columns[name], BLOCK[0] if name in genome.markings else STATE[0]) for name in inputs]
    sides += [(placed.columns[output], plan.bar[0])] + [(column, 0.0) for column in placed.columns.values()]
    left = min(x - width / 2 for x, width in sides) - MARGIN
    right = max(x + width / 2 for x, width in sides) + MARGIN
    end = tops[-1] - COMBINE[1] - INNER - STATE[1] - MARGIN - (NOTE_HEIGHT if kind == REDUCTION else 0.0)
    return _Plan(genome, kind, placed, tops, ports, left, right, MARGIN, end)


def _state(kind: str, state: int) -> str:
    """The name of a hidden state: a block's is the block's marking."""
    return f"{kind}-input-{state}" if state < N_INPUTS else gene(kind, state - N_INPUTS)


def _both(genome: CellGenome, title: str | None) -> Axes:
    plans = [_planned(genome, kind, WIDEST_OF_BOTH) for kind in KINDS]
    widths, heights = [p.right - p.left for p in plans], [p.top - p.bottom for p in plans]
    space = boxes.TITLE * (2 if title else 1)
    wide, tall = sum(widths) + BETWEEN, max(heights) + space
    made = Figure(figsize=(wide, tall))
    found = []
    for at, plan in enumerate(plans):
        x, y = at * (widths[0] + BETWEEN), tall - space - heights[at]
        found.append(made.add_axes((x / wide, y / tall, widths[at] / wide, heights[at] / tall)))
        _draw(found[-1], plan, f"{plan.kind} cell")
    if title:
        made.text(
            0.5,
            1 - 0.5 * boxes.TITLE / tall,
            title,
            family=figure.FONT,
            size=12,
            weight="bold",
            color=figure.INK,
            ha="center",
            va="center",
            parse_math=False,
        )
    return found[0]


def _draw(ax: Axes, plan: _Plan, title: str) -> None:
    scale = boxes.frame(ax, (plan.left, plan.right), (plan.bottom, plan.top), title)
    for at in range(N_INPUTS):
        name = _state(plan.kind, at)
        style = DASHED if at == 0 else WHOLE
        _draw_state(ax, (plan.placed.columns[name], -STATE[1] / 2), INPUTS[at], name, scale, style)
    level = {spot: top for row, top in zip(plan.placed.rows, plan.tops, strict=True) for spot in row}
    for at in range(len(plan.genome.cells[plan.kind])):
        _draw_block(ax, plan, at, level, scale)
    _draw_output(ax, plan, level, scale)
    if plan.kind == REDUCTION:
        boxes.write(ax, (plan.left + plan.right) / 2, plan.bottom + MARGIN, NOTE, MEDIUM * scale)


def _draw_state(ax: Axes, centre: Point, lines: tuple[str, str], name: str, scale: float, style: str = WHOLE) -> None:
    x, y = centre
    boxes.draw_box(ax, centre, STATE, boxes.COLOURS[INPUT], scale, f"node-{name}", style=style)
    boxes.write(ax, x, y + 0.09, lines[0], LARGE * scale, bold=True)
    boxes.write(ax, x, y - 0.09, lines[1], SMALL * scale)


def _draw_block(ax: Axes, plan: _Plan, at: int, level: Level, scale: float) -> None:
    block, name = plan.genome.cells[plan.kind][at], gene(plan.kind, at)
    x, top = plan.placed.columns[name], level[name]
    sides = [(LEFT, block.left, block.left_operation), (RIGHT, block.right, block.right_operation)]
    # Which operation stands on the left is free: the one whose edge comes from further left.
    sides.sort(key=lambda side: plan.placed.columns[plan.placed.routes[_state(plan.kind, side[1]), name][-2]])
    y = top - BLOCK[1] + COMBINE[1] / 2
    for offset, (side, state, word) in zip((-1, 1), sides, strict=True):
        own = gene(plan.kind, at, side)
        centre = (x + offset * (OPERATION[0] + PAIR) / 2, top - OPERATION[1] / 2)
        strided = plan.kind == REDUCTION and state < N_INPUTS
        _draw_operation(ax, centre, word, strided, own, scale)
        _draw_route(ax, plan, _state(plan.kind, state), name, own, (centre[0], top + ARROW, top), level, scale)
        stop = (x + offset * PORT, y + COMBINE[1] / 2 + ARROW / 3, y + COMBINE[1] / 2)
        boxes.draw_edge(ax, (centre[0], top - OPERATION[1]), [stop], scale, f"edge-{own}-{name}")
    _draw_combine(ax, (x, y), COMBINE, block.combine, name, scale)


def _draw_operation(ax: Axes, centre: Point, word: str, strided: bool, name: str, scale: float) -> None:
    x, y = centre
    steps = WORDS[word]
    colour = boxes.COLOURS.get(steps[0].operation if steps else word, figure.GREY)
    strength = 0.3 if steps else 0.08
    boxes.draw_box(ax, centre, OPERATION, colour, scale, f"node-{name}", strength=strength)
    first, second = label(word)
    second = f"{second} /2".strip() if strided else second
    places = (0.09, -0.09) if second else (0.0,)
    for line, offset in zip((first, second), places, strict=False):
        boxes.write(ax, x, y + offset, line, MEDIUM * scale, bold=line == first)


def _draw_combine(ax: Axes, centre: Point, size: Point, word: str, name: str, scale: float) -> None:
    strength = 0.0 if word == "add" else 0.35
    boxes.draw_box(ax, centre, size, figure.GREY, scale, f"node-{name}", strength=strength)
    boxes.write(ax, *centre, word, MEDIUM * scale)


def _draw_output(ax: Axes, plan: _Plan, level: Level, scale: float) -> None:
    """The bar that concatenates what is put out, edges side by side, and the state that it makes."""
    name = f"{plan.kind}-output"
    x, top = plan.placed.columns[name], level[name]
    _draw_combine(ax, (x, top - COMBINE[1] / 2), plan.bar, "concat", f"{plan.kind}-concat", scale)
    for at, source in enumerate(plan.ports):
        column = x + (at - (len(plan.ports) - 1) / 2) * PORT
        _draw_route(ax, plan, source, name, f"{plan.kind}-concat", (column, top + ARROW, top), level, scale)
    y = top - COMBINE[1] - INNER
    boxes.draw_edge(ax, (x, top - COMBINE[1]), [(x, y + ARROW, y)], scale, f"edge-{plan.kind}-concat-{name}")
    _draw_state(ax, (x, y - STATE[1] / 2), OUTPUT, name, scale)


def _draw_route(
    ax: Axes, plan: _Plan, source: str, target: str, end: str, stop: Stop, level: Level, scale: float
) -> None:
    """An edge through the layers that lie between a state and what reads it."""
    is_input = source.startswith(f"{plan.kind}-input-")
    height = STATE[1] if is_input else BLOCK[1]
    start = (plan.placed.columns[source], level[source] - height)
    passed = plan.placed.routes[source, target][1:-1]
    stops = [(plan.placed.columns[spot], level[spot], level[spot] - BLOCK[1]) for spot in passed]
    style = DASHED if source == _state(plan.kind, 0) else WHOLE
    boxes.draw_edge(ax, start, [*stops, stop], scale, f"edge-{source}-{end}", style=style)
