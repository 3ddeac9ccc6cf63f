"""A picture of how the winner came to be: step by step from its root, along the fitter parent."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from evonas.analysis.changes import change
from evonas.analysis.lineage import fitter_line
from evonas.record import Individual
from evonas.view import boxes, figure, wording
from genomes.encoding import Phenotype
from genomes.neurons import NeuronGraph

LIMIT, LONG = 24, 12
"""Steps shown at most, the root and the winner among them, and so many that those without a gain share rows."""
LETTERS, SMALL = 8.5, 7.5
"""Sizes of text in points, where the figure is as large as the table asks for."""
LINE, PAD, SKIPPED, HEAD = 0.165, 0.14, 0.24, 0.72
"""Inches: a line of text, the rest of a row, a row that stands for several steps, and what is above all rows."""
NUMBER, OPERATOR, SIGNS, FITNESS, SCORE, INHERITED, RIGHT = 0.45, 0.55, 1.85, 5.25, 7.4, 9.1, 9.95
"""Where the columns begin; the numbers end where theirs is."""
GAIN, BETWEEN = 0.62, 0.2
"""Inches for a gain in figures at the right of its column, and between two columns."""
LONGEST, LONGEST_OPERATOR, LONGEST_NAME = 50, 18, 24
COLOURS = {wording.ADDED: figure.GREEN, wording.REMOVED: figure.VERMILION, wording.CHANGED: figure.BLUE}


@dataclass(frozen=True)
class _Step:
    """A row: an individual, or several that are left out, and whether fitness changed in any of them."""

    one: Individual
    parent: Individual | None
    operator: tuple[str, ...] = ()
    lines: tuple[tuple[str, str], ...] = ()
    skipped: tuple[Individual, ...] = ()
    gained: bool = False

    @property
    def height(self) -> float:
        if self.skipped:
            return SKIPPED
        return PAD + LINE * max(1, len(self.lines), len(self.operator))


def ancestry(
    individuals: Sequence[Individual],
    develop: Callable[[Individual], Phenotype],
    *,
    winner: int | None = None,
    score: str = "accuracy",
    measured: str = "fitness",
    ax: Axes | None = None,
) -> Axes:
    """Draw a row for every step from the root to the winner.

    A row tells who was born by which operator; what that did to the phenotype (`+` nodes of new ids, `−` nodes that are
    gone, `~` nodes that changed); fitness before (ring) and after (dot), with the difference; the score of the fitter
    parent (ring), at birth before any training (diamond) and after it (dot); and the part of the weights that was
    inherited. Where nothing was trained, the last two say nothing and are left out. Of long lines the steps that gained
    nothing share rows, and where the others are too many those of the least gain.

    Args:
        individuals: Those of a campaign, in any order; what is pending is left out.
        develop: Gives an individual's phenotype; called for those in the line.
        winner: Whose line is drawn; None for the highest fitness, among equals the first.
        score: The metric that `NAME_at_birth` is measured in.
        measured: What fitness is.
        ax: Axes to draw on; the picture is scaled to them. None: those of a new figure as large as it asks for.

    Returns:
        The axes; texts and marks of individual `n` have the gids `step-n`, `change-n`, `fitness-n`, `birth-n` and
        `inherited-n`, rows of several `skipped-n` after the last.
    """
    told = {one.id: one for one in individuals if one.state != "pending"}
    alive = [one for one in told.values() if figure.fitness_of(one) is not None]
    if not alive:
        return figure.nothing(figure.fresh(ax, 9.0, 4.0), figure.reason(len(told)))
    if winner is None or figure.fitness_of(told.get(winner, alive[0])) is None or winner not in told:
        winner = max(alive, key=lambda one: (one.fitness or 0.0, -one.id)).id
    line = fitter_line(told.values(), winner)
    kept = _kept(line)
    steps = _steps(line, kept, develop)
    height = HEAD + sum(step.height for step in steps) + 0.1
    reached = wording.rounded(told[winner].fitness or 0.0, 4)
    title = f"individual {winner}, {measured} {reached}, and its fitter parents"
    if any(step.gained for step in steps):
        title += f": of {len(line) - 1:,} steps those of most gain"
    trained = any(one.epochs or one.fraction_inherited for one in told.values())
    right = (RIGHT if trained else SCORE - BETWEEN) + 0.15
    if ax is None:
        ax = boxes.sized(right, height, title)
    scale = boxes.frame(ax, (0.0, right), (-height, 0.0), title)
    _Table(ax, steps, scale, score, measured, trained).draw()
    return ax


def _steps(line: Sequence[Individual], kept: set[int], develop: Callable[[Individual], Phenotype]) -> list[_Step]:
    """The rows; those that are not kept are condensed."""
    rows: list[_Step] = []
    skipped: list[Individual] = []
    for at, one in enumerate(line):
        if one.id not in kept:
            skipped.append(one)
            continue
        if skipped:
            gained = any(_gain(*pair) for pair in zip(skipped, line[at - len(skipped) - 1 :], strict=False))
            rows.append(_Step(skipped[-1], None, skipped=tuple(skipped), gained=gained))
            skipped = []
        parent = line[at - 1] if at else None
        rows.append(_Step(one, parent, _operator(one), _changes(one, parent, develop)))
    return rows


def _kept(line: Sequence[Individual]) -> set[int]:
    """Who has a row: all of a short line, else those of most gain, and what changed in a single step between two."""
    if len(line) <= LONG:
        return {one.id for one in line}
    gains = {one.id: _gain(one, line[at]) for at, one in enumerate(line[1:-1])}
    order = sorted((i for i in gains if gains[i]), key=lambda i: (-abs(gains[i]), i))
    kept = {line[0].id, line[-1].id, *order[: LIMIT - 2]}
    for before, one, after in zip(line, line[1:], line[2:], strict=False):
        if len(kept) < LIMIT and before.id in kept and after.id in kept and one.digest != before.digest:
            kept.add(one.id)
    return kept


def _gain(one: Individual, parent: Individual) -> float:
    before, after = figure.fitness_of(parent), figure.fitness_of(one)
    return 0.0 if before is None or after is None else after - before


def _operator(one: Individual) -> tuple[str, ...]:
    """The operator's name on one line or two."""
    words = one.operator.replace("_", " ").split("+")
    joined = " + ".join(words)
    if len(joined) <= LONGEST_OPERATOR or len(words) == 1:
        return (wording.shortened(joined, LONGEST_OPERATOR),)
    return f"{words[0]} +", wording.shortened(" + ".join(words[1:]), LONGEST_OPERATOR)


