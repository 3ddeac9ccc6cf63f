"""How candidates are trained and scored, for each kind of task."""

from collections.abc import Callable
from typing import NamedTuple

from evonas.tasks import Task
from evonas.tasks.task import LANGUAGE
from evonas.training import language, loop
from evonas.training.loop import Curve


class Trainer(NamedTuple):
    """What a kind of task needs.

    Attributes:
        train: As `evonas.training.loop.train`.
        score: As `evonas.training.loop.score`.
    """

    train: Callable[..., Curve]
    score: Callable[..., dict[str, float]]


def trainer_of(task: Task) -> Trainer:
    """The trainer of a task: text is read in order, all else example by example."""
    return Trainer(language.train, language.score) if task.kind == LANGUAGE else Trainer(loop.train, loop.score)
