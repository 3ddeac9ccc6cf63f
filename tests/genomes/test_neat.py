"""NEAT: its genes, how they are sampled, developed and learnt, and what its configuration refuses."""

import json
import pickle
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from genomes import Cppn, Neat, NeatGenome, read_genome
from genomes.encoding import uniform
from genomes.innovation import marking
from genomes.neat.genome import BIAS, Connection, Neuron, assembled, edge, input_ids, output_ids
from tests.genomes.neats import NAMES, evolved, genome, links, sampled

NEAT = Neat(n_inputs=3, n_outputs=1)


# Genes


def test_the_order_of_the_genes_does_not_matter() -> None:
    whole = genome("1x:1 2x:2 1a:3 ab:4! bx:5 +a:6")
    again = assembled(3, 1, whole.neurons[::-1], whole.connections[::-1])
    assert again == whole
    assert again.digest == whole.digest
    assert list(whole.markings) == sorted(whole.markings)
    assert whole.ids == (NAMES["x"], NAMES["a"], NAMES["b"])


def test_a_marking_is_what_made_the_gene() -> None:
    whole = genome("1x:1 ax:2 1a:1")
    assert set(whole.markings) == {marking("edge", NAMES[a], NAMES[b]) for a, b in ("1x", "ax", "1a")}
    assert len({BIAS, *input_ids(40), *output_ids(40)}) == 81


def test_the_digest_tells_every_column() -> None:
    whole = genome("1x:1 2a:2 ax:3")
    others = [genome("1x:1 2a:2 ax:3!"), genome("1x:1 2a:2.5 ax:3"), genome("1x:1 3a:2 ax:3")]
    others += [genome("1x:1 2a:2 ax:3", **{column: value}) for column, value in CHANGED.items()]
    assert len({one.digest for one in (whole, *others)}) == 1 + len(others)
    assert genome("1x:0").digest == genome("1x:-0.0").digest
    assert genome("1x:0") == genome("1x:-0.0")


CHANGED: dict[str, Any] = {"activation": "tanh", "aggregation": "max", "bias": 0.5, "response": 2.0}


def test_a_change_of_weights_shares_all_else() -> None:
    whole = evolved(NEAT, 0, 60)
    child = replace(NEAT, mutations=only("perturb_weights")).mutate(whole, rng=np.random.default_rng(0)).genome
    assert child.wiring is whole.wiring
    assert child.weights != whole.weights
    for column in ("activations", "aggregations", "biases", "responses", "enabled"):
        assert getattr(child, column) is getattr(whole, column)


def test_a_genome_is_pickled_without_what_is_derived() -> None:
    whole = evolved(NEAT, 0, 40)
    small = len(pickle.dumps(replace(whole)))
    NEAT.develop(whole), NEAT.distance(whole, whole), whole.digest
    assert len(pickle.dumps(whole)) == small
    assert pickle.loads(pickle.dumps(whole)) == whole


def only(*names: str, **weights: float) -> dict[str, float]:
    """Rates that allow these operators alone."""
    return dict.fromkeys(NEAT.mutation_weights, 0.0) | dict.fromkeys(names, 1.0) | weights


# Sampling


@pytest.mark.parametrize(
    ("options", "n_links"),
    [
        ({}, 8),
        ({"bias": "neuron"}, 6),
        ({"bias": "none"}, 6),
        ({"initial": "partial", "initial_fraction": 0.25}, 2),
        ({"initial": "partial", "initial_fraction": 0.0}, 1),
        ({"initial": "one"}, 4),
        ({"initial": "none"}, 0),
    ],
)
def test_a_sampled_genome_is_minimal(options: dict[str, Any], n_links: int) -> None:
    encoding = Neat(n_outputs=2, n_inputs=3, **options)
    found = [sampled(encoding, seed) for seed in range(20)]
    assert {len(one.markings) for one in found} == {n_links}
    assert {one.hidden for one in found} == {()}
    assert all(abs(weight) <= 1 for one in found for weight in one.weights)
    assert any(any(one.biases) for one in found) == (options.get("bias") == "neuron")
    n_wirings = len({one.wiring for one in found})
    assert n_wirings == 1 if options.get("initial", "full") in ("full", "none") else n_wirings > 1


def test_normal_weights_have_their_standard_deviation() -> None:
    encoding = Neat(n_inputs=1000, n_outputs=10, distribution="normal", weight_init=0.5, max_connections=20_000)
    assert np.std(sampled(encoding, 0).weights) == pytest.approx(0.5, rel=0.05)


