"""A picture of neurons and their connections, the inputs on top and the outputs at the bottom."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch

from evonas.view import boxes, figure
from genomes.neurons import NeuronGraph

MAX_PLACES, MAX_CONNECTIONS = 300, 3_000
"""Inputs, neurons and connections that a picture of them can show."""
RADIUS, SPACE, ROW = 0.2, 0.62, 0.95
"""Inches: of a circle, from centre to centre in a row, and from row to row."""
THIN, THICK = 0.4, 3.2
"""Widths of the lightest and the heaviest connection, in points."""
SWEEPS = 8
COLOURS = {
    "sigmoid": figure.SKY,
    "steep_sigmoid": figure.SKY,
    "tanh": figure.BLUE,
    "relu": figure.ORANGE,
    "leaky_relu": figure.ORANGE,
    "elu": figure.ORANGE,
    "identity": figure.GREY,
    "sine": figure.GREEN,
    "cosine": figure.GREEN,
    "gaussian": figure.PURPLE,
    "abs": figure.YELLOW,
    "square": figure.YELLOW,
}
"""Of neurons, by activation; others are vermilion."""
SIGNS = {
    "sigmoid": "σ",
    "steep_sigmoid": "σ",
    "tanh": "tanh",
    "relu": "relu",
    "leaky_relu": "lrelu",
    "identity": "id",
    "sine": "sin",
    "cosine": "cos",
    "gaussian": "gauss",
    "square": "x²",
    "abs": "|x|",
    "clamped": "clip",
}
"""What is written in a neuron, by activation; of others the first five letters."""


def neurons(
    graph: NeuronGraph, *, inputs: Sequence[str] = (), ax: Axes | None = None, title: str | None = None
) -> Axes:
    """Draw a graph of neurons.

    A circle is a neuron, its activation in it; squares are inputs. Positive connections are blue, negative ones red,
    the heavier the thicker; those that lead back, in a recurrent graph, are dashed.

    Args:
        graph: What to draw.
        inputs: Names of the inputs; others are numbered.
        ax: Axes to draw on; the picture is scaled to them. None: those of a new figure as large as the graph asks for.
        title: A line above the picture.

    Returns:
        The axes. A neuron has the gid `neuron-ID`, an input `input-NUMBER`, a connection `connection-MARKING`.
    """
    n_places, n = graph.n_inputs + len(graph.ids), len(graph.weights)
    if n_places > MAX_PLACES or n > MAX_CONNECTIONS:
        ax = figure.fresh(ax, 6.0, 2.0)
        return figure.nothing(ax, f"too many to draw: {n_places:,} inputs and neurons, {n:,} connections")
    rows = _rows(graph)
    widest = max(map(len, rows))
    where = {
        place: ((at - (len(row) - 1) / 2) * SPACE, -level * ROW)
        for level, row in enumerate(rows)
        for at, place in enumerate(row)
    }
    half, depth = max(widest * SPACE, 2.4) / 2, (len(rows) - 1) * ROW
    if ax is None:
        ax = boxes.sized(2 * half, depth + 2 * RADIUS + 0.5, title)
    scale = boxes.frame(ax, (-half, half), (-depth - RADIUS - 0.25, RADIUS + 0.25), title)
    heaviest = max(map(abs, graph.weights), default=1.0) or 1.0
    for source, target, weight, marking in zip(
        graph.sources, graph.targets, graph.weights, graph.markings, strict=True
    ):
        width = (THIN + (THICK - THIN) * abs(weight) / heaviest) * scale
        _connect(
            ax, where[source], where[target], width, figure.BLUE if weight >= 0 else figure.VERMILION, marking, scale
        )
    names = [*inputs, *map(str, range(len(inputs), graph.n_inputs))]
    for place, centre in where.items():
        _place(ax, graph, place, centre, names, scale)
    return ax


def _connect(
    ax: Axes, start: boxes.Point, end: boxes.Point, width: float, colour: str, marking: str, scale: float
) -> None:
    """A line, straight to the next row, else bent round what lies between; what leads back is dashed."""
    back = end[1] >= start[1]
    bend = 0.0 if abs(start[1] - end[1] - ROW) < 1e-9 else 0.9 if start == end else 0.35 if back else 0.12
    if start == end:
        start, end = (start[0] - RADIUS / 2, start[1]), (end[0] + RADIUS / 2, end[1])
        bend = -2.2
    shrink = 72 * RADIUS * scale
    arrow = FancyArrowPatch(
        start,
        end,
        connectionstyle=f"arc3,rad={bend}",
        arrowstyle="-|>,head_length=0.25,head_width=0.12",
        mutation_scale=10 * scale,
        shrinkA=shrink if bend != -2.2 else 0,
        shrinkB=shrink,
        linewidth=width,
        linestyle="--" if back else "-",
        color=colour,
        alpha=0.75,
        zorder=1,
        gid=f"connection-{marking}",
    )
    ax.add_patch(arrow)


def _place(ax: Axes, graph: NeuronGraph, place: int, centre: boxes.Point, names: Sequence[str], scale: float) -> None:
    x, y = centre
    if place < graph.n_inputs:
        size = (1.5 * RADIUS, 1.5 * RADIUS)
        boxes.draw_box(ax, centre, size, figure.GREY, scale, f"input-{place}", strength=0.15)
        boxes.write(ax, x, y, names[place][:6], 7 * scale)
        return
    at = place - graph.n_inputs
    word = graph.activations[at]
    is_output = place in graph.outputs
    circle = Circle(
        centre,
        RADIUS,
        facecolor=COLOURS.get(word, figure.VERMILION),
        edgecolor=figure.INK,
        linewidth=(2.0 if is_output else 0.8) * scale,
        zorder=2,
        gid=f"neuron-{graph.ids[at]}",
    )
    ax.add_patch(circle)
    text = SIGNS.get(word, word[:5])
    if graph.aggregations[at] != "sum":
        text += f"\n{graph.aggregations[at]}"
    boxes.write(ax, x, y, text, 6.5 * scale)
    if is_output:
        boxes.write(ax, x, y - RADIUS - 0.12, f"output {graph.outputs.index(place)}", 7 * scale)


def _rows(graph: NeuronGraph) -> list[list[int]]:
    """Places by row, the inputs first and the outputs last, each row ordered so that connections cross little."""
    levels = _levels(graph)
    last = max([1, *levels[graph.n_inputs :]])
    outputs = set(graph.outputs)
    if any(levels[place] == last and place not in outputs for place in range(graph.n_inputs, len(levels))):
        last += 1
    rows: list[list[int]] = [[] for _ in range(last + 1)]
    for place, level in enumerate(levels):
        rows[last if place in outputs else level].append(place)
    rows = [row for row in rows if row]
    neighbours: dict[int, list[int]] = {place: [] for place in range(len(levels))}
    for source, target in zip(graph.sources, graph.targets, strict=True):
        neighbours[source].append(target)
        neighbours[target].append(source)
    for _ in range(SWEEPS):
        at = {place: index - (len(row) - 1) / 2 for row in rows for index, place in enumerate(row)}
        for row in rows[1:-1]:
            row.sort(key=lambda place: (np.mean([at[one] for one in neighbours[place]] or [at[place]]), place))
    return rows


def _levels(graph: NeuronGraph) -> list[int]:
    """Of every place: its level, in a recurrent graph its distance from the inputs."""
    if not graph.recurrent:
        return [0] * graph.n_inputs + [max(1, level) for level in graph.levels]
    levels = [0] * graph.n_inputs + [0] * len(graph.ids)
    frontier, level = set(range(graph.n_inputs)), 0
    while frontier:
        level += 1
        reached = {target for source, target in zip(graph.sources, graph.targets, strict=True) if source in frontier}
        frontier = {place for place in reached if place >= graph.n_inputs and not levels[place]}
        for place in frontier:
            levels[place] = level
    return levels[: graph.n_inputs] + [one or 1 for one in levels[graph.n_inputs :]]
