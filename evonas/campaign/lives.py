"""A search at the end of a log, and how long it kept each individual as a possible parent."""

from collections.abc import Iterable

from evonas.record import Evaluation, Proposal
from evonas.search import Search


def lifespans(search: Search, events: Iterable[Proposal | Evaluation]) -> dict[int, int | None]:
    """Fold a log into a search and note whom it ceases to keep.

    Args:
        search: At its start.
        events: The log from its start.

    Returns:
        By the number of every individual told: the number of the youngest individual when the search ceased to keep it,
        its own where it was never kept; None where it is kept at the log's end.
    """
    ends: dict[int, int | None] = {}
    kept: set[int] = set()
    youngest = 0
    for event in events:
        if isinstance(event, Proposal):
            search.recall([event])
            youngest = max(youngest, event.id)
            continue
        search.tell([event])
        ends[event.id] = event.id
        now = search.keeps()
        ends |= dict.fromkeys(now - kept) | dict.fromkeys(kept - now, youngest)
        kept = now
    return ends
