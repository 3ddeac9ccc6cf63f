"""NEAT genomes as JSON, and back from text that nobody vouches for."""

import re
from collections.abc import Mapping
from itertools import takewhile
from operator import eq
from reprlib import repr as shortened
from typing import Any

from genomes.neat.genome import BIAS, BIAS_PLACE, Connection, NeatGenome, Neuron, assembled, input_ids, output_ids
from genomes.neurons import ACTIVATIONS, AGGREGATIONS
from genomes.reading import check_kind

MAX_NEURONS, MAX_CONNECTIONS = 16_384, 65_536
"""Neurons and connections that a genome from outside may have; as many inputs as connections."""
MAX_VALUE = 1e12
"""The largest weight, bias or response."""
_ID = re.compile("[0-9a-f]{16}")
NEURONS = ("ids", "activations", "aggregations", "biases", "responses")
CONNECTIONS = ("sources", "targets", "weights", "enabled")


def as_json(genome: NeatGenome) -> dict[str, Any]:
    """The genes in columns; sources and targets as places: inputs first, then neurons, the bias at -1."""
    wiring = genome.wiring
    neurons = (wiring.ids, genome.activations, genome.aggregations, genome.biases, genome.responses)
    connections = (wiring.source_places, wiring.target_places, genome.weights, map(int, genome.enabled))
    return {
        "inputs": wiring.n_inputs,
        "neurons": dict(zip(NEURONS, map(list, neurons), strict=True)),
        "connections": dict(zip(CONNECTIONS, map(list, connections), strict=True)),
    }


def checked(
    data: Mapping[str, Any], encoding: str, *, recurrent: bool, sizes: tuple[int, int] | None = None
) -> NeatGenome:
    """The genome of JSON data.

    Args:
        data: What `as_json` gave, with its kind and version.
        encoding: The name of the encoding.
        recurrent: True if cycles are allowed.
        sizes: Inputs and outputs that it must have; None: any.

    Raises:
        ValueError: In one line, if it is another kind, version or size, there are too many genes, a value is out of
            range, a gene appears twice, or the graph is not whole.
    """
    check_kind(data, encoding)
    n_inputs = _whole(data, "inputs", MAX_CONNECTIONS)
    neurons = [_neuron(row) for row in _rows(data, "neurons", NEURONS, MAX_NEURONS)]
    links = _rows(data, "connections", CONNECTIONS, MAX_CONNECTIONS)
    ids = [neuron.id for neuron in neurons]
    n_outputs = sum(takewhile(bool, map(eq, ids, output_ids(len(ids)))))
    reserved = {*input_ids(n_inputs), BIAS}
    if not n_outputs or len(set(ids)) < len(ids) or not reserved.isdisjoint(ids):
        raise ValueError("neurons: expected the outputs first, and every id once; correct the genome")
    if sizes is not None and sizes != (n_inputs, n_outputs):
        got = f"got {n_inputs} and {n_outputs}; use the encoding that wrote it"
        raise ValueError(f"inputs and outputs: expected {sizes[0]} and {sizes[1]}, {got}")
    names = (*input_ids(n_inputs), *ids)
    connections = [_connection(row, names, n_inputs) for row in links]
    ends = {(link.source, link.target) for link in connections}
    if len(ends) < len(connections):
        raise ValueError("connections: expected one between two neurons at most, got more; remove them")
    if idle := set(ids[n_outputs:]).difference(*ends):
        raise ValueError(f"neuron {min(idle)}: expected a connection, got none; remove it")
    genome = assembled(n_inputs, n_outputs, neurons, connections)
    if not recurrent and genome.wiring.cyclic:
        raise ValueError("connections: expected no cycle in a feed-forward genome, got one; make it recurrent")
    return genome


def _whole(data: Mapping[str, Any], field: str, most: int) -> int:
    value = data.get(field)
    if type(value) is not int or not 1 <= value <= most:
        raise ValueError(f"{field}: expected a whole number from 1 to {most:,}, got {shortened(value)}; correct it")
    return value


def _rows(data: Mapping[str, Any], field: str, columns: tuple[str, ...], most: int) -> list[tuple[Any, ...]]:
    """Columns of equal length as rows."""
    table = data.get(field)
    if not isinstance(table, Mapping) or set(table) != set(columns):
        raise ValueError(f"{field}: expected columns {', '.join(columns)}, got {shortened(table)!a}; correct it")
    found = [table[column] for column in columns]
    for column, values in zip(columns, found, strict=True):
        if not isinstance(values, (list, tuple)) or len(values) > most:
            got = f"{len(values):,}" if isinstance(values, (list, tuple)) else type(values).__name__
            raise ValueError(f"{field}.{column}: expected a list of at most {most:,}, got {got}; correct it")
    if len(set(map(len, found))) > 1:
        got = ", ".join(f"{len(values):,}" for values in found)
        raise ValueError(f"{field}: expected columns of equal length, got {got}; correct them")
    return list(zip(*found, strict=True))


def _neuron(row: tuple[Any, ...]) -> Neuron:
    name, activation, aggregation, bias, response = row
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise ValueError(f"neuron {shortened(name)}: expected an id of 16 hexadecimal digits; correct it")
    for column, value, words in (
        ("activation", activation, ACTIVATIONS),
        ("aggregation", aggregation, AGGREGATIONS),
    ):
        if not isinstance(value, str) or value not in words:
            expected = f"its {column} to be one of {', '.join(words)}"
            raise ValueError(f"neuron {name}: expected {expected}, got {shortened(value)}")
    return Neuron(name, activation, aggregation, _value(bias, name), _value(response, name))


def _connection(row: tuple[Any, ...], names: tuple[str, ...], n_inputs: int) -> Connection:
    source, target, weight, enabled = row
    if type(source) is not int or not BIAS_PLACE <= source < len(names):
        expected = f"a source from {BIAS_PLACE} to {len(names) - 1}"
        raise ValueError(f"connections: expected {expected}, got {shortened(source)}; correct it")
    if type(target) is not int or not n_inputs <= target < len(names):
        expected = f"a target from {n_inputs} to {len(names) - 1}"
        raise ValueError(f"connections: expected {expected}, got {shortened(target)}; correct it")
    if type(enabled) is not int or enabled not in (0, 1):
        raise ValueError(f"connections: expected enabled to be 0 or 1, got {shortened(enabled)}; correct it")
    start = BIAS if source == BIAS_PLACE else names[source]
    return Connection(start, names[target], _value(weight, f"into {names[target]}"), bool(enabled))


def _value(value: Any, gene: str) -> float:
    if type(value) not in (int, float) or not -MAX_VALUE <= value <= MAX_VALUE:
        expected = f"a number from {-MAX_VALUE:g} to {MAX_VALUE:g}"
        raise ValueError(f"gene {gene}: expected {expected}, got {shortened(value)}; correct it")
    return float(value)
