"""Painted tensors in torch: what a CPPN says of every pair of places (Stanley, D'Ambrosio & Gauci 2009)."""

from collections.abc import Mapping, Sequence
from functools import reduce

import torch
from torch import Tensor

from evonas.network.activations import activation
from evonas.network.neurons import NeuronNetwork
from evonas.network.population import NeuronPopulation
from genomes.neurons import NeuronGraph
from genomes.painting import Paint, Sheet

PAINTED_AT_ONCE = 1 << 18
"""Questions that are asked at once, of all CPPNs together as many answers."""
IN_CACHE = 1 << 17
"""Pairs of places at a time for which the neurons of a single CPPN are computed."""
MANY = 1 << 13
"""Pairs of places from which on a CPPN is computed by itself: below, what a call costs counts."""


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
        return torch.cat([painted_many([one]) for one in paints])
    if len(first.sources.places) * len(first.targets.places) >= MANY:
        return torch.stack([_by_neuron(one) for one in paints])
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


@torch.no_grad()
def _by_neuron(paint: Paint) -> Tensor:
    """`(n_targets, n_sources)`, one neuron after another.

    A neuron whose inputs are all of the source, or all of the target, is computed for places, not for pairs of them:
    its values are a row or a column, which broadcasting joins.
    """
    like = torch.empty(0)
    sources, targets = _places(paint.sources, like), _places(paint.targets, like)
    found = like.new_empty(len(targets), len(sources))
    size = max(1, IN_CACHE // len(sources))
    outputs = [paint.output, *([] if paint.expression is None else [paint.expression])]
    order = _needed(paint.cppn, [paint.cppn.outputs[one] for one in outputs])
    for start in range(0, len(targets), size):
        part = targets[start : start + size]
        values = dict(enumerate(_questions(paint.queries, sources, part)))
        for at in order:
            values[paint.cppn.n_inputs + at] = _neuron(paint.cppn, at, values)
        said = [values[paint.cppn.outputs[one]] for one in outputs]
        found[start : start + size] = _weights(paint, said[0], said[1] if len(said) > 1 else None)
    return found


def _needed(graph: NeuronGraph, outputs: Sequence[int]) -> list[int]:
    """The neurons that some outputs depend on, each after what it reads."""
    needed, left = set(outputs), list(outputs)
    while left:
        read = {graph.sources[one] for one in graph.incoming[left.pop() - graph.n_inputs]} - needed
        needed |= read
        left += [place for place in read if place >= graph.n_inputs]
    return sorted((place - graph.n_inputs for place in needed if place >= graph.n_inputs), key=graph.levels.__getitem__)


def _neuron(graph: NeuronGraph, at: int, values: Mapping[int, Tensor]) -> Tensor:
    """The values of a neuron, as many as those that it reads ask for; small terms are joined before large ones."""
    word, response = graph.aggregations[at], graph.responses[at]
    links = sorted(graph.incoming[at], key=lambda one: values[graph.sources[one]].numel())
    terms = [(graph.weights[one], values[graph.sources[one]]) for one in links]
    total = torch.full((1, 1), float(word == "product" and not terms))
    if terms and word in ("sum", "mean"):
        share = response / len(terms) if word == "mean" else response
        total = torch.full((1, 1), graph.biases[at])
        for weight, value in terms:
            # In place once it has its full size.
            into = total if total.shape == torch.broadcast_shapes(total.shape, value.shape) else None
            total = torch.add(total, value, alpha=share * weight, out=into)
    else:
        join = {"product": torch.mul, "max": torch.maximum, "min": torch.minimum}
        if terms:
            total = reduce(join[word], [weight * value for weight, value in terms])
        total = graph.biases[at] + response * total
    return activation(graph.activations[at])(total)


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
    shape = len(targets), len(sources)
    return torch.stack([one.expand(shape) for one in _questions(queries, sources, targets)]).flatten(1).T


def _questions(queries: tuple[str, ...], sources: Tensor, targets: Tensor) -> list[Tensor]:
    """Every question, `(n_targets, n_sources)`, or with an axis of one where it is the same along it."""
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
    return [one for word in queries for one in made[word]()]


def _places(sheet: Sheet, like: Tensor) -> Tensor:
    return torch.from_numpy(sheet.values).to(like.device, like.dtype)
