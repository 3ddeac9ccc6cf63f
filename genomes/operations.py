"""The vocabulary of layer operations: shape rule, parameter axes and multiply-accumulates, without torch.

Each entry here has its forward pass in `evonas/network/operations.py`. All spatial operations pad to keep the size
("same"), so that a stride of s maps a side of n to ceil(n / s).
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genomes.recurrence import Step

if TYPE_CHECKING:
    from genomes.painting import Paint

Shape = tuple[int, ...]
"""`(channels, height, width)` for an image, `(features,)` for a vector or one time step; never the batch or time."""

Axis = tuple[tuple[str, int], ...]
"""One axis of a parameter as segments `(owner, size)`: who its channels come from."""

KERNEL = "kernel"
"""Owner of a spatial kernel axis; blocks of it are aligned at the centre, all others at the start."""
ONE: Axis = (("one", 1),)
"""An axis of length 1 that belongs to nobody."""

INPUT, HEAD, RECUR = "input", "head", "recur"
DILATION = 2
REDUCTION_STRIDE = 2
"""The stride of `factorised_reduction`."""
N_HEADS = 4
"""Heads of `attention`; where they do not divide the width, the greatest number below that does."""
Attributes = dict[str, Any]


@dataclass(frozen=True)
class Parameter:
    """A tensor of a network, named by the node that holds it and its role there.

    Attributes:
        node: The node's id.
        role: `kind/what`. It names the operation's kind, so that a changed operation inherits nothing.
        axes: One tuple of segments an axis.
        fan_in: How many inputs one output sums over; 0 for what starts as a constant.
        trainable: False for normalisation statistics, and for what is painted and not trained itself.
        paint: How its values are painted; None: they are inherited, or drawn.
    """

    node: str
    role: str
    axes: tuple[Axis, ...]
    fan_in: int = 0
    trainable: bool = True
    paint: "Paint | None" = None

    @property
    def name(self) -> str:
        """The tensor's name in a network's state, `node.role`."""
        return f"{self.node}.{self.role}"

    @property
    def shape(self) -> Shape:
        """The tensor's shape."""
        return tuple(size(axis) for axis in self.axes)


@dataclass(frozen=True)
class Operation:
    """What a node does to its merged input.

    Attributes:
        name: The word used in architectures.
        shape: `(attributes, input shape) -> output shape`.
        weights: `(node, attributes, input axis, output axis) -> parameters` of the operation proper.
        macs: `(attributes, input shape, output shape) -> multiply-accumulates` for one example.
        spatial: True if it needs an input `(channels, height, width)`.
        flattens: True if an image input is averaged over its area first.
        biased: True if `weights` has all biases that it needs, and no normalisation follows.
    """

    name: str
    shape: Callable[[Attributes, Shape], Shape]
    weights: Callable[[str, Attributes, Axis, Axis], list[Parameter]]
    macs: Callable[[Attributes, Shape, Shape], int]
    spatial: bool = False
    flattens: bool = False
    biased: bool = False

    @property
    def parametric(self) -> bool:
        """True if it has weights, hence a width, an activation and a normalisation of its own."""
        return self.weights is not _no_weights


def size(axis: Axis) -> int:
    """The length of an axis."""
    return sum(length for _, length in axis)


def _kernel_axes(attributes: Attributes) -> tuple[Axis, Axis]:
    kernel: Axis = ((KERNEL, attributes["kernel"]),)
    return kernel, kernel


def _strided(shape: Shape, stride: int) -> Shape:
    return math.ceil(shape[1] / stride), math.ceil(shape[2] / stride)


def _convolved(attributes: Attributes, shape: Shape) -> Shape:
    return attributes["width"] or shape[0], *_strided(shape, attributes["stride"])


def _halved(attributes: Attributes, shape: Shape) -> Shape:
    return attributes["width"] or shape[0], *_strided(shape, REDUCTION_STRIDE)


def _pooled(attributes: Attributes, shape: Shape) -> Shape:
    return shape[0], *_strided(shape, attributes["stride"])


