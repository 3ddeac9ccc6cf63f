"""What is measured of a candidate before it is trained, and what may keep it from being trained."""

import re
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch

from evonas.evaluation.evaluator import EvaluationConfig
from evonas.network import AnyNetwork
from evonas.training import Training
from evonas.training.loop import arranged, autocast
from genomes.encoding import Phenotype
from genomes.memory import peak_memory
from genomes.operations import Shape

SIZES = ("parameters", "macs", "peak_memory")
"""Metrics that are counted: the same on every machine."""
LATENCIES = {"latency_1": 1, "latency_64": 64}
"""Metrics that a clock tells, and the examples of a batch."""
N_TIMED, N_WARM_UP = 30, 5


class TooLargeError(ValueError):
    """A candidate beyond the limits of `[evaluation]`."""


class InfeasibleError(ValueError):
    """A candidate that a constraint of `[objectives]` keeps from being trained."""


@dataclass(frozen=True)
class Constraint:
    """What a candidate must keep to, or it is not trained.

    Attributes:
        metric: One of `SIZES` or `LATENCIES`.
        sign: `<=` or `>=`.
        limit: A count, bytes for peak_memory, seconds for a latency.
    """

    metric: str
    sign: Literal["<=", ">="]
    limit: float

    @classmethod
    def parse(cls, text: str, *, signed: bool = False) -> "Constraint":
        """Read `METRIC <= NUMBER` or `METRIC >= NUMBER`; `≤`, `≥` and underscores in the number are fine.

        Args:
            text: What is read.
            signed: True if the number may be below 0.

        Raises:
            ValueError: If it is not so written. Whether the metric is one that can be constrained is not looked at.
        """
        found = _WRITTEN.fullmatch(text.strip())
        try:
            if found is None or (found["minus"] and not signed):
                raise ValueError
            limit = float(found["minus"] + found["limit"])
        except ValueError:
            raise ValueError(
                f"expected METRIC <= NUMBER or METRIC >= NUMBER, such as parameters <= 100_000, got {text!r}"
            ) from None
        sign: Literal["<=", ">="] = "<=" if found["sign"] in ("<=", "≤") else ">="
        return cls(found["metric"], sign, limit)

    def holds(self, value: float) -> bool:
        """True where a value keeps to it."""
        return value <= self.limit if self.sign == "<=" else value >= self.limit


_NUMBER = r"[0-9][0-9_]*(\.\d*)?([eE][+-]?\d+)?"
_WRITTEN = re.compile(rf"(?P<metric>[A-Za-z_]\w*)\s*(?P<sign><=|>=|≤|≥)\s*(?P<minus>-?)(?P<limit>{_NUMBER})")


@dataclass(frozen=True)
class Screening:
    """What a campaign wants to know of a candidate before it is trained.

    Attributes:
        latencies: The keys of `LATENCIES` to measure.
        constraints: What it must keep to.
    """

    latencies: tuple[str, ...] = ()
    constraints: tuple[Constraint, ...] = ()

    def check(self, metrics: Mapping[str, float]) -> None:
        """Compare all that is known so far with the constraints.

        Raises:
            InfeasibleError: If one does not hold.
        """
        for one in self.constraints:
            if one.metric in metrics and not one.holds(value := metrics[one.metric]):
                raise InfeasibleError(f"expected {one.metric} {one.sign} {_written(one.limit)}, got {_written(value)}")


UNSCREENED = Screening()


def sizes(phenotype: Phenotype, input_shape: Shape, n_outputs: int, config: EvaluationConfig) -> dict[str, float]:
    """Count `SIZES` of a candidate, without torch.

    Args:
        phenotype: The candidate.
        input_shape: `(channels, height, width)` or `(features,)`.
        n_outputs: Outputs of the head.
        config: The limits.

    Returns:
        `parameters` (trainable values), `macs` (of one example) and `peak_memory` (bytes, see `genomes.memory`).

    Raises:
        TooLargeError: If it is beyond a limit.
        ValueError: Naming the node that cannot take what it is given.
    """
    found: dict[str, float] = {
        "parameters": phenotype.n_parameters(input_shape, n_outputs),
        "macs": phenotype.macs(input_shape, n_outputs),
    }
    for name, limit in (("parameters", config.max_parameters), ("macs", config.max_macs)):
        if found[name] > limit:
            raise TooLargeError(f"expected at most {limit:,} {name}, got {found[name]:,}; raise max_{name}")
    return {**found, "peak_memory": peak_memory(phenotype, input_shape, n_outputs)}


@torch.inference_mode()
def latency(network: AnyNetwork, input_shape: Shape, batch: int, config: Training) -> float:
    """Seconds of a forward pass in evaluation mode: the median of 30 after 5 that are not counted.

    Args:
        network: On its device, in which mode it may be; left in evaluation mode.
        input_shape: Of one example.
        batch: Examples in the pass.
        config: Its precision.
    """
    network.eval()
    device = next(network.parameters()).device
    inputs = arranged(torch.zeros(batch, *input_shape, device=device))
    seconds = []
    with autocast(config, device):
        for _ in range(N_WARM_UP + N_TIMED):
            _synchronise(device)
            began = time.perf_counter()
            network(inputs)
            _synchronise(device)
            seconds.append(time.perf_counter() - began)
    return statistics.median(seconds[N_WARM_UP:])


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _written(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:.4g}"
