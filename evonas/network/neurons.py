"""One neuron graph as an nn.Module whose weights and biases can be trained."""

from itertools import groupby

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from evonas.network.activations import AGGREGATIONS, activation
from genomes.neurons import NeuronGraph

NEUTRAL = {"product": 1.0, "max": -torch.inf, "min": torch.inf}
"""By aggregation that is no sum, what an input that is not there would be."""


class NeuronNetwork(nn.Module):
    """A neuron graph, level by level: one product of matrices each, and one call for each activation in it.

    It begins with the weights and biases of the graph. Weights of connections and biases are parameters, responses are
    not trained.

    Attributes:
        graph: What it was made of.
        weights: Of the connections, in the graph's order, `(n_connections,)`.
        biases: Of the neurons, in the graph's order, `(n_neurons,)`.
        responses: Of the neurons, `(n_neurons,)`.
        layers: None, unlike in an `evonas.network.Network`.
        normalisations: None.
        paths: None.

    Args:
        graph: The phenotype.

    Raises:
        ValueError: If there is a cycle and it is not recurrent, or torch has no such activation.
    """

    responses: Tensor
    _outputs: Tensor
    _state: Tensor

    def __init__(self, graph: NeuronGraph) -> None:
        super().__init__()
        self.graph = graph
        self.layers: tuple[()] = ()
        self.normalisations: tuple[()] = ()
        self.paths: tuple[()] = ()
        self.weights = nn.Parameter(torch.tensor(graph.weights, dtype=torch.float32))
        self.biases = nn.Parameter(torch.tensor(graph.biases, dtype=torch.float32))
        self.register_buffer("responses", torch.tensor(graph.responses, dtype=torch.float32), persistent=False)
        placed = list(range(graph.n_inputs + len(graph.ids) * graph.recurrent))
        self._levels = nn.ModuleList()
        for neurons in _levels(graph):
            self._levels.append(Level(graph, neurons, placed))
            placed += [graph.n_inputs + at for at in neurons]
        at = {place: row for row, place in enumerate(placed)}
        _keep(self, "_outputs", [at[one] for one in graph.outputs])
        _keep(self, "_state", [at[graph.n_inputs + one] for one in range(len(graph.ids))])

    @property
    def phenotype(self) -> NeuronGraph:
        """What it was made of, as `evonas.network.built` takes it."""
        return self.graph

    @property
    def n_outputs(self) -> int:
        """Values that it puts out."""
        return len(self.graph.outputs)

    @property
    def recurrent(self) -> bool:
        """True if it carries a state from one time step to the next."""
        return self.graph.recurrent

    @property
    def decayed(self) -> list[nn.Parameter]:
        """What weight decay is for: the weights of connections, not the biases."""
        return [self.weights]

    def learned(self) -> dict[str, float]:
        """By marking of a connection its weight, by id of a neuron its bias, as they now are."""
        weights = zip(self.graph.markings, self.weights.tolist(), strict=True)
        return dict(weights) | dict(zip(self.graph.ids, self.biases.tolist(), strict=True))

    def forward(self, x: Tensor) -> Tensor:
        """Outputs `(batch, n_outputs)` for inputs `(batch, *input_shape)`, which are flattened.

        A recurrent graph takes one step from a state of zeros.
        """
        return self.step(x)[0]

    def step(self, x: Tensor, states: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Outputs as in `forward`, and the state behind them; a network holds none itself.

        Args:
            x: One time step, as in `forward`.
            states: The values of all neurons, `(batch, n_neurons)`, as an earlier call gave them; None: zeros. A
                feed-forward graph has none.
        """
        values = x.flatten(1).T
        if self.recurrent:
            before = x.new_zeros(len(self.graph.ids), x.shape[0]) if states is None else states.T
            values = torch.cat([values, before.to(values.dtype)])
        for level in self._levels:
            values = torch.cat([values, *level(values, self.weights, self.biases, self.responses)])
        return values[self._outputs].T, values[self._state].T if self.recurrent else None


class Level(nn.Module):
    """Neurons that can be computed at once, sorted by activation.

    Args:
        graph: What they are of.
        neurons: Their numbers.
        placed: Which place of the graph each row of the values is that come in.
    """

    neurons: Tensor
    links: Tensor
    readers: Tensor
    cells: Tensor
    divisors: Tensor

    def __init__(self, graph: NeuronGraph, neurons: list[int], placed: list[int]) -> None:
        super().__init__()
        rows = {place: row for row, place in enumerate(placed)}
        words = [_aggregation(graph, neuron) for neuron in neurons]
        self.shape = len(neurons), len(placed)
        self.functions = [
            (activation(word), len(list(group))) for word, group in groupby(graph.activations[one] for one in neurons)
        ]
        links = [
            (at, link) for at, one in enumerate(neurons) if words[at] not in NEUTRAL for link in graph.incoming[one]
        ]
        divisors = [float(len(graph.incoming[neurons[at]])) if words[at] == "mean" else 1.0 for at, _ in links]
        _keep(self, "neurons", neurons)
        self.has_sums = bool(links)
        # Empty tensors share no storage, which torch.export takes for one that all are parts of.
        if self.has_sums:
            _keep(self, "links", [link for _, link in links])
            _keep(self, "readers", [neurons[at] for at, _ in links])
            _keep(self, "cells", [at * len(placed) + rows[graph.sources[link]] for at, link in links])
            self.register_buffer("divisors", torch.tensor(divisors), persistent=False)
        self.reductions = nn.ModuleList()
        for word in NEUTRAL:
            if chosen := [at for at, one in enumerate(words) if one == word]:
                self.reductions.append(Reduction(graph, word, chosen, [neurons[at] for at in chosen], rows))

    def forward(self, values: Tensor, weights: Tensor, biases: Tensor, responses: Tensor) -> list[Tensor]:
        """The values of its neurons, in parts `(rows, batch)`.

        Args:
            values: `(n_before, batch)`.
            weights: Of all connections of the graph.
            biases: Of all its neurons.
            responses: Of all its neurons.
        """
        totals = self._summed(values, weights, biases, responses)
        for reduction in self.reductions:
            assert isinstance(reduction, Reduction)
            reduced = reduction(values, weights, responses)
            # No index_add: the ONNX exporter writes it wrongly, and says nothing.
            rows = reduction.rows[:, None].expand(reduced.shape)
            totals = totals.scatter_add(0, rows, reduced.to(totals.dtype))
        parts = totals.split([size for _, size in self.functions])
        return [function(part) for (function, _), part in zip(self.functions, parts, strict=True)]

    def _summed(self, values: Tensor, weights: Tensor, biases: Tensor, responses: Tensor) -> Tensor:
        """Biases and weighted sums, `(rows, batch)`."""
        n, n_before = self.shape
        if not self.has_sums:
            return biases[self.neurons][:, None].expand(n, values.shape[1])
        scaled = weights[self.links] * responses[self.readers] / self.divisors
        matrix = weights.new_zeros(n * n_before).scatter_add(0, self.cells, scaled).view(n, n_before)
        return torch.addmm(biases[self.neurons][:, None], matrix, values)


class Reduction(nn.Module):
    """Neurons of a level that combine their inputs otherwise than by a sum.

    Args:
        graph: What they are of.
        word: Their aggregation, a key of `NEUTRAL`.
        chosen: Their rows in the level.
        neurons: Their numbers.
        placed: The row of every place of the graph among the values that come in.
    """

    rows: Tensor
    neurons: Tensor
    links: Tensor
    sources: Tensor
    there: Tensor

    def __init__(
        self, graph: NeuronGraph, word: str, chosen: list[int], neurons: list[int], placed: dict[int, int]
    ) -> None:
        super().__init__()
        self.function, self.neutral = AGGREGATIONS[word], NEUTRAL[word]
        longest = max(len(graph.incoming[one]) for one in neurons)
        table = [[*graph.incoming[one], *[-1] * (longest - len(graph.incoming[one]))] for one in neurons]
        links = np.array(table, np.int64).reshape(len(neurons), longest).T
        _keep(self, "rows", chosen)
        _keep(self, "neurons", neurons)
        self.has_links = longest > 0
        if not self.has_links:
            return
        _keep(self, "links", links.clip(0))
        _keep(self, "sources", [[placed[graph.sources[one]] if one >= 0 else 0 for one in row] for row in links])
        self.register_buffer("there", torch.from_numpy(links >= 0)[..., None], persistent=False)

    def forward(self, values: Tensor, weights: Tensor, responses: Tensor) -> Tensor:
        """Their response times what they combine, `(rows, batch)`; arguments as in `Level.forward`."""
        if not self.has_links:
            return responses[self.neurons][:, None] * torch.ones_like(values[:1])
        terms = values[self.sources] * weights[self.links][..., None]
        reduced: Tensor = self.function(terms.where(self.there, self.neutral))
        return responses[self.neurons][:, None] * reduced


def _levels(graph: NeuronGraph) -> list[list[int]]:
    """The neurons of every level, sorted by activation."""
    levels = (0,) * len(graph.ids) if graph.recurrent else graph.levels
    order = sorted(range(len(graph.ids)), key=lambda at: (levels[at], graph.activations[at]))
    return [list(group) for _, group in groupby(order, key=levels.__getitem__)]


def _aggregation(graph: NeuronGraph, neuron: int) -> str:
    """Of a neuron without inputs, whatever it is called: what gives 0, or 1 where it is a product."""
    word = graph.aggregations[neuron]
    return word if word == "product" or graph.incoming[neuron] else "sum"


def _keep(module: nn.Module, name: str, numbers: npt.ArrayLike) -> None:
    module.register_buffer(name, torch.from_numpy(np.asarray(numbers, np.int64)), persistent=False)
