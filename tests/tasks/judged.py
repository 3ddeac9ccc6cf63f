"""Networks for the tests of problems: linear in what they are given, and in what it was a step before."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Linear:
    """Each puts out an offset, its inputs times gains, and the change of its inputs since the last step times others.

    Attributes:
        gains: `(n, n_inputs, n_outputs)`.
        offset: What is added.
        changes: As `gains`, of the change; None: networks without a state.
    """

    gains: Tensor
    offset: float = 0.0
    changes: Tensor | None = None

    @property
    def n(self) -> int:
        return len(self.gains)

    @property
    def device(self) -> torch.device:
        return self.gains.device

    def __call__(self, inputs: Tensor) -> Tensor:
        return self.step(inputs)[0]

    def step(self, inputs: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        inputs = inputs.expand(self.n, -1, -1)
        outputs = inputs @ self.gains + self.offset
        if self.changes is None:
            return outputs, None
        return outputs + (inputs - (inputs if state is None else state)) @ self.changes, inputs

    def choose(self, which: Tensor) -> "Linear":
        assert which.dtype == torch.int64
        changes = None if self.changes is None else self.changes[which]
        return Linear(self.gains[which], self.offset, changes)
