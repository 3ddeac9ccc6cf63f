"""The direct encoding: one gene a node and one an edge, in any directed acyclic graph of operations.

In the manner of Irwin-Harris, Sun, Xue & Zhang 2019 (https://doi.org/10.1109/cec.2019.8790093): arbitrary connectional
structure, unbounded depth (here under the stated cap `max_nodes`), and a random generator. That paper defines no
mutation and no crossover: those of `genomes/dag/operators.py` are ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from genomes.architecture import MERGES, Architecture, Node
from genomes.dag import operators
from genomes.dag.flow import developed, flat_nodes
from genomes.dag.genome import (
    MAX_NODES,
    OPERATIONS,
    OUTPUT,
    SOURCE,
    DagGenome,
    Edge,
    Gene,
    checked,
    in_limits,
    limits,
    ordered,
)
from genomes.encoding import POINTER, Decide, Variation
from genomes.innovation import fresh_marking
from genomes.mutation import weights_of
from genomes.operations import ACTIVATIONS, HEAD, INPUT, NORMALISATIONS, Shape
from genomes.operations import OPERATIONS as KINDS
from genomes.reading import check_kind
from genomes.words import meant

USUAL = dict.fromkeys(operators.OPERATORS, 1.0)
"""How often each operator is tried."""


@dataclass(frozen=True)
class Dag:
    """Configuration of the direct DAG encoding.

    Attributes:
        name: The word for it in a spec.
        operations: Operations a node may have. None: all, or `linear` and `identity` where the input is a vector.
        kernels: Kernel sides in pixels; operations other than `conv` take 3 or more.
        widths: Channels a node may put out, ascending.
        strides: Strides a sampled node may have.
        activations: Words of `genomes.operations.ACTIVATIONS`.
        normalisations: Words of `genomes.operations.NORMALISATIONS`.
        merges: `sum`, `concat` or both.
        min_nodes: Nodes every sampled genome has.
        max_sampled: Nodes a sampled genome has at most.
        max_nodes: The cap on nodes that evolution may reach.
        input_shape: `(channels, height, width)` or `(features,)`; a campaign sets it from its task.
        mutations: How often each operator is tried, by its name; what is absent has weight 1, a 0 forbids it.

    Raises:
        ValueError: If a choice is empty, unknown or out of range.
    """

    name: Literal["dag"] = "dag"
    operations: tuple[str, ...] | None = None
    kernels: tuple[int, ...] = (1, 3, 5)
    widths: tuple[int, ...] = (8, 16, 24, 32, 48, 64)
    strides: tuple[int, ...] = (1, 2)
    activations: tuple[str, ...] = ("relu", "silu")
    normalisations: tuple[str, ...] = ("batch", "none")
    merges: tuple[str, ...] = MERGES
    min_nodes: int = 2
    max_sampled: int = 8
    max_nodes: int = 32
    input_shape: tuple[int, ...] = (3, 32, 32)
    mutations: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        known = {
            "activations": ACTIVATIONS,
            "normalisations": NORMALISATIONS,
            "merges": MERGES,
            "operations": OPERATIONS,
        }
        for field, words in known.items():
            chosen = getattr(self, field)
            if chosen is not None and (not chosen or (unknown := [w for w in chosen if w not in words])):
                got, mend = unknown if chosen else "none", meant(chosen, words, "correct or remove it")
                raise ValueError(f"{field}: expected some of {', '.join(words)}, got {got}; {mend}")
        for column in ("kernel", "width", "stride"):
            got = list(getattr(self, f"{column}s"))
            if not got or 0 in got or not all(in_limits(column, value) for value in got):
                raise ValueError(f"{column}s: expected each to be {limits(column)} and not 0, got {got}; correct them")
        if list(self.widths) != sorted(set(self.widths)):
            raise ValueError(f"widths: expected ascending numbers, each once, got {list(self.widths)}; sort them")
        if max(self.kernels) < 3:
            raise ValueError(f"kernels: expected one of 3 or more, got {list(self.kernels)}; add 3")
        if len(self.input_shape) not in (1, 3) or min(self.input_shape) < 1:
            expected = "(channels, height, width) or (features,)"
            raise ValueError(f"input_shape: expected {expected}, got {self.input_shape}; reshape the data")
        if not 1 <= self.min_nodes <= self.max_sampled <= self.max_nodes:
            got = f"{self.min_nodes}, {self.max_sampled}, {self.max_nodes}"
            raise ValueError(f"min_nodes, max_sampled, max_nodes: expected 1 <= each <= the next, got {got}")
        if self.max_nodes >= MAX_NODES:
            raise ValueError(f"max_nodes: expected less than {MAX_NODES:,}, got {self.max_nodes:,}; lower it")
        if len(self.input_shape) == 1 and any(KINDS[word].spatial for word in self.operations or ()):
            raise ValueError(
                f"operations: expected linear and identity for an input of shape {self.input_shape}, got "
                f"{', '.join(self.operations or ())}; a vector has no height and width"
            )
        weights_of(self.mutations, USUAL)

    @property
    def mutation_weights(self) -> dict[str, float]:
        """The weight of every mutation operator."""
        return weights_of(self.mutations, USUAL)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The operations in force."""
        return self.operations or (("linear", "identity") if len(self.input_shape) == 1 else OPERATIONS)

    @property
    def columns(self) -> dict[str, tuple[Any, ...]]:
        """What each column of a node may hold, but for its operation."""
        return {
            "kernel": self.kernels,
            "width": self.widths,
            "stride": self.strides,
            "activation": self.activations,
            "normalisation": self.normalisations,
            "merge": self.merges,
        }

    @property
    def decisions(self) -> Mapping[str, int]:
        """The kinds of decision `sample` takes and their option counts."""
        counts = {word: len(options) for word, options in self.columns.items()}
        return {"more": 2, "operation": len(self.vocabulary), "more_inputs": 2, "earlier": POINTER, **counts}

    @property
    def abilities(self) -> frozenset[str]:
        """None beyond what every encoding can do."""
        return frozenset()

    def for_task(self, input_shape: Shape, n_outputs: int) -> "Dag":
        """The same encoding for a task's input.

        Raises:
            ValueError: If the operations asked for cannot read it.
        """
        return replace(self, input_shape=tuple(input_shape))

    def sample(self, decide: Decide, *, rng: np.random.Generator) -> DagGenome:
        """Make a random genome: each node reads some earlier ones, the output all that nobody reads."""
        genes: list[Gene] = []
        edges: list[Edge] = []
        earlier = [SOURCE]
        while len(genes) < self.min_nodes or (len(genes) < self.max_sampled and decide(("more", len(genes)), 2)):
            at = len(genes)
            drawn = self.draw(decide, at)
            chosen = [earlier[decide(("earlier", at, 0), len(earlier))]]
            while len(chosen) < len(earlier) and decide(("more_inputs", at, len(chosen)), 2):
                left = [name for name in earlier if name not in chosen]
                chosen.append(left[decide(("earlier", at, len(chosen)), len(left))])
            name = fresh_marking(earlier, "node", drawn.operation, *sorted(chosen))
            genes.append(drawn._replace(marking=name))
            edges += [(source, name) for source in chosen]
            earlier.append(name)
        read = {source for source, _ in edges}
        edges += [(gene.marking, OUTPUT) for gene in genes if gene.marking not in read]
        output = Gene(OUTPUT, HEAD, merge=self.merges[decide(("merge", "output"), len(self.merges))])
        return ordered({gene.marking: gene for gene in (*genes, output)}, edges)

    def draw(self, decide: Decide, at: str | int, operations: tuple[str, ...] | None = None) -> Gene:
        """A gene whose every column is decided; its marking is left empty.

        Args:
            decide: As in `sample`.
            at: The position part of the sites.
            operations: What to choose from instead of the vocabulary.
        """
        words = operations or self.vocabulary
        operation = words[decide(("operation", at), len(words))]
        row: dict[str, Any] = {
            word: options[decide((word, at), len(options))] for word, options in self.columns.items()
        }
        return Gene("", operation, **{**row, "kernel": self.kernel_for(operation, row["kernel"])})

    def kernel_for(self, operation: str, kernel: int) -> int:
        """The kernel nearest to one asked for that an operation may have."""
        return min(self.kernels_of(operation), key=lambda option: abs(option - kernel))

    def kernels_of(self, operation: str) -> tuple[int, ...]:
        """Kernel sides that mean something to an operation: only a convolution has 1×1."""
        return tuple(kernel for kernel in self.kernels if kernel > 1 or operation == "conv")

    def mutate(self, genome: DagGenome, *, rng: np.random.Generator) -> Variation[DagGenome]:
        """Apply one operator, drawn by weight among those that fit this genome."""
        return operators.mutate(self, genome, rng=rng)

    def crossover(self, a: DagGenome, b: DagGenome, *, rng: np.random.Generator) -> Variation[DagGenome]:
        """Align two genomes by their markings; `a` is the fitter."""
        return operators.crossover(self, a, b, rng=rng)

    def develop(self, genome: DagGenome) -> Architecture:
        """The genome's architecture; ids are markings.

        Behind a `linear` node the values have no height and width: there a convolution is developed as the `linear`
        it amounts to, and a pool as `identity`, so that every graph is valid.
        """
        flat = flat_nodes(genome, self.input_shape)
        nodes = [Node(SOURCE, INPUT)]
        for gene in genome.nodes:
            sources = tuple(genome.inputs[gene.marking])
            operation = developed(gene.operation, behind_flat=not flat.isdisjoint(sources))
            attributes = tuple((column, getattr(gene, column)) for column in _USED[operation])
            nodes.append(Node(gene.marking, operation, attributes, sources, gene.merge))
        return Architecture(tuple(nodes))

    def distance(self, a: DagGenome, b: DagGenome) -> float:
        """Genes not shared over all genes (0 to 1), plus the mean part of columns that differ in shared nodes.

        What a node reads, in order, counts as one column more.
        """
        ours, theirs = set(a.markings), set(b.markings)
        apart = len(ours ^ theirs) / len(ours | theirs)
        shared = [name for name in a.genes if name in b.genes]
        rows = ([(*genome.genes[name], tuple(genome.inputs[name])) for name in shared] for genome in (a, b))
        differing = [x != y for ours, theirs in zip(*rows, strict=True) for x, y in zip(ours, theirs, strict=True)]
        return apart + sum(differing) / len(differing)

    def to_json(self, genome: DagGenome) -> dict[str, Any]:
        """The genome as versioned JSON."""
        return {
            "encoding": "dag",
            "version": 1,
            "nodes": [list(gene) for gene in genome.nodes],
            "edges": [list(edge) for edge in genome.edges],
        }

    def from_json(self, data: Mapping[str, Any]) -> DagGenome:
        """The genome that `to_json` wrote.

        Raises:
            ValueError: If it is another kind or version of genome, a value is out of range, or its graph is not whole.
        """
        check_kind(data, "dag")
        try:
            return checked(data["nodes"], data["edges"])
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"expected the nodes and edges of a dag genome: {error}; use what `to_json` wrote"
            ) from None


_LAYER = ("activation", "normalisation", "start", "width")
_CONVOLUTION = ("activation", "kernel", "normalisation", "start", "stride", "width")
_USED: dict[str, tuple[str, ...]] = {
    "conv": _CONVOLUTION,
    "dilated": _CONVOLUTION,
    "separable": _CONVOLUTION,
    "max_pool": ("kernel", "stride"),
    "avg_pool": ("kernel", "stride"),
    "identity": (),
    "linear": _LAYER,
    HEAD: (),
}
"""The columns each operation reads."""
