"""NEAT's compatibility distance, of many pairs at once."""

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from genomes.neat.genome import BIAS, NeatGenome, as_codes, input_ids
from genomes.neurons import ACTIVATIONS, AGGREGATIONS

Values = npt.NDArray[np.float64]
CHUNK = 1_024
"""Genomes that are measured together, so that what is worked on stays in the cache."""


class _Genes(NamedTuple):
    """Matching material of many genomes, one after another: what gene, whose, and its values."""

    codes: npt.NDArray[np.uint64]
    owners: npt.NDArray[np.intp]
    values: tuple[npt.NDArray[Any], ...]


def distances(
    a: Sequence[NeatGenome],
    b: Sequence[NeatGenome],
    *,
    excess: float,
    disjoint: float,
    difference: float,
    small: int,
) -> Values:
    """δ = c1 E/N + c2 D/N + c3 W̄ for every pair (Stanley & Miikkulainen 2002, section 3.3).

    N is the number of connections of the larger genome, or 1 where both have fewer than `small`. Departures: markings
    have no age here, so that *excess* is a gene with an end that the other genome lacks, which is built upon structure
    that the other has not, and *disjoint* one whose ends are both there. W̄ is the mean over matching connections of the
    difference in weight, and 1 more where one is disabled and the other not; added to it is the mean over matching
    neurons of the differences in bias and response, and 1 for another activation or aggregation, as in neat-python. All
    of these are 0 in the networks of the paper, but for what is disabled.

    Args:
        a: Genomes.
        b: Genomes, rather the fewer.
        excess: c1.
        disjoint: c2.
        difference: c3.
        small: Genomes with fewer connections than this have N = 1.

    Returns:
        `(len(a), len(b))`. A pair has the same distance whichever comes first.
    """
    if not a or not b:
        return np.zeros((len(a), len(b)))
    n_a, n_b = (np.array([len(genome.weights) for genome in some], np.float64) for some in (a, b))
    n = np.maximum(n_a[:, None], n_b[None, :])
    n = np.where(n < small, 1.0, n)
    n_shared, apart = _compared(a, b, _connections)
    n_neurons, neurons_apart = _compared(a, b, _neurons)
    alone = n_a[:, None] + n_b[None, :] - 2.0 * n_shared
    if excess == disjoint:
        structure = alone * disjoint
    else:
        n_disjoint = _disjoint(a, b) - 2.0 * n_shared
        structure = n_disjoint * disjoint + (alone - n_disjoint) * excess
    mean = apart / np.maximum(n_shared, 1.0) + neurons_apart / np.maximum(n_neurons, 1.0)
    return np.asarray(structure / n + difference * mean)


def _compared(a: Sequence[NeatGenome], b: Sequence[NeatGenome], genes_of: Any) -> tuple[Values, Values]:
    """For every pair the number of matching genes, and the sum of how they differ."""
    theirs = genes_of(b)
    known = np.unique(theirs.codes)
    counts, sums = np.zeros((len(a), len(b))), np.zeros((len(a), len(b)))
    bounds = np.searchsorted(theirs.owners, range(len(b) + 1))
    for start in range(0, len(a), CHUNK):
        some = a[start : start + CHUNK]
        ours = _known(genes_of(some), known)
        for at in range(len(b)):
            mine = slice(bounds[at], bounds[at + 1])
            places = np.searchsorted(known, theirs.codes[mine])
            has = np.zeros(len(known))
            has[places] = 1.0
            shared = has[ours.codes]
            apart = np.zeros(len(shared))
            for value, its in zip(ours.values, theirs.values, strict=True):
                table = np.zeros(len(known), its.dtype)
                table[places] = its[mine]
                other = table[ours.codes]
                apart += np.abs(value - other) if value.dtype == np.float64 else value != other
            # Sums run in the order of the markings, whichever genome comes first: the distance is symmetric to the bit.
            counts[start : start + len(some), at] = np.bincount(ours.owners, shared, len(some))
            sums[start : start + len(some), at] = np.bincount(ours.owners, apart * shared, len(some))
    return counts, sums


