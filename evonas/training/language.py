"""Training on text: truncated back-propagation through time over streams that are read side by side.

Mikolov et al. 2010 (https://www.isca-archive.org/interspeech_2010/mikolov10_interspeech.html), with batches as in
Zaremba et al. 2014 (https://arxiv.org/abs/1409.2329): the text is cut into as many streams as a batch has examples,
and the state behind a window is where the next one begins, without a gradient.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evonas.network import Network
from evonas.training.config import Training
from evonas.training.loop import Curve, DivergedError, Examples, autocast, optimizer_of, scheduled

SCORING_STREAMS, SHORTEST_STREAM = 64, 512
"""Held-out text is scored in at most so many streams, of at least so many characters."""
SCORING_WINDOW, WARM_UP = 128, 128
"""Characters scored at once; and those ahead of a stream, which it reads first."""
IGNORED = -100

States = Mapping[str, tuple[Tensor, ...]]


def train(
    network: Network,
    training: Examples,
    validation: Examples,
    config: Training,
    epochs: int,
    *,
    check: Callable[[], None] = lambda: None,
    rng: np.random.Generator,
) -> Curve:
    """Train a recurrent network in place and leave it in evaluation mode.

    Args:
        network: On the device of the examples.
        training: The text it learns from; inputs and targets `(n,)`, symbols.
        validation: Scored after every epoch, for the curve alone.
        config: How; `batch_size` streams, `window` characters a step.
        epochs: Passes over `training`.
        check: Called before every step; what it raises ends the training.
        rng: Draws where the streams of every epoch begin, up to a window late.

    Returns:
        One mapping an epoch: `epoch`, `loss` (mean over the training steps), `validation_bits_per_character`,
        `validation_loss`.

    Raises:
        DivergedError: If a loss is not finite.
    """
    n = len(training.targets)
    n_streams = max(1, min(config.batch_size, n // (2 * config.window)))
    n_steps = math.ceil(n // n_streams / config.window)
    latest = min(config.window, max(1, n - n_streams * config.window + 1))
    tensors = list(network.parameters())
    optimizer = optimizer_of(tensors, network.decayed, config)
    curve = []
    for epoch in range(epochs):
        network.train()
        start = int(rng.integers(latest))
        length = (n - start) // n_streams
        inputs, targets = (
            text[start : start + n_streams * length].view(n_streams, length).tensor_split(n_steps, 1)
            for text in (training.inputs, training.targets)
        )
        states: States | None = None
        total = torch.zeros((), device=training.targets.device)
        for step in range(n_steps):
            check()
            rate = config.peak * scheduled(config.schedule, (epoch * n_steps + step) / (epochs * n_steps))
            for group in optimizer.param_groups:
                group["lr"] = rate
            with autocast(config, total.device):
                outputs, states = network.step(inputs[step], detached(states))
            loss = cross_entropy(outputs, targets[step], smoothing=config.label_smoothing)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            if config.clip is not None:
                nn.utils.clip_grad_norm_(tensors, config.clip)
            optimizer.step()
            total += loss.detach()
        mean = total.item() / n_steps
        if not math.isfinite(mean):
            raise DivergedError(
                f"expected a finite training loss, got {mean} in epoch {epoch + 1}; lower the learning rate"
            )
        validated = {f"validation_{name}": value for name, value in score(network, validation, config).items()}
        curve.append({"epoch": epoch + 1, "loss": mean, **validated})
    return tuple(curve)


@torch.no_grad()
def score(network: Network, examples: Examples, config: Training) -> dict[str, float]:
    """`bits_per_character` and `loss` (nats) of a network on a text, in evaluation mode, the state carried on.

    A long text is read in streams side by side. Each begins with a state of zeros 128 characters ahead of what is
    scored of it, but for the first, which has nothing ahead.

    Raises:
        DivergedError: If the loss is not finite.
    """
    network.eval()
    n = len(examples.targets)
    n_streams = max(1, min(SCORING_STREAMS, n // SHORTEST_STREAM))
    length = math.ceil(n / n_streams)
    inputs = F.pad(examples.inputs, (WARM_UP, n_streams * length - n))
    targets = F.pad(examples.targets, (0, n_streams * length - n), value=IGNORED).view(n_streams, length)
    read = inputs.unfold(0, WARM_UP + length, length)
    total = torch.zeros((), device=inputs.device, dtype=torch.double)
    with autocast(config, inputs.device):
        states: States | None = network.step(read[:, :WARM_UP])[1]
        states = {id: tuple(_begun(part) for part in state) for id, state in states.items()} if states else None
        for window, aims in zip(
            read[:, WARM_UP:].split(SCORING_WINDOW, 1), targets.split(SCORING_WINDOW, 1), strict=True
        ):
            outputs, states = network.step(window, states)
            total += F.cross_entropy(
                outputs.flatten(0, 1).float(), aims.flatten(), ignore_index=IGNORED, reduction="sum"
            )
    loss = total.item() / n
    if not math.isfinite(loss):
        raise DivergedError(f"expected a finite loss on held-out data, got {loss}; lower the learning rate")
    return {"bits_per_character": loss / math.log(2), "loss": loss}


def cross_entropy(outputs: Tensor, targets: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """The mean cross-entropy in nats of outputs `(batch, time, symbols)` and targets `(batch, time)`."""
    return F.cross_entropy(outputs.flatten(0, 1).float(), targets.flatten(), label_smoothing=smoothing)


def detached(states: States | None) -> States | None:
    """The same states, through which no gradient flows back."""
    return states and {id: tuple(part.detach() for part in state) for id, state in states.items()}


def _begun(state: Tensor) -> Tensor:
    """The state of streams of which the first begins the text."""
    state = state.clone()
    state[0] = 0
    return state
