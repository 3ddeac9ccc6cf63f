"""Environments of gymnasium."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from evonas.stream import stream
from evonas.tasks.problem import Networks, posed
from evonas.tasks.task import BEHAVIOUR, DataError, KindName, Task

if TYPE_CHECKING:
    from torch import Tensor

Actions = Literal["unit", "tanh", "clip"]


@dataclass(frozen=True)
class Episodes:
    """Networks act in an environment of gymnasium (https://doi.org/10.48550/arXiv.2407.17032).

    Observations are flattened as gymnasium flattens them, discrete ones to one-hot. Of discrete actions a network takes
    the one it puts out most strongly; of continuous ones it puts out each. A recurrent network keeps its state during
    an episode. The fitness is the mean return. A few episodes may go well by luck: it is solved where the mean return
    reaches the threshold and, for those alone of which it does, that of further episodes does so too. Gymnasium asks
    for 100 of them.

    Attributes:
        environment: Its id.
        n_episodes: For each network.
        n_steps: After which an episode ends.
        actions: How outputs become continuous actions, see `Gym`.
        threshold: The mean return that solves it; None where nothing does.
        confirming: Further episodes in which those that reach it have to do so again; 0: none.
        version: Of gymnasium.
        n_inputs: Values of a flattened observation.
        n_outputs: Actions, or values of one.
        space: Of the actions; equal where the environment is.
    """

    environment: str
    n_episodes: int
    n_steps: int
    actions: Actions
    threshold: float | None
    confirming: int
    version: str
    n_inputs: int
    n_outputs: int
    space: Any = field(compare=False, repr=False)

    def score(self, networks: Networks, seeds: npt.NDArray[np.int64]) -> "Mapping[str, Tensor]":
        """Let networks act in some episodes.

        Args:
            networks: Whom.
            seeds: Each is that of a network's episodes, which begin as another's do with the same.

        Returns:
            `fitness`, `solved`, and `steps`: how long episodes last on average, without those that confirm.
        """
        return self._judged(networks, seeds, "episode")

    def test(self, networks: Networks, seeds: npt.NDArray[np.int64]) -> "Mapping[str, Tensor]":
        """As `score`, in other episodes."""
        return self._judged(networks, seeds, "test")

    def _judged(self, networks: Networks, seeds: npt.NDArray[np.int64], purpose: str) -> "Mapping[str, Tensor]":
        import torch

        fitness, steps = self._played(networks, seeds, purpose, self.n_episodes)
        least = np.inf if self.threshold is None else self.threshold
        solved = np.asarray(fitness >= least, np.float64)
        # One network after another: so many environments at once may be large.
        for at in np.flatnonzero(solved).tolist() if self.confirming else ():
            one = networks.choose(torch.tensor([at], device=networks.device))
            solved[at] = self._played(one, seeds[[at]], f"confirming {purpose}", self.confirming)[0][0] >= least
        told = {"fitness": fitness, "solved": solved, "steps": steps}
        return {name: torch.from_numpy(values).to(networks.device) for name, values in told.items()}

    def _played(
        self, networks: Networks, seeds: npt.NDArray[np.int64], purpose: str, n: int
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """The mean return and the mean number of steps of every network in so many episodes, `(networks.n,)` each."""
        returns, steps = np.zeros((networks.n, n)), np.zeros((networks.n, n))
        environments = [[made(self.environment, self.n_steps) for _ in range(n)] for _ in seeds]
        try:
            self._act(networks, environments, seeds, purpose, returns, steps)
        finally:
            for row in environments:
                for one in row:
                    one.close()
        return returns.mean(1), steps.mean(1)

    def _act(
        self,
        networks: Networks,
        environments: list[list[Any]],
        seeds: npt.NDArray[np.int64],
        purpose: str,
        returns: npt.NDArray[np.float64],
        steps: npt.NDArray[np.float64],
    ) -> None:
        """Episodes of all networks, side by side; returns and steps are added to."""
        import torch

        seen = np.zeros((*returns.shape, self.n_inputs), np.float32)
        for row, (some, seed) in enumerate(zip(environments, seeds, strict=True)):
            for at, one in enumerate(some):
                start = int(stream(int(seed), purpose, at).integers(2**31))
                seen[row, at] = self._flat(one, one.reset(seed=start)[0])
        running = np.ones(returns.shape, bool)
        left, memory = np.arange(networks.n), None
        while len(left):
            with torch.inference_mode():
                outputs, memory = networks.step(torch.from_numpy(seen[left]).to(networks.device), memory)
                values = outputs.double().cpu().numpy()
            for place, row in enumerate(left.tolist()):
                for at in np.flatnonzero(running[row]).tolist():
                    one = environments[row][at]
                    observed, reward, terminated, truncated, _ = one.step(self._action(values[place, at]))
                    seen[row, at] = self._flat(one, observed)
                    returns[row, at] += float(reward)
                    steps[row, at] += 1
                    running[row, at] = not (terminated or truncated)
            kept = np.flatnonzero(running[left].any(1))
            if len(kept) < len(left):
                left, which = left[kept], torch.from_numpy(kept).to(networks.device)
                if len(left):
                    networks, memory = networks.choose(which), None if memory is None else memory[which]

    def _flat(self, environment: Any, observed: Any) -> npt.NDArray[Any]:
        from gymnasium import spaces

        space = environment.observation_space
        return np.ravel(observed if isinstance(space, spaces.Box) else np.asarray(spaces.flatten(space, observed)))

    def _action(self, values: npt.NDArray[np.float64]) -> Any:
        from gymnasium import spaces

        if isinstance(self.space, spaces.Discrete):
            return int(self.space.start) + int(np.nan_to_num(values, nan=-np.inf).argmax())
        low, high = (np.asarray(bound, np.float64).ravel() for bound in (self.space.low, self.space.high))
        values = np.nan_to_num(values)
        if self.actions != "clip":
            part = values if self.actions == "unit" else (np.tanh(values) + 1) / 2
            values = low + part * (high - low)
        return np.clip(values, low, high).reshape(self.space.shape).astype(self.space.dtype)


def made(environment: str, n_steps: int | None) -> Any:
    """An environment.

    Args:
        environment: Its id.
        n_steps: After which an episode ends; None: after as many as it has by itself.

    Raises:
        DataError: If gymnasium is missing, or has no such environment, or lacks what that needs.
    """
    try:
        import gymnasium
    except ModuleNotFoundError as error:
        if error.name != "gymnasium":
            raise
        raise DataError('task gym: expected gymnasium, got none; pip install "evonas[rl]"') from None
    try:
        return gymnasium.make(environment, max_episode_steps=n_steps)
    except gymnasium.error.Error as error:
        said = " ".join(str(error).split())
        raise DataError(
            f"task gym: expected an environment that gymnasium can make, got {environment!r} ({said}); correct it"
        ) from error


class Gym(BaseModel):
    """An environment of gymnasium that networks act in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[KindName] = BEHAVIOUR
    name: Literal["gym"] = "gym"
    environment: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9_./-]+$", max_length=100, description='Its id in gymnasium, "CartPole-v1".')
    ]
    episodes: int = Field(1, ge=1, le=1000, description="Episodes of each network, of which the mean return is taken.")
    steps: int | None = Field(
        None, ge=1, description="Steps after which an episode ends; unless given, as the environment has it."
    )
    actions: Actions = Field(
        "unit",
        description="How outputs become continuous actions. unit: 0 to 1 is lowest to highest. tanh: that of an "
        "output, -1 to 1, is. clip: outputs are actions, cut to what is allowed.",
    )
    threshold: float | None = Field(
        None, description="The mean return at which it is solved; unless given, that of the environment, if it has one."
    )
    confirming: int = Field(
        100,
        ge=0,
        le=1000,
        description="Further episodes, in which a network whose episodes reach the threshold has to reach it again to "
        "have solved it; 0: none.",
    )

    def load(self) -> Task:
        """The task; there are no data.

        Raises:
            DataError: If gymnasium is missing or cannot make the environment, or a network cannot act in it.
        """
        environment = made(self.environment, self.steps)
        try:
            problem = self._problem(environment)
        finally:
            environment.close()
        fingerprint = hashlib.sha256(repr(problem).encode()).hexdigest()
        return posed(self.name, problem, fingerprint=fingerprint, metrics=("steps",))

    def _problem(self, environment: Any) -> Episodes:
        import gymnasium
        from gymnasium import spaces

        space, spec = environment.action_space, environment.spec
        steps = self.steps or spec.max_episode_steps
        if steps is None:
            raise DataError(f"task gym: expected episodes of {self.environment} to end, got no limit; set steps")
        if isinstance(space, spaces.Discrete):
            n_outputs = int(space.n)
        elif isinstance(space, spaces.Box):
            n_outputs = int(np.prod(space.shape))
            if self.actions != "clip" and not space.is_bounded():
                raise DataError(f'task gym: expected bounded actions, got {space}; set actions = "clip"')
        else:
            raise DataError(f"task gym: expected actions of Discrete or Box, got {space}; choose another environment")
        try:
            n_inputs = int(spaces.flatdim(environment.observation_space))
        except (NotImplementedError, ValueError) as error:
            raise DataError(
                f"task gym: expected observations that can be flattened, got {environment.observation_space}; choose "
                "another environment"
            ) from error
        threshold = spec.reward_threshold if self.threshold is None else self.threshold
        return Episodes(
            self.environment,
            self.episodes,
            steps,
            self.actions,
            threshold,
            self.confirming,
            gymnasium.__version__,
            n_inputs,
            n_outputs,
            space,
        )
