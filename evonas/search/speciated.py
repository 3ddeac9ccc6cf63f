"""Evolution in species: NEAT of Stanley & Miikkulainen 2002 (https://doi.org/10.1162/106365602320169811) on DEAP.

Every generation replaces the one before. It is divided into species by the encoding's own distance; each gets offspring
in proportion to the mean fitness of its members (`evonas.search.species.shares`), from parents that DEAP selects among
the best of them. What the paper leaves open is taken from its authors' program, NEAT 1.1.

Departures:

- Offspring are apportioned by largest remainders, so that the population has the same size in every generation.
- A species that does not improve gets no offspring, as the paper says; the program divides its fitness by 100.
- The two parents of a child are two individuals; a species with one survivor has children of one.
- A candidate whose evaluation failed belongs to no species. A generation in which all failed is made anew from the one
  before; a population of which no species may reproduce is replaced by its best and new samples.
- A champion's copy is evaluated anew.
"""

import random
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import numpy as np
from deap import base, tools
from pydantic import Field, model_validator

from evonas.garbage import uncollected
from evonas.record import COMPLETE, Evaluation, Proposal
from evonas.search.search import Context, SearchConfig
from evonas.search.species import Member, Speciation, Species, apportioned, divided, ranked, shares
from evonas.stream import global_random, stream
from genomes.encoding import VARIES_MANY, Birth

MAX_POPULATION = 100_000
"""Individuals that a generation may have: all of it is asked for at once."""


class SpeciatedConfig(SearchConfig):
    """Evolution in species, as in NEAT."""

    name: Literal["speciated"] = "speciated"
    lag: int = Field(
        150,
        ge=1,
        le=MAX_POPULATION,
        description="As in every search; unless given, the population: a whole generation.",
    )
    population: int = Field(150, ge=1, le=MAX_POPULATION, description="Individuals of a generation.")
    threshold: float = Field(
        3.0, gt=0, description="Distance below which two are of one species; the first, with `target_species`."
    )
    target_species: int | None = Field(
        None, ge=1, description="Number of species that the threshold is moved towards, after each generation."
    )
    threshold_step: float = Field(0.3, gt=0, description="By how much it is then moved; it never falls below it.")
    representative: Literal["random", "champion"] = Field(
        "random", description="Of a species: the member of the generation before that the new ones are compared with."
    )
    parents: Literal["random", "tournament"] = Field("random", description="How survivors are selected as parents.")
    tournament: int = Field(3, ge=1, description="With tournament: survivors drawn, the best of which is a parent.")
    survival: float = Field(0.2, ge=0, le=1, description="Part of a species that may be parents; at least its best.")
    crossover: float = Field(0.75, ge=0, le=1, description="Probability that a child has two parents.")
    mutation: float = Field(
        0.8, ge=0, le=1, description="Probability that a child of two is mutated as well; a child of one always is."
    )
    interspecies: float = Field(
        0.001, ge=0, le=1, description="Probability that the second parent is the champion of another species."
    )
    champions: int = Field(5, ge=0, description="The champion of a species of more members is copied unchanged.")
    stagnation: int = Field(
        15, ge=1, description="Generations after which a species that does not improve gets no offspring."
    )
    species_elitism: int = Field(
        2, ge=0, description="So many species, those of the fittest champions, are spared that."
    )
    population_stagnation: int = Field(
        20, ge=1, description="Generations without a new best, after which only the two best species reproduce."
    )

    @model_validator(mode="before")
    @classmethod
    def _whole_generations(cls, data: Any) -> Any:
        population = data.get("population") if isinstance(data, dict) else None
        # What is wrong with a population is said of it, not of a lag that nobody gave.
        if type(population) is int and 1 <= population <= MAX_POPULATION and "lag" not in data:
            return {**data, "lag": population}
        return data

    def build(self, context: Context) -> "Speciated":
        """The search at its start."""
        return Speciated(self, context)


class Plan(NamedTuple):
    """How a child is going to be made.

    Attributes:
        parents: None: it is sampled; of two the fitter first.
        mutated: Whether it is mutated; a child of one that is not is a copy.
    """

    parents: tuple[Member, ...]
    mutated: bool


SAMPLE = Plan((), False)


