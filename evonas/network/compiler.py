"""From the columns of many neuron graphs to the program that computes them all, in numpy."""

from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from evonas.network.columns import AGGREGATION_CODES, Columns, Floats, Ints, starts
from evonas.network.kernels import kernels
from evonas.network.program import BLOCK, REDUCTIONS, Level, Program, Terms


class Compiler:
    """Turns columns into programs.

    Args:
        columns: The networks.
        width: Neurons that the state of a recurrent network has room for.
        device: Where they are computed.
        dtype: Of all values.
    """

    def __init__(self, columns: Columns, width: int, device: torch.device, dtype: torch.dtype) -> None:
        self._columns, self._width, self._device, self._dtype = columns, width, device, dtype
        self._kernels = kernels()
        gains = np.array([gain for gain, _, _ in self._kernels])
        names = [name for _, name, _ in self._kernels]
        kinds = np.array([names.index(name) for name in names])
        n = len(columns.biases)
        keys, self._order = _sorted(columns.levels * len(kinds) + kinds[columns.activations])
        cuts = [0, *(np.flatnonzero(keys[1:] != keys[:-1]) + 1).tolist()]
        # Behind the neurons of a level are rows that nobody reads: see `BLOCK`.
        words = [divmod(key, len(kinds)) for key in keys[cuts].tolist()]
        self._slices = [
            (level, kind, start + level * BLOCK, end + level * BLOCK)
            for (level, kind), start, end in zip(words, cuts, [*cuts[1:], n], strict=True)
        ]
        self._n_levels = words[-1][0] + 1
        self._ranks = np.empty(n, np.int64)
        self._ranks[self._order] = np.arange(n) + keys // len(kinds) * BLOCK
        self._scale(gains[columns.activations])

    def program(self, *, shared: bool) -> Program:
        """What they compute; shared: all are given the same inputs."""
        columns = self._columns
        n, k = columns.n, columns.n_inputs
        n_inputs = k if shared else n * k
        n_states = n * self._width if columns.recurrent else 0
        before = 1 + n_inputs + n_states
        places = np.empty(0, np.int64)
        rows = self._ranks + before
        if columns.recurrent:
            shifts = np.arange(n) * self._width - starts(columns.n_neurons)
            places = np.arange(len(rows)) + np.repeat(shifts, columns.n_neurons)
            rows = places + (1 + n_inputs)
            places = places[self._order]
        inputs = 1 + ~columns.sources
        if not shared:
            inputs += np.repeat(np.arange(n) * k, columns.n_connections)
        read = np.where(columns.sources < 0, inputs, rows.take(columns.sources, mode="clip"))
        outputs = self._ranks[columns.outputs].ravel() + before
        n_rows = before + len(rows) + self._n_levels * BLOCK
        levels = self._levels(read, before)
        return Program(n_inputs, n_states, n_rows, levels, self._tensor(outputs), self._tensor(places))

    def _scale(self, gains: Floats) -> None:
        """Fold responses, means and the factors of kernels into weights and biases."""
        columns = self._columns
        scales = columns.responses * gains
        self._biases = columns.biases * gains
        self._reduced = np.zeros(0, bool)
        if columns.aggregations.any():
            n_read = np.bincount(columns.targets, minlength=len(gains))
            mean, product = (columns.aggregations == AGGREGATION_CODES[word] for word in ("mean", "product"))
            scales = np.where(mean, scales / np.maximum(n_read, 1), scales)
            self._biases = np.where(product & (n_read == 0), self._biases + scales, self._biases)
            self._reduced = (columns.aggregations != AGGREGATION_CODES["sum"]) & ~mean
        self._scales = scales

    def _levels(self, read: Ints, before: int) -> tuple[Level, ...]:
        """What is computed at once; `read` says which row a connection reads."""
        targets = self._columns.targets
        ranks, weights = self._ranks[targets], self._columns.weights
        reduced: list[tuple[str, _Links]] = []
        if self._reduced.any():
            self._scale_of = np.zeros(int(self._ranks.max()) + 1)
            self._scale_of[self._ranks] = self._scales
            for name in REDUCTIONS:
                some = (self._columns.aggregations == AGGREGATION_CODES[name])[targets]
                reduced.append((REDUCTIONS[name], _Links(ranks[some], read[some], weights[some])))
            some = ~self._reduced[targets]
            targets, ranks, read, weights = targets[some], ranks[some], read[some], weights[some]
        # The bias is the weight of a connection from the constant, row 0.
        summed = _Links(
            np.concatenate([ranks, self._ranks]),
            np.concatenate([read, np.zeros(len(self._ranks), np.int64)]),
            np.concatenate([weights * self._scales[targets], self._biases]),
        )
        groups = [tuple(group) for _, group in groupby(self._slices, itemgetter(0))]
        firsts = np.array([group[0][2] for group in groups])
        sizes = np.array([group[-1][3] + BLOCK for group in groups]) - firsts
        begins = starts(np.bincount(summed.ranks, minlength=int(sizes.sum())))
        offsets = self._tensor(begins - np.repeat(begins[firsts], sizes), torch.int32)
        counts = np.diff(begins[firsts], append=len(summed.ranks)).tolist()
        columns = self._tensor(summed.read, torch.int32).split(counts)
        values = self._tensor(summed.weights, self._dtype).split(counts)
        made = []
        for at, (group, local) in enumerate(zip(groups, offsets.split(sizes.tolist()), strict=True)):
            first, end = group[0][2], group[-1][3]
            slices = tuple((start - first, end - first, self._kernels[kind][2]) for _, kind, start, end in group)
            terms = tuple(self._terms(word, links, first, end) for word, links in reduced if links.between(first, end))
            made.append(Level(before + first, end - first, columns[at], values[at], local, terms, slices))
        return tuple(made)

    def _terms(self, reduction: str, links: "_Links", start: int, end: int) -> Terms:
        part = links.between(start, end)
        assert part is not None
        ranks, n_read = np.unique(links.ranks[part], return_counts=True)
        return Terms(
            reduction,
            self._tensor(ranks - start),
            self._tensor(links.read[part]),
            self._tensor(links.weights[part, None], self._dtype),
            self._tensor(np.concatenate([[0], np.cumsum(n_read)])),
            self._tensor(self._scale_of[ranks, None], self._dtype),
        )

    def _tensor(self, values: npt.NDArray[Any], dtype: torch.dtype | None = None) -> Tensor:
        return torch.from_numpy(values).to(self._device, dtype)


class _Links:
    """Connections sorted by the row that they feed, those into one row in the order they were listed."""

    def __init__(self, ranks: Ints, read: Ints, weights: Floats) -> None:
        self.ranks, order = _sorted(ranks)
        self.read, self.weights = read[order], weights[order]

    def between(self, start: int, end: int) -> slice | None:
        """Those that feed the rows from start to before end; None: there are none."""
        first, last = np.searchsorted(self.ranks, [start, end]).tolist()
        return slice(first, last) if first < last else None


def _sorted(keys: Ints) -> tuple[Ints, Ints]:
    """The keys in order, and where each was; equal ones stay as they were.

    Place and key in one number are sorted much faster than by numpy's stable sort.
    """
    bits = len(keys).bit_length()
    both = np.sort((keys << bits) + np.arange(len(keys)))
    return both >> bits, both & ((1 << bits) - 1)
