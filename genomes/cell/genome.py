"""What the cell encoding evolves: a normal and a reduction cell, each a row of blocks."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from reprlib import repr as shortened
from typing import Any, NamedTuple

from genomes.cell.spaces import COMBINES, WORDS
from genomes.innovation import marking

NORMAL, REDUCTION = "normal", "reduction"
KINDS = (NORMAL, REDUCTION)
N_INPUTS = 2
"""Hidden states a cell begins with: 0 is the output of the cell before the last, 1 that of the last."""
MAX_BLOCKS = 32
"""Blocks a cell may have."""


class Block(NamedTuple):
    """Two hidden states, an operation on each, and how the results become the next hidden state.

    Attributes:
        left: Hidden state that the first operation reads: 0 and 1 are the cell's inputs, k + 2 is block k's output.
        right: Hidden state that the second operation reads.
        left_operation: A word of `genomes.cell.spaces.WORDS`.
        right_operation: A word of `genomes.cell.spaces.WORDS`.
        combine: `add`, or `concat` along channels.
    """

    left: int
    right: int
    left_operation: str
    right_operation: str
    combine: str = "add"


Blocks = tuple[Block, ...]


@dataclass(frozen=True)
class CellGenome:
    """Two cells that a network stacks.

    Attributes:
        normal: Blocks of the cell that keeps the resolution.
        reduction: Blocks of the cell that halves it.
        normal_output: Hidden states that the normal cell's output concatenates although a block reads them, or though
            they are inputs; those that no block reads are concatenated anyway.
        reduction_output: The same for the reduction cell.
    """

    normal: Blocks
    reduction: Blocks
    normal_output: tuple[int, ...] = ()
    reduction_output: tuple[int, ...] = ()

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits over both cells."""
        return marking(json.dumps([self.normal, self.reduction, self.normal_output, self.reduction_output]))

    @property
    def markings(self) -> tuple[str, ...]:
        """The marking of every gene: the blocks and the two operations of each."""
        return tuple(
            name
            for kind, blocks in self.cells.items()
            for at in range(len(blocks))
            for name in (gene(kind, at), gene(kind, at, LEFT), gene(kind, at, RIGHT))
        )

    @property
    def cells(self) -> dict[str, Blocks]:
        """The blocks of both cells by kind."""
        return {NORMAL: self.normal, REDUCTION: self.reduction}

    def output(self, kind: str) -> tuple[int, ...]:
        """The hidden states that the output of a cell concatenates, ascending.

        Args:
            kind: `normal` or `reduction`.
        """
        blocks = self.cells[kind]
        read = {state for block in blocks for state in (block.left, block.right)}
        unread = {at + N_INPUTS for at in range(len(blocks))} - read
        return tuple(sorted(unread | set(self.normal_output if kind == NORMAL else self.reduction_output)))

    def __deepcopy__(self, memo: dict[int, Any]) -> "CellGenome":
        return self


LEFT, RIGHT = "left", "right"


def gene(kind: str, at: int, side: str | None = None) -> str:
    """The marking of a block or of one of its operations.

    Blocks are neither inserted nor removed, so that the place is what is homologous, in every lineage: unlike that of a
    graph, the marking of a cell's gene needs no hash and can be read.

    Args:
        kind: `normal` or `reduction`.
        at: The block's number.
        side: `left` or `right` for an operation; None for the block.
    """
    return f"{kind}-{at}" if side is None else f"{kind}-{at}-{side}"


def checked(cells: Sequence[Iterable[Any]], outputs: Sequence[Any]) -> CellGenome:
    """A genome of rows that come from outside.

    Args:
        cells: The rows of the blocks of both cells.
        outputs: The hidden states that the outputs of both cells concatenate besides.

    Raises:
        ValueError: In one line, if a value is out of range, or a block reads what comes after it.
    """
    blocks = [_checked_blocks(kind, rows) for kind, rows in zip(KINDS, cells, strict=True)]
    also = [_checked_output(kind, found, rows) for kind, found, rows in zip(KINDS, outputs, blocks, strict=True)]
    return CellGenome(blocks[0], blocks[1], also[0], also[1])


def _checked_blocks(kind: str, rows: Iterable[Any]) -> Blocks:
    if not isinstance(rows, (list, tuple)) or not 1 <= len(rows) <= MAX_BLOCKS:
        got = len(rows) if isinstance(rows, (list, tuple)) else type(rows).__name__
        raise ValueError(f"{kind}: expected 1 to {MAX_BLOCKS} blocks, got {got}; correct the genome")
    return tuple(_checked_block(f"{kind} block {at}", at, row) for at, row in enumerate(rows))


def _checked_block(name: str, at: int, row: Any) -> Block:
    if not isinstance(row, (list, tuple)) or len(row) != len(Block._fields):
        raise ValueError(f"{name}: expected {', '.join(Block._fields)}, got {shortened(row)}; correct it")
    block = Block(*row)
    for side, state in ((LEFT, block.left), (RIGHT, block.right)):
        if type(state) is not int or not 0 <= state < at + N_INPUTS:
            expected = f"a hidden state from 0 to {at + N_INPUTS - 1}, made before the block"
            raise ValueError(f"{name}: expected {side} to be {expected}, got {shortened(state)}")
    for field, words in (("left_operation", WORDS), ("right_operation", WORDS), ("combine", COMBINES)):
        value = getattr(block, field)
        if not isinstance(value, str) or value not in words:
            raise ValueError(f"{name}: expected {field} to be one of {', '.join(words)}, got {shortened(value)}")
    return block


def _checked_output(kind: str, states: Any, blocks: Blocks) -> tuple[int, ...]:
    most = len(blocks) + N_INPUTS - 1
    if (
        not isinstance(states, (list, tuple))
        or not all(type(state) is int and 0 <= state <= most for state in states)
        or list(states) != sorted(set(states))
    ):
        raise ValueError(
            f"{kind}_output: expected ascending hidden states from 0 to {most}, got {shortened(states)}; correct them"
        )
    return tuple(states)
