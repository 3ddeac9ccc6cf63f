"""Engine time an evaluation: a campaign against a hand-written bare loop over the same trainings, alternated.

After each of the campaign's evaluations, the bare loop trains the same architecture on the same data, with the same
optimiser and number of steps, scoring after each epoch and, where weights are inherited, before the first, as one would
write it by hand without an engine. `engine` is the campaign's time but for those computations: selecting and varying,
developing, building, inheriting, serialising, hashing, writing durably, telling. `longer than bare` is all that the
campaign takes longer than the bare loop: it counts besides that our training loop measures BatchNorm's statistics anew.

    python benchmarks/overhead.py [--quick] [--json]
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from torch.nn import functional as F

from evonas.campaign import Campaign
from evonas.campaign.loop import Loop
from evonas.campaign.opening import opened
from evonas.evaluation import Check, Inline, Job
from evonas.network import AnyNetwork
from evonas.record import Evaluation
from evonas.tasks import Digits
from evonas.training import Examples, Training

SPEC = {
    "encoding": {
        "operations": ("conv", "separable", "max_pool", "avg_pool", "identity"),
        "kernels": (3, 5),
        "widths": (8, 16, 24),
        "normalisations": ("batch",),
    },
    "search": {"name": "evolution", "population": 12, "lag": 1},
    "training": {"epochs": 2, "inherited_epochs": 1, "batch_size": 64},
}
WARM_UP = 10
"""Pairs that are not counted."""


class Alternating:
    """An evaluator that lets the bare loop train every candidate once more, outside the campaign's time."""

    def __init__(self, inline: Inline, config: Training, train: Examples, validation: Examples) -> None:
        self._inline, self._config, self._train, self._validation = inline, config, train, validation
        self.campaign: list[float] = []
        self.bare: list[float] = []
        self.trained: list[float] = []

    def evaluate(self, jobs: Iterable[Job], check: Check) -> Iterator[list[Evaluation]]:
        """A cycle is from the reading of a job to the end of its tell, which includes the next ask."""
        began = time.perf_counter()
        for job in jobs:
            for (evaluation,) in self._inline.evaluate([job], check):
                yield [evaluation]
                told = time.perf_counter()
                if evaluation.weights is not None:
                    network = self._inline.network(job.proposal.genome, evaluation.weights)
                    started = time.perf_counter()
                    bare(network, self._train, self._validation, self._config, job)
                    self.bare.append(time.perf_counter() - started)
                    self.campaign.append(told - began)
                    self.trained.append(evaluation.training_seconds)
            began = time.perf_counter()


def bare(network: AnyNetwork, train: Examples, validation: Examples, config: Training, job: Job) -> float:
    """Train a network as somebody would by hand; returns its validation accuracy."""
    epochs = job.proposal.budget.epochs
    optimizer = torch.optim.SGD(
        network.parameters(), lr=config.peak, momentum=0.9, nesterov=True, weight_decay=config.weight_decay, fused=True
    )
    n, size = len(train.targets), config.batch_size
    n_steps = n // size
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * n_steps)
    accuracy = scored(network, validation) if job.legacies else 0.0
    for _ in range(epochs):
        network.train()
        order = torch.randperm(n)
        inputs = train.inputs[order].contiguous(memory_format=torch.channels_last)
        targets = train.targets[order]
        for at in range(0, n_steps * size, size):
            loss = F.cross_entropy(network(inputs[at : at + size]), targets[at : at + size])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
            schedule.step()
        accuracy = scored(network, validation)
    return accuracy


@torch.no_grad()
def scored(network: AnyNetwork, validation: Examples) -> float:
    """Validation accuracy."""
    network.eval()
    return (network(validation.inputs).argmax(1) == validation.targets).float().mean().item()


def measure(n_pairs: int) -> dict[str, float]:
    """Run a campaign of so many counted pairs on digits; medians and quartiles in milliseconds."""
    campaign = Campaign(**SPEC, budget={"evaluations": n_pairs + WARM_UP})
    task = Digits().load()
    encoding = campaign.spec.encoding.for_task(task.input_shape, task.n_outputs)
    campaign.spec = campaign.spec.model_copy(update={"encoding": encoding})
    inline = Inline(encoding, task, campaign.spec.training, campaign.spec.evaluation, seed=0)
    sides = [Examples.of(split, inline.device) for split in (task.train, task.validation)]
    pairs = Alternating(inline, campaign.spec.training, *sides)
    with tempfile.TemporaryDirectory() as place:
        store = opened(Path(place), campaign.spec, task)
        Loop(campaign.spec, encoding, store, campaign.search(encoding), pairs).run()
        store.close()
    ours, theirs, trained = (values[WARM_UP:] for values in (pairs.campaign, pairs.bare, pairs.trained))
    engine = [1e3 * (a - b) for a, b in zip(ours, trained, strict=True)]
    longer = [1e3 * (a - b) for a, b in zip(ours, theirs, strict=True)]
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    found: dict[str, float] = {"pairs": len(ours), "torch_threads": torch.get_num_threads()}
    for name, values in (("engine_ms", engine), ("longer_than_bare_ms", longer), ("ratio_to_bare", ratios)):
        low, middle, high = statistics.quantiles(values, n=4)
        found |= {f"{name}_median": middle, f"{name}_q1": low, f"{name}_q3": high}
    found["bare_ms_median"] = 1e3 * statistics.median(theirs)
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="Engine time an evaluation, against a bare training loop.")
    parser.add_argument("--quick", action="store_true", help="60 pairs instead of 300")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    arguments = parser.parse_args()
    found = measure(60 if arguments.quick else 300)
    if arguments.json:
        print(json.dumps(found))
        return
    print(f"{found['pairs']:.0f} pairs, alternated, on {found['torch_threads']:.0f} torch thread; median (quartiles)")
    for name, unit in (("engine_ms", "ms"), ("longer_than_bare_ms", "ms"), ("ratio_to_bare", "×")):
        middle, low, high = (found[f"{name}_{part}"] for part in ("median", "q1", "q3"))
        print(f"{name.removesuffix('_ms').replace('_', ' '):24} {middle:7.2f} {unit} ({low:.2f} to {high:.2f})")
    print(f"{'bare training':24} {found['bare_ms_median']:7.2f} ms")


if __name__ == "__main__":
    main()
