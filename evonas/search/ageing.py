"""Ageing evolution: Real, Aggarwal, Huang & Le 2019, Algorithm 1 (https://arxiv.org/abs/1802.01548).

Departures: a failed candidate never joins the population, and results lag by the campaign's lag, as they do with the
paper's parallel workers.
"""

from collections import deque
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from pydantic import Field

from evonas.record import COMPLETE, Evaluation, Proposal
from evonas.search.search import Context, SearchConfig
from evonas.stream import stream


class AgeingConfig(SearchConfig):
    """Ageing (regularised) evolution; the paper uses P = 100 and S = 25."""

    name: Literal["ageing"] = "ageing"
    population: int = Field(100, ge=1, description="P: individuals alive; so many are sampled first.")
    sample_size: int = Field(25, ge=1, description="S: individuals drawn with replacement; the best is mutated.")

    def build(self, context: Context) -> "AgeingEvolution":
        """The search at its start."""
        return AgeingEvolution(self, context)


class _Member(NamedTuple):
    id: int
    genome: Any
    fitness: float


class AgeingEvolution:
    """The best of a sample is mutated, the oldest dies; see `evonas.search.search.Search`."""

    def __init__(self, config: AgeingConfig, context: Context) -> None:
        self._config, self._context = config, context
        self._population: deque[_Member] = deque(maxlen=config.population)
        self._pending: dict[int, Proposal] = {}
        self._n_proposed = 0

    def ask(self, n: int) -> list[Proposal]:
        """The next `n` proposals: samples until P are proposed, then mutants."""
        proposals = [self._proposal(self._n_proposed + index) for index in range(n)]
        self.recall(proposals)
        return proposals

    def _proposal(self, number: int) -> Proposal:
        if number < self._config.population or not self._population:
            return self._context.sampled(number)
        rng = stream(self._context.seed, "ask", number)
        drawn = rng.integers(len(self._population), size=self._config.sample_size)
        parent = max((self._population[index] for index in drawn), key=lambda member: member.fitness)
        variation = self._context.encoding.mutate(parent.genome, rng=rng)
        generation = 1 + (number - self._config.population) // self._config.population
        return self._context.bred(number, variation.genome, (parent.id,), variation.operator, generation)

    def recall(self, proposals: Iterable[Proposal]) -> None:
        """Wait for these proposals' results."""
        for proposal in proposals:
            self._pending[proposal.id] = proposal
            self._n_proposed += 1

    def tell(self, evaluations: Iterable[Evaluation]) -> None:
        """Let the successful join at the young end; beyond P, the oldest dies."""
        for evaluation in evaluations:
            proposal = self._pending.pop(evaluation.id)
            if evaluation.state == COMPLETE:
                self._population.append(
                    _Member(proposal.id, evaluation.learned or proposal.genome, self._context.fitness(evaluation))
                )

    def keeps(self) -> set[int]:
        """The living."""
        return {member.id for member in self._population}