def test_random_search_can_sample_hidden_neurons() -> None:
    encoding = Neat(n_inputs=3, n_outputs=2, max_sampled=4)
    sizes = Counter(len(sampled(encoding, seed).hidden) for seed in range(300))
    assert set(sizes) == {0, 1, 2, 3, 4}
    assert sizes[0] > sizes[2] > 0
    for seed in range(50):
        one = sampled(encoding, seed)
        assert encoding.from_json(encoding.to_json(one)) == one
    assert dict(Neat().decisions) == {}


# Development


def test_disabled_genes_are_left_out() -> None:
    graph = NEAT.develop(genome("1x:2 2a:3! ax:5"))
    assert (graph.n_inputs, graph.outputs) == (3, (3,))
    assert graph.ids == (NAMES["x"], NAMES["a"])
    got = zip(graph.sources, graph.targets, graph.weights, graph.markings, strict=True)
    assert sorted(got) == [(0, 3, 2.0, edge(NAMES["1"], NAMES["x"])), (4, 3, 5.0, edge(NAMES["a"], NAMES["x"]))]


def test_the_bias_adds_its_weight_whatever_the_aggregation() -> None:
    for recurrent in (False, True):
        for aggregation in ("sum", "max"):
            whole = genome("1x:2 2x:-1 +x:0.25", activation="identity", aggregation=aggregation, bias=1.0, response=3.0)
            graph = Neat(n_inputs=3, n_outputs=1, recurrent=recurrent).develop(whole)
            given = [[1.0, 5.0, 0.0]]
            found = graph.step(given)[0] if recurrent else graph.run(given)
            assert found[0, 0] == 1.25 + 3 * (-3 if aggregation == "sum" else 2)
    assert NEAT.develop(genome("1x:2 +x:0.25!")).biases == (0.0,)


def test_a_hidden_way_is_what_it_computes() -> None:
    graph = NEAT.develop(genome("1a:1 2a:-2 ax:3 1x:1", activation="identity"))
    assert graph.run([[1.0, 2.0, 9.0]])[0, 0] == 3 * (1 - 4) + 1


def test_what_is_learnt_is_written_to_the_bias_that_is_there() -> None:
    whole = genome("1a:1 +a:2 ax:3 +x:4!", bias=0.5)
    learnt = NEAT.learn(whole, {NAMES["a"]: 5.0, NAMES["x"]: 7.0, edge(NAMES["1"], NAMES["a"]): -1.0})
    assert links(learnt) == {"1a": (-1.0, True), "+a": (4.5, True), "ax": (3.0, True), "+x": (4.0, False)}
    assert learnt.biases == (7.0, 0.5)
    graph = NEAT.develop(learnt)
    assert dict(zip(graph.ids, graph.biases, strict=True)) == {NAMES["a"]: 5.0, NAMES["x"]: 7.0}


