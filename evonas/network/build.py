"""An architecture as an nn.Module whose tensors are named by node and role."""

from collections import Counter
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evonas.network.neurons import NeuronNetwork
from evonas.network.operations import OPERATIONS, activation, merged, preactivation
from evonas.network.painting import painted
from evonas.network.recur import State, recur
from genomes.architecture import CPPN, PATH, Architecture, Layer
from genomes.operations import RECUR, Parameter, Shape

EPSILON = 1e-5
MOMENTUM = 0.1
_NOTHING: Mapping[str, Tensor] = {}


class LayerModule(nn.Module):
    """One node: merge, preactivation, operation, normalisation, activation.

    Its tensors are named by role, e.g. `conv/weight`. Those that are painted through a CPPN are not held: they are
    handed in.

    Attributes:
        momentum: Part of a batch in BatchNorm's running statistics.
        drop: Probability, from 0 to below 1, that in training mode the output for an example is zero.
        generator: Draws what is dropped, on the device of the outputs; needed where `drop` is above 0.
    """

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        self.node = layer.node
        self.source = layer.source
        self.operation = OPERATIONS[layer.node.operation]
        self.preactivation, self.activation = preactivation(layer.node), activation(layer.node)
        self.normalised = layer.node.settings.get("normalisation", "none") == "batch"
        self.momentum = MOMENTUM
        self.drop = 0.0
        self.generator: torch.Generator | None = None
        for parameter in layer.parameters:
            if parameter.paint is not None and parameter.paint.mode == "through":
                continue
            tensor = torch.empty(parameter.shape)
            if parameter.trainable:
                self.register_parameter(parameter.role, nn.Parameter(tensor))
            else:
                self.register_buffer(parameter.role, tensor)

    def stepped(self, inputs: list[Tensor], state: State | None) -> tuple[Tensor, State]:
        """Outputs and the next state of a recurrent layer, given its state; None: zeros."""
        settings = self.node.settings
        x = merged(inputs, self.node.merge, self.source)
        return recur(x, state, self._parameters, settings["cell"], settings["width"])  # type: ignore[arg-type]

    def forward(self, inputs: list[Tensor], painted: Mapping[str, Tensor] = _NOTHING) -> Tensor:
        """Outputs `(batch, *target)`.

        Args:
            inputs: Of the shapes that the layout gives.
            painted: By role the tensors that it does not hold.
        """
        tensors = {**self._parameters, **self._buffers, **painted}
        x = self.preactivation(merged(inputs, self.node.merge, self.source))
        x = self.operation(x, tensors, self.node.settings)  # type: ignore[arg-type]
        if self.normalised:
            mean, variance, scale, shift = (tensors[f"{self.node.operation}/{role}"] for role in _NORMALISATION)
            x = F.batch_norm(x, mean, variance, scale, shift, self.training, self.momentum, EPSILON)
        x = self.activation(x)
        return dropped(x, self.drop, self.generator) if self.drop and self.training else x


def dropped(x: Tensor, probability: float, generator: torch.Generator | None) -> Tensor:
    """Some examples of a batch set to zero, the others enlarged so that the expected value stays.

    Args:
        x: `(batch, ...)`.
        probability: That an example is dropped, from 0 to below 1.
        generator: On the device of `x`.

    Returns:
        A tensor of the same shape, type and memory format.
    """
    kept = 1 - probability
    mask = torch.empty((len(x), *[1] * (x.dim() - 1)), dtype=x.dtype, device=x.device)
    return x * mask.bernoulli_(kept, generator=generator).div_(kept)


_NORMALISATION = ("mean", "variance", "scale", "shift")


