"""One plain training loop, to be read from top to bottom, after cifar10-airbench."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from evonas.network import AnyNetwork
from evonas.tasks import Split
from evonas.training.augment import augmented
from evonas.training.auxiliary import Auxiliary, auxiliary
from evonas.training.config import Training
from evonas.training.criterion import Criterion, CrossEntropy
from evonas.training.drop_path import DropPath

Curve = tuple[dict[str, float], ...]
SCORING_BATCH = 512
RECALIBRATION_BATCHES = 2
WARM_UP = 0.2


class DivergedError(ArithmeticError):
    """A loss that is not finite."""


@dataclass(frozen=True)
class Examples:
    """A split as tensors on one device.

    Attributes:
        inputs: `(n, channels, height, width)` in channels-last memory, or `(n, features)`.
        targets: Class indices `(n,)`, or values `(n, n_targets)`.
        criterion: What they are judged by.
    """

    inputs: Tensor
    targets: Tensor
    criterion: Criterion = field(default_factory=CrossEntropy)

    @classmethod
    def of(cls, split: Split, device: torch.device, criterion: Criterion | None = None) -> "Examples":
        """Move a split to a device; None: it is judged as a classification."""
        inputs, targets = (torch.from_numpy(values).to(device) for values in (split.inputs, split.targets))
        return cls(arranged(inputs), targets, criterion or CrossEntropy())


def arranged(tensor: Tensor) -> Tensor:
    """The tensor in channels-last memory where it has four axes."""
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor


def train(
    network: AnyNetwork,
    training: Examples,
    validation: Examples,
    config: Training,
    epochs: int,
    *,
    check: Callable[[], None] = lambda: None,
    rng: np.random.Generator,
) -> Curve:
    """Train a network in place and leave it in evaluation mode, its BatchNorm statistics recalibrated.

    Args:
        network: On the device of the examples.
        training: What it learns from.
        validation: Scored after every epoch, for the curve alone.
        config: How.
        epochs: Passes over `training`.
        check: Called before every step; what it raises ends the training.
        rng: Draws the order of examples, their augmentation and, if asked for, dropped paths and an auxiliary head.

    Returns:
        One mapping an epoch: `epoch`, `loss` (mean over the training steps, without that of an auxiliary head),
        and `validation_NAME` for every metric of the kind of task, such as `validation_accuracy`.

    Raises:
        DivergedError: If a loss is not finite.
    """
    n = len(training.targets)
    batch_size = min(config.batch_size, n)
    n_steps = n // batch_size
    drop_path = DropPath(network, config, rng=rng)
    side = auxiliary(network, config, rng=rng)
    tensors = [*network.parameters(), *(side.parameters() if side else ())]
    optimizer = optimizer_of(tensors, [*network.decayed, *(side.decayed if side else ())], config)
    curve = []
    for epoch in range(epochs):
        network.train()
        order = torch.from_numpy(rng.permutation(n)).to(training.targets.device)
        inputs = arranged(augmented(training.inputs[order], config, rng=rng))
        targets = training.targets[order]
        total = torch.zeros((), device=targets.device)
        for step in range(n_steps):
            check()
            at = (epoch * n_steps + step) / (epochs * n_steps)
            drop_path.set(at)
            rate = config.peak * scheduled(config.schedule, at)
            for group in optimizer.param_groups:
                group["lr"] = rate
            batch = slice(step * batch_size, (step + 1) * batch_size)
            loss, whole = _losses(network, side, Examples(inputs[batch], targets[batch], training.criterion), config)
            optimizer.zero_grad(set_to_none=True)
            whole.backward()
            if config.clip is not None:
                nn.utils.clip_grad_norm_(tensors, config.clip)
            optimizer.step()
            total += loss.detach()
        drop_path.stop()
        mean = total.item() / n_steps
        if not math.isfinite(mean):
            raise DivergedError(
                f"expected a finite training loss, got {mean} in epoch {epoch + 1}; lower the learning rate"
            )
        if epoch + 1 == epochs and config.recalibrate:
            recalibrate(network, arranged(training.inputs[order[: RECALIBRATION_BATCHES * SCORING_BATCH]]))
        scores = score(network, validation, config)
        validated = {f"validation_{name}": value for name, value in scores.items()}
        curve.append({"epoch": epoch + 1, "loss": mean, **validated})
    return tuple(curve)


@torch.no_grad()
def score(network: AnyNetwork, examples: Examples, config: Training) -> dict[str, float]:
    """The metrics of a network in evaluation mode; see `evonas.tasks.KINDS`.

    Raises:
        DivergedError: If the loss is not finite.
    """
    network.eval()
    outputs = []
    with autocast(config, examples.targets.device):
        for at in range(0, len(examples.targets), SCORING_BATCH):
            outputs.append(network(examples.inputs[at : at + SCORING_BATCH]).float())
    scores = examples.criterion.scores(torch.cat(outputs), examples.targets)
    if not all(map(math.isfinite, scores.values())):
        raise DivergedError(f"expected a finite loss on held-out data, got {scores['loss']}; lower the learning rate")
    return scores


@torch.no_grad()
def recalibrate(network: AnyNetwork, inputs: Tensor) -> None:
    """Measure BatchNorm's running statistics anew: the mean over whole batches of 512, or over one of all inputs.

    Args:
        network: Left in training mode.
        inputs: `(n, *input_shape)`, in random order and without augmentation.
    """
    layers = network.normalisations
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    network.train()
    for index in range(max(1, len(inputs) // SCORING_BATCH)):
        for layer in layers:
            layer.momentum = 1 / (index + 1)
        network(inputs[index * SCORING_BATCH : (index + 1) * SCORING_BATCH])
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum


def autocast(config: Training, device: torch.device) -> torch.autocast:
    """The precision of a forward pass."""
    on_gpu = device.type == "cuda" and torch.cuda.is_bf16_supported()
    enabled = config.precision == "bfloat16" or (config.precision == "auto" and on_gpu)
    return torch.autocast(device.type, torch.bfloat16, enabled)


def _losses(network: AnyNetwork, side: Auxiliary | None, batch: Examples, config: Training) -> tuple[Tensor, Tensor]:
    """The loss of a batch, and with it the weighted loss of an auxiliary head where there is one."""
    with autocast(config, batch.targets.device):
        outputs = side.with_network(network, batch.inputs) if side else (network(batch.inputs),)
    losses = [batch.criterion.loss(x, batch.targets, smoothing=config.label_smoothing) for x in outputs]
    return losses[0], losses[0] + config.auxiliary * losses[1] if side else losses[0]


def optimizer_of(tensors: list[nn.Parameter], decayed: list[nn.Parameter], config: Training) -> torch.optim.Optimizer:
    """The optimiser of parameters.

    Args:
        tensors: All of them.
        decayed: Those that weight decay is for; there may be none.
        config: How.
    """
    ids = set(map(id, decayed))
    weights = [tensor for tensor in tensors if id(tensor) in ids]
    others = [tensor for tensor in tensors if id(tensor) not in ids]
    groups = [{"params": weights, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    fused = tensors[0].device.type in ("cpu", "cuda")
    if config.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=config.peak, fused=fused)
    return torch.optim.SGD(groups, lr=config.peak, momentum=0.9, nesterov=True, fused=fused)


def scheduled(schedule: str, at: float) -> float:
    """The part of the peak learning rate at a part of the training, both 0 to 1."""
    if schedule == "constant":
        return 1.0
    warm_up = WARM_UP if schedule == "one_cycle" else 0.0
    if at < warm_up:
        return 0.04 + 0.96 * at / warm_up
    return 0.5 * (1 + math.cos(math.pi * (at - warm_up) / (1 - warm_up)))
