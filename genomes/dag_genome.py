"""What the direct DAG encoding evolves: columns of node genes and edges."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from genomes.innovation import marking

Edge = tuple[str, str]
SOURCE, OUTPUT = "input", "output"
"""The markings of the two ends, which every genome has."""


class Gene(NamedTuple):
    """One node. What its operation does not use is carried along silently.

    Attributes:
        marking: Its historical marking.
        operation: A word of `OPERATIONS`, or `head` on the output.
        kernel: Side of the kernel in pixels.
        width: Channels it puts out; 0 for as many as come in.
        stride: 1 or more.
        activation: A word of `genomes.operations.ACTIVATIONS`.
        normalisation: A word of `genomes.operations.NORMALISATIONS`.
        merge: `sum` or `concat`.
        start: How weights begin that no parent leaves: `random`, `identity` or `zero`.
    """

    marking: str
    operation: str
    kernel: int = 3
    width: int = 0
    stride: int = 1
    activation: str = "none"
    normalisation: str = "none"
    merge: str = "sum"
    start: str = "random"


@dataclass(frozen=True)
class DagGenome:
    """Nodes in topological order with the output last, and edges `(source, target)`.

    The order of the edges into a node is the order of its inputs: the first is the principal one.
    """

    nodes: tuple[Gene, ...]
    edges: tuple[Edge, ...]

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits over all genes."""
        return marking(json.dumps([self.nodes, self.edges]))

    @cached_property
    def genes(self) -> dict[str, Gene]:
        """The nodes by marking."""
        return {gene.marking: gene for gene in self.nodes}

    @cached_property
    def inputs(self) -> dict[str, list[str]]:
        """The markings each node reads, the principal one first."""
        found: dict[str, list[str]] = {gene.marking: [] for gene in self.nodes}
        for source, target in self.edges:
            found[target].append(source)
        return found

    @cached_property
    def markings(self) -> tuple[str, ...]:
        """The marking of every gene, nodes then edges."""
        return (*self.genes, *self.edge_markings.values())

    @cached_property
    def edge_markings(self) -> dict[Edge, str]:
        """The historical marking of every edge."""
        return {edge: marking("edge", *edge) for edge in self.edges}

    def __deepcopy__(self, memo: dict[int, Any]) -> "DagGenome":
        return self


def ordered(genes: Mapping[str, Gene], edges: Iterable[Edge]) -> DagGenome:
    """A genome of these genes in topological order, without those that feed nothing or are fed by nothing.

    Args:
        genes: Nodes by marking; their order breaks ties.
        edges: Without a cycle; their order is kept.
    """
    kept = list(edges)
    while True:
        fed, read = {SOURCE, *(target for _, target in kept)}, {OUTPUT, *(source for source, _ in kept)}
        alive = {SOURCE, *(name for name in genes if name in fed and name in read)}
        left = [(source, target) for source, target in kept if source in alive and target in alive]
        if len(left) == len(kept):
            break
        kept = left
    waiting = {name: {source for source, target in kept if target == name} for name in genes if name in alive}
    placed = {SOURCE}
    nodes: list[Gene] = []
    while waiting:
        ready = (name for name, sources in waiting.items() if sources <= placed)
        free = next((name for name in ready if name != OUTPUT), OUTPUT)
        nodes.append(genes[free])
        placed.add(free)
        del waiting[free]
    return DagGenome(tuple(nodes), tuple(kept))
