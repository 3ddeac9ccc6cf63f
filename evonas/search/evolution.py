"""Generational evolution on DEAP (https://deap.readthedocs.io): tournament, crossover, mutation, μ+λ or μ,λ survival.

With several objectives, tournament and survival are those of NSGA-II: `evonas.search.nsga2`.

DEAP's operators draw from the global `random`; they run inside `evonas.stream.global_random`, which seeds and restores
it.
"""

import random
import reprlib
from collections.abc import Iterable
from typing import Any, ClassVar, Literal

import numpy as np
from deap import base, tools
from pydantic import Field

from evonas.record import COMPLETE, Evaluation, Proposal
from evonas.search.nsga2 import crowded_tournament, fitness_class, survivors
from evonas.search.search import Context, SearchConfig
from evonas.stream import global_random, stream
from genomes.encoding import Encoding
from genomes.words import meant


class EvolutionConfig(SearchConfig):
    """Generational evolution; with several objectives, NSGA-II."""

    several: ClassVar[bool] = True

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


class Member:
    """An individual as DEAP's operators expect it.

    Attributes:
        genome: What an operator reads and replaces.
        fitness: DEAP's fitness; valid once evaluated.
        id: Its number, None while it is being made.
        operators: What was done to make it, in order.
    """

    def __init__(self, genome: Any, id: int | None = None, *, n_objectives: int = 1) -> None:
        self.genome = genome
        self.fitness = fitness_class(n_objectives)()
        self.id = id
        self.operators: list[str] = []


OPERATORS = {
    "select": "select(members, k) -> list of k of them",
    "mate": "mate(a, b) -> (a, b), whose genome it replaces",
    "mutate": "mutate(member) -> (member,), whose genome it replaces",
    "survive": "survive(members, k) -> list of k of them",
}
"""What a toolbox may register, and how DEAP calls it."""
DEAPS_OWN = frozenset(vars(base.Toolbox()))
"""What every toolbox has: `clone` and `map`."""


class OperatorError(ValueError):
    """A user's DEAP operator that does not do what its name asks for; the message is one line."""


def operators_of(toolbox: base.Toolbox | None) -> dict[str, str]:
    """The qualified names of the operators that a user's toolbox registers, with their plain arguments.

    Raises:
        ValueError: If it is no toolbox, or registers something else, which nobody would call.
    """
    if not isinstance(toolbox, base.Toolbox | None):
        raise ValueError(f"expected a deap.base.Toolbox, got {type(toolbox).__name__}; register operators in one")
    known = ", ".join(OPERATORS)
    for name in vars(toolbox) if toolbox is not None else ():
        if name not in OPERATORS and name not in DEAPS_OWN:
            mend = meant(name, OPERATORS, "unregister it: evonas samples and evaluates itself")
            raise ValueError(f"expected operators among {known}, got {name!r}; {mend}")
    found = {}
    for name in OPERATORS:
        operator = getattr(toolbox, name, None)
        if operator is not None:
            function = getattr(operator, "func", operator)
            found[name] = f"{function.__module__}.{getattr(function, '__qualname__', type(function).__qualname__)}"
            found[name] += _arguments(operator)
    return found


def _arguments(operator: Any) -> str:
    """The plain values that an operator was registered with, as they are written in a call."""
    values = [(f"{word}=", value) for word, value in sorted(getattr(operator, "keywords", {}).items())]
    values = [("", value) for value in getattr(operator, "args", ())] + values
    plain = [f"{word}{value!r}" for word, value in values if isinstance(value, (bool, int, float, str))]
    return f"({', '.join(plain)})" if plain else ""


def toolbox_for(
    config: EvolutionConfig, encoding: Encoding[Any], given: base.Toolbox | None = None, *, n_objectives: int = 1
) -> base.Toolbox:
    """The operators of evolution, with DEAP's own signatures.

    Args:
        config: Sizes and rates.
        encoding: Varies genomes.
        given: A user's toolbox: what it registers of `select(members, k)`, `mate(a, b)`, `mutate(member)` and
            `survive(members, k)` is used instead of ours. All draw from the global `random`.
        n_objectives: Values of a member's fitness.
    """
    toolbox = base.Toolbox()
    select = tools.selTournament if n_objectives == 1 else crowded_tournament
    toolbox.register("select", select, tournsize=config.tournament)
    toolbox.register("mate", mate, encoding=encoding)
    toolbox.register("mutate", mutate, encoding=encoding)
    toolbox.register("survive", tools.selBest if n_objectives == 1 else survivors)
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


