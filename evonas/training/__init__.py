"""The training loop and what it is told."""

from evonas.training.config import Training
from evonas.training.loop import Curve, DivergedError, Examples, score, train

__all__ = ["Curve", "DivergedError", "Examples", "Training", "score", "train"]
