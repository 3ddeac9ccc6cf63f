"""What each operation of `genomes.operations` computes in torch; a test pairs the two."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from evonas.network.recur import mapped, recur
from genomes.architecture import CONCAT, ZERO_START, Node
from genomes.operations import DILATION, N_HEADS, Shape

Tensors = Mapping[str, Tensor]
Forward = Callable[[Tensor, Tensors, Mapping[str, Any]], Tensor]
"""`(inputs, tensors by role, attributes) -> outputs`, `(batch, channels, height, width)` or `(batch, …, features)`."""


def _conv(kind: str, dilation: int) -> Forward:
    weight, bias = f"{kind}/weight", f"{kind}/bias"

    def forward(x: Tensor, tensors: Tensors, settings: Mapping[str, Any]) -> Tensor:
        stride, padding = settings["stride"], dilation * (settings["kernel"] - 1) // 2
        if settings["kernel"] == 1 and stride > 1:
            # The same values; oneDNN's strided 1×1 convolution corrupts memory on channels-last inputs of few channels.
            x, stride = x[:, :, ::stride, ::stride], 1
        return F.conv2d(x, tensors[weight], tensors.get(bias), stride, padding, dilation)

    return forward


def _separable(kind: str, dilation: int) -> Forward:
    def forward(x: Tensor, tensors: Tensors, settings: Mapping[str, Any]) -> Tensor:
        depthwise, pointwise = tensors[f"{kind}/depthwise"], tensors[f"{kind}/pointwise"]
        padding = dilation * (settings["kernel"] - 1) // 2
        x = F.conv2d(x, depthwise, None, settings["stride"], padding, dilation, groups=len(depthwise))
        return F.conv2d(x, pointwise, tensors.get(f"{kind}/bias"))

    return forward


def _factorised(x: Tensor, tensors: Tensors, settings: Mapping[str, Any]) -> Tensor:
    stride, padding = settings["stride"], settings["kernel"] // 2
    x = F.conv2d(x, tensors["factorised/row"], None, (1, stride), (0, padding))
    return F.conv2d(x, tensors["factorised/column"], tensors.get("factorised/bias"), (stride, 1), (padding, 0))


def _factorised_reduction(x: Tensor, tensors: Tensors, settings: Mapping[str, Any]) -> Tensor:
    straight, shifted = x[:, :, ::2, ::2], x[:, :, 1::2, 1::2]
    missing = [straight.shape[axis] - shifted.shape[axis] for axis in (3, 2)]
    shifted = F.pad(shifted, (0, missing[0], 0, missing[1]))
    weight, bias = tensors["factorised_reduction/weight"], tensors.get("factorised_reduction/bias")
    half = (len(weight) + 1) // 2
    halves = ((straight, weight[:half]), (shifted, weight[half:]))
    # Of a single channel the second half is empty, which no convolution takes.
    x = torch.cat([F.conv2d(read, part) for read, part in halves if len(part)], 1)
    return x if bias is None else x + bias[:, None, None]


def _attention(x: Tensor, tensors: Tensors, settings: Mapping[str, Any]) -> Tensor:
    stride, qkv = settings["stride"], tensors["attention/qkv"]
    width = len(qkv) // 3
    n_heads = next(n for n in range(N_HEADS, 0, -1) if width % n == 0)
    asking = x[:, :, ::stride, ::stride]
    n, _, height, breadth = asking.shape
    q = F.linear(asking.flatten(2).mT, qkv[:width])
    k, v = F.linear(x.flatten(2).mT, qkv[width:]).chunk(2, -1)
    q, k, v = (part.unflatten(-1, (n_heads, -1)).transpose(1, 2) for part in (q, k, v))
    read = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
    made = F.linear(read, tensors["attention/projection"], tensors.get("attention/bias"))
    return made.mT.reshape(n, width, height, breadth)


def _zero(x: Tensor, tensors: Tensors, settings: Mapping[str, Any]) -> Tensor:
    return x[:, :, :: settings["stride"], :: settings["stride"]] * 0.0


def _max_pool(x: Tensor, tensors: Tensors, settings: Mapping[str, Any]) -> Tensor:
    return F.max_pool2d(x, settings["kernel"], settings["stride"], settings["kernel"] // 2)


def _avg_pool(x: Tensor, tensors: Tensors, settings: Mapping[str, Any]) -> Tensor:
    kernel = settings["kernel"]
    return F.avg_pool2d(x, kernel, settings["stride"], kernel // 2, count_include_pad=False)


def _linear(kind: str) -> Forward:
    weight, bias = f"{kind}/weight", f"{kind}/bias"

    def forward(x: Tensor, tensors: Tensors, settings: Mapping[str, Any]) -> Tensor:
        return mapped(flat(x), tensors[weight], tensors.get(bias))

    return forward


def _recur(x: Tensor, tensors: Tensors, settings: Mapping[str, Any]) -> Tensor:
    """From a state of zeros; `Network.step` carries one on."""
    return recur(x, None, tensors, settings["cell"], settings["width"])[0]


def _flatten(x: Tensor, tensors: Tensors, settings: Mapping[str, Any]) -> Tensor:
    return x.flatten(1) if x.dim() == 4 else x


def _identity(x: Tensor, tensors: Tensors, settings: Mapping[str, Any]) -> Tensor:
    return x


OPERATIONS: dict[str, Forward] = {
    "input": _identity,
    "conv": _conv("conv", 1),
    "dilated": _conv("dilated", DILATION),
    "factorised": _factorised,
    "separable": _separable("separable", 1),
    "dilated_separable": _separable("dilated_separable", DILATION),
    "factorised_reduction": _factorised_reduction,
    "attention": _attention,
    "max_pool": _max_pool,
    "avg_pool": _avg_pool,
    "identity": _identity,
    "flatten": _flatten,
    "zero": _zero,
    "recur": _recur,
    "linear": _linear("linear"),
    "head": _linear("head"),
}

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": lambda x: F.relu(x, inplace=True),
    "silu": F.silu,
    "tanh": torch.tanh,
    "none": lambda x: x,
}


def preactivation(node: Node) -> Callable[[Tensor], Tensor]:
    """What a node does to its merged input first; others read that input too, so that it is left as it is."""
    return F.relu if node.settings.get("preactivation") == "relu" else ACTIVATIONS["none"]


def activation(node: Node) -> Callable[[Tensor], Tensor]:
    """The activation of a node.

    A layer that starts from zero could never leave it through `relu`, whose slope at 0 is 0 in torch: there the slope
    at 0 is 1, the values are the same.
    """
    name = node.settings.get("activation", "none")
    if name == "relu" and node.settings.get("start") == ZERO_START:
        return lambda x: x.clamp_min(0)
    return ACTIVATIONS[name]


def flat(x: Tensor) -> Tensor:
    """Images `(batch, channels, height, width)` averaged over their area; vectors and sequences as they are."""
    return x.mean((2, 3)) if x.dim() == 4 else x


def merged(inputs: list[Tensor], merge: str, shape: Shape) -> Tensor:
    """Several inputs as one, as `genomes.architecture.Node.merge` describes.

    Args:
        inputs: Each `(batch, channels, height, width)`, `(batch, features)` or `(batch, time, features)`.
        merge: `sum` or `concat`.
        shape: Shape of one merged example.
    """
    if len(inputs) == 1:
        return inputs[0]
    inputs = [_resized(x, shape) for x in inputs]
    if merge == CONCAT:
        return torch.cat(inputs, 1 if len(shape) == 3 else -1)
    total = _padded(inputs[0], shape[0])
    for x in inputs[1:]:
        total = total + _padded(x, shape[0])
    return total


def _resized(x: Tensor, shape: Shape) -> Tensor:
    if len(shape) == 1:
        return flat(x)
    return x if x.shape[2:] == shape[1:] else F.adaptive_avg_pool2d(x, (shape[1], shape[2]))


def _padded(x: Tensor, width: int) -> Tensor:
    if x.dim() == 3:
        return F.pad(x, (0, width - x.shape[2]))
    missing = width - x.shape[1]
    return F.pad(x, (0, 0) * (x.dim() - 2) + (0, missing)) if missing else x
