"""The direct encoding: configuration, sampling, development, crossover, distance and JSON."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomes import Dag
from genomes.dag.flow import developed, nonnegative, reaches
from genomes.dag.genome import OUTPUT, SOURCE, Edge, Gene, checked, ordered
from genomes.dag.operators import OPERATORS
from genomes.encoding import uniform
from tests.genomes.dags import CONFIGS, POPULATIONS, conv, genome, rng

# Crossover


def test_genes_that_only_the_second_parent_has_are_taken_at_times() -> None:
    a = genome(conv("a"), edges="input-a a-output")
    b = genome(conv("b"), edges="input-b b-output")
    children = Counter(Dag().crossover(a, b, rng=rng(seed)).genome for seed in range(100))
    both = genome(conv("a"), conv("b"), edges="input-a a-output input-b b-output")
    assert set(children) == {a, both}
    assert 30 <= children[both] <= 70


def test_matching_genes_come_from_either_parent() -> None:
    a, b = (genome(conv("a", width), conv("b", width), edges="input-a a-b b-output") for width in (8, 64))
    children = Counter(
        tuple(child.genes[name].width for name in ("a", "b"))
        for child in (Dag().crossover(a, b, rng=rng(seed)).genome for seed in range(100))
    )
    assert set(children) == {(8, 8), (8, 64), (64, 8), (64, 64)}
    assert min(children.values()) >= 10


def test_an_edge_that_would_close_a_cycle_is_left() -> None:
    a = genome(conv("a"), conv("b"), edges="input-a a-b b-output")
    b = genome(conv("a"), conv("b"), edges="input-b b-a a-output")
    children = {Dag().crossover(a, b, rng=rng(seed)).genome for seed in range(60)}
    added = {frozenset(set(child.edges) - set(a.edges)) for child in children}
    both: set[Edge] = {(SOURCE, "b"), ("a", OUTPUT)}
    assert added == {frozenset(), *(frozenset({edge}) for edge in both), frozenset(both)}


def test_a_crossover_stays_under_the_cap() -> None:
    a = genome(conv("a"), edges="input-a a-output")
    b = genome(*(conv(name) for name in "bcdef"), edges=" ".join(f"input-{name} {name}-output" for name in "bcdef"))
    for cap in (1, 2, 3):
        config = Dag(min_nodes=1, max_sampled=1, max_nodes=cap)
        sizes = {len(config.crossover(a, b, rng=rng(seed)).genome.nodes) - 1 for seed in range(60)}
        assert max(sizes) == cap
        assert min(sizes) == 1


@pytest.mark.parametrize("name", CONFIGS)
def test_a_crossover_keeps_the_fitter_parent_and_invents_nothing(name: str) -> None:
    config, population = CONFIGS[name], POPULATIONS[name]
    for at, a in enumerate(population):
        b = population[(at * 11 + 4) % len(population)]
        relative = config.mutate(config.mutate(a, rng=rng(at)).genome, rng=rng(at, 1)).genome
        for other in (b, relative):
            child = config.crossover(a, other, rng=rng(at, 2)).genome
            assert set(a.edges) <= set(child.edges) <= set(a.edges) | set(other.edges)
            assert set(a.genes) <= set(child.genes) <= set(a.genes) | set(other.genes)
            assert all(gene in (a.genes.get(key), other.genes.get(key)) for key, gene in child.genes.items())
            assert all(child.inputs[key][: len(sources)] == sources for key, sources in a.inputs.items())
            assert len(child.nodes) - 1 <= config.max_nodes


# Genomes


def test_the_same_genes_make_the_same_genome_in_any_order() -> None:
    for name, population in POPULATIONS.items():
        for at, before in enumerate(population):
            stream = rng(at)
            names = [list(before.genes)[index] for index in stream.permutation(len(before.genes))]
            targets = [list(before.inputs)[index] for index in stream.permutation(len(before.inputs))]
            edges = [(source, target) for target in targets for source in before.inputs[target]]
            assert ordered({key: before.genes[key] for key in names}, edges) == before, name


def test_what_feeds_nothing_or_is_fed_by_nothing_is_dropped() -> None:
    nodes = [conv(name) for name in "abcd"]
    whole = genome(*nodes, edges="input-a a-output input-b b-c d-output")
    assert whole == genome(conv("a"), edges="input-a a-output")


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=14), st.integers(0, 6), st.integers(0, 6))
def test_reaches(pairs: list[tuple[int, int]], start: int, goal: int) -> None:
    found = {start}
    for _ in range(7):
        found |= {target for source, target in pairs if source in found}
    assert reaches([(str(source), str(target)) for source, target in pairs], str(start), str(goal)) == (goal in found)


# Sampling and development


@pytest.mark.parametrize("name", CONFIGS)
def test_a_sample_keeps_to_its_bounds(name: str) -> None:
    config = CONFIGS[name]
    sizes = set()
    for seed in range(200):
        sampled = config.sample(uniform(rng(seed)), rng=rng(seed))
        sizes.add(len(sampled.nodes) - 1)
        for gene in sampled.nodes[:-1]:
            assert gene.operation in config.vocabulary
            assert gene.kernel in config.kernels_of(gene.operation)
            assert gene.width in config.widths
            assert gene.stride in config.strides
            assert gene.merge in config.merges
            assert gene.activation in config.activations
            assert gene.start == "random"
        assert sampled.nodes[-1].merge in config.merges
    assert min(sizes) == config.min_nodes
    assert max(sizes) in range(config.min_nodes + 2, config.max_sampled + 1)


def test_behind_a_vector_layers_are_developed_as_what_they_amount_to() -> None:
    assert developed("conv", behind_flat=False) == "conv"
    assert {word: developed(word, behind_flat=True) for word in Dag().vocabulary} == {
        "conv": "linear",
        "separable": "linear",
        "dilated": "linear",
        "max_pool": "identity",
        "avg_pool": "identity",
        "identity": "identity",
        "linear": "linear",
    }
    before = genome(
        Gene("f", "linear", width=8), conv("a"), Gene("p", "max_pool"), edges="input-f f-a a-p p-output input-p"
    )
    nodes = {node.id: node for node in Dag().develop(before).nodes}
    assert [nodes[name].operation for name in (SOURCE, "f", "a", "p", OUTPUT)] == [
        "input",
        "linear",
        "linear",
        "identity",
        "head",
    ]
    assert nodes["a"].settings == {"activation": "none", "normalisation": "none", "start": "random", "width": 8}
    assert Dag().develop(before).shapes((3, 8, 8)) == {SOURCE: (3, 8, 8), "f": (8,), "a": (8,), "p": (8,), OUTPUT: (1,)}


def test_development_keeps_markings_inputs_and_attributes() -> None:
    before = genome(conv("a", 16, kernel=5, stride=2, activation="silu"), edges="input-a a-output input-output")
    source, layer, head = Dag().develop(before).nodes
    assert (source.id, layer.id, head.id) == (SOURCE, "a", OUTPUT)
    assert (layer.inputs, head.inputs) == ((SOURCE,), ("a", SOURCE))
    attributes = {
        "kernel": 5,
        "width": 16,
        "stride": 2,
        "activation": "silu",
        "normalisation": "none",
        "start": "random",
    }
    assert layer.settings == attributes
    assert list(attributes) != sorted(attributes)
    assert [word for word, _ in layer.attributes] == sorted(attributes)


def test_values_that_are_never_negative() -> None:
    relu = conv("a", activation="relu")
    before = genome(
        relu,
        conv("b"),
        Gene("p", "avg_pool"),
        Gene("q", "identity"),
        edges="input-a a-p p-q q-output input-q a-b b-output",
    )
    assert nonnegative(before) == {"a", "p"}


# Distance


def test_distance_counts_genes_apart_and_columns_that_differ() -> None:
    dag = Dag()
    a = genome(conv("a"), edges="input-a a-output")
    assert dag.distance(a, genome(conv("a", 16), edges="input-a a-output")) == pytest.approx(1 / 20)
    assert dag.distance(a, genome(conv("a", 16, kernel=5), edges="input-a a-output")) == pytest.approx(2 / 20)
    apart = genome(conv("b"), edges="input-b b-output")
    assert dag.distance(a, apart) == pytest.approx(6 / 7 + 1 / 10)
    one, other = (
        genome(conv("a"), edges=edges) for edges in ("input-a a-output input-output", "input-a input-output a-output")
    )
    assert dag.distance(one, other) == pytest.approx(1 / 20)


# JSON from outside


SOUND = {
    "encoding": "dag",
    "version": 1,
    "nodes": [
        ["aa", "conv", 3, 8, 1, "relu", "batch", "sum", "random"],
        ["output", "head", 3, 0, 1, "none", "none", "sum", "random"],
    ],
    "edges": [["input", "aa"], ["aa", "output"]],
}


def row(at: int = 0, **columns: Any) -> list[list[Any]]:
    nodes = [Gene(*gene) for gene in SOUND["nodes"]]
    nodes[at] = nodes[at]._replace(**columns)
    return [list(gene) for gene in nodes]


def test_a_sound_genome_is_read() -> None:
    found = Dag().from_json(SOUND)
    assert found == genome(Gene("aa", "conv", 3, 8, 1, "relu", "batch"), edges="input-aa aa-output")
    assert Dag().to_json(found) == SOUND


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ({"nodes": row(width=-8)}, "node aa: expected width to be a whole number from 0 to 65536, got -8"),
        ({"nodes": row(width=10**9)}, "expected width .* got 1000000000"),
        ({"nodes": row(width=8.0)}, r"expected width .* got 8\.0"),
        ({"nodes": row(width=True)}, "expected width .* got True"),
        ({"nodes": row(width="8")}, "expected width .* got '8'"),
        ({"nodes": row(kernel=4)}, "node aa: expected kernel to be an odd number from 1 to 255, got 4"),
        ({"nodes": row(kernel=-3)}, "expected kernel .* got -3"),
        ({"nodes": row(kernel=257)}, "expected kernel .* got 257"),
        ({"nodes": row(stride=0)}, "expected stride .* got 0"),
        ({"nodes": row(stride=256)}, "expected stride .* got 256"),
        ({"nodes": row(operation="exec")}, "node aa: expected operation to be one of conv, .* got 'exec'"),
        ({"nodes": row(operation="head")}, "expected operation .* got 'head'"),
        ({"nodes": row(operation="input")}, "expected operation .* got 'input'"),
        ({"nodes": row(1, operation="conv")}, "node output: expected operation to be one of head, got 'conv'"),
        ({"nodes": row(activation="gelu")}, "expected activation .* got 'gelu'"),
        ({"nodes": row(normalisation=["batch"])}, "expected normalisation .*"),
        ({"nodes": row(merge="max")}, "expected merge to be one of sum, concat, got 'max'"),
        ({"nodes": row(start="ones")}, "expected start .* got 'ones'"),
        ({"nodes": row(marking="")}, "expected its marking"),
        ({"nodes": row(marking=7)}, "expected its marking"),
        ({"nodes": row(marking="input")}, "expected every marking once, `output` last and no `input`"),
        ({"nodes": row()[::-1]}, "expected every marking once, `output` last"),
        ({"nodes": row()[:1]}, "`output` last and no `input`, got aa"),
        ({"nodes": []}, "`output` last and no `input`, got none"),
        ({"nodes": [*row()[:1], *row()]}, "every marking once"),
        ({"nodes": [[*gene, 1] for gene in row()]}, "expected the nodes and edges of a dag genome"),
        ({"edges": [["input", "aa"]]}, r"node output \(head\): expected inputs that come before it, got none"),
        ({"edges": [["aa", "output"]]}, r"node aa \(conv\): expected inputs that come before it, got none"),
        ({"edges": [["input", "aa"], ["input", "output"]]}, "node aa: expected a reader, got none"),
        ({"edges": [["input", "aa"], ["aa", "aa"], ["aa", "output"]]}, "node aa .*come before it, got input, aa"),
        (
            {"edges": [["input", "aa"], ["output", "aa"], ["aa", "output"]]},
            "node aa .*come before it, got input, output",
        ),
        ({"edges": [*SOUND["edges"], ["aa", "output"]]}, "edge 'aa' to 'output': expected .* once"),
        ({"edges": [*SOUND["edges"], ["bb", "output"]]}, "edge 'bb' to 'output': expected two nodes"),
        ({"edges": [*SOUND["edges"], ["aa", "input"]]}, "edge 'aa' to 'input': expected two nodes"),
        ({"edges": [["input", "aa", "output"]]}, "edges: expected each to be a source and a target"),
        ({"edges": [[1, 2]]}, r"edges: expected each to be a source and a target, got \(1, 2\)"),
        ({"version": True}, "version 1, got 'dag' version True"),
    ],
)
def test_hostile_json_is_refused_in_one_line(damage: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as refusal:
        Dag().from_json({**SOUND, **damage})
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 300


def test_rows_in_another_order_make_the_same_genome() -> None:
    for before in POPULATIONS["image"]:
        edges = sorted(before.edges, key=lambda edge: (edge[1], before.inputs[edge[1]].index(edge[0])))
        assert checked(before.nodes, edges) == before


# The configuration


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"operations": ("conv", "convolve")}, r"operations: .*conv.*got \['convolve'\]; did you mean conv"),
        ({"operations": ()}, "operations: .*got none"),
        ({"activations": ("gelu",)}, r"activations: .*relu.*got \['gelu'\]"),
        ({"normalisations": ("layer",)}, r"normalisations: .*batch.*got \['layer'\]"),
        ({"merges": ("max",)}, r"merges: .*sum, concat, got \['max'\]"),
        ({"merges": ()}, "merges: .*got none"),
        ({"kernels": ()}, r"kernels: .*got \[\]"),
        ({"kernels": (1,)}, r"kernels: expected one of 3 or more, got \[1\]; add 3"),
        ({"kernels": (3, 4)}, r"kernels: .*odd number.*got \[3, 4\]"),
        ({"kernels": (3, 1001)}, r"kernels: .*got \[3, 1001\]"),
        ({"widths": (16, 8)}, r"widths: expected ascending.*\[16, 8\]; sort"),
        ({"widths": (8, 8)}, r"widths: .*each once"),
        ({"widths": (0, 8)}, r"widths: .*not 0, got \[0, 8\]"),
        ({"widths": (8.5,)}, r"widths: .*whole number.*got \[8\.5\]"),
        ({"widths": (10**9,)}, r"widths: .*got \[1000000000\]"),
        ({"strides": (0,)}, r"strides: .*got \[0\]"),
        ({"strides": (True,)}, r"strides: .*got \[True\]"),
        ({"min_nodes": 0}, r"min_nodes, max_sampled, max_nodes: .*got 0, 8, 32"),
        ({"min_nodes": 9}, r"min_nodes, max_sampled, max_nodes: .*got 9, 8, 32"),
        ({"max_nodes": 7}, r"min_nodes, max_sampled, max_nodes: .*got 2, 8, 7"),
        ({"max_nodes": 4_096}, "max_nodes: expected less than 4,096, got 4,096; lower it"),
        ({"input_shape": (3, 32)}, r"input_shape: .*\(channels, height, width\) or \(features,\), got \(3, 32\)"),
        ({"input_shape": ()}, r"input_shape: .*got \(\)"),
        ({"input_shape": (3, 0, 32)}, r"input_shape: .*got \(3, 0, 32\)"),
        (
            {"operations": ("conv",), "input_shape": (13,)},
            r"operations: expected linear and identity .*\(13,\), got conv",
        ),
        ({"mutations": {"split": 1}}, r"mutations: .*split_edge.*got \['split'\]"),
        ({"mutations": {"widen": -1}}, r"mutations: expected weights of 0 or more.*-1"),
        ({"mutations": {"widen": float("nan")}}, r"mutations: expected weights of 0 or more.*nan"),
        ({"mutations": {"widen": float("inf")}}, r"mutations: expected weights of 0 or more.*inf"),
        ({"mutations": dict.fromkeys(OPERATORS, 0)}, r"mutations: .*one of them above 0"),
    ],
)
def test_a_wrong_configuration_is_refused_in_one_line(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as refusal:
        Dag(**fields)
    assert "\n" not in str(refusal.value)


def test_a_task_whose_input_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="a vector has no height and width"):
        Dag(operations=("conv", "linear")).for_task((13,), 10)
    assert Dag().for_task((13,), 10).vocabulary == ("linear", "identity")
    assert Dag().for_task((13,), 10) == Dag(input_shape=(13,))
