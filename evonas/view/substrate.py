"""A picture of a substrate: what is painted between its layers."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from evonas.view import figure

MOST = 256
"""Places of a layer whose weights are drawn one by one; of more, evenly chosen ones."""


def substrate(
    tensors: Mapping[str, npt.NDArray[np.floating]], *, title: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw painted tensors side by side, a row for every target and a column for every source.

    Args:
        tensors: By name, `(n_targets, ...)`; what lies behind the first axis is flattened.
        title: A line above the picture.
        ax: Axes to draw in; None for those of a new figure.

    Returns:
        The axes, which have an inset for every tensor with the gid `tensor-NAME`; blue is negative, red positive, white
        is no connection.
    """
    ax = figure.fresh(ax, max(3.2, 3.1 * len(tensors)), 3.6)
    if not tensors:
        return figure.nothing(ax, "nothing to show: nothing is painted")
    ax.set_axis_off()
    if title:
        ax.set_title(title, family=figure.FONT, fontsize=11)
    for index, (name, tensor) in enumerate(tensors.items()):
        values = np.asarray(tensor, float).reshape(len(tensor), -1)
        expressed = float((values != 0).mean())
        inset = ax.inset_axes((index / len(tensors) + 0.04, 0.1, 0.92 / len(tensors) - 0.04, 0.78))
        shown = values[np.ix_(_chosen(values.shape[0]), _chosen(values.shape[1]))]
        limit = float(np.abs(values).max()) or 1.0
        inset.imshow(shown, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto", interpolation="nearest")
        inset.set_gid(f"tensor-{name}")
        inset.set_title(f"{name}: {values.shape[0]} × {values.shape[1]}", family=figure.FONT, fontsize=8)
        inset.set_xlabel(f"source; {expressed:.0%} expressed, up to ±{limit:.2g}", family=figure.FONT, fontsize=7.5)
        if index == 0:
            inset.set_ylabel("target", family=figure.FONT, fontsize=7.5)
        inset.set_xticks([])
        inset.set_yticks([])
    return ax


def _chosen(n: int) -> npt.NDArray[np.int64]:
    return np.linspace(0, n - 1, min(n, MOST)).round().astype(np.int64)
