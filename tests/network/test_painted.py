"""Painted weights: what a network of them computes, in each mode, against a loop over connections."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from evonas.network import Network, inherit
from evonas.network.painted import PaintedPopulation
from genomes.architecture import Architecture
from genomes.hyperneat import Conv, HyperNeat
from genomes.neat.genome import NeatGenome
from genomes.operations import Shape
from tests.genomes.test_hyperneat import config, paints, sampled, weights_by_hand
from tests.network.nets import architecture, donor, node

CASES: list[tuple[Shape, int, dict[str, Any]]] = [
    ((1, 3, 3), 2, {"hidden": ((2, 2),)}),
    (
        (2, 5, 4),
        3,
        {"hidden": (Conv(3, 3, 2), Conv(2, 1), (3,), "same"), "leo": "on", "activation": "relu", "fan_in": True},
    ),
    ((9,), 9, {"inputs": "square", "outputs": "square", "biases": False, "fan_in": True}),
    ((4,), 2, {"hidden": ((3,), (2, 2)), "separate": True, "leo": "on", "threshold": 0.0}),
]
IDS = ["image", "convolutions", "square", "separate"]


def born(encoding: HyperNeat, genome: NeatGenome, individual: int = 1) -> Network:
    network = Network(encoding.develop(genome), encoding.input_shape, encoding.n_outputs or 0)
    inherit(network, [], seed=0, individual=individual)
    return network


def examples(shape: Shape, n: int = 6) -> torch.Tensor:
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_painting_equals_a_loop_over_connections(case: Any) -> None:
    shape, n_outputs, fields = case
    encoding = config(shape, n_outputs, **fields)
    for seed in range(4):
        genome = sampled(encoding, seed, 15)
        state = born(encoding, genome).state_dict()
        expected = {name.replace(" ", "."): weights_by_hand(paint) for name, paint in paints(encoding, genome).items()}
        assert set(state) == set(expected)
        for name, values in expected.items():
            np.testing.assert_allclose(
                state[name].flatten(1) if "weight" in name else state[name][:, None], values, atol=1e-6
            )


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_gradient_changes_no_output(case: Any) -> None:
    """What is painted through a CPPN at every step is what is painted once."""
    shape, n_outputs, fields = case
    genome = sampled(config(shape, n_outputs, **fields), 1, 15)
    outputs = [
        born(config(shape, n_outputs, mode=mode, **fields), genome)(examples(shape))
        for mode in ("evolved", "seeded", "through")
    ]
    assert outputs[0].std() > 0
    torch.testing.assert_close(outputs[1], outputs[0])
    torch.testing.assert_close(outputs[2], outputs[0])


# Modes


def test_what_is_trained() -> None:
    genome = sampled(config(hidden=((2, 2),)), 1, 10)
    named = {
        mode: {name for name, _ in born(config(hidden=((2, 2),), mode=mode), genome).named_parameters()}
        for mode in ("evolved", "seeded", "through")
    }
    layers = {"hidden-0.linear/weight", "hidden-0.linear/bias", "output.head/weight", "output.head/bias"}
    assert named == {"evolved": set(), "seeded": layers, "through": {"cppn.weights", "cppn.biases"}}


def step(network: Network, shape: Shape, rate: float = 0.05) -> None:
    """A step down the gradient of some loss."""
    network.zero_grad()
    outputs = network(examples(shape))
    F.cross_entropy(outputs, torch.arange(len(outputs)) % outputs.shape[1]).backward()
    with torch.no_grad():
        for tensor in network.parameters():
            tensor -= rate * tensor.grad


def test_nothing_painted_is_inherited() -> None:
    """Baldwin: a child of a trained parent begins with what its own CPPN paints."""
    encoding = config(hidden=((2, 2),), mode="seeded")
    genome = sampled(encoding, 1, 10)
    trained = born(encoding, genome)
    step(trained, (1, 3, 3))
    child = encoding.mutate(genome, rng=np.random.default_rng(1)).genome
    for heir in (genome, child):
        network = Network(encoding.develop(heir), (1, 3, 3), 2)
        found = inherit(network, [donor(trained, 1)], seed=0, individual=2)
        assert found.fraction == 0
        assert set(found.origins.values()) == {2}
        for name, tensor in born(encoding, heir).state_dict().items():
            assert torch.equal(network.state_dict()[name], tensor)
        moved = [not torch.equal(tensor, trained.state_dict()[name]) for name, tensor in network.state_dict().items()]
        assert all(moved)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_gradient_through_the_cppn(case: Any) -> None:
    """Against differences, in double precision."""
    shape, n_outputs, fields = case
    encoding = config(shape, n_outputs, mode="through", **fields)
    network = born(encoding, sampled(encoding, 2, 15)).double()
    x = examples(shape).double()

    def loss() -> torch.Tensor:
        return network(x).square().mean().sqrt()

    loss().backward()
    checked = 0
    with torch.no_grad():
        for tensor in network.parameters():
            for at in range(len(tensor)):
                value, h = tensor[at].item(), 1e-7
                tensor[at] = value + h
                above = loss()
                tensor[at] = value - h
                below = loss()
                tensor[at] = value
                assert tensor.grad[at].item() == pytest.approx(((above - below) / (2 * h)).item(), rel=1e-3, abs=1e-5)
                checked += abs(tensor.grad[at].item()) > 1e-4
    assert checked > 5


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_what_is_learnt_through_goes_into_the_genome(case: Any) -> None:
    shape, n_outputs, fields = case
    encoding = config(shape, n_outputs, mode="through", **fields)
    genome = sampled(encoding, 3, 15)
    network = born(encoding, genome)
    before = network(examples(shape)).detach()
    for _ in range(5):
        step(network, shape)
    after = network(examples(shape)).detach()
    assert (after - before).abs().max() > 1e-3
    taught = encoding.learn(genome, network.learned())
    assert taught != genome
    torch.testing.assert_close(born(encoding, taught)(examples(shape)), after, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("mode", ["evolved", "seeded", "through"])
def test_the_state_of_a_network_round_trips(mode: str) -> None:
    encoding = config(hidden=((2, 2),), mode=mode)
    genome, other = sampled(encoding, 1, 10), sampled(encoding, 2)
    network = born(encoding, genome)
    if mode != "evolved":
        step(network, (1, 3, 3))
    again = Network(encoding.develop(genome), (1, 3, 3), 2)
    again.load_state_dict(network.state_dict())
    x = examples((1, 3, 3))
    assert torch.equal(again(x), network(x))
    assert not torch.equal(born(encoding, other)(x), network(x))
    described = {parameter.name: parameter.shape for parameter in encoding.develop(genome).parameters((1, 3, 3), 2)}
    assert {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()} == described


# Populations


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_networks_side_by_side_compute_what_each_computes(case: Any) -> None:
    shape, n_outputs, fields = case
    encoding = config(shape, n_outputs, **fields)
    genomes = [sampled(encoding, seed, 10) for seed in range(5)]
    population = PaintedPopulation([encoding.develop(genome) for genome in genomes], shape, n_outputs)
    assert population.n == 5
    own = torch.stack([examples(shape, 7) + at for at in range(5)])
    expected = [[born(encoding, genome)(x) for genome in genomes] for x in own]
    each = population(own.flatten(2))
    assert each.shape == (5, 7, n_outputs)
    torch.testing.assert_close(each, torch.stack([expected[at][at] for at in range(5)]))
    torch.testing.assert_close(population(own[1].flatten(1)), torch.stack(expected[1]))
    some = population.choose(torch.tensor([3, 0, 3]))
    assert some.n == 3
    outputs, state = some.step(own[1].flatten(1))
    torch.testing.assert_close(outputs, torch.stack([expected[1][at] for at in (3, 0, 3)]))
    assert state is None


def test_what_cannot_stand_side_by_side() -> None:
    encoding = config((4,))
    phenotype = encoding.develop(sampled(encoding))
    other = config((4,), hidden=((3,),))
    with pytest.raises(ValueError, match="expected one architecture or more"):
        PaintedPopulation([], (4,), 2)
    with pytest.raises(ValueError, match="painted weights; run it by itself"):
        PaintedPopulation([architecture(node("a", "linear", "input"))], (4,), 2)
    with pytest.raises(ValueError, match="expected the layer that all have"):
        PaintedPopulation([phenotype, other.develop(sampled(other))], (4,), 2)


# Recipes that do not fit


def test_a_recipe_fits_its_tensor() -> None:
    encoding = config((4,))
    *others, head = encoding.develop(sampled(encoding)).nodes
    paint = dict(head.paints)["head/weight"]

    def laid(role: str, **changes: Any) -> None:
        Architecture((*others, replace(head, paints=((role, replace(paint, **changes)),)))).layout((4,), 2)

    laid("head/weight")
    for role, changes, expected in (
        ("linear/weight", {}, "expected to paint some of head/weight, head/bias, got linear/weight"),
        (
            "head/weight",
            {"sources": paint.targets},
            "expected 2 targets and 4 sources to paint head/weight, got",
        ),
        ("head/weight", {"queries": ("source",)}, "expected a CPPN of 2 inputs for its queries, got 4"),
        ("head/weight", {"output": 2}, "expected a CPPN of 3 outputs or more, got 2"),
        ("head/weight", {"expression": 5}, "expected a CPPN of 6 outputs or more, got 2"),
    ):
        with pytest.raises(ValueError, match=expected):
            laid(role, **changes)


def test_gradient_flows_through_one_cppn() -> None:
    encoding = config((4,), hidden=((3,),), mode="through")
    first, second = (encoding.develop(sampled(encoding, seed)).nodes for seed in range(2))
    with pytest.raises(ValueError, match="expected one CPPN that gradient flows through, got 2"):
        Network(Architecture((*first[:-1], second[-1])), (4,), 2)
