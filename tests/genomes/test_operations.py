"""Shapes, parameter counts and multiply-accumulates of every operation, computed by hand."""

import math
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomes.operations import HEAD, INPUT, KERNEL, ONE, OPERATIONS, Parameter, parameters, size
from genomes.recurrence import CELLS

SOURCE = (("a", 2), ("b", 1))
"""The channels of the input in these tests: two from one node, one from another."""


class Known(NamedTuple):
    operation: str
    attributes: dict[str, Any]
    source: tuple[int, ...]
    target: tuple[int, ...]
    n_weights: int
    macs: int


LAYER = {"width": 8, "kernel": 3, "stride": 2}
KNOWN = [
    Known(INPUT, {}, (3, 7, 5), (3, 7, 5), 0, 0),
    Known("identity", {}, (3, 7, 5), (3, 7, 5), 0, 0),
    Known("identity", {}, (3,), (3,), 0, 0),
    Known("flatten", {}, (3, 7, 5), (105,), 0, 0),
    Known("flatten", {}, (3,), (3,), 0, 0),
    Known("conv", LAYER, (3, 7, 5), (8, 4, 3), 8 * 3 * 3 * 3, 8 * 3 * 3 * 3 * 12),
    Known("conv", {"width": 4, "kernel": 1, "stride": 1}, (3, 7, 5), (4, 7, 5), 4 * 3, 4 * 3 * 35),
    Known("conv", {"width": 0, "kernel": 5, "stride": 1}, (3, 7, 5), (3, 7, 5), 3 * 3 * 25, 3 * 3 * 25 * 35),
    Known("dilated", LAYER, (3, 7, 5), (8, 4, 3), 8 * 3 * 3 * 3, 8 * 3 * 3 * 3 * 12),
    Known("separable", LAYER, (3, 7, 5), (8, 4, 3), 3 * 9 + 8 * 3, (3 * 9 + 8 * 3) * 12),
    Known("dilated_separable", LAYER, (3, 7, 5), (8, 4, 3), 3 * 9 + 8 * 3, (3 * 9 + 8 * 3) * 12),
    # The row convolution halves the width first: its outputs are 7 high and 3 wide.
    Known("factorised", LAYER, (3, 7, 5), (8, 4, 3), 8 * 3 * 3 + 8 * 8 * 3, 8 * 3 * 3 * 21 + 8 * 8 * 3 * 12),
    Known(
        "factorised",
        {"width": 0, "kernel": 7, "stride": 1},
        (3, 7, 5),
        (3, 7, 5),
        2 * 3 * 3 * 7,
        2 * 3 * 3 * 7 * 35,
    ),
    Known("factorised_reduction", {"width": 8}, (3, 7, 5), (8, 4, 3), 8 * 3, 8 * 3 * 12),
    Known("factorised_reduction", {"width": 0}, (3, 1, 2), (3, 1, 1), 3 * 3, 3 * 3),
    # Queries of 12 places, keys and values of 35, 12 × 35 products twice, the projection of 12.
    Known(
        "attention",
        {"width": 8, "stride": 2},
        (3, 7, 5),
        (8, 4, 3),
        3 * 8 * 3 + 8 * 8,
        3 * 8 * (12 + 2 * 35) + 2 * 12 * 35 * 8 + 12 * 8 * 8,
    ),
    Known(
        "attention",
        {"width": 0, "stride": 1},
        (3, 1, 9),
        (3, 1, 9),
        3 * 3 * 3 + 3 * 3,
        3 * 3 * 3 * 9 + 2 * 9 * 9 * 3 + 9 * 3 * 3,
    ),
    Known("zero", {"stride": 2}, (3, 7, 5), (3, 4, 3), 0, 0),
    Known("max_pool", {"kernel": 3, "stride": 2}, (3, 7, 5), (3, 4, 3), 0, 0),
    Known("avg_pool", {"kernel": 5, "stride": 1}, (3, 7, 5), (3, 7, 5), 0, 0),
    # Four maps of 3 features and of 5 units, with a bias each; the GRU has its candidate's maps apart and a bias more.
    Known("recur", {"width": 5, "cell": CELLS["lstm"]}, (3,), (5,), 4 * 5 * (3 + 5 + 1), 4 * 5 * (3 + 5)),
    Known("recur", {"width": 5, "cell": CELLS["gru"]}, (3,), (5,), 3 * 5 * (3 + 5 + 1) + 5, 3 * 5 * (3 + 5)),
    Known("linear", {"width": 10}, (3, 7, 5), (10,), 30, 30),
    Known("linear", {"width": 0}, (3,), (3,), 9, 9),
    Known(HEAD, {"width": 10}, (3, 7, 5), (10,), 30, 30),
    Known(HEAD, {"width": 10}, (3,), (10,), 30, 30),
]
WEIGHTED = [known for known in KNOWN if known.n_weights and not OPERATIONS[known.operation].biased]


def tensors(known: Known, **attributes: Any) -> list[Parameter]:
    target = (("n", known.target[0]),)
    return parameters("n", known.operation, {**known.attributes, **attributes}, SOURCE, target)


def count(found: list[Parameter], *, trainable: bool = True) -> int:
    return sum(math.prod(parameter.shape) for parameter in found if parameter.trainable == trainable)


