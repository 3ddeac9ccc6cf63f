"""Pole balancing: one pole or two, with or without velocities."""

import hashlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from evonas.tasks.cart import LONG, SHORT, Cart, State
from evonas.tasks.carts import Balancing, Steps
from evonas.tasks.problem import Networks, posed
from evonas.tasks.task import BEHAVIOUR, KindName, Task

if TYPE_CHECKING:
    from torch import Tensor

SCALES = (4.8, 2.0, 0.52, 2.0, 0.52, 2.0)
"""What the values of a state are divided by before a network is given them."""
NAMES = ("position", "speed", "angle 1", "angular speed 1", "angle 2", "angular speed 2")
"""Of the values of a state; pole 1 is the long one."""
LONG_RUN = 100_000
SHORT_RUN = 1_000
SWAYING = 100
"""Steps at the end over which swaying is summed."""
GRID = (0.05, 0.25, 0.5, 0.75, 0.95)
RANGES = ((-2.16, 2.16), (-1.35, 1.35), (-0.06283152, 0.06283152), (-0.15009752, 0.15009752))
"""Of position and speed of the cart, angle (±3.6°) and angular speed (±8.6°/s) of the long pole, in starts no search
sees: at every combination of `GRID` in them, 625 in all."""
PASSED = 200
"""Of those starts, so many are to be balanced for `SHORT_RUN` steps."""
TOGETHER = 16
"""Networks that are tried from all starts at once."""
WITHOUT_VELOCITIES = ("steps", "generalisation", "long_steps")
"""What is measured beside fitness and whether it is solved, where networks are given no velocities."""


@dataclass(frozen=True)
class PoleBalancing:
    """Networks push a cart so that the poles on it stay upright.

    Stanley & Miikkulainen 2002 (https://doi.org/10.1162/106365602320169811), section 4, in the numbers of the program
    they published: forces between -10 and 10 N, the first output between 0 and 1 telling which, every 0.02 s; the run
    ends where the cart leaves the track or a pole leans over 36°. Inputs are the state, scaled; there is no constant
    one, so that an encoding brings its own biases.

    With velocities the fitness is the number of steps balanced, of 100,000 at most, where it is solved. Without, it is
    that of Gruau, Whitley & Pyeatt 1996, 0.1 f1 + 0.9 f2: f1 is the balanced part of 1,000 steps, f2 is 0.75 over the
    sum of |x| + |ẋ| + |θ| + |θ̇| over the last 100 of them, and 0 where there are fewer; θ is that of the long pole. It
    is solved by a network that also balances for 100,000 steps, and for 1,000 from at least 200 of 625 other starts.

    Departures: the paper puts only the champion of a generation to those two tests, here every network that balances
    for 1,000 steps is, so that the result of one does not depend on the others (with `trials = false` none is, and
    `test` can be asked about champions). Their program activates a network in the first step until its output is
    reached, and then once a step; here all are equally often in every step. The long run is the second test here, being
    the longer. One pole is judged by the same rules.

    Attributes:
        balancing: The cart, and what networks see of it.
        velocities: Whether they are among that.
        start: Angle of the long pole at first, in radians; all else is 0.
        trials: Whether `score` puts networks without velocities to the two tests.
    """

    balancing: Balancing
    velocities: bool
    start: float
    trials: bool

    @property
    def n_inputs(self) -> int:
        """Values of the state that are seen."""
        return len(self.balancing.seen)

    @property
    def n_outputs(self) -> int:
        """The force."""
        return 1

    def score(self, networks: Networks, seeds: npt.NDArray[np.int64]) -> "Mapping[str, Tensor]":
        """Let networks balance from the start, where nothing is random.

        Args:
            networks: Whom.
            seeds: Not read.

        Returns:
            `fitness` and `solved`; without velocities also `steps`, of 1,000, and what came of the two tests:
            `generalisation`, of 625, and `long_steps`, of 100,000, both 0 where they were not held.
        """
        if self.velocities:
            steps = self.balancing.steps(networks, [self.begun], LONG_RUN)[:, 0]
            return _told(networks, fitness=steps, solved=steps >= LONG_RUN)
        steps, swaying = self.balancing.sways(networks, self.begun, SHORT_RUN, SWAYING)
        smooth = np.divide(0.75, swaying, out=np.zeros(networks.n), where=(steps >= SWAYING) & (swaying > 0))
        long_steps, generalisation = np.zeros_like(steps), np.zeros_like(steps)
        if self.trials and len(tried := np.flatnonzero(steps >= SHORT_RUN)):
            long_steps[tried], generalisation[tried] = self._tried(_chosen(networks, tried))
        return _told(
            networks,
            fitness=0.1 * steps / SHORT_RUN + 0.9 * smooth,
            solved=_passed(long_steps, generalisation),
            steps=steps,
            long_steps=long_steps,
            generalisation=generalisation,
        )

    def test(self, networks: Networks, seeds: npt.NDArray[np.int64]) -> "Mapping[str, Tensor]":
        """Let networks balance from 625 other starts.

        Args:
            networks: Whom.
            seeds: Not read.

        Returns:
            `fitness`, how many of the starts they balance for 1,000 steps from; `solved` where that is 200 or more
            and they balance for 100,000 steps from the usual start; and `long_steps`, how many of those, 0 for networks
            that fail the other test.
        """
        long_steps, generalisation = self._tried(networks)
        solved = _passed(long_steps, generalisation)
        return _told(networks, fitness=generalisation, solved=solved, long_steps=long_steps)

    @property
    def begun(self) -> State:
        """The state in which every run begins, but for those of the test."""
        return (0.0, 0.0, self.start, *(0.0,) * (2 * len(self.balancing.cart.poles) - 1))

    def _tried(self, networks: Networks) -> tuple[Steps, Steps]:
        """Steps of the long run, and the number of other starts; only networks that pass these are put to that."""
        generalisation = np.zeros(networks.n, np.int64)
        for some in np.split(np.arange(networks.n), range(TOGETHER, networks.n, TOGETHER)):
            counts = self.balancing.steps(_chosen(networks, some), self._other_starts(), SHORT_RUN)
            generalisation[some] = (counts >= SHORT_RUN).sum(1)
        long_steps = np.zeros_like(generalisation)
        if len(left := np.flatnonzero(generalisation >= PASSED)):
            long_steps[left] = self.balancing.steps(_chosen(networks, left), [self.begun], LONG_RUN)[:, 0]
        return long_steps, generalisation

    def _other_starts(self) -> list[State]:
        values = [[low + at * (high - low) for at in GRID] for low, high in RANGES]
        rest = (0.0,) * (2 * (len(self.balancing.cart.poles) - 1))
        return [(*start, *rest) for start in itertools.product(*values)]


