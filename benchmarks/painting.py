"""Painting weights against a plain loop in torch over chunks, alternated; and a population of CPPNs at once.

`sheet`: a substrate of n × n to n × n places, n = 64, asked of a CPPN of 16 neurons. `population`: 50 CPPNs, 16 × 16
to 16 × 16, against painting each by itself.

    python benchmarks/painting.py [--quick] [--json]
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from evonas.network.painting import painted, painted_many
from genomes.neurons import NeuronGraph
from genomes.painting import Paint, grid

WORDS = ("tanh", "sine", "gaussian", "sigmoid", "identity", "abs")
FUNCTIONS = {
    "tanh": torch.tanh,
    "sine": torch.sin,
    "gaussian": lambda x: torch.exp(-x * x),
    "sigmoid": torch.sigmoid,
    "identity": lambda x: x,
    "abs": torch.abs,
}
CHUNK = 1 << 15


def cppn(rng: np.random.Generator) -> NeuronGraph:
    """16 neurons with 50 connections among them and four inputs; the last puts out."""
    n = 16
    pairs = [(a, 4 + b) for b in range(n) for a in range(4 + b)]
    chosen = sorted(rng.permutation(len(pairs))[:50])
    sources, targets = zip(*(pairs[at] for at in chosen), strict=True)
    words = tuple(str(word) for word in rng.choice(WORDS, n))
    weights = tuple(rng.normal(0, 1, len(chosen)).tolist())
    names = tuple(map(str, range(n)))
    marks = tuple(map(str, chosen))
    ones = (1.0,) * n
    return NeuronGraph(4, (19,), names, words, ("sum",) * n, ones, ones, sources, targets, weights, marks)


@torch.no_grad()
def by_loop(paint: Paint) -> Tensor:
    """One operation for each connection and neuron, over chunks, as one would write it by hand."""
    graph = paint.cppn
    sources, targets = (torch.tensor(sheet.places) for sheet in (paint.sources, paint.targets))
    found = torch.empty(len(targets), len(sources))
    size = max(1, CHUNK // len(sources))
    for start in range(0, len(targets), size):
        rows = targets[start : start + size]
        shape = len(rows), len(sources)
        values = [sources[:, at].expand(shape).flatten() for at in (0, 1)]
        values += [rows[:, at, None].expand(shape).flatten() for at in (0, 1)]
        for at in range(len(graph.ids)):
            total = torch.full_like(values[0], graph.biases[at])
            for link in graph.incoming[at]:
                total.add_(values[graph.sources[link]], alpha=graph.weights[link])
            values.append(FUNCTIONS[graph.activations[at]](total))
        output = values[graph.outputs[0]].clamp(-1, 1)
        kept = torch.nn.functional.softshrink(output, paint.threshold)
        found[start : start + size] = (kept * (paint.scale / (1 - paint.threshold))).view(shape)
    return found


def seconds(function: Callable[[], object]) -> float:
    """CPU time of this thread for one call."""
    began = time.thread_time()
    function()
    return time.thread_time() - began


def compared(ours: Callable[[], Tensor], other: Callable[[], Tensor], rounds: int) -> dict[str, float]:
    """Seconds of CPU of both, the ratio of pairs, and its spread."""
    assert torch.allclose(ours(), other(), atol=1e-4)
    pairs = [(seconds(ours), seconds(other)) for _ in range(rounds)]
    ratios = [b / a for a, b in pairs]
    return {
        "ours_s": statistics.median(a for a, _ in pairs),
        "other_s": statistics.median(b for _, b in pairs),
        "ratio": statistics.median(ratios),
        "ratio_lowest": min(ratios),
        "ratio_highest": max(ratios),
    }


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    n, rounds = (32, 3) if given.quick else (64, 5)
    sheet = Paint(cppn(rng), grid(n, n), grid(n, n), ("source", "target"))
    many = [Paint(cppn(rng), grid(16, 16), grid(16, 16), ("source", "target")) for _ in range(50)]
    found = {
        f"sheet of {n} x {n}": compared(lambda: painted(sheet), lambda: by_loop(sheet), rounds),
        "population": compared(lambda: painted_many(many), lambda: torch.stack([painted(one) for one in many]), rounds),
    }
    if given.json:
        print(json.dumps(found))
        return
    for name, one in found.items():
        spread = f"{one['ratio_lowest']:.2f} to {one['ratio_highest']:.2f}"
        print(f"{name}: {one['ours_s']:.3f} s against {one['other_s']:.3f}, {one['ratio']:.2f} times ({spread})")


if __name__ == "__main__":
    main()