def test_every_operation_is_known() -> None:
    assert {known.operation for known in KNOWN} == set(OPERATIONS)
    assert all(name == operation.name for name, operation in OPERATIONS.items())


@pytest.mark.parametrize("known", KNOWN, ids=str)
def test_shape_parameters_and_macs(known: Known) -> None:
    operation = OPERATIONS[known.operation]
    assert operation.shape(known.attributes, known.source) == known.target
    assert operation.macs(known.attributes, known.source, known.target) == known.macs
    assert operation.parametric == bool(known.n_weights)
    bias = known.target[0] if known in WEIGHTED else 0
    assert count(tensors(known)) == known.n_weights + bias
    assert count(tensors(known), trainable=False) == 0


@pytest.mark.parametrize("known", WEIGHTED, ids=str)
def test_normalisation_takes_the_place_of_the_bias(known: Known) -> None:
    found = tensors(known, normalisation="batch")
    assert count(found) == known.n_weights + 2 * known.target[0]
    assert count(found, trainable=False) == 2 * known.target[0]
    roles = [parameter.role.split("/")[1] for parameter in found]
    assert "bias" not in roles
    assert roles[-4:] == ["scale", "shift", "mean", "variance"]


@pytest.mark.parametrize("known", WEIGHTED, ids=str)
def test_roles_name_the_kind_and_every_tensor_once(known: Known) -> None:
    for normalisation in ("none", "batch"):
        found = tensors(known, normalisation=normalisation)
        assert all(parameter.role.startswith(f"{known.operation}/") for parameter in found)
        assert all(parameter.name == f"n.{parameter.role}" for parameter in found)
        assert len({parameter.name for parameter in found}) == len(found)


def test_axes_say_whose_channels_they_are() -> None:
    target = (("n", 8),)
    kernel = ((KERNEL, 3),)
    weight, bias = parameters("n", "conv", LAYER, SOURCE, target)
    assert (weight.axes, weight.shape, weight.fan_in) == ((target, SOURCE, kernel, kernel), (8, 3, 3, 3), 27)
    assert (bias.axes, bias.shape, bias.fan_in) == ((target,), (8,), 0)
    depthwise, pointwise, _ = parameters("n", "separable", LAYER, SOURCE, target)
    assert (depthwise.axes, depthwise.shape, depthwise.fan_in) == ((SOURCE, ONE, kernel, kernel), (3, 1, 3, 3), 9)
    assert (pointwise.axes, pointwise.shape, pointwise.fan_in) == ((target, SOURCE, ONE, ONE), (8, 3, 1, 1), 3)
    row, column, _ = parameters("n", "factorised", LAYER, SOURCE, target)
    assert (row.axes, row.shape, row.fan_in) == ((target, SOURCE, ONE, kernel), (8, 3, 1, 3), 9)
    assert (column.axes, column.shape, column.fan_in) == ((target, target, kernel, ONE), (8, 8, 3, 1), 24)
    weight, _ = parameters("n", "factorised_reduction", LAYER, SOURCE, target)
    assert (weight.axes, weight.shape, weight.fan_in) == ((target, SOURCE, ONE, ONE), (8, 3, 1, 1), 3)
    weight, _ = parameters("n", "linear", {"width": 8}, SOURCE, target)
    assert (weight.axes, weight.shape, weight.fan_in) == ((target, SOURCE), (8, 3), 3)
    assert size(SOURCE) == 3


def test_queries_keys_and_values_are_channels_of_their_own() -> None:
    """The owners differ, so that each of the three is aligned with itself when the width changes."""
    qkv, projection, bias = parameters("n", "attention", LAYER, SOURCE, (("n", 6), ("m", 2)))
    parts = [(("n/q", 6), ("m/q", 2)), (("n/k", 6), ("m/k", 2)), (("n/v", 6), ("m/v", 2))]
    assert (qkv.axes, qkv.shape, qkv.fan_in) == ((parts[0] + parts[1] + parts[2], SOURCE), (24, 3), 3)
    assert (projection.axes, projection.fan_in) == (((("n", 6), ("m", 2)), parts[2]), 8)
    assert bias.axes == ((("n", 6), ("m", 2)),)


@given(
    side=st.integers(1, 300),
    kernel=st.integers(0, 7).map(lambda half: 2 * half + 1),
    stride=st.integers(1, 9),
    name=st.sampled_from([name for name, operation in OPERATIONS.items() if operation.spatial]),
)
def test_spatial_operations_pad_to_keep_the_size(side: int, kernel: int, stride: int, name: str) -> None:
    shape = OPERATIONS[name].shape({"width": 4, "kernel": kernel, "stride": stride}, (4, side, 1))
    extent = 2 * (kernel - 1) + 1 if name.startswith("dilated") else kernel
    stride = 2 if name == "factorised_reduction" else stride
    padding = extent // 2
    assert shape == (4, (side + 2 * padding - extent) // stride + 1, 1)


def test_only_layers_over_an_area_are_spatial() -> None:
    assert {name for name, kind in OPERATIONS.items() if kind.spatial} == {
        "conv",
        "dilated",
        "factorised",
        "separable",
        "dilated_separable",
        "factorised_reduction",
        "attention",
        "max_pool",
        "avg_pool",
        "zero",
    }
    assert {name for name, kind in OPERATIONS.items() if kind.flattens} == {"linear", HEAD}
