"""Mutation and crossover of cells: Real, Aggarwal, Huang & Le 2019 (https://arxiv.org/abs/1802.01548), section 3.2.

One mutation a child: the identity, or one cell, one of its blocks and one of the block's two elements, whose hidden
state or operation is replaced. Ours: the mutation of how a block combines its results, which their space lacks, and the
crossover.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from genomes.cell.genome import KINDS, LEFT, N_INPUTS, RIGHT, Block, Blocks, CellGenome, gene
from genomes.encoding import Variation
from genomes.mutation import mutated

if TYPE_CHECKING:
    from genomes.cell.encoding import Cell

Operator = Callable[["Cell", CellGenome, np.random.Generator], "Variation[CellGenome] | None"]


def mutate(config: Cell, genome: CellGenome, *, rng: np.random.Generator) -> Variation[CellGenome]:
    """Apply one operator, drawn by weight among those that fit this genome.

    Raises:
        ValueError: If no operator of positive weight fits.
    """
    return mutated(OPERATORS, config.mutation_weights, config, genome, rng=rng)


def crossover(config: Cell, a: CellGenome, b: CellGenome, *, rng: np.random.Generator) -> Variation[CellGenome]:
    """Take every block from either parent at random; `a` is the fitter, whose outputs stay."""
    cells = []
    for kind in KINDS:
        ours, theirs = a.cells[kind], b.cells[kind]
        taken = rng.random(len(ours)) < 0.5
        cells.append(tuple(theirs[at] if at < len(theirs) and taken[at] else own for at, own in enumerate(ours)))
    child = replace(a, normal=cells[0], reduction=cells[1])
    return Variation(child, "crossover", touched(a, child))


def identity(config: Cell, genome: CellGenome, rng: np.random.Generator) -> Variation[CellGenome]:
    """Leave the genome as it is: the child goes on training with its parent's weights, where it inherits them."""
    return Variation(genome, "identity", ())


def change_hidden_state(config: Cell, genome: CellGenome, rng: np.random.Generator) -> Variation[CellGenome] | None:
    """Let one element of a block read another hidden state made before the block."""
    kind, at, side = _element(genome, rng)
    return _replaced(genome, kind, at, side, range(at + N_INPUTS), "change_hidden_state", rng)


def change_operation(config: Cell, genome: CellGenome, rng: np.random.Generator) -> Variation[CellGenome] | None:
    """Give one element of a block another operation."""
    kind, at, side = _element(genome, rng)
    return _replaced(genome, kind, at, f"{side}_operation", config.words, "change_operation", rng)


def change_combination(config: Cell, genome: CellGenome, rng: np.random.Generator) -> Variation[CellGenome] | None:
    """Combine the two results of a block another way."""
    kind, at, _ = _element(genome, rng)
    return _replaced(genome, kind, at, "combine", config.ways, "change_combination", rng)


OPERATORS: dict[str, Operator] = {
    operator.__name__: operator for operator in (identity, change_hidden_state, change_operation, change_combination)
}
"""Every mutation operator by name: `(config, genome, rng) -> Variation`, or None where it does not fit the genome."""


def _element(genome: CellGenome, rng: np.random.Generator) -> tuple[str, int, str]:
    kind = KINDS[int(rng.integers(len(KINDS)))]
    return kind, int(rng.integers(len(genome.cells[kind]))), (LEFT, RIGHT)[int(rng.integers(2))]


def _replaced(
    genome: CellGenome, kind: str, at: int, field: str, options: Sequence[Any], operator: str, rng: np.random.Generator
) -> Variation[CellGenome] | None:
    """The genome with another of the options in one field of a block; None where there is no other."""
    blocks = genome.cells[kind]
    others = [option for option in options if option != getattr(blocks[at], field)]
    if not others:
        return None
    element: dict[str, Any] = {field: others[int(rng.integers(len(others)))]}
    cell: dict[str, Any] = {kind: (*blocks[:at], blocks[at]._replace(**element), *blocks[at + 1 :])}
    child = replace(genome, **cell)
    return Variation(child, operator, touched(genome, child))


def touched(before: CellGenome, after: CellGenome) -> tuple[str, ...]:
    """The genes that differ: operations that do something else or read something else, and the blocks they belong to.

    An operation that reads a block which now puts out another number of channels reads something else.
    """
    found: dict[str, None] = {}
    for kind in KINDS:
        ours, theirs = before.cells[kind], after.cells[kind]
        for at, (old, new) in enumerate(zip(ours, theirs, strict=True)):
            sides = [side for side in (LEFT, RIGHT) if _reads(ours, old, side) != _reads(theirs, new, side)]
            found |= dict.fromkeys(gene(kind, at, side) for side in sides)
            if sides or old.combine != new.combine:
                found[gene(kind, at)] = None
    return tuple(found)


def _reads(blocks: Blocks, block: Block, side: str) -> tuple[int, str, str]:
    state: int = getattr(block, side)
    combined = blocks[state - N_INPUTS].combine if state >= N_INPUTS else ""
    return state, getattr(block, f"{side}_operation"), combined