class Network(nn.Module):
    """An architecture for inputs of one shape; every tensor of its state is named `node.role`.

    Weights are uninitialised until `evonas.network.inherit` fills them. Where gradient flows through a CPPN, the
    network holds the CPPN as `cppn`, and paints anew in every forward pass.

    Args:
        architecture: The phenotype.
        input_shape: `(channels, height, width)` or `(features,)`.
        n_outputs: Values the head puts out.

    Raises:
        ValueError: If a node cannot take what it is given.
    """

    def __init__(self, architecture: Architecture, input_shape: Shape, n_outputs: int) -> None:
        super().__init__()
        self.architecture = architecture
        self.layers = architecture.layout(input_shape, n_outputs)
        for layer in self.layers:
            self.add_module(layer.node.id, LayerModule(layer))
        self._through = [p for layer in self.layers for p in layer.parameters if p.paint and p.paint.mode == "through"]
        if (painter := architecture.painter) is not None:
            self.add_module(CPPN, NeuronNetwork(painter))
        self._n_readers = Counter(source for node in architecture.nodes for source in node.inputs)

    @property
    def described(self) -> dict[str, Parameter]:
        """The description of every tensor of its layers by name, painted ones too."""
        return {parameter.name: parameter for layer in self.layers for parameter in layer.parameters}

    @property
    def phenotype(self) -> Architecture:
        """What it was made of, as `evonas.network.built` takes it."""
        return self.architecture

    @property
    def n_outputs(self) -> int:
        """Values that the head puts out."""
        return self.layers[-1].target[0]

    @property
    def decayed(self) -> list[nn.Parameter]:
        """What weight decay is for: weights, not biases nor normalisations."""
        painter = self._modules.get(CPPN)
        return [
            *(one for one in self.parameters() if one.dim() > 1),
            *(painter.decayed if isinstance(painter, NeuronNetwork) else ()),
        ]

    @property
    def normalisations(self) -> list[LayerModule]:
        """The layers that keep running statistics."""
        return [module for module in self.children() if isinstance(module, LayerModule) and module.normalised]

    @property
    def paths(self) -> list[LayerModule]:
        """The layers that end a path of a cell, which may be dropped: those whose node has the attribute `path`."""
        layers = (module for module in self.children() if isinstance(module, LayerModule))
        return [layer for layer in layers if PATH in layer.node.settings]

    @property
    def recurrent(self) -> bool:
        """True if a layer carries a state from one time step to the next."""
        return any(node.operation == RECUR for node in self.architecture.nodes)

    def learned(self) -> dict[str, float]:
        """By marking the weights and biases of the CPPN that gradient flows through; empty where there is none."""
        painter = self._modules.get(CPPN)
        return painter.learned() if isinstance(painter, NeuronNetwork) else {}

    def painted(self) -> dict[str, dict[str, Tensor]]:
        """By node and role the tensors that are painted through the CPPN, as its weights now are."""
        found: dict[str, dict[str, Tensor]] = {}
        painter = self._modules.get(CPPN)
        for parameter in self._through:
            assert parameter.paint is not None
            assert isinstance(painter, NeuronNetwork)
            values = painted(parameter.paint, painter).reshape(parameter.shape)
            found.setdefault(parameter.node, {})[parameter.role] = values
        return found

    def forward(self, x: Tensor) -> Tensor:
        """Outputs `(batch, n_outputs)` for inputs `(batch, *input_shape)`.

        A recurrent network begins with a state of zeros and puts out `(batch, time, n_outputs)` for inputs
        `(batch, time, features)`, or for integers `(batch, time)`, which stand for one-hot vectors; a single time step
        `(batch, features)` is fine too.
        """
        return self._run(x, None)

    def step(self, x: Tensor, states: Mapping[str, State] | None = None) -> tuple[Tensor, dict[str, State]]:
        """Outputs as in `forward`, and the states behind them; a network holds none itself.

        Args:
            x: As in `forward`.
            states: Of every recurrent layer by its node's id, as an earlier call gave them; None: zeros.
        """
        states = dict(states or {})
        return self._run(x, states), states

    def _run(self, x: Tensor, states: dict[str, State] | None) -> Tensor:
        """The outputs; where states are given, they are replaced by those behind them."""
        left = dict(self._n_readers)
        painted = self.painted() if self._through else {}
        values: dict[str, Tensor] = {}
        for layer in self.layers:
            node = layer.node
            inputs = [values[source] for source in node.inputs] or [x]
            module = self._modules[node.id]
            if states is not None and node.operation == RECUR:
                x, states[node.id] = module.stepped(inputs, states.get(node.id))  # type: ignore[union-attr, operator]
            else:
                x = module(inputs, painted.get(node.id, _NOTHING))  # type: ignore[misc]
            values[node.id] = x
            for source in node.inputs:
                left[source] -= 1
                if not left[source]:
                    del values[source]
        return x
