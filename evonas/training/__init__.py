"""The training loop and what it is told."""

from evonas.training.config import Training
from evonas.training.criterion import Criterion, criterion_of
from evonas.training.loop import Curve, DivergedError, Examples, score, train
from evonas.training.trainer import Trainer, trainer_of

__all__ = [
    "Criterion",
    "Curve",
    "DivergedError",
    "Examples",
    "Trainer",
    "Training",
    "criterion_of",
    "score",
    "train",
    "trainer_of",
]
