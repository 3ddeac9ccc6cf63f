"""Painted tensors in torch: what a CPPN says of every pair of places (Stanley, D'Ambrosio & Gauci 2009)."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from evonas.network.neurons import Level, NeuronNetwork
from evonas.network.population import NeuronPopulation
from genomes.painting import Paint, asked

PAIRS = 1 << 14
"""Pairs of places that are asked about together: what one CPPN makes of them stays in a cache."""
TOGETHER = 8
"""CPPNs from which on they are computed side by side."""


def painted(paint: Paint, network: nn.Module | None = None) -> Tensor:
    """The tensor of a recipe, `(n_targets, n_sources)`, float32.

    Args:
        paint: The recipe.
        network: Its CPPN, where gradient is to flow through it; the tensor is then of its type and device. None: the
            CPPN as the recipe has it, without gradients, on the CPU, some targets at a time.
    """
    if network is None:
        return _chunked(paint, _Asking(NeuronNetwork(paint.cppn)), 1)[0]
    points = asked(paint.queries, paint.sources.values[None], paint.targets.values[:, None])
    like = next(network.parameters())
    out = network(torch.from_numpy(points).flatten(0, 1).to(like)).unflatten(0, points.shape[:2])
    return _weights(paint, out)


def painted_many(paints: Sequence[Paint]) -> Tensor:
    """The tensors of many recipes whose sheets are of one size, `(n, n_targets, n_sources)`, float32.

    Recipes that differ in their CPPN alone, as those of a population do, are painted side by side.
    """
    first = paints[0]
    alike = all(_but_cppn(one) == _but_cppn(first) for one in paints)
    if not alike or len(paints) < TOGETHER:
        return torch.stack([painted(one) for one in paints])
    population = NeuronPopulation([one.cppn for one in paints])
    return _chunked(first, lambda points: population(points.T), len(paints))


def _but_cppn(paint: Paint) -> tuple[object, ...]:
    rule = (paint.queries, paint.output, paint.expression, paint.threshold, paint.scale)
    return (paint.cppn.n_inputs, len(paint.cppn.outputs), paint.sources, paint.targets, *rule)


def _weights(paint: Paint, out: Tensor) -> Tensor:
    """What outputs `(..., n_outputs)` say that weights are."""
    value = out[..., paint.output].clamp(-1, 1)
    if paint.expression is not None:
        return paint.scale * value * (out[..., paint.expression] > 0)
    shrunk = value - value.clamp(-paint.threshold, paint.threshold)
    return shrunk * (paint.scale / (1 - paint.threshold))


@torch.no_grad()
def _chunked(paint: Paint, asks: Callable[[Tensor], Tensor], n: int) -> Tensor:
    """`(n, n_targets, n_sources)`; `asks` gives `(n, pairs, n_outputs)` for questions `(n_queries, pairs)`."""
    sources, targets = (torch.from_numpy(sheet.values).float() for sheet in (paint.sources, paint.targets))
    made = torch.empty(n, len(targets), len(sources))
    rows = max(1, PAIRS // len(sources))
    for start in range(0, len(targets), rows):
        part = targets[start : start + rows]
        out = asks(_questions(paint.queries, sources, part).flatten(1))
        made[:, start : start + rows] = _weights(paint, out).unflatten(1, (len(part), -1))
    return made


def _questions(queries: tuple[str, ...], sources: Tensor, targets: Tensor) -> Tensor:
    """What `genomes.painting.asked` says of all pairs, `(n_queries, n_targets, n_sources)`."""
    source, target = sources.T[:, None, :], targets.T[:, :, None]
    words = {
        "source": lambda: source,
        "target": lambda: target,
        "difference": lambda: target - source,
        "distance": lambda: (target - source).square().sum(0, keepdim=True).sqrt(),
        "source_radius": lambda: source.square().sum(0, keepdim=True).sqrt(),
        "target_radius": lambda: target.square().sum(0, keepdim=True).sqrt(),
        "bias": lambda: sources.new_ones(1, 1, 1),
    }
    shape = len(targets), len(sources)
    return torch.cat([words[word]().expand(-1, *shape) for word in queries])


class _Asking:
    """A CPPN whose values are computed into one buffer, level by level, without gradients."""

    def __init__(self, network: NeuronNetwork) -> None:
        self._network, self._values = network, torch.empty(0, 0)
        self._levels: list[tuple[Level, Tensor | None]] = []
        for level in network.levels:
            whole = None if len(level.reductions) else level.matrix(network.weights, network.responses)
            self._levels.append((level, whole))

    def __call__(self, points: Tensor) -> Tensor:
        network, n_inputs = self._network, len(points)
        n_rows, n_pairs = n_inputs + len(network.graph.ids), points.shape[1]
        if self._values.shape != (n_rows, n_pairs):
            self._values = torch.empty(n_rows, n_pairs)
        values, end = self._values, n_inputs
        values[:n_inputs] = points
        for level, matrix in self._levels:
            before, made = values[:end], values[end : end + level.shape[0]]
            end += len(made)
            if matrix is None:
                parts = level(before, network.weights, network.biases, network.responses)
                torch.cat(parts, out=made)
                continue
            torch.addmm(network.biases[level.neurons][:, None], matrix, before, out=made)
            cuts = [0, *torch.tensor([size for _, size in level.functions]).cumsum(0).tolist()]
            for (function, _), (start, stop) in zip(level.functions, pairwise(cuts), strict=True):
                made[start:stop] = function(made[start:stop])
        return values[network.outputs].T[None]
