"""What the commands print: tables and JSON on stdout, progress on stderr."""

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from evonas.analysis import with_parents
from evonas.campaign.loop import Observe
from evonas.campaign.loop import Progress as Done
from evonas.record import Individual

NUMBERED = ("id", "best", "parents", "donors")
"""What holds individuals' numbers, which are written as commands take them."""
LEAST_FIXED = 0.01
"""Smaller numbers, such as the seconds of a forward pass, are shown with three digits that count."""
PLAIN_SECONDS = 5.0
"""Between two lines of progress where there is no terminal."""


class Seconds(float):
    """A time, which is written with the unit that fits it."""


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    print(json.dumps(value, indent=2, allow_nan=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str | None = None) -> None:
    """A table on stdout; numbers to the right, lines without a terminal as wide as they need."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        numeric = all(isinstance(row[index], (int, float, type(None))) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", no_wrap=not sys.stdout.isatty())
    for row in rows:
        table.add_row(*(_cell(name, value) for name, value in zip(columns, row, strict=True)))
    Console(width=None if sys.stdout.isatty() else 240, highlight=False, markup=False).print(table)


def _cell(name: str, value: Any) -> str:
    return str(value) if name in NUMBERED and isinstance(value, int) else written(value)


def written(value: Any) -> str:
    """A value as tables show it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Seconds):
        factor, unit = (1, "s") if value >= 1 else (1e3, "ms") if value >= 1e-3 else (1e6, "µs")
        return f"{factor * value:,.3g} {unit}" if value < 100 else f"{value:,.0f} s"
    if isinstance(value, float):
        if 0 < abs(value) < LEAST_FIXED:
            return f"{value:.3g}"
        return f"{value:.4f}" if abs(value) < 100 else f"{value:,.1f}"
    if isinstance(value, int):
        return f"{value:,}"
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def print_fields(fields: Mapping[str, Any]) -> None:
    """Names and values on stdout, one a line."""
    width = max(map(len, fields), default=0)
    for name, value in fields.items():
        print(f"{name:<{width}}  {_cell(name, value)}")


def print_front(rows: Sequence[Mapping[str, Any]]) -> None:
    """A table of the front on stdout, one row an individual, all with the same keys."""
    if rows:
        print_table(tuple(rows[0]), [list(row.values()) for row in rows], f"front of {len(rows)}")


def print_with_front(fields: Mapping[str, Any]) -> None:
    """Names and values on stdout, then the table of the front where there is one."""
    print_fields({name: value for name, value in fields.items() if name != "front"})
    if fields.get("front"):
        print()
        print_front(fields["front"])


def print_individuals(individuals: Sequence[Individual], known: Mapping[int, Individual], score: str) -> None:
    """A table of individuals on stdout, then why those failed that did; `score` is the metric that ranks them.

    Columns that are empty in every row, as are epochs where nothing is trained, are left out.
    """
    columns = (
        "id", "state", "parents", "operator", "inherited", f"parent's {score}", "at birth", score, "parameters",
        "epochs", "time",
    )  # fmt: skip
    trained = any(one.epochs for one in individuals)
    rows = []
    for one in individuals:
        row, metrics = with_parents(one, known, score), one.metrics
        n_parameters = int(metrics["parameters"]) if "parameters" in metrics else None
        rows.append(
            [one.id, one.state, one.parents, one.operator, one.fraction_inherited if one.donors else None]
            + [row.get(f"parent_{score}"), metrics.get(f"{score}_at_birth"), metrics.get(score), n_parameters]
            + [one.epochs if trained else None, Seconds(one.seconds) if one.seconds else None]
        )
    told = [at for at in range(len(columns)) if not rows or any(row[at] not in (None, (), "") for row in rows)]
    print_table([columns[at] for at in told], [[row[at] for at in told] for row in rows])
    for one in individuals:
        if one.error:
            print(f"{one.id}: {one.error}")


def print_final(final: Mapping[str, Any], score: str) -> None:
    """The final numbers of a list on stdout, as `evonas.analysis.summary.final` gives them."""
    columns = {
        "id": "id",
        "genome": "genome",
        f"validation_{score}": f"validation {score}",
        f"test_{score}": f"test {score}",
        "parameters": "parameters",
        "macs": "MACs",
        "fraction_inherited": "inherited",
        "epochs": "epochs",
        "seconds": "time",
    }
    if len(final["genomes"]) == 1:
        del columns["genome"]
    rows = [{**row, "seconds": Seconds(row["seconds"])} for row in final["individuals"]]
    print_table(list(columns.values()), [[row[name] for name in columns] for row in rows])
    for row in final["individuals"]:
        if row["error"]:
            print(f"{row['id']}: {row['error']}")
    for row in final["genomes"]:
        of = f"genome {row['genome']}: " if len(final["genomes"]) > 1 else ""
        deviation = "" if row["deviation"] is None else f" ± {written(row['deviation'])}"
        print(f"{of}test {score} {written(row[f'test_{score}'])}{deviation}, repeats: {row['n']}")


@contextmanager
def progress(*, quiet: bool) -> Iterator[Observe]:
    """Show how far a campaign is, on stderr: a bar on a terminal, now and then a plain line elsewhere."""
    if quiet:
        yield lambda done: None
    elif not sys.stderr.isatty():
        yield _PlainLines()
    else:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[text]}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=Console(stderr=True)) as bar:
            tasks: dict[str, Any] = {}
            clock = _Clock()

            def observe(done: Done) -> None:
                if done.name not in tasks:
                    tasks[done.name] = bar.add_task(done.name, total=1.0, text="")
                bar.update(tasks[done.name], completed=done.fraction, text=clock.text(done))

            yield observe


class _Clock:
    """The rate of this run, which may have begun in the middle of a campaign."""

    def __init__(self) -> None:
        self._first: dict[str, Done] = {}

    def text(self, done: Done) -> str:
        first = self._first.setdefault(done.name, done)
        n, seconds = done.n_told - first.n_told, done.elapsed - first.elapsed
        failed = f", {done.n_failed} failed" if done.n_failed else ""
        best = "–" if done.best is None else f"{done.best:.4f}".replace("-", "−")
        parts = [f"{done.n_told} evaluations{failed}", f"best {done.label} {best}"]
        if done.n_front is not None:
            parts.append(f"front of {done.n_front}")
        if n and seconds > 0:
            left = seconds * (1 - done.fraction) / max(done.fraction - first.fraction, 1e-9)
            parts += [f"{n / seconds:.1f}/s", f"{left:.0f} s left"]
        return " · ".join(parts)


class _PlainLines:
    def __init__(self) -> None:
        self._clock = _Clock()
        self._last = 0.0

    def __call__(self, done: Done) -> None:
        text = self._clock.text(done)
        now = time.monotonic()
        if now - self._last >= PLAIN_SECONDS or done.fraction >= 1:
            self._last = now
            print(f"{done.name}: {text}", file=sys.stderr, flush=True)
