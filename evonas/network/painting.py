"""Painted tensors in torch: what a CPPN says of every pair of places (Stanley, D'Ambrosio & Gauci 2009)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from evonas.network.neurons import NeuronNetwork
from genomes.painting import Paint, asked


def painted(paint: Paint, network: nn.Module | None = None) -> Tensor:
    """`(n_targets, n_sources)`."""
    points = asked(paint.queries, paint.sources.values[None], paint.targets.values[:, None])
    if network is None:
        with torch.no_grad():
            return painted(paint, NeuronNetwork(paint.cppn).double()).float()
    like = next(network.parameters())
    out = network(torch.from_numpy(points).flatten(0, 1).to(like)).unflatten(0, points.shape[:2])
    value = out[..., paint.output].clamp(-1, 1)
    if paint.expression is not None:
        return paint.scale * value * (out[..., paint.expression] > 0)
    return paint.scale * value.sign() * (value.abs() - paint.threshold).clamp_min(0) / (1 - paint.threshold)


def painted_many(paints: Sequence[Paint]) -> Tensor:
    """`(n, n_targets, n_sources)`."""
    return torch.stack([painted(paint) for paint in paints])
