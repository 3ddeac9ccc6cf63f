"""What a search is: it asks for evaluations and is told their results, and its state is the fold over that log."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, Field

from evonas.record import Budget, Evaluation, Proposal
from evonas.stream import stream
from genomes.encoding import Encoding, Genome, uniform


class SearchConfig(BaseModel):
    """What the `[search]` table of every search has.

    Attributes:
        several: True if the search can pursue several objectives, not only a single fitness.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    several: ClassVar[bool] = False

    lag: int = Field(
        4,
        ge=1,
        description="Proposal k knows the results of 0 … k - lag and no other, whoever evaluates them: "
        "results do not depend on the number of workers, and `lag` of them are kept busy.",
    )


@dataclass(frozen=True)
class Context:
    """What a campaign gives its search.

    Attributes:
        encoding: Samples and varies genomes.
        seed: The campaign's seed.
        values: The values of an evaluation's metrics, one an objective, higher is better.
        budget: What one evaluation may spend, given whether it has donors.
        inherit: Whether children get their parents as donors.
        objectives: Names of the values.
    """

    encoding: Encoding[Any]
    seed: int
    values: Callable[[Evaluation], tuple[float, ...]]
    budget: Callable[[bool], Budget]
    inherit: bool = True
    objectives: tuple[str, ...] = ("fitness",)

    def fitness(self, evaluation: Evaluation) -> float:
        """The single value of an evaluation's metrics, higher is better.

        Raises:
            ValueError: If there are several objectives: only for a search whose configuration is not `several`.
        """
        (value,) = self.values(evaluation)
        return value

    def sampled(self, number: int, generation: int = 0) -> Proposal:
        """A proposal drawn at random, from the stream (seed, "ask", number)."""
        rng = stream(self.seed, "ask", number)
        genome: Genome = self.encoding.sample(uniform(rng), rng=rng)
        return Proposal(number, genome, (), "sample", (), self.budget(False), generation)

    def bred(self, number: int, genome: Genome, parents: Sequence[int], operator: str, generation: int = 0) -> Proposal:
        """A proposal made from parents, the fitter first; they are its donors where weights are inherited."""
        donors = tuple(dict.fromkeys(parents)) if self.inherit else ()
        return Proposal(number, genome, tuple(parents), operator, donors, self.budget(bool(donors)), generation)


class Search(Protocol):
    """Proposes what to evaluate next.

    The log of proposals and evaluations determines it: a search that is given `recall` and `tell` in the order of the
    log goes on as if it had never stopped. What is drawn for proposal k comes from the stream (seed, "ask", k), what is
    drawn once a generation from (seed, "generation", g), for children made together from that and "births".
    """

    def ask(self, n: int) -> list[Proposal]:
        """Up to `n` proposals, numbered on; fewer where results are needed first."""

    def recall(self, proposals: Iterable[Proposal]) -> None:
        """Take proposals read from the log as if they had just been asked for."""

    def tell(self, evaluations: Iterable[Evaluation]) -> None:
        """Learn results, in the order of the proposals; their `weights` may be missing."""

    def keeps(self) -> set[int]:
        """The individuals whose weights a later proposal may use."""
