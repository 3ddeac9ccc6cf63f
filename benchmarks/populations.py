"""Populations of neuron graphs against neat-python, and a painted substrate against a plain loop, alternated.

`xor` is the fitness on the 4 patterns of 150 genomes that 30 mutations made of NEAT's first ones: ours compiles the
graphs and computes them at once; neat-python makes a FeedForwardNetwork of each and activates it 4 times. `mixed` is
1,000 graphs of 20 neurons and 60 connections, all shared activations mixed, on 256 inputs. `painting` paints a 64×64
substrate onto a 64×64 one, 16.8 million questions to a CPPN of 16 neurons, against the loop that one writes by hand in
torch, neuron by neuron, as many questions at a time. Processor time of one thread.

The module is not called `neat`, which would hide the library of that name.

    pip install neat-python
    python benchmarks/populations.py [--quick] [--json]
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from evonas.network import NeuronPopulation
from evonas.network.activations import ACTIVATIONS
from evonas.network.painting import PAIRS, painted
from genomes.encoding import uniform
from genomes.neat import Neat
from genomes.neurons import NeuronGraph
from genomes.painting import Paint, asked, grid

neat: Any = import_module("neat") if find_spec("neat") else None

XOR = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float64)
TARGETS = np.array([0, 1, 1, 0], np.float64)
SHARED = ("sigmoid", "tanh", "relu", "abs", "square", "identity", "clamped", "gaussian", "elu")
"""Activations that ours have, and their names in neat-python; it steepens some of them, which costs nothing."""
THEIRS = {"gaussian": "gauss", "steep_sigmoid": "sigmoid"}


def random_graph(rng: np.random.Generator, n_inputs: int, n_outputs: int, n: int, n_links: int) -> NeuronGraph:
    """A feed-forward graph all of whose neurons read something, and whose outputs come last."""
    chosen = {(int(rng.integers(n_inputs + at)), n_inputs + at) for at in range(n)}
    while len(chosen) < n_links:
        target = int(rng.integers(n))
        chosen.add((int(rng.integers(n_inputs + target)), n_inputs + target))
    sources, targets = zip(*sorted(chosen), strict=True)
    return NeuronGraph(
        n_inputs,
        tuple(range(n_inputs + n - n_outputs, n_inputs + n)),
        tuple(map(str, range(n))),
        tuple(rng.choice(SHARED, n).tolist()),
        ("sum",) * n,
        tuple(rng.normal(0, 1, n).tolist()),
        (1.0,) * n,
        sources,
        targets,
        tuple(rng.normal(0, 1, len(sources)).tolist()),
        tuple(map(str, range(len(sources)))),
    )


def in_neat(one: NeuronGraph) -> tuple[Any, Any]:
    """A genome of neat-python and its configuration, as far as its networks read them."""
    keys = [-1 - at for at in range(one.n_inputs)] + list(range(len(one.ids)))
    nodes = {
        at: SimpleNamespace(activation=THEIRS.get(word, word), aggregation="sum", bias=bias, response=1.0)
        for at, (word, bias) in enumerate(zip(one.activations, one.biases, strict=True))
    }
    pairs = [(keys[a], keys[b]) for a, b in zip(one.sources, one.targets, strict=True)]
    links = {
        pair: SimpleNamespace(key=pair, weight=weight, enabled=True)
        for pair, weight in zip(pairs, one.weights, strict=True)
    }
    config = SimpleNamespace(
        input_keys=keys[: one.n_inputs],
        output_keys=[keys[place] for place in one.outputs],
        activation_defs=neat.activations.ActivationFunctionSet(),
        aggregation_function_defs=neat.aggregations.AggregationFunctionSet(),
    )
    return SimpleNamespace(nodes=nodes, connections=links), SimpleNamespace(genome_config=config)


def judged_by_us(graphs: list[NeuronGraph], inputs: torch.Tensor) -> torch.Tensor:
    """Outputs of all, `(n, batch, n_outputs)`, from the graphs."""
    return NeuronPopulation(graphs)(inputs)


def judged_by_neat(genomes: list[tuple[Any, Any]], inputs: list[list[float]]) -> list[list[list[float]]]:
    """The same from the genomes of neat-python."""
    networks = [neat.nn.FeedForwardNetwork.create(*one) for one in genomes]
    return [[one.activate(x) for x in inputs] for one in networks]


def xor(n_rounds: int) -> dict[str, float]:
    """The fitness of 150 genomes."""
    encoding = Neat().for_task((2,), 1)
    graphs = []
    for at in range(150):
        rng = np.random.default_rng(at)
        genome = encoding.sample(uniform(rng), rng=rng)
        for _ in range(30):
            genome = encoding.mutate(genome, rng=rng).genome
        graphs.append(encoding.develop(genome))
    genomes, x = list(map(in_neat, graphs)), torch.from_numpy(XOR).float()
    wanted = torch.from_numpy(TARGETS).float()

    def ours() -> torch.Tensor:
        return 4 - (judged_by_us(graphs, x)[..., 0] - wanted).square().sum(1)

    def theirs() -> list[float]:
        found = judged_by_neat(genomes, XOR.tolist())
        return [4 - sum((out[0] - y) ** 2 for out, y in zip(one, TARGETS.tolist(), strict=True)) for one in found]

    return compared(ours, theirs, n_rounds)


def mixed(n_rounds: int, n: int = 1000) -> dict[str, float]:
    """Graphs of 20 neurons and 60 connections on 256 inputs."""
    rng = np.random.default_rng(1)
    graphs = [random_graph(rng, 8, 4, 20, 60) for _ in range(n)]
    genomes, given = list(map(in_neat, graphs)), rng.normal(0, 1, (256, 8))
    x, listed = torch.from_numpy(given).float(), given.tolist()
    return compared(lambda: judged_by_us(graphs, x), lambda: judged_by_neat(genomes, listed), n_rounds)


def painting(n_rounds: int, side: int = 64) -> dict[str, float]:
    """A substrate of `side`×`side` onto as many."""
    cppn, sheet = random_graph(np.random.default_rng(2), 5, 1, 16, 40), grid(side, side)
    paint = Paint(cppn, sheet, sheet, ("source", "target", "bias"))
    return compared(lambda: painted(paint), lambda: by_hand(paint), n_rounds)


@torch.no_grad()
def by_hand(paint: Paint) -> torch.Tensor:
    """What one writes without an engine: neuron by neuron, some targets at a time."""
    graph, rows = paint.cppn, max(1, PAIRS // len(paint.sources.places))
    sources, targets = paint.sources.values, paint.targets.values
    parts = []
    for start in range(0, len(targets), rows):
        points = asked(paint.queries, sources[None], targets[start : start + rows, None]).astype(np.float32)
        values = list(torch.from_numpy(points).flatten(0, 1).T.contiguous())
        for at, links in enumerate(graph.incoming):
            total = torch.full_like(values[0], graph.biases[at])
            for link in links:
                total.add_(values[graph.sources[link]], alpha=graph.weights[link])
            values.append(ACTIVATIONS[graph.activations[at]](total))
        out = values[graph.outputs[0]].clamp(-1, 1)
        size = (out.abs() - paint.threshold).clamp_min(0) / (1 - paint.threshold)
        parts.append((paint.scale * out.sign() * size).view(-1, len(sources)))
    return torch.cat(parts)


def compared(ours: Callable[[], Any], theirs: Callable[[], Any], n_rounds: int) -> dict[str, float]:
    """Seconds of both, alternated after one round that is not counted, and the ratio with its quartiles."""
    seconds: list[tuple[float, float]] = [(_seconds(ours), _seconds(theirs)) for _ in range(n_rounds + 1)][1:]
    ratios = sorted(theirs / ours for ours, theirs in seconds)
    low, middle, high = statistics.quantiles(ratios, n=4) if n_rounds > 1 else ratios * 3
    mine, other = (statistics.median(column) for column in zip(*seconds, strict=True))
    return {"seconds": mine, "peer_seconds": other, "ratio": middle, "ratio_low": low, "ratio_high": high}


def _seconds(call: Callable[[], Any]) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    given = parser.parse_args()
    if neat is None:
        parser.error("expected neat-python, found none; install it: pip install neat-python")
    torch.set_num_threads(1)
    found = {
        "xor": xor(7 if given.quick else 25),
        "mixed": mixed(1 if given.quick else 5, 200 if given.quick else 1000),
        "painting": painting(2 if given.quick else 5),
    }
    if given.json:
        print(json.dumps(found))
        return
    for name, one in found.items():
        spread = f"{one['ratio']:.2f} times as fast (quartiles {one['ratio_low']:.2f} to {one['ratio_high']:.2f})"
        print(f"{name:9}{one['seconds'] * 1e3:10.2f} ms, peer {one['peer_seconds'] * 1e3:10.2f} ms: {spread}")


if __name__ == "__main__":
    main()
