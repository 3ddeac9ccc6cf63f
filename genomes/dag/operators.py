"""Mutation and crossover of the direct DAG encoding: each result is valid by construction.

These operators are ours; Irwin-Harris et al. 2019 define none. Insertions start as the identity or as zero, so that a
child begins with its parent's function; `widen` and `deepen` are offered only where that holds exactly (Net2Net, Chen,
Goodfellow & Shlens 2016, https://arxiv.org/abs/1511.05641, whose random copies we replace by zero input blocks).
A variation's `touched` names nodes: one whose inputs change counts as changed, and one that develops otherwise too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from genomes.architecture import CONCAT, IDENTITY_START, SUM, ZERO_START
from genomes.dag.flow import developed, flat_nodes, nonnegative, reaches
from genomes.dag.genome import OUTPUT, SOURCE, DagGenome, Edge, Gene, ordered
from genomes.encoding import Variation, uniform
from genomes.innovation import fresh_marking
from genomes.mutation import mutated
from genomes.operations import OPERATIONS as KINDS

if TYPE_CHECKING:
    from genomes.dag.encoding import Dag

T = TypeVar("T")
Operator = Callable[["Dag", "DagGenome", np.random.Generator], "Variation[DagGenome] | None"]
SHARE_TAKEN = 0.5
"""Part of the genes that only the second parent has which a crossover takes."""


def mutate(config: Dag, genome: DagGenome, *, rng: np.random.Generator) -> Variation[DagGenome]:
    """Apply one operator, drawn by weight among those that fit this genome.

    Raises:
        ValueError: If no operator of positive weight fits.
    """
    return _completed(config, genome, mutated(OPERATORS, config.mutation_weights, config, genome, rng=rng))


def crossover(config: Dag, a: DagGenome, b: DagGenome, *, rng: np.random.Generator) -> Variation[DagGenome]:
    """Align two genomes by their markings; `a` is the fitter.

    Matching nodes are taken from either parent at random and those that only `a` has are kept, as Stanley &
    Miikkulainen 2002 do. Unlike theirs, genes that only `b` has are taken too, each with probability ½, in marking
    order, where no cycle arises and the cap on nodes allows.
    """
    genes = {name: b.genes[name] if name in b.genes and rng.random() < 0.5 else gene for name, gene in a.genes.items()}
    edges = list(a.edges)
    taken = set()
    for name in sorted(set(b.genes) - set(a.genes)):
        if rng.random() < SHARE_TAKEN and len(genes) <= config.max_nodes:
            genes[name] = b.genes[name]
            taken.add(name)
    for edge in sorted(set(b.edges) - set(a.edges)):
        known = all(end in genes or end == SOURCE for end in edge)
        wanted = bool(taken & set(edge)) or rng.random() < SHARE_TAKEN
        if known and wanted and not reaches(edges, edge[1], edge[0]):
            edges.append(edge)
    child = ordered(genes, edges)
    changed = [
        name for name, gene in child.genes.items() if a.genes.get(name) != gene or a.inputs[name] != child.inputs[name]
    ]
    return _completed(config, a, Variation(child, "crossover", tuple(changed)))


def add_node(config: Dag, genome: DagGenome, rng: np.random.Generator) -> Variation[DagGenome] | None:
    """Add a branch beside an edge: a new node that reads the edge's source and feeds its target."""
    if len(genome.nodes) > config.max_nodes:
        return None
    source, target = _pick(genome.edges, rng)
    return _branch(config, genome, source, target, "add_node", _placeable(config, genome, source, target), rng)


def split_edge(config: Dag, genome: DagGenome, rng: np.random.Generator) -> Variation[DagGenome] | None:
    """Put a new node on an edge; where it has weights they start as the identity."""
    if len(genome.nodes) > config.max_nodes:
        return None
    source, target = edge = _pick(genome.edges, rng)
    gene = config.draw(uniform(rng), "new", _placeable(config, genome, source, target))
    if KINDS[gene.operation].parametric:
        activation = "relu" if source in nonnegative(genome) else gene.activation
        gene = gene._replace(width=0, stride=1, activation=activation, normalisation="none", start=IDENTITY_START)
    return _inserted(genome, gene, edge, "split_edge")


