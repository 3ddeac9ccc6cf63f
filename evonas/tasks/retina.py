"""The retina of Kashtan & Alon: is there an object to the left, is there one to the right?"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from evonas.tasks.problem import Networks, posed
from evonas.tasks.task import BEHAVIOUR, KindName, Task

if TYPE_CHECKING:
    from torch import Tensor

Asked = Literal["both", "and", "or"]
Objects = Literal["kashtan_alon", "verbancsics_stanley"]
LEFT: Mapping[Objects, tuple[str, ...]] = {
    "kashtan_alon": ("1000", "0010", "1010", "0111", "1011", "1101", "1110", "1111"),
    "verbancsics_stanley": ("0111", "1011", "0011", "0000", "0100", "1000", "0001", "0010"),
}
"""The patterns that are an object to the left: pixels of a 2 × 2 half, row by row.

In Kashtan & Alon 2005 (https://doi.org/10.1073/pnas.0503610102) three pixels or more, or one or two in the left column
alone. In Verbancsics & Stanley 2011 (https://doi.org/10.1145/2001576.2001776) eight that were drawn, as in Coleman's
program AHNI."""
RIGHT: Mapping[Objects, tuple[str, ...]] = {
    "kashtan_alon": ("0100", "0001", "0101", "0111", "1011", "1101", "1110", "1111"),
    "verbancsics_stanley": ("0100", "1000", "0001", "0010", "1101", "1110", "1100", "0000"),
}
"""As `LEFT`, to the right: in Kashtan & Alon one or two pixels in the right column alone."""
MOST = 1e6
"""Squared errors are cut there, so that what is no number has a fitness."""


@dataclass(frozen=True)
class Retina:
    """Networks see two halves of 2 × 2 pixels, and say in which there is an object.

    All 256 patterns are shown. The fitness is 1 less the mean squared error, and below 0 where unbounded outputs err
    more; it is solved where every output is on the right side of 0.5. Inputs are 0 and 1, as in Kashtan & Alon; Clune
    et al. 2010 and Verbancsics & Stanley have -3 and 3.

    Attributes:
        asked: both: one output for the left half, one for the right. and: one output, whether both have an object. or:
            whether one of them has.
        objects: A key of `LEFT`.
        low: What a dark pixel is.
        high: What a lit one is.
    """

    asked: Asked
    objects: Objects
    low: float
    high: float

    @property
    def n_inputs(self) -> int:
        """Pixels: the left half row by row, then the right."""
        return 8

    @property
    def n_outputs(self) -> int:
        """Two where both halves are asked about, else one."""
        return 2 if self.asked == "both" else 1

    def pixels(self) -> npt.NDArray[np.float32]:
        """All patterns, `(256, 8)`, 0 or 1."""
        return ((np.arange(256)[:, None] >> np.arange(7, -1, -1)) & 1).astype(np.float32)

    def answers(self) -> npt.NDArray[np.float32]:
        """What is right for each, `(256, n_outputs)`, 0 or 1."""
        words = [f"{pattern:08b}" for pattern in range(256)]
        left = np.array([word[:4] in LEFT[self.objects] for word in words])
        right = np.array([word[4:] in RIGHT[self.objects] for word in words])
        columns = {"both": [left, right], "and": [left & right], "or": [left | right]}[self.asked]
        return np.stack(columns, 1).astype(np.float32)

    def score(self, networks: Networks, seeds: npt.NDArray[np.int64]) -> "Mapping[str, Tensor]":
        """Show networks every pattern, where nothing is random.

        Args:
            networks: Whom.
            seeds: Not read.

        Returns:
            `fitness`, `solved`, and `accuracy`: the part of patterns of which all outputs are right.
        """
        import torch

        inputs = torch.from_numpy(self.pixels() * (self.high - self.low) + self.low).float().to(networks.device)
        answers = torch.from_numpy(self.answers()).to(networks.device)
        with torch.inference_mode():
            outputs = networks(inputs).double()
        errors = torch.nan_to_num((outputs - answers).square(), nan=MOST).clamp(max=MOST)
        right = ((outputs >= 0.5) == (answers == 1)).all(2)
        return {
            "fitness": 1 - errors.mean((1, 2)),
            "solved": right.all(1).double(),
            "accuracy": right.double().mean(1),
        }

    def test(self, networks: Networks, seeds: npt.NDArray[np.int64]) -> "Mapping[str, Tensor]":
        """The same: every pattern there is was seen."""
        return self.score(networks, seeds)


class RetinaTask(BaseModel):
    """Eight pixels, in two halves each of which may show an object."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[KindName] = BEHAVIOUR
    name: Literal["retina"] = "retina"
    asked: Asked = Field(
        "both",
        description="both: one output a half; and: one output, whether both have an object; or: whether one has.",
    )
    objects: Objects = Field(
        "kashtan_alon", description="Which eight patterns of a half are an object: whose paper is followed."
    )
    low: float = Field(0.0, description="What a dark pixel is.")
    high: float = Field(1.0, description="What a lit pixel is; the papers that use HyperNEAT have -3 and 3.")

    def load(self) -> Task:
        """The task; there are no data."""
        problem = Retina(self.asked, self.objects, self.low, self.high)
        fingerprint = hashlib.sha256(repr(problem).encode()).hexdigest()
        return posed(self.name, problem, fingerprint=fingerprint, metrics=("accuracy",))
