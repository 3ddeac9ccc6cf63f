"""Mutation by one of several operators, each tried as often as its weight says; what encodings share of it."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from genomes.encoding import Variation
from genomes.words import meant

Operator = Callable[[Any, Any, np.random.Generator], Variation[Any] | None]
"""`(configuration, genome, rng) -> Variation`, or None where it does not fit the genome."""


def weights_of(given: Mapping[str, float] | None, usual: Mapping[str, float]) -> dict[str, float]:
    """The weight of every operator: what is given, else the usual one.

    Raises:
        ValueError: If an operator is unknown, a weight is negative or not finite, or none is above 0.
    """
    if unknown := [word for word in given or () if word not in usual]:
        raise ValueError(f"mutations: expected some of {', '.join(usual)}, got {unknown}; {meant(unknown, usual)}")
    weights = {**usual, **(given or {})}
    if not all(0 <= weight < math.inf for weight in weights.values()) or not any(weights.values()):
        raise ValueError(f"mutations: expected weights of 0 or more, one of them above 0, got {dict(given or {})}")
    return weights


def mutated(
    operators: Mapping[str, Operator],
    weights: Mapping[str, float],
    config: Any,
    genome: Any,
    *,
    rng: np.random.Generator,
) -> Variation[Any]:
    """Apply one operator, drawn by weight among those that fit this genome.

    Args:
        operators: By name.
        weights: Of each.
        config: The encoding.
        genome: What is varied.
        rng: Draws the operator, then what it does.

    Raises:
        ValueError: If no operator of positive weight fits.
    """
    names = [name for name, weight in weights.items() if weight > 0]
    left = np.array([weights[name] for name in names])
    for index in rng.choice(len(names), len(names), replace=False, p=left / left.sum()):
        if (variation := operators[names[index]](config, genome, rng)) is not None:
            return variation
    raise ValueError(f"genome {genome.digest}: expected one of {', '.join(names)} to fit it, none does; allow others")
