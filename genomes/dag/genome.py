"""What the direct DAG encoding evolves: columns of node genes and edges."""

import heapq
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from functools import cached_property
from reprlib import repr as shortened
from typing import Any, NamedTuple

from genomes.architecture import IDENTITY_START, MERGES, ZERO_START
from genomes.innovation import marking
from genomes.operations import ACTIVATIONS, HEAD, NORMALISATIONS

Edge = tuple[str, str]
SOURCE, OUTPUT = "input", "output"
"""The markings of the two ends, which every genome has."""
OPERATIONS = ("conv", "separable", "dilated", "max_pool", "avg_pool", "identity", "linear")
"""What a node between the ends may do."""
LIMITS = {"kernel": (1, 255), "width": (0, 65_536), "stride": (1, 255)}
"""The least and the most a column of numbers may hold."""
MAX_NODES, MAX_EDGES, MAX_MARKING = 4_096, 65_536, 64
"""Nodes and edges that a genome from outside may have, and characters of a marking."""
_MARKING = re.compile(f"[0-9a-f]{{1,{MAX_MARKING}}}")
_SHOWN = 8
_WORDS = {
    "activation": ACTIVATIONS,
    "normalisation": NORMALISATIONS,
    "merge": MERGES,
    "start": ("random", IDENTITY_START, ZERO_START),
}


class Gene(NamedTuple):
    """One node. What its operation does not use is carried along silently.

    Attributes:
        marking: Its historical marking.
        operation: A word of `OPERATIONS`, or `head` on the output.
        kernel: Side of the kernel in pixels, odd.
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

    The order of the edges into a node is the order of its inputs: the first is the principal one. All else about the
    order follows from the markings (`ordered`): the same genes make the same genome in whatever order they came.
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


def in_limits(column: str, value: object) -> bool:
    """True if a column of numbers may hold this value."""
    least, most = LIMITS[column]
    return type(value) is int and least <= value <= most and (column != "kernel" or value % 2 == 1)


def limits(column: str) -> str:
    """What a column of numbers may hold, in words."""
    least, most = LIMITS[column]
    return f"{'an odd' if column == 'kernel' else 'a whole'} number from {least} to {most}"


def ordered(genes: Mapping[str, Gene], edges: Iterable[Edge]) -> DagGenome:
    """A genome of these genes in topological order, without those that feed nothing or are fed by nothing.

    Args:
        genes: Nodes by marking.
        edges: Without a cycle; the order of those into one node is kept.
    """
    given = list(edges)
    ahead: dict[str, list[str]] = defaultdict(list)
    behind: dict[str, list[str]] = defaultdict(list)
    for source, target in given:
        ahead[source].append(target)
        behind[target].append(source)
    inner = genes.keys() - {OUTPUT}
    alive = (_reached(SOURCE, ahead, inner) & _reached(OUTPUT, behind, inner)) | {SOURCE, OUTPUT}
    kept = [(source, target) for source, target in given if source in alive and target in alive]
    waiting = {name: sum(source in alive for source in behind[name]) for name in alive - {SOURCE}}
    nodes: list[Gene] = []
    placed = [SOURCE]
    while placed:
        # Of those that are ready, the first by name; the output is ready only after all that lead to it.
        name = heapq.heappop(placed)
        if name != SOURCE:
            nodes.append(genes[name])
        for target in ahead[name]:
            if target in waiting:
                waiting[target] -= 1
                if not waiting[target] and target != OUTPUT:
                    heapq.heappush(placed, target)
    nodes.append(genes[OUTPUT])
    at = {gene.marking: place for place, gene in enumerate(nodes)}
    return DagGenome(tuple(nodes), tuple(sorted(kept, key=lambda edge: at[edge[1]])))


def _reached(start: str, steps: Mapping[str, list[str]], within: Set[str]) -> set[str]:
    """The nodes of a set that steps lead to from a start."""
    found: set[str] = set()
    frontier = [start]
    while frontier:
        fresh = within & set(steps.get(frontier.pop(), ())) - found
        found |= fresh
        frontier += fresh
    return found


def checked(genes: Iterable[Iterable[Any]], edges: Iterable[Iterable[Any]]) -> DagGenome:
    """A genome of rows that come from outside.

    Args:
        genes: The columns of every node, in topological order with the output last.
        edges: `(source, target)` by marking.

    Raises:
        ValueError: In one line, if there are too many rows, a value is out of range, a marking appears twice, or the
            graph is not whole.
    """
    for name, rows, most in (("nodes", genes, MAX_NODES), ("edges", edges, MAX_EDGES)):
        if not isinstance(rows, (list, tuple)) or len(rows) > most:
            got = f"{len(rows):,}" if isinstance(rows, (list, tuple)) else type(rows).__name__
            raise ValueError(f"{name}: expected a list of at most {most:,}, got {got}; correct the genome")
    nodes = tuple(_checked_gene(row) for row in genes)
    known = {SOURCE, *(gene.marking for gene in nodes)}
    if len(known) <= len(nodes) or not nodes or nodes[-1].marking != OUTPUT:
        got = _listed([gene.marking for gene in nodes])
        raise ValueError(f"nodes: expected every marking once, `{OUTPUT}` last and no `{SOURCE}`, got {got}")
    pairs: dict[Edge, None] = {}
    for source, target in map(_checked_edge, edges):
        if not known.issuperset((source, target)) or target == SOURCE or (source, target) in pairs:
            ends = f"{source[:MAX_MARKING]!a} to {target[:MAX_MARKING]!a}"
            raise ValueError(f"edge {ends}: expected two nodes of the genome, and once; remove it")
        pairs[source, target] = None
    genome = DagGenome(nodes, tuple(pairs))
    before = {SOURCE}
    for gene in nodes:
        if not genome.inputs[gene.marking] or not before.issuperset(genome.inputs[gene.marking]):
            got = _listed(genome.inputs[gene.marking])
            raise ValueError(f"node {gene.marking} ({gene.operation}): expected inputs that come before it, got {got}")
        before.add(gene.marking)
    if idle := before - {SOURCE, OUTPUT} - {source for source, _ in pairs}:
        raise ValueError(f"node {min(idle)}: expected a reader, got none; remove it or add an edge")
    return ordered(genome.genes, genome.edges)


def _checked_edge(row: Iterable[Any]) -> Edge:
    ends = tuple(row)
    if len(ends) != 2 or not all(isinstance(end, str) for end in ends):
        raise ValueError(f"edges: expected each to be a source and a target, got {shortened(ends)}; correct it")
    return ends[0], ends[1]


def _checked_gene(row: Iterable[Any]) -> Gene:
    gene = Gene(*row)
    if not isinstance(gene.marking, str) or not (gene.marking in (SOURCE, OUTPUT) or _MARKING.fullmatch(gene.marking)):
        expected = f"its marking, 1 to {MAX_MARKING} hexadecimal digits"
        raise ValueError(f"node {shortened(gene.marking)}: expected {expected}; correct the genome")
    for column, words in {**_WORDS, "operation": (HEAD,) if gene.marking == OUTPUT else OPERATIONS}.items():
        if (value := getattr(gene, column)) not in words:
            expected = f"{column} to be one of {', '.join(words)}"
            raise ValueError(f"node {gene.marking}: expected {expected}, got {shortened(value)}")
    for column in LIMITS:
        if not in_limits(column, value := getattr(gene, column)):
            raise ValueError(f"node {gene.marking}: expected {column} to be {limits(column)}, got {shortened(value)}")
    return gene


def _listed(names: list[str]) -> str:
    """Some names, for a message."""
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more or "none"
