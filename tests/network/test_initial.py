"""How tensors begin that nobody leaves."""

import math

import pytest
import torch

from genomes.architecture import Node
from genomes.operations import ACTIVATIONS
from tests.network.nets import IMAGE, architecture, inputs, network, node

CONVOLUTIONS = ("conv", "dilated", "separable")


def test_a_tensor_has_a_stream_of_its_own() -> None:
    """The same seed, individual, node and role give the same values, whatever else is there."""
    alone = network(architecture(node("a", "conv", "input")), seed=3, individual=7)
    others = [node("b", "separable", "input", width=4), node("c", "conv", "a b")]
    among = network(architecture(node("a", "conv", "input", activation="tanh"), *others), seed=3, individual=7)
    assert torch.equal(alone.state_dict()["a.conv/weight"], among.state_dict()["a.conv/weight"])


@pytest.mark.parametrize("change", [{"seed": 4}, {"individual": 8}, {"name": "b"}, {"operation": "dilated"}])
def test_another_seed_individual_node_or_role_gives_other_values(change: dict) -> None:
    def weight(*, name: str = "a", operation: str = "conv", seed: int = 3, individual: int = 7) -> torch.Tensor:
        made = network(architecture(node(name, operation, "input")), seed=seed, individual=individual)
        return made.state_dict()[f"{name}.{operation}/weight"]

    assert not (weight() == weight(**change)).any()


def test_the_values_of_a_stream_are_permanent() -> None:
    state = network(architecture(node("a", "conv", "input")), seed=3, individual=7).state_dict()
    first = {
        "a.conv/weight": [0.658434, 0.150893, 0.468394, -0.007509],
        "head.head/weight": [-0.219297, -0.445279, 0.487281, 0.1937],
    }
    for name, values in first.items():
        assert state[name].flatten()[:4].tolist() == pytest.approx(values, abs=1e-6)


def test_weights_are_scaled_by_their_fan_in() -> None:
    """He et al. 2015: √(2 / fan-in), and √(1 / fan-in) where no rectifier follows directly."""
    layers = [
        node("conv", "conv", "input", width=64),
        node("separable", "separable", "conv", width=256, kernel=5),
        node("dilated", "dilated", "separable", width=32),
        node("linear", "linear", "dilated", width=400),
    ]
    state = network(architecture(*layers), (32, 8, 8), 200).state_dict()
    deviations = {
        "conv.conv/weight": math.sqrt(2 / (32 * 9)),
        "separable.separable/depthwise": math.sqrt(1 / 25),
        "separable.separable/pointwise": math.sqrt(2 / 64),
        "dilated.dilated/weight": math.sqrt(2 / (256 * 9)),
        "linear.linear/weight": math.sqrt(2 / 32),
        "head.head/weight": math.sqrt(1 / 400),
    }
    for name, expected in deviations.items():
        n = state[name].numel()
        assert state[name].std().item() == pytest.approx(expected, rel=4 / math.sqrt(2 * n))
        assert state[name].mean().item() == pytest.approx(0, abs=4 * expected / math.sqrt(n))
    assert all(not tensor.any() for name, tensor in state.items() if name.endswith("bias"))


def test_a_normalisation_begins_as_nothing() -> None:
    state = network(architecture(node("a", "conv", "input", normalisation="batch"))).state_dict()
    for role, value in {"scale": 1.0, "shift": 0.0, "mean": 0.0, "variance": 1.0}.items():
        assert torch.equal(state[f"a.conv/{role}"], torch.full((4,), value))


@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("operation", CONVOLUTIONS)
def test_an_identity_start_is_exact(operation: str, kernel: int) -> None:
    x = inputs()
    for width in (0, 2, 3, 9):
        made = output(node("a", operation, "input", kernel=kernel, width=width, start="identity"), x)
        n = min(3, width or 3)
        assert torch.equal(made[:, :n], x[:, :n])
        if width > 3:
            assert made[:, 3:].std((0, 2, 3)).min() > 0


def test_an_identity_start_of_a_vector_is_exact() -> None:
    x = inputs((6,))
    for width in (0, 4, 9):
        made = output(node("a", "linear", "input", width=width, start="identity"), x)
        assert torch.equal(made[:, : min(6, width or 6)], x[:, : min(6, width or 6)])


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("normalisation", ["batch", "none"])
@pytest.mark.parametrize("operation", [*CONVOLUTIONS, "linear"])
def test_a_zero_start_is_exact_and_is_learnt_away(operation: str, normalisation: str, activation: str) -> None:
    zero = node("a", operation, "input", normalisation=normalisation, activation=activation, start="zero")
    x = inputs()
    assert not output(zero, x).any()
    made = network(architecture(zero)).train()
    (made(x) * torch.randn(3, 5, generator=torch.Generator().manual_seed(1))).sum().backward()
    first = "scale" if normalisation == "batch" else "pointwise" if operation == "separable" else "weight"
    gradient = made.get_parameter(f"a.{operation}/{first}").grad
    assert gradient is not None
    assert gradient.any()


def output(last: Node, x: torch.Tensor) -> torch.Tensor:
    """What a node puts out behind the input alone, `(batch, ...)`."""
    seen: list[torch.Tensor] = []
    made = network(architecture(last), tuple(x.shape[1:]) or IMAGE)
    made.get_submodule(last.id).register_forward_hook(lambda _, __, value: seen.append(value.detach()))
    made(x)
    return seen[0]
