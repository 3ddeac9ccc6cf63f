"""The auxiliary head."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from evonas.network import Network
from evonas.training import Curve, Examples, Training, train
from evonas.training.auxiliary import Auxiliary, auxiliary, place
from evonas.training.loop import _losses
from genomes.architecture import Architecture
from tests.network.nets import architecture, inputs, network, node

BLOCK: dict[str, Any] = {"normalisation": "batch", "activation": "relu"}
STACK = architecture(
    node("first", "conv", "input", **BLOCK),
    node("halved", "conv", "first", stride=2, **BLOCK),
    node("second", "conv", "halved", **BLOCK),
    node("read", "identity", "second"),
    node("quartered", "max_pool", "read", stride=2),
    node("third", "conv", "quartered", **BLOCK),
)
LEVEL = architecture(node("a", "conv", "input", **BLOCK), node("b", "conv", "a", **BLOCK))
IMAGES = Examples(torch.randn(64, 3, 8, 8, generator=torch.Generator().manual_seed(1)), torch.arange(64) % 5)


def trained(made: Network, examples: Examples = IMAGES, *, seed: int = 0, **fields: Any) -> Curve:
    config = Training(batch_size=16, **fields)
    return train(made, examples, examples, config, 2, rng=np.random.default_rng(seed))


def made_for(made: Network, seed: int = 0, **fields: Any) -> Auxiliary:
    found = auxiliary(made, Training(**{"auxiliary": 0.4, **fields}), rng=np.random.default_rng(seed))
    assert found is not None
    return found


def bits(made: torch.nn.Module) -> list[bytes]:
    return [tensor.detach().numpy().tobytes() for tensor in made.state_dict().values()]


# Where


@pytest.mark.parametrize(
    ("phenotype", "shape", "expected"),
    [
        (STACK, (3, 8, 8), "read"),
        (STACK, (3, 9, 5), "read"),
        (LEVEL, (3, 8, 8), None),
        (architecture(node("a", "conv", "input", stride=2)), (3, 8, 8), None),
        (architecture(node("a", "conv", "input"), node("b", "linear", "a")), (3, 8, 8), "a"),
        (architecture(node("a", "conv", "input"), node("b", "conv", "input", stride=2), reads="a b"), (3, 8, 8), "a"),
        (architecture(node("b", "conv", "input", stride=2), node("a", "conv", "input"), reads="b a"), (3, 8, 8), "a"),
        (architecture(node("a", "linear", "input"), node("b", "linear", "a")), (4,), None),
        (architecture(node("a", "conv", "input", stride=2)), (3, 1, 1), None),
    ],
)
def test_it_reads_the_last_layer_before_the_last_loss_of_resolution(
    phenotype: Architecture, shape: tuple[int, ...], expected: str | None
) -> None:
    made = network(phenotype, shape)
    layer = place(made)
    assert (layer.node.id if layer else None) == expected
    found = auxiliary(made, Training(auxiliary=0.4), rng=np.random.default_rng(0))
    assert (found.reads if found else None) == expected


@pytest.mark.parametrize(("side", "pooled"), [(8, 2), (7, 2), (3, 2), (2, 2)])
def test_it_pools_to_two_by_two_at_most(side: int, pooled: int) -> None:
    made = network(architecture(node("a", "conv", "input", width=6), node("b", "linear", "a")), (3, side, side))
    found = made_for(made)
    assert found.first.shape == (128, 6, 1, 1)
    assert found.second.shape == (768, 128, pooled, pooled)
    assert found.weight.shape == (5, 768)
    assert found(torch.randn(4, 6, side, side)).shape == (4, 5)
    slim = network(architecture(node("a", "conv", "input"), node("b", "linear", "a")), (3, 1, side))
    assert made_for(slim).second.shape == (768, 128, 1, pooled)


def test_it_is_the_classifier_that_darts_attaches() -> None:
    """Against torch's modules in the order of that head, but for its pool."""
    found = made_for(network(STACK, (3, 32, 32)), seed=3).eval()
    theirs = torch.nn.Sequential(
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(2),
        torch.nn.Conv2d(4, 128, 1, bias=False),
        torch.nn.BatchNorm2d(128),
        torch.nn.ReLU(),
        torch.nn.Conv2d(128, 768, 2, bias=False),
        torch.nn.BatchNorm2d(768),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(768, 5),
    ).eval()
    for name, value in {"2": found.first, "5": found.second, "9": found.weight}.items():
        theirs.get_submodule(name).weight.data.copy_(value.data)
    theirs[9].bias.data.zero_()
    x = torch.randn(6, 4, 16, 16)
    torch.testing.assert_close(found(x), theirs(x))


# Its loss


