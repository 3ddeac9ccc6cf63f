"""The memory that an architecture needs at its peak, counted without torch: the same number on every machine."""

import math

from genomes.architecture import Architecture, Layer
from genomes.neurons import NeuronGraph
from genomes.operations import Shape

FLOAT32_BYTES = 4
BATCH = 64
"""Examples in the forward pass that memory is counted for, unless told otherwise."""


def peak_memory(phenotype: Architecture | NeuronGraph, input_shape: Shape, n_outputs: int, batch: int = BATCH) -> int:
    """Bytes of all tensors, and of the most activations alive at once in a forward pass, in float32.

    Nodes are walked in their order; each one's output lives until its last reader is done, as in
    `evonas.network.Network.forward`, and an `identity` of one input passes the tensor on without a copy. What an
    operation needs beside its input and output (a merged input, a workspace, gradients) is not counted. Of neurons, the
    values of all are alive.

    Args:
        phenotype: What to count.
        input_shape: `(channels, height, width)` or `(features,)`.
        n_outputs: Outputs of the head.
        batch: Examples in the forward pass.

    Raises:
        ValueError: Naming the node that cannot take what it is given.
    """
    if isinstance(phenotype, NeuronGraph):
        values = phenotype.n_inputs + len(phenotype.ids)
        return FLOAT32_BYTES * (phenotype.n_parameters(input_shape, n_outputs) + batch * values)
    layers = phenotype.layout(input_shape, n_outputs)
    weights = sum(math.prod(parameter.shape) for layer in layers for parameter in layer.parameters)
    return FLOAT32_BYTES * (weights + batch * _most_alive(layers))


def _most_alive(layers: tuple[Layer, ...]) -> int:
    """Values of one example that are alive at once, at most."""
    sizes: dict[str, int] = {}
    held: dict[str, int] = {}
    owners: dict[str, str] = {}
    left = {layer.node.id: 0 for layer in layers}
    for layer in layers:
        for source in layer.node.inputs:
            left[source] += 1
    most = 0
    for layer in layers:
        node = layer.node
        owner = owners[node.inputs[0]] if _passes_on(layer) else node.id
        owners[node.id] = owner
        held[owner] = held.get(owner, 0) + 1
        sizes.setdefault(owner, math.prod(layer.target))
        most = max(most, sum(sizes[name] for name in held))
        for source in node.inputs:
            left[source] -= 1
            if not left[source]:
                held[owners[source]] -= 1
                if not held[owners[source]]:
                    del held[owners[source]]
    return most


def _passes_on(layer: Layer) -> bool:
    """True where the output is the input's own tensor."""
    node = layer.node
    passes = node.operation == "identity" and node.settings.get("activation", "none") == "none"
    return passes and len(node.inputs) == 1
