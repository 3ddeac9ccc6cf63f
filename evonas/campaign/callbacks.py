"""A user's functions that are called while a campaign runs, and cannot damage it."""

import warnings
from collections.abc import Callable
from typing import Any

from evonas.campaign.individuals import Individuals
from evonas.campaign.store import Store
from evonas.record import Individual

OnTold = Callable[[Individual], None]
"""Called with every individual once its result is recorded."""
OnGeneration = Callable[[int, Individuals], None]
"""Called with a generation's number and its individuals, once the results of all are recorded."""


class Callbacks:
    """Calls them after a result is recorded.

    What they are given is read from the record, so that they may change it. An exception in one is a warning, once for
    each of the two; KeyboardInterrupt and SystemExit end the run, of which nothing acknowledged is lost.

    Args:
        store: The campaign's.
        on_told: See `OnTold`.
        on_generation: See `OnGeneration`.
    """

    def __init__(self, store: Store, on_told: OnTold | None = None, on_generation: OnGeneration | None = None) -> None:
        self._store, self._on_told, self._on_generation = store, on_told, on_generation
        self._warned: set[str] = set()

    def __call__(self, id: int, generation: int, complete: bool) -> None:
        """Call what is to be called after the result of an individual.

        Args:
            id: Its number.
            generation: Its generation.
            complete: True if it was the last of it.
        """
        if self._on_told is not None:
            self._call("on_told", self._on_told, self._store.individual(id))
        if self._on_generation is not None and complete:
            born = Individuals(one for one in self._store.individuals() if one.generation == generation)
            self._call("on_generation", self._on_generation, generation, born)

    def _call(self, name: str, callback: Callable[..., None], *arguments: Any) -> None:
        try:
            callback(*arguments)
        except Exception as error:  # A user's code, beyond our reach: the campaign is worth more than it.
            if name not in self._warned:
                self._warned.add(name)
                reason = f"{type(error).__name__}: {error}".removesuffix(": ")
                text = f"{name}: {reason}; the campaign goes on, further exceptions in {name} are not reported"
                warnings.warn(text, RuntimeWarning, stacklevel=2)