def test_its_loss_is_weighted_smoothed_and_added() -> None:
    made = network(STACK).train()
    config = Training(auxiliary=0.3, label_smoothing=0.2)
    side = made_for(made)
    loss, whole = _losses(made, side, IMAGES, config)
    outputs, extra = side.with_network(made, IMAGES.inputs)
    by_hand = [F.cross_entropy(x, IMAGES.targets, label_smoothing=0.2) for x in (outputs, extra)]
    torch.testing.assert_close(loss, by_hand[0])
    torch.testing.assert_close(whole, by_hand[0] + 0.3 * by_hand[1])


def test_its_gradient_reaches_what_lies_before_it_alone() -> None:
    made = network(STACK).train()
    side = made_for(made)
    side.with_network(made, inputs())[1].sum().backward()
    reached = {name for name, tensor in made.named_parameters() if tensor.grad is not None and tensor.grad.any()}
    assert {name.partition(".")[0] for name in reached} == {"first", "halved", "second"}


def test_it_is_trained_with_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[tuple[Auxiliary, list[bytes]]] = []
    init = Auxiliary.__init__

    def noted(self: Auxiliary, *args: Any, **fields: Any) -> None:
        init(self, *args, **fields)
        begun.append((self, bits(self)))

    monkeypatch.setattr(Auxiliary, "__init__", noted)
    made = network(STACK)
    curve = trained(made, auxiliary=0.4)
    ((side, before),) = begun
    assert all(a != b for a, b in zip(bits(side), before, strict=True))
    assert curve[1]["loss"] < curve[0]["loss"]
    assert trained(network(STACK)) != curve


# What stays as it was


def test_the_network_is_none_the_larger() -> None:
    made = network(STACK)
    names, n_modules = list(made.state_dict()), len(list(made.modules()))
    trained(made, auxiliary=0.4)
    assert list(made.state_dict()) == names
    assert len(list(made.modules())) == n_modules
    assert not any(module._forward_hooks for module in made.modules())
    assert sum(tensor.numel() for tensor in made.parameters()) == STACK.n_parameters((3, 8, 8), 5)


def test_nothing_hears_a_network_that_failed() -> None:
    made = network(STACK)
    with pytest.raises(RuntimeError):
        made_for(made).with_network(made, torch.randn(2, 4, 8, 8))
    assert not any(module._forward_hooks for module in made.modules())


@pytest.mark.parametrize(
    ("phenotype", "weight", "shape"),
    [(STACK, 0.0, (3, 8, 8)), (LEVEL, 0.4, (3, 8, 8)), (architecture(node("a", "linear", "input")), 0.4, (4,))],
)
def test_without_one_nothing_is_drawn_and_no_bit_changes(
    phenotype: Architecture, weight: float, shape: tuple[int, ...]
) -> None:
    examples = IMAGES if len(shape) == 3 else Examples(IMAGES.inputs[:, 0, 0, :4].contiguous(), IMAGES.targets)
    with_field, plain, rng = network(phenotype, shape), network(phenotype, shape), np.random.default_rng(0)
    config = Training(batch_size=16, auxiliary=weight)
    assert train(with_field, examples, examples, config, 2, rng=rng) == trained(plain, examples)
    assert bits(with_field) == bits(plain)
    other = np.random.default_rng(0)
    for _ in range(2):
        other.permutation(64)
    assert rng.integers(2**63) == other.integers(2**63)


def test_the_same_stream_gives_the_same_bits_and_no_other_generator_is_touched() -> None:
    def result(seed: int) -> tuple[Curve, list[bytes]]:
        made = network(STACK)
        return trained(made, seed=seed, auxiliary=0.4), bits(made)

    before = torch.random.get_rng_state()
    assert result(1) == result(1)
    assert result(1) != result(2)
    assert torch.equal(torch.random.get_rng_state(), before)
    made = network(STACK)
    assert bits(made_for(made, 1)) == bits(made_for(made, 1)) != bits(made_for(made, 2))


def test_it_works_beside_dropped_paths_and_in_half_precision() -> None:
    phenotype = architecture(
        node("first", "conv", "input", path=0.5, **BLOCK), node("second", "conv", "first", stride=2, path=1.0, **BLOCK)
    )
    curves = [
        trained(network(phenotype), auxiliary=0.4, drop_path=drop_path, precision=precision)
        for drop_path in (0.0, 0.3)
        for precision in ("float32", "bfloat16")
    ]
    assert len({curve[1]["validation_loss"] for curve in curves}) == 4
    assert all(curve[1]["loss"] < 2 for curve in curves)


@pytest.mark.parametrize("weight", [-0.1, float("nan"), float("inf")])
def test_a_weight_that_is_none_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="auxiliary"):
        Training(auxiliary=weight)
