"""A genome's decisions as a policy takes them, one by one, and the trace that is left of them."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from genomes.encoding import Site


class Trace(NamedTuple):
    """The decisions that made one genome.

    Attributes:
        sites: Where each was taken: its kind, then its position.
        options: How many options each had.
        choices: The index each chose.
        log_probabilities: The natural logarithm of each choice's probability when it was drawn.
    """

    sites: tuple[Site, ...]
    options: tuple[int, ...]
    choices: tuple[int, ...]
    log_probabilities: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """The trace in JSON values, one list for each attribute."""
        return {**{name: list(column) for name, column in self._asdict().items()}, "sites": list(map(list, self.sites))}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Trace":
        """The trace that `to_json` wrote."""
        sites = tuple(tuple(site) for site in data["sites"])
        return cls(sites, tuple(data["options"]), tuple(data["choices"]), tuple(data["log_probabilities"]))


class Steps(Protocol):
    """A policy on its way through one genome."""

    def logits(self, site: Site, n_options: int) -> np.ndarray:
        """The logits `(n_options,)` of the decision that is next, in float32."""

    def chose(self, site: Site, choice: int) -> None:
        """Go on behind that decision."""


class Walk:
    """One genome's decisions as `Encoding.sample` asks for them, noted down.

    Args:
        steps: Gives the logits.
        choose: Picks an index, given probabilities `(n_options,)` in float64.
    """

    def __init__(self, steps: Steps, choose: Callable[[np.ndarray], int]) -> None:
        self._steps, self._choose = steps, choose
        self._rows: list[tuple[Site, int, int, float]] = []
        self.entropies: list[float] = []
        """The entropy of each decision so far, in nats."""

    def __call__(self, site: Site, n_options: int) -> int:
        """Decide: an index below `n_options`."""
        logits = self._steps.logits(site, n_options).astype(np.float64)
        logits -= logits.max()
        log_probabilities = logits - np.log(np.exp(logits).sum())
        probabilities = np.exp(log_probabilities)
        choice = self._choose(probabilities)
        self._steps.chose(site, choice)
        self._rows.append((site, n_options, choice, float(log_probabilities[choice])))
        self.entropies.append(float(-(probabilities * log_probabilities).sum()))
        return choice

    @property
    def trace(self) -> Trace:
        """The decisions so far."""
        return Trace(*zip(*self._rows, strict=True)) if self._rows else Trace((), (), (), ())


def drawn(rng: np.random.Generator) -> Callable[[np.ndarray], int]:
    """Choices drawn with their probabilities, one number of `rng` each."""

    def choose(probabilities: np.ndarray) -> int:
        cumulative = np.cumsum(probabilities)
        return int(np.searchsorted(cumulative / cumulative[-1], rng.random(), side="right"))

    return choose


def likeliest(probabilities: np.ndarray) -> int:
    """The choice of the highest probability, the first among equals."""
    return int(probabilities.argmax())
