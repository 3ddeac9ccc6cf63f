"""Painted tensors in torch: what a CPPN says of every pair of places (Stanley, D'Ambrosio & Gauci 2009)."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from genomes.neurons import NeuronGraph
from genomes.painting import Paint, asked

ACTIVATIONS = {
    "sigmoid": torch.sigmoid,
    "steep_sigmoid": lambda x: torch.sigmoid(4.9 * x),
    "tanh": torch.tanh,
    "relu": torch.relu,
    "identity": lambda x: x,
    "sine": torch.sin,
    "cosine": torch.cos,
    "gaussian": lambda x: torch.exp(-x.square()),
    "abs": torch.abs,
    "square": torch.square,
    "clamped": lambda x: x.clamp(-1, 1),
    "step": lambda x: (x > 0).to(x.dtype),
}


class NeuronNetwork(nn.Module):
    """Provisional."""

    def __init__(self, graph: NeuronGraph) -> None:
        super().__init__()
        self.graph = graph
        self.weights = nn.Parameter(torch.tensor(graph.weights, dtype=torch.float32))
        self.biases = nn.Parameter(torch.tensor(graph.biases, dtype=torch.float32))

    def forward(self, x: Tensor) -> Tensor:
        """Outputs."""
        graph, n = self.graph, self.graph.n_inputs
        values: dict[int, Tensor] = dict(enumerate(x.unbind(-1)))
        for at in sorted(range(len(graph.ids)), key=graph.levels.__getitem__):
            total = x.new_zeros(len(x))
            for one in graph.incoming[at]:
                total = total + self.weights[one] * values[graph.sources[one]]
            values[n + at] = ACTIVATIONS[graph.activations[at]](self.biases[at] + graph.responses[at] * total)
        return torch.stack([values[place] for place in graph.outputs], -1)

    def learned(self) -> Mapping[str, float]:
        """By marking."""
        named = dict(zip(self.graph.markings, self.weights.tolist(), strict=True))
        return named | dict(zip(self.graph.ids, self.biases.tolist(), strict=True))


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
