"""What NEAT evolves: columns of neuron genes and of connection genes."""

import hashlib
import struct
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain, compress
from operator import and_
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from genomes.innovation import marking

T = TypeVar("T")
BIAS = marking("bias")
"""The id of the source whose value is always 1."""
BIAS_PLACE = -1


@lru_cache(maxsize=1 << 16)
def edge(source: str, target: str) -> str:
    """The historical marking of the connection between two neurons: there is one in a genome at most."""
    return marking("edge", source, target)


@lru_cache(maxsize=64)
def input_ids(n: int) -> tuple[str, ...]:
    """The fixed ids of n inputs."""
    return tuple(marking("input", at) for at in range(n))


@lru_cache(maxsize=64)
def output_ids(n: int) -> tuple[str, ...]:
    """The fixed ids of n output neurons."""
    return tuple(marking("output", at) for at in range(n))


@lru_cache(maxsize=64)
def _source_places(n_inputs: int) -> dict[str, int]:
    return {**{name: at for at, name in enumerate(input_ids(n_inputs))}, BIAS: BIAS_PLACE}


class Neuron(NamedTuple):
    """One neuron gene. It puts out activation(bias + response × aggregation(weighted inputs))."""

    id: str
    activation: str
    aggregation: str
    bias: float = 0.0
    response: float = 1.0


class Connection(NamedTuple):
    """One connection gene."""

    source: str
    target: str
    weight: float
    enabled: bool = True


class Layout(NamedTuple):
    """What a network takes from a wiring, some of whose connections are disabled.

    Attributes:
        kept: For every connection whether the network has it: not those that are disabled, or from the bias.
        sources: Of those it has, the place read.
        targets: Of those, the place fed.
        markings: Of those.
        biasing: The enabled connections from the bias: the index of each and that of the neuron it feeds.
    """

    kept: tuple[bool, ...]
    sources: tuple[int, ...]
    targets: tuple[int, ...]
    markings: tuple[str, ...]
    biasing: tuple[tuple[int, int], ...]


MOST_LAYOUTS = 16
"""How many a wiring remembers."""


