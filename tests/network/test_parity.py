"""Four interpreters of neurons agree on what evolution makes: numpy, the module, the population, and neat-python."""

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from evonas.network import NeuronNetwork, NeuronPopulation
from evonas.stream import stream
from genomes.cppn import Cppn
from genomes.encoding import Encoding, uniform
from genomes.neat import Neat
from genomes.neurons import ACTIVATIONS, AGGREGATIONS, NeuronGraph
from tests.network.graphs import BOUNDED, agree

N_INPUTS, N_OUTPUTS, N_CHAINS = 3, 2, 50
MANY = {"bounded": 500, "bounded recurrent": 200}
"""Chains of a configuration, where they are more."""
BUSY = {"add_node": 0.4, "add_connection": 0.5, "toggle_connection": 0.3, "perturb_responses": 0.3}
LOSING = {**BUSY, "remove_connection": 0.4, "remove_node": 0.15}
PLAIN = ("identity", "relu", "abs", "clamped")
"""Activations whose definition in neat-python is ours; its sigmoid, tanh, sine and gaussian have other slopes."""
SMALL: dict[str, Any] = {"limit": 2.0, "weight_power": 0.5, "mutations": BUSY}
WORDS: dict[str, Any] = {"activations": tuple(ACTIVATIONS), "output_activations": ("tanh", "identity")}
EVERYTHING: dict[str, Any] = {
    "activations": BOUNDED,
    "output_activations": BOUNDED,
    "aggregations": tuple(AGGREGATIONS),
    "bias": "both",
    "max_sampled": 3,
    "response_power": 0.2,
    "limit": 3.0,
    "mutations": {**LOSING, "remove_node": 0.05, "remove_connection": 0.05, "change_activation": 0.1},
}
CONFIGS: dict[str, Any] = {
    "neat": Neat(mutations=BUSY),
    "all words": Neat(**SMALL, **WORDS, aggregations=tuple(AGGREGATIONS), bias="both"),
    "sparse": Neat(**{**SMALL, "mutations": LOSING}, **WORDS, initial="partial", bias="neuron"),
    "unconnected": Neat(**{**SMALL, "mutations": LOSING}, aggregations=tuple(AGGREGATIONS), initial="none"),
    "recurrent": Neat(mutations=BUSY, recurrent=True, recurrent_rate=0.5, bias="neuron"),
    "recurrent words": Neat(**SMALL, **WORDS, aggregations=tuple(AGGREGATIONS), recurrent=True, recurrent_rate=0.6),
    "cppn": Cppn(**SMALL),
    "cppn words": Cppn(**SMALL, **WORDS, aggregations=("sum", "product", "mean"), initial="one"),
    "plain": Neat(**SMALL, activations=PLAIN, output_activations=PLAIN, aggregations=tuple(AGGREGATIONS)),
    "plain recurrent": Neat(**SMALL, activations=PLAIN, output_activations=PLAIN, recurrent=True, bias="neuron"),
    "bounded": Neat(**EVERYTHING),
    "bounded recurrent": Neat(**EVERYTHING, recurrent=True),
}
INPUTS = np.random.default_rng(0).normal(0, 1, (5, N_INPUTS))


@cache
def graphs(name: str) -> list[NeuronGraph]:
    """The ends of chains of 1 to 20 mutations, with values that float32 holds."""
    encoding = CONFIGS[name].for_task((N_INPUTS,), N_OUTPUTS)
    return [_rounded(one) for one in _evolved(encoding, MANY.get(name, N_CHAINS))]


def _evolved(encoding: Encoding[Any], n_chains: int) -> Iterator[NeuronGraph]:
    for chain in range(n_chains):
        rng = stream(chain, "parity")
        genome = encoding.sample(uniform(rng), rng=rng)
        for _ in range(1 + chain % 20):
            genome = encoding.mutate(genome, rng=rng).genome
        found = encoding.develop(genome)
        assert isinstance(found, NeuronGraph)
        yield found


def _rounded(one: NeuronGraph) -> NeuronGraph:
    values = {name: np.float32(getattr(one, name)).tolist() for name in ("weights", "biases", "responses")}
    return replace(one, **{name: tuple(column) for name, column in values.items()})


def near(found: torch.Tensor, expected: Any) -> None:
    agree(found, np.asarray(expected), 1e-8)


@pytest.mark.parametrize("name", CONFIGS)
def test_numpy_the_module_and_the_population_agree(name: str) -> None:
    """In float64; recurrent ones over three steps."""
    many = graphs(name)
    population, x = NeuronPopulation(many, dtype=torch.float64), torch.from_numpy(INPUTS)
    networks: list[NeuronNetwork] = [NeuronNetwork(one).double() for one in many]
    state: Any = None
    states: list[Any] = [None] * len(many)
    theirs: list[Any] = [None] * len(many)
    for _ in range(3 if many[0].recurrent else 1):
        together, state = population.step(x, state)
        for at, one in enumerate(many):
            if one.recurrent:
                expected, states[at] = one.step(INPUTS, states[at])
            else:
                expected = one.run(INPUTS)
            alone, theirs[at] = networks[at].step(x, theirs[at])
            near(together[at], expected)
            near(alone, expected)
            assert (theirs[at] is not None) == one.recurrent


