"""ES-HyperNEAT: a CPPN whose pattern decides where the hidden neurons lie, and what they are connected to."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isfinite, prod
from typing import Literal

import numpy as np

from genomes.cppn import Cppn
from genomes.encoding import DEVELOPS_MANY, MEASURES_MANY, NEURONS, VARIES_MANY, WEIGHTED, Decide
from genomes.es_hyperneat.graphs import Style, graphs
from genomes.es_hyperneat.program import programs
from genomes.es_hyperneat.quadtree import Division
from genomes.es_hyperneat.search import discovered
from genomes.hyperneat.substrate import sheet
from genomes.neat.genome import NeatGenome
from genomes.neurons import ACTIVATIONS, NeuronGraph, Values
from genomes.operations import Shape
from genomes.painter import Painter, check_painter
from genomes.painting import n_queries
from genomes.words import OWN_ACTIVATION, meant

MAX_DEPTH = 8
"""Levels that a quadtree may have."""
Inputs = Literal["line", "grid"]


@dataclass(frozen=True)
class EsHyperNeat(Painter):
    """Configuration of evolvable-substrate HyperNEAT (Risi & Stanley 2012, https://doi.org/10.1162/ARTL_a_00071).

    Places lie in a plane, x and y from -1 to 1. Quadtrees look for where the pattern that the CPPN paints around a
    place varies: a hidden neuron lies there, and is connected to that place. Departures: a network is feed-forward
    unless `recurrent` says otherwise (see `genomes.es_hyperneat.graphs.graphs`), and biases are an output of the CPPN.

    Attributes:
        name: The word for it in a spec.
        cppn: How CPPNs vary; its inputs and outputs are set from what it is asked.
        inputs: How the inputs lie: on the line y = -1, or as the rows and columns of an image or square over the plane.
            Outputs lie on the line y = 1.
        initial_depth: Levels that a quadtree has in any case: it begins with 2^depth places a side.
        max_depth: Levels that it has at most.
        division: A square is divided further where the variance of its quarters is above this.
        variance: Squares that vary less are one place.
        band: A place is connected where its weight differs by more than this from both sides.
        iterations: How often hidden places that are new are asked what they feed.
        scale: What the CPPN's output is multiplied by to be a weight or bias.
        leo: True: an output of its own expresses connections, where it is above 0.
        biases: True: an output of its own paints the bias of every neuron. False: there are none.
        activation: Of hidden neurons, a word of `genomes.neurons.ACTIVATIONS`.
        output_activation: Of output neurons.
        recurrent: True: every hidden place may feed every other, and neurons read the step before.
        queries: What the CPPN is asked with: words of `genomes.painting.QUERIES`.
        input_shape: `(channels, height, width)` or `(features,)`; a campaign sets it from its task.
        n_outputs: Values that are put out; None: not known yet, a campaign sets it from its task.

    Raises:
        ValueError: If a choice is unknown or out of range.
    """

    name: Literal["es_hyperneat"] = "es_hyperneat"
    cppn: Cppn = field(default_factory=Cppn)
    inputs: Inputs = "line"
    initial_depth: int = 3
    max_depth: int = 3
    division: float = 0.03
    variance: float = 0.03
    band: float = 0.3
    iterations: int = 1
    scale: float = 5.0
    leo: bool = False
    biases: bool = True
    activation: str = "sigmoid"
    output_activation: str = "sigmoid"
    recurrent: bool = False
    queries: tuple[str, ...] = ("source", "target")
    input_shape: tuple[int, ...] = (1, 8, 8)
    n_outputs: int | None = None

    def __post_init__(self) -> None:
        check_painter(self.cppn, self.queries)
        if not 1 <= self.initial_depth <= self.max_depth <= MAX_DEPTH:
            got = f"{self.initial_depth} and {self.max_depth}"
            raise ValueError(f"initial_depth, max_depth: expected 1 <= each <= the next <= {MAX_DEPTH}, got {got}")
        if not 0 <= self.iterations <= 16:
            raise ValueError(f"iterations: expected a whole number from 0 to 16, got {self.iterations}; correct it")
        for name, least in (("division", 0.0), ("variance", 1e-12), ("band", 0.0), ("scale", 1e-12)):
            value = getattr(self, name)
            if not (isfinite(value) and least <= value <= 1e6):
                above = "above 0" if least else "of 0 or more"
                raise ValueError(f"{name}: expected a number {above}, got {value}; correct it")
        for name in ("activation", "output_activation"):
            if (word := getattr(self, name)) not in ACTIVATIONS:
                mend = meant(word, ACTIVATIONS)
                raise ValueError(
                    f"{name}: expected one of {', '.join(ACTIVATIONS)}{OWN_ACTIVATION}, got {word!r}; {mend}"
                )
        if self.inputs == "grid" and len(self.input_places) != prod(self.input_shape):
            got = f"the shape {self.input_shape}"
            raise ValueError(f"inputs: expected an image of one channel or a square number of features, got {got}")

    @property
    def abilities(self) -> frozenset[str]:
        """Genomes say what the weights of neurons are, and are measured and developed many at once."""
        return frozenset((WEIGHTED, NEURONS, MEASURES_MANY, VARIES_MANY, DEVELOPS_MANY))

    @cached_property
    def painter(self) -> Cppn:
        """The CPPN's own encoding: its outputs are the weight, what expresses it, and the bias."""
        return replace(self.cppn, n_inputs=n_queries(self.queries, 2), n_outputs=len(self.answers))

    @property
    def answers(self) -> tuple[str, ...]:
        """Names of the CPPN's outputs."""
        return ("weight", *["leo"] * self.leo, *["bias"] * self.biases)

    @cached_property
    def input_places(self) -> Values:
        """Where the inputs lie, `(n, 2)`, x then y."""
        if self.inputs == "line":
            return _line(prod(self.input_shape), -1.0)
        side = int(np.sqrt(prod(self.input_shape)))
        shape = self.input_shape[1:] if len(self.input_shape) == 3 else (side, side)
        return sheet(tuple(shape), 2, None).values[:, ::-1]

    @cached_property
    def output_places(self) -> Values:
        """Where the outputs lie, `(n, 2)`, x then y.

        Raises:
            ValueError: If their number is not known.
        """
        if self.n_outputs is None:
            raise ValueError("n_outputs: expected the number of outputs, got none; call for_task or give it")
        return _line(self.n_outputs, 1.0)

    def for_task(self, input_shape: Shape, n_outputs: int) -> "EsHyperNeat":
        """The same encoding for a task; the same genomes grow networks for others.

        Args:
            input_shape: `(channels, height, width)` or `(features,)`.
            n_outputs: Values that are put out.

        Raises:
            ValueError: If inputs cannot lie so.
        """
        return replace(self, input_shape=tuple(input_shape), n_outputs=n_outputs)

    def sample(self, decide: Decide, *, rng: np.random.Generator) -> NeatGenome:
        """Make a minimal CPPN with random weights."""
        return self.painter.sample(decide, rng=rng)

    def develop(self, genome: NeatGenome) -> NeuronGraph:
        """The neurons where the pattern has information; ids are their places."""
        return self.develop_many((genome,))[0]

    def develop_many(self, genomes: Sequence[NeatGenome]) -> list[NeuronGraph]:
        """What `develop` gives for each, all at once; it does not depend on the others."""
        asked = [programs(self.painter.develop(genome)) for genome in genomes]
        biases = [each[-1] for each in asked] if self.biases else None
        found = discovered(
            [each[0] for each in asked],
            [each[1] for each in asked] if self.leo else None,
            self.input_places,
            self.output_places,
            Division(self.initial_depth, self.max_depth, self.division, self.variance, self.band),
            queries=self.queries,
            rounds=self.iterations,
        )
        style = Style(self.activation, self.output_activation, self.scale, self.recurrent)
        places, n = (self.input_places, self.output_places), len(genomes)
        return graphs(found, biases, *places, self.max_depth, style, queries=self.queries, n=n)


def _line(n: int, y: float) -> Values:
    """Places from left to right."""
    return np.stack([sheet((n,), 1, None).values[:, 0], np.full(n, y)], -1)
