"""Random neuron graphs."""

from collections.abc import Sequence

import numpy as np
import torch

from genomes.neurons import ACTIVATIONS, AGGREGATIONS, NeuronGraph

WORDS = tuple(ACTIVATIONS)
BOUNDED = tuple(word for word in ACTIVATIONS if word not in ("square", "step"))
"""A square of squares outgrows any tolerance in float32, and a step turns the last bit into a whole."""
SMOOTH = ("sigmoid", "steep_sigmoid", "tanh", "identity", "sine", "cosine", "gaussian")


def graph(
    rng: np.random.Generator,
    *,
    n_inputs: int = 3,
    n_outputs: int = 2,
    n_neurons: int | None = None,
    n_links: int | None = None,
    recurrent: bool = False,
    activations: Sequence[str] = WORDS,
    aggregations: Sequence[str] = tuple(AGGREGATIONS),
) -> NeuronGraph:
    """A graph with dangling and unconnected neurons, listed in any order."""
    n = int(rng.integers(n_outputs, 12)) if n_neurons is None else n_neurons
    order = rng.permutation(n)
    pairs = [
        (source, n_inputs + target)
        for source in range(n_inputs + n)
        for target in range(n)
        if recurrent or source < n_inputs or order[source - n_inputs] < order[target]
    ]
    wanted = int(rng.integers(0, 3 * n)) if n_links is None else n_links
    chosen = rng.permutation(len(pairs))[:wanted]
    return NeuronGraph(
        n_inputs=n_inputs,
        outputs=tuple(n_inputs + int(place) for place in rng.permutation(n)[:n_outputs]),
        ids=tuple(f"n{at}" for at in range(n)),
        activations=tuple(str(word) for word in rng.choice(activations, n)),
        aggregations=tuple(str(word) for word in rng.choice(aggregations, n)),
        biases=tuple(rng.normal(0, 1, n).tolist()),
        responses=tuple(rng.normal(1, 0.3, n).tolist()),
        sources=tuple(pairs[at][0] for at in chosen),
        targets=tuple(pairs[at][1] for at in chosen),
        weights=tuple(rng.normal(0, 1, len(chosen)).tolist()),
        markings=tuple(f"c{at}" for at in chosen),
        recurrent=recurrent,
    )


def agree(got: torch.Tensor, expected: np.ndarray, tolerance: float) -> None:
    """Absolute where values are small, relative where they are large."""
    np.testing.assert_allclose(got.detach().cpu().double().numpy(), expected, rtol=tolerance, atol=tolerance)
