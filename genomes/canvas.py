"""A CPPN that paints an architecture: what stands at each place of a canvas, and what it reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from genomes.architecture import MERGES, Architecture
from genomes.cppn import Cppn
from genomes.dag import Dag, DagGenome
from genomes.dag.genome import OUTPUT, SOURCE, Gene, ordered
from genomes.encoding import MEASURES_MANY, VARIES_MANY, Decide
from genomes.innovation import marking
from genomes.neat.genome import NeatGenome
from genomes.neurons import Values
from genomes.operations import HEAD, Shape
from genomes.painter import Painter, check_painter
from genomes.painting import asked, grid, n_queries

MAX_PLACES = 1024
"""Places that a canvas may have."""
PRESENCE, CONNECTION, FIRST_WORD = 0, 1, 2
"""Which outputs say that something stands at a place, that one place reads another, and what else is decided."""


@dataclass(frozen=True)
class Canvas(Painter):
    """Configuration of architectures painted by a CPPN; their weights are trained and inherited as those of `Dag`.

    After the compositional pattern producing networks of Stanley 2007 (https://doi.org/10.1007/s10710-007-9028-8);
    that one paints a graph of layers is ours. The canvas has layers, y from -1 to 1 with the input before the first and
    the output behind the last, and lanes, x from -1 to 1. The CPPN is asked about pairs of places: about a place and
    itself, what stands there, and about two places, whether the second, in a later layer, reads the first. One output
    tells presence, one connection, one each how well an operation fits, one each goes through the choices of kernel,
    width, stride, activation, normalisation and merge where there are any, from -1 to 1.

    What is painted is repaired in this order, so that every genome develops: the place whose presence is highest is
    always there (`kept`); a node that reads nothing reads what it is connected to most strongly, as does an output that
    reads no node (`fed`); nodes that lead to no output are left out (`pruned`); behind a `linear` node, operations are
    what they amount to there, as in `Dag` (`flattened`).

    Attributes:
        name: The word for it in a spec.
        cppn: How CPPNs vary; its inputs and outputs are set from what it is asked.
        layers: Layers of the canvas, and thus the depth that an architecture may have.
        lanes: Places in a layer.
        reach: How many layers a connection may lead ahead; None: any number.
        presence: A node stands where the output of presence is above this.
        threshold: A place reads another where the output of connection is above this.
        queries: What the CPPN is asked with: words of `genomes.painting.QUERIES`.
        operations: As in `Dag`.
        kernels: As in `Dag`.
        widths: As in `Dag`.
        strides: As in `Dag`.
        activations: As in `Dag`.
        normalisations: As in `Dag`.
        merges: As in `Dag`.
        input_shape: `(channels, height, width)` or `(features,)`; a campaign sets it from its task.

    Raises:
        ValueError: If a choice is empty, unknown or out of range.
    """

    name: Literal["canvas"] = "canvas"
    cppn: Cppn = field(default_factory=Cppn)
    layers: int = 6
    lanes: int = 3
    reach: int | None = None
    presence: float = 0.0
    threshold: float = 0.2
    queries: tuple[str, ...] = ("source", "target")
    operations: tuple[str, ...] | None = None
    kernels: tuple[int, ...] = (1, 3, 5)
    widths: tuple[int, ...] = (8, 16, 24, 32, 48, 64)
    strides: tuple[int, ...] = (1, 2)
    activations: tuple[str, ...] = ("relu",)
    normalisations: tuple[str, ...] = ("batch",)
    merges: tuple[str, ...] = MERGES
    input_shape: tuple[int, ...] = (3, 32, 32)

    def __post_init__(self) -> None:
        check_painter(self.cppn, self.queries)
        if not (self.layers >= 1 and self.lanes >= 1 and self.layers * self.lanes <= MAX_PLACES):
            expected = f"1 or more each, and at most {MAX_PLACES:,} places"
            raise ValueError(f"layers, lanes: expected {expected}, got {self.layers} and {self.lanes}; correct them")
        if self.reach is not None and self.reach < 1:
            raise ValueError(f"reach: expected 1 or more, got {self.reach}; correct or remove it")
        for name in ("presence", "threshold"):
            if not -1 <= (value := getattr(self, name)) <= 1:
                raise ValueError(f"{name}: expected a number from -1 to 1, got {value}; correct it")
        self.direct  # noqa: B018 — words that are unknown are refused here.

    @property
    def abilities(self) -> frozenset[str]:
        """Genomes are measured many at once."""
        return frozenset((MEASURES_MANY, VARIES_MANY))

    @cached_property
    def direct(self) -> Dag:
        """The direct encoding of what is painted."""
        words = ("operations", "kernels", "widths", "strides", "activations", "normalisations", "merges", "input_shape")
        return Dag(**{name: getattr(self, name) for name in words})

    @cached_property
    def painter(self) -> Cppn:
        """The CPPN's own encoding."""
        return replace(self.cppn, n_inputs=n_queries(self.queries, 2), n_outputs=len(self.answers))

    @property
    def answers(self) -> tuple[str, ...]:
        """Names of the CPPN's outputs."""
        return ("presence", "connection", *self.direct.vocabulary, *self._choices)

    @cached_property
    def places(self) -> Values:
        """Where everything may stand, `(2 + layers × lanes, 2)`, x then y: the input, layer by layer, the output."""
        lanes = grid(self.lanes).values[:, 0]
        rows = 2 * np.arange(1, self.layers + 1) / (self.layers + 1) - 1
        inner = np.stack([np.tile(lanes, self.layers), np.repeat(rows, self.lanes)], -1)
        return np.concatenate([[[0.0, -1.0]], inner, [[0.0, 1.0]]])

    def for_task(self, input_shape: Shape, n_outputs: int) -> "Canvas":
        """The same encoding for a task's input; the number of outputs changes nothing.

        Args:
            input_shape: `(channels, height, width)` or `(features,)`.
            n_outputs: Values that are put out.

        Raises:
            ValueError: If the operations asked for cannot read it, or the CPPN would have other outputs.
        """
        return replace(self, input_shape=tuple(input_shape))

    def sample(self, decide: Decide, *, rng: np.random.Generator) -> NeatGenome:
        """Make a minimal CPPN with random weights."""
        return self.painter.sample(decide, rng=rng)

    def develop(self, genome: NeatGenome) -> Architecture:
        """The architecture that is painted; ids are the places."""
        return self.direct.develop(self.painted(genome))

    def painted(self, genome: NeatGenome) -> DagGenome:
        """What is painted as a genome of the direct encoding, whose markings are the places."""
        places, cppn = self.places, self.painter.develop(genome)
        n = len(places)
        answers = cppn.run(asked(self.queries, places[:, None], places).reshape(n * n, -1))
        answers = np.clip(np.nan_to_num(answers), -1.0, 1.0).reshape(n, n, -1)
        own = answers[np.arange(n), np.arange(n)]
        present = own[:, PRESENCE] > self.presence
        present[[0, -1]] = False
        present[1 + int(own[1:-1, PRESENCE].argmax())] = True
        present[[0, -1]] = True
        reads = self._read(answers[:, :, CONNECTION], present)
        names = [SOURCE, *(marking("canvas", repr(x), repr(y)) for x, y in places[1:-1].tolist()), OUTPUT]
        genes = {names[at]: self._gene(names[at], own[at]) for at in np.nonzero(present)[0].tolist() if at}
        edges = [(names[source], names[target]) for target, source in zip(*np.nonzero(reads.T), strict=True)]
        return ordered(genes, edges)

    @property
    def _choices(self) -> Mapping[str, tuple[Any, ...]]:
        """What an output each goes through, where there is a choice."""
        return {word: options for word, options in self.direct.columns.items() if len(options) > 1}

    def _read(self, strength: Values, present: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Which place is read by which, `(n, n)`."""
        layer = np.concatenate([[0], np.repeat(np.arange(1, self.layers + 1), self.lanes), [self.layers + 1]])
        ahead = layer - layer[:, None]
        possible = (ahead > 0) & present[:, None] & present
        wanted = possible if self.reach is None else possible & (ahead <= self.reach)
        reads = wanted & (strength > self.threshold)
        fed = reads.any(0)
        possible[0, -1], fed[-1] = False, reads[1:, -1].any()
        starved = np.nonzero(present & ~fed)[0]
        for target in starved[starved > 0].tolist():
            reads[np.where(possible[:, target], strength[:, target], -np.inf).argmax(), target] = True
        return reads

    def _gene(self, name: str, answers: Values) -> Gene:
        """What stands at a place."""
        words = self.direct.vocabulary
        operation = words[int(answers[FIRST_WORD : FIRST_WORD + len(words)].argmax())]
        row = {word: options[0] for word, options in self.direct.columns.items()}
        for value, (word, options) in zip(answers[FIRST_WORD + len(words) :], self._choices.items(), strict=True):
            row[word] = options[min(int((value + 1) / 2 * len(options)), len(options) - 1)]
        if name == OUTPUT:
            return Gene(OUTPUT, HEAD, merge=row["merge"])
        return Gene(name, operation, **{**row, "kernel": self.direct.kernel_for(operation, row["kernel"])})
