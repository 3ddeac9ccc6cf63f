"""What is one inherited epoch worth, in epochs from scratch?

Random architectures are trained as parents and mutated once. Each child is trained one epoch with its parent's weights,
1, 2, 4 and 8 epochs from scratch, and, as the truth, in full from scratch. Every training has streams of its own: no
two of them share initial weights or the order of examples. The table gives the mean accuracy after each, and how well
it ranks the children: Kendall's τ-b with the truth.

    python runs/epochs.py

It can be stopped at any time; the same command goes on where it was.
"""

import argparse
import itertools
import json
import math
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import problems

from evonas.analysis.statistics import kendall, mean_interval
from evonas.campaign import Spec, SpecError
from evonas.campaign.spec import parse
from evonas.evaluation import Inline, Job, Legacy
from evonas.record import COMPLETE, Budget, Evaluation, Proposal
from evonas.stream import stream
from genomes.encoding import Encoding, Genome, uniform

SHORT = (1, 2, 4, 8)
HEIR, TRUTH, TWIN = "inherited, 1 epoch", "full", "full, again"
TRAININGS = 16
"""Numbers set aside for the trainings of one child, the parent's among them."""
N_RESAMPLES = 2000


@dataclass(frozen=True)
class Child:
    """One child and the training of its parent.

    Attributes:
        number: Counted from 0.
        parent: The parent's genome.
        genome: A mutant of it.
        operator: What made it.
    """

    number: int
    parent: Genome
    genome: Genome
    operator: str


def children(encoding: Encoding[Any], seed: int) -> Iterator[Child]:
    """Random parents and a mutant of each, without end."""
    number = 0
    while True:
        rng = stream(seed, "epochs", number)
        parent = encoding.sample(uniform(rng), rng=rng)
        variation = encoding.mutate(parent, rng=rng)
        yield Child(number, parent, variation.genome, variation.operator)
        number += 1


def legacy(encoding: Encoding[Any], genome: Genome, done: Evaluation) -> Legacy:
    """What a trained parent leaves its child."""
    assert done.weights is not None
    return Legacy(done.id, genome, done.weights)


def trained(
    inline: Inline, genome: Genome, number: int, epochs: int, legacies: tuple[Legacy, ...] = ()
) -> Evaluation | None:
    """One training; None if it failed."""
    donors = tuple(one.individual for one in legacies)
    proposal = Proposal(number, genome, donors, "study", donors, Budget(epochs))
    ((done,),) = inline.evaluate([Job(proposal, legacies)], lambda: None)
    return done if done.state == COMPLETE else None


def scored(done: Evaluation) -> dict[str, float]:
    """What is kept of a training."""
    return {
        "accuracy": done.metrics["accuracy"],
        "loss": done.metrics["loss"],
        "seconds": done.seconds,
        "inherited": done.fraction_inherited,
    }


def measured(
    inline: Inline, encoding: Encoding[Any], child: Child, parent_epochs: int, full: int, again: bool
) -> dict[str, Any] | None:
    """All trainings of one child; None if one of them failed."""
    first = child.number * TRAININGS
    parent = trained(inline, child.parent, first, parent_epochs)
    if parent is None:
        return None
    plan = [(f"scratch, {epochs} epoch{'s' * (epochs > 1)}", epochs) for epochs in SHORT] + [(TRUTH, full)]
    plan += [(TWIN, full)] * again
    found = {HEIR: trained(inline, child.genome, first + 1, 1, (legacy(encoding, child.parent, parent),))}
    for offset, (name, epochs) in enumerate(plan, 2):
        found[name] = trained(inline, child.genome, first + offset, epochs)
    scores = {name: scored(done) for name, done in found.items() if done is not None}
    return {"parent": scored(parent), "operator": child.operator, **scores} if len(scores) == len(found) else None


