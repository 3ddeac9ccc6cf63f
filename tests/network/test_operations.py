"""What operations compute, against torch's own modules or a plain implementation."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evonas.network import Network, inherit
from tests.network.nets import architecture, donor, inputs, network, node, output_of, perturbed

SIZES = [(7, 6), (8, 8), (5, 1), (1, 4), (2, 3), (1, 1)]


def single(operation: str, shape: tuple[int, ...], **attributes: Any) -> Network:
    """A network of one node, `a`, whose tensors, biases among them, are as after some training."""
    return perturbed(network(architecture(node("a", operation, "input", **attributes)), shape))


def weights(made: Network) -> dict[str, Tensor]:
    """The tensors of node `a` by what they are, e.g. `row`."""
    return {name.rpartition("/")[2]: tensor for name, tensor in made.state_dict().items() if name.startswith("a.")}


# Factorised and dilated convolutions


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_factorised_convolution_is_one_along_rows_then_one_along_columns(size: tuple[int, int]) -> None:
    x = inputs((3, *size))
    for kernel in (1, 3, 7):
        for stride in (1, 2, 3):
            made = single("factorised", (3, *size), kernel=kernel, stride=stride)
            state, half = weights(made), kernel // 2
            row = nn.Conv2d(3, 4, (1, kernel), (1, stride), (0, half), bias=False)
            column = nn.Conv2d(4, 4, (kernel, 1), (stride, 1), (half, 0))
            row.load_state_dict({"weight": state["row"]})
            column.load_state_dict({"weight": state["column"], "bias": state["bias"]})
            torch.testing.assert_close(output_of(made, "a", x), column(row(x)))


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_dilated_separable_convolution_is_depthwise_with_gaps_then_pointwise(size: tuple[int, int]) -> None:
    x = inputs((3, *size))
    for kernel in (1, 3, 5):
        for stride in (1, 2, 3):
            made = single("dilated_separable", (3, *size), kernel=kernel, stride=stride)
            state = weights(made)
            depthwise = nn.Conv2d(3, 3, kernel, stride, kernel - 1, dilation=2, groups=3, bias=False)
            pointwise = nn.Conv2d(3, 4, 1)
            depthwise.load_state_dict({"weight": state["depthwise"]})
            pointwise.load_state_dict({"weight": state["pointwise"], "bias": state["bias"]})
            torch.testing.assert_close(output_of(made, "a", x), pointwise(depthwise(x)))


# The factorised reduction


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("width", [1, 4, 5])
def test_a_factorised_reduction_reads_every_other_pixel_and_their_neighbours(size: tuple[int, int], width: int) -> None:
    """Output channels of the first half look at pixel (2i, 2j), the others at (2i + 1, 2j + 1), beyond the rim at 0."""
    x = inputs((3, *size))
    made = single("factorised_reduction", (3, *size), width=width)
    state = weights(made)
    matrix, bias = state["weight"][:, :, 0, 0], state["bias"]
    expected = torch.empty(len(x), width, math.ceil(size[0] / 2), math.ceil(size[1] / 2))
    for channel in range(width):
        shift = int(channel >= math.ceil(width / 2))
        for i in range(expected.shape[2]):
            for j in range(expected.shape[3]):
                row, column = 2 * i + shift, 2 * j + shift
                inside = row < size[0] and column < size[1]
                value = x[:, :, row, column] @ matrix[channel] if inside else torch.zeros(len(x))
                expected[:, channel, i, j] = value + bias[channel]
    torch.testing.assert_close(output_of(made, "a", x), expected)


# Attention


def plain_attention(x: Tensor, state: dict[str, Tensor], n_heads: int, stride: int) -> Tensor:
    """Softmax attention of all places, by the definition of Vaswani et al. 2017; `(batch, width, height, breadth)`."""
    width = len(state["projection"])
    q, k, v = (torch.einsum("oc,nchw->nohw", part, x) for part in state["qkv"].split(width))
    q = q[:, :, ::stride, ::stride]
    read = []
    for head in range(n_heads):
        own = slice(head * width // n_heads, (head + 1) * width // n_heads)
        scores = torch.einsum("nchw,ncuv->nhwuv", q[:, own], k[:, own]) / (width / n_heads) ** 0.5
        attention = scores.flatten(3).softmax(-1).reshape(scores.shape)
        read.append(torch.einsum("nhwuv,ncuv->nchw", attention, v[:, own]))
    return torch.einsum("oc,nchw->nohw", state["projection"], torch.cat(read, 1)) + state["bias"][:, None, None]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(("width", "n_heads"), [(1, 1), (4, 4), (5, 1), (6, 3), (14, 2), (16, 4)])
def test_attention_is_softmax_attention(size: tuple[int, int], width: int, n_heads: int) -> None:
    """With as many heads, up to four, as divide the width."""
    x = inputs((3, *size))
    for stride in (1, 2, 3):
        made = single("attention", (3, *size), width=width, stride=stride)
        expected = plain_attention(x, weights(made), n_heads, stride)
        torch.testing.assert_close(output_of(made, "a", x), expected)


def test_attention_is_that_of_torch() -> None:
    x = inputs((8, 5, 3))
    made = single("attention", (8, 5, 3), width=8)
    state = weights(made)
    module = nn.MultiheadAttention(8, 4, batch_first=True)
    module.load_state_dict(
        {
            "in_proj_weight": state["qkv"],
            "in_proj_bias": torch.zeros(24),
            "out_proj.weight": state["projection"],
            "out_proj.bias": state["bias"],
        }
    )
    sequence = x.flatten(2).mT
    expected = module(sequence, sequence, sequence)[0].mT.reshape(x.shape)
    torch.testing.assert_close(output_of(made, "a", x), expected)


@torch.no_grad()
def test_queries_keys_and_values_each_inherit_when_the_width_grows() -> None:
    left = single("attention", (3, 8, 8), width=4)
    grown = Network(architecture(node("a", "attention", "input", width=6)), (3, 8, 8), 5)
    inheritance = inherit(grown, [donor(left)], seed=0, individual=9)
    theirs, ours = weights(left), weights(grown)
    for old, new in zip(theirs["qkv"].split(4), ours["qkv"].split(6), strict=True):
        assert torch.equal(new[:4], old)
    assert torch.equal(ours["projection"][:4, :4], theirs["projection"])
    assert not ours["projection"][:4, 4:].any()
    assert torch.equal(ours["bias"][:4], theirs["bias"])
    n_left = sum(theirs[what].numel() for what in ("qkv", "projection", "bias")) + 5 * 4 + 5
    n_all = sum(tensor.numel() for tensor in grown.parameters())
    assert inheritance.fraction == pytest.approx(n_left / n_all)


# Zero


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_zero_puts_out_zeros(size: tuple[int, int]) -> None:
    for stride in (1, 2, 3):
        made = single("zero", (3, *size), stride=stride)
        shape = len(inputs()), 3, math.ceil(size[0] / stride), math.ceil(size[1] / stride)
        assert torch.equal(output_of(made, "a", inputs((3, *size))), torch.zeros(shape))


# Preactivation


CONVOLUTIONS = ("conv", "dilated", "factorised", "separable", "dilated_separable")
PREACTIVATED: list[tuple[str, dict[str, Any]]] = [
    *((operation, {"normalisation": "batch"}) for operation in CONVOLUTIONS),
    *((operation, {"kernel": 1, "stride": 2}) for operation in CONVOLUTIONS),
    ("factorised_reduction", {}),
    ("attention", {"stride": 2}),
    ("identity", {}),
    ("max_pool", {}),
]


@pytest.mark.parametrize(("operation", "attributes"), PREACTIVATED, ids=str)
def test_preactivation_comes_before_the_operation(operation: str, attributes: dict[str, Any]) -> None:
    """And another node that reads the same input finds it as it was."""
    plain = architecture(node("a", operation, "input", **attributes), reads="a")
    behind = architecture(
        node("source", "identity", "input"),
        node("a", operation, "source", preactivation="relu", **attributes),
        node("b", "identity", "source"),
        reads="a b",
        merge="concat",
    )
    left = perturbed(network(plain))
    made = network(behind, donors=[donor(left)])
    x = inputs()
    assert (x < 0).any()
    torch.testing.assert_close(output_of(made, "a", x.clone()), output_of(left, "a", F.relu(x)))
    assert torch.equal(output_of(made, "b", x.clone()), x)
