"""NEAT's compatibility distance, of many pairs at once."""

from collections.abc import Iterator, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from genomes.neat.genome import BIAS, NeatGenome, as_codes, input_ids, packed

Values = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.intp]
CELLS = 1 << 20
"""Cells of a table of who has what, so that what is worked on stays in the cache."""
WORKED_ON = 1 << 15
"""Differences of values that are computed at once: few genomes cost one call, many stay in the cache."""


class _Genes(NamedTuple):
    """The genes of many genomes, one after another.

    Attributes:
        n: How many genomes.
        owners: Whose each gene is, ascending.
        codes: What gene it is.
    """

    n: int
    owners: Places
    codes: Codes


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
    size_a, size_b = (np.array([len(genome.weights) for genome in some], np.float64) for some in (a, b))
    n = np.maximum(size_a[:, None], size_b[None, :])
    n = np.where(n < small, 1.0, n)
    shared, apart = _connections(a, b)
    alone = size_a[:, None] + size_b[None, :] - 2.0 * shared
    if excess == disjoint:
        structure = alone * disjoint
    else:
        n_disjoint = _disjoint(a, b) - 2.0 * shared
        structure = n_disjoint * disjoint + (alone - n_disjoint) * excess
    return np.asarray(structure / n + difference * (apart / np.maximum(shared, 1.0) + _neurons(a, b)))


def _connections(a: Sequence[NeatGenome], b: Sequence[NeatGenome]) -> tuple[Values, Values]:
    """For every pair the number of matching connections, and the sum of how they differ."""
    ours, theirs = (_genes([genome.wiring.codes for genome in some]) for some in (a, b))
    aligned = _Aligned(ours, theirs)
    shared = aligned.equal()
    weights_a, weights_b = (packed([genome.weights for genome in some]) for some in (a, b))
    apart = aligned.apart(weights_a, weights_b)
    if any(False in genome.enabled for genome in (*a, *b)):
        on_a, on_b = (np.frombuffer(b"".join([bytes(genome.enabled) for genome in some]), np.uint8) for some in (a, b))
        apart += shared - aligned.equal(on_a, on_b, 2)
    return shared, apart


def _neurons(a: Sequence[NeatGenome], b: Sequence[NeatGenome]) -> Values:
    """For every pair the mean over matching neurons of how they differ."""
    columns = [
        (getter, kinds)
        for getter in map(attrgetter, ("activations", "aggregations", "biases", "responses"))
        if len(kinds := set().union(*map(getter, a), *map(getter, b))) > 1
    ]
    total = np.zeros((len(a), len(b)))
    if not columns:
        return total
    ours, theirs = (_genes([genome.wiring.neuron_codes for genome in some]) for some in (a, b))
    aligned = _Aligned(ours, theirs)
    shared = aligned.equal()
    for getter, kinds in columns:
        if isinstance(next(iter(kinds)), str):
            values = [chain.from_iterable(map(getter, some)) for some in (a, b)]
            number = {word: at for at, word in enumerate(sorted(kinds))}
            mine, its = (np.fromiter(map(number.__getitem__, some), np.intp) for some in values)
            total += shared - aligned.equal(mine, its, len(kinds))
        else:
            total += aligned.apart(*(packed(map(getter, some)) for some in (a, b)))
    return total / np.maximum(shared, 1.0)