def _conv_weights(kind: str) -> Callable[[str, Attributes, Axis, Axis], list[Parameter]]:
    def weights(node: str, attributes: Attributes, source: Axis, target: Axis) -> list[Parameter]:
        fan_in = size(source) * attributes["kernel"] ** 2
        return [Parameter(node, f"{kind}/weight", (target, source, *_kernel_axes(attributes)), fan_in)]

    return weights


def _separable_weights(kind: str) -> Callable[[str, Attributes, Axis, Axis], list[Parameter]]:
    def weights(node: str, attributes: Attributes, source: Axis, target: Axis) -> list[Parameter]:
        depthwise = (source, ONE, *_kernel_axes(attributes))
        pointwise = (target, source, ONE, ONE)
        return [
            Parameter(node, f"{kind}/depthwise", depthwise, attributes["kernel"] ** 2),
            Parameter(node, f"{kind}/pointwise", pointwise, size(source)),
        ]

    return weights


def _factorised_weights(node: str, attributes: Attributes, source: Axis, target: Axis) -> list[Parameter]:
    side: Axis = ((KERNEL, attributes["kernel"]),)
    return [
        Parameter(node, "factorised/row", (target, source, ONE, side), size(source) * attributes["kernel"]),
        Parameter(node, "factorised/column", (target, target, side, ONE), size(target) * attributes["kernel"]),
    ]


def _reduction_weights(node: str, attributes: Attributes, source: Axis, target: Axis) -> list[Parameter]:
    return [Parameter(node, "factorised_reduction/weight", (target, source, ONE, ONE), size(source))]


def _attention_weights(node: str, attributes: Attributes, source: Axis, target: Axis) -> list[Parameter]:
    parts = {part: tuple((f"{owner}/{part}", length) for owner, length in target) for part in ("q", "k", "v")}
    return [
        Parameter(node, "attention/qkv", (tuple(s for part in parts.values() for s in part), source), size(source)),
        Parameter(node, "attention/projection", (target, parts["v"]), size(target)),
    ]


def _linear_weights(node: str, attributes: Attributes, source: Axis, target: Axis) -> list[Parameter]:
    return [Parameter(node, "linear/weight", (target, source), size(source))]


def _head_weights(node: str, attributes: Attributes, source: Axis, target: Axis) -> list[Parameter]:
    return [Parameter(node, "head/weight", (target, source), size(source))]


def _recur_weights(node: str, attributes: Attributes, source: Axis, target: Axis) -> list[Parameter]:
    """Rows of a map belong to the step that has it; columns of a map of h to the cell's own units."""
    cell, width = attributes["cell"], size(target)

    def rows(steps: Iterable[Step]) -> Axis:
        return tuple((f"{node}/{step.name}", width) for step in steps)

    found = []
    if cell.input_maps:
        found.append(Parameter(node, "recur/input", (rows(cell.input_maps), source), size(source)))
        found.append(Parameter(node, "recur/bias", (rows(cell.input_maps),)))
    if cell.state_maps:
        found.append(Parameter(node, "recur/state", (rows(cell.state_maps), target), width))
    if cell.biased_states:
        found.append(Parameter(node, "recur/state_bias", (rows(cell.biased_states),)))
    return found


def _no_weights(node: str, attributes: Attributes, source: Axis, target: Axis) -> list[Parameter]:
    return []


def _conv_macs(attributes: Attributes, source: Shape, target: Shape) -> int:
    return source[0] * attributes["kernel"] ** 2 * math.prod(target)


def _separable_macs(attributes: Attributes, source: Shape, target: Shape) -> int:
    area = target[1] * target[2]
    return source[0] * attributes["kernel"] ** 2 * area + source[0] * target[0] * area


def _factorised_macs(attributes: Attributes, source: Shape, target: Shape) -> int:
    rows = target[0] * source[1] * target[2] * source[0] * attributes["kernel"]
    return rows + math.prod(target) * target[0] * attributes["kernel"]


def _pointwise_macs(attributes: Attributes, source: Shape, target: Shape) -> int:
    return source[0] * math.prod(target)


def _attention_macs(attributes: Attributes, source: Shape, target: Shape) -> int:
    read, asked, width = source[1] * source[2], target[1] * target[2], target[0]
    return source[0] * width * (asked + 2 * read) + 2 * asked * read * width + asked * width * width


def _linear_macs(attributes: Attributes, source: Shape, target: Shape) -> int:
    return source[0] * target[0]


