"""A study as Markdown: what each arm reached, mean and spread over seeds, and how likely the differences are."""

import math
from collections.abc import Callable, Iterable, Sequence

from evonas.analysis.statistics import a12, mann_whitney, mean_interval
from evonas.studies.results import Row, collect
from evonas.studies.study import Arm, Study

HEAD = (
    "arm",
    "seeds",
    "evaluations",
    "failed",
    "epochs",
    "best fitness",
    "its validation %",
    "its test %",
    "its test loss",
    "retrained test %",
    "over sampling %",
    "parameters",
    "hours",
)
PAIRED = ("arm", "fitness: A12", "p", "test: A12", "p", "test loss, negated: A12", "p", "retrained test: A12", "p")
MEASURES: tuple[Callable[[Row], float | None], ...] = (
    lambda row: row.fitness,
    lambda row: row.test,
    lambda row: None if row.test_loss is None else -row.test_loss,
    lambda row: row.retrained,
)
NOTES = """\
Evaluations, failures, epochs and parameters are means over seeds; hours are the sum over seeds of search and last
training. Fitness and accuracies are means with 95 % t intervals. *Best fitness* and *its validation* are those of the
network which the search selected, on the data it was selected by; *its test* and *test loss* (nats) those of the same
network, as the search left it, on data nothing else reads. *Retrained test* is its architecture trained from scratch by
one final protocol, tested once. *Over sampling* is the relative improvement of Yang, Esperança & Carlucci 2020
(https://arxiv.org/abs/1912.12522), 100 · (method − sampling) / sampling, of the means of retrained test accuracy;
sampling: architectures drawn at random, not selected. A12 (Vargha & Delaney 2000) is how often the arm exceeds the
reference, 0.5 where neither does; p is the two-sided one of Mann & Whitney, of one comparison: many are made here, so
that a single one below 0.05 says little. The data are split once: the spread over seeds is that of searching and
training.
"""


def report(study: Study, rows: Sequence[Row] | None = None, *, pictures: Iterable[tuple[str, str]] = ()) -> str:
    """A table a problem, the comparison of each arm with the reference, and what is still missing.

    Args:
        study: The study, running or finished.
        rows: What `collect` gave; None: it is called.
        pictures: Problem and path of a picture to show with it, relative to where the text is saved.

    Returns:
        Markdown.

    Raises:
        StoreError: If a record is damaged.
    """
    rows = collect(study) if rows is None else rows
    shown = dict(pictures)
    n_all = len(study.arms) * len(study.seeds)
    missing = "" if len(rows) == n_all else f", **{n_all - len(rows)} missing**"
    lines = [f"# {study.name}", "", f"{len(rows)} of {n_all} runs{missing}.", "", NOTES]
    for problem in study.problems:
        arms = study.arms_of(problem)
        lines += [f"## {problem or study.name}", ""]
        lines += [*_table(HEAD, [_measured(study, arm, rows) for arm in arms]), ""]
        reference = next((arm for arm in arms if arm.label == study.reference), arms[0])
        others = [arm for arm in arms if arm is not reference]
        lines += [f"Against *{reference.label}*:", ""]
        lines += [*_table(PAIRED, [_compared(arm, reference, rows) for arm in others]), ""]
        if problem in shown:
            caption = f"{problem}: fitness of the best so far over epochs spent, mean and 95 % interval"
            lines += [f"![{caption}]({shown[problem]})", ""]
    return "\n".join(lines).rstrip() + "\n"


def _measured(study: Study, arm: Arm, rows: Sequence[Row]) -> list[str]:
    own = [row for row in rows if row.arm == arm.name]
    sampled = {other.name for other in study.arms_of(arm.problem) if not other.searches}
    sampling = mean_interval(row.retrained for row in rows if row.arm in sampled).mean
    final = mean_interval(row.retrained for row in own).mean
    seconds = sum(row.seconds + row.final_seconds for row in own)
    return [
        arm.label,
        str(len(own)),
        *(_count([float(count(row)) for row in own]) for count in COUNTS),
        _interval([row.fitness for row in own], "{:.4f}"),
        _interval([_percent(row.validation) for row in own], "{:.2f}"),
        _interval([_percent(row.test) for row in own], "{:.2f}"),
        _interval([row.test_loss for row in own], "{:.4f}"),
        _interval([_percent(row.retrained) for row in own], "{:.2f}"),
        "–" if math.isnan(final - sampling) or not arm.searches else f"{100 * (final - sampling) / sampling:+.2f}",
        _count([float(row.parameters) for row in own]),
        f"{seconds / 3600:.2f}",
    ]


COUNTS: tuple[Callable[[Row], int], ...] = (lambda row: row.evaluations, lambda row: row.failed, lambda row: row.epochs)


def _compared(arm: Arm, reference: Arm, rows: Sequence[Row]) -> list[str]:
    cells = [arm.label]
    for measure in MEASURES:
        ours, theirs = (
            [value for row in rows if row.arm == one.name and (value := measure(row)) is not None]
            for one in (arm, reference)
        )
        effect, p = a12(ours, theirs), mann_whitney(ours, theirs)
        cells += ["–", "–"] if math.isnan(effect) else [f"{effect:.2f}", f"{p:.3f}" if p >= 0.001 else "< 0.001"]
    return cells


def _percent(value: float | None) -> float | None:
    return None if value is None else 100 * value


def _interval(values: Sequence[float | None], form: str) -> str:
    """Mean and interval of what there is."""
    found = mean_interval(value for value in values if value is not None)
    if not found.n:
        return "–"
    ends = "" if math.isnan(found.low) else f" [{form.format(found.low)}, {form.format(found.high)}]"
    return form.format(found.mean) + ends


def _count(values: Sequence[float]) -> str:
    mean = mean_interval(values).mean
    return "–" if math.isnan(mean) else f"{mean:,.0f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    aligned = ["---", *["---:"] * (len(head) - 1)]
    return ["| " + " | ".join(cells) + " |" for cells in (head, aligned, *rows)]
