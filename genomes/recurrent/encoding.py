"""The recurrent encoding: Zoph & Le 2017 (https://arxiv.org/abs/1611.01578), section 3.4, a cell grown as a tree.

A leaf maps x and h of the time step before and adds or multiplies the two; a node adds or multiplies the values of its
two children; an activation follows each. c of the time step before enters at one place (cell inject), and the value of
one place before its activation is the next c (cell index). Departures: c may enter and be read at any place, leaves and
nodes, not at leaves alone; the map of x has a bias; any base from 2; the network may have several layers of the cell,
and its head reads all of them (as in Graves 2013, https://arxiv.org/abs/1308.0850), so that a layer can be added with
no change of the function; mutation and crossover are ours.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from genomes.architecture import CONCAT, Architecture, Node
from genomes.encoding import SEQUENCES, Decide, Variation
from genomes.mutation import weights_of
from genomes.operations import HEAD, INPUT, RECUR, Shape
from genomes.reading import check_kind
from genomes.recurrence import ACTIVATIONS, CELLS
from genomes.recurrent import operators
from genomes.recurrent.genome import (
    INDEX,
    INJECT,
    MAX_BASE,
    MAX_LAYERS,
    MAX_WIDTH,
    METHODS,
    Gene,
    Inject,
    RecurrentGenome,
    Tree,
    checked,
    layer_name,
)
from genomes.words import meant

USUAL = {
    "identity": 0.05,
    "change_method": 0.25,
    "change_activation": 0.3,
    "change_inject": 0.1,
    "move_inject": 0.1,
    "move_index": 0.1,
    "change_width": 0.1,
    "add_layer": 0.05,
    "remove_layer": 0.05,
}
"""How often each operator is tried."""
REFERENCE_WIDTH = 64
"""Units of the one layer of a cell that is used by its name."""


@dataclass(frozen=True)
class Recurrent:
    """Configuration of the recurrent encoding.

    Attributes:
        name: The word for it in a spec.
        base: Leaves of the tree; the paper's is 8.
        activations: What may follow a place: identity, tanh, sigmoid, relu.
        widths: Units that a layer may have.
        max_layers: Layers of the cell that a network may have, one on top of the other.
        mutations: How often each operator is tried, by its name; what is absent keeps its weight, a 0 forbids it.

    Raises:
        ValueError: If a choice is empty, unknown or out of range.
    """

    name: Literal["recurrent"] = "recurrent"
    base: int = 8
    activations: tuple[str, ...] = ACTIVATIONS
    widths: tuple[int, ...] = (32, 64, 96, 128)
    max_layers: int = 2
    mutations: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        for field, value, least, most in (
            ("base", self.base, 2, MAX_BASE),
            ("max_layers", self.max_layers, 1, MAX_LAYERS),
            *(("widths", width, 1, MAX_WIDTH) for width in self.widths),
        ):
            if type(value) is not int or not least <= value <= most:
                raise ValueError(f"{field}: expected a whole number from {least} to {most:,}, got {value!r}")
        choices: tuple[tuple[str, tuple[Any, ...], Iterable[Any]], ...] = (
            ("activations", tuple(self.activations), ACTIVATIONS),
            ("widths", tuple(self.widths), self.widths),
        )
        for field, found, words in choices:
            if not found or len(set(found)) < len(found) or not set(found) <= set(words):
                known = f" among {', '.join(words)}" if field == "activations" else ""
                mend = meant(found, words, "correct them") if known else "correct them"
                raise ValueError(f"{field}: expected one or more{known}, each once, got {list(found)}; {mend}")
        weights_of(self.mutations, USUAL)

    @property
    def n_places(self) -> int:
        """Leaves and nodes of the tree."""
        return 2 * self.base - 1

    @property
    def mutation_weights(self) -> dict[str, float]:
        """The weight of every mutation operator."""
        return weights_of(self.mutations, USUAL)

    @property
    def decisions(self) -> Mapping[str, int]:
        """The kinds of decision `sample` takes and their option counts; those with one option are not taken."""
        found = {
            "method": len(METHODS),
            "activation": len(self.activations),
            INJECT: self.n_places,
            INDEX: self.n_places,
            "width": len(self.widths),
            "more": 2 if self.max_layers > 1 else 1,
        }
        return {kind: count for kind, count in found.items() if count > 1}

    @property
    def abilities(self) -> frozenset[str]:
        """Its networks read sequences, and nothing else."""
        return frozenset({SEQUENCES})

    def for_task(self, input_shape: Shape, n_outputs: int) -> "Recurrent":
        """The same encoding: a cell reads vectors of any size, one a time step.

        Raises:
            ValueError: If the input is an image.
        """
        if len(input_shape) != 1:
            raise ValueError(
                f"name: expected sequences of vectors (features,) for recurrent cells, got inputs of shape "
                f"{tuple(input_shape)}; use dag or cell"
            )
        return self

    def sample(self, decide: Decide, *, rng: np.random.Generator) -> RecurrentGenome:
        """Decide a tree, place by place as in the paper, then where c enters and is read, then the layers."""

        def word(kind: str, options: tuple[Any, ...], *position: str | int) -> Any:
            return options[decide((kind, *position), len(options)) if len(options) > 1 else 0]

        genes = tuple(
            Gene(word("method", METHODS, place), word("activation", self.activations, place))
            for place in range(self.n_places)
        )
        how = word("method", METHODS, INJECT), word("activation", self.activations, INJECT)
        places = tuple(range(self.n_places))
        tree = Tree(genes, Inject(word(INJECT, places), *how), word(INDEX, places))
        widths = [word("width", self.widths, 0)]
        while len(widths) < self.max_layers and decide(("more", len(widths)), 2):
            widths.append(word("width", self.widths, len(widths)))
        return RecurrentGenome(tree, tuple(widths))

    def mutate(self, genome: RecurrentGenome, *, rng: np.random.Generator) -> Variation[RecurrentGenome]:
        """Apply one operator, drawn by weight."""
        return operators.mutate(self, genome, rng=rng)

    def crossover(
        self, a: RecurrentGenome, b: RecurrentGenome, *, rng: np.random.Generator
    ) -> Variation[RecurrentGenome]:
        """Take every gene from either parent; `a` is the fitter."""
        return operators.crossover(self, a, b, rng=rng)

    def develop(self, genome: RecurrentGenome) -> Architecture:
        """Layers of the cell, one on top of the other, and a head that reads all of them."""
        nodes = [Node("input", INPUT)]
        for layer, width in enumerate(genome.widths):
            attributes = (("cell", genome.developed), ("width", width))
            nodes.append(Node(layer_name(layer), RECUR, attributes, (nodes[-1].id,)))
        nodes.append(Node("output", HEAD, (), tuple(node.id for node in nodes[1:]), CONCAT))
        return Architecture(tuple(nodes))

    def distance(self, a: RecurrentGenome, b: RecurrentGenome) -> float:
        """The part of all choices that differ, 0 to 1: two a place, four about c, one a layer."""
        n_of_cell = 2 * self.n_places + len(Inject._fields) + 1
        if isinstance(a.cell, Tree) and isinstance(b.cell, Tree):
            differing = sum(x != y for x, y in zip(a.cell.choices, b.cell.choices, strict=True))
        else:
            differing = n_of_cell * (a.cell != b.cell)
        n_layers = max(len(a.widths), len(b.widths))
        differing += sum(a.widths[at : at + 1] != b.widths[at : at + 1] for at in range(n_layers))
        return differing / (n_of_cell + n_layers)

    def to_json(self, genome: RecurrentGenome) -> dict[str, Any]:
        """The genome as versioned JSON."""
        cell: Any = genome.cell
        if isinstance(cell, Tree):
            cell = {"genes": [list(gene) for gene in cell.genes], INJECT: list(cell.inject), INDEX: cell.read}
        return {"encoding": "recurrent", "version": 1, "cell": cell, "widths": list(genome.widths)}

    def from_json(self, data: Mapping[str, Any]) -> RecurrentGenome:
        """The genome that `to_json` wrote.

        Raises:
            ValueError: If it is another kind or version of genome, or a value is out of range.
        """
        check_kind(data, "recurrent")
        if missing := {"cell", "widths"} - data.keys():
            raise ValueError(f"expected a cell and widths, got no {min(missing)}; use what `to_json` wrote")
        return checked(self.base, data["cell"], data["widths"])


def reference(name: str) -> RecurrentGenome:
    """A cell of the field, `tanh`, `gru` or `lstm`, in one layer of 64 units.

    Raises:
        ValueError: If there is none of this name.
    """
    if name not in CELLS:
        raise ValueError(f"expected a reference genome among {', '.join(references())}, got {name!r}")
    return RecurrentGenome(name, (REFERENCE_WIDTH,))


def references() -> list[str]:
    """The names of the cells of the field."""
    return sorted(CELLS)
