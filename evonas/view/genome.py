"""A picture of an architecture: its layers from the input on top to the head at the bottom."""

from matplotlib.axes import Axes
from matplotlib.patches import Circle

from evonas.view import boxes, figure
from evonas.view.boxes import LARGE, MARGIN, MEDIUM, SMALL
from evonas.view.layers import layered
from genomes.architecture import CONCAT, Architecture, Layer, Node
from genomes.operations import OPERATIONS, Shape

SUM_MARK, CONCAT_MARK = "+", "‖"

WIDEST = 5
"""Boxes side by side: what a page's width leaves legible."""
BOX_WIDTH, BOX_HEIGHT, MARK = 1.55, 0.66, 0.09
GAP, LANE, ROW_GAP = 0.22, 0.2, 0.32
"""Lengths in inches, which are the units of the axes."""


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
    tops = boxes.tops(placed, [BOX_HEIGHT] * len(placed.rows), 2 * MARK + ROW_GAP)
    columns = [placed.columns[node.id] for node in architecture.nodes]
    left = min(min(columns) - BOX_WIDTH / 2, *placed.columns.values()) - MARGIN
    right = max(max(columns) + BOX_WIDTH / 2, *placed.columns.values()) + MARGIN
    top, bottom = MARGIN, tops[-1] - BOX_HEIGHT - MARGIN
    if ax is None:
        ax = boxes.sized(right - left, top - bottom, title)
    scale = boxes.frame(ax, (left, right), (bottom, top), title)
    spots = {spot: (placed.columns[spot], tops[at]) for at, row in enumerate(placed.rows) for spot in row}
    merging = {node.id for node in architecture.nodes if len(node.inputs) > 1}
    for (source, target), route in placed.routes.items():
        x, y = spots[source]
        stops = [(at, upper + 2 * MARK, upper - BOX_HEIGHT) for at, upper in (spots[spot] for spot in route[1:])]
        at, enter, _ = stops[-1]
        stops[-1] = (at, enter, enter if target in merging else enter - 2 * MARK)
        boxes.draw_edge(ax, (x, y - BOX_HEIGHT), stops, scale, f"edge-{source}-{target}")
    for layer in layers:
        x, y = spots[layer.node.id]
        _draw_node(ax, layer, (x, y - BOX_HEIGHT / 2), scale)
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


def _draw_node(ax: Axes, layer: Layer, centre: boxes.Point, scale: float) -> None:
    x, y = centre
    node = layer.node
    colour = boxes.COLOURS.get(node.operation, figure.GREY)
    strength = 0.08 if node.operation == "identity" else 0.3
    boxes.draw_box(ax, centre, (BOX_WIDTH, BOX_HEIGHT), colour, scale, f"node-{node.id}", strength=strength)
    lines = [line for line in words(layer) if line]
    sizes = (LARGE, MEDIUM, SMALL)
    offsets = (0.19, 0.0, -0.19) if len(lines) == 3 else (0.11, -0.11)
    for line, size, offset in zip(lines, sizes, offsets, strict=False):
        boxes.write(ax, x, y + offset, line, size * scale, bold=size == LARGE)
    if len(node.inputs) > 1:
        _draw_mark(ax, node, (x, y + BOX_HEIGHT / 2 + MARK), scale)


def _draw_mark(ax: Axes, node: Node, centre: boxes.Point, scale: float) -> None:
    mark, upwards = (CONCAT_MARK, "center") if node.merge == CONCAT else (SUM_MARK, "center_baseline")
    ax.add_patch(Circle(centre, MARK, facecolor="white", edgecolor=boxes.EDGE, linewidth=1.1 * scale, zorder=3))
    boxes.write(ax, *centre, mark, MEDIUM * scale, bold=True, upwards=upwards)
