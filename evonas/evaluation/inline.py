"""Evaluation in the campaign's own process, one candidate after another."""

import ctypes
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import safetensors.torch
import torch

from evonas.evaluation.birth import as_bytes, born
from evonas.evaluation.evaluator import Check, EvaluationConfig, Job, reason
from evonas.evaluation.measure import LATENCIES, UNSCREENED, Screening, latency, sizes
from evonas.network import AnyNetwork, Inheritance, built
from evonas.record import COMPLETE, FAILED, Evaluation
from evonas.stream import stream
from evonas.tasks import KINDS, Split, Task
from evonas.training import Curve, Examples, Training, criterion_of, trainer_of
from genomes.encoding import LEARNS, Encoding, Genome, Learns

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT_BYTES = 1 << 30
MAX_DEVICE_REASON = 120


class TimedOutError(RuntimeError):
    """A candidate that took longer than `[evaluation] timeout`."""


class _Steps:
    """Called before every training step: the outer check, then the timeout. It knows whether training has begun."""

    def __init__(self, check: Check, timeout: float | None, began: float) -> None:
        self._check, self._timeout, self._began = check, timeout, began
        self.begun = False

    def __call__(self) -> None:
        self._check()
        if self._timeout is not None and time.perf_counter() - self._began > self._timeout:
            raise TimedOutError(f"expected an end within {self._timeout} s; raise [evaluation] timeout")
        self.begun = True


@dataclass(frozen=True)
class _Trained:
    metrics: dict[str, float]
    curve: Curve
    inheritance: Inheritance
    weights: bytes
    training_seconds: float
    learned: Genome | None = None


class Inline:
    """Evaluates candidates by training them here.

    Args:
        encoding: Develops genomes.
        task: What candidates are trained on; moved to the device once.
        training: How they are trained.
        config: Device and limits.
        seed: The campaign's seed.
        screening: What is measured, and must hold, before a candidate is trained.

    Raises:
        ValueError: If the device does not exist.
    """

    def __init__(
        self,
        encoding: Encoding[Any],
        task: Task,
        training: Training,
        config: EvaluationConfig,
        *,
        seed: int,
        screening: Screening = UNSCREENED,
    ) -> None:
        self.device = device(config.device)
        prepare_process(config.threads)
        self._encoding, self._training, self._config, self._seed = encoding, training, config, seed
        self._task, self._screening = task, screening
        self._learns = encoding if LEARNS in encoding.abilities and isinstance(encoding, Learns) else None
        self._kind, self._trainer = KINDS[task.kind], trainer_of(task)
        self._train, self._validation = self._examples(task.train), self._examples(task.validation)

    def evaluate(self, jobs: Iterable[Job], check: Check) -> Iterator[list[Evaluation]]:
        """Train each job's candidate in turn; see `evonas.evaluation.evaluator.Evaluator`."""
        for job in jobs:
            began = time.perf_counter()
            proposal = job.proposal
            steps = _Steps(check, self._config.timeout, began)
            try:
                done = self._trained(job, steps)
            except Exception as error:
                seconds, epochs = time.perf_counter() - began, proposal.budget.epochs if steps.begun else 0
                yield [Evaluation(proposal.id, FAILED, seconds=seconds, epochs=epochs, error=reason(error))]
            else:
                yield [
                    Evaluation(
                        proposal.id,
                        COMPLETE,
                        done.metrics,
                        time.perf_counter() - began,
                        proposal.budget.epochs,
                        done.curve,
                        done.inheritance.fraction,
                        done.inheritance.origins,
                        done.weights,
                        training_seconds=done.training_seconds,
                        learned=done.learned,
                    )
                ]

    def test(self, genome: Genome, weights: bytes | None) -> dict[str, float]:
        """Score trained weights on the test data, which nothing else reads: the metrics of its kind."""
        assert weights is not None
        network = self.network(genome, weights)
        return self._trainer.score(network, self._examples(self._task.test), self._training)

    def network(self, genome: Genome, weights: bytes) -> AnyNetwork:
        """A trained network on the device, in evaluation mode."""
        network = built(self._encoding.develop(genome), self._task.input_shape, self._task.n_outputs)
        network.load_state_dict(safetensors.torch.load(weights))
        return network.to(self.device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]

    def _examples(self, split: Split) -> Examples:
        return Examples.of(split, self.device, criterion_of(self._task))

    def _trained(self, job: Job, steps: _Steps) -> _Trained:
        proposal = job.proposal
        shape = self._task.input_shape
        measured = sizes(self._encoding.develop(proposal.genome), shape, self._task.n_outputs, self._config)
        self._screening.check(measured)
        network, inheritance = born(job, self._encoding, shape, self._task.n_outputs, seed=self._seed)
        network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        for name in self._screening.latencies:
            measured[name] = latency(network, shape, LATENCIES[name], self._training)
            self._screening.check(measured)
        started = time.perf_counter()
        if job.legacies:
            at_birth = self._trainer.score(network, self._validation, self._training)
            measured[f"{self._kind.score}_at_birth"] = at_birth[self._kind.score]
        curve = self._trainer.train(
            network,
            self._train,
            self._validation,
            self._training,
            proposal.budget.epochs,
            check=steps,
            rng=stream(self._seed, "train", proposal.id),
        )
        training_seconds = time.perf_counter() - started
        metrics = {name: curve[-1][f"validation_{name}"] for name in self._kind.metrics} | measured
        learned = self._learns.learn(proposal.genome, network.learned()) if self._learns else None
        return _Trained(metrics, curve, inheritance, as_bytes(network.state_dict()), training_seconds, learned)


def device(name: str) -> torch.device:
    """The torch device of a name; `auto` is the first CUDA GPU, else the CPU.

    Raises:
        ValueError: If there is no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(name)
        torch.zeros(1, device=found).cpu()
    except (AssertionError, ImportError, RuntimeError) as error:
        reason = str(error).splitlines()[0][:MAX_DEVICE_REASON]
        raise ValueError(f"device: expected auto, cpu or a device of this machine, got {name!r} ({reason})") from None
    return found


def prepare_process(threads: int) -> None:
    """Set torch's threads, and let glibc keep freed memory: no page faults at every step."""
    torch.set_num_threads(threads)
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)
            mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