def _changes(
    one: Individual, parent: Individual | None, develop: Callable[[Individual], Phenotype]
) -> tuple[tuple[str, str], ...]:
    after = develop(one)
    if parent is None:
        if isinstance(after, NeuronGraph):
            n, word = len(after.ids) - len(after.outputs), "neuron"
        else:
            n, word = len(after.nodes) - 2, "node"
        return (("", f"begins with {n} {word if n == 1 else f'{word}s'} between input and output"),)
    found = wording.lines_of(change(develop(parent), after))
    return tuple((sign, wording.shortened(text, LONGEST)) for sign, text in found) or (
        ("", "the phenotype is the same"),
    )


class _Scale:
    """A column in which numbers are places."""

    def __init__(self, values: Sequence[float], left: float, right: float) -> None:
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        room = 0.06 * (high - low) or 0.05 * abs(high) or 0.5
        self.low, self.high, self.left, self.right = low - room, high + room, left, right
        self.values = values

    def at(self, value: float) -> float:
        part = (value - self.low) / (self.high - self.low)
        return self.left + min(max(part, 0.0), 1.0) * (self.right - self.left)

    @property
    def ticks(self) -> list[float]:
        found = MaxNLocator(3, steps=[1, 2, 5, 10]).tick_values(self.low, self.high)
        return [float(tick) for tick in found if self.low <= tick <= self.high]


