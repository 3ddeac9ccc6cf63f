"""Genomes that are numbers, and a search in species over them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evonas.record import COMPLETE, FAILED, Budget, Evaluation, Proposal
from evonas.search import Context, Speciated, SpeciatedConfig
from evonas.search.species import Member, Species, ranked
from genomes.encoding import Decide, Variation


@dataclass(frozen=True)
class Point:
    """A genome that is a number."""

    x: float

    @property
    def digest(self) -> str:
        return f"{self.x!r}"


@dataclass(frozen=True)
class Line:
    """Genomes on a line; what crossover makes lies nearer to the fitter parent."""

    abilities: frozenset[str] = frozenset()
    spread: float = 10.0
    step: float = 0.05

    def sample(self, decide: Decide, *, rng: np.random.Generator) -> Point:
        return Point(float(rng.uniform(-self.spread, self.spread)))

    def mutate(self, genome: Point, *, rng: np.random.Generator) -> Variation[Point]:
        return Variation(Point(genome.x + float(rng.normal(0, self.step))), "shift", ())

    def crossover(self, a: Point, b: Point, *, rng: np.random.Generator) -> Variation[Point]:
        return Variation(Point(0.9 * a.x + 0.1 * b.x), "crossover", ())

    def distance(self, a: Point, b: Point) -> float:
        return abs(a.x - b.x)

    def distances(self, a: Sequence[Point], b: Sequence[Point]) -> np.ndarray:
        return np.abs(np.array([one.x for one in a])[:, None] - np.array([one.x for one in b]))


Fitness = Callable[[Proposal], float | None]


def x_of(proposal: Proposal) -> float:
    genome: Any = proposal.genome
    return float(genome.x)


def built(encoding: Any = Line(), seed: int = 0, **fields: Any) -> Speciated:
    context = Context(encoding, seed, lambda evaluation: (evaluation.metrics["fitness"],), lambda inherits: Budget(0))
    return SpeciatedConfig(**fields).build(context)


def told(search: Speciated, proposals: Sequence[Proposal], fitness: Fitness = x_of) -> None:
    """Tell what was asked; None: it failed. The size of a genome is its distance from 0."""
    for one in proposals:
        value = fitness(one)
        known = {"fitness": value, "parameters": abs(x_of(one))} if value is not None else {}
        search.tell([Evaluation(one.id, FAILED if value is None else COMPLETE, known)])


def generation(search: Speciated, fitness: Fitness = x_of) -> list[Proposal]:
    """Ask for a whole generation and tell it."""
    asked = search.ask(100_000)
    told(search, asked, fitness)
    return asked


def species(number: int, *values: float, n_stale: int = 0) -> Species:
    return Species(number, ranked(Member(at, Point(value), value) for at, value in enumerate(values)), n_stale=n_stale)
