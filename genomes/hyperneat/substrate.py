"""A substrate: layers of places in a space, whose connections a CPPN paints."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from genomes.operations import Shape
from genomes.painting import Sheet, grid

Layout = Literal["line", "square"]
MAX_PLACES = 1 << 16
"""Places that a layer may have."""


@dataclass(frozen=True)
class Conv:
    """A convolutional layer of a substrate: one kernel for all places, painted over channels and offsets.

    Attributes:
        channels: Channels that it puts out.
        kernel: Side of the kernel in pixels, odd.
        stride: Pixels from one place to the next.

    Raises:
        ValueError: If a number is out of range.
    """

    channels: int
    kernel: int = 3
    stride: int = 1

    def __post_init__(self) -> None:
        if not (1 <= self.channels <= 4096 and 1 <= self.kernel <= 31 and self.kernel % 2 and 1 <= self.stride <= 31):
            expected = "1 to 4096 channels, an odd kernel of 1 to 31 and a stride of 1 to 31"
            raise ValueError(f"hidden: expected {expected}, got {self.channels}, {self.kernel} and {self.stride}")


Hidden = tuple[int, ...] | Conv | Literal["same"]
"""A hidden layer: a dense sheet of places, `same` for one like the sheet before it, or a convolution."""


@dataclass(frozen=True)
class Connection:
    """What lies between two layers that follow each other.

    Attributes:
        conv: The convolution that the second layer is; None: every place reads every place.
        sources: Places of the values that one value reads.
        targets: Places of the values, or channels, that read.
    """

    conv: Conv | None
    sources: Sheet
    targets: Sheet


@dataclass(frozen=True)
class Substrate:
    """Layers in order, from the input to the output.

    A sheet is a grid: each of its axes is spread evenly over [-1, 1], an axis of one place lies at 0. An image has the
    axes channel, row and column, without the channel where there is only one in all layers. Layers of fewer axes than
    others have zeros in front.

    Attributes:
        shapes: Of every layer, as many as its places have axes.
        convs: For every layer but the first, the convolution that it is, or None.
        deep: True if all places have one coordinate more, the depth: from -1 in the first to 1 in the last layer.
        image: True if the first layer is an image.
    """

    shapes: tuple[Shape, ...]
    convs: tuple[Conv | None, ...]
    deep: bool = True
    image: bool = False

    @property
    def n_dimensions(self) -> int:
        """Coordinates of a place."""
        return max(map(len, self.shapes)) + self.deep

    def connections(self) -> tuple[Connection, ...]:
        """What lies between all layers that follow each other."""
        found = []
        n_axes = self.n_dimensions - self.deep
        for at, conv in enumerate(self.convs):
            here, there = (self.depth(at), self.depth(at + 1)) if self.deep else (None, None)
            source, target = self.shapes[at], self.shapes[at + 1]
            if conv is not None:
                source, target = (source[0], conv.kernel, conv.kernel), (conv.channels, 1, 1)
            found.append(Connection(conv, sheet(source, n_axes, here), sheet(target, n_axes, there)))
        return tuple(found)

    def depth(self, at: int) -> float:
        """The coordinate that the places of a layer share, where there is one."""
        return 2 * at / (len(self.shapes) - 1) - 1


@lru_cache(maxsize=256)
def sheet(shape: Shape, n_axes: int, depth: float | None) -> Sheet:
    """A grid of places in a space.

    Args:
        shape: Places on the last axes; on those before, there is one, at 0.
        n_axes: In all.
        depth: A coordinate more, which all places share; None: none.
    """
    plain = grid(*(1,) * (n_axes - len(shape)), *shape).places
    return Sheet(plain if depth is None else tuple((*place, depth) for place in plain))


@lru_cache(maxsize=256)
def origin(n_axes: int, depth: float | None) -> Sheet:
    """The one place in the middle, which biases are painted from."""
    return sheet((), n_axes, depth)


def substrate(
    input_shape: Shape,
    n_outputs: int,
    hidden: Sequence[Hidden] = (),
    *,
    inputs: Layout = "line",
    outputs: Layout | tuple[int, ...] = "line",
    deep: bool = True,
) -> Substrate:
    """The substrate of a task.

    Args:
        input_shape: `(channels, height, width)` or `(features,)`.
        n_outputs: Values that are asked for.
        hidden: The layers between, in order; convolutions first.
        inputs: How a vector of inputs lies: on a line, or row by row on a square.
        outputs: How the outputs lie: on a line, row by row on a square, or on a grid of so many places an axis.
        deep: See `Substrate`.

    Raises:
        ValueError: If a convolution follows a sheet, a sheet has no place or too many, or a grid does not fit its
            number of values.
    """
    image = len(input_shape) == 3
    keeps = image and (input_shape[0] > 1 or any(isinstance(layer, Conv) for layer in hidden))
    first = input_shape if keeps else input_shape[1:] if image else _laid("inputs", inputs, input_shape[0])
    shapes: list[Shape] = [first]
    convs: list[Conv | None] = []
    for at, layer in enumerate(hidden):
        if isinstance(layer, Conv):
            if not image or any(conv is None for conv in convs):
                got = "a sheet" if image else f"an input of shape {input_shape}"
                raise ValueError(f"hidden: expected an image before convolution {at + 1}, got {got}; put it first")
            rows, columns = (math.ceil(side / layer.stride) for side in shapes[-1][1:])
            shapes.append((layer.channels, rows, columns))
            convs.append(layer)
        else:
            shapes.append(shapes[-1] if layer == "same" else tuple(layer))
            convs.append(None)
    shapes.append(_laid("outputs", outputs, n_outputs))
    convs.append(None)
    for shape in shapes:
        if not shape or min(shape) < 1 or math.prod(shape) > MAX_PLACES:
            raise ValueError(f"hidden: expected 1 to {MAX_PLACES:,} places a layer, got {list(shape)}; correct it")
    return Substrate(tuple(shapes), tuple(convs), deep, image)


def _laid(what: str, layout: Layout | tuple[int, ...], n: int) -> Shape:
    """The grid that so many values lie on."""
    side = math.isqrt(n)
    shape = (n,) if layout == "line" else (side, side) if layout == "square" else tuple(layout)
    if math.prod(shape) != n:
        raise ValueError(
            f"{what}: expected {n} places, got {layout!r}, which has {math.prod(shape)}; lay them otherwise"
        )
    return shape