class _Aligned:
    """The genes of two lists of genomes, aligned by what they are."""

    def __init__(self, a: _Genes, b: _Genes) -> None:
        self._a, self._b = a, b
        self._known = np.unique(b.codes)
        self._theirs = np.searchsorted(self._known, b.codes)
        places = np.searchsorted(self._known, a.codes)
        places[places == len(self._known)] = 0
        self._found = self._known[places] == a.codes if len(self._known) else np.zeros(len(a.codes), np.bool_)
        self._ours, self._owners = places[self._found], a.owners[self._found]

    def equal(self, ours: npt.NDArray[Any] | None = None, theirs: Any = None, n_kinds: int = 1) -> Values:
        """For every pair the number of matching genes that are of the same kind.

        Args:
            ours: The kind of every gene of the first, from 0; None: all are of one kind.
            theirs: Those of the second.
            n_kinds: How many kinds there are.
        """
        width = len(self._known) * n_kinds
        places_a, places_b = self._ours, self._theirs
        if ours is not None:
            places_a, places_b = places_a * n_kinds + ours[self._found], places_b * n_kinds + theirs
        table = np.zeros((self._b.n, width), np.float32)
        table[self._b.owners, places_b] = 1.0
        counts = np.zeros((self._a.n, self._b.n))
        for start, stop, part in self._chunks(width):
            rows = np.zeros((stop - start, width), np.float32)
            rows.reshape(-1)[(self._owners[part] - start) * width + places_a[part]] = 1.0
            counts[start:stop] = rows @ table.T
        return counts

    def apart(self, ours: Values, theirs: Values) -> Values:
        """For every pair the sum over matching genes of the difference of their values."""
        n, n_known, mine = self._b.n, len(self._known), ours[self._found]
        table = np.full((n, n_known), np.nan)
        table[self._b.owners, self._theirs] = theirs
        sums = np.zeros((self._a.n, n))
        for start, stop, part in self._chunks(64):
            places, values, owners = self._ours[part], mine[part], self._owners[part] - start
            together = max(1, WORKED_ON // max(1, len(places)))
            for at in range(0, n, together):
                some = table[at : at + together]
                gap = some.take(places, 1)
                gap -= values
                np.abs(gap, out=gap)
                np.fmax(gap, 0.0, out=gap)  # What does not match is NaN, and counts nothing.
                # In the order of the genes, whichever genome comes first: the distance is symmetric to the bit.
                bins = owners + (stop - start) * np.arange(len(some))[:, None]
                found = np.bincount(bins.ravel(), gap.ravel(), len(some) * (stop - start))
                sums[start:stop, at : at + together] = found.reshape(len(some), -1).T
        return sums

    def _chunks(self, width: int) -> Iterator[tuple[int, int, slice]]:
        step = max(1, CELLS // max(1, width))
        for start in range(0, self._a.n, step):
            stop = min(start + step, self._a.n)
            yield start, stop, slice(*np.searchsorted(self._owners, (start, stop)))


def _genes(codes: Sequence[Codes]) -> _Genes:
    sizes = [len(some) for some in codes]
    return _Genes(len(sizes), np.repeat(np.arange(len(sizes)), sizes), np.concatenate(codes))


def _disjoint(a: Sequence[NeatGenome], b: Sequence[NeatGenome]) -> Values:
    """For every pair the number of connections in either with both ends in the other, those that match twice."""
    ends_a, ends_b = _ends(a), _ends(b)
    known = np.unique(np.concatenate([genes.codes for genes in (*ends_a, *ends_b)]))
    in_a, in_b = _members(a, known), _members(b, known)
    found = np.zeros((len(a), len(b)))
    sources, targets = (np.searchsorted(known, genes.codes) for genes in ends_a)
    for at in range(len(b)):
        inside = in_b[at].take(sources) & in_b[at].take(targets)
        found[:, at] = np.bincount(ends_a[0].owners, inside, len(a))
    for at in range(len(b)):
        sources, targets = (np.searchsorted(known, genes.codes[genes.owners == at]) for genes in ends_b)
        found[:, at] += (in_a[:, sources] & in_a[:, targets]).sum(1)
    return found


def _ends(genomes: Sequence[NeatGenome]) -> tuple[_Genes, _Genes]:
    """The sources and the targets of all connections."""
    sources, targets = (
        _genes([as_codes(getattr(genome.wiring, column)) for genome in genomes]) for column in ("sources", "targets")
    )
    return sources, targets


def _members(genomes: Sequence[NeatGenome], known: Codes) -> npt.NDArray[np.bool_]:
    """Which of the known ids each genome has, `(len(genomes), len(known))`: inputs and the bias always."""
    found = np.zeros((len(genomes), len(known)), np.bool_)
    found[:, np.isin(known, as_codes((*input_ids(genomes[0].wiring.n_inputs), BIAS)))] = True
    neurons = _genes([genome.wiring.neuron_codes for genome in genomes])
    places = np.searchsorted(known, neurons.codes)
    right = np.append(known, 0)[places] == neurons.codes
    found[neurons.owners[right], places[right]] = True
    return found
