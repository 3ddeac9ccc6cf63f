"""NEAT: networks of single neurons that start minimal and grow (Stanley & Miikkulainen 2002).

https://doi.org/10.1162/106365602320169811. Departures from the paper: markings are hashes of what made a gene
(`genomes/innovation.py`), so that homology holds across generations and what is excess has no age (`distance`); all
else is a choice of the configuration, whose defaults are the paper's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, compress
from math import isfinite, prod
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from genomes.encoding import LEARNS, MEASURES_MANY, NEURONS, VARIES_MANY, WEIGHTED, Birth, Decide, Variation
from genomes.mutation import weights_of
from genomes.neat import breeding, mating, operators
from genomes.neat.distance import distances
from genomes.neat.genome import NeatGenome
from genomes.neat.reading import MAX_CONNECTIONS, MAX_NEURONS, as_json, checked
from genomes.neat.sampling import decisions, sampled
from genomes.neurons import ACTIVATIONS, AGGREGATIONS, NeuronGraph
from genomes.operations import Shape
from genomes.words import OWN_ACTIVATION, meant

USUAL = {
    "add_node": 0.03,
    "add_connection": 0.05,
    "perturb_weights": 0.8,
    "perturb_biases": 0.4,
    "perturb_responses": 0.0,
    "toggle_connection": 0.01,
    "remove_node": 0.0,
    "remove_connection": 0.0,
    "change_activation": 0.03,
    "change_aggregation": 0.03,
}
"""How often each operator is tried. The first three are the paper's; it adds connections at .3 in large populations."""
Bias = Literal["input", "neuron", "both", "none"]
Distribution = Literal["uniform", "normal"]
Initial = Literal["full", "partial", "one", "none"]