def test_in_float32_they_agree_over_mutation_chains() -> None:
    """To a hundred-thousandth, but where a graph enlarges the rounding of its weights."""
    x = torch.from_numpy(INPUTS).float()
    together = NeuronPopulation(graphs("bounded"))(x)
    stiff = [stiffness(one, x.numpy()) for one in graphs("bounded")]
    assert np.mean(np.array(stiff) == 1.0) > 0.9
    for found, one, factor in zip(together, graphs("bounded"), stiff, strict=True):
        expected = one.run(x.numpy())
        agree(found, expected, 1e-5 * factor)
        agree(NeuronNetwork(one)(x), expected, 1e-5 * factor)


@pytest.mark.parametrize("name", ["neat", "recurrent", "cppn"])
def test_in_float32_the_module_and_the_population_hardly_differ(name: str) -> None:
    many, x = graphs(name), torch.from_numpy(INPUTS).float()
    together = NeuronPopulation(many)(x)
    worst = [
        np.abs(found.numpy() - NeuronNetwork(one)(x).detach().numpy()).max()
        for found, one in zip(together, many, strict=True)
    ]
    assert max(worst) < 1e-4
    assert np.median(worst) < 1e-6


def stiffness(one: NeuronGraph, x: np.ndarray) -> float:
    """How many times float32's rounding is enlarged on the way to the outputs; at least 1."""
    moved = replace(one, weights=tuple(w * (1 + 1e-7) for w in one.weights), biases=tuple(b - 1e-7 for b in one.biases))
    before = one.run(x)
    return float(max(1.0, (np.abs(moved.run(x * (1 - 1e-7)) - before) / (1 + np.abs(before))).max() / 1e-6))


def test_chains_reach_what_is_to_be_compared() -> None:
    """Unconnected neurons, cycles, every activation and aggregation, responses, deep graphs."""
    found = [one for name in CONFIGS for one in graphs(name)]
    assert len(found) == 1_200
    assert {word for one in found for word in one.activations} == set(ACTIVATIONS)
    assert {word for one in found for word in one.aggregations} == set(AGGREGATIONS)
    assert any(response != 1 for one in found for response in one.responses)
    assert sum(not all(one.incoming) for one in found) > 20
    assert any(source == target for one in found if one.recurrent for source, target in _pairs(one))
    assert any(source >= target for one in found if one.recurrent for source, target in _pairs(one))
    assert max(max(one.levels) for one in found if not one.recurrent) > 4


def _pairs(one: NeuronGraph) -> Iterator[tuple[int, int]]:
    return zip(one.sources, one.targets, strict=True)


# neat-python


def _in_neat(one: NeuronGraph, *, ours: bool) -> Any:
    """The network that neat-python makes of the same genes, with our activations and aggregations or with its own."""
    neat = pytest.importorskip("neat", reason="neat-python is not installed: pip install neat-python")
    keys = [-1 - at for at in range(one.n_inputs)] + list(range(len(one.ids)))
    columns = zip(one.activations, one.aggregations, one.biases, one.responses, strict=True)
    nodes = {
        at: SimpleNamespace(activation=word, aggregation=how, bias=bias, response=response)
        for at, (word, how, bias, response) in enumerate(columns)
    }
    links = {
        (keys[source], keys[target]): SimpleNamespace(key=(keys[source], keys[target]), weight=weight, enabled=True)
        for (source, target), weight in zip(_pairs(one), one.weights, strict=True)
    }
    genome_config = SimpleNamespace(
        input_keys=keys[: one.n_inputs],
        output_keys=[keys[place] for place in one.outputs],
        activation_defs=OURS if ours else neat.activations.ActivationFunctionSet(),
        aggregation_function_defs=JOINED if ours else neat.aggregations.AggregationFunctionSet(),
    )
    kind = neat.nn.RecurrentNetwork if one.recurrent else neat.nn.FeedForwardNetwork
    genome = SimpleNamespace(nodes=nodes, connections=links)
    return kind.create(genome, SimpleNamespace(genome_config=genome_config))


OURS = {word: lambda x, word=word: float(ACTIVATIONS[word](np.array(x))) for word in ACTIVATIONS}
JOINED: dict[str, Any] = {
    "sum": math.fsum,
    "product": math.prod,
    "mean": lambda terms: math.fsum(terms) / len(terms) if terms else 0.0,
    "max": lambda terms: max(terms, default=0.0),
    "min": lambda terms: min(terms, default=0.0),
}


@pytest.mark.parametrize(
    ("name", "ours"),
    [("plain", False), ("plain recurrent", False), ("bounded", True), ("bounded recurrent", True)],
)
def test_neat_python_agrees(name: str, ours: bool) -> None:
    """Of recurrent ones on those without a neuron that reads nothing, where it differs: see the next test."""
    many = [one for one in graphs(name) if not one.recurrent or all(one.incoming)]
    assert len(many) > 10
    population, state = NeuronPopulation(many, dtype=torch.float64), None
    theirs = [_in_neat(one, ours=ours) for one in many]
    for x in INPUTS:
        found, state = population.step(torch.from_numpy(x[None]), state)
        for got, other in zip(found, theirs, strict=True):
            near(got[0], other.activate(x.tolist()))


@pytest.mark.parametrize(("recurrent", "expected"), [(False, 0.7), (True, 0.0)])
def test_where_neat_python_differs_in_a_neuron_that_reads_nothing(recurrent: bool, expected: float) -> None:
    """Its recurrent network (2.0.0) does not compute it: it stays 0. Its feed-forward one and ours put out its bias."""
    one = NeuronGraph(1, (1,), ("a",), ("identity",), ("sum",), (0.7,), (1.0,), (), (), (), (), recurrent)
    assert _in_neat(one, ours=False).activate([1.0]) == [expected]
    assert NeuronPopulation([one])(torch.ones(1, 1)).item() == pytest.approx(0.7)
