"""What every picture shares: colours, a fresh pair of axes, and how a picture reaches a file."""

import math
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.typing import ColorType

from evonas.record import Individual

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
"""Colours that the colour-blind tell apart, of Okabe & Ito 2008 (https://jfly.uni-koeln.de/color/)."""
GREY, INK = "#999999", "#222222"
BRIGHTNESS, DARK = (0.299, 0.587, 0.114), 0.45
"""How much red, green and blue count for how bright a colour is, and up to where text on it is white."""

FONT = "DejaVu Sans"
"""It comes with matplotlib and has every sign that the pictures use."""

SUFFIXES = (".png", ".svg", ".pdf")
DATES: dict[str, dict[str, None]] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
"""What would make two files of one picture differ, by suffix."""
DPI = 150
UNDER = 0.46
"""Inches that the numbers and the name of the horizontal axis take below it."""
ROW, LINE = 130, 6
"""Letters that a row of names below a picture has room for, and those that a line before a name takes."""
OUTLYING = 3.0


def fresh(ax: Axes | None, width: float, height: float) -> Axes:
    """The axes given, or those of a new figure that no global state knows of.

    Args:
        ax: The axes to draw on, if there are any yet.
        width: Of the new figure, in inches.
        height: Of the new figure, in inches.
    """
    if ax is not None:
        return ax
    return Figure(figsize=(width, height), layout="constrained").add_subplot()


def figure_of(ax: Axes) -> Figure:
    """The figure that axes belong to, also where they lie in a subfigure."""
    return cast(Figure, ax.get_figure(root=True))


def inches(ax: Axes) -> tuple[float, float]:
    """Width and height of axes in inches, once the figure's layout has settled."""
    figure_of(ax).draw_without_rendering()
    box = ax.get_window_extent()
    dpi = figure_of(ax).dpi
    return box.width / dpi, box.height / dpi


def nothing(ax: Axes, text: str) -> Axes:
    """Say on empty axes why there is no picture."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=INK, family=FONT)
    return ax


def plain(ax: Axes, counted: str) -> None:
    """Name the axes and leave of their frame what is needed.

    Args:
        ax: The axes, with fitness upwards.
        counted: What the horizontal axis counts, in whole numbers unless it is seconds.
    """
    ax.set_xlabel(counted, family=FONT)
    ax.set_ylabel("fitness", family=FONT)
    ax.xaxis.set_major_locator(MaxNLocator(integer=counted != "seconds", steps=[1, 2, 2.5, 5, 10]))
    quiet(ax)


def quiet(ax: Axes) -> None:
    """Take away the frame's upper and right side and put a faint grid behind everything."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(True, color="#E6E6E6", linewidth=0.6)
    ax.set_axisbelow(True)


def failures(ax: Axes, at: Sequence[int] | np.ndarray, *, rasterized: bool = False) -> None:
    """Mark failed evaluations as ticks along the bottom.

    Args:
        ax: The axes.
        at: Where on the horizontal axis.
        rasterized: True to make them one image in an SVG.
    """
    if len(at):
        name = f"failed ({len(at):,})"
        heights = np.full(len(at), 0.012)
        style: dict[str, Any] = {"marker": "|", "s": 36, "lw": 1.0, "color": GREY, "label": name, "gid": "failed"}
        ax.scatter(at, heights, transform=ax.get_xaxis_transform(), zorder=2, rasterized=rasterized, **style)


def legend(ax: Axes) -> None:
    """Name the lines in the corner where a rising curve leaves most room."""
    corner: dict[str, Any] = {"loc": "lower right", "bbox_to_anchor": (1.0, 0.03)}
    ax.legend(**corner, prop={"family": FONT, "size": 9}, framealpha=0.9, edgecolor="#DDDDDD")


def legend_below(ax: Axes) -> None:
    """Name the lines in a row below the picture, where they hide nothing."""
    size = 9
    lengths = [len(label) + LINE for label in ax.get_legend_handles_labels()[1]]
    fitting = len(lengths) if sum(lengths) <= ROW else ROW // max(lengths, default=1)
    place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0), "borderaxespad": 72 * UNDER / size}
    shape: dict[str, Any] = {
        "ncols": max(1, fitting),
        "frameon": False,
        "columnspacing": 1.4,
        "handletextpad": 0.5,
    }
    ax.legend(**place, **shape, prop={"family": FONT, "size": size})


def floor(values: Sequence[float] | np.ndarray, shown: Sequence[float] | np.ndarray = ()) -> float:
    """The lower end of a picture that a few very low values would flatten.

    Args:
        values: All of them, `(n,)`; NaN is left out.
        shown: What has to be inside.

    Returns:
        The lowest value, or where that is outlying three times the range of the middle half below it, if all that has
        to be shown is above.
    """
    known = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    low, high = np.percentile(known, (25, 75))
    end = min([float(low - OUTLYING * (high - low)), *(float(value) for value in shown if math.isfinite(value))])
    return max(float(known.min()), end)


def ink_on(colour: ColorType) -> str:
    """The colour of text that can be read on a colour."""
    bright = sum(part * weight for part, weight in zip(to_rgb(colour), BRIGHTNESS, strict=True))
    return "white" if bright <= DARK else INK


def fitness_of(individual: Individual) -> float | None:
    """Its fitness where it has one that can be drawn."""
    value = individual.fitness
    return value if value is not None and math.isfinite(value) else None


def reason(n_told: int) -> str:
    """Why there is nothing to show, by the number of evaluations told."""
    return (
        f"nothing to show: none of {n_told:,} evaluations succeeded"
        if n_told
        else "nothing to show: no evaluations yet"
    )


def save(ax: Axes, path: str | os.PathLike[str]) -> Path:
    """Write the figure that axes belong to, as PNG, SVG or PDF by the path's suffix.

    The file appears whole or not at all. Its bytes depend on the picture alone: no date is written.

    Args:
        ax: Any axes of the figure.
        path: Where to write; a file there is replaced.

    Returns:
        The path.

    Raises:
        ValueError: If the suffix is none of `.png`, `.svg` and `.pdf`.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in SUFFIXES:
        got = f"{target.suffix!r} in {target.name!r}" if suffix else f"no suffix in {target.name!r}"
        raise ValueError(f"path: expected a suffix among {', '.join(SUFFIXES)}, got {got}; change the file's name")
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.stem}-", suffix=suffix)
    os.close(handle)
    try:
        with matplotlib.rc_context({"svg.hashsalt": "evonas", "svg.fonttype": "path"}):
            figure_of(ax).savefig(name, format=suffix[1:], dpi=DPI, facecolor="white", metadata=DATES.get(suffix))
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise
    return target


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
