"""Boxes, their text and the edges between them, for all pictures of graphs. Lengths are in inches, the axes' units."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.textpath import TextPath

from evonas.view import figure
from evonas.view.layers import Layered
from genomes.operations import HEAD, INPUT

COLOURS = {
    INPUT: figure.GREY,
    "conv": figure.BLUE,
    "factorised": figure.BLUE,
    "separable": figure.SKY,
    "dilated": figure.PURPLE,
    "dilated_separable": figure.PURPLE,
    "max_pool": figure.VERMILION,
    "avg_pool": figure.ORANGE,
    "identity": "#666666",
    "linear": figure.GREEN,
    "attention": figure.GREEN,
    HEAD: figure.YELLOW,
}
"""The colour of each operation; one that is not here is grey."""

EDGE = "#5A5A5A"
ROUNDING, MARGIN = 0.08, 0.12
SLOPE = 0.07
"""Inches of extra height between two layers for an inch that an edge travels sideways there."""
TITLE = 0.35
LARGE, MEDIUM, SMALL = 9.5, 8.5, 7.0
"""Sizes of text in points, where a figure is as large as its graph asks for."""

Point = tuple[float, float]
Stop = tuple[float, float, float]
"""Where an edge passes a layer: its column, the height where it is straight from, and the height where it leaves."""


def tops(placed: Layered, heights: Sequence[float], gap: float) -> list[float]:
    """The upper side of every layer, from 0 downwards: more room where edges travel far sideways.

    Args:
        placed: The graph.
        heights: Of each layer.
        gap: Between two layers, before the room for edges.
    """
    found = [0.0]
    for at in range(1, len(placed.rows)):
        travel = max(
            abs(placed.columns[route[i]] - placed.columns[route[i + 1]])
            for route in placed.routes.values()
            for i in range(len(route) - 1)
            if route[i + 1] in placed.rows[at]
        )
        found.append(found[-1] - heights[at - 1] - gap - SLOPE * travel)
    return found


def sized(width: float, height: float, title: str | None) -> Axes:
    """Axes of a new figure that are as large as a graph, with room for a title above them."""
    space = TITLE if title else 0.0
    wide = max(width, 0.1 * len(title or ""))
    made = Figure(figsize=(wide, height + space))
    return made.add_axes((0.0, 0.0, 1.0, height / (height + space)))


def frame(ax: Axes, across: Point, upwards: Point, title: str | None) -> float:
    """Make axes show a piece of the plane without distortion.

    Args:
        ax: The axes.
        across: The left and the right end, in inches.
        upwards: The lower and the upper end, in inches.
        title: A line above the picture.

    Returns:
        The factor by which the picture is larger than its inches.
    """
    if title:
        ax.set_title(title, family=figure.FONT, color=figure.INK, parse_math=False)
    ax.set_axis_off()
    ax.set_aspect("equal")
    ax.set_xlim(*across)
    ax.set_ylim(*upwards)
    width, height = figure.inches(ax)
    return min(width / (across[1] - across[0]), height / (upwards[1] - upwards[0]))


def draw_box(
    ax: Axes,
    centre: Point,
    size: Point,
    colour: str,
    scale: float,
    gid: str,
    *,
    strength: float = 0.3,
    style: str = "-",
    zorder: float = 2,
) -> None:
    """Draw a box with round corners, filled with a tint of its colour.

    Args:
        ax: The axes.
        centre: Of the box.
        size: Width and height.
        colour: Of its border, darkened.
        scale: What `frame` returned.
        gid: The name of the artist.
        strength: Of the tint, from 0 for white to 1.
        style: Of the border.
        zorder: What it lies over.
    """
    (x, y), (width, height) = centre, size
    ax.add_patch(
        FancyBboxPatch(
            (x - width / 2 + ROUNDING, y - height / 2 + ROUNDING),
            width - 2 * ROUNDING,
            height - 2 * ROUNDING,
            boxstyle=f"round,pad={ROUNDING},rounding_size={ROUNDING}",
            facecolor=tint(colour, strength),
            edgecolor=tint(colour, 0.85, towards=0.0),
            linewidth=1.5 * scale,
            linestyle=style,
            zorder=zorder,
            gid=gid,
        )
    )


def draw_edge(ax: Axes, start: Point, stops: Sequence[Stop], scale: float, gid: str, *, style: str = "-") -> None:
    """Draw curves between layers, straight down past each: an edge crosses no box that it does not belong to.

    Args:
        ax: The axes.
        start: Where it leaves its source.
        stops: The layers it passes, and its target.
        scale: What `frame` returned.
        gid: The name of the artist.
        style: Of the line.
    """
    points, codes = [start], [Path.MOVETO]
    x, leave = start
    for to_x, enter, to_leave in stops:
        middle = (leave + enter) / 2
        points += [(x, middle), (to_x, middle), (to_x, enter), (to_x, to_leave - 0.001)]
        codes += [Path.CURVE4] * 3 + [Path.LINETO]
        x, leave = to_x, to_leave
    ax.add_patch(
        FancyArrowPatch(
            path=Path(points, codes),
            arrowstyle="-|>,head_length=0.35,head_width=0.18",
            mutation_scale=14 * scale,
            linewidth=1.1 * scale,
            linestyle=style,
            color=EDGE,
            fill=True,
            zorder=1,
            gid=gid,
            joinstyle="round",
        )
    )


def write(
    ax: Axes,
    x: float,
    y: float,
    text: str,
    size: float,
    *,
    bold: bool = False,
    across: str = "center",
    upwards: str = "center_baseline",
    colour: str = figure.INK,
    rotation: float = 0.0,
    gid: str | None = None,
    halo: float = 0.0,
) -> None:
    """Write text as it is, centred on a place unless told otherwise, within a white outline of `halo` points."""
    written = ax.text(
        x,
        y,
        text,
        size=size,
        weight="bold" if bold else "normal",
        family=figure.FONT,
        color=colour,
        rotation=rotation,
        ha=across,
        va=upwards,
        gid=gid,
        parse_math=False,
        zorder=4,
    )
    if halo:
        written.set_path_effects([withStroke(linewidth=halo, foreground="white")])


def width_of(text: str, size: float) -> float:
    """Inches that a line of text takes in so many points."""
    if not text.strip():
        return 0.0
    # A dollar sign would begin a formula, which text in pictures is not.
    font = FontProperties(family=figure.FONT, size=size)
    return float(TextPath((0, 0), text.replace("$", "S"), prop=font).get_extents().width) / 72


def tint(colour: str, strength: float, *, towards: float = 1.0) -> tuple[float, float, float]:
    """A colour mixed with white, or with black where `towards` is 0."""
    red, green, blue = (towards + strength * (part - towards) for part in to_rgb(colour))
    return red, green, blue
