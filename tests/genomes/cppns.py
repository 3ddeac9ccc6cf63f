"""CPPNs made by hand, as phenotypes."""

import numpy as np

from genomes.neurons import ACTIVATIONS, NeuronGraph

SMOOTH = ("tanh", "sine", "gaussian", "sigmoid", "identity")
WORDS = ("tanh", "sine", "gaussian", "steep_sigmoid", "identity", "abs", "cosine", "clamped")


def graph(
    n_inputs: int,
    outputs: list[int],
    activations: list[str],
    connections: list[tuple[int, int, float]],
    biases: list[float] | None = None,
) -> NeuronGraph:
    """A graph of places; neurons follow the inputs."""
    assert set(activations) <= set(ACTIVATIONS)
    n = len(activations)
    sources, targets, weights = zip(*connections, strict=True) if connections else ((), (), ())
    return NeuronGraph(
        n_inputs,
        tuple(outputs),
        tuple(f"{at:x}" for at in range(n)),
        tuple(activations),
        ("sum",) * n,
        tuple(biases or [0.0] * n),
        (1.0,) * n,
        sources,
        targets,
        weights,
        tuple(f"edge{at}" for at in range(len(connections))),
    )


def random_graph(
    seed: int, n_inputs: int, n_outputs: int, n_hidden: int = 4, words: tuple[str, ...] = WORDS
) -> NeuronGraph:
    """A graph whose hidden neurons read what comes before them, and whose outputs read all, with gaps."""
    rng = np.random.default_rng(seed)
    places = list(range(n_inputs + n_hidden + n_outputs))
    hidden, outputs = places[n_inputs:-n_outputs], places[-n_outputs:]
    connections = []
    for target in [*hidden, *outputs]:
        earlier = places[: target if target in hidden else n_inputs + n_hidden]
        chosen = [source for source in earlier if rng.random() < 0.6] or [earlier[-1]]
        connections += [(source, target, float(rng.normal(0, 1.5))) for source in chosen]
    activations = [str(rng.choice(words)) for _ in hidden] + [str(rng.choice(("tanh", "sine"))) for _ in outputs]
    return graph(n_inputs, outputs, activations, connections, [float(rng.normal()) for _ in activations])