def deepen(config: Dag, genome: DagGenome, rng: np.random.Generator) -> Variation[DagGenome] | None:
    """Add a layer and keep the function exactly: on an edge after a ReLU as the identity, else as a zero branch."""
    if len(genome.nodes) > config.max_nodes:
        return None
    flat, rectified = flat_nodes(genome, config.input_shape), nonnegative(genome)
    for source, target in _shuffled(genome.edges, rng):
        words = [
            word for word in config.vocabulary if KINDS[word].parametric and (word == "linear") == (source in flat)
        ]
        if words and source in rectified:
            gene = config.draw(uniform(rng), "new", tuple(words))._replace(
                width=0, stride=1, activation="relu", normalisation="none", start=IDENTITY_START
            )
            return _inserted(genome, gene, (source, target), "deepen")
        if words and _branch_merge(config, genome, target) == SUM:
            return _branch(config, genome, source, target, "deepen", words, rng, width=0)
    return None


def widen(config: Dag, genome: DagGenome, rng: np.random.Generator) -> Variation[DagGenome] | None:
    """Give a node the next larger width where the function can be kept exactly."""
    shapes = config.develop(genome).shapes(config.input_shape)
    for name in _shuffled(_parametric(genome), rng):
        larger = [width for width in config.widths if width > shapes[name][0]]
        if larger and _widens_exactly(genome, name, shapes):
            return _changed(genome, name, "widen", width=larger[0])
    return None


def add_edge(config: Dag, genome: DagGenome, rng: np.random.Generator) -> Variation[DagGenome] | None:
    """Let a node read one more earlier node."""
    flat = flat_nodes(genome, config.input_shape)
    present = set(genome.edges)
    names = [SOURCE, *genome.genes]
    free = [
        (source, target)
        for at, source in enumerate(names)
        for target in names[at + 1 :]
        if (source, target) not in present and (source not in flat or target in flat or target == OUTPUT)
    ]
    if not free:
        return None
    edge = _pick(free, rng)
    return Variation(ordered(genome.genes, [*genome.edges, edge]), "add_edge", (edge[1],))


def remove_edge(config: Dag, genome: DagGenome, rng: np.random.Generator) -> Variation[DagGenome] | None:
    """Take away an edge whose ends stay connected without it."""
    readers = [source for source, _ in genome.edges]
    spare = [
        (source, target)
        for source, target in genome.edges
        if len(genome.inputs[target]) > 1 and (source == SOURCE or readers.count(source) > 1)
    ]
    if not spare:
        return None
    edge = _pick(spare, rng)
    kept = [other for other in genome.edges if other != edge]
    return Variation(ordered(genome.genes, kept), "remove_edge", (edge[1],))


def remove_node(config: Dag, genome: DagGenome, rng: np.random.Generator) -> Variation[DagGenome] | None:
    """Take a node out; what read it reads its inputs instead. At least one node stays."""
    if len(genome.nodes) <= 2:
        return None
    gone = _pick(_inner(genome), rng)
    edges: list[Edge] = []
    for source, target in genome.edges:
        if source == gone:
            edges += [(earlier, target) for earlier in genome.inputs[gone]]
        elif target != gone:
            edges.append((source, target))
    genes = {name: gene for name, gene in genome.genes.items() if name != gone}
    readers = [target for source, target in genome.edges if source == gone]
    return Variation(ordered(genes, dict.fromkeys(edges)), "remove_node", (gone, *readers))


def change_operation(config: Dag, genome: DagGenome, rng: np.random.Generator) -> Variation[DagGenome] | None:
    """Give a node another operation, one that develops differently there; its weights start afresh."""
    flat = flat_nodes(genome, config.input_shape)
    for name in _shuffled(_inner(genome), rng):
        gene = genome.genes[name]
        readers = [target for source, target in genome.edges if source == name]
        flattening = all(target in flat or target == OUTPUT for target in readers)
        behind_flat = not flat.isdisjoint(genome.inputs[name])
        words = [
            word
            for word in config.vocabulary
            if developed(word, behind_flat=behind_flat) != developed(gene.operation, behind_flat=behind_flat)
            and (word != "linear" or flattening)
        ]
        if words:
            word = _pick(words, rng)
            kernel = config.kernel_for(word, gene.kernel)
            return _changed(genome, name, "change_operation", operation=word, kernel=kernel, start="random")
    return None


