"""What an evaluator is: it takes a list of jobs and yields their evaluations; no search knows which evaluator runs."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from evonas.record import Evaluation, Proposal
from genomes.architecture import Architecture
from genomes.encoding import Genome
from genomes.operations import Shape

MAX_REASON = 500
"""Characters that are recorded of why a candidate failed."""

Check = Callable[[], None]
"""Called before every training step; what it raises, an interruption, ends the evaluation without a trace."""


class EvaluationConfig(BaseModel):
    """Where candidates are evaluated and what they may cost: the `[evaluation]` table of a spec."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: str = Field("auto", description="auto: the first CUDA GPU, else the CPU; or a torch device such as cuda:1.")
    threads: int = Field(1, ge=1, description="torch threads; equal results are promised for 1.")
    max_parameters: int = Field(5_000_000, ge=1, description="A larger candidate is a recorded failure.")
    max_macs: int = Field(1_000_000_000, ge=1, description="The same for multiply-accumulates an example.")
    timeout: float | None = Field(
        None, gt=0, description="Seconds an evaluation may take; a campaign that sets it is marked as timed."
    )


@dataclass(frozen=True)
class Legacy:
    """What a donor leaves.

    Attributes:
        individual: Who.
        genome: Its genome, which names its tensors.
        weights: Its trained tensors as safetensors bytes.
        architecture: What its genome developed into; None: what this campaign's encoding makes of it.
        input_shape: Of its inputs, `(channels, height, width)` or `(features,)`; None: as in this task.
        n_outputs: Its outputs; None: as many as in this task.
    """

    individual: int
    genome: Genome
    weights: bytes
    architecture: Architecture | None = None
    input_shape: Shape | None = None
    n_outputs: int | None = None


@dataclass(frozen=True)
class Job:
    """A proposal with all its evaluation needs.

    Attributes:
        proposal: What to evaluate.
        legacies: Of its donors, in order of precedence.
        proven: True if a candidate of the campaign succeeded before: then the task is not to blame where many fail.
    """

    proposal: Proposal
    legacies: tuple[Legacy, ...] = ()
    proven: bool = False


class Evaluator(Protocol):
    """Turns jobs into evaluations."""

    def evaluate(self, jobs: Iterable[Job], check: Check) -> Iterator[list[Evaluation]]:
        """Evaluate in any order. A candidate that fails is an evaluation with the state `failed`.

        Args:
            jobs: One that trains reads them one at a time, as late as possible; one that takes many together all at
                once.
            check: See `Check`.

        Returns:
            What is done, as soon as it is: one evaluation, or those of many candidates that were evaluated together.
        """


def reason(error: Exception) -> str:
    """Why a candidate failed, in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:MAX_REASON]