class Speciated:
    """A generation is proposed, waited for, and divided into species; see `evonas.search.search.Search`.

    Attributes:
        species: How each generation so far was divided; one in which all failed is absent.
    """

    def __init__(self, config: SpeciatedConfig, context: Context) -> None:
        self._config, self._context = config, context
        self._varies_many = VARIES_MANY in context.encoding.abilities
        self._toolbox = base.Toolbox()
        if config.parents == "tournament":
            self._toolbox.register("select", tools.selTournament, tournsize=config.tournament, fit_attr="value")
        else:
            self._toolbox.register("select", tools.selRandom)
        self.species: list[Speciation] = []
        self._species: list[Species] = []
        self._n_species = 0
        self._threshold = config.threshold
        self._best, self._n_stale = -np.inf, 0
        self._generation = self._n_proposed = 0
        self._plan = [SAMPLE] * config.population
        self._bred: dict[int, tuple[Any, str]] | None = None
        self._pending: dict[int, Proposal] = {}
        self._children: list[Member] = []
        self._kept: set[int] = set()

    def ask(self, n: int) -> list[Proposal]:
        """The next proposals, at most to the end of the generation."""
        start = self._generation * self._config.population
        births = self._plan[self._n_proposed - start :][:n]
        with uncollected():
            proposals = [self._proposal(number, birth) for number, birth in enumerate(births, self._n_proposed)]
        self.recall(proposals)
        return proposals

    def _proposal(self, number: int, birth: Plan) -> Proposal:
        parents, mutated = birth
        context = self._context
        if not parents:
            return context.sampled(number, self._generation)
        genome = parents[0].genome
        if len(parents) == 1 and not mutated:
            return context.bred(number, genome, (parents[0].id,), "copy", self._generation)
        ids = tuple([one.id for one in parents])
        if self._varies_many:
            child, operator = self._children_at_once()[number]
            return context.bred(number, child, ids, operator, self._generation)
        rng = stream(context.seed, "ask", number)
        if len(parents) == 1:
            variation = context.encoding.mutate(genome, rng=rng)
            return context.bred(number, variation.genome, ids, variation.operator, self._generation)
        variation = context.encoding.crossover(genome, parents[1].genome, rng=rng)
        operator = variation.operator
        if mutated:
            variation = context.encoding.mutate(variation.genome, rng=rng)
            operator = f"{operator}+{variation.operator}"
        return context.bred(number, variation.genome, ids, operator, self._generation)

    def _children_at_once(self) -> dict[int, tuple[Any, str]]:
        """By number all children of the generation that are varied: made when the first is asked for, and kept."""
        if self._bred is None:
            encoding: Any = self._context.encoding
            start = self._generation * self._config.population
            varied = {at: one for at, one in enumerate(self._plan, start) if len(one.parents) > 1 or one.mutated}
            births = [Birth(tuple([one.genome for one in plan.parents]), plan.mutated) for plan in varied.values()]
            rng = stream(self._context.seed, "generation", self._generation, "births")
            self._bred = dict(zip(varied, encoding.vary(births, rng=rng), strict=True))
        return self._bred

    def recall(self, proposals: Iterable[Proposal]) -> None:
        """Wait for these proposals' results."""
        waiting = {one.id: one for one in proposals}
        self._pending.update(waiting)
        self._n_proposed += len(waiting)

    def tell(self, evaluations: Iterable[Evaluation]) -> None:
        """Let the successful join the generation; once all of it are told, divide it and plan the next."""
        for evaluation in evaluations:
            proposal = self._pending.pop(evaluation.id)
            if evaluation.state == COMPLETE:
                genome = evaluation.learned or proposal.genome
                size = evaluation.metrics.get("parameters", 0.0)
                self._children.append(Member(proposal.id, genome, self._context.fitness(evaluation), size))
                self._kept.add(proposal.id)
            if not self._pending and self._n_proposed == (self._generation + 1) * self._config.population:
                self._turn()

    @uncollected()
    def _turn(self) -> None:
        rng = stream(self._context.seed, "generation", self._generation)
        if self._children:
            self._divide(rng)
        if self._species:
            with global_random(rng):
                self._plan = self._planned(rng)
        survivors = (one.id for kind in self._species for one in kind.survivors(self._config.survival))
        self._kept = {*survivors, *(one.id for birth in self._plan for one in birth.parents)}
        self._children, self._bred = [], None
        self._generation += 1

    def _divide(self, rng: np.random.Generator) -> None:
        """Turn the children into the species of this generation."""
        representatives = [self._representative(kind, rng) for kind in self._species]
        genomes = [one.genome for one in self._children]
        groups: dict[int, list[Member]] = {}
        chosen = divided(self._context.encoding, representatives, genomes, self._threshold)
        for one, index in zip(self._children, chosen, strict=True):
            groups.setdefault(index, []).append(one)
        before = self._species
        self._species = []
        for index, members in sorted(groups.items()):
            if index < len(before):
                self._species.append(_aged(before[index], ranked(members)))
            else:
                self._species.append(_aged(Species(self._n_species, ()), ranked(members)))
                self._n_species += 1
        self.species.append(
            Speciation(
                self._generation,
                self._threshold,
                {kind.number: tuple(one.id for one in kind.members) for kind in self._species},
            )
        )
        best = max(kind.champion.value for kind in self._species)
        self._n_stale = 0 if best > self._best else self._n_stale + 1
        self._best = max(best, self._best)
        self._move_threshold()

    def _representative(self, kind: Species, rng: np.random.Generator) -> Any:
        if self._config.representative == "champion":
            return kind.champion.genome
        return kind.members[rng.integers(len(kind.members))].genome

    def _move_threshold(self) -> None:
        target, step = self._config.target_species, self._config.threshold_step
        if target is not None and len(self._species) != target:
            moved = self._threshold + (step if len(self._species) > target else -step)
            self._threshold = max(moved, step)

    def _planned(self, rng: np.random.Generator) -> list[Plan]:
        """The births of the next generation; Python's global `random` is seeded."""
        population = [one for kind in self._species for one in kind.members]
        fertile = self._fertile()
        if not fertile:
            best = max(self._species, key=lambda kind: kind.champion.value).champion
            self._species, self._n_stale = [], 0
            return [Plan((best,), False), *[SAMPLE] * (self._config.population - 1)]
        counts = apportioned(shares(fertile, population), self._config.population)
        return [birth for kind, n in zip(fertile, counts, strict=True) for birth in self._births(kind, n, rng)]

    def _fertile(self) -> list[Species]:
        """The species that may reproduce."""
        config = self._config
        by_rank = sorted(self._species, key=lambda kind: -kind.champion.value)
        if self._n_stale > config.population_stagnation:
            # Their counters begin anew, as in the program: both may be stagnant themselves.
            self._species, self._n_stale = [replace(kind, n_stale=0) for kind in by_rank[:2]], 0
            return self._species
        spared = {kind.number for kind in by_rank[: config.species_elitism]}
        return [kind for kind in self._species if kind.n_stale < config.stagnation or kind.number in spared]

    def _births(self, kind: Species, n: int, rng: np.random.Generator) -> list[Plan]:
        """The births of one species' `n` offspring."""
        config, select = self._config, self._toolbox.select
        births = []
        if n and len(kind.members) > config.champions:
            births = [Plan((kind.champion,), False)]
            n -= 1
        pool = kind.survivors(config.survival)
        abroad = len(self._species) > 1
        rates = (config.crossover, config.interspecies, config.mutation)
        drawn = [(row < rate).tolist() for row, rate in zip(rng.random((3, n)), rates, strict=True)]
        for a, b, crossed, far, mutated in zip(select(pool, n), select(pool, n), *drawn, strict=True):
            if not crossed:
                births.append(Plan((a,), True))
            elif far and abroad:
                births.append(_couple(a, self._foreign(kind), mutated))
            elif len(pool) > 1:
                if a is b:
                    (b,) = select([one for one in pool if one is not a], 1)
                births.append(_couple(a, b, mutated))
            else:
                births.append(Plan((a,), True))
        return births

    def _foreign(self, kind: Species) -> Member:
        """The champion of another species, each as likely."""
        while (other := random.choice(self._species)) is kind:
            pass
        return other.champion

    def keeps(self) -> set[int]:
        """The survivors of every species, whoever has a part in the plan, and the generation that is growing up."""
        return set(self._kept)


def _couple(a: Member, b: Member, mutated: bool) -> Plan:
    """The fitter parent first, of equals the smaller: so in the program, where the paper would take genes from both.

    Of equal genomes a child that is not mutated would be a copy.
    """
    if (b.value, -b.size) > (a.value, -a.size):
        a, b = b, a
    return Plan((a, b), mutated or a.genome == b.genome)


def _aged(kind: Species, members: tuple[Member, ...]) -> Species:
    """A species in its next generation."""
    if members[0].value > kind.best:
        return replace(kind, members=members, best=members[0].value, n_stale=0)
    return replace(kind, members=members, n_stale=kind.n_stale + 1)
