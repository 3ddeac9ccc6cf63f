"""All children at once are distributed as those made one by one."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from genomes import Cppn, Neat, NeatGenome
from genomes.encoding import Birth, uniform

RICH = Neat(
    n_inputs=3,
    n_outputs=2,
    activations=("tanh", "sine", "relu"),
    output_activations=("tanh", "sigmoid"),
    aggregations=("sum", "max"),
    bias="both",
    average_rate=0.3,
    perturb_rate=0.6,
    mutations={"add_node": 0.3, "add_connection": 0.3, "perturb_responses": 0.4, "remove_node": 0.1},
)
PLAIN = Neat(n_inputs=3, n_outputs=2)
OTHERS = ("add_node", "add_connection", "perturb_biases", "toggle_connection")
CONFIGS = [RICH, PLAIN, Cppn(n_inputs=3, n_outputs=2)]


def evolved(config: Neat | Cppn, seed: int, n_steps: int) -> NeatGenome:
    rng = np.random.default_rng(seed)
    genome = config.sample(uniform(rng), rng=rng)
    for _ in range(n_steps):
        genome = config.mutate(genome, rng=rng).genome
    return genome


def couple(config: Neat | Cppn, seed: int) -> tuple[NeatGenome, NeatGenome]:
    """Two descendants of one genome, with genes of their own."""
    rng = np.random.default_rng(seed)
    parent = evolved(config, seed, 20)
    a, b = parent, parent
    for _ in range(25):
        a, b = config.mutate(a, rng=rng).genome, config.mutate(b, rng=rng).genome
    return a, b


@pytest.mark.parametrize("config", CONFIGS)
def test_crossed_children_have_the_wiring_of_the_fitter_and_values_of_either(config: Neat | Cppn) -> None:
    config = replace(config, average_rate=0.0)
    couples = [couple(config, seed) for seed in range(8)]
    births = [Birth(parents, False) for parents in couples for _ in range(20)]
    for birth, (child, operator) in zip(births, config.vary(births, rng=np.random.default_rng(0)), strict=True):
        a, b = birth.parents
        assert operator == "crossover"
        assert child.wiring is a.wiring
        for at, name in enumerate(a.markings):
            other = b.wiring.at.get(name)
            assert child.weights[at] in {a.weights[at], a.weights[at] if other is None else b.weights[other]}
            if other is None or (a.enabled[at] and b.enabled[other]):
                assert child.enabled[at] is a.enabled[at]
        theirs = {neuron.id: neuron for neuron in b.neurons}
        for mine, ours in zip(child.neurons, a.neurons, strict=True):
            assert mine in {ours, theirs.get(mine.id, ours)}
        assert all(type(one) is float for one in child.weights)


@pytest.mark.parametrize("config", CONFIGS)
def test_columns_that_an_operator_leaves_are_shared(config: Neat | Cppn) -> None:
    genomes = [evolved(config, seed, 15) for seed in range(100)]
    made = config.vary([Birth((one,)) for one in genomes], rng=np.random.default_rng(1))
    seen = {operator for _, operator in made}
    assert {"perturb_weights", "add_node", "add_connection"} <= seen
    for parent, (child, operator) in zip(genomes, made, strict=True):
        if operator == "perturb_weights":
            for name in ("wiring", "activations", "aggregations", "biases", "responses", "enabled"):
                assert getattr(child, name) is getattr(parent, name)
            assert child.weights != parent.weights
            assert max(map(abs, child.weights)) <= config.limit


@pytest.mark.parametrize("config", CONFIGS)
def test_children_are_distributed_as_those_made_one_by_one(config: Neat | Cppn) -> None:
    a, b = couple(config, 3)
    n = 3000
    births = [Birth((a, b), True)] * n + [Birth((a,))] * n + [Birth((a, b), False)] * n
    many = config.vary(births, rng=np.random.default_rng(5))
    rng = np.random.default_rng(6)
    single = []
    for parents, mutated in births:
        one = config.mutate(a, rng=rng) if len(parents) == 1 else config.crossover(a, b, rng=rng)
        operator = one.operator
        if len(parents) == 2 and mutated:
            one = config.mutate(one.genome, rng=rng)
            operator = f"{operator}+{one.operator}"
        single.append((one.genome, operator))
    for start in (0, n, 2 * n):
        ours, theirs = many[start : start + n], single[start : start + n]
        counts = [Counter(operator for _, operator in some) for some in (ours, theirs)]
        for operator in counts[0] | counts[1]:
            p = (counts[0][operator] + counts[1][operator]) / (2 * n)
            assert abs(counts[0][operator] - counts[1][operator]) < 4.5 * np.sqrt(2 * n * p * (1 - p) + 1)
        for name in ("weights", "biases", "responses", "enabled"):
            columns = [
                np.array([getattr(child, name) for child, _ in some if child.wiring == a.wiring], float)
                for some in (ours, theirs)
            ]
            old = np.array(getattr(a, name), float)
            for x, y in (columns, map(np.square, columns), [(one == old).astype(float) for one in columns]):
                error = np.sqrt(x.var(0) / len(x) + y.var(0) / len(y))
                assert (abs(x.mean(0) - y.mean(0)) < 4.5 * error + 2e-3).all(), name


def test_equal_parents_make_a_child_like_them() -> None:
    a = evolved(RICH, 2, 60)
    assert False in a.enabled
    made = RICH.vary([Birth((a, replace(a)), False)] * 20, rng=np.random.default_rng(0))
    assert made == [(a, "crossover")] * 20
    assert RICH.vary([], rng=np.random.default_rng(0)) == []


@pytest.mark.parametrize("weight", [0.5, 2.0, -2.0], ids=["inside", "on the upper limit", "on the lower limit"])
def test_a_move_changes_one_gene_at_least(weight: float) -> None:
    config = Neat(n_inputs=2, n_outputs=1, bias="none", perturb_rate=0.01, limit=2.0, mutations={"add_node": 0.2})
    genome = replace(evolved(config, 0, 0), weights=(weight, weight))
    assert len(genome.weights) == 2
    rng = np.random.default_rng(0)
    single = [(one.genome, one.operator) for one in (config.mutate(genome, rng=rng) for _ in range(1000))]
    for made in single, config.vary([Birth((genome,))] * 1000, rng=rng):
        counts = Counter(operator for _, operator in made)
        # By the weights .8, .2 and .01: toggling.
        assert counts["perturb_weights"] / 1000 == pytest.approx(0.8 / 1.01, abs=0.05)
        assert all(child.weights != genome.weights for child, operator in made if operator == "perturb_weights")
        changed = [sum(w != weight for w in child.weights) for child, operator in made if operator == "perturb_weights"]
        assert np.mean(changed) < 1.1


def test_whom_no_operator_fits_is_an_error_and_what_moved_nothing_gives_way() -> None:
    only = Neat(n_inputs=1, n_outputs=1, initial="none", bias="none", mutations=dict.fromkeys(OTHERS, 0.0))
    genome = evolved(only, 0, 0)
    with pytest.raises(ValueError, match="none does"):
        only.vary([Birth((genome,))], rng=np.random.default_rng(0))
    grows = replace(only, mutations={**dict.fromkeys(OTHERS, 0.0), "add_connection": 0.01})
    made = grows.vary([Birth((genome,))] * 50, rng=np.random.default_rng(0))
    assert {operator for _, operator in made} == {"add_connection"}
