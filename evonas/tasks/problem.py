"""A task without data: networks are judged by what they do, many at a time, and nothing is trained."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from evonas.tasks.task import BEHAVIOUR, Split, Task

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Networks(Protocol):
    """Many networks of different structure, side by side on one device, as a problem sees them."""

    @property
    def n(self) -> int:
        """How many."""

    @property
    def device(self) -> "torch.device":
        """Where they are; what they put out is there, float32."""

    def __call__(self, inputs: "Tensor") -> "Tensor":
        """What every network puts out, `(n, batch, n_outputs)`; recurrent ones take one step from zeros.

        Args:
            inputs: `(batch, n_inputs)`, the same for all, or `(n, batch, n_inputs)`.
        """

    def step(self, inputs: "Tensor", state: Any = None) -> "tuple[Tensor, Any]":
        """What every network puts out in one time step, and the state behind it, for the next call.

        Args:
            inputs: As in `__call__`.
            state: What the last call returned; None: the beginning. Feed-forward networks have none. Where there is
                one, `state[which]` is that of `choose(which)`.
        """

    def choose(self, which: "Tensor") -> "Networks":
        """Some of the networks.

        Args:
            which: Their numbers, `(m,)`, int64.
        """


class Problem(Protocol):
    """What networks are judged by. A frozen value: equal ones judge alike."""

    @property
    def n_inputs(self) -> int:
        """Values that a network is given."""

    @property
    def n_outputs(self) -> int:
        """Values that it puts out."""

    def score(self, networks: Networks, seeds: npt.NDArray[np.int64]) -> "Mapping[str, Tensor]":
        """Judge networks: the result of one does not depend on the others.

        Args:
            networks: Whom.
            seeds: For each network a seed of all that is random in its trial, `(n,)`.

        Returns:
            By name, `(n,)` each: `fitness`, higher is better; `solved`, 1 where the problem's own criterion is met,
            else 0; and what else is worth a record.
        """

    def test(self, networks: Networks, seeds: npt.NDArray[np.int64]) -> "Mapping[str, Tensor]":
        """Judge networks by what no search sees: other starts, longer times, a larger substrate. As `score`."""


def posed(
    name: str,
    problem: Problem,
    *,
    fingerprint: str,
    metrics: tuple[str, ...] = (),
    inputs: tuple[str, ...] = (),
) -> Task:
    """The task of a problem: without examples.

    Args:
        name: Its word in a spec.
        problem: What networks are judged by.
        fingerprint: Changes with all that decides a score.
        metrics: What it measures beside `fitness` and `solved`, so that objectives may name it.
        inputs: Names of the values that a network is given, where they have any.
    """
    nothing = Split(np.empty((0, problem.n_inputs), np.float32), np.empty(0, np.int64))
    targets = tuple(map(str, range(problem.n_outputs)))
    return Task(
        name,
        nothing,
        nothing,
        nothing,
        (),
        fingerprint,
        kind=BEHAVIOUR,
        targets=targets,
        features=inputs,
        problem=problem,
        metrics=metrics,
    )
