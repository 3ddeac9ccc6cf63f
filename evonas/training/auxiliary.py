"""The auxiliary head: a second classifier, further from the output, whose loss helps to train what lies before it."""

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evonas.network import AnyNetwork
from evonas.training.config import Training
from genomes.architecture import Layer
from genomes.operations import INPUT, Shape

SIDE = 2
WIDTHS = 128, 768
"""Channels of its two convolutions."""


class Auxiliary(nn.Module):
    """A classifier of what one node of a network puts out, for as long as that network is trained.

    Place after NASNet (Zoph et al. 2018, https://arxiv.org/abs/1707.07012), whose released code puts it before the last
    reduction cell; form after the head that DARTS uses on CIFAR (Liu et al. 2019, https://arxiv.org/abs/1806.09055):
    ReLU, pool, 1×1 convolution, BatchNorm, ReLU, convolution over all that is left, BatchNorm, ReLU, linear. Two
    departures: the pool is to at most 2×2 whatever came in, where DARTS's is 5×5 with stride 3, for 8×8; weights begin
    as those of networks do. It is no part of the network: neither saved, nor inherited, nor counted.

    Args:
        layer: The layer it reads, whose output is an image.
        n_outputs: Values it puts out.
        rng: Gives the initial weights.
    """

    def __init__(self, layer: Layer, n_outputs: int, *, rng: np.random.Generator) -> None:
        super().__init__()
        self.reads = layer.node.id
        channels, height, width = layer.target
        self.side = min(SIDE, height), min(SIDE, width)
        first, second = WIDTHS
        self.first = nn.Parameter(_weights((first, channels, 1, 1), 2.0, rng))
        self.second = nn.Parameter(_weights((second, first, *self.side), 2.0, rng))
        self.norms = nn.ModuleList(nn.BatchNorm2d(n) for n in WIDTHS)
        self.weight = nn.Parameter(_weights((n_outputs, second), 1.0, rng))
        self.bias = nn.Parameter(torch.zeros(n_outputs))

    @property
    def decayed(self) -> list[nn.Parameter]:
        """What weight decay is for: weights, not biases nor normalisations."""
        return [self.first, self.second, self.weight]

    def forward(self, x: Tensor) -> Tensor:
        """Outputs `(batch, n_outputs)` for images `(batch, channels, height, width)` that the node puts out."""
        x = F.adaptive_avg_pool2d(F.relu(x), self.side)
        x = F.relu(self.norms[0](F.conv2d(x, self.first)))
        x = F.relu(self.norms[1](F.conv2d(x, self.second)))
        return F.linear(x.flatten(1), self.weight, self.bias)

    def with_network(self, network: AnyNetwork, x: Tensor) -> tuple[Tensor, Tensor]:
        """The network's outputs and these, both `(batch, n_outputs)`, for inputs `(batch, *input_shape)`."""
        seen: list[Tensor] = []
        module = network.get_submodule(self.reads)
        handle = module.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
        try:
            outputs = network(x)
        finally:
            handle.remove()
        return outputs, self(seen[0])


def auxiliary(network: AnyNetwork, config: Training, *, rng: np.random.Generator) -> Auxiliary | None:
    """A new auxiliary head on the network's device; None, and nothing drawn, where it has weight 0 or no place.

    Args:
        network: What it will be trained with.
        config: Its weight.
        rng: Gives the initial weights.
    """
    layer = place(network) if config.auxiliary else None
    if layer is None:
        return None
    made = Auxiliary(layer, network.n_outputs, rng=rng)
    device = next(network.parameters()).device
    return made.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def place(network: AnyNetwork) -> Layer | None:
    """The layer that an auxiliary head reads: the last, in topological order, before the last loss of resolution.

    That is the last whose area is larger than that of the head's input; a vector's is 1. The input itself is no layer
    to be helped. None where the network reads vectors, has no layers, or never reduces what it has computed.
    """
    if not network.layers:
        return None
    final = _area(network.layers[-1].source)
    larger = [layer for layer in network.layers if layer.node.operation != INPUT and _area(layer.target) > final]
    return larger[-1] if larger else None


def _area(shape: Shape) -> int:
    return math.prod(shape[1:])


def _weights(shape: Shape, gain: float, rng: np.random.Generator) -> Tensor:
    values = rng.standard_normal(shape, dtype=np.float32) * math.sqrt(gain / math.prod(shape[1:]))
    return torch.from_numpy(values)