def change_width(config: Dag, genome: DagGenome, rng: np.random.Generator) -> Variation[DagGenome] | None:
    """Give a node with weights another width."""
    return _change_column(genome, "width", lambda gene: config.widths, _parametric(genome), rng)


def change_kernel(config: Dag, genome: DagGenome, rng: np.random.Generator) -> Variation[DagGenome] | None:
    """Give a spatial node another kernel."""
    return _change_column(
        genome, "kernel", lambda gene: config.kernels_of(gene.operation), _spatial(config, genome), rng
    )


def change_stride(config: Dag, genome: DagGenome, rng: np.random.Generator) -> Variation[DagGenome] | None:
    """Give a spatial node another stride."""
    return _change_column(genome, "stride", lambda gene: config.strides, _spatial(config, genome), rng)


def change_activation(config: Dag, genome: DagGenome, rng: np.random.Generator) -> Variation[DagGenome] | None:
    """Give a node with weights another activation."""
    return _change_column(genome, "activation", lambda gene: config.activations, _parametric(genome), rng)


def change_normalisation(config: Dag, genome: DagGenome, rng: np.random.Generator) -> Variation[DagGenome] | None:
    """Give a node with weights another normalisation."""
    return _change_column(genome, "normalisation", lambda gene: config.normalisations, _parametric(genome), rng)


def change_merge(config: Dag, genome: DagGenome, rng: np.random.Generator) -> Variation[DagGenome] | None:
    """Merge the several inputs of a node the other way."""
    merging = [name for name, sources in genome.inputs.items() if len(sources) > 1]
    return _change_column(genome, "merge", lambda gene: config.merges, merging, rng)


OPERATORS: dict[str, Operator] = {
    operator.__name__: operator
    for operator in (
        add_node,
        split_edge,
        add_edge,
        remove_edge,
        remove_node,
        change_operation,
        change_width,
        change_kernel,
        change_stride,
        change_activation,
        change_normalisation,
        change_merge,
        widen,
        deepen,
    )
}
"""Every mutation operator by name: `(config, genome, rng) -> Variation`, or None where it does not fit the genome."""


def _completed(config: Dag, before: DagGenome, variation: Variation[DagGenome]) -> Variation[DagGenome]:
    """The variation whose `touched` also names old nodes that gained or lost the height and width they work on."""
    child = variation.genome
    turned = flat_nodes(before, config.input_shape) ^ flat_nodes(child, config.input_shape)
    others = (turned & before.genes.keys() & child.genes.keys()).difference(variation.touched)
    spatial = [name for name in child.genes if name in others and KINDS[child.genes[name].operation].spatial]
    return replace(variation, touched=(*variation.touched, *spatial))


def _pick(options: Sequence[T], rng: np.random.Generator) -> T:
    return options[int(rng.integers(len(options)))]


def _shuffled(options: Sequence[T], rng: np.random.Generator) -> list[T]:
    return [options[index] for index in rng.permutation(len(options))]


def _inner(genome: DagGenome) -> list[str]:
    return [gene.marking for gene in genome.nodes[:-1]]


def _parametric(genome: DagGenome) -> list[str]:
    return [name for name in _inner(genome) if KINDS[genome.genes[name].operation].parametric]


def _spatial(config: Dag, genome: DagGenome) -> list[str]:
    flat = flat_nodes(genome, config.input_shape)
    return [name for name in _inner(genome) if KINDS[genome.genes[name].operation].spatial and name not in flat]


def _changed(genome: DagGenome, name: str, operator: str, **columns: Any) -> Variation[DagGenome]:
    genes = {**genome.genes, name: genome.genes[name]._replace(**columns)}
    return Variation(DagGenome(tuple(genes.values()), genome.edges), operator, (name,))


