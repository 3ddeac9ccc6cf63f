"""From a substrate and a CPPN to an architecture with painted weights."""

import math
from dataclasses import dataclass

from genomes.architecture import Architecture, Node
from genomes.hyperneat.substrate import Connection, Substrate, origin
from genomes.neurons import NeuronGraph
from genomes.operations import HEAD, INPUT
from genomes.painting import Mode, Paint, Sheet, n_queries

OUTPUT = "output"
"""Id of the last layer."""


@dataclass(frozen=True)
class Rule:
    """How a CPPN's answers become weights.

    Attributes:
        queries: What it is asked with, keys of `genomes.painting.QUERIES`.
        threshold: See `genomes.painting.Paint`.
        scale: The largest weight.
        fan_in: True if the scale is divided by the root of the number of values that a place reads.
        expression: True if outputs of their own express connections (LEO).
        biases: True if outputs of their own paint the biases.
        separate: True if every pair of layers has outputs of its own.
        mode: See `genomes.painting.Paint`.
        activation: Of hidden layers, a word of `genomes.operations.ACTIVATIONS`.
    """

    queries: tuple[str, ...]
    threshold: float
    scale: float
    fan_in: bool
    expression: bool
    biases: bool
    separate: bool
    mode: Mode
    activation: str

    def n_inputs(self, substrate: Substrate) -> int:
        """Values that the CPPN is asked with."""
        return n_queries(self.queries, substrate.n_dimensions)

    def n_outputs(self, substrate: Substrate) -> int:
        """Values that it is asked for: the weights, then what expresses them, then the biases."""
        return self.n_pairs(substrate) * (1 + self.expression + self.biases)

    def n_pairs(self, substrate: Substrate) -> int:
        """Pairs of layers that have outputs of their own."""
        return len(substrate.convs) if self.separate else 1


def developed(cppn: NeuronGraph, substrate: Substrate, rule: Rule) -> Architecture:
    """The architecture of a substrate, one node a layer; all its weights are painted.

    Biases are painted as the weights from the place in the middle of the layer before.

    Args:
        cppn: Of `rule.n_inputs` inputs and `rule.n_outputs` outputs.
        substrate: The layers.
        rule: How answers become weights.
    """
    nodes = [Node(INPUT, INPUT)]
    connections = substrate.connections()
    for at, connection in enumerate(connections):
        last = at + 1 == len(connections)
        first = substrate.image if at == 0 else connections[at - 1].conv is not None
        if first and connection.conv is None:
            nodes.append(Node("flatten", "flatten", (), (nodes[-1].id,)))
        operation = HEAD if last else "linear" if connection.conv is None else "conv"
        paints = _paints(cppn, connection, at, operation, substrate, rule)
        attributes = _attributes(connection, operation, rule)
        name = OUTPUT if last else f"hidden-{at}"
        nodes.append(Node(name, operation, attributes, (nodes[-1].id,), paints=paints))
    return Architecture(tuple(nodes))


def _attributes(connection: Connection, operation: str, rule: Rule) -> tuple[tuple[str, object], ...]:
    found: dict[str, object] = {} if rule.biases else {"bias": "none"}
    if operation != HEAD:
        found |= {"activation": rule.activation, "normalisation": "none", "width": len(connection.targets.places)}
    if connection.conv is not None:
        found |= {"kernel": connection.conv.kernel, "stride": connection.conv.stride}
    return tuple(sorted(found.items()))


def _paints(
    cppn: NeuronGraph, connection: Connection, at: int, operation: str, substrate: Substrate, rule: Rule
) -> tuple[tuple[str, Paint], ...]:
    n = rule.n_pairs(substrate)
    output = at if rule.separate else 0
    expression = n + output if rule.expression else None
    n_read = len(connection.sources.places)
    scale = rule.scale / math.sqrt(n_read) if rule.fan_in else rule.scale

    def paint(sources: Sheet, output: int, expression: int | None) -> Paint:
        targets, threshold = connection.targets, rule.threshold
        return Paint(cppn, sources, targets, rule.queries, output, expression, threshold, scale, rule.mode)

    found = [(f"{operation}/weight", paint(connection.sources, output, expression))]
    if rule.biases:
        n_axes, depth = substrate.n_dimensions - substrate.deep, substrate.depth(at) if substrate.deep else None
        place = n * (1 + rule.expression) + output
        found.append((f"{operation}/bias", paint(origin(n_axes, depth), place, None)))
    return tuple(sorted(found))
