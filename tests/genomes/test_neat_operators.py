"""NEAT's mutation and crossover, against what the paper says of them."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from genomes import Cppn, Neat, NeatGenome
from genomes.encoding import Variation
from genomes.innovation import marking
from genomes.neat.genome import edge
from genomes.neat.operators import OPERATORS
from tests.genomes.neats import NAMES, evolved, genome, links, sampled

NEAT = Neat(n_inputs=3, n_outputs=1)
RECURRENT = Neat(n_inputs=3, n_outputs=1, recurrent=True)


def applied(name: str, encoding: Neat, parent: NeatGenome, seed: int = 0) -> Variation[NeatGenome] | None:
    return OPERATORS[name](encoding, parent, np.random.default_rng(seed))


def varied(name: str, encoding: Neat, parent: NeatGenome, n: int = 200) -> list[Variation[NeatGenome]]:
    return [found for seed in range(n) if (found := applied(name, encoding, parent, seed)) is not None]


# Nodes


def test_a_new_node_takes_the_place_of_a_connection() -> None:
    parent = genome("1x:0.5 2x:-3! +x:1")
    found = applied("add_node", NEAT, parent)
    assert found is not None
    (name,) = found.genome.hidden
    old = edge(NAMES["1"], NAMES["x"])
    assert name == marking("split", old, 0)
    assert links(found.genome) == {
        "1x": (0.5, False),
        "1?": (1.0, True),
        "?x": (0.5, True),
        "2x": (-3.0, False),
        "+x": (1.0, True),
    }
    assert set(found.touched) == {name, edge(NAMES["1"], name), edge(name, NAMES["x"]), old}


def test_the_same_split_has_the_same_marking_in_every_lineage_and_another_the_second_time() -> None:
    parent = genome("1x:0.5")
    first, again = applied("add_node", NEAT, parent, 0), applied("add_node", NEAT, genome("1x:-7"), 5)
    assert first is not None
    assert again is not None
    assert first.genome.hidden == again.genome.hidden
    restored = replace(first.genome, enabled=(True,) * 3)
    names = {one.genome.hidden for one in varied("add_node", NEAT, restored)}
    old = edge(NAMES["1"], NAMES["x"])
    assert any(marking("split", old, 1) in hidden for hidden in names)


def test_only_enabled_connections_that_are_not_from_the_bias_are_split() -> None:
    assert varied("add_node", NEAT, genome("1x:1! +x:1")) == []
    split = Counter(
        name
        for one in varied("add_node", NEAT, genome("1x:1 2x:1 3x:1! +x:1"))
        for name, (_, enabled) in links(one.genome).items()
        if not enabled
    )
    assert split["3x"] == 200
    assert set(split) == {"1x", "2x", "3x"}
    assert min(split.values()) > 60


@pytest.mark.parametrize("encoding", [Neat, Cppn])
def test_a_neutral_node_changes_nothing_that_is_computed(encoding: Any) -> None:
    words = {"aggregations": ("sum", "product", "mean", "max")}
    inputs = np.random.default_rng(0).normal(size=(20, 3))
    for options in ({}, words):
        config = encoding(n_inputs=3, n_outputs=2, neutral=True, **options)
        for seed in range(40):
            parent = evolved(config, seed, 25)
            before = config.develop(parent).run(inputs)
            for one in varied("add_node", config, parent, 5):
                assert len(one.genome.ids) == len(parent.ids) + 1
                np.testing.assert_allclose(config.develop(one.genome).run(inputs), before, rtol=0, atol=1e-9)


def test_a_node_goes_with_its_connections_and_with_those_that_hang_on_it() -> None:
    parent = genome("1a:1 ab:2 bx:3 +a:4 2x:5 +b:6")
    found = {frozenset(links(one.genome)) for one in varied("remove_node", NEAT, parent)}
    assert found == {frozenset({"bx", "2x", "+b"}), frozenset({"1a", "+a", "2x"})}
    alone = {frozenset(links(one.genome)) for one in varied("remove_node", NEAT, genome("1a:1 ab:2 2x:5"))}
    assert alone == {frozenset({"2x"}), frozenset({"1a", "2x"})}
    assert applied("remove_node", NEAT, genome("1x:1")) is None


# Connections


def test_a_connection_goes_and_a_hidden_neuron_with_its_last() -> None:
    parent = genome("1a:1 2x:5")
    found = {one.genome.ids: set(links(one.genome)) for one in varied("remove_connection", NEAT, parent)}
    assert found == {(NAMES["x"],): {"2x"}, (NAMES["x"], NAMES["a"]): {"1a"}}
    removed = {frozenset(one.touched) for one in varied("remove_connection", NEAT, parent)}
    assert removed == {frozenset({NAMES["a"], edge(NAMES["1"], NAMES["a"])}), frozenset({edge(NAMES["2"], NAMES["x"])})}


def new_links(encoding: Neat, parent: NeatGenome, n: int = 400) -> Counter[str]:
    found = varied("add_connection", encoding, parent, n)
    return Counter(name for one in found for name in links(one.genome).keys() - links(parent).keys())


def test_a_new_connection_closes_no_cycle_where_none_is_allowed() -> None:
    # Disabled connections count: one day they may be enabled.
    parent = genome("1a:1 ab:1! bx:1")
    assert set(new_links(NEAT, parent)) == {"2a", "3a", "1b", "2b", "3b", "+a", "+b", "+x", "1x", "2x", "3x", "ax"}
    assert set(new_links(replace(NEAT, bias="neuron"), parent)).isdisjoint({"+a", "+b", "+x"})


def test_cycles_are_closed_as_often_as_is_asked_for() -> None:
    parent = genome("1a:1 ab:1 bx:1")
    closing = {"aa", "bb", "xx", "ba", "xa", "xb"}
    found = new_links(RECURRENT, parent, 1000)
    assert closing <= set(found)
    assert sum(found[name] for name in closing) == pytest.approx(200, abs=60)
    assert set(new_links(replace(RECURRENT, recurrent_rate=0.0), parent)).isdisjoint(closing)
    assert set(new_links(replace(RECURRENT, recurrent_rate=1.0), parent)) == closing


def test_a_full_network_gets_no_connection() -> None:
    assert varied("add_connection", NEAT, genome("1x:1 2x:1 3x:1 +x:1!")) == []


def test_the_caps_hold() -> None:
    parent = genome("1a:1 ax:1 2x:1")
    for options in ({"max_nodes": 1}, {"max_connections": 4}):
        assert varied("add_node", replace(NEAT, **options), parent) == []
    assert varied("add_connection", replace(NEAT, max_connections=3), parent) == []
    assert len(varied("add_node", replace(NEAT, max_nodes=2, max_connections=5), parent)) == 200


def test_a_connection_is_toggled() -> None:
    parent = genome("1x:1 2x:2!")
    found = {tuple(sorted(links(one.genome).items())) for one in varied("toggle_connection", NEAT, parent)}
    assert found == {
        (("1x", (1.0, False)), ("2x", (2.0, False))),
        (("1x", (1.0, True)), ("2x", (2.0, True))),
    }


# Values


def test_weights_are_perturbed_or_replaced_as_often_as_is_asked_for() -> None:
    config = Neat(n_inputs=500, n_outputs=20, bias="none", weight_init=0.001, weight_power=2.5, replace_rate=0.1)
    parent = replace(sampled(config, 0), weights=(10.0,) * 10_000)
    child = applied("perturb_weights", config, parent)
    assert child is not None
    weights = np.array(child.genome.weights)
    fresh = np.abs(weights) <= 0.001
    assert fresh.mean() == pytest.approx(0.1, abs=0.015)
    steps = weights[~fresh] - 10
    assert np.abs(steps).max() == pytest.approx(2.5, rel=0.01)
    assert steps.std() == pytest.approx(2.5 / np.sqrt(3), rel=0.03)
    assert abs(steps.mean()) < 0.05
    some = applied("perturb_weights", replace(config, perturb_rate=0.3), parent)
    assert some is not None
    changed = np.array(some.genome.weights) != 10
    assert changed.mean() == pytest.approx(0.3, abs=0.02)
    assert (np.abs(np.array(some.genome.weights)[changed]) <= 0.001).mean() == pytest.approx(0.1, abs=0.03)
    assert set(some.touched) == {name for name, one in zip(parent.markings, changed, strict=True) if one}


@pytest.mark.parametrize("options", [{}, {"perturb_rate": 0.4}, {"distribution": "normal", "limit": 1.0}])
def test_few_values_and_many_change_alike(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    config = Neat(n_inputs=40, n_outputs=1, mutations={"perturb_responses": 1.0}, **options)
    parent = sampled(config, 0)
    found = []
    for many in (0, 1_000):
        monkeypatch.setattr("genomes.neat.operators.MANY", many)
        found.append([applied(name, config, parent, 7) for name in ("perturb_weights", "perturb_responses")])
    assert found[0] == found[1]


def test_normal_steps_have_their_standard_deviation() -> None:
    config = Neat(n_inputs=500, n_outputs=20, bias="none", distribution="normal", weight_power=0.7, replace_rate=0.0)
    parent = sampled(config, 0)
    child = applied("perturb_weights", config, parent)
    assert child is not None
    assert np.std(np.subtract(child.genome.weights, parent.weights)) == pytest.approx(0.7, rel=0.03)


def test_no_value_gets_beyond_the_limit() -> None:
    config = Neat(
        n_inputs=3,
        n_outputs=1,
        weight_init=0.5,
        bias_init=0.5,
        limit=0.8,
        bias="both",
        mutations={"perturb_responses": 0.2},
    )
    one = evolved(config, 0, 300)
    for column in (one.weights, one.biases, one.responses):
        assert max(map(abs, column)) <= 0.8 or column == (1.0,) * len(column)
    assert 0.8 in map(abs, one.weights)


def test_no_first_value_is_beyond_the_limit() -> None:
    found = sampled(Neat(n_inputs=200, n_outputs=1, distribution="normal", limit=1.0), 0).weights
    assert max(map(abs, found)) == 1.0


def test_biases_change_where_neurons_have_their_own() -> None:
    parent = genome("1x:1 2a:1 ax:1")
    assert applied("perturb_biases", NEAT, parent) is None
    found = applied("perturb_biases", replace(NEAT, bias="neuron"), parent)
    assert found is not None
    assert 0 not in found.genome.biases
    assert set(found.touched) == set(parent.ids)
    assert found.genome.weights is parent.weights


def test_responses_stay_near_one() -> None:
    found = varied("perturb_responses", NEAT, genome("1x:1 2a:1 ax:1"), 300)
    values = np.array([one.genome.responses for one in found])
    assert values.mean() == pytest.approx(1, abs=0.01)
    assert np.abs(values - 1).max() <= 0.1
    assert values.std() > 0.05


def test_words_change_to_others_of_their_kind() -> None:
    config = replace(
        NEAT, activations=("tanh", "sine"), output_activations=("steep_sigmoid", "abs"), aggregations=("sum", "max")
    )
    parent = genome("1a:1 ax:1")
    assert {one.genome.activations for one in varied("change_activation", config, parent)} == {
        ("abs", "steep_sigmoid"),
        ("steep_sigmoid", "tanh"),
        ("steep_sigmoid", "sine"),
    }
    assert {one.genome.aggregations for one in varied("change_aggregation", config, parent)} == {
        ("max", "sum"),
        ("sum", "max"),
    }
    assert varied("change_activation", NEAT, parent) == varied("change_aggregation", NEAT, parent) == []


def test_operators_are_drawn_by_their_rates() -> None:
    parent = genome("1a:1 ax:1 2x:1")
    found = Counter(NEAT.mutate(parent, rng=np.random.default_rng(seed)).operator for seed in range(4000))
    total = 0.03 + 0.05 + 0.8 + 0.01
    assert found["add_node"] / 4000 == pytest.approx(0.03 / total, abs=0.01)
    assert found["add_connection"] / 4000 == pytest.approx(0.05 / total, abs=0.015)
    assert found["perturb_weights"] / 4000 == pytest.approx(0.8 / total, abs=0.02)
    assert set(found) == {"add_node", "add_connection", "perturb_weights", "toggle_connection"}
    removing = replace(NEAT, mutations=dict.fromkeys(OPERATORS, 0.0) | {"remove_node": 1.0})
    with pytest.raises(ValueError, match="expected one of remove_node to fit it, none does; allow others"):
        removing.mutate(genome("1x:1"), rng=np.random.default_rng(0))


# Crossover


def children(config: Neat, a: NeatGenome, b: NeatGenome, n: int = 400) -> list[dict[str, tuple[float, bool]]]:
    return [links(config.crossover(a, b, rng=np.random.default_rng(seed)).genome) for seed in range(n)]


def test_matching_genes_come_from_either_and_the_others_from_the_fitter() -> None:
    a, b = genome("1x:1 2x:2 1a:3 ax:4"), genome("1x:-1 2x:-2 1b:-3 bx:-4 3x:-5")
    found = Counter((one["1x"][0], one["2x"][0]) for one in children(NEAT, a, b))
    assert set(found) == {(1, 2), (1, -2), (-1, 2), (-1, -2)}
    assert min(found.values()) > 60
    assert all(one.keys() == links(a).keys() for one in children(NEAT, a, b))
    assert all((one["1a"], one["ax"]) == ((3, True), (4, True)) for one in children(NEAT, a, b))


def test_averaging_takes_the_mean_as_often_as_is_asked_for() -> None:
    a, b = genome("1x:1 2x:2 3x:7"), genome("1x:3 2x:6")
    always = children(replace(NEAT, average_rate=1.0), a, b)
    assert all(one == {"1x": (2, True), "2x": (4, True), "3x": (7, True)} for one in always)
    sometimes = children(replace(NEAT, average_rate=0.4), a, b)
    assert sum(one["1x"][0] == 2 for one in sometimes) == pytest.approx(160, abs=40)


def test_a_gene_disabled_in_either_is_mostly_disabled() -> None:
    a, b = genome("1x:1! 2x:2 1a:3! ax:4 3x:1!"), genome("1x:1 2x:2! 3x:2! ax:5")
    found = children(NEAT, a, b)
    for name in ("1x", "2x", "3x"):
        assert sum(not one[name][1] for one in found) == pytest.approx(300, abs=40)
    assert all(one["ax"][1] and not one["1a"][1] for one in found)
    never = children(replace(NEAT, disabled_rate=0.0), a, b)
    assert all(one["1x"][1] and one["2x"][1] for one in never)


def test_neurons_are_inherited_whole() -> None:
    a = genome("1a:1 ax:1", activation="tanh", bias=1.0, response=2.0)
    b = genome("1a:1 ax:1 2b:1", activation="sine", bias=3.0, response=4.0)
    rows = [NEAT.crossover(a, b, rng=np.random.default_rng(seed)).genome.neurons for seed in range(100)]
    assert {(row.activation, row.bias, row.response) for neurons in rows for row in neurons} == {
        ("tanh", 1.0, 2.0),
        ("sine", 3.0, 4.0),
    }
    assert len({neurons for neurons in rows}) == 4


def test_a_crossover_says_what_it_touched() -> None:
    for seed in range(40):
        config = Neat(n_inputs=3, n_outputs=2, bias="both")
        a, b = evolved(config, seed, 30), evolved(config, seed + 1, 30)
        child = config.crossover(a, b, rng=np.random.default_rng(seed))
        before, after = links(a), links(child.genome)
        names = zip(a.markings, links_in_order(a), links_in_order(child.genome), strict=True)
        changed = {name for name, old, new in names if old != new}
        rows = zip(a.neurons, child.genome.neurons, strict=True)
        changed |= {old.id for old, new in rows if old != new}
        changed |= {neuron for name, neuron in a.wiring.biased.items() if name in changed}
        assert set(child.touched) == changed
        assert before.keys() == after.keys()


def links_in_order(of: NeatGenome) -> list[tuple[float, bool]]:
    return list(zip(of.weights, of.enabled, strict=True))


# Ten thousand chains


@pytest.mark.parametrize("recurrent", [False, True])
def test_no_marking_is_there_twice_and_no_cycle_closes_over_thousands_of_chains(recurrent: bool) -> None:
    config = Neat(n_inputs=2, n_outputs=2, recurrent=recurrent, max_nodes=8, mutations=CHAIN)
    rng = np.random.default_rng(0)
    population = [sampled(config, seed) for seed in range(50)]
    cyclic = 0
    for step in range(5_000):
        first, second, gone = rng.integers(50, size=3).tolist()
        one = population[first]
        if step % 3 == 0:
            one = config.crossover(one, population[second], rng=rng).genome
        one = config.mutate(one, rng=rng).genome
        names = (*one.markings, *one.ids)
        assert len(set(names)) == len(names)
        assert list(one.markings) == sorted(one.markings)
        assert set(one.hidden) <= {*one.wiring.sources, *one.wiring.targets}
        cyclic += one.wiring.cyclic
        population[gone] = one
    assert bool(cyclic) == recurrent


CHAIN = {
    "add_node": 0.3,
    "add_connection": 0.5,
    "perturb_weights": 0.2,
    "toggle_connection": 0.2,
    "remove_node": 0.1,
    "remove_connection": 0.2,
}
