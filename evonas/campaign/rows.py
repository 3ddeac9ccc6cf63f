"""The log's tables, and records to rows and back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evonas.record import PENDING, Evaluation, Individual, Proposal
from genomes.encoding import Encoding
from genomes.reading import read_genome

FORMAT = 2
SCHEMA = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE proposed (
    seq INTEGER PRIMARY KEY, id INTEGER UNIQUE NOT NULL, parents TEXT NOT NULL, operator TEXT NOT NULL,
    donors TEXT NOT NULL, generation INTEGER NOT NULL, epochs INTEGER NOT NULL, genome TEXT NOT NULL,
    genome_digest TEXT NOT NULL, digest TEXT NOT NULL, memory TEXT NOT NULL);
CREATE TABLE told (
    seq INTEGER PRIMARY KEY, id INTEGER UNIQUE NOT NULL REFERENCES proposed (id), state TEXT NOT NULL, fitness REAL,
    metrics TEXT NOT NULL, fraction_inherited REAL NOT NULL, seconds REAL NOT NULL, training_seconds REAL NOT NULL,
    epochs INTEGER NOT NULL, curve TEXT NOT NULL, origins TEXT NOT NULL, weights_sha256 TEXT, error TEXT NOT NULL,
    elapsed REAL NOT NULL, learned TEXT);
"""
PROPOSED = "seq, id, parents, operator, donors, generation, epochs, genome, genome_digest, digest, memory"
TOLD = (
    "seq, id, state, fitness, metrics, fraction_inherited, seconds, training_seconds, epochs, curve, origins, "
    "weights_sha256, error, elapsed, learned"
)
FACTS = "SELECT name, value FROM facts"
_INDIVIDUALS = (
    "SELECT id, parents, operator, donors, generation, genome, genome_digest, digest, state, fitness, "
    "metrics, fraction_inherited, seconds, told.epochs, curve, origins, weights_sha256, error, elapsed, "
    "learned FROM proposed LEFT JOIN told USING (id)"
)
INDIVIDUALS, INDIVIDUAL = f"{_INDIVIDUALS} ORDER BY id", f"{_INDIVIDUALS} WHERE id = ?"


@dataclass(frozen=True)
class Told:
    """An evaluation as the store records it.

    Attributes:
        evaluation: The evaluation.
        fitness: Its value, None unless complete.
        elapsed: Seconds of the campaign's clock.
        keep_weights: Write its weights to disk.
    """

    evaluation: Evaluation
    fitness: float | None
    elapsed: float
    keep_weights: bool


def _json(value: Mapping[str, Any] | tuple[Any, ...]) -> str:
    """A value as JSON text; most are empty where nothing is trained or inherited."""
    if not value:
        return "[]" if isinstance(value, tuple) else "{}"
    return json.dumps(value if isinstance(value, tuple) else dict(value))


def proposed_row(seq: int, proposal: Proposal, encoding: Encoding[Any]) -> tuple[Any, ...]:
    """The row of `proposed` for a proposal."""
    genome = proposal.genome
    return (
        seq,
        proposal.id,
        _json(proposal.parents),
        proposal.operator,
        _json(proposal.donors),
        proposal.generation,
        proposal.budget.epochs,
        json.dumps(encoding.to_json(genome)),
        genome.digest,
        encoding.develop(genome).digest,
        _json(proposal.memory),
    )


def told_row(seq: int, told: Told, sha256: str | None, encoding: Encoding[Any]) -> tuple[Any, ...]:
    """The row of `told` for a result; `sha256` is that of its weights file."""
    evaluation = told.evaluation
    learned = evaluation.learned
    return (
        seq,
        evaluation.id,
        evaluation.state,
        told.fitness,
        _json(evaluation.metrics),
        evaluation.fraction_inherited,
        evaluation.seconds,
        evaluation.training_seconds,
        evaluation.epochs,
        _json(evaluation.curve),
        _json(evaluation.origins),
        sha256,
        evaluation.error,
        told.elapsed,
        None if learned is None else json.dumps(encoding.to_json(learned)),
    )


def evaluation_of(row: tuple[Any, ...], encoding: Encoding[Any]) -> Evaluation:
    """The evaluation of a row of `told`, without its weights."""
    _, id, state, _, metrics, fraction, seconds, training_seconds, epochs, curve, origins, _, error, _, learned = row
    return Evaluation(
        id,
        state,
        json.loads(metrics),
        seconds,
        epochs,
        tuple(json.loads(curve)),
        fraction,
        json.loads(origins),
        None,
        error,
        training_seconds,
        None if learned is None else read_genome(encoding, learned),
    )


def individual_of(row: tuple[Any, ...]) -> Individual:
    """The individual of a row of `INDIVIDUALS`."""
    id, parents, operator, donors, generation, genome, genome_digest, digest, state, *result = row
    born = (tuple(json.loads(parents)), operator, tuple(json.loads(donors)), generation, genome, genome_digest, digest)
    if state is None:
        return Individual(id, PENDING, *born)
    fitness, metrics, fraction, seconds, epochs, curve, origins, sha256, error, elapsed, learned = result
    return Individual(
        id,
        state,
        *born,
        fitness,
        json.loads(metrics),
        fraction,
        seconds,
        epochs,
        tuple(json.loads(curve)),
        json.loads(origins),
        sha256,
        error,
        elapsed,
        learned,
    )
