"""Random search: every decision drawn uniformly, nothing learned. The control of every comparison."""

from collections.abc import Iterable
from typing import ClassVar, Literal

from evonas.record import Evaluation, Proposal
from evonas.search.search import Context, SearchConfig


class RandomConfig(SearchConfig):
    """Random search."""

    several: ClassVar[bool] = True

    name: Literal["random"] = "random"

    def build(self, context: Context) -> "RandomSearch":
        """The search at its start."""
        return RandomSearch(context)


class RandomSearch:
    """Samples without end; see `evonas.search.search.Search`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._n_proposed = 0

    def ask(self, n: int) -> list[Proposal]:
        """The next `n` samples."""
        proposals = [self._context.sampled(self._n_proposed + index) for index in range(n)]
        self.recall(proposals)
        return proposals

    def recall(self, proposals: Iterable[Proposal]) -> None:
        """Count on from these proposals."""
        self._n_proposed += len(list(proposals))

    def tell(self, evaluations: Iterable[Evaluation]) -> None:
        """Results change nothing."""

    def keeps(self) -> set[int]:
        """Nobody: no sample inherits."""
        return set()
