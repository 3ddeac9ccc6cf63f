"""Neuron graphs, a population at once, against neat-python's networks; alternated, in one process.

`xor`: a population of 150: networks are made of their graphs, and put out on four patterns. `many`: 1,000 graphs of 20
neurons and 60 connections, all activations mixed, made and put out on 256 inputs; of neat-python's, some are timed.
neat-python's networks are made by its own `create`, with activations of its own of about the same cost.

    python benchmarks/neurons.py [--quick] [--json]
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from types import SimpleNamespace

import neat
import numpy as np
import torch
from neat.activations import ActivationFunctionSet
from neat.aggregations import AggregationFunctionSet

from evonas.network import NeuronPopulation
from genomes.neurons import NeuronGraph

OURS = ("sigmoid", "tanh", "sine", "gaussian", "relu", "elu", "identity", "clamped", "abs", "square")
THEIRS = ("sigmoid", "tanh", "sin", "gauss", "relu", "elu", "identity", "clamped", "abs", "square")


def graph(n_inputs: int, n_neurons: int, n_links: int, words: tuple[str, ...], rng: np.random.Generator) -> NeuronGraph:
    """A random feed-forward graph with one output, the last neuron, which reads every other at least once."""
    pairs = [(a, n_inputs + b) for b in range(n_neurons) for a in range(n_inputs + b)]
    must = [pair for pair in pairs if pair[1] == n_inputs + n_neurons - 1][n_inputs:]
    rest = [pair for pair in pairs if pair not in must]
    links = must + [rest[at] for at in rng.permutation(len(rest))[: n_links - len(must)]]
    sources, targets = zip(*links, strict=True)
    names = tuple(map(str, range(n_neurons)))
    values = tuple(rng.normal(0, 1, len(links)).tolist())
    chosen = tuple(str(word) for word in rng.choice(words, n_neurons))
    ones = (1.0,) * n_neurons
    outputs = (n_inputs + n_neurons - 1,)
    return NeuronGraph(
        n_inputs,
        outputs,
        names,
        chosen,
        ("sum",) * n_neurons,
        ones,
        ones,
        sources,
        targets,
        values,
        tuple(map(str, links)),
    )


def theirs(one: NeuronGraph) -> tuple[SimpleNamespace, SimpleNamespace]:
    """A graph as neat-python's genome and configuration."""
    k = one.n_inputs
    key = [*range(-1, -k - 1, -1), *(0 if k + at in one.outputs else 1 + at for at in range(len(one.ids)))]
    nodes = {
        key[k + at]: SimpleNamespace(bias=1.0, response=1.0, aggregation="sum", activation=THEIRS[OURS.index(word)])
        for at, word in enumerate(one.activations)
    }
    columns = zip(one.sources, one.targets, one.weights, strict=True)
    links = {(key[a], key[b]): SimpleNamespace(key=(key[a], key[b]), weight=w, enabled=True) for a, b, w in columns}
    config = SimpleNamespace(
        input_keys=key[:k],
        output_keys=[0],
        activation_defs=ActivationFunctionSet(),
        aggregation_function_defs=AggregationFunctionSet(),
    )
    return SimpleNamespace(nodes=nodes, connections=links), SimpleNamespace(genome_config=config)


def compared(graphs: list[NeuronGraph], inputs: torch.Tensor, n_theirs: int, rounds: int) -> dict[str, float]:
    """Seconds of CPU of both for all graphs, the ratio of pairs, and its spread."""
    genomes = [theirs(one) for one in graphs[:n_theirs]]
    rows = inputs.tolist()

    def peer() -> None:
        for genome, config in genomes:
            network = neat.nn.FeedForwardNetwork.create(genome, config)
            for row in rows:
                network.activate(row)

    def ours() -> None:
        NeuronPopulation(graphs)(inputs)

    ours()
    pairs = [(seconds(ours), seconds(peer) * len(graphs) / n_theirs) for _ in range(rounds)]
    ratios = [b / a for a, b in pairs]
    return {
        "ours_ms": 1e3 * statistics.median(a for a, _ in pairs),
        "neat_python_ms": 1e3 * statistics.median(b for _, b in pairs),
        "ratio": statistics.median(ratios),
        "ratio_lowest": min(ratios),
        "ratio_highest": max(ratios),
    }


def seconds(function: Callable[[], None]) -> float:
    """CPU time of this thread for one call."""
    began = time.thread_time()
    function()
    return time.thread_time() - began


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    patterns = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    xor = [graph(2, 5, 12, ("sigmoid",), rng) for _ in range(150)]
    many = [graph(4, 20, 60, OURS, rng) for _ in range(1000)]
    rounds = 7 if given.quick else 25
    found = {
        "xor": compared(xor, patterns, 150, rounds),
        "many": compared(many, torch.randn(256, 4), 20, rounds),
    }
    if given.json:
        print(json.dumps(found))
        return
    for name, one in found.items():
        print(
            f"{name}: {one['ours_ms']:.2f} ms against {one['neat_python_ms']:.1f}, "
            f"{one['ratio']:.0f} times ({one['ratio_lowest']:.0f} to {one['ratio_highest']:.0f})"
        )


if __name__ == "__main__":
    main()
