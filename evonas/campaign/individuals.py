"""The individuals of a campaign as one value: a sequence, a table, a data frame."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, overload

from evonas.record import Individual

if TYPE_CHECKING:
    from pandas import DataFrame

NOT_IN_ROWS = ("metrics", "curve", "origins", "genome", "learned")
"""Fields of a record that no single cell of a table can hold."""
COLUMNS = tuple(field.name for field in fields(Individual) if field.name not in NOT_IN_ROWS)
"""The columns of a table of individuals that stand before those of its metrics."""


class Individuals(Sequence[Individual]):
    """Individuals in a fixed order; equal to any sequence of the same records.

    Args:
        individuals: The records.
    """

    def __init__(self, individuals: Iterable[Individual] = ()) -> None:
        self._individuals = tuple(individuals)

    @overload
    def __getitem__(self, index: int) -> Individual: ...

    @overload
    def __getitem__(self, index: slice) -> "Individuals": ...

    def __getitem__(self, index: int | slice) -> "Individual | Individuals":
        """The individual at a place, or those of a slice."""
        return Individuals(self._individuals[index]) if isinstance(index, slice) else self._individuals[index]

    def __len__(self) -> int:
        """Number of individuals."""
        return len(self._individuals)

    def __iter__(self) -> Iterator[Individual]:
        """One after another."""
        return iter(self._individuals)

    def __eq__(self, other: object) -> bool:
        """True if the other is a sequence of equal records."""
        return isinstance(other, Sequence) and self._individuals == tuple(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """How many there are, and of which state."""
        states = [one.state for one in self]
        counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
        return f"<{len(self)} individuals{': ' if counts else ''}{counts}>"

    def rows(self) -> list[dict[str, Any]]:
        """One mapping an individual: `COLUMNS`, then every metric that any of them has, None where one is missing."""
        metrics = list(dict.fromkeys(name for one in self for name in one.metrics))
        return [
            {name: getattr(one, name) for name in COLUMNS} | {name: one.metrics.get(name) for name in metrics}
            for one in self
        ]

    def to_frame(self) -> "DataFrame":
        """The rows as a pandas data frame, its index the individual's number.

        Raises:
            ImportError: If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise ImportError(
                "expected pandas for a data frame, found none; install it with: pip install evonas[frames]"
            ) from None
        rows = self.rows()
        columns = list(rows[0]) if rows else list(COLUMNS)
        return pd.DataFrame(rows, columns=columns).set_index("id")
