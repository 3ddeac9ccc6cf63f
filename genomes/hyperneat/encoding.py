"""HyperNEAT: a CPPN that paints the weights of a network over the places of a substrate."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isfinite
from typing import Literal

import numpy as np

from genomes.architecture import Architecture
from genomes.cppn import Cppn
from genomes.encoding import FIXED, LEARNS, MEASURES_MANY, VARIES_MANY, WEIGHTED, Decide
from genomes.hyperneat.development import Rule, developed
from genomes.hyperneat.seed import locally_seeded
from genomes.hyperneat.substrate import Hidden, Layout, Substrate, substrate
from genomes.neat.genome import NeatGenome
from genomes.operations import ACTIVATIONS, Shape
from genomes.painter import Painter, check_painter
from genomes.painting import Mode, n_queries
from genomes.words import meant

Expression = Literal["off", "on", "local"]
Outputs = Literal["one", "pair"]


@dataclass(frozen=True)
class HyperNeat(Painter):
    """Configuration of HyperNEAT (Stanley, D'Ambrosio & Gauci 2009, https://doi.org/10.1162/artl.2009.15.2.15202).

    A genome is that of a CPPN. It is asked for the weight between every two places of neighbouring layers, so that the
    same genome develops on a substrate of any resolution.

    Attributes:
        name: The word for it in a spec.
        cppn: How CPPNs vary; its inputs and outputs are set from the substrate.
        hidden: The layers between input and output: sheets such as `[8, 8]`, `same` for one like the sheet before it,
            and, before all sheets, convolutions such as `{channels = 8, kernel = 3}`.
        inputs: How a vector of inputs lies: on a `line`, or row by row on a `square`.
        outputs: How the outputs lie: on a `line`, row by row on a `square`, or on a grid such as `[11, 11]`.
        activation: Of hidden layers, a word of `genomes.operations.ACTIVATIONS`.
        mode: evolved: weights are what is painted. seeded: they begin so and are trained (Baldwin). through: training
            changes the CPPN, which is inherited so (a DPPN, Fernando et al. 2016, https://arxiv.org/abs/1606.02580).
        threshold: A connection is expressed where the CPPN's output is further than this from 0.
        scale: The largest weight.
        fan_in: True: the scale is divided by the root of the number of values that a place reads.
        leo: Link expression output (Verbancsics & Stanley 2011): `on`: an output of its own expresses connections, not
            the threshold. local: it is also seeded to express connections between near places.
        biases: True: an output of its own paints a bias for every place. False: there are no biases.
        separate: True: every pair of layers has outputs of its own, and places have no coordinate of depth.
        queries: What the CPPN is asked with: words of `genomes.painting.QUERIES`.
        input_shape: `(channels, height, width)` or `(features,)`; a campaign sets it from its task.
        n_outputs: Values that are put out; None: not known yet, a campaign sets it from its task.

    Raises:
        ValueError: If a choice is unknown or out of range.
    """

    name: Literal["hyperneat"] = "hyperneat"
    cppn: Cppn = field(default_factory=Cppn)
    hidden: tuple[Hidden, ...] = ()
    inputs: Layout = "line"
    outputs: Layout | tuple[int, ...] = "line"
    activation: str = "tanh"
    mode: Mode = "evolved"
    threshold: float = 0.2
    scale: float = 3.0
    fan_in: bool = False
    leo: Expression = "off"
    biases: bool = True
    separate: bool = False
    queries: tuple[str, ...] = ("source", "target")
    input_shape: tuple[int, ...] = (1, 8, 8)
    n_outputs: int | None = None

    def __post_init__(self) -> None:
        check_painter(self.cppn, self.queries)
        if self.activation not in ACTIVATIONS:
            expected, mend = ", ".join(ACTIVATIONS), meant(self.activation, ACTIVATIONS)
            raise ValueError(f"activation: expected one of {expected}, got {self.activation!r}; {mend}")
        if not 0 <= self.threshold < 1:
            raise ValueError(f"threshold: expected a number from 0 to below 1, got {self.threshold}; correct it")
        if not (0 < self.scale <= 1e6 and isfinite(self.scale)):
            raise ValueError(f"scale: expected a number above 0, at most 1,000,000, got {self.scale}; correct it")
        if self.leo == "local" and not {"source", "target"} <= {*self.queries}:
            raise ValueError("leo: expected source and target among the queries of a local seed; add them")
        self.substrate  # noqa: B018 — a layer that cannot be laid out is refused here.

    @property
    def abilities(self) -> frozenset[str]:
        """Genomes say what the weights are, and are measured many at once; what is trained through is taken back."""
        own = {"evolved": (FIXED,), "seeded": (), "through": (LEARNS,)}[self.mode]
        return frozenset((WEIGHTED, MEASURES_MANY, VARIES_MANY, *own))

    @cached_property
    def substrate(self) -> Substrate:
        """Where the weights lie; with one output where their number is not known."""
        n_outputs = self.n_outputs or (np.prod(self.outputs) if isinstance(self.outputs, tuple) else 1)
        return substrate(
            self.input_shape,
            int(n_outputs),
            self.hidden,
            inputs=self.inputs,
            outputs=self.outputs,
            deep=not self.separate,
        )

    @cached_property
    def rule(self) -> Rule:
        """How a CPPN's answers become weights."""
        return Rule(
            queries=self.queries,
            threshold=self.threshold,
            scale=self.scale,
            fan_in=self.fan_in,
            expression=self.leo != "off",
            biases=self.biases,
            separate=self.separate,
            mode=self.mode,
            activation=self.activation,
        )

    @cached_property
    def painter(self) -> Cppn:
        """The CPPN's own encoding."""
        n_inputs, n_outputs = self.rule.n_inputs(self.substrate), self.rule.n_outputs(self.substrate)
        return replace(self.cppn, n_inputs=n_inputs, n_outputs=n_outputs)

    @property
    def answers(self) -> tuple[str, ...]:
        """Names of the CPPN's outputs, numbered where pairs of layers have their own."""
        n = self.rule.n_pairs(self.substrate)
        words = ("weight", *["leo"] * self.rule.expression, *["bias"] * self.rule.biases)
        return tuple(f"{word} {at}" if n > 1 else word for word in words for at in range(n))

    def for_task(self, input_shape: Shape, n_outputs: int) -> "HyperNeat":
        """The same encoding for a task; the same genomes paint for tasks of other sizes.

        Args:
            input_shape: `(channels, height, width)` or `(features,)`.
            n_outputs: Values that are put out.

        Raises:
            ValueError: If the layers asked for cannot be laid out so.
        """
        return replace(self, input_shape=tuple(input_shape), n_outputs=n_outputs)

    def sample(self, decide: Decide, *, rng: np.random.Generator) -> NeatGenome:
        """Make a minimal CPPN with random weights, locally seeded where that is asked for."""
        genome = self.painter.sample(decide, rng=rng)
        if self.leo != "local":
            return genome
        n_pairs = self.rule.n_pairs(self.substrate)
        return locally_seeded(self.painter, genome, self._axes(), tuple(range(n_pairs, 2 * n_pairs)))

    def develop(self, genome: NeatGenome) -> Architecture:
        """The layers of the substrate, whose weights are painted; ids are their places in it.

        Raises:
            ValueError: If the number of outputs is not known.
        """
        if self.n_outputs is None and not isinstance(self.outputs, tuple):
            raise ValueError("n_outputs: expected the number of outputs, got none; call for_task or give it")
        return developed(self.painter.develop(genome), self.substrate, self.rule)

    def _axes(self) -> tuple[tuple[int, int], ...]:
        """For each axis but depth, the CPPN's inputs that are the source's and the target's coordinate."""
        n = self.substrate.n_dimensions
        begins = {word: n_queries(self.queries[:at], n) for at, word in enumerate(self.queries)}
        return tuple((begins["source"] + at, begins["target"] + at) for at in range(n - self.substrate.deep))
