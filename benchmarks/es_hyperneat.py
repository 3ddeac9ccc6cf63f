"""ES-HyperNEAT: a population developed at once against one recursive quadtree after another, alternated.

The peer is the search as the paper writes it, one square at a time, in plain Python whose CPPN is a loop over neurons
and connections with the functions of `math`: the fastest that we know of without arrays. `exact` is how many of the
networks are equal, weight by weight to 1e-9. The oracle of the tests runs the CPPN in numpy, and equals to the bit.

    python benchmarks/es_hyperneat.py [--quick] [--json]
"""

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from genomes.cppn import Cppn
from genomes.encoding import uniform
from genomes.es_hyperneat import EsHyperNeat
from genomes.neat import NeatGenome
from genomes.neurons import NeuronGraph
from tests.genomes.quadtrees import Recursive, Rows

SCALAR: dict[str, Callable[[float], float]] = {
    "sine": math.sin,
    "cosine": math.cos,
    "gaussian": lambda x: math.exp(-x * x),
    "sigmoid": lambda x: 0.5 + 0.5 * math.tanh(0.5 * x),
    "tanh": math.tanh,
    "identity": lambda x: x,
    "abs": abs,
    "square": lambda x: x * x,
}
CASES = {
    "2 inputs, 1 output, depth 3": ((2,), 1, {}),
    "8 inputs, 4 outputs, depth 2 to 5": ((8,), 4, {"initial_depth": 2, "max_depth": 5}),
}


def scalar(graph: NeuronGraph) -> Callable[[Rows], Rows]:
    """A CPPN as a loop of plain Python."""
    n = graph.n_inputs
    order = sorted(range(len(graph.ids)), key=graph.levels.__getitem__)
    neurons = [
        (
            n + at,
            [(graph.sources[one], graph.weights[one]) for one in graph.incoming[at]],
            graph.biases[at],
            SCALAR[graph.activations[at]],
        )
        for at in order
    ]
    outputs, empty = graph.outputs, [0.0] * len(graph.ids)

    def computed(points: Rows) -> Rows:
        rows = []
        for point in points:
            values = [*point, *empty]
            for place, links, bias, activation in neurons:
                total = bias
                for source, weight in links:
                    total += weight * values[source]
                values[place] = activation(total)
            rows.append([values[place] for place in outputs])
        return rows

    return computed


def population(encoding: EsHyperNeat, n: int) -> list[NeatGenome]:
    """Genomes after 60 mutations."""
    found = []
    for seed in range(n):
        rng = np.random.default_rng(seed)
        genome = encoding.sample(uniform(rng), rng=rng)
        for _ in range(60):
            genome = encoding.mutate(genome, rng=rng).genome
        found.append(genome)
    return found


def equal(a: NeuronGraph, b: NeuronGraph) -> bool:
    """The same neurons and connections, and weights to 1e-9."""
    same = (a.ids, a.markings, a.sources, a.targets) == (b.ids, b.markings, b.sources, b.targets)
    return same and np.allclose(a.weights + a.biases, b.weights + b.biases, atol=1e-9)


def measure(shape: tuple[int, ...], n_outputs: int, fields: dict, n: int, n_pairs: int) -> dict[str, float]:
    """Milliseconds a genome of both, and the ratio of each pair."""
    cppn = Cppn(mutations={"add_node": 0.3, "add_connection": 0.3})
    encoding = EsHyperNeat(cppn=cppn, **fields).for_task(shape, n_outputs)
    genomes = population(encoding, n)
    encoding.develop_many(genomes)
    ours, theirs, n_equal = [], [], 0
    for _ in range(n_pairs):
        began = time.perf_counter()
        made = encoding.develop_many(genomes)
        middle = time.perf_counter()
        peers = [Recursive(encoding, genome, scalar).graph() for genome in genomes]
        theirs.append(time.perf_counter() - middle)
        ours.append(middle - began)
        n_equal = sum(map(equal, made, peers))
    ratios = [b / a for a, b in zip(ours, theirs, strict=True)]
    return {
        "ms a genome": 1e3 * statistics.median(ours) / n,
        "peer, ms a genome": 1e3 * statistics.median(theirs) / n,
        "ratio": statistics.median(ratios),
        "lowest": min(ratios),
        "highest": max(ratios),
        "exact": n_equal / n,
        "neurons": statistics.mean(len(graph.ids) for graph in made),
        "connections": statistics.mean(len(graph.weights) for graph in made),
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer genomes and pairs")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    n, n_pairs = (40, 1) if options.quick else (200, 3)
    figures = {name: measure(*case, n, n_pairs) for name, case in CASES.items()}
    if options.json:
        print(json.dumps({"population": n, **figures}))
        return
    for name, found in figures.items():
        print(f"{name}, population {n}: {found['ms a genome']:.2f} ms a genome, peer {found['peer, ms a genome']:.0f}")
        print(f"  {found['ratio']:.0f}× ({found['lowest']:.0f} to {found['highest']:.0f}), equal {found['exact']:.3f}")
        print(f"  {found['neurons']:.1f} neurons and {found['connections']:.1f} connections on average")


if __name__ == "__main__":
    main()
