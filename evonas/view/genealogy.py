"""A picture of who trained the weights: every tensor of the winner, from the ancestor in which it began."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from evonas.analysis.lineage import tensor_lines
from evonas.record import SOURCE, Individual
from evonas.view import boxes, figure, wording
from genomes.architecture import Architecture, Node
from genomes.operations import Parameter, Shape

N_ROWS, N_COLUMNS = 70, 40
"""Rows and individuals shown at most."""
LETTERS, SMALL = 8.0, 7.0
THIN, THICK = 0.13, 0.055
"""Inches of a row that holds one value, and more for every power of ten of values."""
NODE, TENSORS, CELLS, RIGHT, KEY = 0.1, 1.5, 3.75, 1.5, 3.8
"""Where names and cells begin, and inches for the figures at the right."""
WIDTH, WIDEST, NARROWEST = 6.2, 0.5, 0.15
"""Inches for all cells where they fit, and of one cell."""
LETTER = 0.065
"""Inches of a letter of an operator's name."""


@dataclass(frozen=True)
class _Row:
    """Tensors of one node with the same line of descent."""

    node: Node
    roles: tuple[str, ...]
    n_values: int
    line: tuple[int, ...]

    @property
    def height(self) -> float:
        return THIN + THICK * math.log10(max(1, self.n_values))


def genealogy(
    individuals: Sequence[Individual],
    architecture: Architecture,
    input_shape: Shape,
    n_outputs: int,
    *,
    winner: int,
    ax: Axes | None = None,
) -> Axes:
    """Draw the tensors of a network against the individuals that trained them.

    Tensors stand in the order of the network, those of one node together, where their lines of descent are the same in
    one row; a row is higher the more values it holds. A row's first cell, red, is the individual in which the tensor
    began; in each blue cell it was trained further, and passed on to the next. All end at the winner. The figures at
    the right are the number of values and the epochs that they were trained.

    Args:
        individuals: Those of a campaign.
        architecture: The winner's.
        input_shape: `(channels, height, width)` or `(features,)`.
        n_outputs: Outputs of the head.
        winner: Whose tensors are drawn.
        ax: Axes to draw on; the picture is scaled to them. None: those of a new figure as large as it asks for.

    Returns:
        The axes; a row's cells have gids `began-ROW-ID` and `trained-ROW-ID`, with rows counted from 0.

    Raises:
        KeyError: If there is no such individual.
    """
    known = {one.id: one for one in individuals}
    rows = _rows(architecture, input_shape, n_outputs, tensor_lines(individuals, winner))
    if not rows:
        told = known[winner].state != "pending"
        text = "it has no weights on record" if told else "it was not evaluated yet"
        return figure.nothing(figure.fresh(ax, 9.0, 4.0), f"nothing to show of individual {winner}: {text}")
    kept = _largest(rows)
    columns = _columns(kept)
    title = f"individual {winner}: who trained its weights"
    n_without = len({i for row in kept for i in row.line}) - len(columns)
    missing = {"smaller rows": len(rows) - len(kept), "individuals": n_without}
    sheet = _Sheet(kept, columns, known, [f"{n} {what}" for what, n in missing.items() if n])
    if ax is None:
        ax = boxes.sized(sheet.width, sheet.height, title)
    scale = boxes.frame(ax, (0.0, sheet.width), (-sheet.height, 0.0), title)
    sheet.draw(ax, scale)
    return ax


def _rows(
    architecture: Architecture, input_shape: Shape, n_outputs: int, lines: Mapping[str, tuple[int, ...]]
) -> list[_Row]:
    """The rows, in the order of the network."""
    found = []
    for layer in architecture.layout(input_shape, n_outputs):
        groups: dict[tuple[int, ...], list[Parameter]] = {}
        for parameter in layer.parameters:
            if parameter.name in lines:
                groups.setdefault(lines[parameter.name], []).append(parameter)
        for line, parameters in groups.items():
            roles = tuple(parameter.role.split("/")[-1] for parameter in parameters)
            n_values = sum(math.prod(parameter.shape) for parameter in parameters)
            found.append(_Row(layer.node, roles, n_values, line))
    return found


def _largest(rows: Sequence[_Row]) -> list[_Row]:
    """As many rows as are shown, the smallest left out."""
    order = sorted(range(len(rows)), key=lambda at: -rows[at].n_values)
    kept = set(order[:N_ROWS])
    return [row for at, row in enumerate(rows) if at in kept]


def _columns(rows: Sequence[_Row]) -> list[int]:
    """The individuals shown, the oldest first: where most tensors began, then evenly along the rest."""
    everyone = sorted({i for row in rows for i in row.line})
    if len(everyone) <= N_COLUMNS:
        return everyone
    began: dict[int, int] = {}
    for row in rows:
        began[row.line[0]] = began.get(row.line[0], 0) + row.n_values
    kept = {everyone[-1], *sorted(began, key=lambda i: (-began[i], i))[: N_COLUMNS - 1]}
    rest = [i for i in everyone if i not in kept]
    room = N_COLUMNS - len(kept)
    kept |= {rest[int(at * len(rest) / room)] for at in range(room)}
    return sorted(kept)


