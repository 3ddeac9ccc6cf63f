"""Painted tensors in torch: what a CPPN says of every pair of places (Stanley, D'Ambrosio & Gauci 2009)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from evonas.network.neurons import NeuronNetwork
from evonas.network.population import NeuronPopulation
from genomes.painting import Paint, Sheet

PAINTED_AT_ONCE = 1 << 18
"""Questions that are asked at once, of all CPPNs together as many answers."""


def painted(paint: Paint, network: NeuronNetwork | None = None) -> Tensor:
    """What a recipe paints.

    Args:
        paint: The recipe.
        network: The recipe's CPPN, whose weights and biases gradient then flows to; None: the weights and biases are
            those of the recipe, and nothing is differentiated.

    Returns:
        `(n_targets, n_sources)`; float32, or of the network's type and on its device.
    """
    if network is None:
        return painted_many([paint])[0]
    sources, targets = (_places(sheet, network.biases) for sheet in (paint.sources, paint.targets))
    said = network(_asked(paint.queries, sources, targets))
    expression = None if paint.expression is None else said[:, paint.expression]
    return _weights(paint, said[:, paint.output], expression).view(len(paint.targets.places), -1)


@torch.no_grad()
def painted_many(paints: Sequence[Paint]) -> Tensor:
    """What the recipes of a population paint, all CPPNs at once where sheets and queries are the same for all.

    Args:
        paints: One or more, which may differ in their CPPNs and numbers; their sheets are equally large.

    Returns:
        `(n, n_targets, n_sources)`, float32, without gradients.
    """
    first = paints[0]
    if any(_asks(one) != _asks(first) for one in paints):
        return torch.stack([painted(one) for one in paints])
    population = NeuronPopulation([one.cppn for one in paints])
    like = torch.empty(0)
    sources, targets = _places(first.sources, like), _places(first.targets, like)
    found = like.new_empty(len(paints), len(targets), len(sources))
    size = max(1, PAINTED_AT_ONCE // (len(sources) * len(paints)))
    for start in range(0, len(targets), size):
        rows = slice(start, start + size)
        said = population(_asked(first.queries, sources, targets[rows])).unbind(-1)
        for at, paint in enumerate(paints):
            expression = None if paint.expression is None else said[paint.expression][at]
            found[at, rows] = _weights(paint, said[paint.output][at], expression).view(-1, len(sources))
    return found


def _asks(paint: Paint) -> tuple[object, ...]:
    graph = paint.cppn
    return paint.queries, paint.sources, paint.targets, graph.n_inputs, len(graph.outputs)


def _weights(paint: Paint, output: Tensor, expression: Tensor | None) -> Tensor:
    """From what a CPPN says to weights, `(questions,)` all, by threshold or by expression."""
    output = output.clamp(-1.0, 1.0)
    if expression is not None:
        return paint.scale * output * (expression > 0)
    # What is left of a value when all within the threshold is taken away; its sign stays.
    return torch.nn.functional.softshrink(output, paint.threshold) * (paint.scale / (1 - paint.threshold))


def _asked(queries: tuple[str, ...], sources: Tensor, targets: Tensor) -> Tensor:
    """What `genomes.painting.asked` says of every pair of places, targets first.

    Args:
        queries: Keys of `genomes.painting.QUERIES`.
        sources: `(n_sources, dimensions)`.
        targets: `(n_targets, dimensions)`.

    Returns:
        `(n_targets * n_sources, n_queries)`, a view of values whose query is the first axis.
    """
    source, target = sources.T[:, None, :], targets.T[:, :, None]
    made = {
        "source": lambda: source,
        "target": lambda: target,
        "difference": lambda: target - source,
        "distance": lambda: torch.linalg.vector_norm(target - source, dim=0, keepdim=True),
        "source_radius": lambda: torch.linalg.vector_norm(source, dim=0, keepdim=True),
        "target_radius": lambda: torch.linalg.vector_norm(target, dim=0, keepdim=True),
        "bias": lambda: sources.new_ones(1, 1, 1),
    }
    shape = -1, len(targets), len(sources)
    return torch.cat([made[word]().expand(shape) for word in queries]).flatten(1).T


def _places(sheet: Sheet, like: Tensor) -> Tensor:
    return torch.from_numpy(sheet.values).to(like.device, like.dtype)
