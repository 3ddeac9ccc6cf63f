"""How two NEAT genomes make one (Stanley & Miikkulainen 2002, section 3.2)."""

from itertools import compress
from operator import ne, or_
from typing import TYPE_CHECKING, Any

import numpy as np

from genomes.encoding import Variation
from genomes.neat.genome import NeatGenome

if TYPE_CHECKING:
    from genomes.neat.encoding import Augmenting

Columns = tuple[tuple[str, ...], tuple[str, ...], tuple[float, ...], tuple[float, ...]]


def crossover(config: "Augmenting", a: NeatGenome, b: NeatGenome, *, rng: np.random.Generator) -> Variation[NeatGenome]:
    """Align two genomes by their markings; `a` is the fitter.

    Matching genes come from either at random, or, in a share `average_rate` of the crossovers, connections have the
    mean of both weights (`mate_multipoint_avg` in Stanley's own programs). Disjoint and excess genes come from `a`
    alone, so that the child has the wiring of `a` and no cycle that `a` has not. A matching gene that is disabled in
    either is disabled with the probability `disabled_rate`, else enabled. Equal parents make a child like them.

    Of parents that are equally fit, whoever calls this passes the one with fewer genes as `a`: so do Stanley's own
    programs. The paper would draw disjoint and excess genes from both.
    """
    if a is b or (a.weights == b.weights and a == b):
        return Variation(a, "crossover", ())
    wiring, n = a.wiring, len(a.weights)
    draws = rng.random(2 * n + len(wiring.ids) + 1).tolist()
    found: list[int | None] = list(map(b.wiring.at.get, wiring.markings))
    theirs = b.weights
    if draws[-1] < config.average_rate:
        weights = tuple([w if at is None else 0.5 * (w + theirs[at]) for w, at in zip(a.weights, found, strict=True)])
    else:
        weights = tuple(
            [
                weight if at is None or draw < 0.5 else theirs[at]
                for weight, at, draw in zip(a.weights, found, draws, strict=False)
            ]
        )
    enabled = _enabled(config, a, b, found, draws[n:])
    changed: Any = map(ne, weights, a.weights)
    if enabled is not a.enabled:
        changed = map(or_, changed, map(ne, enabled, a.enabled))
    touched = wiring.touched(tuple(compress(wiring.markings, changed)))
    neurons, others = _neurons(a, b, draws[2 * n :])
    child = NeatGenome(wiring, *neurons, weights, enabled)
    return Variation(child, "crossover", tuple(dict.fromkeys((*touched, *others))) if others else touched)


def _enabled(
    config: "Augmenting", a: NeatGenome, b: NeatGenome, found: list[int | None], draws: list[float]
) -> tuple[bool, ...]:
    """Which connections of a child are enabled; the column of `a` itself where no gene is disabled."""
    if False not in a.enabled and False not in b.enabled:
        return a.enabled
    theirs, rate = b.enabled, config.disabled_rate
    return tuple(
        [
            ours if at is None or (ours and theirs[at]) else draw >= rate
            for ours, at, draw in zip(a.enabled, found, draws, strict=False)
        ]
    )


def _neurons(a: NeatGenome, b: NeatGenome, draws: list[float]) -> tuple[Columns, tuple[str, ...]]:
    """The columns of the neurons of a child, and the ids of those that are other than in `a`."""
    ours: Columns = (a.activations, a.aggregations, a.biases, a.responses)
    theirs = (b.activations, b.aggregations, b.biases, b.responses)
    if all(map(_constant, ours, theirs)):
        return ours, ()
    found = list(map(b.wiring.neuron_at.get, a.wiring.ids))
    columns: Any = tuple(
        mine
        if _constant(mine, its)
        else tuple(
            [
                value if at is None or draw < 0.5 else its[at]
                for value, at, draw in zip(mine, found, draws, strict=False)
            ]
        )
        for mine, its in zip(ours, theirs, strict=True)
    )
    changed = [map(ne, old, new) for old, new in zip(ours, columns, strict=True) if old is not new]
    return columns, tuple(compress(a.wiring.ids, map(any, zip(*changed, strict=True))))


def _constant(ours: tuple[Any, ...], theirs: tuple[Any, ...]) -> bool:
    """True if two columns hold one and the same value throughout."""
    value = ours[0]
    return ours.count(value) == len(ours) and theirs.count(value) == len(theirs)
