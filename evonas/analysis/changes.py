"""What a variation changed in the phenotype: two architectures node by node, or two graphs of neurons."""

from collections.abc import Iterable
from dataclasses import dataclass

from genomes.architecture import Architecture, Node
from genomes.encoding import Phenotype

CONNECTION = "connection"
"""The operation of a connection between neurons, where it is told of as a node."""


@dataclass(frozen=True)
class Change:
    """What is not the same in two architectures. By the law of ids, the same id is the same place.

    Attributes:
        added: Nodes that only the second has.
        removed: Nodes that only the first has.
        changed: Nodes of both, before and after, whose operation or attributes differ.
        rewired: Nodes of both that are otherwise the same but read others, or merge them in another way.
    """

    added: tuple[Node, ...]
    removed: tuple[Node, ...]
    changed: tuple[tuple[Node, Node], ...]
    rewired: tuple[tuple[Node, Node], ...]

    @property
    def nothing(self) -> bool:
        """True if the two are the same."""
        return not (self.added or self.removed or self.changed or self.rewired)


def change(before: Phenotype, after: Phenotype) -> Change:
    """What differs between a parent's phenotype and its child's, in the order of the nodes.

    Of neurons and of connections each is a node: its operation is the neuron's activation, or `CONNECTION`.
    """
    ours, theirs = _by_id(_nodes(before)), _by_id(_nodes(after))
    shared = [(ours[name], node) for name, node in theirs.items() if name in ours]
    changed = tuple(pair for pair in shared if _kind(pair[0]) != _kind(pair[1]))
    return Change(
        tuple(node for name, node in theirs.items() if name not in ours),
        tuple(node for name, node in ours.items() if name not in theirs),
        changed,
        tuple(pair for pair in shared if pair not in changed and _wiring(pair[0]) != _wiring(pair[1])),
    )


def _nodes(phenotype: Phenotype) -> Iterable[Node]:
    if isinstance(phenotype, Architecture):
        return phenotype.nodes
    columns = zip(
        phenotype.ids,
        phenotype.activations,
        phenotype.aggregations,
        phenotype.biases,
        phenotype.responses,
        strict=True,
    )
    neurons = [
        Node(id, activation, (("aggregation", aggregation), ("bias", bias), ("response", response)))
        for id, activation, aggregation, bias, response in columns
    ]
    weights = zip(phenotype.markings, phenotype.weights, strict=True)
    return [*neurons, *(Node(marking, CONNECTION, (("weight", weight),)) for marking, weight in weights)]


def _by_id(nodes: Iterable[Node]) -> dict[str, Node]:
    return {node.id: node for node in nodes}


def _kind(node: Node) -> tuple[object, ...]:
    return node.operation, node.attributes


def _wiring(node: Node) -> tuple[object, ...]:
    return node.inputs, node.merge if len(node.inputs) > 1 else ""