def _recur_macs(attributes: Attributes, source: Shape, target: Shape) -> int:
    cell, width = attributes["cell"], target[0]
    return width * (len(cell.input_maps) * source[0] + len(cell.state_maps) * width)


def _no_macs(attributes: Attributes, source: Shape, target: Shape) -> int:
    return 0


def _kept(attributes: Attributes, shape: Shape) -> Shape:
    return shape


def _flattened(attributes: Attributes, shape: Shape) -> Shape:
    return (math.prod(shape),)


def _flat(attributes: Attributes, shape: Shape) -> Shape:
    return (attributes["width"] or shape[0],)


OPERATIONS: dict[str, Operation] = {
    operation.name: operation
    for operation in (
        Operation(INPUT, _kept, _no_weights, _no_macs),
        Operation("conv", _convolved, _conv_weights("conv"), _conv_macs, spatial=True),
        Operation("dilated", _convolved, _conv_weights("dilated"), _conv_macs, spatial=True),
        Operation("factorised", _convolved, _factorised_weights, _factorised_macs, spatial=True),
        Operation("separable", _convolved, _separable_weights("separable"), _separable_macs, spatial=True),
        Operation(
            "dilated_separable", _convolved, _separable_weights("dilated_separable"), _separable_macs, spatial=True
        ),
        Operation("factorised_reduction", _halved, _reduction_weights, _pointwise_macs, spatial=True),
        Operation("attention", _convolved, _attention_weights, _attention_macs, spatial=True),
        Operation("max_pool", _pooled, _no_weights, _no_macs, spatial=True),
        Operation("avg_pool", _pooled, _no_weights, _no_macs, spatial=True),
        Operation("identity", _kept, _no_weights, _no_macs),
        Operation("flatten", _flattened, _no_weights, _no_macs),
        Operation("zero", _pooled, _no_weights, _no_macs, spatial=True),
        Operation(RECUR, _flat, _recur_weights, _recur_macs, biased=True),
        Operation("linear", _flat, _linear_weights, _linear_macs, flattens=True),
        Operation(HEAD, _flat, _head_weights, _linear_macs, flattens=True),
    )
}
"""Every operation by name.

`dilated` is a convolution with dilation 2; `factorised` a 1×k followed by a k×1 convolution; `separable` a depthwise
followed by a pointwise convolution, both with nothing in between; `dilated_separable` the same with dilation 2.
`factorised_reduction` halves the resolution by two 1×1 convolutions of stride 2, one shifted by a pixel, whose outputs
are concatenated (Liu, Simonyan & Yang 2019). `attention` is multi-head self-attention over all places of an image or of
a sequence `(channels, 1, length)`, without knowledge of places (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762);
with a stride, only every stride-th place asks. `recur` is a recurrent layer, whose attribute `cell` is a
`genomes.recurrence.RecurrentCell`; its shapes and multiply-accumulates are those of one time step. `zero` puts out
zeros, `identity` its merged input, `flatten` every value of it as a vector, channel by channel; `head` is the linear
classifier."""

ACTIVATIONS = ("relu", "silu", "tanh", "none")
NORMALISATIONS = ("batch", "none")


def parameters(node: str, operation: str, attributes: Attributes, source: Axis, target: Axis) -> list[Parameter]:
    """The tensors of one node: those of its operation, then bias or normalisation.

    Args:
        node: The node's id.
        operation: A key of `OPERATIONS`.
        attributes: The node's attributes.
        source: The axis of the merged input's channels.
        target: The axis of the output's channels.
    """
    kind = OPERATIONS[operation]
    if not kind.parametric:
        return []
    weights = kind.weights(node, attributes, source, target)
    if kind.biased:
        return weights
    if attributes.get("normalisation", "none") == "none":
        if attributes.get("bias") == "none":
            return weights
        return [*weights, Parameter(node, f"{operation}/bias", (target,))]
    return [
        *weights,
        Parameter(node, f"{operation}/scale", (target,)),
        Parameter(node, f"{operation}/shift", (target,)),
        Parameter(node, f"{operation}/mean", (target,), trainable=False),
        Parameter(node, f"{operation}/variance", (target,), trainable=False),
    ]