def _passed(long_steps: Steps, generalisation: Steps) -> npt.NDArray[np.bool_]:
    return (long_steps >= LONG_RUN) & (generalisation >= PASSED)


def _chosen(networks: Networks, which: npt.NDArray[np.int64]) -> Networks:
    import torch

    return networks if len(which) == networks.n else networks.choose(torch.from_numpy(which).to(networks.device))


def _told(networks: Networks, **values: npt.NDArray[Any]) -> "Mapping[str, Tensor]":
    import torch

    return {
        name: torch.from_numpy(found.astype(np.float64)).float().to(networks.device) for name, found in values.items()
    }


class Poles(BaseModel):
    """A cart that a network pushes so that one pole or two stay upright."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[KindName] = BEHAVIOUR
    name: Literal["single_pole", "double_pole"]
    velocities: bool = Field(
        True, description="Whether a network is given them; without, it needs recurrent connections."
    )
    start: Annotated[
        float,
        Field(gt=-0.62, lt=0.62, description="Angle of the long pole at first, in radians; 0.07 is 4 degrees."),
    ] = 0.07
    activations: Annotated[
        int, Field(ge=1, le=100, description="How often a recurrent network is activated before each force.")
    ] = 1
    trials: bool = Field(
        True,
        description="Whether networks without velocities that balance for 1,000 steps are also put to 100,000 steps "
        "and 625 other starts; without, `solved` stays 0.",
    )

    @property
    def needs_memory(self) -> bool:
        """True if what a network is given does not say where things move."""
        return not self.velocities

    def load(self) -> Task:
        """The task; there are no data."""
        poles = (LONG,) if self.name == "single_pole" else (LONG, SHORT)
        seen = tuple(range(0, 2 + 2 * len(poles), 1 if self.velocities else 2))
        balancing = Balancing(Cart(poles), seen, tuple(SCALES[at] for at in seen), self.activations)
        problem = PoleBalancing(balancing, self.velocities, self.start, self.trials)
        fingerprint = hashlib.sha256(repr(problem).encode()).hexdigest()
        metrics = () if self.velocities else WITHOUT_VELOCITIES
        inputs = tuple(NAMES[at] for at in seen)
        return posed(self.name, problem, fingerprint=fingerprint, metrics=metrics, inputs=inputs)
