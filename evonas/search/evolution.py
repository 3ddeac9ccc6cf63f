"""Generational evolution on DEAP (https://deap.readthedocs.io): tournament, crossover, mutation, μ+λ or μ,λ survival.

DEAP's operators draw from the global `random`; they run inside `evonas.stream.global_random`, which seeds and restores
it.
"""

import random
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from deap import base, tools
from pydantic import Field

from evonas.record import COMPLETE, Evaluation, Proposal
from evonas.search.search import Context, SearchConfig
from evonas.stream import global_random, stream
from genomes.encoding import Encoding


class EvolutionConfig(SearchConfig):
    """Generational evolution."""

    name: Literal["evolution"] = "evolution"
    population: int = Field(16, ge=1, description="μ: survivors of a generation; so many are sampled first.")
    offspring: int | None = Field(None, ge=1, description="λ: children a generation; None: as many as `population`.")
    tournament: int = Field(3, ge=1, description="Individuals drawn with replacement, the best of which is a parent.")
    crossover: float = Field(0.3, ge=0, le=1, description="Probability that a child has two parents.")
    mutation: float = Field(
        0.9, ge=0, le=1, description="Probability that a child of two is mutated as well; a child of one always is."
    )
    survival: Literal["plus", "comma"] = Field(
        "plus", description="plus: the best of parents and children survive. comma: of children and `elitism` parents."
    )
    operators: dict[str, str] = Field({}, description="Set by evonas: the names of a user's own DEAP operators.")
    elitism: int = Field(1, ge=0, description="With comma: the number of best parents that compete with the children.")

    def build(self, context: Context, toolbox: base.Toolbox | None = None) -> "Evolution":
        """The search at its start; a toolbox brings operators of its own, see `toolbox_for`.

        Raises:
            ValueError: If the toolbox is not the one that `operators` names.
        """
        if self.operators != (found := operators_of(toolbox)):
            raise ValueError(
                f"expected a toolbox with {self.operators or 'no operators of its own'}, got {found or 'none'}; "
                "run it from Python with that toolbox"
            )
        return Evolution(self, context, toolbox)


class Fitness(base.Fitness):
    """One value to maximise; a campaign's objective is turned into it."""

    weights = (1.0,)


class Member:
    """An individual as DEAP's operators expect it.

    Attributes:
        genome: What an operator reads and replaces.
        fitness: DEAP's fitness; valid once evaluated.
        id: Its number, None while it is being made.
        operators: What was done to make it, in order.
    """

    def __init__(self, genome: Any, id: int | None = None) -> None:
        self.genome = genome
        self.fitness = Fitness()
        self.id = id
        self.operators: list[str] = []


OPERATORS = ("select", "mate", "mutate", "survive")


def operators_of(toolbox: base.Toolbox | None) -> dict[str, str]:
    """The qualified names of the operators that a user's toolbox registers."""
    found = {}
    for name in OPERATORS:
        operator = getattr(toolbox, name, None)
        if operator is not None:
            function = getattr(operator, "func", operator)
            found[name] = f"{function.__module__}.{getattr(function, '__qualname__', type(function).__qualname__)}"
    return found


def toolbox_for(config: EvolutionConfig, encoding: Encoding[Any], given: base.Toolbox | None = None) -> base.Toolbox:
    """The operators of evolution, with DEAP's own signatures.

    Args:
        config: Sizes and rates.
        encoding: Varies genomes.
        given: A user's toolbox: what it registers of `select(members, k)`, `mate(a, b)`, `mutate(member)` and
            `survive(members, k)` is used instead of ours. All draw from the global `random`.
    """
    toolbox = base.Toolbox()
    toolbox.register("select", tools.selTournament, tournsize=config.tournament)
    toolbox.register("mate", mate, encoding=encoding)
    toolbox.register("mutate", mutate, encoding=encoding)
    toolbox.register("survive", tools.selBest)
    for name in operators_of(given):
        setattr(toolbox, name, getattr(given, name))
    return toolbox


def mate(a: Member, b: Member, *, encoding: Encoding[Any]) -> tuple[Member, Member]:
    """Replace the genome of `a`, the fitter, by its crossover with `b`, which stays."""
    variation = encoding.crossover(a.genome, b.genome, rng=_drawn())
    a.genome = variation.genome
    a.operators.append(variation.operator)
    return a, b


def mutate(member: Member, *, encoding: Encoding[Any]) -> tuple[Member]:
    """Replace a member's genome by a mutant of it."""
    variation = encoding.mutate(member.genome, rng=_drawn())
    member.genome = variation.genome
    member.operators.append(variation.operator)
    return (member,)


def _drawn() -> np.random.Generator:
    return np.random.default_rng(random.getrandbits(64))


class Evolution:
    """A generation is proposed, waited for, and culled; see `evonas.search.search.Search`."""

    def __init__(self, config: EvolutionConfig, context: Context, toolbox: base.Toolbox | None = None) -> None:
        self._config, self._context = config, context
        self._toolbox = toolbox_for(config, context.encoding, toolbox)
        self._population: list[Member] = []
        self._children: list[Member] = []
        self._pending: dict[int, Proposal] = {}
        self._generation = self._n_proposed = 0
        self._generation_ends = config.population

    def ask(self, n: int) -> list[Proposal]:
        """The next proposals, at most to the end of the generation."""
        end = min(self._n_proposed + n, self._generation_ends)
        proposals = [self._proposal(number) for number in range(self._n_proposed, end)]
        self.recall(proposals)
        return proposals

    def _proposal(self, number: int) -> Proposal:
        if not self._population:
            return self._context.sampled(number, self._generation)
        rng = stream(self._context.seed, "ask", number)
        with global_random(rng):
            n_parents = 2 if len(self._population) > 1 and random.random() < self._config.crossover else 1
            parents = self._toolbox.select(self._population, n_parents)
            parents.sort(key=lambda member: member.fitness, reverse=True)
            child, *others = (Member(parent.genome) for parent in parents)
            if others:
                child, _ = self._toolbox.mate(child, *others)
            if not others or random.random() < self._config.mutation:
                (child,) = self._toolbox.mutate(child)
        operator = "+".join(child.operators) or "varied"
        return self._context.bred(number, child.genome, [parent.id for parent in parents], operator, self._generation)

    def recall(self, proposals: Iterable[Proposal]) -> None:
        """Wait for these proposals' results."""
        for proposal in proposals:
            self._pending[proposal.id] = proposal
            self._n_proposed += 1

    def tell(self, evaluations: Iterable[Evaluation]) -> None:
        """Let the successful join the children; once all of the generation are told, cull.

        Where nobody is left to survive, the population stays as it was.
        """
        for evaluation in evaluations:
            proposal = self._pending.pop(evaluation.id)
            if evaluation.state == COMPLETE:
                child = Member(proposal.genome, proposal.id)
                child.fitness.values = (self._context.fitness(evaluation),)
                self._children.append(child)
            if self._n_proposed == self._generation_ends and not self._pending:
                self._cull()

    def _cull(self) -> None:
        with global_random(stream(self._context.seed, "generation", self._generation)):
            parents = self._population
            if self._config.survival == "comma":
                parents = tools.selBest(parents, self._config.elitism)
            if candidates := [*parents, *self._children]:
                self._population = self._toolbox.survive(candidates, self._config.population)
        self._children = []
        self._generation += 1
        self._generation_ends += self._config.offspring or self._config.population

    def keeps(self) -> set[int]:
        """The population and the generation that is growing up."""
        return {member.id for member in (*self._population, *self._children) if member.id is not None}