def collected(spec: Spec, path: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    """The trainings of every child, from the file and, where it lacks some, done now."""
    header = {"spec": json.loads(spec.model_dump_json()), "full": options.full, "again": options.again}
    known = read(path, header)
    found = [line["child"] for line in known if line["child"] is not None]
    if len(found) >= options.children or options.report_only:
        return found[: options.children]
    task = spec.task.load()
    encoding = spec.encoding.for_task(task.input_shape, task.n_outputs)
    inline = Inline(encoding, task, spec.training, spec.evaluation, seed=spec.seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        if not known and not path.stat().st_size:
            note(file, header)
        for child in children(encoding, spec.seed):
            if child.number < len(known):
                continue
            one = measured(inline, encoding, child, spec.training.epochs, options.full, options.again)
            note(file, {"number": child.number, "child": one})
            found += [] if one is None else [one]
            print(f"{spec.name}: {len(found)} of {options.children}", file=sys.stderr, flush=True)
            if len(found) >= options.children:
                return found
    return found


def read(path: Path, header: dict[str, Any]) -> list[dict[str, Any]]:
    """What an earlier run noted; a last line that was torn is cut off.

    Raises:
        SpecError: If it was noted under another spec.
    """
    if not path.exists():
        return []
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if whole != data:
        os.truncate(path, len(whole))
    lines = [json.loads(line) for line in whole.splitlines()]
    if lines and lines[0] != header:
        raise SpecError(f"{path}: expected the spec it was begun with, got another; choose another --out")
    return lines[1:]


def note(file: Any, value: Any) -> None:
    """Append a line, durable on return."""
    file.write(json.dumps(value) + "\n")
    file.flush()
    os.fsync(file.fileno())


def table(found: list[dict[str, Any]]) -> list[str]:
    """Markdown rows: each training, its cost, its accuracy, and its rank agreement with the truth."""
    names = [name for name in found[0] if name not in ("parent", "operator")]
    truth = {key: [one[TRUTH][key] for one in found] for key in ("accuracy", "loss")}
    lines = [
        "| child trained | accuracy % | τ by accuracy | τ by loss | seconds |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name in names:
        accuracy = mean_interval(100 * one[name]["accuracy"] for one in found)
        shown = f"{accuracy.mean:.2f} [{accuracy.low:.2f}, {accuracy.high:.2f}]"
        taus = ["", ""]
        if name != TRUTH:
            taus = [agreement([one[name][key] for one in found], truth[key]) for key in ("accuracy", "loss")]
        seconds = mean_interval(one[name]["seconds"] for one in found).mean
        lines.append(f"| {name} | {shown} | {taus[0]} | {taus[1]} | {seconds:.2f} |")
    return lines


def agreement(estimate: list[float], truth: list[float]) -> str:
    """Kendall's τ-b with a 95 % interval by resampling the children (Efron 1979, the percentile method)."""
    tau = kendall(estimate, truth)
    rng = stream(0, "resample")
    pairs = np.array([estimate, truth])
    rows = (rng.integers(pairs.shape[1], size=pairs.shape[1]) for _ in range(N_RESAMPLES))
    drawn = [value for row in rows if not math.isnan(value := kendall(*pairs[:, row]))]
    if math.isnan(tau) or not drawn:
        return "–"
    low, high = np.percentile(drawn, (2.5, 97.5))
    return f"{tau:.2f} [{low:.2f}, {high:.2f}]"


def worth(found: list[dict[str, Any]]) -> str:
    """Epochs from scratch, interpolated, after which children are as accurate as after one with inherited weights."""
    mean = {name: float(np.mean([one[name]["accuracy"] for one in found])) for name in found[0] if name != "operator"}
    points = [(epochs, mean[f"scratch, {epochs} epoch{'s' * (epochs > 1)}"]) for epochs in SHORT]
    goal = mean[HEIR]
    if goal <= points[0][1]:
        return "no more than 1"
    for (before, low), (after, high) in itertools.pairwise(points):
        if low < goal <= high:
            return f"about {before + (after - before) * (goal - low) / (high - low):.1f}"
    return f"more than {SHORT[-1]}"


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = problems.parser(__doc__ or "", comparison=False)
    options.add_argument("--children", type=int, default=24, help="architectures of each encoding")
    options.add_argument("--full", type=int, default=20, help="epochs of the training that counts as the truth")
    options.add_argument("--again", action="store_true", help="train in full twice: how well the truth ranks itself")
    return options


def main(argv: list[str] | None = None) -> int:
    """Run what is missing and write the table; the exit code: 0, 2 without data or with a wrong spec, 130 stopped."""
    options = parser().parse_args(argv)
    out = (options.out or problems.OUT / f"{options.task}-epochs").resolve()
    title = f"# One inherited epoch on {options.task}, in epochs from scratch"
    lines = [title, "", *(__doc__ or "").splitlines()[2:6], ""]
    for encoding in options.encodings:
        try:
            base = problems.base(options.task, out)
            spec = parse({**base, "name": encoding, "encoding": problems.SPACES[encoding]})
            found = collected(spec, out / f"{encoding}.jsonl", options)
        except (problems.DataError, SpecError) as error:
            print(f"skipped: {error}", file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            print("Stopped; the same command goes on.", file=sys.stderr)
            return 130
        lines += [f"## {encoding}", ""]
        if len(found) < 2:
            lines += [f"{len(found)} of {options.children} children: too few to rank.", ""]
            continue
        parent = mean_interval(100 * one["parent"]["accuracy"] for one in found).mean
        share = mean_interval(100 * one[HEIR]["inherited"] for one in found).mean
        lines += [
            f"{len(found)} children, whose parents reached {parent:.2f} % in {spec.training.epochs} epochs and left "
            f"{share:.0f} % of their values. One inherited epoch is worth {worth(found)} from scratch.",
            "",
            *table(found),
            "",
        ]
    folder = problems.PAGES if options.write else out
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"epochs-{options.task}.md"
    path.write_text("\n".join(lines).rstrip() + "\n", "utf-8")
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
