"""Visual discrimination: where is the middle of the larger of two boxes?"""

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from evonas.tasks.problem import Networks, posed
from evonas.tasks.task import BEHAVIOUR, KindName, Task

if TYPE_CHECKING:
    from torch import Tensor

UNIT = 11
"""Places along a side of the published field: what is one place there is a unit at every resolution."""
LAID = 5
"""Places along each axis where `score` lays the small box."""
AHEAD = ((0, 5), (5, 0), (5, 5))
"""How far from the small box the large one is laid, in units down and to the right."""
BATCH = 1 << 22
"""Values that are put out at once."""


class Trial(NamedTuple):
    """Where two boxes lie: row and column of their first places."""

    small: tuple[int, int]
    large: tuple[int, int]


@dataclass(frozen=True)
class Discrimination:
    """Networks look at a square field with a small box and one three times as wide, and point at the larger.

    Stanley, D'Ambrosio & Gauci 2009 (https://doi.org/10.1162/artl.2009.15.2.15202), section 4: the input is 1 where a
    box covers a place, else 0; the place that is put out most strongly is where the network points, and should be the
    middle of the large box. In 75 trials the small box lies at 25 places, evenly apart, and the large one five units to
    the right, down, and both; one that leaves the field comes in on the other side, and is then moved as little as
    possible until all of it is inside. Fitness falls with the sum of squared distances.

    The paper gives no scale of fitness and no criterion for a solution. Ours: the fitness is 1 less the mean squared
    distance over that between opposite corners; it is solved where every trial points at the middle, or at one of the
    places around it where the middle lies between places.

    Attributes:
        resolution: Places along a side. Rows and columns of places are inputs, and outputs, row after row.
    """

    resolution: int

    @property
    def n_inputs(self) -> int:
        """The places of the field."""
        return self.resolution**2

    @property
    def n_outputs(self) -> int:
        """The places that can be pointed at."""
        return self.resolution**2

    @property
    def small_side(self) -> int:
        """Places along a side of the small box: one unit, rounded down; the large one has three times as many."""
        return max(1, self.resolution // UNIT)

    def at(self, resolution: int) -> "Discrimination":
        """The same problem at another resolution, for networks of the same genome developed for it."""
        return replace(self, resolution=resolution)

    def trials(self) -> list[Trial]:
        """The 75 of `score`."""
        places = [round((self.resolution - self.small_side) * (at + 0.5) / LAID) for at in range(LAID)]
        return list(self._laid(places))

    def all_trials(self) -> list[Trial]:
        """Those of `test`: the small box at every place."""
        return list(self._laid(range(self.resolution - self.small_side + 1)))

    def _laid(self, places: Sequence[int]) -> Iterator[Trial]:
        """Every row and column of these for the small box, three places of the large one for each."""
        for row, column in itertools.product(places, places):
            for down, right in AHEAD:
                yield Trial((row, column), (self._ahead(row, down), self._ahead(column, right)))

    def _ahead(self, small: int, units: int) -> int:
        """The first place of the large box along one axis."""
        side = self.small_side
        first = small - side + round(units * self.resolution / UNIT)
        if first + (3 * side - 1) / 2 > self.resolution - 1:
            first -= self.resolution
        return min(max(first, 0), self.resolution - 3 * side)

    def fields(self, trials: list[Trial]) -> npt.NDArray[np.float32]:
        """What a network is given in each trial, `(n_trials, n_inputs)`."""
        found = np.zeros((len(trials), self.resolution, self.resolution), np.float32)
        side = self.small_side
        for field, (small, large) in zip(found, trials, strict=True):
            for (row, column), size in ((small, side), (large, 3 * side)):
                field[row : row + size, column : column + size] = 1
        return found.reshape(len(trials), -1)

    def score(self, networks: Networks, seeds: npt.NDArray[np.int64]) -> "Mapping[str, Tensor]":
        """Let networks point in 75 trials, where nothing is random.

        Args:
            networks: Whom.
            seeds: Not read.

        Returns:
            `fitness` and `solved`; `accuracy`, the part of trials that point at the middle; and `distance`, the mean
            distance from it, in units: places of a field of 11 × 11.
        """
        return self._judged(networks, self.trials())

    def test(self, networks: Networks, seeds: npt.NDArray[np.int64]) -> "Mapping[str, Tensor]":
        """As `score`, with the small box at every place of the field."""
        return self._judged(networks, self.all_trials())

    def _judged(self, networks: Networks, trials: list[Trial]) -> "Mapping[str, Tensor]":
        import torch

        middles = torch.tensor([one.large for one in trials], dtype=torch.float64) + (3 * self.small_side - 1) / 2
        inputs = torch.from_numpy(self.fields(trials)).to(networks.device)
        chosen = []
        with torch.inference_mode():
            for part in inputs.split(max(1, BATCH // (networks.n * self.n_outputs))):
                chosen.append(torch.nan_to_num(networks(part), nan=-torch.inf).argmax(2))
        places = torch.cat(chosen, 1)
        pointed = torch.stack([places // self.resolution, places % self.resolution], 2).double()
        apart = (pointed - middles.to(networks.device)).abs()
        squares = apart.square().sum(2)
        right = (apart <= 0.5).all(2)
        return {
            "fitness": 1 - squares.mean(1) / (2 * (self.resolution - 1) ** 2),
            "solved": right.all(1).double(),
            "accuracy": right.double().mean(1),
            "distance": squares.sqrt().mean(1) * UNIT / self.resolution,
        }


class Boxes(BaseModel):
    """A field with a small box and a large one, the middle of which a network points at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[KindName] = BEHAVIOUR
    name: Literal["boxes"] = "boxes"
    resolution: Annotated[
        int,
        Field(ge=7, le=111, description="Places along a side of the field: inputs and outputs are its square."),
    ] = UNIT

    def load(self) -> Task:
        """The task; there are no data."""
        problem = Discrimination(self.resolution)
        fingerprint = hashlib.sha256(repr(problem).encode()).hexdigest()
        return posed(self.name, problem, fingerprint=fingerprint, metrics=("accuracy", "distance"))