def _known(genes: _Genes, known: npt.NDArray[np.uint64]) -> _Genes:
    """Those of the genes that are known, their codes as indices into what is known."""
    if not len(known):
        nothing = np.zeros(0, np.intp)
        return _Genes(nothing.astype(np.uint64), nothing, tuple(value[:0] for value in genes.values))
    places = np.minimum(np.searchsorted(known, genes.codes), len(known) - 1)
    found = known[places] == genes.codes
    return _Genes(places[found], genes.owners[found], tuple(value[found] for value in genes.values))


def _connections(genomes: Sequence[NeatGenome]) -> _Genes:
    sizes = [len(genome.weights) for genome in genomes]
    n = sum(sizes)
    weights = np.fromiter(chain.from_iterable(genome.weights for genome in genomes), np.float64, n)
    enabled = np.frombuffer(b"".join([bytes(genome.enabled) for genome in genomes]), np.uint8)
    codes = np.concatenate([genome.wiring.codes for genome in genomes])
    return _Genes(codes, np.repeat(np.arange(len(sizes)), sizes), (weights, enabled))


def _neurons(genomes: Sequence[NeatGenome]) -> _Genes:
    sizes = [len(genome.biases) for genome in genomes]
    n = sum(sizes)
    columns = [
        np.fromiter(chain.from_iterable(getattr(genome, column) for genome in genomes), np.float64, n)
        for column in ("biases", "responses")
    ]
    words = [
        _numbered([getattr(genome, column) for genome in genomes], n) for column in ("activations", "aggregations")
    ]
    codes = np.concatenate([genome.wiring.neuron_codes for genome in genomes])
    return _Genes(codes, np.repeat(np.arange(len(sizes)), sizes), (*columns, *words))


def _numbered(columns: Sequence[tuple[str, ...]], n: int) -> npt.NDArray[np.int16]:
    number = {word: at for at, word in enumerate((*ACTIVATIONS, *AGGREGATIONS))}
    return np.fromiter(map(number.__getitem__, chain.from_iterable(columns)), np.int16, n)


def _disjoint(a: Sequence[NeatGenome], b: Sequence[NeatGenome]) -> Values:
    """For every pair the number of connections in either with both ends in the other, those that match twice."""
    ends_a, ends_b = _ends(a), _ends(b)
    known = np.unique(np.concatenate([*ends_a.values, *ends_b.values]))
    in_a, in_b = _members(a, known), _members(b, known)
    found = np.zeros((len(a), len(b)))
    for start in range(0, len(a), CHUNK):
        stop = start + CHUNK
        part = slice(*np.searchsorted(ends_a.owners, (start, stop)))
        sources, targets = (np.searchsorted(known, ends[part]) for ends in ends_a.values)
        owners = ends_a.owners[part] - start
        for at in range(len(b)):
            inside = in_b[at, sources] & in_b[at, targets]
            found[start:stop, at] = np.bincount(owners, inside, min(CHUNK, len(a) - start))
    for at in range(len(b)):
        sources, targets = (np.searchsorted(known, ends[ends_b.owners == at]) for ends in ends_b.values)
        found[:, at] += (in_a[:, sources] & in_a[:, targets]).sum(1)
    return found


def _ends(genomes: Sequence[NeatGenome]) -> _Genes:
    sizes = [len(genome.weights) for genome in genomes]
    sources, targets = (
        as_codes([name for genome in genomes for name in getattr(genome.wiring, column)])
        for column in ("sources", "targets")
    )
    owners = np.repeat(np.arange(len(sizes)), sizes)
    return _Genes(sources, owners, (sources, targets))


def _members(genomes: Sequence[NeatGenome], known: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Which of the known ids each genome has, `(len(genomes), len(known))`."""
    found = np.zeros((len(genomes), len(known)), np.bool_)
    common = {name: 0 for genome in genomes[:1] for name in (*input_ids(genome.wiring.n_inputs), BIAS)}
    found[:, np.isin(known, as_codes(list(common)))] = True
    owners = np.repeat(np.arange(len(genomes)), [len(genome.wiring.ids) for genome in genomes])
    codes = np.concatenate([genome.wiring.neuron_codes for genome in genomes])
    if len(known):
        places = np.minimum(np.searchsorted(known, codes), len(known) - 1)
        right = known[places] == codes
        found[owners[right], places[right]] = True
    return found
