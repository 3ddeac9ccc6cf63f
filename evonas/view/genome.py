"""A picture of an architecture: its layers from the input on top to the head at the bottom."""

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from evonas.view import figure
from evonas.view.layers import Layered, layered
from genomes.architecture import CONCAT, Architecture, Layer, Node
from genomes.operations import HEAD, INPUT, OPERATIONS, Shape

COLOURS = {
    INPUT: figure.GREY,
    "conv": figure.BLUE,
    "separable": figure.SKY,
    "dilated": figure.PURPLE,
    "max_pool": figure.VERMILION,
    "avg_pool": figure.ORANGE,
    "identity": "#666666",
    "linear": figure.GREEN,
    HEAD: figure.YELLOW,
}
"""The colour of each operation; one that is not here is grey."""

EDGE = "#5A5A5A"
SUM_MARK, CONCAT_MARK = "+", "‖"

WIDEST = 5
"""Boxes side by side: what a page's width leaves legible."""
BOX_WIDTH, BOX_HEIGHT, ROUNDING, MARK = 1.55, 0.66, 0.08, 0.09
GAP, LANE, ROW_GAP, MARGIN = 0.22, 0.2, 0.32, 0.12
"""Lengths in inches, which are the units of the axes."""
SLOPE = 0.07
"""Inches of extra height between two layers for an inch that an edge travels sideways there."""
TITLE = 0.35
LARGE, MEDIUM, SMALL = 9.5, 8.5, 7.0
"""Sizes of the three lines of a box in points, where a figure is as large as its graph asks for."""


