"""Weights from parents to child."""

from typing import Any

import numpy as np
import pytest
import torch

from evonas.network import Donor, Inheritance, Network, inherit
from genomes import Dag, Encoding
from genomes.architecture import Architecture
from genomes.dag import operators
from genomes.encoding import WEIGHTED
from tests.contracts.test_encodings import ENCODINGS, evolved, relatives
from tests.genomes import dags
from tests.network.nets import IMAGE, N_OUTPUTS, architecture, donor, inputs, network, node, parent, perturbed

CONFIGS = {**dags.CONFIGS, "image": Dag(input_shape=(3, 8, 8))}
LAYERED = [one for one in ENCODINGS if WEIGHTED not in one[1].abilities]
"""Those whose networks are left their parents' weights."""
IDS = [name for name, _, _ in LAYERED]


def born(
    phenotype: Architecture, *donors: Donor, shape: tuple[int, ...] = IMAGE
) -> tuple[dict[str, torch.Tensor], Inheritance]:
    """A child's tensors and what it was left."""
    made = Network(phenotype, shape, N_OUTPUTS)
    inheritance = inherit(made, donors, seed=0, individual=9)
    return dict(made.state_dict()), inheritance


# From oneself


@pytest.mark.parametrize(("_name", "encoding", "shape"), LAYERED, ids=IDS)
def test_inheriting_from_oneself_is_the_identity(_name: str, encoding: Encoding, shape: tuple[int, ...]) -> None:
    encoding = encoding.for_task(shape, 7)
    for seed in range(15):
        phenotype = encoding.develop(evolved(encoding, seed, n_steps=2 * seed))
        left = parent(phenotype, shape)
        state, inheritance = born(phenotype, left, shape=shape)
        assert state.keys() == left.tensors.keys()
        assert all(torch.equal(state[name], left.tensors[name]) for name in state)
        assert inheritance.fraction == 1.0
        assert inheritance.origins == dict.fromkeys(state, 1)


def test_a_donor_is_copied_not_shared() -> None:
    phenotype = architecture(node("a", "conv", "input"))
    left = parent(phenotype)
    state, _ = born(phenotype, left)
    before = left.tensors["a.conv/weight"].clone()
    state["a.conv/weight"].zero_()
    assert torch.equal(left.tensors["a.conv/weight"], before)


def test_without_donors_all_is_new() -> None:
    phenotype = architecture(node("a", "conv", "input", normalisation="batch"))
    state, inheritance = born(phenotype)
    assert inheritance.fraction == 0.0
    assert inheritance.origins == dict.fromkeys(state, 9)


# Functions that are kept


@pytest.mark.parametrize("operator", [operators.widen, operators.deepen])
@pytest.mark.parametrize("name", CONFIGS)
def test_widening_and_deepening_keep_the_function(name: str, operator: operators.Operator) -> None:
    """In float64, where rounding cannot hide a difference."""
    config, n_tried = CONFIGS[name], 0
    for seed in range(50):
        genome = dags.evolved(config, seed, seed % 17)
        variation = operator(config, genome, np.random.default_rng(seed))
        if variation is None:
            continue
        n_tried += 1
        before = perturbed(network(config.develop(genome), config.input_shape), seed)
        after = network(config.develop(variation.genome), config.input_shape, donors=[donor(before)], individual=9)
        x = inputs(config.input_shape).double()
        with torch.no_grad():
            expected, got = before.double()(x), after.double()(x)
        assert (got - expected).abs().max() <= 1e-9 * expected.abs().max()
    assert n_tried > 20


@pytest.mark.parametrize("operation", ["conv", "dilated", "separable"])
def test_a_larger_kernel_keeps_the_function(operation: str) -> None:
    left = perturbed(network(architecture(node("a", operation, "input"))))
    grown = network(architecture(node("a", operation, "input", kernel=7)), donors=[donor(left)])
    torch.testing.assert_close(grown(inputs()), left(inputs()))


# Every operator


def test_what_an_operator_leaves_alone_keeps_its_weights() -> None:
    """A tensor of the same name and axes is the donor's, whichever operator made the child."""
    kept: dict[str, list[float]] = {name: [] for name in operators.OPERATORS}
    for name, config in CONFIGS.items():
        for seed in range(4):
            genome = dags.evolved(config, seed, 4 * seed)
            left = parent(config.develop(genome), config.input_shape)
            for word, operator in operators.OPERATORS.items():
                variation = operator(config, genome, np.random.default_rng([seed, len(name)]))
                if variation is None:
                    continue
                phenotype = config.develop(variation.genome)
                state, inheritance = born(phenotype, left, shape=config.input_shape)
                kept[word].append(inheritance.fraction)
                for parameter in phenotype.parameters(config.input_shape, N_OUTPUTS):
                    theirs = left.described.get(parameter.name)
                    if theirs is not None and theirs.axes == parameter.axes:
                        assert torch.equal(state[parameter.name], left.tensors[parameter.name])
                        assert inheritance.origins[parameter.name] == left.individual
                    elif theirs is None:
                        assert inheritance.origins[parameter.name] == 9
    assert all(len(fractions) >= 3 and np.mean(fractions) > 0.3 for fractions in kept.values()), kept
    for word in ("change_stride", "change_activation"):
        assert set(kept[word]) == {1.0}


