"""The training loop."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from torch.optim.optimizer import register_optimizer_step_pre_hook

from evonas.network import Network, built
from evonas.tasks import Split
from evonas.training import Curve, DivergedError, Examples, Training, score, train
from evonas.training.config import LEARNING_RATES
from evonas.training.loop import autocast, optimizer_of, recalibrate
from genomes.neurons import NeuronGraph
from tests.network.nets import architecture, network, node

BLOCK: dict[str, Any] = {"normalisation": "batch", "activation": "relu"}
SMALL = architecture(
    node("a", "conv", "input", width=16, **BLOCK),
    node("b", "separable", "a", width=32, **BLOCK),
    node("c", "conv", "b", width=32, stride=2, kernel=5, **BLOCK),
)
BARE = architecture(node("a", "linear", "input", width=6, activation="tanh"))
NORMALISED = architecture(node("a", "linear", "input", width=6, normalisation="batch", activation="relu"))
PLAIN: dict[str, Any] = {"schedule": "constant", "weight_decay": 0.0, "clip": None}


@pytest.fixture
def steps() -> Iterator[list[dict[str, Any]]]:
    """What every optimiser step is about to do."""
    seen: list[dict[str, Any]] = []

    def note(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        gradients = [tensor.grad.flatten() for group in optimizer.param_groups for tensor in group["params"]]
        rates = {group["lr"] for group in optimizer.param_groups}
        seen.append({"optimizer": optimizer, "rates": rates, "norm": torch.cat(gradients).norm().item()})

    handle = register_optimizer_step_pre_hook(note)
    yield seen
    handle.remove()


def vectors(n: int, n_features: int = 4, n_classes: int = 5, seed: int = 0) -> Examples:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(n, n_features, generator=generator)
    return Examples(inputs, torch.randint(n_classes, (n,), generator=generator))


def trained(
    made: Network,
    training: Examples,
    validation: Examples | None = None,
    *,
    epochs: int = 1,
    seed: int = 0,
    **fields: Any,
) -> Curve:
    rng = np.random.default_rng(seed)
    return train(made, training, validation or training, Training(**fields), epochs, rng=rng)


def on(device: str, made: Network) -> Network:
    """The network on a device, images in channels-last memory."""
    return made.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]


# Scores


def test_a_score_is_right_by_hand() -> None:
    made = network(architecture(node("a", "identity", "input")), (3,), 3)
    weights = np.array([[1.0, 0.0, 0.5], [0.0, 2.0, 0.0], [-1.0, 0.0, 1.0]])
    made.load_state_dict({"head.head/weight": torch.tensor(weights), "head.head/bias": torch.tensor([0.0, 0.5, -0.5])})
    inputs = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1], [2, 0, 0]])
    logits = inputs @ weights.T + [0, 0.5, -0.5]
    targets = [0, 1, 1, 2, 0]
    surprises = [math.log(sum(math.exp(v) for v in row)) - row[t] for row, t in zip(logits, targets, strict=True)]
    examples = Examples(torch.tensor(inputs, dtype=torch.float32), torch.tensor(targets))
    found = score(made, examples, Training())
    assert found["accuracy"] == pytest.approx(3 / 5)
    assert found["loss"] == pytest.approx(sum(surprises) / 5, rel=1e-6)


def test_a_score_is_over_all_examples_in_evaluation_mode() -> None:
    made, examples = network(NORMALISED, (4,)), vectors(1200)
    made.train()
    found = score(made, examples, Training())
    assert not made.training
    logits = made(examples.inputs)
    assert found["loss"] == pytest.approx(F.cross_entropy(logits, examples.targets).item(), rel=1e-5)
    assert found["accuracy"] == pytest.approx((logits.argmax(1) == examples.targets).double().mean().item())


# Learning


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_digits_are_learnt_in_a_few_epochs(digits: tuple[Examples, Examples], optimizer: str) -> None:
    made = network(SMALL, (1, 8, 8), 10)
    curve = trained(made, *digits, epochs=5, optimizer=optimizer)
    assert curve[-1]["validation_accuracy"] > 0.9
    found = score(made, digits[1], Training())
    assert found == {"accuracy": curve[-1]["validation_accuracy"], "loss": curve[-1]["validation_loss"]}


def test_the_curve_has_one_entry_an_epoch(digits: tuple[Examples, Examples]) -> None:
    curve = trained(network(SMALL, (1, 8, 8), 10), *digits, epochs=3)
    assert [entry["epoch"] for entry in curve] == [1, 2, 3]
    assert all(set(entry) == {"epoch", "loss", "validation_loss", "validation_accuracy"} for entry in curve)
    assert curve[0]["loss"] > curve[1]["loss"] > curve[2]["loss"]


def test_the_same_stream_gives_the_same_bits(digits: tuple[Examples, Examples]) -> None:
    def bits(seed: int) -> tuple[Curve, list[bytes]]:
        made = network(SMALL, (1, 8, 8), 10)
        curve = trained(made, *digits, epochs=2, seed=seed, shift=1, cutout=2, flip=True)
        return curve, [tensor.numpy().tobytes() for tensor in made.state_dict().values()]

    assert bits(1) == bits(1)
    assert bits(1)[1] != bits(2)[1]


def test_every_example_is_seen_once_an_epoch_in_another_order() -> None:
    made, examples = network(BARE, (4,)), vectors(128)
    seen: list[torch.Tensor] = []
    made.register_forward_pre_hook(lambda module, args: seen.append(args[0].clone()) if module.training else None)
    trained(made, examples, epochs=2)
    epochs = [torch.cat(seen[:2]), torch.cat(seen[2:])]
    assert not torch.equal(*epochs)
    for epoch in (*epochs, examples.inputs):
        assert torch.equal(epoch.sort(0).values, examples.inputs.sort(0).values)


def test_check_is_called_before_every_step() -> None:
    class StopError(BaseException):
        pass

    calls = []

    def check() -> None:
        calls.append(1)
        if len(calls) == 6:
            raise StopError

    with pytest.raises(StopError):
        train(network(BARE, (4,)), vectors(256), vectors(9), Training(), 2, check=check, rng=np.random.default_rng(0))
    assert len(calls) == 6


# The optimiser


def rates(steps: list[dict[str, Any]]) -> list[float]:
    assert all(len(step["rates"]) == 1 for step in steps)
    return [rate for step in steps for rate in step["rates"]]


def test_schedules(steps: list[dict[str, Any]]) -> None:
    examples, found = vectors(320), {}
    for schedule in ("constant", "cosine", "one_cycle"):
        trained(network(BARE, (4,)), examples, epochs=4, schedule=schedule, learning_rate=0.02)
        found[schedule] = [rate / 0.02 for rate in rates(steps)]
        steps.clear()
    assert found["constant"] == pytest.approx([1.0] * 20)
    assert found["cosine"] == pytest.approx([(1 + math.cos(math.pi * at / 20)) / 2 for at in range(20)])
    assert found["one_cycle"][:5] == pytest.approx([0.04, 0.28, 0.52, 0.76, 1.0])
    assert found["one_cycle"][4:] == pytest.approx([(1 + math.cos(math.pi * at / 16)) / 2 for at in range(16)])


@pytest.mark.parametrize(("optimizer", "kind"), [("sgd", torch.optim.SGD), ("adamw", torch.optim.AdamW)])
def test_the_optimiser_is_fused_and_decays_weights_only(
    steps: list[dict[str, Any]], optimizer: str, kind: type[torch.optim.Optimizer]
) -> None:
    made = network(SMALL, (1, 8, 8), 10)
    images = Examples(torch.randn(64, 1, 8, 8), torch.arange(64) % 10)
    trained(made, images, optimizer=optimizer, schedule="constant", weight_decay=0.3)
    used = steps[0]["optimizer"]
    assert type(used) is kind
    assert rates(steps) == [LEARNING_RATES[optimizer]]
    decay = {id(tensor): group["weight_decay"] for group in used.param_groups for tensor in group["params"]}
    for name, tensor in made.named_parameters():
        assert decay.pop(id(tensor)) == (0.3 if name.endswith(("weight", "wise")) else 0.0), name
    assert not decay
    assert all(group["fused"] for group in used.param_groups)
    if optimizer == "sgd":
        assert all(group["momentum"] == 0.9 and group["nesterov"] for group in used.param_groups)


def test_gradients_are_clipped_together(steps: list[dict[str, Any]]) -> None:
    examples = vectors(64)
    examples = Examples(examples.inputs * 100, examples.targets)
    bare = architecture(node("a", "identity", "input"))
    for clip in (None, 5.0, 0.5):
        trained(network(bare, (4,)), examples, clip=clip)
    norms = [step["norm"] for step in steps]
    assert norms[0] > 10
    assert norms[1:] == pytest.approx([5.0, 0.5], rel=1e-4)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_loss_is_the_smoothed_cross_entropy(smoothing: float) -> None:
    made, examples = network(BARE, (4,)), vectors(64)
    logs = F.log_softmax(made(examples.inputs), 1)
    picked = -logs[torch.arange(64), examples.targets]
    expected = ((1 - smoothing) * picked - smoothing * logs.mean(1)).mean().item()
    curve = trained(made, examples, label_smoothing=smoothing)
    assert curve[0]["loss"] == pytest.approx(expected, rel=1e-5)
    assert curve[0]["validation_loss"] == pytest.approx(
        F.cross_entropy(made(examples.inputs), examples.targets).item(), rel=1e-5
    )


# What goes wrong


@pytest.mark.parametrize("epochs", [1, 3])
def test_a_loss_that_is_not_finite_is_a_divergence(epochs: int) -> None:
    examples = vectors(256)
    with pytest.raises(DivergedError, match=r"training loss.* in epoch 1; lower the learning rate"):
        trained(
            network(architecture(node("a", "linear", "input")), (4,)),
            examples,
            epochs=epochs,
            learning_rate=1e30,
            **PLAIN,
        )


def test_a_score_that_is_not_finite_is_a_divergence() -> None:
    made, examples = network(BARE, (4,)), vectors(8)
    made.get_parameter("head.head/bias").data[2] = float("nan")
    with pytest.raises(DivergedError, match="held-out"):
        score(made, examples, Training())


# Batches


@pytest.mark.parametrize(("n", "batch_size"), [(65, 64), (5, 2), (3, 64), (2, 64), (129, 64)])
def test_no_batch_of_one_is_normalised(n: int, batch_size: int) -> None:
    made = network(NORMALISED, (4,))
    sizes: list[int] = []
    made.get_submodule("a").register_forward_pre_hook(
        lambda module, args: sizes.append(len(args[0][0])) if module.training else None
    )
    curve = trained(made, vectors(n), vectors(1), epochs=2, batch_size=batch_size)
    assert min(sizes) == min(n, batch_size)
    assert set(sizes) <= {min(n, batch_size), n}
    assert math.isfinite(curve[-1]["validation_loss"])


# Normalisation


def test_recalibrated_statistics_are_the_exact_ones() -> None:
    made = network(NORMALISED, (4,))
    for n, sizes in ((3 * 512 + 7, [512, 512, 512]), (40, [40])):
        inputs = vectors(n).inputs
        outputs = F.linear(inputs, made.get_parameter("a.linear/weight")).detach().double()
        batches = outputs[: sum(sizes)].split(sizes)
        recalibrate(made, inputs)
        mean = torch.stack([batch.mean(0) for batch in batches]).mean(0)
        variance = torch.stack([batch.var(0) for batch in batches]).mean(0)
        torch.testing.assert_close(made.get_buffer("a.linear/mean"), mean.float())
        torch.testing.assert_close(made.get_buffer("a.linear/variance"), variance.float())
    assert [layer.momentum for layer in made.normalisations] == [0.1]


def test_statistics_are_those_of_all_classes_when_examples_are_sorted() -> None:
    """Rows sorted by class, as in many files: the first batches are no sample."""
    targets = torch.arange(4).repeat_interleave(600)
    inputs = targets[:, None].float() + 0.1 * vectors(2400).inputs
    made = network(architecture(node("a", "linear", "input", normalisation="batch")), (4,))
    trained(made, Examples(inputs, targets), learning_rate=1e-12, **PLAIN)
    outputs = F.linear(inputs, made.get_parameter("a.linear/weight")).detach()
    mean, variance = made.get_buffer("a.linear/mean"), made.get_buffer("a.linear/variance")
    assert ((mean - outputs.mean(0)).abs() < 0.15 * outputs.std(0)).all()
    torch.testing.assert_close(variance, outputs.var(0), rtol=0.15, atol=0)


def test_statistics_are_measured_without_augmentation_once() -> None:
    def measured(**fields: Any) -> torch.Tensor:
        made = network(architecture(node("a", "conv", "input", normalisation="batch")), (1, 8, 8))
        images = Examples(torch.ones(64, 1, 8, 8), torch.arange(64) % 5)
        trained(made, images, learning_rate=1e-12, **PLAIN, **fields)
        return made.get_buffer("a.conv/mean")

    assert torch.equal(measured(cutout=6, shift=3), measured())
    assert not torch.allclose(measured(recalibrate=False), measured(), rtol=0.5)


def test_a_network_is_left_in_evaluation_mode() -> None:
    made = network(NORMALISED, (4,))
    trained(made, vectors(64))
    assert not made.training


# Memory and precision


def test_images_stay_channels_last() -> None:
    split = Split(np.ones((64, 3, 8, 8), np.float32), np.arange(64) % 5)
    images = Examples.of(split, torch.device("cpu"))
    made = on("cpu", network(SMALL))
    layouts = []

    def note(_module: torch.nn.Module, args: Any, output: torch.Tensor) -> None:
        for value in (*args[0], output):
            if value.dim() == 4:
                layouts.append(value.is_contiguous(memory_format=torch.channels_last))

    for module in made.children():
        module.register_forward_hook(note)
    trained(made, images, shift=1, flip=True, cutout=3)
    assert layouts
    assert all(layouts)


def test_bfloat16_computes_in_it_and_keeps_weights_in_float32(digits: tuple[Examples, Examples]) -> None:
    made = network(SMALL, (1, 8, 8), 10)
    kinds = set()
    made.get_submodule("b").register_forward_hook(lambda _, __, output: kinds.add(output.dtype))
    curve = trained(made, *digits, epochs=2, precision="bfloat16", recalibrate=False)
    assert kinds == {torch.bfloat16}
    assert {tensor.dtype for tensor in made.state_dict().values()} == {torch.float32}
    assert curve[-1]["loss"] < curve[0]["loss"] < 2.5


def test_precision_is_float32_on_a_processor_unless_asked_for() -> None:
    for precision, enabled in {"auto": False, "float32": False, "bfloat16": True}.items():
        with autocast(Training(precision=precision), torch.device("cpu")):
            assert torch.is_autocast_enabled("cpu") == enabled


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_digits_are_learnt_on_a_gpu(digits: tuple[Examples, Examples]) -> None:
    gpu = torch.device("cuda")
    moved = [Examples(part.inputs.to(gpu), part.targets.to(gpu)) for part in digits]
    made = on("cuda", network(SMALL, (1, 8, 8), 10))
    curve = trained(made, *moved, epochs=5, shift=1, cutout=2, flip=False)
    assert curve[-1]["validation_accuracy"] > 0.9


def test_weight_decay_is_for_weights_of_neurons_and_layers_alone() -> None:
    graph = NeuronGraph(1, (1,), ("a",), ("tanh",), ("sum",), (0.5,), (1.0,), (0,), (1,), (2.0,), ("m",))
    made = built(graph, (1,), 1)
    decayed, others = optimizer_of(list(made.parameters()), made.decayed, Training()).param_groups
    assert (decayed["params"], others["params"]) == ([made.weights], [made.biases])
    assert decayed["weight_decay"] > others["weight_decay"] == 0
    optimizer_of([made.biases], [], Training()).step()
