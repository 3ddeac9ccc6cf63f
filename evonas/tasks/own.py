"""A task that only its user can evaluate: shapes without data."""

from typing import Annotated, Literal, NoReturn

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from evonas.tasks.task import BEHAVIOUR, CLASSIFICATION, KINDS, REGRESSION, DataError, Kind, KindName, Split, Task

MAX_OUTPUTS = 1_000_000
Word = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$", max_length=100)]


class Own(BaseModel):
    """A task that a user's own code evaluates, by hand: see `evonas.Campaign.by_hand`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["own"] = "own"
    input_shape: Annotated[
        tuple[Annotated[int, Field(ge=1)], ...],
        Field(min_length=1, max_length=3, description="Of one input, `(channels, height, width)` or `(features,)`."),
    ]
    n_outputs: Annotated[int, Field(ge=1, le=MAX_OUTPUTS, description="Values that a network puts out.")]
    kind: KindName = Field(
        CLASSIFICATION,
        description="classification, regression, language, or behaviour, for which nothing is trained: which metrics "
        "are told of a network.",
    )
    metrics: Annotated[
        tuple[Word, ...],
        Field(description="The metrics that are told instead, the first of which ranks candidates: more is better."),
    ] = ()

    @property
    def measured(self) -> Kind:
        """What is told of a network."""
        return Kind(self.metrics[0], True, self.metrics) if self.metrics else KINDS[self.kind]

    def outline(self) -> Task:
        """The task without examples: its shapes, and numbers for the names of its classes or targets."""
        nothing = Split(np.empty((0, *self.input_shape), np.float32), np.empty(0, np.int64))
        names = tuple(map(str, range(self.n_outputs)))
        values = self.kind in (REGRESSION, BEHAVIOUR)
        return Task(
            self.name,
            nothing,
            nothing,
            nothing,
            classes=() if values else names,
            targets=names if values else (),
            fingerprint="",
            kind=self.kind,
        )

    def load(self) -> NoReturn:
        """There is nothing to load.

        Raises:
            DataError: Always.
        """
        raise DataError(
            "task own: expected a task with data, got one that only its user can evaluate; run it from Python with "
            "Campaign.by_hand, or name another task"
        )
