"""neat-python's side of `neat_python.py`: its populations and networks, configured like ours."""

import random
import tempfile
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from genomes.neurons import NeuronGraph

N_NEURONS, N_CONNECTIONS, N_SPECIES = 20, 60, 20
"""Of a large genome, and of a large population."""
neat: Any = import_module("neat") if find_spec("neat") else None
"""None where it is not installed."""

OURS = ("sigmoid", "tanh", "sine", "gaussian", "relu", "elu", "identity", "clamped", "abs", "square")
THEIRS = ("sigmoid", "tanh", "sin", "gauss", "relu", "elu", "identity", "clamped", "abs", "square")
"""The same activations by both names."""
CASES = [((a, b), a ^ b) for a in (0, 1) for b in (0, 1)]
"""Exclusive or."""
PEER = """
[NEAT]
fitness_criterion = max
fitness_threshold = 1e9
no_fitness_termination = True
pop_size = {population}
reset_on_extinction = True
[DefaultGenome]
num_inputs = {inputs}
num_outputs = {outputs}
num_hidden = 0
feed_forward = True
initial_connection = full_direct
compatibility_disjoint_coefficient = 1.0
compatibility_weight_coefficient = {difference}
conn_add_prob = 0.05
conn_delete_prob = 0.0
node_add_prob = 0.03
node_delete_prob = 0.0
single_structural_mutation = False
structural_mutation_surer = default
activation_default = sigmoid
activation_mutate_rate = 0.0
activation_options = sigmoid
aggregation_default = sum
aggregation_mutate_rate = 0.0
aggregation_options = sum
bias_init_type = gaussian
bias_init_mean = 0.0
bias_init_stdev = 1.0
bias_replace_rate = 0.1
bias_mutate_rate = 0.7
bias_mutate_power = 0.5
bias_max_value = 30.0
bias_min_value = -30.0
response_init_type = gaussian
response_init_mean = 1.0
response_init_stdev = 0.0
response_replace_rate = 0.0
response_mutate_rate = 0.0
response_mutate_power = 0.0
response_max_value = 30.0
response_min_value = -30.0
weight_init_type = gaussian
weight_init_mean = 0.0
weight_init_stdev = 1.0
weight_replace_rate = 0.1
weight_mutate_rate = 0.8
weight_mutate_power = 0.5
weight_max_value = 30.0
weight_min_value = -30.0
enabled_default = True
enabled_mutate_rate = 0.01
enabled_rate_to_true_add = 0.0
enabled_rate_to_false_add = 0.0
[DefaultSpeciesSet]
compatibility_threshold = {threshold}
[DefaultStagnation]
species_fitness_func = max
max_stagnation = {stagnation}
species_elitism = 2
[DefaultReproduction]
elitism = 1
survival_threshold = 0.2
min_species_size = 2
"""


def genome_of(one: NeuronGraph) -> tuple[SimpleNamespace, SimpleNamespace]:
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
        activation_defs=neat.activations.ActivationFunctionSet(),
        aggregation_function_defs=neat.aggregations.AggregationFunctionSet(),
    )
    return SimpleNamespace(nodes=nodes, connections=links), SimpleNamespace(genome_config=config)


def xor_of_theirs(seed: int = 0) -> tuple[Any, Callable[[], object]]:
    """A population of neat-python on exclusive or, and what makes a generation of it."""
    random.seed(seed)

    def judged(genomes: Any, config: Any) -> None:
        for _, genome in genomes:
            network = neat.nn.FeedForwardNetwork.create(genome, config)
            genome.fitness = 4 - sum((network.activate(bits)[0] - bit) ** 2 for bits, bit in CASES)

    peer = neat.Population(
        _configured(population=150, inputs=2, outputs=1, difference=0.5, threshold=3.0, stagnation=15)
    )
    return peer, lambda: peer.run(judged, 1)


def trivial(number: int) -> float:
    """A fitness from 0 to 1 that means nothing."""
    return (number * 2_654_435_761 % 4_294_967_296) / 4_294_967_296


def large_population(size: int) -> Any:
    """A population of neat-python like ours: children of a few founders."""
    random.seed(0)
    config = _configured(population=size, inputs=4, outputs=2, difference=0.5, threshold=1.4, stagnation=1000)
    peer = neat.Population(config)
    founders = list(peer.population.values())[:N_SPECIES]
    for founder in founders:
        while len(founder.nodes) < N_NEURONS:
            founder.mutate_add_node(config.genome_config)
        while len(founder.connections) < N_CONNECTIONS:
            founder.mutate_add_connection(config.genome_config)
        founder.fitness = 0.0
    for key in peer.population:
        founder = random.choice(founders)
        child = config.genome_type(key)
        child.configure_crossover(founder, founder, config.genome_config)
        for gene in child.connections.values():
            gene.weight += random.gauss(0, 0.2)
        peer.population[key] = child
    peer.species = config.species_set_type(config.species_set_config, peer.reporters)
    peer.species.speciate(config, peer.population, 0)
    return peer


def _configured(**values: float) -> Any:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "neat.ini")
        path.write_text(PEER.format(**values), "utf-8")
        parts = neat.DefaultGenome, neat.DefaultReproduction, neat.DefaultSpeciesSet, neat.DefaultStagnation
        return neat.Config(*parts, str(path))