@dataclass(frozen=True)
class Wiring:
    """Which genes there are. Genomes that differ in values alone share one, and what is derived from it.

    Attributes:
        n_inputs: Values that come in.
        n_outputs: Values that are put out.
        ids: Of the neurons: the outputs in order, then the hidden ones, ascending.
        markings: Of the connections, ascending.
        sources: Id of the neuron or input that a connection reads, or `BIAS`.
        targets: Id of the neuron that it feeds.
    """

    n_inputs: int
    n_outputs: int
    ids: tuple[str, ...]
    markings: tuple[str, ...]
    sources: tuple[str, ...]
    targets: tuple[str, ...]

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> Any:
        return Wiring, (self.n_inputs, self.n_outputs, self.ids, self.markings, self.sources, self.targets)

    @cached_property
    def _hash(self) -> int:
        return hash((self.n_inputs, self.ids, self.markings))

    @cached_property
    def digest(self) -> bytes:
        """Over all of it: a marking says what a connection's ends are."""
        text = f"{self.n_inputs} {self.n_outputs} {' '.join(self.ids)} {' '.join(self.markings)}"
        return hashlib.blake2b(text.encode(), digest_size=16).digest()

    @cached_property
    def codes(self) -> npt.NDArray[np.uint64]:
        """The markings of the connections as numbers, ascending."""
        return as_codes(self.markings)

    @cached_property
    def neuron_codes(self) -> npt.NDArray[np.uint64]:
        """The ids of the neurons as numbers."""
        return as_codes(self.ids)

    @cached_property
    def at(self) -> dict[str, int]:
        """The index of every connection, by marking."""
        return dict(zip(self.markings, range(len(self.markings)), strict=True))

    @cached_property
    def neuron_at(self) -> dict[str, int]:
        """The index of every neuron, by id."""
        return dict(zip(self.ids, range(len(self.ids)), strict=True))

    @cached_property
    def places(self) -> dict[str, int]:
        """By id: inputs 0 … n_inputs - 1, then the neurons; the bias is at -1."""
        first = self.n_inputs
        return {**_source_places(first), **dict(zip(self.ids, range(first, first + len(self.ids)), strict=True))}

    @cached_property
    def source_places(self) -> tuple[int, ...]:
        """The place that every connection reads."""
        return tuple(map(self.places.__getitem__, self.sources))

    @cached_property
    def target_places(self) -> tuple[int, ...]:
        """The place that every connection feeds."""
        return tuple(map(self.places.__getitem__, self.targets))

    @cached_property
    def outputs(self) -> tuple[int, ...]:
        """The places of the outputs."""
        return tuple(range(self.n_inputs, self.n_inputs + self.n_outputs))

    @cached_property
    def biasing(self) -> tuple[tuple[int, int], ...]:
        """The connections from the bias: the index of each and that of the neuron it feeds."""
        found = [at for at, source in enumerate(self.sources) if source == BIAS] if BIAS in self.sources else []
        return tuple((at, self.neuron_at[self.targets[at]]) for at in found)

    @cached_property
    def biased(self) -> dict[str, str]:
        """By the marking of every connection from the bias: the id of the neuron it feeds."""
        return {self.markings[at]: self.ids[neuron] for at, neuron in self.biasing}

    @cached_property
    def unbiasing(self) -> tuple[bool, ...]:
        """For every connection: True if it does not come from the bias."""
        return tuple([place != BIAS_PLACE for place in self.source_places])

    @cached_property
    def _layouts(self) -> dict[tuple[bool, ...], Layout]:
        return {}

    def layout(self, enabled: tuple[bool, ...]) -> Layout:
        """What a network takes, which most children share with their parents.

        Args:
            enabled: One a connection.
        """
        known = self._layouts
        if (found := known.get(enabled)) is None:
            kept = tuple(map(and_, enabled, self.unbiasing))
            columns: Any = (self.source_places, self.target_places, self.markings)
            sources, targets, markings = columns if all(kept) else [tuple(compress(one, kept)) for one in columns]
            found = Layout(kept, sources, targets, markings, tuple([one for one in self.biasing if enabled[one[0]]]))
            if len(known) >= MOST_LAYOUTS:
                known.clear()
            known[enabled] = found
        return found

    @cached_property
    def all_touched(self) -> tuple[str, ...]:
        """What a change of every weight touches."""
        return (*self.markings, *self.biased.values())

    @cached_property
    def readers(self) -> dict[str, list[str]]:
        """By id of neurons and of what they read: the neurons that read it, over disabled connections too."""
        found: dict[str, list[str]] = {}
        for source, target in zip(self.sources, self.targets, strict=True):
            found.setdefault(source, []).append(target)
        return found

    def touched(self, markings: tuple[str, ...]) -> tuple[str, ...]:
        """What a change of some connections touches: a neuron too, where one is from the bias."""
        if not self.biased:
            return markings
        changed = self.biased.keys() & markings
        return (*markings, *[neuron for name, neuron in self.biased.items() if name in changed])

    def reaches(self, start: str, goal: str) -> bool:
        """True if connections lead from one neuron to another, or both are the same."""
        readers = self.readers
        frontier, seen = [start], {start}
        while frontier:
            name = frontier.pop()
            if name == goal:
                return True
            for reader in readers.get(name, ()):
                if reader not in seen:
                    seen.add(reader)
                    frontier.append(reader)
        return False

    @cached_property
    def cyclic(self) -> bool:
        """True if there is a cycle, over disabled connections too."""
        waiting = dict.fromkeys(self.ids, 0)
        for source, target in zip(self.sources, self.targets, strict=True):
            waiting[target] += source in self.neuron_at
        ready = [name for name, n in waiting.items() if not n]
        for name in ready:
            for reader in self.readers.get(name, ()):
                waiting[reader] -= 1
                if not waiting[reader]:
                    ready.append(reader)
        return len(ready) < len(self.ids)


