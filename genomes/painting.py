"""Weights that are painted: what a CPPN says of every pair of places (Stanley, D'Ambrosio & Gauci 2009)."""

from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from itertools import product
from typing import Literal

import numpy as np

from genomes.innovation import marking
from genomes.neurons import NeuronGraph, Values

Mode = Literal["evolved", "seeded", "through"]
QUERIES = ("source", "target", "difference", "distance", "source_radius", "target_radius", "bias")
"""What a CPPN may be asked with: the coordinates of the source and of the target, target - source (each as many values
as the space has dimensions), the distance between both, the distance of either from the origin, and the constant 1."""


@dataclass(frozen=True)
class Sheet:
    """A layer of a substrate: where each of its values lies.

    Attributes:
        places: Coordinates of every value, in the order of the flattened values; all of as many dimensions.
    """

    places: tuple[tuple[float, ...], ...]

    @cached_property
    def values(self) -> Values:
        """The coordinates, `(n, dimensions)`."""
        return np.array(self.places, np.float64)

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits over all places."""
        return marking(repr(self.places))

    @cached_property
    def _hash(self) -> int:
        return hash(self.places)

    def __hash__(self) -> int:
        """Computed once: a sheet has thousands of numbers, and is part of what layouts are remembered by."""
        return self._hash


@dataclass(frozen=True)
class Paint:
    """The recipe of a painted tensor. Two recipes that are equal paint equal values.

    The weight from a source to a target is 0 where |output| ≤ `threshold`, else sign(output) × `scale` ×
    (|output| - threshold) / (1 - threshold), with the output clipped to [-1, 1]. Where `expression` names an output
    (LEO, Verbancsics & Stanley 2011), a connection is instead expressed where that output is above 0, and its weight is
    `scale` × output.

    Attributes:
        cppn: A feed-forward graph whose inputs are those that `queries` name, in order.
        sources: The places that are read: the second axis of the tensor and all behind it, flattened.
        targets: The places that are fed: the first axis of the tensor.
        queries: Keys of `QUERIES`.
        output: Which of the CPPN's outputs is the weight.
        expression: Which of its outputs expresses a connection; None: the threshold does.
        threshold: From 0 to below 1.
        scale: The largest weight.
        mode: evolved: the tensor is what is painted. seeded: what is painted is trained on. through: what is trained
            are the weights and biases of the CPPN, and the tensor is painted anew at every step.
    """

    cppn: NeuronGraph
    sources: Sheet
    targets: Sheet
    queries: tuple[str, ...]
    output: int = 0
    expression: int | None = None
    threshold: float = 0.2
    scale: float = 3.0
    mode: Mode = "evolved"

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits over all that it paints; ids and markings of the CPPN are ignored."""
        plain = [getattr(self, field.name) for field in fields(self) if field.name not in _DIGESTED]
        return marking(*(getattr(self, name).digest for name in _DIGESTED), repr(plain))


_DIGESTED = ("cppn", "sources", "targets")


@lru_cache(maxsize=256)
def grid(*shape: int) -> Sheet:
    """A sheet of evenly spaced places in [-1, 1] on every axis, the last axis fastest; an axis of one place is at 0."""
    axes = [[0.0] if n == 1 else [2 * at / (n - 1) - 1 for at in range(n)] for n in shape]
    return Sheet(tuple(product(*axes)))


def n_queries(queries: tuple[str, ...], n_dimensions: int) -> int:
    """Inputs that a CPPN has for these queries in a space of so many dimensions."""
    return sum(n_dimensions if word in ("source", "target", "difference") else 1 for word in queries)


def query_names(queries: tuple[str, ...], n_dimensions: int) -> tuple[str, ...]:
    """Names of the inputs that a CPPN has for these queries in a space of so many dimensions."""
    words = [(word.replace("_", " "), n_queries((word,), n_dimensions)) for word in queries]
    return tuple(f"{word} {axis}" if n > 1 else word for word, n in words for axis in range(n))


def asked(queries: tuple[str, ...], sources: Values, targets: Values) -> Values:
    """What a CPPN is asked with.

    Args:
        queries: Keys of `QUERIES`.
        sources: Coordinates `(..., dimensions)`.
        targets: As many, or one that is broadcast against the sources.

    Returns:
        `(..., n_queries)`.
    """
    sources, targets = np.broadcast_arrays(sources, targets)
    whole = {"source": sources, "target": targets, "difference": targets - sources}
    single = {
        "distance": lambda: np.sqrt(np.square(targets - sources).sum(-1)),
        "source_radius": lambda: np.sqrt(np.square(sources).sum(-1)),
        "target_radius": lambda: np.sqrt(np.square(targets).sum(-1)),
        "bias": lambda: np.ones(sources.shape[:-1]),
    }
    return np.concatenate([whole[word] if word in whole else single[word]()[..., None] for word in queries], -1)
