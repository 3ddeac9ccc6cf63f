"""What a population of neuron graphs computes, as sparse products over rows sorted by level and activation."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from evonas.network.kernels import Kernel

BLOCK = 32
"""Values that a kernel is given a multiple of: what is left over from its vectors torch computes by other functions,
whose last bit differs, and what a network puts out would depend on its neighbours."""
REDUCTIONS = {"product": "prod", "max": "max", "min": "min"}
"""What torch calls the aggregations that are no sums of weighted inputs."""


@dataclass(frozen=True, eq=False)
class Terms:
    """Neurons of one level that combine their inputs otherwise than by a sum.

    Attributes:
        reduction: What torch calls it.
        rows: Of the level, `(r,)`.
        columns: Rows of the values that are read, `(c,)`, those of a neuron side by side.
        weights: `(c, 1)`.
        offsets: Where the connections of every neuron begin, and where the last ends, `(r + 1,)`.
        responses: `(r, 1)`.
    """

    reduction: str
    rows: Tensor
    columns: Tensor
    weights: Tensor
    offsets: Tensor
    responses: Tensor

    def add(self, values: Tensor, totals: Tensor) -> None:
        """Add them to the totals of the level, `(rows, batch)`."""
        terms = values.index_select(0, self.columns).mul_(self.weights)
        reduced = torch.segment_reduce(terms, self.reduction, offsets=self.offsets, axis=0, unsafe=True)
        totals.index_add_(0, self.rows, reduced * self.responses)


class Level(NamedTuple):
    """Neurons that can be computed at once, sorted by what they do to their sum.

    Attributes:
        first: Their first row among all values.
        n_rows: Their number.
        columns: Rows of the values that the sums read, `(c,)`, those of a neuron side by side.
        weights: `(c,)`.
        offsets: Where the connections of every row begin, `(n_rows + BLOCK,)`; the last `BLOCK` rows have none.
        terms: What is no sum.
        slices: First row of this level, one behind the last, and what is computed of these.
    """

    first: int
    n_rows: int
    columns: Tensor
    weights: Tensor
    offsets: Tensor
    terms: tuple[Terms, ...]
    slices: tuple[tuple[int, int, Kernel], ...]

    def compute(self, values: Tensor) -> None:
        """Fill its rows of `(rows, batch)` from those before."""
        batch = values.shape[1]
        n_computed = self.n_rows + (-(-BLOCK // batch) if batch % BLOCK else 0)
        totals = torch.embedding_bag(values, self.columns, self.offsets[:n_computed], per_sample_weights=self.weights)[
            0
        ]
        for terms in self.terms:
            terms.add(values, totals)
        made = values[self.first : self.first + n_computed]
        if len(self.slices) == 1:
            self.slices[0][2](totals, made)
            return
        totals, made = totals.view(-1), made.view(-1)
        for start, end, kernel in self.slices:
            # What a block writes beyond its slice is overwritten by the next.
            part = slice(start * batch, start * batch + -(-(end - start) * batch // BLOCK) * BLOCK)
            kernel(totals[part], made[part])


@dataclass(frozen=True, eq=False)
class Program:
    """Rows of values: the constant 1, the inputs, the state of recurrent networks, then what is computed.

    Attributes:
        n_inputs: Rows of inputs.
        n_states: Rows of the state.
        n_rows: All of them, with `BLOCK` behind every level that nobody reads.
        levels: What is computed, in order.
        outputs: Rows that are put out, those of a network side by side.
        places: For every row that is computed its place in the state; empty without a state.
    """

    n_inputs: int
    n_states: int
    n_rows: int
    levels: tuple[Level, ...]
    outputs: Tensor
    places: Tensor