@dataclass(frozen=True)
class Augmenting:
    """What `Neat` and `Cppn` share: augmenting topologies. One of those is what is configured.

    Attributes:
        name: The word for it in a spec.
        n_inputs: Values that come in; a campaign sets it from its task.
        n_outputs: Values that are put out; None: not known yet, a campaign sets it from its task.
        recurrent: True allows cycles; neurons then read the step before.
        recurrent_rate: How often a new connection closes a cycle where cycles are allowed.
        activations: What hidden neurons may have, words of `genomes.neurons.ACTIVATIONS`; a new one draws its own.
        output_activations: What output neurons may have.
        aggregations: What neurons may have, words of `genomes.neurons.AGGREGATIONS`.
        bias: input: connections may come from a source that is always 1, and add their weight to the neuron's sum.
            neuron: every neuron has a bias of its own. Or both, or none.
        initial: full: every input and the bias feed every output. partial: a part of these connections. one: each
            output reads one input (FS-NEAT, Whiteson et al. 2005) and the bias. none: nothing is connected.
        initial_fraction: The part of the connections where `initial` is partial.
        max_sampled: Hidden neurons a sampled genome has at most; 0 starts minimally, more is a control.
        neutral: True: a new node changes nothing in what the network computes.
        distribution: uniform or normal: how weights, biases and steps are drawn.
        weight_init: Bound, or standard deviation, of new weights.
        weight_power: That of a step of a weight.
        bias_init: That of new biases.
        bias_power: That of a step of a bias.
        response_power: That of a step of a response, and of new ones around 1.
        limit: No weight, bias or response that mutation changes gets beyond it.
        perturb_rate: The part of the values that a mutation of values changes, one at least.
        replace_rate: The part of these that are drawn anew.
        average_rate: The part of crossovers that take the mean of matching weights.
        disabled_rate: How often a gene is disabled in a child that is disabled in either parent.
        excess: The coefficient c1 of the compatibility distance.
        disjoint: Its coefficient c2.
        difference: Its coefficient c3.
        small: Genomes with fewer connections than this are compared with N = 1.
        max_nodes: Hidden neurons that evolution may reach.
        max_connections: Connections that evolution may reach.
        mutations: How often each operator is tried, by its name; what is absent has its usual weight, a 0 forbids it.

    Raises:
        ValueError: If a choice is empty, unknown or out of range.
    """

    name: str = ""
    n_inputs: int = 2
    n_outputs: int | None = None
    recurrent: bool = False
    recurrent_rate: float = 0.2
    activations: tuple[str, ...] = ("steep_sigmoid",)
    output_activations: tuple[str, ...] = ("steep_sigmoid",)
    aggregations: tuple[str, ...] = ("sum",)
    bias: Bias = "input"
    initial: Initial = "full"
    initial_fraction: float = 0.5
    max_sampled: int = 0
    neutral: bool = False
    distribution: Distribution = "uniform"
    weight_init: float = 1.0
    weight_power: float = 2.5
    bias_init: float = 1.0
    bias_power: float = 0.5
    response_power: float = 0.1
    limit: float = 30.0
    perturb_rate: float = 1.0
    replace_rate: float = 0.1
    average_rate: float = 0.0
    disabled_rate: float = 0.75
    excess: float = 1.0
    disjoint: float = 1.0
    difference: float = 0.4
    small: int = 20
    max_nodes: int = 1_000
    max_connections: int = 50_000
    mutations: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        known: dict[str, Mapping[str, Any]] = {
            "activations": ACTIVATIONS,
            "output_activations": ACTIVATIONS,
            "aggregations": AGGREGATIONS,
        }
        for field, words in known.items():
            chosen = getattr(self, field)
            if not chosen or len(set(chosen)) < len(chosen) or (unknown := [w for w in chosen if w not in words]):
                got = unknown if chosen and len(set(chosen)) == len(chosen) else list(chosen) or "none"
                mend = meant(chosen, words)
                own = OWN_ACTIVATION if words is ACTIVATIONS else ""
                raise ValueError(f"{field}: expected some of {', '.join(words)}{own}, each once, got {got}; {mend}")
        for field in ("recurrent_rate", "initial_fraction", "replace_rate", "average_rate", "disabled_rate"):
            self._in_range(field, 0, 1)
        self._in_range("perturb_rate", 0, 1, open_=True)
        for field in ("weight_init", "weight_power", "bias_init", "bias_power", "response_power", "limit"):
            self._in_range(field, 0, 1_000_000, open_=True)
        for field in ("weight_init", "bias_init"):
            if getattr(self, field) > self.limit:
                expected = f"at most the limit {self.limit:g}, beyond which no mutation leads"
                raise ValueError(f"{field}: expected {expected}, got {getattr(self, field):g}; lower it")
        for field in ("excess", "disjoint", "difference"):
            self._in_range(field, 0, 1_000_000)
        self._in_range("small", 0, 1 << 30)
        self._in_range("n_inputs", 1, MAX_CONNECTIONS)
        self._in_range("n_outputs", 1, MAX_NEURONS // 2)
        self._in_range("max_nodes", 0, MAX_NEURONS // 2)
        self._in_range("max_connections", 1, MAX_CONNECTIONS)
        self._in_range("max_sampled", 0, self.max_nodes)
        for field, options in (("bias", Bias), ("initial", Initial), ("distribution", Distribution)):
            if (got := getattr(self, field)) not in get_args(options):
                mend = meant(got, get_args(options))
                raise ValueError(f"{field}: expected one of {', '.join(get_args(options))}, got {got!r}; {mend}")
        weights_of(self.mutations, USUAL)

    def _in_range(self, field: str, least: float, most: float, *, open_: bool = False) -> None:
        value = getattr(self, field)
        if value is not None and not (least <= value <= most and not (open_ and value == least)):
            expected = f"more than {least:,} and at most {most:,}" if open_ else f"from {least:,} to {most:,}"
            raise ValueError(f"{field}: expected a number {expected}, got {value:,}; correct it")

    @property
    def mutation_weights(self) -> dict[str, float]:
        """The weight of every mutation operator."""
        return weights_of(self.mutations, USUAL)

    @cached_property
    def wheel(self) -> tuple[tuple[str, ...], tuple[float, ...]]:
        """The operators of positive weight, and the running sum of their weights."""
        weights = {name: weight for name, weight in self.mutation_weights.items() if weight > 0}
        return tuple(weights), tuple(accumulate(weights.values()))

    @property
    def bias_input(self) -> bool:
        """True if connections may come from the bias."""
        return self.bias in ("input", "both")

    @property
    def neuron_bias(self) -> bool:
        """True if neurons have a bias of their own that evolves."""
        return self.bias in ("neuron", "both")

    @property
    def decisions(self) -> Mapping[str, int]:
        """The kinds of decision `sample` takes and their option counts."""
        return decisions(self)

    @property
    def abilities(self) -> frozenset[str]:
        """Genomes say what the weights are, take trained ones back, and are measured and varied many at once."""
        return frozenset((WEIGHTED, NEURONS, LEARNS, MEASURES_MANY, VARIES_MANY))

    def for_task(self, input_shape: Shape, n_outputs: int) -> "Augmenting":
        """The same encoding for a task.

        Args:
            input_shape: `(channels, height, width)`, which is flattened, or `(features,)`.
            n_outputs: Values that are put out.

        Raises:
            ValueError: If the configuration names another number of outputs.
        """
        if self.n_outputs not in (None, n_outputs):
            raise ValueError(f"n_outputs: expected {n_outputs}, as the task has, got {self.n_outputs}; remove it")
        return replace(self, n_inputs=prod(input_shape), n_outputs=n_outputs)

    def sample(self, decide: Decide, *, rng: np.random.Generator) -> NeatGenome:
        """Make a minimal genome with random weights.

        Raises:
            ValueError: If the number of outputs is not known.
        """
        return sampled(self, decide, rng)

    def mutate(self, genome: NeatGenome, *, rng: np.random.Generator) -> Variation[NeatGenome]:
        """Apply one operator, drawn by weight among those that fit this genome."""
        return operators.mutate(self, genome, rng=rng)

    def crossover(self, a: NeatGenome, b: NeatGenome, *, rng: np.random.Generator) -> Variation[NeatGenome]:
        """Align two genomes by their markings; `a` is the fitter, and of equally fit ones that with fewer genes."""
        return mating.crossover(self, a, b, rng=rng)

    def vary(self, births: Sequence[Birth], *, rng: np.random.Generator) -> list[tuple[NeatGenome, str]]:
        """Make all children of a generation at once; see `genomes.neat.breeding`."""
        return breeding.vary(self, births, rng=rng)

    def develop(self, genome: NeatGenome) -> NeuronGraph:
        """The network, without what is disabled; a connection from the bias is part of its neuron's bias."""
        wiring, biases, weights = genome.wiring, genome.biases, genome.weights
        kept, sources, targets, markings, biasing = wiring.layout(genome.enabled)
        if biasing:
            changed = list(biases)
            for at, neuron in biasing:
                changed[neuron] += weights[at]
            biases = tuple(changed)
        if len(markings) < len(weights):
            weights = tuple(compress(weights, kept))
        return NeuronGraph(
            wiring.n_inputs,
            wiring.outputs,
            wiring.ids,
            genome.activations,
            genome.aggregations,
            biases,
            genome.responses,
            sources,
            targets,
            weights,
            markings,
            self.recurrent,
        )

    def learn(self, genome: NeatGenome, values: Mapping[str, float]) -> NeatGenome:
        """The genome with trained values.

        What a neuron's bias has become is written to its connection from the bias, if that is enabled, else to the
        neuron.

        Args:
            genome: What was trained.
            values: By marking: of a connection its weight, of a neuron its bias.

        Raises:
            ValueError: If a marking is not one of this genome, or a value is not finite.
        """
        wiring = genome.wiring
        weights, biases = list(genome.weights), list(genome.biases)
        through = {neuron: at for at, neuron in wiring.biasing if genome.enabled[at]}
        for name, value in values.items():
            if not isfinite(value):
                raise ValueError(f"gene {name}: expected a finite value, got {value}; train with smaller steps")
            if (at := wiring.at.get(name)) is not None:
                weights[at] = float(value)
            elif (neuron := wiring.neuron_at.get(name)) is None:
                raise ValueError(f"gene {name}: expected one of genome {genome.digest}, got none of its; remove it")
            elif neuron in through:
                weights[through[neuron]] = float(value) - genome.biases[neuron]
            else:
                biases[neuron] = float(value)
        return replace(genome, weights=tuple(weights), biases=tuple(biases))

    def distance(self, a: NeatGenome, b: NeatGenome) -> float:
        """The compatibility distance; see `genomes.neat.distance.distances`."""
        return float(self.distances((a,), (b,))[0, 0])

    def distances(self, a: Sequence[NeatGenome], b: Sequence[NeatGenome]) -> npt.NDArray[np.float64]:
        """The compatibility distance of every pair, `(len(a), len(b))`."""
        return distances(a, b, excess=self.excess, disjoint=self.disjoint, difference=self.difference, small=self.small)

    def to_json(self, genome: NeatGenome) -> dict[str, Any]:
        """The genome as versioned JSON."""
        return {"encoding": self.name, "version": 1, **as_json(genome)}

    def from_json(self, data: Mapping[str, Any]) -> NeatGenome:
        """The genome that `to_json` wrote.

        Raises:
            ValueError: If it is another kind, version or size of genome, a value is out of range, or its graph is not
                whole.
        """
        sizes = None if self.n_outputs is None else (self.n_inputs, self.n_outputs)
        return checked(data, self.name, recurrent=self.recurrent, sizes=sizes)


@dataclass(frozen=True)
class Neat(Augmenting):
    """Configuration of NEAT: every attribute is that of `Augmenting`, and every default the paper's."""

    name: Literal["neat"] = "neat"
