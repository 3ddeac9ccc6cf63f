"""Mutation and crossover of recurrent genomes. They are ours: Zoph & Le 2017 sample cells and vary none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from genomes.encoding import Variation
from genomes.mutation import mutated
from genomes.recurrent.genome import INDEX, INJECT, METHODS, RecurrentGenome, Tree, layer_name, place_name

if TYPE_CHECKING:
    from genomes.recurrent.encoding import Recurrent

T = TypeVar("T")
Operator = Callable[["Recurrent", RecurrentGenome, np.random.Generator], "Variation[RecurrentGenome] | None"]


def mutate(config: Recurrent, genome: RecurrentGenome, *, rng: np.random.Generator) -> Variation[RecurrentGenome]:
    """Apply one operator, drawn by weight among those that fit this genome.

    Raises:
        ValueError: If no operator of positive weight fits.
    """
    return mutated(OPERATORS, config.mutation_weights, config, genome, rng=rng)


def crossover(
    config: Recurrent, a: RecurrentGenome, b: RecurrentGenome, *, rng: np.random.Generator
) -> Variation[RecurrentGenome]:
    """Take every gene of the tree, the number of layers and every width from either parent; `a` is the fitter.

    A cell that is no tree is taken whole from `a`.
    """
    cell = a.cell
    if isinstance(a.cell, Tree) and isinstance(b.cell, Tree):
        theirs = rng.random(len(a.cell.genes) + 2) < 0.5
        genes = tuple(b.cell.genes[at] if theirs[at] else gene for at, gene in enumerate(a.cell.genes))
        inject = b.cell.inject if theirs[-2] else a.cell.inject
        cell = Tree(genes, inject, b.cell.read if theirs[-1] else a.cell.read)
    n_layers = len((a, b)[int(rng.integers(2))].widths)
    taken = rng.random(n_layers) < 0.5
    pairs = zip(zip_longest(a.widths, b.widths), taken, strict=False)
    widths = tuple((theirs if took else own) or own or theirs for (own, theirs), took in pairs)
    return _varied(a, RecurrentGenome(cell, widths), "crossover")


def identity(config: Recurrent, genome: RecurrentGenome, rng: np.random.Generator) -> Variation[RecurrentGenome]:
    """Leave the genome as it is: the child goes on training with its parent's weights, where it inherits them."""
    return Variation(genome, "identity", ())


def change_method(
    config: Recurrent, genome: RecurrentGenome, rng: np.random.Generator
) -> Variation[RecurrentGenome] | None:
    """Let one place of the tree add what it multiplied, or the other way round."""
    return _gene_changed(genome, "method", METHODS, "change_method", rng)


def change_activation(
    config: Recurrent, genome: RecurrentGenome, rng: np.random.Generator
) -> Variation[RecurrentGenome] | None:
    """Give one place of the tree another activation."""
    return _gene_changed(genome, "activation", config.activations, "change_activation", rng)


def change_inject(
    config: Recurrent, genome: RecurrentGenome, rng: np.random.Generator
) -> Variation[RecurrentGenome] | None:
    """Change how c enters: its method or its activation."""
    if not isinstance(genome.cell, Tree):
        return None
    field, words = _pick((("method", METHODS), ("activation", config.activations)), rng)
    return _injected(genome, field, words, "change_inject", rng)


def move_inject(
    config: Recurrent, genome: RecurrentGenome, rng: np.random.Generator
) -> Variation[RecurrentGenome] | None:
    """Let c enter at another place of the tree."""
    if not isinstance(genome.cell, Tree):
        return None
    return _injected(genome, "place", range(len(genome.cell.genes)), "move_inject", rng)


def move_index(
    config: Recurrent, genome: RecurrentGenome, rng: np.random.Generator
) -> Variation[RecurrentGenome] | None:
    """Read the next c at another place of the tree."""
    if not isinstance(genome.cell, Tree):
        return None
    read = _other(range(len(genome.cell.genes)), genome.cell.read, rng)
    assert read is not None
    return _varied(genome, replace(genome, cell=genome.cell._replace(read=read)), "move_index")