class _Sheet:
    """Draws rows and columns; lengths in inches from the upper left corner."""

    def __init__(
        self, rows: Sequence[_Row], columns: Sequence[int], known: Mapping[int, Individual], missing: Sequence[str]
    ) -> None:
        self._rows, self._columns, self._known, self._missing = rows, columns, known, missing
        self._cell = min(WIDEST, max(NARROWEST, WIDTH / len(columns)))
        self._names = {i: self._name(i) for i in columns}
        self._head = 0.15 + LETTER * max(len(name) for name in self._names.values())
        self.width = CELLS + max(self._cell * len(columns) + RIGHT, KEY)
        self.height = self._head + sum(row.height for row in rows) + 0.62

    def _name(self, i: int) -> str:
        if i == SOURCE:
            return "from elsewhere"
        return f"{i}  {wording.shortened(self._known[i].operator.replace('_', ' '), 28)}"

    def draw(self, ax: Axes, scale: float) -> None:
        upright: dict[str, Any] = {"across": "center", "upwards": "bottom"}
        for at, i in enumerate(self._columns):
            self._write(
                ax, scale, self._x(at) + self._cell / 2, -self._head + 0.06, self._names[i], rotation=90, **upright
            )
        right = self._x(len(self._columns))
        for x, text in ((right + 0.72, "values"), (right + 1.32, "epochs")):
            self._write(ax, scale, x, -self._head + 0.1, text, across="right", bold=True)
        y = -self._head
        before = ""
        for number, row in enumerate(self._rows):
            if row.node.id != before:
                ax.plot([NODE, right + 1.4], [y, y], color="#CCCCCC", lw=0.7 * scale, zorder=1)
                self._write(ax, scale, NODE, y - row.height / 2, wording.name_of(row.node), bold=True)
            before = row.node.id
            self._draw_row(ax, scale, number, row, y)
            y -= row.height
        self._draw_key(ax, scale, y)

    def _x(self, at: int) -> float:
        return CELLS + at * self._cell

    def _draw_row(self, ax: Axes, scale: float, number: int, row: _Row, y: float) -> None:
        middle, right = y - row.height / 2, self._x(len(self._columns))
        text = wording.shortened(", ".join(row.roles), 36)
        self._write(ax, scale, TENSORS, middle, text, size=SMALL)
        places = [at for at, i in enumerate(self._columns) if i in row.line]
        ends = [self._x(places[0]) + self._cell / 2, self._x(places[-1]) + self._cell / 2]
        ax.plot(ends, [middle, middle], color=figure.SKY, lw=1.4 * scale, zorder=1.5)
        for at in places:
            i = self._columns[at]
            began = i == row.line[0]
            gap = 0.1 * self._cell
            corner = (self._x(at) + gap, y - 0.92 * row.height)
            colour = figure.VERMILION if began else figure.BLUE
            style: dict[str, Any] = {
                "facecolor": colour,
                "lw": 0,
                "zorder": 2,
                "gid": f"{'began' if began else 'trained'}-{number}-{i}",
            }
            ax.add_patch(Rectangle(corner, self._cell - 2 * gap, 0.84 * row.height, **style))
        self._write(
            ax, scale, right + 0.72, middle, f"{row.n_values:,}", size=SMALL, across="right", gid=f"values-{number}"
        )
        epochs = sum(self._known[i].epochs for i in row.line if i in self._known)
        self._write(ax, scale, right + 1.32, middle, f"{epochs:,}", size=SMALL, across="right")

    def _draw_key(self, ax: Axes, scale: float, y: float) -> None:
        ax.plot([NODE, self._x(len(self._columns)) + 1.4], [y, y], color="#CCCCCC", lw=0.7 * scale, zorder=1)
        if self._missing:
            self._write(ax, scale, NODE, y - 0.3, f"left out: {', '.join(self._missing)}", gid="left-out")
        for x, colour, text in (
            (CELLS, figure.VERMILION, "began here"),
            (CELLS + 1.2, figure.BLUE, "inherited and trained further"),
        ):
            ax.add_patch(Rectangle((x, y - 0.37), 0.18, 0.14, facecolor=colour, lw=0))
            self._write(ax, scale, x + 0.26, y - 0.3, text)

    def _write(
        self, ax: Axes, scale: float, x: float, y: float, text: str, *, size: float = LETTERS, **style: Any
    ) -> None:
        boxes.write(ax, x, y, text, size * scale, **{"across": "left", **style})
