"""The training loop and what it is told."""

from evonas.training.config import Training
from evonas.training.criterion import Criterion, criterion_of
from evonas.training.loop import Curve, DivergedError, Examples, score, train

__all__ = ["Criterion", "Curve", "DivergedError", "Examples", "Training", "criterion_of", "score", "train"]
