"""A picture of what a CPPN paints, and of what each of its neurons does."""

import math
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from evonas.view import figure
from genomes.neurons import NeuronGraph

COLOURS = "RdBu_r"
NAMED = 4
"""Letters of a neuron's id that name it."""
SIDE = 1.35
"""Inches of a neuron's pattern."""
STRIP, LINE = 0.42, 0.13
"""Inches below the patterns for the scale of colours, and for a line of text below that."""
LETTERS = 18
"""Letters of text that an inch has room for."""
MAX_NEURONS = 48
"""Neurons whose patterns are drawn; of more, the outputs and the first of the others."""


def pattern(
    graph: NeuronGraph,
    inputs: npt.ArrayLike,
    shape: tuple[int, int],
    *,
    names: Sequence[str] = (),
    outputs: Sequence[str] = (),
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the values of a CPPN's neurons over a plane: the outputs first, framed strong, then the others.

    Every pattern has a scale of its own, from minus to plus its largest absolute value, which is written in its corner.
    A neuron is named by its activation and the first letters of its id.

    Args:
        graph: A feed-forward graph.
        inputs: What it is asked with at every point of the plane, row by row, `(height * width, n_inputs)`.
        shape: Height and width of the plane in points.
        names: Of the inputs; others are numbered. Below the picture stands which of them vary along the axes, and what
            the others are held at.
        outputs: Names of the outputs, all or none.
        title: A line above the picture.
        ax: Axes to draw in; None for those of a new figure.

    Returns:
        The axes, which have an inset for every neuron with the gid `neuron-ID`, and one, `scale`, for the colours; blue
        is negative, red positive. The text below has the gid `axes`.
    """
    values = graph.trace(inputs)
    ends = [place - graph.n_inputs for place in graph.outputs]
    others = [at for _, at in sorted((level, at) for at, level in enumerate(graph.levels) if at not in ends)]
    shown = [*ends, *others][:MAX_NEURONS]
    n_columns = min(8, max(3, math.ceil(math.sqrt(len(shown)))))
    n_rows = math.ceil(len(shown) / n_columns)
    lines = textwrap.wrap(_axes(np.asarray(inputs), shape, names), int(n_columns * SIDE * LETTERS))
    patterns, strip = n_rows * (SIDE + 0.28), STRIP + LINE * len(lines)
    ax = figure.fresh(ax, n_columns * SIDE, patterns + strip + (0.3 if title else 0.0))
    part = patterns / (patterns + strip)
    ax.set_axis_off()
    if title:
        ax.set_title(title, family=figure.FONT, fontsize=11)
    for index, at in enumerate(shown):
        row, column = divmod(index, n_columns)
        bottom = 1 - part * (row + 1) / n_rows
        place = (column / n_columns + 0.01, bottom, 0.98 / n_columns, part * 0.82 / n_rows)
        inset = ax.inset_axes(place)
        image = np.nan_to_num(values[:, at]).reshape(shape)
        limit = float(np.abs(image).max()) or 1.0
        inset.imshow(image, cmap=COLOURS, vmin=-limit, vmax=limit, origin="lower", interpolation="nearest")
        inset.set_xticks([])
        inset.set_yticks([])
        inset.set_gid(f"neuron-{graph.ids[at]}")
        is_output = at in ends
        for spine in inset.spines.values():
            spine.set_linewidth(1.8 if is_output else 0.5)
        word = graph.activations[at]
        if is_output:
            called = [*outputs, *(f"output {number}" for number in range(len(outputs), len(ends)))][ends.index(at)]
            name = f"{called}: {word}".replace("_", " ")
        else:
            name = f"{word} {graph.ids[at][:NAMED]}"
        inset.set_title(name, family=figure.FONT, fontsize=7, pad=2)
        style: dict[str, Any] = {"transform": inset.transAxes, "ha": "right", "va": "bottom", "fontsize": 5.5}
        halo = [withStroke(linewidth=1.6, foreground="white")]
        inset.text(0.97, 0.03, f"± {limit:.2g}", **style, family=figure.FONT, color=figure.INK, path_effects=halo)
    _draw_scale(ax, strip, patterns + strip, n_columns * SIDE)
    style = {"ha": "left", "va": "top", "fontsize": 7, "family": figure.FONT, "color": figure.INK}
    ax.text(0.01, (strip - STRIP) / (patterns + strip), "\n".join(lines), **style, gid="axes", parse_math=False)
    return ax


def _draw_scale(ax: Axes, strip: float, height: float, width: float) -> None:
    """The scale of colours, in the upper part of a strip at the bottom; all in inches."""
    inset = ax.inset_axes((0.04, (strip - 0.2) / height, min(1.0, 1.6 / width), 0.09 / height))
    inset.imshow(np.linspace(-1, 1, 64)[None], cmap=COLOURS, aspect="auto", extent=(-1, 1, 0, 1))
    inset.set_xticks([-1, 0, 1], ["– largest", "0", "+ largest"], fontsize=5.5, family=figure.FONT)
    inset.set_yticks([])
    inset.tick_params(length=1.5, pad=1)
    inset.set_gid("scale")


def _axes(inputs: np.ndarray, shape: tuple[int, int], names: Sequence[str]) -> str:
    """Which inputs vary to the right and upwards alone, from where to where, and what others are held at."""
    planes = inputs.reshape(*shape, -1)
    found: dict[str, list[str]] = {"to the right": [], "upwards": []}
    held, both = [], []
    for at in range(planes.shape[-1]):
        name, plane = names[at] if at < len(names) else f"input {at}", planes[..., at]
        along = (np.ptp(plane, 1).max() > 0, np.ptp(plane, 0).max() > 0)
        low, high = float(plane.min()), float(plane.max())
        if along == (False, False):
            held.append(f"{name} = {low:.3g}")
        elif all(along):
            both.append(name)
        else:
            found["to the right" if along[0] else "upwards"].append(f"{name} from {low:.3g} to {high:.3g}")
    parts = [f"{way}: {', '.join(words)}" for way, words in found.items() if words]
    parts += [f"{', '.join(both)}: as follows from these"] if both else []
    return "; ".join([*parts, *([f"held: {', '.join(held)}"] if held else [])])