@pytest.mark.parametrize(("_name", "encoding", "shape"), LAYERED, ids=IDS)
def test_a_child_of_two_is_left_the_fitter_first(_name: str, encoding: Encoding, shape: tuple[int, ...]) -> None:
    encoding = encoding.for_task(shape, 7)
    a, b = sorted(relatives(encoding), key=lambda genome: len(encoding.develop(genome).nodes))
    donors = [parent(encoding.develop(genome), shape, individual=at, seed=at) for at, genome in ((1, a), (2, b))]
    seen = set()
    for seed in range(12):
        phenotype = encoding.develop(encoding.crossover(a, b, rng=np.random.default_rng(seed)).genome)
        state, inheritance = born(phenotype, *donors, shape=shape)
        for parameter in phenotype.parameters(shape, N_OUTPUTS):
            first, second = (one.described.get(parameter.name) for one in donors)
            if first is not None and first.axes == parameter.axes:
                whole = donors[0]
            elif first is None and second is not None and second.axes == parameter.axes:
                whole = donors[1]
            else:
                continue
            assert torch.equal(state[parameter.name], whole.tensors[parameter.name])
            assert inheritance.origins[parameter.name] == whole.individual
        seen |= set(inheritance.origins.values())
    assert seen >= {1, 2}


# Blocks


def test_a_larger_kernel_grows_around_its_centre() -> None:
    left = parent(architecture(node("a", "conv", "input", kernel=3)))
    state, _ = born(architecture(node("a", "conv", "input", kernel=7)), left)
    grown = state["a.conv/weight"]
    assert torch.equal(grown[:, :, 2:5, 2:5], left.tensors["a.conv/weight"])
    assert grown.count_nonzero() == left.tensors["a.conv/weight"].count_nonzero()


def test_a_smaller_kernel_keeps_its_centre() -> None:
    left = parent(architecture(node("a", "separable", "input", kernel=5)))
    state, _ = born(architecture(node("a", "separable", "input", kernel=3)), left)
    assert torch.equal(state["a.separable/depthwise"], left.tensors["a.separable/depthwise"][:, :, 1:4, 1:4])


def test_a_width_change_keeps_the_first_channels() -> None:
    def wide(width: int) -> Architecture:
        first = node("a", "conv", "input", width=width, normalisation="batch")
        return architecture(first, node("b", "conv", "a"))

    fresh, _ = born(wide(6))
    left = parent(wide(4))
    state, _ = born(wide(6), left)
    for role in ("weight", "scale", "shift", "mean", "variance"):
        name = f"a.conv/{role}"
        assert torch.equal(state[name][:4], left.tensors[name])
        assert torch.equal(state[name][4:], fresh[name][4:])
    assert torch.equal(state["b.conv/weight"][:, :4], left.tensors["b.conv/weight"])
    assert not state["b.conv/weight"][:, 4:].any()

    left = parent(wide(6))
    state, inheritance = born(wide(4), left)
    for role in ("weight", "scale", "shift", "mean", "variance"):
        assert torch.equal(state[f"a.conv/{role}"], left.tensors[f"a.conv/{role}"][:4])
    assert torch.equal(state["b.conv/weight"], left.tensors["b.conv/weight"][:, :4])
    assert inheritance.fraction == 1.0


def branches(order: str, **widths: int) -> Architecture:
    """Branches of these widths, concatenated in an order into a linear layer."""
    layers = [node(name, "conv", "input", width=width) for name, width in widths.items()]
    return architecture(*layers, node("z", "linear", order, merge="concat", width=6))


def test_a_concatenation_knows_whose_channels_it_reads() -> None:
    left = parent(branches("a b", a=2, b=3))
    a, b = left.tensors["z.linear/weight"].split([2, 3], 1)

    state, inheritance = born(branches("b a", a=2, b=3), left)
    assert torch.equal(state["z.linear/weight"], torch.cat([b, a], 1))
    assert inheritance.fraction == 1.0

    state, _ = born(branches("a new b", a=2, new=4, b=3), left)
    assert torch.equal(state["z.linear/weight"], torch.cat([a, torch.zeros(6, 4), b], 1))

    state, _ = born(branches("b", b=3), left)
    assert torch.equal(state["z.linear/weight"], b)

    state, _ = born(branches("b a", a=4, b=2), left)
    assert torch.equal(state["z.linear/weight"], torch.cat([b[:, :2], a, torch.zeros(6, 2)], 1))


def test_channels_that_arrive_twice_are_told_apart() -> None:
    def twice(order: str) -> Architecture:
        same = [node("a", "conv", "input", width=2), node("b", "max_pool", "a"), node("c", "avg_pool", "a")]
        return architecture(*same, node("z", "linear", order, merge="concat", width=6))

    left = parent(twice("a b c"))
    state, _ = born(twice("a b"), left)
    assert torch.equal(state["z.linear/weight"], left.tensors["z.linear/weight"][:, :4])


