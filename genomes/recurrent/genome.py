"""The recurrent genome: one cell, and the widths of the layers that are made of it."""

import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from reprlib import repr as shortened
from typing import Any, NamedTuple

from genomes.innovation import marking
from genomes.recurrence import ACTIVATIONS, CELLS, LINEAR, MEMORY, PRODUCT, RecurrentCell, Step

METHODS = ("add", "multiply")
INJECT, INDEX = "inject", "index"
"""Markings of the gene that says where c enters, and of the one that says where it is read."""
MAX_BASE, MAX_LAYERS, MAX_WIDTH = 64, 16, 8192
"""Leaves, layers and units of a layer that a genome may have."""


class Gene(NamedTuple):
    """What a place of the tree does: a leaf with its two linear maps, a node with the values of its children.

    Attributes:
        method: `add` or `multiply`, element by element.
        activation: One of `genomes.recurrence.ACTIVATIONS`.
    """

    method: str
    activation: str


class Inject(NamedTuple):
    """Where and how c of the time step before enters.

    Attributes:
        place: The place whose value it meets.
        method: `add` or `multiply`.
        activation: What follows.
    """

    place: int
    method: str
    activation: str


class Tree(NamedTuple):
    """A cell as Zoph & Le 2017 grow it.

    Attributes:
        genes: Of every place: `base` leaves, then `base` - 1 nodes from the bottom to the root.
        inject: Where c enters.
        read: The place whose value before its activation is the next c.
    """

    genes: tuple[Gene, ...]
    inject: Inject
    read: int

    @property
    def base(self) -> int:
        """The number of leaves."""
        return (len(self.genes) + 1) // 2

    @property
    def choices(self) -> tuple[str | int, ...]:
        """All that is decided, in a row."""
        return *(word for gene in self.genes for word in gene), *self.inject, self.read


@dataclass(frozen=True)
class RecurrentGenome:
    """One cell and the layers made of it.

    Attributes:
        cell: A tree, or a cell of the field by its key in `genomes.recurrence.CELLS`.
        widths: Units of every layer, the one that reads the input first.
    """

    cell: Tree | str
    widths: tuple[int, ...]

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits over the cell and the widths."""
        return marking(json.dumps([self.cell, self.widths]))

    @property
    def developed(self) -> RecurrentCell:
        """The cell that every layer of its network has."""
        return CELLS[self.cell] if isinstance(self.cell, str) else grown(self.cell)

    def __deepcopy__(self, memo: dict[int, Any]) -> "RecurrentGenome":
        return self


def place_name(base: int, place: int) -> str:
    """The marking of a place of the tree; places are neither inserted nor removed, so that it can be read."""
    return f"leaf-{place}" if place < base else f"node-{place - base}"


def layer_name(layer: int) -> str:
    """The marking of a layer and the id of its node: layers are added and removed at the end alone."""
    return f"layer-{layer}"


@lru_cache
def children(base: int) -> tuple[tuple[int, int], ...]:
    """The two places that every node of a tree combines, from the bottom to the root.

    Neighbours are paired, level by level; where a level is odd, its last place waits for the next.
    """
    pairs: list[tuple[int, int]] = []
    level = list(range(base))
    while len(level) > 1:
        made = [base + len(pairs) + at for at in range(len(level) // 2)]
        pairs += zip(level[0::2], level[1::2], strict=False)
        level = made + level[2 * len(made) :]
    return tuple(pairs)


@lru_cache(maxsize=4096)
def grown(tree: Tree) -> RecurrentCell:
    """The cell that a tree develops into; c enters by a step of its own, which all that read the place then read."""
    base = tree.base
    read: list[str] = []
    steps: list[Step] = []
    for place, gene in enumerate(tree.genes):
        name = place_name(base, place)
        if place < base:
            steps.append(Step(name, LINEAR if gene.method == "add" else PRODUCT, (), gene.activation))
        else:
            left, right = children(base)[place - base]
            steps.append(Step(name, gene.method, (read[left], read[right]), gene.activation))
        read.append(name)
        if place == tree.inject.place:
            steps.append(Step(INJECT, tree.inject.method, (name, MEMORY), tree.inject.activation))
            read[-1] = INJECT
    return RecurrentCell(tuple(steps), read[-1], place_name(base, tree.read))


def checked(base: int, cell: Any, widths: Any) -> RecurrentGenome:
    """A genome of values that come from outside.

    Args:
        base: Leaves that its tree must have.
        cell: A name, or the genes, inject and index of a tree.
        widths: Units of every layer.

    Raises:
        ValueError: In one line, if a value is out of range.
    """
    if not isinstance(widths, (list, tuple)) or not 1 <= len(widths) <= MAX_LAYERS:
        raise ValueError(f"widths: expected those of 1 to {MAX_LAYERS} layers, got {shortened(widths)}; correct them")
    for width in widths:
        if type(width) is not int or not 1 <= width <= MAX_WIDTH:
            raise ValueError(f"widths: expected whole numbers from 1 to {MAX_WIDTH}, got {shortened(width)}")
    if isinstance(cell, str):
        if cell not in CELLS:
            raise ValueError(f"cell: expected a tree or one of {', '.join(CELLS)}, got {shortened(cell)}; correct it")
        return RecurrentGenome(cell, tuple(widths))
    if not isinstance(cell, dict) or set(cell) != {"genes", INJECT, INDEX}:
        raise ValueError(f"cell: expected genes, inject and index of a tree, got {shortened(cell)}; correct it")
    n_places = 2 * base - 1
    rows = cell["genes"]
    if not isinstance(rows, (list, tuple)) or len(rows) != n_places:
        got = len(rows) if isinstance(rows, (list, tuple)) else type(rows).__name__
        raise ValueError(f"genes: expected those of {n_places} places, for a base of {base}, got {got}; set base")
    genes = tuple(Gene(*_checked(f"gene {at}", row, Gene)) for at, row in enumerate(rows))
    inject = Inject(*_checked(INJECT, cell[INJECT], Inject))
    for name, place in ((INJECT, inject.place), (INDEX, cell[INDEX])):
        if type(place) is not int or not 0 <= place < n_places:
            raise ValueError(f"{name}: expected a place from 0 to {n_places - 1}, got {shortened(place)}; correct it")
    return RecurrentGenome(Tree(genes, inject, cell[INDEX]), tuple(widths))


def _checked(name: str, row: Any, kind: type[Gene] | type[Inject]) -> Any:
    if not isinstance(row, (list, tuple)) or len(row) != len(kind._fields):
        raise ValueError(f"{name}: expected {', '.join(kind._fields)}, got {shortened(row)}; correct it")
    for field, words in (("method", METHODS), ("activation", ACTIVATIONS)):
        value = row[kind._fields.index(field)]
        if not isinstance(value, str) or value not in words:
            raise ValueError(f"{name}: expected {field} to be one of {', '.join(words)}, got {shortened(value)}")
    return row
