"""A graph of neurons made ready to be asked about many points: column by column, without a copy of what it reads."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from genomes.neurons import ACTIVATIONS, AGGREGATIONS, NeuronGraph, Values


class Step(NamedTuple):
    """One neuron: its place, and what it reads, adds and computes, as `NeuronGraph` describes."""

    place: int
    sources: tuple[int, ...]
    weights: tuple[float, ...]
    bias: float
    response: float
    aggregation: str
    activation: str


@dataclass(frozen=True)
class Program:
    """What one output of a feed-forward graph needs, in an order in which it can be computed.

    Every value is computed element by element in a fixed order, as `NeuronGraph.run` does: what is computed of a point
    does not depend on how many others stand beside it.

    Attributes:
        steps: The neurons.
        output: Place of the one that puts out.
        n_places: Places of the graph.
    """

    steps: tuple[Step, ...]
    output: int
    n_places: int

    def run(self, columns: Values) -> Values:
        """What is put out for each point.

        Args:
            columns: `(n_inputs, n_points)`.

        Returns:
            `(n_points,)`.
        """
        values: list[Values | None] = [*columns, *[None] * (self.n_places - len(columns))]
        spare = np.empty(columns.shape[1])
        with np.errstate(over="ignore", invalid="ignore"):
            for step in self.steps:
                total = _aggregated(step, values, spare)
                if step.response != 1.0:
                    total *= step.response
                if step.bias != 0.0:
                    total += step.bias
                values[step.place] = ACTIVATIONS[step.activation](total)
        answer = values[self.output]
        assert answer is not None
        return answer


def _aggregated(step: Step, values: list[Values | None], spare: Values) -> Values:
    read = [values[source] for source in step.sources]
    if not read:
        return np.full(len(spare), float(step.aggregation == "product"))
    if step.aggregation != "sum":
        return AGGREGATIONS[step.aggregation](np.array(step.weights)[:, None] * np.array(read))
    total = np.multiply(read[0], step.weights[0])  # type: ignore[arg-type]
    for value, weight in zip(read[1:], step.weights[1:], strict=True):
        np.multiply(value, weight, out=spare)  # type: ignore[arg-type]
        total += spare
    return total


def compiled(graph: NeuronGraph, output: int) -> Program:
    """The program of one output of a feed-forward graph; errors as in `programs`."""
    return programs(graph)[output]


def programs(graph: NeuronGraph) -> tuple[Program, ...]:
    """The programs of all outputs of a feed-forward graph.

    Raises:
        ValueError: If the graph has a cycle.
    """
    n, levels = graph.n_inputs, graph.levels
    steps: dict[int, Step] = {}
    found = []
    for goal in graph.outputs:
        needed, frontier = {goal}, [goal]
        while frontier:
            place = frontier.pop()
            if place not in steps:
                steps[place] = _step(graph, place)
            fresh = {source for source in steps[place].sources if source >= n} - needed
            needed |= fresh
            frontier += fresh
        order = sorted(needed, key=lambda place: (levels[place - n], place))
        found.append(Program(tuple([steps[place] for place in order]), goal, n + len(graph.ids)))
    return tuple(found)


def _step(graph: NeuronGraph, place: int) -> Step:
    at = place - graph.n_inputs
    links = graph.incoming[at]
    return Step(
        place,
        tuple([graph.sources[one] for one in links]),
        tuple([graph.weights[one] for one in links]),
        graph.biases[at],
        graph.responses[at],
        graph.aggregations[at],
        graph.activations[at],
    )
