"""A picture of what a CPPN paints, and of what each of its neurons does."""

import math

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from evonas.view import figure
from genomes.neurons import NeuronGraph

SIDE = 1.35
"""Inches of a neuron's pattern."""
MAX_NEURONS = 48
"""Neurons whose patterns are drawn; of more, the outputs and the first of the others."""


def pattern(
    graph: NeuronGraph,
    inputs: npt.ArrayLike,
    shape: tuple[int, int],
    *,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the values of a CPPN's neurons over a plane: the outputs first, framed strong, then the others.

    Args:
        graph: A feed-forward graph.
        inputs: What it is asked with at every point of the plane, row by row, `(height * width, n_inputs)`.
        shape: Height and width of the plane in points.
        title: A line above the picture.
        ax: Axes to draw in; None for those of a new figure.

    Returns:
        The axes, which have an inset for every neuron with the gid `neuron-ID`; blue is negative, red positive.
    """
    values = graph.trace(inputs)
    outputs = [place - graph.n_inputs for place in graph.outputs]
    others = [at for _, at in sorted((level, at) for at, level in enumerate(graph.levels) if at not in outputs)]
    shown = [*outputs, *others][:MAX_NEURONS]
    n_columns = min(8, max(3, math.ceil(math.sqrt(len(shown)))))
    n_rows = math.ceil(len(shown) / n_columns)
    ax = figure.fresh(ax, n_columns * SIDE, n_rows * (SIDE + 0.28) + (0.3 if title else 0.0))
    ax.set_axis_off()
    if title:
        ax.set_title(title, family=figure.FONT, fontsize=11)
    for index, at in enumerate(shown):
        row, column = divmod(index, n_columns)
        place = (column / n_columns + 0.01, 1 - (row + 1) / n_rows, 0.98 / n_columns, 0.82 / n_rows)
        inset = ax.inset_axes(place)
        image = np.nan_to_num(values[:, at]).reshape(shape)
        limit = float(np.abs(image).max()) or 1.0
        inset.imshow(image, cmap="RdBu_r", vmin=-limit, vmax=limit, origin="lower", interpolation="nearest")
        inset.set_xticks([])
        inset.set_yticks([])
        inset.set_gid(f"neuron-{graph.ids[at]}")
        is_output = at in outputs
        for spine in inset.spines.values():
            spine.set_linewidth(1.8 if is_output else 0.5)
        name = f"output {outputs.index(at)}: {graph.activations[at]}" if is_output else graph.activations[at]
        inset.set_title(name, family=figure.FONT, fontsize=7, pad=2)
    return ax
