"""What children of cells are left: the ids of the stack and the channels of blocks keep their weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from evonas.network import Donor, Inheritance, Network, inherit
from genomes import Cell
from genomes.cell import CellGenome
from genomes.encoding import uniform
from tests.network.nets import N_OUTPUTS, donor, inputs, network, parent

SHAPE = (3, 16, 16)
CONFIG = Cell(space="amoebanet", n=2, filters=8, n_reductions=1)
CONFIGS = {"nasnet": Cell(n=2, filters=8, n_reductions=1), "amoebanet": CONFIG, "darts": replace(CONFIG, space="darts")}


def sampled(config: Cell, seed: int) -> CellGenome:
    return config.sample(uniform(np.random.default_rng(seed)), rng=np.random.default_rng(seed))


def left_to(config: Cell, genome: CellGenome, *donors: Donor) -> tuple[Network, Inheritance]:
    made = Network(config.develop(genome), SHAPE, N_OUTPUTS)
    return made, inherit(made, donors, seed=0, individual=9)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_mutant_is_left_most_of_its_weights(name: str) -> None:
    """And all tensors whose node and axes it shares with its parent."""
    config, fractions = CONFIGS[name], []
    for seed in range(50):
        genome = sampled(config, seed)
        left = parent(config.develop(genome), SHAPE)
        variation = config.mutate(genome, rng=np.random.default_rng(seed))
        made, inheritance = left_to(config, variation.genome, left)
        fractions.append(inheritance.fraction)
        assert (inheritance.fraction == 1.0) or variation.operator != "identity"
        state = made.state_dict()
        for key, parameter in made.described.items():
            theirs = left.described.get(key)
            if theirs is not None and theirs.axes == parameter.axes:
                assert torch.equal(state[key], left.tensors[key])
    print(f"{name}: {np.mean(fractions):.3f} of a mutant's values are left to it, at least {min(fractions):.3f}")
    assert np.mean(fractions) >= 0.8


@pytest.mark.parametrize("operator", ["change_hidden_state", "change_operation"])
def test_a_mutation_only_renews_the_tensors_it_touched(operator: str) -> None:
    """Those of the operation and what repairs it; an input, or a reader of a block's result, only where it is new."""
    config = replace(CONFIG, mutations={"identity": 0, operator: 1, **{o: 0 for o in OTHERS if o != operator}})
    for seed in range(30):
        genome = sampled(config, seed)
        left = parent(config.develop(genome), SHAPE)
        variation = config.mutate(genome, rng=np.random.default_rng(seed))
        assert variation.operator == operator
        made, inheritance = left_to(config, variation.genome, left)
        for key, parameter in made.described.items():
            theirs = left.described.get(key)
            gene = parameter.node.rpartition(":")[2]
            if theirs is None:
                continue
            is_input = "-input-" in gene or parameter.node == "output"
            if gene not in variation.touched and not is_input:
                assert theirs.axes == parameter.axes, key
            if inheritance.origins[key] == 9:
                assert gene in variation.touched, key


OTHERS = ("change_hidden_state", "change_operation", "change_combination")


@pytest.mark.parametrize("name", CONFIGS)
def test_an_identity_keeps_every_weight_and_the_function(name: str) -> None:
    others = dict.fromkeys(OTHERS, 0.0)
    config = replace(CONFIGS[name], mutations=others)
    genome = sampled(config, 0)
    before = network(config.develop(genome), SHAPE)
    variation = config.mutate(genome, rng=np.random.default_rng(0))
    made, inheritance = left_to(config, variation.genome, donor(before))
    assert (variation.operator, inheritance.fraction) == ("identity", 1.0)
    assert torch.equal(made.eval()(inputs(SHAPE)), before(inputs(SHAPE)))


def test_another_number_of_cells_keeps_the_weights_of_all_that_stay() -> None:
    """All of them but the inputs of cells behind a place that is new or gone, which read another cell."""
    for seed in range(5):
        genome = sampled(CONFIG, seed)
        for n, grown in ((1, 2), (2, 4), (4, 2)):
            left = parent(replace(CONFIG, n=n).develop(genome), SHAPE)
            made, inheritance = left_to(replace(CONFIG, n=grown), genome, left)
            state, n_kept = made.state_dict(), 0
            for key, parameter in made.described.items():
                if key in left.described and "-input-" not in parameter.node and parameter.node != "output":
                    assert torch.equal(state[key], left.tensors[key]), key
                    n_kept += 1
            assert n_kept > 20
            assert (inheritance.fraction > 0.9) == (grown < n)


def test_other_filters_keep_the_prefix() -> None:
    genome = sampled(CONFIG, 1)
    left = parent(CONFIG.develop(genome), SHAPE)
    for filters in (6, 12):
        made, inheritance = left_to(replace(CONFIG, filters=filters), genome, left)
        assert made.described.keys() == left.described.keys()
        for key, tensor in made.state_dict().items():
            parameter, theirs = made.described[key], left.described[key]
            if all(len(axis) == 1 for axis in parameter.axes):
                shared = tuple(map(slice, map(min, parameter.shape, theirs.shape)))
                assert torch.equal(tensor[shared], left.tensors[key][shared]), key
            assert inheritance.origins[key] == 1
        assert inheritance.fraction == 1.0 if filters == 6 else 0.3 < inheritance.fraction < 1.0


def test_a_child_of_two_takes_blocks_and_weights_of_both() -> None:
    for seed in range(5):
        a, b = sampled(CONFIG, 2 * seed), sampled(CONFIG, 2 * seed + 1)
        donors = [parent(CONFIG.develop(genome), SHAPE, individual=at, seed=at) for at, genome in ((1, a), (2, b))]
        child = CONFIG.crossover(a, b, rng=np.random.default_rng(seed)).genome
        assert child not in (a, b)
        _, inheritance = left_to(CONFIG, child, *donors)
        alone = [left_to(CONFIG, child, one)[1].fraction for one in donors]
        assert {1, 2} <= set(inheritance.origins.values())
        assert inheritance.fraction > max(alone)
