"""What every encoding keeps to. A new one joins by a line in `ENCODINGS`."""

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest

from genomes import Canvas, Cell, Cppn, Dag, Encoding, EsHyperNeat, Genome, HyperNeat, Neat, Recurrent
from genomes.encoding import (
    POINTER,
    WEIGHTED,
    Decide,
    Phenotype,
    Site,
    uniform,
)
from genomes.hyperneat import Conv
from genomes.neurons import NeuronGraph
from genomes.painter import Painter

ALL = {"remove_node": 0.1, "remove_connection": 0.1, "perturb_responses": 0.2, "toggle_connection": 0.1}
VARIED: dict[str, Any] = {
    "initial": "partial",
    "bias": "both",
    "neutral": True,
    "distribution": "normal",
    "perturb_rate": 0.5,
    "average_rate": 0.3,
    "excess": 2.0,
    "output_activations": ("identity", "tanh"),
    "aggregations": ("sum", "max", "product"),
    "max_sampled": 3,
    "max_nodes": 12,
    "max_connections": 60,
    "mutations": ALL,
}
ENCODINGS: list[tuple[str, Encoding, tuple[int, ...]]] = [
    ("dag-grey", Dag(), (1, 8, 8)),
    ("dag-colour", Dag(), (3, 32, 32)),
    ("dag-odd", Dag(merges=("concat",), max_nodes=12), (2, 7, 5)),
    ("dag-vector", Dag(), (13,)),
    ("cell-nasnet", Cell(n=1), (1, 8, 8)),
    ("cell-amoebanet", Cell(space="amoebanet", stack="imagenet", n=1), (3, 33, 20)),
    ("cell-darts", Cell(space="darts", n_reductions=1), (2, 7, 5)),
    ("recurrent", Recurrent(), (13,)),
    ("recurrent-odd", Recurrent(base=5, activations=("tanh", "relu"), widths=(3, 7), max_layers=4), (1,)),
    ("neat", Neat(n_outputs=7), (4,)),
    ("neat-recurrent", Neat(n_outputs=7, recurrent=True, mutations=ALL), (1, 2, 2)),
    ("neat-varied", Neat(n_outputs=7, **VARIED), (5,)),
    ("cppn", Cppn(n_outputs=7, max_sampled=6, mutations=ALL), (3,)),
    ("hyperneat", HyperNeat(n_outputs=7, hidden=((4, 4), "same")), (1, 5, 5)),
    (
        "hyperneat-through",
        HyperNeat(n_outputs=7, hidden=(Conv(3), (2, 2)), mode="through", leo="local", separate=True),
        (2, 4, 5),
    ),
    ("es_hyperneat", EsHyperNeat(n_outputs=7, initial_depth=2), (1, 2, 2)),
    ("es_hyperneat-recurrent", EsHyperNeat(n_outputs=7, recurrent=True, leo=True, biases=False, iterations=2), (3,)),
    ("canvas", Canvas(), (1, 8, 8)),
    ("canvas-odd", Canvas(layers=3, lanes=2, reach=1, strides=(1,), activations=("relu", "silu")), (2, 7, 5)),
    ("canvas-vector", Canvas(queries=("source", "target", "distance"), merges=("concat",)), (13,)),
    ("cell-sequence", Cell(operations=("attention", "none", "max_pool_3x3", "identity"), n_blocks=3), (4, 1, 9)),
]
"""Name, configuration, and the input shape it is tried on."""

N_VARIATIONS = 300
Case = tuple[Encoding, tuple[int, ...]]