class _Table:
    """Draws the rows; lengths in inches from the upper left corner. What was not trained has no columns of training."""

    def __init__(
        self, ax: Axes, steps: Sequence[_Step], scale: float, score: str, measured: str, trained: bool
    ) -> None:
        self._ax, self._steps, self._scale = ax, steps, scale
        self._score, self._measured = score, measured
        self._trained, self._right = trained, RIGHT if trained else SCORE - BETWEEN
        ones = [one for step in steps for one in (step.one, step.parent) if one is not None]
        fitness = [value for one in ones if (value := figure.fitness_of(one)) is not None]
        scores = [one.metrics[score] for one in ones if trained and score in one.metrics]
        births = [step.one.metrics[f"{score}_at_birth"] for step in steps if f"{score}_at_birth" in step.one.metrics]
        self._fitness = _Scale(fitness, FITNESS, SCORE - GAIN - BETWEEN)
        self._scores = _Scale(_near([*scores, *births], scores), SCORE, INHERITED - BETWEEN)

    def draw(self) -> None:
        height = sum(step.height for step in self._steps)
        self._draw_head(height)
        y, before = -HEAD, None
        for step in self._steps:
            middle = y - step.height / 2
            self._write(NUMBER, middle, "" if step.skipped else str(step.one.id), bold=True, across="right")
            if step.skipped:
                self._draw_skipped(step, middle)
            else:
                self._draw_step(step, middle)
            before = self._draw_path(step, before, middle)
            y -= step.height
            self._line((0.1, self._right), (y, y), "#E6E6E6", 0.6)

    def _draw_head(self, height: float) -> None:
        top = -HEAD + 0.48
        names = {OPERATOR: "operator", SIGNS: "what it changed", FITNESS: self._measured}
        notes = {SIGNS: "+ new  − gone  ~ changed", FITNESS: "○ fitter parent  ● itself"}
        if self._trained:
            names |= {SCORE: self._score.replace("_", " "), INHERITED: "inherited"}
            notes |= {SCORE: "○ parent  ◆ at birth  ● trained"}
        for x, name in names.items():
            self._write(x, top, wording.shortened(name, LONGEST_NAME), bold=True)
        for x, note in notes.items():
            self._write(x, top - 0.17, note, size=SMALL - 0.5, colour="#666666")
        for column in (self._fitness, self._scores):
            for tick in column.ticks if column.values else ():
                x = column.at(tick)
                self._line((x, x), (-HEAD, -HEAD - height), "#E6E6E6", 0.6)
                self._write(x, -HEAD + 0.1, wording.signed(tick, ".6g"), size=SMALL - 1, across="center")
        self._line((0.1, self._right), (-HEAD, -HEAD), figure.GREY, 0.8)

    def _draw_step(self, step: _Step, y: float) -> None:
        one = step.one
        for row, text in enumerate(step.operator):
            self._write(OPERATOR, y - LINE * (row - (len(step.operator) - 1) / 2), text, gid=f"step-{one.id}")
        for row, (sign, text) in enumerate(step.lines):
            at = y - LINE * (row - (len(step.lines) - 1) / 2)
            self._write(SIGNS, at, sign, bold=True, colour=COLOURS.get(sign, figure.INK))
            self._write(SIGNS + 0.15, at, text, size=SMALL, gid=f"change-{one.id}")
        if self._trained:
            self._draw_scores(step, y)
            self._draw_inherited(one, y)

    def _draw_inherited(self, one: Individual, y: float) -> None:
        if one.donors:
            width = RIGHT - INHERITED - 0.38
            for part, colour in ((1.0, "#E6E6E6"), (one.fraction_inherited, figure.SKY)):
                self._line((INHERITED, INHERITED + part * width), (y, y), colour, 6.0, gid=f"inherited-{one.id}")
            self._write(RIGHT, y, f"{one.fraction_inherited:.0%}", size=SMALL, across="right")

    def _draw_skipped(self, step: _Step, y: float) -> None:
        n = len(step.skipped)
        self._write(OPERATOR, y, "⋮", colour=figure.GREY)
        names = ", ".join(dict.fromkeys(one.operator.replace("_", " ") for one in step.skipped))
        told = "of less gain" if step.gained else "without a gain"
        text = wording.shortened(f"{n} {'step' if n == 1 else 'steps'} {told}: {names}", LONGEST + 16)
        self._write(OPERATOR + 0.2, y, text, size=SMALL, colour="#666666", gid=f"skipped-{step.one.id}")

    def _draw_path(self, step: _Step, before: tuple[float, float] | None, y: float) -> tuple[float, float] | None:
        """The way of fitness down the rows; where it now is."""
        value = figure.fitness_of(step.one)
        if value is None:
            return before
        x = self._fitness.at(value)
        if before is not None:
            self._line((before[0], before[0]), (before[1], y), figure.GREY, 1.0)
            if abs(x - before[0]) > 1e-6:
                colour = figure.BLUE if x > before[0] else figure.VERMILION
                self._line((before[0], x), (y, y), colour, 2.4 if not step.skipped else 1.0)
                if not step.skipped:
                    self._dot(before[0], y, "o", "white", colour, 3.6)
        if not step.skipped:
            self._dot(x, y, "o", figure.BLUE, "white", 5.5, gid=f"fitness-{step.one.id}")
            gain = "" if step.parent is None else _signed(_gain(step.one, step.parent))
            self._write(SCORE - BETWEEN, y, gain, size=SMALL, across="right")
        return x, y

    def _draw_scores(self, step: _Step, y: float) -> None:
        one, column = step.one, self._scores
        after, birth = one.metrics.get(self._score), one.metrics.get(f"{self._score}_at_birth")
        before = step.parent.metrics.get(self._score) if step.parent else None
        if birth is not None and after is not None:
            self._line((column.at(birth), column.at(after)), (y, y), figure.SKY, 1.6)
            self._dot(column.at(birth), y, "D", figure.ORANGE, "white", 5.0, gid=f"birth-{one.id}")
            if birth < column.low or birth > column.high:
                self._write(column.at(birth) + 0.08, y + 0.07, f"{birth:.2f}", size=SMALL - 1)
        if before is not None:
            self._dot(column.at(before), y, "o", "none", figure.INK, 4.5)
        if after is not None:
            self._dot(column.at(after), y, "o", figure.BLUE, "white", 5.0)

    def _line(
        self, xs: tuple[float, float], ys: tuple[float, float], colour: str, width: float, gid: str | None = None
    ) -> None:
        style: dict[str, Any] = {"color": colour, "lw": width * self._scale, "solid_capstyle": "butt", "gid": gid}
        self._ax.plot(xs, ys, zorder=1.5 if width < 1 else 2, **style)

    def _dot(self, x: float, y: float, marker: str, fill: str, edge: str, size: float, gid: str | None = None) -> None:
        style: dict[str, Any] = {
            "markersize": size * self._scale,
            "markerfacecolor": fill,
            "markeredgecolor": edge,
            "ls": "",
        }
        self._ax.plot([x], [y], marker=marker, markeredgewidth=0.9 * self._scale, zorder=3, gid=gid, **style)

    def _write(self, x: float, y: float, text: str, *, size: float = LETTERS, **style: Any) -> None:
        boxes.write(self._ax, x, y, text, size * self._scale, **{"across": "left", **style})


def _signed(gain: float) -> str:
    """A gain with its sign, of fewer decimals where it is large, and in powers of ten where decimals do not show it."""
    size = abs(gain)
    if not gain:
        return "±0"
    if size >= 1_000 or gain == round(gain):
        return wording.signed(gain, "+,.0f")
    return wording.signed(gain, "+.0e" if size < 5e-5 else "+.4f" if size < 10 else "+.2f")


def _near(values: Sequence[float], shown: Sequence[float]) -> list[float]:
    """The values that are not far outside those that have to be shown: what is, is drawn at the column's edge."""
    if not shown:
        return list(values)
    low, high = min(shown), max(shown)
    room = 2 * (high - low) or math.inf
    return [value for value in values if low - room <= value <= high + room]