def _change_column(
    genome: DagGenome,
    column: str,
    options: Callable[[Gene], Sequence[Any]],
    candidates: Sequence[str],
    rng: np.random.Generator,
) -> Variation[DagGenome] | None:
    for name in _shuffled(candidates, rng):
        gene = genome.genes[name]
        others = [option for option in options(gene) if option != getattr(gene, column)]
        if others:
            return _changed(genome, name, f"change_{column}", **{column: _pick(others, rng)})
    return None


def _inserted(genome: DagGenome, gene: Gene, edge: Edge, operator: str) -> Variation[DagGenome]:
    """The genome with a new node on an edge, at the edge's place among its target's inputs."""
    name = fresh_marking(genome.genes, "split", genome.edge_markings[edge])
    edges: list[Edge] = []
    for other in genome.edges:
        edges += [(edge[0], name), (name, edge[1])] if other == edge else [other]
    genes = {**genome.genes, name: gene._replace(marking=name)}
    return Variation(ordered(genes, edges), operator, (name, edge[1]))


def _branch(
    config: Dag,
    genome: DagGenome,
    source: str,
    target: str,
    operator: str,
    words: Sequence[str],
    rng: np.random.Generator,
    **columns: Any,
) -> Variation[DagGenome]:
    """The genome with a new node that reads `source` and feeds `target` last.

    Into a sum it starts from zero. Into a concatenation it starts at random: there it is what reads it whose new
    input block starts from zero, and two zeros in a row would never learn.
    """
    gene = config.draw(uniform(rng), "new", tuple(words))._replace(stride=1, **columns)
    genes = dict(genome.genes)
    merge = _branch_merge(config, genome, target)
    genes[target] = genes[target]._replace(merge=merge)
    if merge == SUM:
        gene = gene._replace(start=ZERO_START)
    name = fresh_marking(genes, "branch", genome.edge_markings[source, target])
    genes[name] = gene._replace(marking=name)
    edges = [*genome.edges, (source, name), (name, target)]
    return Variation(ordered(genes, edges), operator, (name, target))


def _branch_merge(config: Dag, genome: DagGenome, target: str) -> str:
    """How a node merges a new branch with what it reads already: its own way, or a sum where it read only one."""
    if len(genome.inputs[target]) > 1:
        return genome.genes[target].merge
    return SUM if SUM in config.merges else CONCAT


def _placeable(config: Dag, genome: DagGenome, source: str, target: str) -> tuple[str, ...]:
    """Operations for a node between two others that flatten nothing which still has height and width."""
    flat = flat_nodes(genome, config.input_shape)
    if target in flat or target == OUTPUT:
        return config.vocabulary
    return tuple(word for word in config.vocabulary if word != "linear") or ("identity",)


def _widens_exactly(genome: DagGenome, widened: str, shapes: dict[str, tuple[int, ...]]) -> bool:
    """True if new channels at the end of a node's output reach weights without touching channels that were there.

    Growth is followed downstream until weights with a width of their own absorb it. It must not shift channels before a
    sum, nor add to channels that another input of the sum already fills.
    """
    at_end, inside = {widened}, set[str]()
    for name, sources in genome.inputs.items():
        gene = genome.genes[name]
        growing = [source for source in sources if source in at_end or source in inside]
        if not growing or name == widened:
            continue
        shifted = any(source in inside for source in growing)
        if len(sources) > 1 and gene.merge == CONCAT:
            shifted = shifted or growing != [sources[-1]]
        elif len(sources) > 1:
            widest = max(shapes[source][0] for source in sources)
            if shifted or any(shapes[source][0] < widest for source in growing):
                return False
        if gene.operation == "head" or (gene.width and KINDS[gene.operation].parametric):
            if gene.start == IDENTITY_START:
                return False
        elif shifted and (gene.start == IDENTITY_START or not KINDS[gene.operation].parametric):
            inside.add(name)
        else:
            at_end.add(name)
    return True
