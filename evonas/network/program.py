"""What a population of neuron graphs computes, as sparse products over rows sorted by level and activation."""

from dataclasses import dataclass

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


@dataclass(frozen=True, eq=False)
class Level:
    """Neurons that can be computed at once, sorted by what they do to their sum.

    Attributes:
        first: Their first row among all values.
        columns: Rows of the values that the sums read, `(c,)`, those of a neuron side by side.
        weights: `(c,)`.
        offsets: Where the connections of every row begin, and where the last ends, `(rows + BLOCK + 1,)`: `BLOCK` rows
            of nothing follow.
        terms: What is no sum.
        slices: First row among all values, one behind the last, and what is computed of these.
    """

    first: int
    columns: Tensor
    weights: Tensor
    offsets: Tensor
    terms: tuple[Terms, ...]
    slices: tuple[tuple[int, int, Kernel], ...]

    def compute(self, values: Tensor) -> None:
        """Fill its rows of `(rows, batch)` from those before, and perhaps some values behind them."""
        before = values[: self.first]
        totals = torch.embedding_bag(
            before, self.columns, self.offsets, per_sample_weights=self.weights, include_last_offset=True
        )[0]
        for terms in self.terms:
            terms.add(before, totals)
        batch = values.shape[1]
        given, made = totals.view(-1), values.view(-1)
        for start, end, kernel in self.slices:
            # What a block writes beyond its slice is overwritten by the next.
            size = -(-(end - start) * batch // BLOCK) * BLOCK
            at = (start - self.first) * batch
            kernel(given[at : at + size], made[start * batch : start * batch + size])


@dataclass(frozen=True, eq=False)
class Program:
    """Rows of values: the constant 1, the inputs, the state of recurrent networks, then what is computed.

    Attributes:
        n_inputs: Rows of inputs.
        n_states: Rows of the state.
        n_rows: All of them, with `BLOCK` behind them that nobody reads.
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

    @property
    def computed(self) -> slice:
        """The rows of all neurons."""
        return slice(1 + self.n_inputs + self.n_states, self.n_rows - BLOCK)
