"""What a campaign records: a proposal, its evaluation, both together as an individual, and whom that descends from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from genomes.encoding import Genome

State = Literal["pending", "complete", "failed", "pruned"]
PENDING: Final = "pending"
COMPLETE: Final = "complete"
FAILED: Final = "failed"
SOURCE: Final = -1
"""The donor that is no individual of the campaign: a network of another one, a copy of which lies beside the record."""


@dataclass(frozen=True)
class Budget:
    """What one evaluation may spend.

    Attributes:
        epochs: Passes over the training data.
    """

    epochs: int


@dataclass(frozen=True)
class Proposal:
    """A genome that a search wants evaluated.

    Attributes:
        id: The individual's number, counted from 0 in the order of proposal.
        genome: What to evaluate.
        parents: Individuals it was made from, the fitter first; empty for a sampled one.
        operator: How it was made: `sample`, a mutation's name, `crossover`, or several joined by `+`.
        donors: Individuals it may inherit weights from, in order of precedence; `SOURCE` for a network from elsewhere.
        budget: What its evaluation may spend.
        generation: The generation it was born in, counted from 0.
        memory: What a policy must remember until it is told the result; JSON values.
    """

    id: int
    genome: Genome
    parents: tuple[int, ...]
    operator: str
    donors: tuple[int, ...]
    budget: Budget
    generation: int = 0
    memory: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Evaluation:
    """What came of a proposal.

    Attributes:
        id: The individual's number.
        state: `complete`, or `failed` with the reason in `error`, or `pruned`.
        metrics: By name, all finite: those of the kind of task on the validation data, such as `accuracy` and `loss`;
            the first of them before any training step, such as `accuracy_at_birth`; `parameters`, `macs`,
            `peak_memory` (bytes, see `genomes.memory`), and `latency_1` and `latency_64` (seconds of a forward pass of
            so many examples) where a campaign's objectives name them.
        seconds: Time it took, wall clock.
        epochs: Passes over the training data it was given; 0 if it failed before its first training step.
        curve: One mapping an epoch: `epoch`, `loss` (training), `validation_loss`, `validation_accuracy` and
            so on for every metric of the kind of task.
        fraction_inherited: Part of the trainable values that a donor left, 0 to 1.
        origins: For every tensor by name, the individual that left most of it; its own number where nobody did.
        weights: The trained tensors as safetensors bytes; None where there are none.
        error: Why it failed, one line.
        training_seconds: The part of `seconds` spent in the training loop and in scoring at birth, its epoch 0.
        learned: The genome with the values that training gave it, where the encoding can write them back; a search
            breeds from it.
    """

    id: int
    state: State
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    epochs: int = 0
    curve: tuple[Mapping[str, float], ...] = ()
    fraction_inherited: float = 0.0
    origins: Mapping[str, int] = field(default_factory=dict)
    weights: bytes | None = None
    error: str = ""
    training_seconds: float = 0.0
    learned: Genome | None = None


@dataclass(frozen=True, repr=False)
class Individual:
    """A proposal and, once it is told, its evaluation, as read from a campaign's store.

    Attributes:
        id: Its number.
        state: `pending` until it is told.
        parents: See `Proposal`.
        operator: See `Proposal`.
        donors: See `Proposal`.
        generation: See `Proposal`.
        genome: The genome as JSON text.
        genome_digest: Digest of the genome.
        digest: Digest of the architecture it develops into; isomorphic architectures share it.
        fitness: Its value for the search, higher is better; None unless complete.
        metrics: See `Evaluation`.
        fraction_inherited: See `Evaluation`.
        seconds: See `Evaluation`.
        epochs: See `Evaluation`.
        curve: See `Evaluation`.
        origins: See `Evaluation`.
        weights_sha256: Hash of its weights file as it was written; None where there was none.
        error: See `Evaluation`.
        elapsed: Seconds of the campaign's clock when it was told.
        learned: The genome with the values that training gave it, as JSON text; None where it has none.
    """

    id: int
    state: State
    parents: tuple[int, ...]
    operator: str
    donors: tuple[int, ...]
    generation: int
    genome: str
    genome_digest: str
    digest: str
    fitness: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    fraction_inherited: float = 0.0
    seconds: float = 0.0
    epochs: int = 0
    curve: tuple[Mapping[str, float], ...] = ()
    origins: Mapping[str, int] = field(default_factory=dict)
    weights_sha256: str | None = None
    error: str = ""
    elapsed: float = 0.0
    learned: str | None = None

    def __repr__(self) -> str:
        """In a line: without genome, curve and origins."""
        found = self.error if self.state == FAILED else "" if self.fitness is None else f"fitness {self.fitness:.4g}"
        parents = f" of {', '.join(map(str, self.parents))}" if self.parents else ""
        return f"<individual {self.id}: {self.operator}{parents}; {self.state}{found and ', '}{found}>"


def ancestors(individuals: Iterable[Individual], id: int) -> list[Individual]:
    """An individual and all of these that it descends from, the oldest first.

    Raises:
        KeyError: If there is no such individual.
    """
    known = {one.id: one for one in individuals}
    found: set[int] = set()
    frontier = [known[id].id]
    while frontier:
        at = frontier.pop()
        if at not in found:
            found.add(at)
            frontier += [parent for parent in known[at].parents if parent in known]
    return [known[one] for one in sorted(found)]
