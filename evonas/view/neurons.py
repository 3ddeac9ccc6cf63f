"""A picture of neurons and their connections, the inputs on top and the outputs at the bottom."""

import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch

from evonas.view import boxes, figure, legend, wiring, wording
from genomes.neurons import NeuronGraph

MAX_PLACES, MAX_CONNECTIONS = 300, 1_000
"""Inputs, neurons and connections that a picture of them can show."""
RADIUS, SPACE, FED, ROW = 0.2, 0.8, 0.62, 0.95
"""Inches: of a circle, from centre to centre in a row of neurons and in that of the inputs, and from row to row."""
STRETCHES = (1.0, 1.3, 1.7, 2.2, 3.0)
"""How much farther apart rows are where connections would else run through neurons."""
FLAT = 9.0
"""Inches of width from which on rows are farther apart, too, so that connections are not too flat."""
CLEAR = 0.06
"""Inches that a connection keeps from a neuron that it does not belong to."""
THIN, THICK = 0.4, 3.2
"""Widths of the lightest and the heaviest connection, in points."""
SIGN, NAME, BIAS = 6.5, 7.0, 6.0
"""Sizes of text in points: in a neuron, of inputs and outputs, and of biases."""
INSIDE, LEVEL, LINES, LONGEST = 4, 9, 3, 22
"""Letters of a name that a box has room for, those of a line above it, lines there, and letters of any name upwards."""
BELOW = 14
"""Letters of the name of an output."""
LINE = 0.115
"""Inches from line to line of a name."""
NARROWEST = 3.0
"""Inches of the whole picture at least."""
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
"""Of neurons, by activation."""
OTHERS = figure.VERMILION
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
    graph: NeuronGraph,
    *,
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw a graph of neurons.

    A circle is a neuron, its activation in it and its bias, unless that is 0, beside it; squares are inputs. Positive
    connections are blue, negative ones red, the heavier the thicker; those that lead back, closing a cycle, are dashed.
    A connection is bent where it would run through a neuron that it does not belong to. A legend below says so.

    Args:
        graph: What to draw.
        inputs: Names of the inputs; others are numbered. Long ones are shortened.
        outputs: Names of the outputs, likewise.
        ax: Axes to draw on; the picture is scaled to them. None: those of a new figure as large as the graph asks for.
        title: A line above the picture.

    Returns:
        The axes. A neuron has the gid `neuron-ID`, its bias `bias-ID`, an input `input-NUMBER` and its name
        `name-NUMBER`, a connection `connection-MARKING`, an entry of the legend `legend-WORD`.
    """
    n_places, n = graph.n_inputs + len(graph.ids), len(graph.weights)
    if n_places > MAX_PLACES or n > MAX_CONNECTIONS:
        ax = figure.fresh(ax, 6.0, 2.0)
        return figure.nothing(ax, f"too many to draw: {n_places:,} inputs and neurons, {n:,} connections")
    plan = _planned(graph, _labels(inputs, graph.n_inputs), _output_names(outputs, len(graph.outputs)))
    entries = _entries(plan)
    half = max((plan.right - plan.left) / 2, NARROWEST / 2)
    middle = (plan.left + plan.right) / 2
    lines = legend.lines(entries, 2 * half - 0.2)
    bottom = plan.bottom - legend.height(lines)
    if ax is None:
        ax = boxes.sized(2 * half, plan.top - bottom, title)
    scale = boxes.frame(ax, (middle - half, middle + half), (bottom, plan.top), title)
    heaviest = _heaviest(graph) or 1.0
    for at, weight in enumerate(graph.weights):
        width = (THIN + (THICK - THIN) * abs(weight / heaviest)) * scale
        _connect(ax, plan, at, width, figure.BLUE if weight >= 0 else figure.VERMILION, scale)
    for place in range(n_places):
        _place(ax, plan, place, scale)
    legend.draw(ax, lines, middle, plan.bottom, scale)
    return ax


@dataclass(frozen=True)
class _Plan:
    """Where everything goes, in inches: the inputs at height 0."""

    graph: NeuronGraph
    names: tuple[str, ...]
    outputs: tuple[str, ...]
    where: tuple[boxes.Point, ...]
    back: frozenset[int]
    bends: tuple[float, ...]
    left: float
    right: float
    top: float
    bottom: float

    @property
    def inside(self) -> bool:
        """Whether names are so short that boxes hold them."""
        return max(map(len, self.names), default=0) <= INSIDE

    @property
    def lines(self) -> list[list[str]]:
        """The names in lines that fit above boxes; empty where one does not, and all are written upwards."""
        found = [_lines(name) for name in self.names]
        fit = all(len(lines) <= LINES and max(map(len, lines)) <= LEVEL for lines in found)
        return found if fit else []


def _planned(graph: NeuronGraph, names: Sequence[str], outputs: tuple[str, ...]) -> _Plan:
    back = wiring.leading_back(graph)
    found = wiring.rows(graph, back)
    pairs = list(zip(graph.sources, graph.targets, strict=True))
    radii = [RADIUS + CLEAR] * (graph.n_inputs + len(graph.ids))
    widest = max(len(row) * (SPACE if level else FED) for level, row in enumerate(found))
    height = ROW * min(max(1.0, widest / FLAT), STRETCHES[-1])
    best = None
    for stretch in STRETCHES if len(pairs) <= wiring.CROWDED else STRETCHES[:1]:
        where = [(0.0, 0.0)] * len(radii)
        for level, row in enumerate(found):
            space = SPACE if level else FED
            for at, place in enumerate(row):
                where[place] = ((at - (len(row) - 1) / 2) * space, -level * height * stretch)
        bends, blocked = wiring.bends(pairs, where, radii, _texts(graph, where))
        if best is None or blocked < best[0]:
            best = blocked, where, bends
        if not blocked:
            break
    assert best is not None
    _, where, bends = best
    plan = _Plan(graph, tuple(names), outputs, tuple(where), back, tuple(bends), 0.0, 0.0, 0.0, 0.0)
    return _framed(plan)


def _framed(plan: _Plan) -> _Plan:
    """The plan with the sides that hold all of it."""
    graph, where = plan.graph, np.array(plan.where)
    ends = [where - RADIUS, where + RADIUS]
    for source, target, bend in zip(graph.sources, graph.targets, plan.bends, strict=True):
        ends.append(wiring.bent(plan.where[source], plan.where[target], [bend])[0])
        if source == target:
            ends.append(where[[source]] - [2.2 * RADIUS, 0.0])
    for at, bias in enumerate(graph.biases):
        if bias:
            ends.append(where[[graph.n_inputs + at]] + [RADIUS + 0.04 + boxes.width_of(wording.rounded(bias), BIAS), 0])
    if not plan.inside:
        written = plan.lines or [[name] for name in plan.names]
        sizes = [(max(boxes.width_of(line, NAME) for line in lines), LINE * len(lines)) for lines in written]
        for place, (width, height) in enumerate(sizes if plan.lines else [size[::-1] for size in sizes]):
            ends += [where[[place]] + [side * width / 2, RADIUS + 0.06 + height] for side in (-1, 1)]
    for name, place in zip(plan.outputs, graph.outputs, strict=True):
        ends += [where[[place]] - [side * boxes.width_of(name, NAME) / 2, RADIUS + 0.2] for side in (-1, 1)]
    (left, bottom), (right, top) = (side(np.concatenate(ends), 0) for side in (np.min, np.max))
    sides = float(left) - 0.12, float(right) + 0.12, float(top) + 0.08, float(bottom) - 0.05
    return _Plan(graph, plan.names, plan.outputs, plan.where, plan.back, plan.bends, *sides)


def _texts(graph: NeuronGraph, where: Sequence[boxes.Point]) -> list[tuple[float, float, float]]:
    """Discs over what is written beside neurons, and over their loops."""
    found = []
    loops = {source for source, target in zip(graph.sources, graph.targets, strict=True) if source == target}
    for place in range(graph.n_inputs, len(where)):
        x, y = where[place]
        if bias := graph.biases[place - graph.n_inputs]:
            width = boxes.width_of(wording.rounded(bias), BIAS)
            found += [(x + RADIUS + 0.04 + part * width, y, 0.07) for part in (0.2, 0.8)]
        if place in loops:
            found.append((x - 1.6 * RADIUS, y, 0.12))
        if place in graph.outputs:
            found += [(x + side, y - RADIUS - 0.12, 0.09) for side in (-0.15, 0.0, 0.15)]
    return found


def _labels(names: Sequence[str], n_inputs: int) -> list[str]:
    """A name for every input, none too long and no two the same."""
    whole = [name.strip() or str(at) for at, name in enumerate(names[:n_inputs])]
    whole += [str(at) for at in range(len(whole), n_inputs)]
    short = [wording.shortened(name, LONGEST) for name in whole]
    often = Counter(short)
    # Its number comes first, where no shortening reaches it.
    return [
        name if often[name] == 1 else wording.shortened(f"{at} {whole[at]}", LONGEST) for at, name in enumerate(short)
    ]


def _output_names(names: Sequence[str], n_outputs: int) -> tuple[str, ...]:
    """A name for every output, so short that those beside it have room."""
    whole = [wording.shortened(name.replace("_", " "), BELOW) for name in names[:n_outputs]]
    return (*whole, *[f"output {at}" for at in range(len(whole), n_outputs)])


def _heaviest(graph: NeuronGraph) -> float:
    return max(graph.weights, key=abs, default=0.0)


def _connect(ax: Axes, plan: _Plan, at: int, width: float, colour: str, scale: float) -> None:
    """A line, straight unless something lies between; dashed where it leads back."""
    source, target = plan.graph.sources[at], plan.graph.targets[at]
    (start, end), bend, shrink = (plan.where[source], plan.where[target]), plan.bends[at], 72 * RADIUS * scale
    if source == target:
        # From the upper left of the circle to its lower left: what is written beside it is on the right.
        (x, y), side = start, 0.72 * RADIUS
        start, end, bend, shrink = (x - side, y + side), (x - side, y - side), 1.5, 0.0
    arrow = FancyArrowPatch(
        start,
        end,
        connectionstyle=f"arc3,rad={bend}",
        arrowstyle="-|>,head_length=0.25,head_width=0.12",
        mutation_scale=10 * scale,
        shrinkA=shrink,
        shrinkB=shrink,
        linewidth=width,
        linestyle="--" if at in plan.back else "-",
        color=colour,
        alpha=0.75,
        zorder=1,
        gid=f"connection-{plan.graph.markings[at]}",
    )
    ax.add_patch(arrow)


def _place(ax: Axes, plan: _Plan, place: int, scale: float) -> None:
    graph, (x, y) = plan.graph, plan.where[place]
    if place < graph.n_inputs:
        size = (1.5 * RADIUS, 1.5 * RADIUS)
        boxes.draw_box(ax, (x, y), size, figure.GREY, scale, f"input-{place}", strength=0.15)
        _name(ax, plan, place, scale)
        return
    at = place - graph.n_inputs
    word = graph.activations[at]
    is_output = place in graph.outputs
    circle = Circle(
        (x, y),
        RADIUS,
        facecolor=COLOURS.get(word, OTHERS),
        edgecolor=figure.INK,
        linewidth=(2.0 if is_output else 0.8) * scale,
        zorder=2,
        gid=f"neuron-{graph.ids[at]}",
    )
    ax.add_patch(circle)
    text = SIGNS.get(word, word[:5])
    if graph.aggregations[at] != "sum":
        text += f"\n{graph.aggregations[at]}"
    boxes.write(ax, x, y, text, SIGN * scale, colour=figure.ink_on(COLOURS.get(word, OTHERS)))
    halo = 2.0 * scale
    if bias := graph.biases[at]:
        gid = f"bias-{graph.ids[at]}"
        beside = x + RADIUS + 0.04
        boxes.write(ax, beside, y, wording.rounded(bias), BIAS * scale, across="left", gid=gid, halo=halo)
    if is_output:
        boxes.write(ax, x, y - RADIUS - 0.12, plan.outputs[graph.outputs.index(place)], NAME * scale, halo=halo)


def _name(ax: Axes, plan: _Plan, place: int, scale: float) -> None:
    """The name of an input in its box, or above it."""
    (x, y), name, gid = plan.where[place], plan.names[place], f"name-{place}"
    if plan.inside:
        boxes.write(ax, x, y, name, NAME * scale, gid=gid)
        return
    boxes.write(ax, x, y, str(place), SIGN * scale)
    lines = plan.lines
    text, rotation = ("\n".join(lines[place]), 0.0) if lines else (name, 90.0)
    boxes.write(ax, x, y + RADIUS + 0.02, text, NAME * scale, upwards="bottom", rotation=rotation, gid=gid)


def _lines(name: str) -> list[str]:
    """A name broken at spaces and behind underscores."""
    found = textwrap.wrap(name.replace("_", "_ "), LEVEL, break_long_words=False, break_on_hyphens=False)
    return [line.replace("_ ", "_") for line in found] or [""]


def _entries(plan: _Plan) -> list[legend.Entry]:
    """What the legend says: of connections only where there are any, of colours those that occur."""
    graph = plan.graph
    found: list[legend.Entry] = []
    if graph.weights:
        heaviest = f"thickness: weight, heaviest {wording.rounded(_heaviest(graph))}"
        found += [
            legend.Entry("positive", "positive weight", legend.line(figure.BLUE)),
            legend.Entry("negative", "negative weight", legend.line(figure.VERMILION)),
            legend.Entry("weight", heaviest, legend.wedge(THIN, THICK)),
        ]
    if plan.back:
        found.append(legend.Entry("back", "leads back", legend.line(figure.INK, "--")))
    if any(graph.biases):
        found.append(legend.Entry("bias", "bias", legend.text("0.5", BIAS)))
    by_colour: dict[str, list[str]] = {}
    for word in dict.fromkeys(graph.activations):
        by_colour.setdefault(COLOURS.get(word, OTHERS), []).append(word)
    for colour, words in by_colour.items():
        text = wording.shortened(", ".join(words).replace("_", " "), 40)
        found.append(legend.Entry(words[0], text, legend.disc(colour)))
    return found