def _shown(value: Any) -> str:
    return f"a {type(value).__name__} of {len(value)}" if isinstance(value, (list, tuple)) else reprlib.repr(value)


class Evolution:
    """A generation is proposed, waited for, and culled; see `evonas.search.search.Search`."""

    def __init__(self, config: EvolutionConfig, context: Context, toolbox: base.Toolbox | None = None) -> None:
        self._config, self._context = config, context
        self._n_objectives = len(context.objectives)
        self._toolbox = toolbox_for(config, context.encoding, toolbox, n_objectives=self._n_objectives)
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
            parents = self._parents()
            child, *others = (Member(parent.genome) for parent in parents)
            if others:
                child, _ = self._varied("mate", child, *others)
            if not others or random.random() < self._config.mutation:
                (child,) = self._varied("mutate", child)
        operator = "+".join(child.operators) or "varied"
        ids = [parent.id for parent in parents if parent.id is not None]
        return self._context.bred(number, child.genome, ids, operator, self._generation)

    def _parents(self) -> list[Member]:
        """One or two different ones, the fitter first, which of several objectives the first decides."""
        crossed = len(self._population) > 1 and random.random() < self._config.crossover
        parents = self._chosen("select", self._population, 1)
        if crossed:
            others = [member for member in self._population if member is not parents[0]]
            parents += self._chosen("select", others, 1)
        return sorted(parents, key=lambda member: member.fitness, reverse=True)

    def _varied(self, name: str, *members: Member) -> tuple[Member, ...]:
        """What an operator of variation made, checked: it may be a user's."""
        kind = type(members[0].genome)
        made = self._called(name, *members)
        if not isinstance(made, tuple) or len(made) != len(members):
            raise OperatorError(f"toolbox.{name}: expected {OPERATORS[name]}, got {_shown(made)}")
        if wrong := [one for one in made if not isinstance(one, Member) or not isinstance(one.genome, kind)]:
            got = getattr(wrong[0], "genome", wrong[0])
            raise OperatorError(
                f"toolbox.{name}: expected members whose genome is a {kind.__name__}, got {type(got).__name__}; give "
                "them what encoding.mutate or encoding.crossover made"
            )
        return made

    def _chosen(self, name: str, members: list[Member], k: int) -> list[Member]:
        """Whom an operator of selection chose, checked: it may be a user's."""
        found = self._called(name, members, k)
        chosen = list(found) if isinstance(found, (list, tuple)) else []
        if not chosen or len(chosen) > k or not all(isinstance(one, Member) for one in chosen):
            raise OperatorError(f"toolbox.{name}: expected {OPERATORS[name]}, got {_shown(found)}")
        return chosen

    def _called(self, name: str, *arguments: Any) -> Any:
        try:
            return getattr(self._toolbox, name)(*arguments)
        except Exception as error:  # A user's operator may raise anything.
            if name not in self._config.operators:
                raise
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise OperatorError(
                f"toolbox.{name}: expected {OPERATORS[name]}, got {reason}; DEAP's operators on sequences do not fit "
                "genomes"
            ) from error

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
                child = Member(evaluation.learned or proposal.genome, proposal.id, n_objectives=self._n_objectives)
                child.fitness.values = self._context.values(evaluation)
                self._children.append(child)
            if self._n_proposed == self._generation_ends and not self._pending:
                self._cull()

    def _cull(self) -> None:
        with global_random(stream(self._context.seed, "generation", self._generation)):
            parents = self._population
            if self._config.survival == "comma":
                best = tools.selBest if self._n_objectives == 1 else survivors
                parents = best(parents, self._config.elitism)
            if candidates := [*parents, *self._children]:
                self._population = self._chosen("survive", candidates, self._config.population)
        self._children = []
        self._generation += 1
        self._generation_ends += self._config.offspring or self._config.population

    def keeps(self) -> set[int]:
        """The population and the generation that is growing up."""
        return {member.id for member in (*self._population, *self._children) if member.id is not None}