def stream(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def sampled(encoding: Encoding, seed: int) -> Genome:
    return encoding.sample(uniform(stream(seed, 0)), rng=stream(seed, 1))


def evolved(encoding: Encoding, seed: int, n_steps: int = 20, ancestor: Genome | None = None) -> Genome:
    genome = ancestor or sampled(encoding, seed)
    for step in range(n_steps):
        genome = encoding.mutate(genome, rng=stream(seed, 2, step)).genome
    return genome


def relatives(encoding: Encoding) -> tuple[Genome, Genome]:
    ancestor = sampled(encoding, 0)
    return evolved(encoding, 1, ancestor=ancestor), evolved(encoding, 2, ancestor=ancestor)


def written(encoding: Encoding, genome: Genome) -> str:
    return json.dumps(encoding.to_json(genome), allow_nan=False)


def check_phenotype(phenotype: Phenotype, input_shape: tuple[int, ...]) -> None:
    if isinstance(phenotype, NeuronGraph):
        phenotype.check(input_shape, n_outputs=7)
        assert phenotype.recurrent or len(phenotype.levels) == len(phenotype.ids)
        assert len(set(phenotype.ids + phenotype.markings)) == len(phenotype.ids) + len(phenotype.markings)
        return
    shapes = phenotype.shapes(input_shape, n_outputs=7)
    assert next(iter(shapes.values())) == input_shape
    assert list(shapes.values())[-1] == (7,)


# Streams


def test_the_same_stream_gives_the_same_digest(case: Case) -> None:
    encoding, _ = case
    a, b = relatives(encoding)
    for seed in range(10):
        assert sampled(encoding, seed).digest == sampled(encoding, seed).digest
        assert encoding.mutate(a, rng=stream(seed)) == encoding.mutate(a, rng=stream(seed))
        assert encoding.crossover(a, b, rng=stream(seed)) == encoding.crossover(a, b, rng=stream(seed))


def test_another_stream_gives_another_digest(case: Case) -> None:
    encoding, _ = case
    a, b = relatives(encoding)
    assert len({sampled(encoding, seed).digest for seed in range(20)}) > 15
    assert len({encoding.mutate(a, rng=stream(seed)).genome.digest for seed in range(20)}) > 10
    assert len({encoding.crossover(a, b, rng=stream(seed)).genome.digest for seed in range(20)}) > 5


# Variation


def test_variation_leaves_its_input_alone(case: Case) -> None:
    encoding, _ = case
    a, b = relatives(encoding)
    before = written(encoding, a), written(encoding, b), hash(a), hash(b), a.digest, b.digest
    for seed in range(30):
        encoding.mutate(a, rng=stream(seed))
        encoding.crossover(a, b, rng=stream(seed))
    assert (written(encoding, a), written(encoding, b), hash(a), hash(b), a.digest, b.digest) == before


def test_a_mutation_changes_the_genome_and_says_how(case: Case) -> None:
    encoding, _ = case
    genome = evolved(encoding, 3)
    for seed in range(30):
        variation = encoding.mutate(genome, rng=stream(seed))
        assert variation.operator.isidentifier()
        assert (variation.genome != genome) == (variation.operator != "identity")
        assert bool(variation.touched) == (variation.operator != "identity")
        assert len(set(variation.touched)) == len(variation.touched)


def test_a_genome_crossed_with_itself_is_itself(case: Case) -> None:
    encoding, _ = case
    for seed in range(10):
        genome = evolved(encoding, seed)
        variation = encoding.crossover(genome, genome, rng=stream(seed))
        assert variation.genome == genome
        assert variation.touched == ()


def test_hundreds_of_random_variations_stay_valid(case: Case) -> None:
    encoding, input_shape = case
    rng = stream(5)
    population = [sampled(encoding, seed) for seed in range(10)]
    for genome in population:
        check_phenotype(encoding.develop(genome), input_shape)
    for _ in range(N_VARIATIONS):
        first, second, replaced = (int(index) for index in rng.integers(len(population), size=3))
        if rng.random() < 0.3:
            variation = encoding.crossover(population[first], population[second], rng=rng)
        else:
            variation = encoding.mutate(population[first], rng=rng)
        genome = variation.genome
        check_phenotype(encoding.develop(genome), input_shape)
        assert encoding.from_json(json.loads(written(encoding, genome))) == genome
        population[replaced] = genome


def gene_of(id: str) -> str:
    """The marking that a node's id ends with; before it stands the place of a gene that is developed many times."""
    return id.rpartition(":")[2]


def values_of(graph: NeuronGraph) -> dict[str, tuple[Any, ...]]:
    """What every neuron and every connection of a graph is, by id and by marking."""
    ids = (*map(str, range(graph.n_inputs)), *graph.ids)
    neurons = zip(graph.activations, graph.aggregations, graph.biases, graph.responses, strict=True)
    ends = [(ids[source], ids[target]) for source, target in zip(graph.sources, graph.targets, strict=True)]
    links = zip(graph.markings, ends, graph.weights, strict=True)
    return dict(zip(graph.ids, neurons, strict=True)) | {name: (end, weight) for name, end, weight in links}


def test_untouched_neurons_and_connections_survive_a_mutation(case: Case) -> None:
    encoding, _ = case
    if WEIGHTED not in encoding.abilities or isinstance(encoding, Painter):
        return
    for seed in range(12):
        genome = evolved(encoding, seed, n_steps=seed * 3)
        before = values_of(encoding.develop(genome))
        for again in range(15):
            variation = encoding.mutate(genome, rng=stream(seed, again))
            after, touched = values_of(encoding.develop(variation.genome)), set(variation.touched)
            assert {name: value for name, value in before.items() if name not in touched} == {
                name: value for name, value in after.items() if name not in touched
            }, variation.operator


def test_untouched_ids_survive_a_mutation(case: Case) -> None:
    encoding, _ = case
    if WEIGHTED in encoding.abilities or isinstance(encoding, Painter):
        return
    for seed in range(12):
        genome = evolved(encoding, seed, n_steps=seed * 3)
        before = encoding.develop(genome)
        for again in range(15):
            variation = encoding.mutate(genome, rng=stream(seed, again))
            after = {node.id: node for node in encoding.develop(variation.genome).nodes}
            touched = set(variation.touched)
            for node in before.nodes:
                if gene_of(node.id) in touched:
                    continue
                if node.id not in after:
                    readers = [other.id for other in before.nodes if node.id in other.inputs]
                    assert all(gene_of(reader) in touched or reader not in after for reader in readers)
                    continue
                survivor = after[node.id]
                assert (survivor.operation, survivor.attributes) == (node.operation, node.attributes), variation


# Genomes


def test_a_genome_is_a_frozen_value(case: Case) -> None:
    encoding, _ = case
    genome = evolved(encoding, 4)
    twin = encoding.from_json(json.loads(written(encoding, genome)))
    assert twin == genome
    assert hash(twin) == hash(genome)
    assert twin.digest == genome.digest
    assert len(genome.digest) == 16
    assert int(genome.digest, 16) >= 0
    assert copy.deepcopy(genome) is genome
    assert copy.deepcopy([genome])[0] is genome
    with pytest.raises(FrozenInstanceError):
        genome.digest = ""


def test_equal_digests_mean_equal_genomes(case: Case) -> None:
    encoding, _ = case
    genomes = [evolved(encoding, seed % 20, n_steps=seed // 20) for seed in range(120)]
    for a in genomes:
        for b in genomes:
            assert (a.digest == b.digest) == (a == b)


def test_distance(case: Case) -> None:
    encoding, _ = case
    parent = evolved(encoding, 6)
    near = [encoding.mutate(parent, rng=stream(seed)).genome for seed in range(15)]
    genomes = [parent, *near, *(evolved(encoding, seed) for seed in range(10))]
    for a in genomes:
        assert encoding.distance(a, encoding.from_json(encoding.to_json(a))) == 0
        for b in genomes:
            assert encoding.distance(a, b) == encoding.distance(b, a)
            assert (encoding.distance(a, b) > 0) == (a != b)
    other = sampled(encoding, 99)
    mean_near = float(np.mean([encoding.distance(parent, genome) for genome in near]))
    assert mean_near < encoding.distance(parent, other)


# Development


def test_development_is_deterministic(case: Case) -> None:
    encoding, _ = case
    genome = evolved(encoding, 7)
    twin = encoding.from_json(encoding.to_json(genome))
    assert encoding.develop(genome) == encoding.develop(twin)
    assert encoding.develop(genome).digest == encoding.develop(twin).digest


# Decisions


def test_sampling_takes_only_declared_decisions(case: Case) -> None:
    encoding, _ = case
    n_taken = 0
    for seed in range(50):
        trace = recorded(encoding, seed)[1]
        n_taken += len(trace)
        for site, n_options, _ in trace:
            declared = encoding.decisions[str(site[0])]
            assert n_options == declared or (declared == POINTER and n_options >= 1), site
        assert len({site for site, _, _ in trace}) == len(trace)
        assert trace or not encoding.decisions
    assert bool(n_taken) == bool(encoding.decisions)


def test_every_declared_decision_is_taken(case: Case) -> None:
    encoding, _ = case
    kinds = {str(site[0]) for seed in range(50) for site, _, _ in recorded(encoding, seed)[1]}
    assert kinds == set(encoding.decisions)


def test_a_replayed_trace_gives_the_same_genome(case: Case) -> None:
    encoding, _ = case
    for seed in range(30):
        genome, trace = recorded(encoding, seed)
        taken = iter(trace)

        def replay(site: Site, n_options: int, taken: Iterator[tuple[Site, int, int]] = taken) -> int:
            expected_site, expected_options, index = next(taken)
            assert (site, n_options) == (expected_site, expected_options)
            return index

        assert encoding.sample(replay, rng=stream(seed)) == genome
        assert next(taken, None) is None


def recorded(encoding: Encoding, seed: int) -> tuple[Genome, list[tuple[Site, int, int]]]:
    trace: list[tuple[Site, int, int]] = []
    inner: Decide = uniform(stream(seed, 9))

    def decide(site: Site, n_options: int) -> int:
        trace.append((site, n_options, inner(site, n_options)))
        return trace[-1][2]

    return encoding.sample(decide, rng=stream(seed)), trace


# The configuration


def test_the_configuration_is_a_value(case: Case) -> None:
    encoding, input_shape = case
    assert encoding.for_task(input_shape, 7) == encoding
    assert all(isinstance(ability, str) for ability in encoding.abilities)
    assert all(isinstance(count, int) and count >= 0 for count in encoding.decisions.values())


def test_genomes_import_without_torch_deap_and_the_engine() -> None:
    script = "import sys, genomes; print([name for name in ('torch', 'deap', 'evonas') if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
