"""Many networks with painted weights side by side: one product, or one grouped convolution, a layer for all."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from evonas.network.operations import ACTIVATIONS
from evonas.network.painting import painted_many
from evonas.network.population import check_tensor
from genomes.architecture import Architecture, Layer
from genomes.operations import HEAD, INPUT, Parameter, Shape

RUNNABLE = (INPUT, "flatten", "linear", "conv", HEAD)
"""Operations that networks side by side may have."""


class PaintedPopulation:
    """Networks of equal layers and different weights, all of them painted; `evonas.tasks.problem.Networks`.

    They differ in their CPPNs alone, as the individuals of one HyperNEAT campaign do. Whatever the mode, the weights
    are what is painted: a problem trains nothing.

    Args:
        architectures: One or more.
        input_shape: `(channels, height, width)` or `(features,)`; a problem hands in flat inputs.
        n_outputs: Values that each puts out.
        device: Where they are to be.

    Raises:
        ValueError: If there is none, their layers differ, a tensor is not painted, or an operation is none of
            `RUNNABLE`.
    """

    def __init__(
        self,
        architectures: Sequence[Architecture],
        input_shape: Shape,
        n_outputs: int,
        *,
        device: torch.device | str = "cpu",
    ) -> None:
        if not architectures:
            raise ValueError("expected one architecture or more, got none; hand in those of a population")
        layouts = [one.layout(input_shape, n_outputs) for one in architectures]
        for layout in layouts:
            _check(layout, layouts[0])
        self._input_shape, self._layers, self._n = tuple(input_shape), layouts[0], len(architectures)
        self._tensors = {name: tensor.to(device) for name, tensor in _painted(layouts).items()}

    @property
    def n(self) -> int:
        """How many networks."""
        return self._n

    @property
    def device(self) -> torch.device:
        """Where they are."""
        return next(iter(self._tensors.values())).device

    def __call__(self, inputs: Tensor) -> Tensor:
        """What every network puts out, `(n, batch, n_outputs)`.

        Args:
            inputs: `(batch, n_inputs)`, the same for all, or `(n, batch, n_inputs)`.

        Raises:
            TypeError: If they are no tensor.
        """
        check_tensor(inputs, math.prod(self._input_shape))
        x = inputs.expand(self._n, *inputs.shape) if inputs.dim() == 2 else inputs
        values: dict[str, Tensor] = {}
        for layer in self._layers:
            node = layer.node
            x = values[node.inputs[0]] if node.inputs else x.unflatten(-1, self._input_shape)
            values[node.id] = x = self._computed(layer, x)
        return x

    def step(self, inputs: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """As a call: they carry no state."""
        return self(inputs), None

    def choose(self, which: Tensor) -> "PaintedPopulation":
        """Some of the networks, whose numbers `which` gives, `(m,)`."""
        chosen = object.__new__(PaintedPopulation)
        chosen._input_shape, chosen._layers, chosen._n = self._input_shape, self._layers, len(which)
        chosen._tensors = {name: tensor[which.to(tensor.device)] for name, tensor in self._tensors.items()}
        return chosen

    def _computed(self, layer: Layer, x: Tensor) -> Tensor:
        node = layer.node
        if node.operation == INPUT:
            return x
        if node.operation == "flatten":
            return x.flatten(2)
        weight = self._tensors[f"{node.id}.{node.operation}/weight"]
        bias = self._tensors.get(f"{node.id}.{node.operation}/bias")
        made = _convolved(x, weight, bias, node.settings) if node.operation == "conv" else _mapped(x, weight, bias)
        return ACTIVATIONS[node.settings.get("activation", "none")](made)


def _mapped(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`(n, batch, sources)` to `(n, batch, targets)`."""
    return torch.bmm(x, weight.mT) if bias is None else torch.baddbmm(bias[:, None], x, weight.mT)


def _convolved(x: Tensor, weight: Tensor, bias: Tensor | None, settings: Mapping[str, Any]) -> Tensor:
    """`(n, batch, channels, height, width)`, every network a group."""
    n, stride = len(weight), settings["stride"]
    x = x.transpose(0, 1).flatten(1, 2)
    made = F.conv2d(
        x, weight.flatten(0, 1), None if bias is None else bias.flatten(), stride, settings["kernel"] // 2, groups=n
    )
    return made.unflatten(1, (n, -1)).transpose(0, 1)


def _check(layout: tuple[Layer, ...], like: tuple[Layer, ...]) -> None:
    """Check that a layout can stand beside another."""
    for layer, other in zip(layout, like, strict=False):
        node = layer.node
        described = (node.operation, node.attributes, node.inputs, layer.target)
        if described != (other.node.operation, other.node.attributes, other.node.inputs, other.target):
            raise ValueError(f"{node}: expected the layer that all have, got another; run such networks one by one")
        plain = len(node.inputs) < 2 and "preactivation" not in node.settings
        if node.operation not in RUNNABLE or not plain or not all(parameter.paint for parameter in layer.parameters):
            words = ", ".join(RUNNABLE)
            raise ValueError(f"{node}: expected one of {words}, with one input and painted weights; run it by itself")
    if len(layout) != len(like):
        raise ValueError(f"expected {len(like)} layers in every network, got {len(layout)}; run such networks apart")


def _painted(layouts: Sequence[tuple[Layer, ...]]) -> dict[str, Tensor]:
    """The tensors of all networks by name, `(n, *shape)`."""
    columns: dict[str, list[Parameter]] = {}
    for layout in layouts:
        for parameter in (parameter for layer in layout for parameter in layer.parameters):
            columns.setdefault(parameter.name, []).append(parameter)
    found = {}
    for name, parameters in columns.items():
        paints = [parameter.paint for parameter in parameters if parameter.paint is not None]
        found[name] = painted_many(paints).reshape(len(paints), *parameters[0].shape)
    return found