# The configuration


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"activations": ()}, "activations: expected some of .* got none"),
        ({"activations": ("tanh", "nope")}, r"activations: expected some of .* got \['nope'\]"),
        ({"output_activations": ("tanh", "tanh")}, "output_activations: expected .* each once"),
        ({"aggregations": ("median",)}, "aggregations: expected some of sum, product"),
        ({"bias": "yes"}, "bias: expected one of input, neuron, both, none, got 'yes'"),
        ({"initial": "some"}, "initial: expected one of full"),
        ({"distribution": "cauchy"}, "distribution: expected one of uniform, normal"),
        ({"replace_rate": 1.5}, "replace_rate: expected a number from 0 to 1, got 1.5"),
        ({"perturb_rate": 0.0}, "perturb_rate: expected a number more than 0 and at most 1"),
        ({"weight_power": float("nan")}, "weight_power: expected a number more than 0"),
        ({"n_inputs": 0}, "n_inputs: expected a number from 1"),
        ({"max_sampled": 9, "max_nodes": 8}, "max_sampled: expected a number from 0 to 8, got 9"),
        ({"mutations": {"add_nodes": 1.0}}, r"mutations: expected some of add_node, .* got \['add_nodes'\]"),
    ],
)
def test_a_wrong_choice_is_refused(options: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        Neat(**options)


def test_the_task_says_how_many_inputs_and_outputs() -> None:
    assert Neat().for_task((1, 4, 5), 3) == Neat(n_inputs=20, n_outputs=3)
    with pytest.raises(ValueError, match="n_outputs: expected 3, as the task has, got 2; remove it"):
        Neat(n_outputs=2).for_task((4,), 3)
    with pytest.raises(ValueError, match="n_outputs: expected the number of outputs, got none"):
        Neat().sample(uniform(np.random.default_rng(0)), rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="initial: expected at most 100 initial connections, got 101"):
        sampled(Neat(n_inputs=100, n_outputs=1, max_connections=100), 0)


def test_a_cppn_is_neat_over_other_functions() -> None:
    encoding = Cppn().for_task((6,), 2)
    assert (encoding.n_inputs, encoding.n_outputs) == (6, 2)
    found: Counter[str] = Counter()
    for seed in range(60):
        one = evolved(replace(encoding, mutations=only("add_node")), seed, 4)
        assert one.activations[:2] == ("tanh", "tanh")
        found.update(one.activations[2:])
    assert set(found) == set(encoding.activations)
    assert max(found.values()) < 3 * min(found.values())
    with pytest.raises(ValueError, match="expected a neat genome of version 1, got 'cppn' version 1"):
        NEAT.from_json(encoding.to_json(sampled(encoding, 0)))


# Text from outside


def hostile(change: Any) -> str:
    data = NEAT.to_json(genome("1x:1 2a:2 ax:3"))
    change(data)
    return json.dumps(data)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda data: data["neurons"]["ids"].append(NAMES["b"]), "neurons: expected columns of equal length"),
        (lambda data: data["neurons"]["ids"].__setitem__(1, NAMES["x"]), "every id once"),
        (lambda data: data["neurons"]["ids"].__setitem__(1, NAMES["1"]), "every id once"),
        (lambda data: data["neurons"]["ids"].__setitem__(1, BIAS), "every id once"),
        (lambda data: data["neurons"]["ids"].__setitem__(0, NAMES["b"]), "expected the outputs first"),
        (lambda data: data["neurons"]["ids"].__setitem__(1, "A" * 16), "an id of 16 hexadecimal digits"),
        (lambda data: data["neurons"]["ids"].__setitem__(1, "1\n" * 8), "an id of 16 hexadecimal digits"),
        (lambda data: data["connections"]["sources"].__setitem__(slice(None), [4, 4, 0]), "expected"),
        (lambda data: data["connections"]["targets"].__setitem__(slice(None), [0, 3, 3]), "a target from 3 to 4"),
        (lambda data: data["connections"].update(sources=[1, 1, 4], targets=[3, 3, 3]), "one between two neurons"),
        (lambda data: data["connections"].update(sources=[1, 0, 2], targets=[3, 3, 3]), "expected a connection"),
        (lambda data: data["connections"].update(sources=[1, 4, 4], targets=[4, 4, 3]), "expected no cycle"),
        (lambda data: data["connections"]["weights"].__setitem__(0, 1e13), "expected a number from -1e\\+12"),
        (lambda data: data.update(inputs=10**6), "inputs: expected a whole number from 1 to 65,536"),
        (lambda data: data["connections"].update(weights=[0] * 65_537), "at most 65,536, got 65,537"),
        (lambda data: data["neurons"].update(ids=["x"] * 16_385), "at most 16,384, got 16,385"),
    ],
)
def test_hostile_genomes(change: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=expected) as refusal:
        read_genome(NEAT, hostile(change))
    assert "\n" not in str(refusal.value)


def test_a_cycle_is_read_where_it_is_allowed() -> None:
    looped = genome("1a:1 aa:2 ax:3")
    recurrent = replace(NEAT, recurrent=True)
    assert read_genome(recurrent, json.dumps(recurrent.to_json(looped))) == looped
    with pytest.raises(ValueError, match="make it recurrent"):
        NEAT.from_json(NEAT.to_json(looped))


def test_the_largest_genomes_that_evolution_may_reach_are_read() -> None:
    encoding = Neat(n_inputs=1, n_outputs=8_192, max_nodes=8_192, max_connections=65_536)
    pairs = [(a, b) for a in range(256) for b in range(a + 1, min(256, a + 258))][:5_000]
    names = [f"{at:016x}" for at in range(1, 8_193)]
    rows = [(names[a], names[b], 0.12345678901234567) for a, b in pairs]
    rows += [(input_ids(1)[0], name, 1.0) for name in (*names, *output_ids(8_192))]
    data = encoding.to_json(built(rows, names))
    text = json.dumps(data)
    assert encoding.to_json(read_genome(encoding, text)) == data


def built(rows: list[tuple[str, str, float]], hidden: list[str]) -> NeatGenome:
    neurons = [Neuron(name, "tanh", "sum") for name in (*output_ids(8_192), *hidden)]
    return assembled(1, 8_192, neurons, [Connection(*row) for row in rows])


@pytest.mark.parametrize(("n_inputs", "n_outputs", "got"), [(2, 1, "2 and 1"), (3, 2, "3 and 2")])
def test_a_genome_of_another_size_is_refused_where_the_task_is_known(n_inputs: int, n_outputs: int, got: str) -> None:
    other = Neat().for_task((n_inputs,), n_outputs)
    text = json.dumps(other.to_json(sampled(other, 0)))
    expected = f"^inputs and outputs: expected 3 and 1, got {got}; use the encoding that wrote it$"
    with pytest.raises(ValueError, match=expected):
        read_genome(Neat().for_task((3,), 1), text)
    assert read_genome(Neat(), text) == sampled(other, 0)
