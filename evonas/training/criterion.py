"""What training lowers and what is measured on held-out data, for each kind of task."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from evonas.tasks import Task
from evonas.tasks.task import REGRESSION


class Criterion(Protocol):
    """The loss of a kind of task, and its metrics."""

    def loss(self, outputs: Tensor, targets: Tensor, *, smoothing: float = 0.0) -> Tensor:
        """The mean loss of a batch.

        Args:
            outputs: `(batch, n_outputs)`.
            targets: Of the batch.
            smoothing: Part of a class's probability that is spread over all classes.
        """

    def scores(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        """The metrics of `evonas.tasks.KINDS` over all examples: `loss` among them; arguments as in `loss`."""


class CrossEntropy:
    """Classification; targets are class indices `(batch,)`."""

    def loss(self, outputs: Tensor, targets: Tensor, *, smoothing: float = 0.0) -> Tensor:
        """Cross-entropy in nats; see `Criterion`."""
        return F.cross_entropy(outputs.float(), targets, label_smoothing=smoothing)

    def scores(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        """`accuracy` and `loss`; see `Criterion`."""
        accuracy = (outputs.argmax(1) == targets).float().mean().item()
        return {"accuracy": accuracy, "loss": self.loss(outputs, targets).item()}


@dataclass(frozen=True)
class SquaredError:
    """Regression; targets are standardised values `(batch, n_targets)`.

    Attributes:
        deviation: What standardisation divided each target by, in its unit.
    """

    deviation: tuple[float, ...]

    def loss(self, outputs: Tensor, targets: Tensor, *, smoothing: float = 0.0) -> Tensor:
        """The mean square of errors, in squared standard deviations of the targets; see `Criterion`."""
        return F.mse_loss(outputs.float(), targets)

    def scores(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        """`r2`, `rmse` and `loss`; see `Criterion`.

        R² is the mean over targets of 1 - squared error / squared distance from the mean, as in scikit-learn; 0 where a
        target is constant.
        """
        squares = (outputs.double() - targets).square().mean(0)
        variance = targets.double().var(0, correction=0)
        r2 = torch.where(variance > 0, 1 - squares / variance, torch.zeros_like(variance)).mean().item()
        unit = torch.tensor(self.deviation, dtype=torch.double, device=squares.device)
        return {"r2": r2, "rmse": (squares * unit.square()).mean().sqrt().item(), "loss": squares.mean().item()}


def criterion_of(task: Task) -> Criterion:
    """The criterion of a task."""
    return SquaredError(task.target_deviation) if task.kind == REGRESSION else CrossEntropy()
