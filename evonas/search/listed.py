"""A given list of candidates, evaluated to its end: final training, an ablation, the noise of an evaluation."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from evonas.record import COMPLETE, SOURCE, Evaluation, Proposal
from evonas.search.search import Context, SearchConfig
from genomes.published import reference, references
from genomes.reading import read_genome


class ListedConfig(SearchConfig):
    """A list of genomes; it is its own budget."""

    several: ClassVar[bool] = True

    name: Literal["listed"] = "listed"
    genomes: tuple[str, ...] = Field(
        min_length=1,
        description="What to evaluate: JSON texts of genomes, as the record of a campaign has them, or published cells "
        "by name: nasnet_a, amoebanet_a, darts_second_order; gru, lstm, tanh. A spec file may name .json files "
        "instead, relative to itself; the record holds their content.",
    )
    repeats: int = Field(
        1, ge=1, description="How often each is evaluated. Repeats differ in all that is drawn for an evaluation."
    )
    source: str | None = Field(
        None, description="Set by evonas: SHA-256 of the network whose weights every candidate begins with."
    )

    @field_validator("genomes", mode="before")
    @classmethod
    def _as_text(cls, genomes: Any) -> Any:
        return tuple(map(_text, genomes)) if isinstance(genomes, (list, tuple)) else genomes

    @property
    def n_candidates(self) -> int:
        """Evaluations in all."""
        return len(self.genomes) * self.repeats

    def build(self, context: Context) -> "Listed":
        """The search at its start.

        Raises:
            ValueError: If a genome is none of the context's encoding.
        """
        return Listed(self, context)


def _text(genome: Any) -> Any:
    """One genome as the JSON text that the record holds, the same whatever blanks it was written with."""
    if isinstance(genome, str) and genome in references():
        genome = reference(genome)
    try:
        data = json.loads(genome) if isinstance(genome, str) else genome
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, Mapping):
        got = str(genome)[:40]
        raise ValueError(f"expected the JSON text of a genome, got {got!r}; files can be named in a spec file only")
    return json.dumps(data)


class Listed:
    """Proposes number k as genome k mod n, so that every genome is evaluated once before any is twice.

    See `evonas.search.search.Search`.
    """

    def __init__(self, config: ListedConfig, context: Context) -> None:
        self._config, self._context = config, context
        self._genomes = [read_genome(context.encoding, text) for text in config.genomes]
        self._n_proposed = 0
        self._complete: set[int] = set()

    def ask(self, n: int) -> list[Proposal]:
        """The next of the list, none at its end."""
        end = min(self._n_proposed + n, self._config.n_candidates)
        proposals = [self._proposal(number) for number in range(self._n_proposed, end)]
        self.recall(proposals)
        return proposals

    def _proposal(self, number: int) -> Proposal:
        donors = (SOURCE,) if self._config.source is not None and self._context.inherit else ()
        genome = self._genomes[number % len(self._genomes)]
        return Proposal(number, genome, (), "listed", donors, self._context.budget(bool(donors)))

    def recall(self, proposals: Iterable[Proposal]) -> None:
        """Count on from these proposals."""
        self._n_proposed += len(list(proposals))

    def tell(self, evaluations: Iterable[Evaluation]) -> None:
        """Note who is complete."""
        self._complete |= {evaluation.id for evaluation in evaluations if evaluation.state == COMPLETE}

    def keeps(self) -> set[int]:
        """All that are complete: their weights are what the list was trained for."""
        return set(self._complete)