def test_a_sum_is_named_after_its_principal_input() -> None:
    def sums(order: str, **widths: int) -> Architecture:
        layers = [node(name, "conv", "input", width=width) for name, width in widths.items()]
        return architecture(*layers, node("z", "linear", order, width=6))

    left = parent(sums("a b", a=2, b=3))
    state, inheritance = born(sums("a c b", a=2, b=3, c=3), left)
    assert torch.equal(state["z.linear/weight"], left.tensors["z.linear/weight"])
    assert inheritance.origins["c.conv/weight"] == 9
    state, _ = born(sums("a", a=2), left)
    assert torch.equal(state["z.linear/weight"], left.tensors["z.linear/weight"][:, :2])


def test_an_inserted_identity_passes_names_on() -> None:
    """What reads a layer that began as the identity reads the channels of the layer before."""
    first, new = node("a", "conv", "input"), node("new", "conv", "a", width=0, start="identity")
    left = parent(architecture(first, node("z", "linear", "a")))
    state, _ = born(architecture(first, new, node("z", "linear", "new")), left)
    assert torch.equal(state["z.linear/weight"], left.tensors["z.linear/weight"])


def test_rows_of_which_nothing_was_left_are_not_zero() -> None:
    left = parent(branches("a", a=2))
    state, _ = born(branches("b", b=2), left)
    fresh, _ = born(branches("b", b=2))
    assert torch.equal(state["z.linear/weight"], fresh["z.linear/weight"])


def test_statistics_come_along() -> None:
    phenotype = architecture(node("a", "conv", "input", normalisation="batch"))
    left = parent(phenotype)
    state, _ = born(architecture(node("a", "conv", "input", normalisation="batch", kernel=5)), left)
    for role in ("mean", "variance"):
        assert torch.equal(state[f"a.conv/{role}"], left.tensors[f"a.conv/{role}"])
        assert (state[f"a.conv/{role}"] != float(role == "variance")).all()


def test_a_changed_operation_inherits_nothing() -> None:
    changed = architecture(node("a", "dilated", "input"))
    state, inheritance = born(changed, parent(architecture(node("a", "conv", "input"))))
    fresh, _ = born(changed)
    for role in ("weight", "bias"):
        assert torch.equal(state[f"a.dilated/{role}"], fresh[f"a.dilated/{role}"])
        assert inheritance.origins[f"a.dilated/{role}"] == 9
    n_head = 4 * N_OUTPUTS + N_OUTPUTS
    assert inheritance.fraction == n_head / (n_head + 4 * 3 * 9 + 4)


def test_the_second_donor_fills_in() -> None:
    first = parent(branches("a", a=2), individual=1, seed=1)
    second = parent(branches("a b", a=2, b=3), individual=2, seed=2)
    state, inheritance = born(branches("a b c", a=2, b=3, c=1), first, second)
    expected = [first.tensors["z.linear/weight"], second.tensors["z.linear/weight"][:, 2:], torch.zeros(6, 1)]
    assert torch.equal(state["z.linear/weight"], torch.cat(expected, 1))
    assert torch.equal(state["a.conv/weight"], first.tensors["a.conv/weight"])
    assert torch.equal(state["b.conv/weight"], second.tensors["b.conv/weight"])
    origins = {name: inheritance.origins[f"{name}/weight"] for name in ("a.conv", "b.conv", "c.conv", "z.linear")}
    assert origins == {"a.conv": 1, "b.conv": 2, "c.conv": 9, "z.linear": 2}


def test_the_part_inherited_counts_trainable_values() -> None:
    def wide(width: int) -> Architecture:
        return architecture(node("a", "conv", "input", width=width, normalisation="batch"))

    _, inheritance = born(wide(3), parent(wide(2), (1, 8, 8)), shape=(1, 8, 8))
    left = {"weight": 2 * 9, "scale": 2, "shift": 2, "head weight": 5 * 2, "head bias": 5}
    total = {"weight": 3 * 9, "scale": 3, "shift": 3, "head weight": 5 * 3, "head bias": 5}
    assert inheritance.fraction == sum(left.values()) / sum(total.values())


def test_an_inherited_branch_from_zero_goes_on_learning() -> None:
    """A zero branch that inherits its zeros, as a child does whose parent was never trained."""
    zero: Any = {"start": "zero", "activation": "relu"}
    phenotype = architecture(node("a", "conv", "input"), node("b", "conv", "input", **zero), reads="a b")
    left = donor(network(phenotype))
    made = network(phenotype, donors=[left]).train()
    made(inputs()).square().sum().backward()
    assert made.get_parameter("b.conv/weight").grad.any()  # type: ignore[union-attr]


def test_a_dag_of_the_defaults_is_kept_for_the_most_part() -> None:
    config = Dag(input_shape=(1, 8, 8))
    fractions = []
    for seed in range(60):
        genome = dags.evolved(config, seed, seed % 10)
        child = config.mutate(genome, rng=np.random.default_rng(seed)).genome
        left = parent(config.develop(genome), config.input_shape)
        fractions.append(born(config.develop(child), left, shape=config.input_shape)[1].fraction)
    assert np.median(fractions) > 0.9