def change_width(
    config: Recurrent, genome: RecurrentGenome, rng: np.random.Generator
) -> Variation[RecurrentGenome] | None:
    """Give one layer another width: units are added or removed at the end."""
    layer = int(rng.integers(len(genome.widths)))
    width = _other(config.widths, genome.widths[layer], rng)
    if width is None:
        return None
    widths = (*genome.widths[:layer], width, *genome.widths[layer + 1 :])
    return _varied(genome, replace(genome, widths=widths), "change_width")


def add_layer(
    config: Recurrent, genome: RecurrentGenome, rng: np.random.Generator
) -> Variation[RecurrentGenome] | None:
    """Put one more layer on top; since the head reads every layer, it keeps the function where weights pass."""
    if len(genome.widths) >= config.max_layers:
        return None
    return _varied(genome, replace(genome, widths=(*genome.widths, _pick(config.widths, rng))), "add_layer")


def remove_layer(
    config: Recurrent, genome: RecurrentGenome, rng: np.random.Generator
) -> Variation[RecurrentGenome] | None:
    """Take the uppermost layer away."""
    if len(genome.widths) == 1:
        return None
    return _varied(genome, replace(genome, widths=genome.widths[:-1]), "remove_layer")


OPERATORS: dict[str, Operator] = {
    operator.__name__: operator
    for operator in (
        identity,
        change_method,
        change_activation,
        change_inject,
        move_inject,
        move_index,
        change_width,
        add_layer,
        remove_layer,
    )
}
"""Every mutation operator by name: `(config, genome, rng) -> Variation`, or None where it does not fit the genome."""


def touched(before: RecurrentGenome, after: RecurrentGenome) -> tuple[str, ...]:
    """The markings of the genes that differ, and of the layers that thereby change."""
    found: list[str] = []
    ours, theirs = before.cell, after.cell
    if isinstance(ours, Tree) and isinstance(theirs, Tree):
        pairs = enumerate(zip(ours.genes, theirs.genes, strict=True))
        found += [place_name(ours.base, place) for place, (old, new) in pairs if old != new]
        found += [INJECT] * (ours.inject != theirs.inject) + [INDEX] * (ours.read != theirs.read)
    n = max(len(before.widths), len(after.widths))
    for layer in range(n):
        if ours != theirs or before.widths[layer : layer + 1] != after.widths[layer : layer + 1]:
            found.append(layer_name(layer))
    return tuple(found)


def _varied(before: RecurrentGenome, after: RecurrentGenome, operator: str) -> Variation[RecurrentGenome]:
    return Variation(after, operator, touched(before, after))


def _gene_changed(
    genome: RecurrentGenome, field: str, options: Sequence[str], operator: str, rng: np.random.Generator
) -> Variation[RecurrentGenome] | None:
    """The genome with another of the options in one field of one place; None where there is no other."""
    if not isinstance(genome.cell, Tree):
        return None
    genes = list(genome.cell.genes)
    place = int(rng.integers(len(genes)))
    word = _other(options, getattr(genes[place], field), rng)
    if word is None:
        return None
    element: dict[str, Any] = {field: word}
    genes[place] = genes[place]._replace(**element)
    return _varied(genome, replace(genome, cell=genome.cell._replace(genes=tuple(genes))), operator)


def _injected(
    genome: RecurrentGenome, field: str, options: Sequence[Any], operator: str, rng: np.random.Generator
) -> Variation[RecurrentGenome] | None:
    assert isinstance(genome.cell, Tree)
    value = _other(options, getattr(genome.cell.inject, field), rng)
    if value is None:
        return None
    inject = genome.cell.inject._replace(**{field: value})
    return _varied(genome, replace(genome, cell=genome.cell._replace(inject=inject)), operator)


def _other(options: Sequence[T], current: T, rng: np.random.Generator) -> T | None:
    others = [option for option in options if option != current]
    return _pick(others, rng) if others else None


def _pick(options: Sequence[T], rng: np.random.Generator) -> T:
    return options[int(rng.integers(len(options)))]
