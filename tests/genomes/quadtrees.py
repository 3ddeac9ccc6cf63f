"""ES-HyperNEAT as the paper writes it: one genome, one place, one square after another. The oracle of the fast one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from genomes.es_hyperneat import EsHyperNeat
from genomes.innovation import marking
from genomes.neat.genome import NeatGenome, edge, input_ids, output_ids
from genomes.neurons import NeuronGraph
from genomes.painting import asked

Place = tuple[float, float]
Drawn = dict[tuple[str, str], float]
"""Weights by the ids of what is read and fed."""


@dataclass
class Square:
    """A square of a quadtree, and what the CPPN says of its middle."""

    x: float
    y: float
    half: float
    depth: int
    weight: float = 0.0
    quarters: list["Square"] = field(default_factory=list)

    def weights(self) -> list[float]:
        return list(chain(*(one.weights() for one in self.quarters))) if self.quarters else [self.weight]

    def variance(self) -> float:
        return variance(self.weights())


def variance(weights: list[float]) -> float:
    mean = sum(weights) / len(weights)
    return sum([(weight - mean) ** 2 for weight in weights]) / len(weights)


Rows = list[list[float]]


class Recursive:
    """One genome's search.

    Args:
        config: The encoding.
        genome: The CPPN.
        computed: What makes of a CPPN the function that is asked, from `(n, n_inputs)` to `(n, n_outputs)`; None: it is
            run in numpy.
    """

    def __init__(
        self,
        config: EsHyperNeat,
        genome: NeatGenome,
        computed: Callable[[NeuronGraph], Callable[[Rows], Rows]] | None = None,
    ) -> None:
        self.config, cppn = config, config.painter.develop(genome)
        self.computed = computed(cppn) if computed else lambda points: cppn.run(points).tolist()

    def asked(self, here: Place, there: list[Place], *, outgoing: bool) -> Rows:
        """What the CPPN puts out for the connections between a place and some others, `(n, n_outputs)`."""
        if self.config.queries == ("source", "target"):
            return self.computed([[*here, *place] if outgoing else [*place, *here] for place in there])
        a, b = np.array([here]), np.array(there)
        points = asked(self.config.queries, a, b) if outgoing else asked(self.config.queries, b, a)
        return self.computed(points.tolist())

    def connected(self, here: Place, *, outgoing: bool) -> dict[Place, float]:
        """Division and initialisation, then pruning and extraction."""
        config = self.config
        root = Square(0.0, 0.0, 1.0, 0)
        waiting = [root]
        while waiting:
            square = waiting.pop(0)
            half, depth = square.half / 2, square.depth + 1
            middles = [(square.x + dx * half, square.y + dy * half) for dy in (-1, 1) for dx in (-1, 1)]
            weights = [answer[0] for answer in self.asked(here, middles, outgoing=outgoing)]
            square.quarters = [Square(x, y, half, depth, w) for (x, y), w in zip(middles, weights, strict=True)]
            varies = variance(weights) > config.division
            if depth < config.initial_depth or (depth < config.max_depth and varies):
                waiting += square.quarters
        found: dict[Place, float] = {}
        self.extract(root, here, found, outgoing=outgoing)
        return found

    def extract(self, square: Square, here: Place, found: dict[Place, float], *, outgoing: bool) -> None:
        for one in square.quarters:
            if one.quarters and one.variance() >= self.config.variance:
                self.extract(one, here, found, outgoing=outgoing)
                continue
            step = square.half
            around = [(one.x - step, one.y), (one.x + step, one.y), (one.x, one.y - step), (one.x, one.y + step)]
            answers = self.asked(here, around, outgoing=outgoing)
            left, right, below, above = (abs(answer[0] - one.weight) for answer in answers)
            if max(min(left, right), min(below, above)) <= self.config.band:
                continue
            if not self.config.leo or self.asked(here, [(one.x, one.y)] * 2, outgoing=outgoing)[0][1] > 0:
                found[one.x, one.y] = one.weight

    def graph(self) -> NeuronGraph:
        """The whole network."""
        config = self.config
        begun = dict(zip(input_ids(len(config.input_places)), map(tuple, config.input_places.tolist()), strict=True))
        ends = dict(zip(output_ids(config.n_outputs or 0), map(tuple, config.output_places.tolist()), strict=True))
        rounds: dict[Place, int] = {}
        drawn: Drawn = {}
        fresh: list[Place] = []
        for name, place in begun.items():
            for there, weight in self.connected(place, outgoing=True).items():
                drawn[name, named(there)] = weight
                fresh += [] if there in rounds else [there]
                rounds.setdefault(there, 0)
        links: dict[tuple[Place, Place], float] = {}
        for at in range(config.iterations):
            explored, fresh = fresh, []
            for here in explored:
                for there, weight in self.connected(here, outgoing=True).items():
                    links[here, there] = weight
                    fresh += [] if there in rounds else [there]
                    rounds.setdefault(there, at + 1)
        for (here, there), weight in links.items():
            later = (rounds[here], here[1], here[0]) < (rounds[there], there[1], there[0])
            if config.recurrent or later:
                drawn[named(here), named(there)] = weight
        for name, place in ends.items():
            for here, weight in self.connected(place, outgoing=False).items():
                if here in rounds:
                    drawn[named(here), name] = weight
        ahead = reached(set(begun), [(a, b) for a, b in drawn])
        behind = reached(set(ends), [(b, a) for a, b in drawn])
        drawn = {pair: weight for pair, weight in drawn.items() if set(pair) <= ahead & behind}
        hidden = {place for place in rounds if named(place) in {name for pair in drawn for name in pair}}
        order = sorted(hidden, key=lambda place: (rounds[place], place[1], place[0]))
        return self.written(list(begun), [*map(named, order), *ends], [*order, *ends.values()], drawn)

    def written(self, inputs: list[str], ids: list[str], places: list[Place], drawn: Drawn) -> NeuronGraph:
        config, n = self.config, len(inputs)
        at = {name: place for place, name in enumerate([*inputs, *ids])}
        pairs = sorted(drawn, key=lambda pair: (at[pair[1]], at[pair[0]]))
        n_hidden = len(ids) - (config.n_outputs or 0)
        answers = self.asked((0.0, 0.0), [*places, *places], outgoing=True)[: len(places)]
        biases = [config.scale * answer[-1] if config.biases else 0.0 for answer in answers]
        activations = [config.activation] * n_hidden + [config.output_activation] * (config.n_outputs or 0)
        return NeuronGraph(
            n,
            tuple(range(n + n_hidden, n + len(ids))),
            tuple(ids),
            tuple(activations),
            ("sum",) * len(ids),
            tuple(map(float, biases)),
            (1.0,) * len(ids),
            tuple(at[source] for source, _ in pairs),
            tuple(at[target] for _, target in pairs),
            tuple(config.scale * drawn[pair] for pair in pairs),
            tuple(edge(*pair) for pair in pairs),
            config.recurrent,
        )


def named(place: Place) -> str:
    return marking("place", repr(place[0]), repr(place[1]))


def reached(begin: set[str], pairs: list[tuple[str, str]]) -> set[str]:
    found = set(begin)
    while ahead := {target for source, target in pairs if source in found} - found:
        found |= ahead
    return found