def genome(
    architecture: Architecture,
    input_shape: Shape,
    n_outputs: int,
    *,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw an architecture as a layered graph.

    A box is a node: its operation with kernel (and stride, where it is not 1), the shape it puts out, and small its
    width, normalisation and activation. A mark on a box says how several inputs become one: `+` sum, `‖` concat.

    Args:
        architecture: What to draw.
        input_shape: `(channels, height, width)` or `(features,)`.
        n_outputs: Outputs of the head.
        ax: Axes to draw on; the picture is scaled to them. None: those of a new figure as large as the graph asks for.
        title: A line above the picture.

    Returns:
        The axes. The artists of node `n` have the gid `node-n`, those of an edge `edge-source-target`.

    Raises:
        ValueError: Naming the node that cannot take what it is given.
    """
    layers = architecture.layout(input_shape, n_outputs)
    inputs = {node.id: node.inputs for node in architecture.nodes}
    placed = layered(inputs, box=BOX_WIDTH, gap=GAP, lane=LANE, widest=WIDEST)
    levels = _levels(placed)
    boxes = [placed.columns[node.id] for node in architecture.nodes]
    left = min(min(boxes) - BOX_WIDTH / 2, *placed.columns.values()) - MARGIN
    right = max(max(boxes) + BOX_WIDTH / 2, *placed.columns.values()) + MARGIN
    top, bottom = BOX_HEIGHT / 2 + MARGIN, levels[-1] - BOX_HEIGHT / 2 - MARGIN
    if ax is None:
        ax = _sized(right - left, top - bottom, title)
    if title:
        ax.set_title(title, family=figure.FONT, color=figure.INK)
    ax.set_axis_off()
    ax.set_aspect("equal")
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
    width, height = figure.inches(ax)
    scale = min(width / (right - left), height / (top - bottom))
    spots = {spot: (placed.columns[spot], levels[at]) for at, row in enumerate(placed.rows) for spot in row}
    merging = {node.id for node in architecture.nodes if len(node.inputs) > 1}
    for (source, target), route in placed.routes.items():
        _draw_edge(ax, [spots[spot] for spot in route], target in merging, scale, f"edge-{source}-{target}")
    for layer in layers:
        _draw_node(ax, layer, spots[layer.node.id], scale)
    return ax


def words(layer: Layer) -> tuple[str, str, str]:
    """The three lines of a node's box: operation, output shape, and width, normalisation and activation."""
    settings = layer.node.settings
    name = layer.node.operation.replace("_", " ")
    if kernel := settings.get("kernel"):
        name += f" {kernel}×{kernel}"
    if settings.get("stride", 1) != 1:
        name += f" /{settings['stride']}"
    small = []
    if "width" in settings and OPERATIONS[layer.node.operation].parametric:
        small.append(f"width {settings['width'] or 'kept'}")
    small += [settings[word] for word in ("normalisation", "activation") if settings.get(word, "none") != "none"]
    return name, "×".join(str(side) for side in layer.target), " · ".join(small)


def _levels(placed: Layered) -> list[float]:
    """The height of every row's boxes, from 0 downwards: more room where edges travel far sideways."""
    levels = [0.0]
    for at in range(1, len(placed.rows)):
        travel = max(
            abs(placed.columns[route[i]] - placed.columns[route[i + 1]])
            for route in placed.routes.values()
            for i in range(len(route) - 1)
            if route[i + 1] in placed.rows[at]
        )
        levels.append(levels[-1] - BOX_HEIGHT - 2 * MARK - ROW_GAP - SLOPE * travel)
    return levels


def _sized(width: float, height: float, title: str | None) -> Axes:
    space = TITLE if title else 0.0
    wide = max(width, 0.1 * len(title or ""))
    made = Figure(figsize=(wide, height + space))
    return made.add_axes((0.0, 0.0, 1.0, height / (height + space)))


def _draw_edge(ax: Axes, spots: list[tuple[float, float]], merging: bool, scale: float, gid: str) -> None:
    """Curves between layers, straight down past each layer: an edge never crosses a box it does not belong to."""
    half = BOX_HEIGHT / 2
    x, y = spots[0]
    points, codes = [(x, y - half)], [Path.MOVETO]
    for i in range(1, len(spots)):
        (x, y), (to_x, to_y) = spots[i - 1], spots[i]
        start, end = y - half, to_y + half + 2 * MARK
        middle = (start + end) / 2
        points += [(x, middle), (to_x, middle), (to_x, end)]
        codes += [Path.CURVE4] * 3
        leave = to_y - half if i < len(spots) - 1 else end if merging else to_y + half
        points.append((to_x, leave - 0.001))
        codes.append(Path.LINETO)
    arrow = FancyArrowPatch(
        path=Path(points, codes),
        arrowstyle="-|>,head_length=0.35,head_width=0.18",
        mutation_scale=14 * scale,
        linewidth=1.1 * scale,
        color=EDGE,
        fill=True,
        zorder=1,
        gid=gid,
        joinstyle="round",
    )
    ax.add_patch(arrow)


def _draw_node(ax: Axes, layer: Layer, centre: tuple[float, float], scale: float) -> None:
    x, y = centre
    node = layer.node
    colour = COLOURS.get(node.operation, figure.GREY)
    corner = (x - BOX_WIDTH / 2 + ROUNDING, y - BOX_HEIGHT / 2 + ROUNDING)
    ax.add_patch(
        FancyBboxPatch(
            corner,
            BOX_WIDTH - 2 * ROUNDING,
            BOX_HEIGHT - 2 * ROUNDING,
            boxstyle=f"round,pad={ROUNDING},rounding_size={ROUNDING}",
            facecolor=_tint(colour, 0.08 if node.operation == "identity" else 0.3),
            edgecolor=_tint(colour, 0.85, towards=0.0),
            linewidth=1.5 * scale,
            zorder=2,
            gid=f"node-{node.id}",
        )
    )
    lines = [line for line in words(layer) if line]
    sizes = (LARGE, MEDIUM, SMALL)
    offsets = (0.19, 0.0, -0.19) if len(lines) == 3 else (0.11, -0.11)
    for line, size, offset in zip(lines, sizes, offsets, strict=False):
        _write(ax, x, y + offset, line, size * scale, bold=size == LARGE)
    if len(node.inputs) > 1:
        _draw_mark(ax, node, (x, y + BOX_HEIGHT / 2 + MARK), scale)


def _draw_mark(ax: Axes, node: Node, centre: tuple[float, float], scale: float) -> None:
    mark = CONCAT_MARK if node.merge == CONCAT else SUM_MARK
    ax.add_patch(Circle(centre, MARK, facecolor="white", edgecolor=EDGE, linewidth=1.1 * scale, zorder=3))
    _write(ax, *centre, mark, MEDIUM * scale, bold=True)


def _write(ax: Axes, x: float, y: float, text: str, size: float, *, bold: bool) -> None:
    ax.text(
        x,
        y,
        text,
        size=size,
        weight="bold" if bold else "normal",
        family=figure.FONT,
        color=figure.INK,
        ha="center",
        va="center" if text == CONCAT_MARK else "center_baseline",
        parse_math=False,
        zorder=4,
    )


def _tint(colour: str, strength: float, *, towards: float = 1.0) -> tuple[float, float, float]:
    """A colour mixed with white, or with black where `towards` is 0."""
    red, green, blue = (towards + strength * (part - towards) for part in to_rgb(colour))
    return red, green, blue
