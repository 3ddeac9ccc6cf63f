"""How two NEAT genomes make one (Stanley & Miikkulainen 2002, section 3.2)."""

from itertools import compress
from operator import ne, or_
from typing import TYPE_CHECKING, Any

import numpy as np

from genomes.encoding import Variation
from genomes.neat.genome import NeatGenome

if TYPE_CHECKING:
    from genomes.neat.encoding import Augmenting

Column = tuple[Any, ...]


def crossover(config: "Augmenting", a: NeatGenome, b: NeatGenome, *, rng: np.random.Generator) -> Variation[NeatGenome]:
    """Align two genomes by their markings; `a` is the fitter.

    Matching genes come from either at random, or, in a share `average_rate` of the crossovers, connections have the
    mean of both weights (`mate_multipoint_avg` in Stanley's own programs). Disjoint and excess genes come from `a`
    alone, so that the child has the wiring of `a` and no cycle that `a` has not. A matching gene that is disabled in
    either is disabled with the probability `disabled_rate`, else enabled. Equal parents make a child like them.

    Of parents that are equally fit, whoever calls this passes the one with fewer genes as `a`: so do Stanley's own
    programs. The paper would draw disjoint and excess genes from both.
    """
    if a == b:
        return Variation(a, "crossover", ())
    wiring, other = a.wiring, b.wiring
    n = len(wiring.markings)
    draws = rng.random(2 * n + len(wiring.ids) + 1).tolist()
    found = list(range(n)) if wiring is other else list(map(other.at.get, wiring.markings))
    if draws[-1] < config.average_rate:
        theirs = b.weights
        weights = tuple([w if at is None else 0.5 * (w + theirs[at]) for w, at in zip(a.weights, found, strict=True)])
    else:
        weights = _either(a.weights, b.weights, found, draws)
    enabled = a.enabled
    if not (all(enabled) and all(b.enabled)):
        on, rate = b.enabled, config.disabled_rate
        enabled = tuple(
            [
                here if at is None or (here and on[at]) else draw >= rate
                for here, at, draw in zip(enabled, found, draws[n:], strict=False)
            ]
        )
    touched = wiring.touched(
        compress(wiring.markings, map(or_, map(ne, weights, a.weights), map(ne, enabled, a.enabled)))
    )
    columns, changed = _neurons(a, b, draws[2 * n :])
    child = NeatGenome(wiring, *columns, weights, enabled)
    return Variation(child, "crossover", tuple(dict.fromkeys((*touched, *changed))) if changed else touched)


def _neurons(a: NeatGenome, b: NeatGenome, draws: list[float]) -> tuple[list[Column], tuple[str, ...]]:
    """The columns of the neurons of a child, and the ids of those that are other than in `a`."""
    ours = [a.activations, a.aggregations, a.biases, a.responses]
    theirs = [b.activations, b.aggregations, b.biases, b.responses]
    wiring, other = a.wiring, b.wiring
    if wiring.ids == other.ids:
        if ours == theirs:
            return ours, ()
        found: list[int | None] = list(range(len(wiring.ids)))
    else:
        found = list(map(other.neuron_at.get, wiring.ids))
    columns = [
        _either(mine, its, found, draws) if mine != its else mine for mine, its in zip(ours, theirs, strict=True)
    ]
    if columns == ours:
        return ours, ()
    differing = [
        any(map(ne, old, new)) for old, new in zip(zip(*ours, strict=True), zip(*columns, strict=True), strict=True)
    ]
    return columns, tuple(compress(wiring.ids, differing))


def _either(ours: Column, theirs: Column, found: list[int | None], draws: list[float]) -> Column:
    return tuple(
        [mine if at is None or draw < 0.5 else theirs[at] for mine, at, draw in zip(ours, found, draws, strict=False)]
    )
