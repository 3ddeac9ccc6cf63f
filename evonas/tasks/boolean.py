"""Truth tables: exclusive or, parity, any other."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, field_validator

from evonas.tasks.problem import Networks, posed
from evonas.tasks.task import BEHAVIOUR, KindName, Task

if TYPE_CHECKING:
    from torch import Tensor

MAX_BITS = 12
"""Of inputs: 4,096 cases."""
Bit = Annotated[int, Field(ge=0, le=1)]
Steps = Annotated[
    int, Field(ge=1, le=1000, description="Times a recurrent network is given a case before its outputs are read.")
]


@dataclass(frozen=True)
class TruthTable:
    """Networks are given every case and should put out its bits.

    With errors e = |output - bit| over all N outputs of all cases, the fitness is (N - Σ e)², as for exclusive or in
    Stanley & Miikkulainen 2002 (https://doi.org/10.1162/106365602320169811), section 4.2; it is solved where every
    output is on the right side of 0.5, 0.5 itself counting as 1. `squares` is N - Σ e², the fitness of exclusive or in
    neat-python, which calls 3.9 of 4 solved. `accuracy` is the part of the outputs on the right side.

    Departure: where outputs are not bounded and Σ e is above N the fitness is 0.

    Attributes:
        outputs: For every output its bit in every case. Cases count in binary, the first input being the highest bit.
        steps: How often a recurrent network is given a case, from zeros; it is read after the last time.
    """

    outputs: tuple[tuple[int, ...], ...]
    steps: int = 1

    @property
    def n_inputs(self) -> int:
        """The bits of a case."""
        return len(self.outputs[0]).bit_length() - 1

    @property
    def n_outputs(self) -> int:
        """The columns of the table."""
        return len(self.outputs)

    @property
    def cases(self) -> npt.NDArray[np.float32]:
        """The inputs of every case, `(2 ** n_inputs, n_inputs)`, 0 or 1."""
        numbers = np.arange(2**self.n_inputs)
        return (numbers[:, None] >> np.arange(self.n_inputs)[::-1] & 1).astype(np.float32)

    def score(self, networks: Networks, seeds: npt.NDArray[np.int64]) -> "Mapping[str, Tensor]":
        """Ask networks for every case, where nothing is random.

        Args:
            networks: Whom.
            seeds: Not used.

        Returns:
            `fitness`, `solved`, `squares` and `accuracy`, `(n,)` each.
        """
        import torch

        inputs = torch.tensor(self.cases, device=networks.device)
        bits = torch.tensor(self.outputs, device=networks.device).T
        if self.steps == 1:
            outputs = networks(inputs)
        else:
            state: Any = None
            for _ in range(self.steps):
                outputs, state = networks.step(inputs, state)
        errors = (outputs - bits).abs().double()
        right = (outputs >= 0.5) == (bits == 1)
        return {
            "fitness": (bits.numel() - errors.sum((1, 2))).clamp(min=0).square(),
            "solved": right.all(2).all(1).double(),
            "squares": bits.numel() - errors.square().sum((1, 2)),
            "accuracy": right.double().mean((1, 2)),
        }

    def test(self, networks: Networks, seeds: npt.NDArray[np.int64]) -> "Mapping[str, Tensor]":
        """The same: every case there is was seen."""
        return self.score(networks, seeds)


def _task(name: str, table: TruthTable) -> Task:
    fingerprint = hashlib.sha256(repr(table).encode()).hexdigest()
    return posed(name, table, fingerprint=fingerprint, metrics=("squares", "accuracy"))


class Xor(BaseModel):
    """Exclusive or of two bits: the least that needs a hidden neuron."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[KindName] = BEHAVIOUR
    name: Literal["xor"] = "xor"
    steps: Steps = 1

    def load(self) -> Task:
        """The table of four cases."""
        return _task(self.name, TruthTable(((0, 1, 1, 0),), self.steps))


class Parity(BaseModel):
    """Whether an odd number of bits is set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[KindName] = BEHAVIOUR
    name: Literal["parity"] = "parity"
    bits: int = Field(3, ge=2, le=MAX_BITS, description="Bits of a case, of which there are 2 to the power of them.")
    steps: Steps = 1

    def load(self) -> Task:
        """The table of all cases."""
        return _task(self.name, TruthTable((tuple(case.bit_count() & 1 for case in range(2**self.bits)),), self.steps))


class Boolean(BaseModel):
    """Any function of bits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[KindName] = BEHAVIOUR
    name: Literal["boolean"] = "boolean"
    outputs: tuple[tuple[Bit, ...], ...] = Field(
        description="The bits of one output in every case, or a list of them for every output. Cases count in binary, "
        "the first input being the highest bit: [0, 0, 0, 1] is and of two inputs."
    )
    steps: Steps = 1

    @field_validator("outputs", mode="before")
    @classmethod
    def _one_or_several(cls, outputs: Any) -> Any:
        listed = isinstance(outputs, (list, tuple)) and outputs
        return [outputs] if listed and not isinstance(outputs[0], (list, tuple)) else outputs

    @field_validator("outputs")
    @classmethod
    def _whole(cls, outputs: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
        lengths = sorted({len(one) for one in outputs})
        if len(lengths) != 1 or lengths[0] not in [2**n for n in range(1, MAX_BITS + 1)]:
            got = " and ".join(map(str, lengths)) or "none"
            raise ValueError(
                f"expected as many bits for every output, 2, 4, 8 and so on up to {2**MAX_BITS}, got {got}; give a bit "
                "for every case"
            )
        return outputs

    def load(self) -> Task:
        """The table that was given."""
        return _task(self.name, TruthTable(self.outputs, self.steps))
