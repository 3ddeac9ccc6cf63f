"""An encoding of three decisions, two of which are the arms to find, and one a pointer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from evonas.record import COMPLETE, FAILED, Budget, Evaluation, Proposal
from evonas.search import Context, Controller, ControllerConfig
from genomes.encoding import POINTER, Decide

PLANTED = (2, 1, 3)
"""The choices that are rewarded, a third each."""


@dataclass(frozen=True)
class Arms:
    """Which arm each decision pulled."""

    chosen: tuple[int, ...]

    @property
    def digest(self) -> str:
        return "".join(map(str, self.chosen))


class Bandit:
    """Three decisions of 4, 3 and 5 options; the second is a pointer."""

    decisions: Mapping[str, int] = {"colour": 4, "earlier": POINTER, "size": 5}

    def sample(self, decide: Decide, *, rng: np.random.Generator) -> Arms:
        return Arms((decide(("colour", 0), 4), decide(("earlier", 0), 3), decide(("size", "last"), 5)))

    def distance(self, a: Arms, b: Arms) -> float:
        return float(sum(x != y for x, y in zip(a.chosen, b.chosen, strict=True)))


def context(encoding: Any = None, *, seed: int = 0, inherit: bool = True) -> Context:
    """Fitness is the metric `accuracy`; a donor leaves one epoch to train, none two."""
    return Context(
        encoding or Bandit(), seed, lambda one: (one.metrics["accuracy"],), lambda has: Budget(1 if has else 2), inherit
    )


def built(seed: int = 0, inherit: bool = True, **fields: Any) -> Controller:
    """A controller of the bandit."""
    return ControllerConfig(**fields).build(context(seed=seed, inherit=inherit))


def planted(proposal: Proposal) -> float:
    """The part of its decisions that are rewarded."""
    return sum(x == y for x, y in zip(proposal.genome.chosen, PLANTED, strict=True)) / len(PLANTED)


def told(search: Controller, proposal: Proposal, fitness: float | None) -> None:
    """Tell a result; None: it failed."""
    if fitness is None:
        search.tell([Evaluation(proposal.id, FAILED, error="it was told to fail")])
    else:
        search.tell([Evaluation(proposal.id, COMPLETE, {"accuracy": fitness})])


def learned(search: Controller, n: int) -> list[float]:
    """The rewards of `n` proposals, each told before the next is asked for."""
    rewards = []
    for _ in range(n):
        (one,) = search.ask(1)
        rewards.append(planted(one))
        told(search, one, rewards[-1])
    return rewards