@dataclass(frozen=True)
class NeatGenome:
    """Neuron genes and connection genes in columns.

    The order of the genes follows from their markings: the same genes make the same genome however they came together.
    Every hidden neuron is the end of a connection.

    Attributes:
        wiring: Which neurons and connections there are.
        activations: Words of `genomes.neurons.ACTIVATIONS`, one a neuron.
        aggregations: Words of `genomes.neurons.AGGREGATIONS`, one a neuron.
        biases: One a neuron.
        responses: One a neuron.
        weights: One a connection.
        enabled: One a connection.
    """

    wiring: Wiring
    activations: tuple[str, ...]
    aggregations: tuple[str, ...]
    biases: tuple[float, ...]
    responses: tuple[float, ...]
    weights: tuple[float, ...]
    enabled: tuple[bool, ...]

    def __reduce__(self) -> Any:
        columns = (self.activations, self.aggregations, self.biases, self.responses, self.weights, self.enabled)
        return NeatGenome, (self.wiring, *columns)

    def __deepcopy__(self, memo: dict[int, Any]) -> "NeatGenome":
        return self

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits over all genes."""
        # Adding 0 makes of -0 the 0 that it equals.
        values = np.array((*self.biases, *self.responses, *self.weights), "<f8") + 0.0
        words = " ".join((*self.activations, *self.aggregations)).encode()
        whole = b"".join((self.wiring.digest, words, values.tobytes(), bytes(self.enabled)))
        return hashlib.blake2b(whole, digest_size=8).hexdigest()

    @property
    def markings(self) -> tuple[str, ...]:
        """The marking of every connection, ascending."""
        return self.wiring.markings

    @property
    def ids(self) -> tuple[str, ...]:
        """The id of every neuron, the outputs first."""
        return self.wiring.ids

    @property
    def hidden(self) -> tuple[str, ...]:
        """The ids of the hidden neurons."""
        return self.wiring.ids[self.wiring.n_outputs :]

    @property
    def neurons(self) -> tuple[Neuron, ...]:
        """The neuron genes as rows."""
        columns = (self.ids, self.activations, self.aggregations, self.biases, self.responses)
        return tuple(map(Neuron, *columns))

    @property
    def connections(self) -> tuple[Connection, ...]:
        """The connection genes as rows."""
        return tuple(map(Connection, self.wiring.sources, self.wiring.targets, self.weights, self.enabled))


def packed(columns: Iterable[tuple[float, ...]]) -> npt.NDArray[np.float64]:
    """The numbers of several columns, one behind the other, not to be written to: `struct` is faster than numpy."""
    values = list(chain.from_iterable(columns))
    return np.frombuffer(struct.pack(f"{len(values)}d", *values))


def as_codes(names: Sequence[str]) -> npt.NDArray[np.uint64]:
    """Markings of 16 hexadecimal digits as numbers in the same order."""
    return np.frombuffer(bytes.fromhex("".join(names)), ">u8").astype(np.uint64)


def assembled(
    n_inputs: int, n_outputs: int, neurons: Iterable[Neuron], connections: Iterable[Connection]
) -> NeatGenome:
    """The genome of these genes, in whatever order they come.

    Args:
        n_inputs: Values that come in.
        n_outputs: Values that are put out.
        neurons: The outputs among them.
        connections: At most one between two neurons.
    """
    outputs = {name: at for at, name in enumerate(output_ids(n_outputs))}
    rows = sorted(neurons, key=lambda neuron: (outputs.get(neuron.id, n_outputs), neuron.id))
    links = sorted((edge(link.source, link.target), link) for link in connections)
    ids, activations, aggregations, biases, responses = _columns(rows, 5)
    sources, targets, weights, enabled = _columns([link for _, link in links], 4)
    wiring = Wiring(n_inputs, n_outputs, ids, tuple(name for name, _ in links), sources, targets)
    return NeatGenome(wiring, activations, aggregations, biases, responses, weights, enabled)


def grown(genome: NeatGenome, neurons: Iterable[Neuron], connections: Iterable[Connection]) -> NeatGenome:
    """The genome with some genes more, that are put where the order wants them."""
    old = genome.wiring
    columns: tuple[Any, ...] = (old.ids, genome.activations, genome.aggregations, genome.biases, genome.responses)
    for neuron in neurons:
        columns = _inserted(columns, bisect_left(columns[0], neuron.id, old.n_outputs), neuron)
    links: tuple[Any, ...] = (old.markings, old.sources, old.targets, genome.weights, genome.enabled)
    for link in connections:
        name = edge(link.source, link.target)
        links = _inserted(links, bisect_left(links[0], name), (name, *link))
    wiring = Wiring(old.n_inputs, old.n_outputs, columns[0], *links[:3])
    return NeatGenome(wiring, *columns[1:], *links[3:])


def shrunk(genome: NeatGenome, gone: frozenset[str]) -> NeatGenome:
    """The genome without some hidden neurons and connections, by id and marking, and without what hangs on them.

    A connection goes with either of its ends, a hidden neuron with the last of its connections.
    """
    old = genome.wiring
    kept = [
        name not in gone and source not in gone and target not in gone
        for name, source, target in zip(old.markings, old.sources, old.targets, strict=True)
    ]
    links: tuple[Any, ...] = (old.markings, old.sources, old.targets, genome.weights, genome.enabled)
    links = tuple([tuple(compress(column, kept)) for column in links])
    needed = {*output_ids(old.n_outputs), *links[1], *links[2]}
    columns: tuple[Any, ...] = (old.ids, genome.activations, genome.aggregations, genome.biases, genome.responses)
    columns = tuple([tuple(compress(column, [name in needed for name in old.ids])) for column in columns])
    wiring = Wiring(old.n_inputs, old.n_outputs, columns[0], *links[:3])
    return NeatGenome(wiring, *columns[1:], *links[3:])


def _columns(rows: Sequence[Sequence[Any]], n: int) -> list[tuple[Any, ...]]:
    return [tuple(column) for column in zip(*rows, strict=True)] or [()] * n


def _inserted(columns: Sequence[tuple[Any, ...]], at: int, row: Sequence[Any]) -> tuple[Any, ...]:
    return tuple([(*column[:at], value, *column[at:]) for column, value in zip(columns, row, strict=True)])
