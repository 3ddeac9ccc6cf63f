"""What an encoding is: how genomes are sampled, varied and developed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from genomes.architecture import Architecture
from genomes.neurons import NeuronGraph
from genomes.operations import Shape

Site = tuple[str | int, ...]
"""Where a decision is taken: its kind, then its position."""

Decide = Callable[[Site, int], int]
"""`decide(site, n_options) -> index`. Drawn uniformly it is random search; a policy or a trace fit as well."""

SEQUENCES = "sequences"
"""Ability of an encoding whose networks read a sequence step by step, and carry a state from one step to the next."""

WEIGHTED = "weighted"
"""Ability of an encoding whose genomes say what the weights are: its networks can be judged untrained, and nothing is
inherited but the genome."""
FIXED = "fixed"
"""Ability of an encoding whose networks hold nothing that can be trained."""
NEURONS = "neurons"
"""Ability of an encoding whose genomes develop into a `NeuronGraph`; those of the others into an `Architecture`."""
LEARNS = "learns"
"""Ability of an encoding that is also a `Learns`."""
MEASURES_MANY = "measures_many"
"""Ability of an encoding that is also a `DistancesMany`."""
VARIES_MANY = "varies_many"
"""Ability of an encoding that is also a `VariesMany`."""
DEVELOPS_MANY = "develops_many"
"""Ability of an encoding that is also a `DevelopsMany`."""

Phenotype = Architecture | NeuronGraph
"""What a genome develops into, the only thing the engine sees."""

POINTER = 0
"""The option count declared for decisions that point to something made earlier, whose number of options grows."""


class Genome(Protocol):
    """What evolves: a frozen value of tuples, hashable, without arrays, fitness or ids of individuals."""

    @property
    def digest(self) -> str:
        """16 hexadecimal digits over all that the genome holds."""


G = TypeVar("G", bound=Genome)
G_contra = TypeVar("G_contra", bound=Genome, contravariant=True)


@dataclass(frozen=True)
class Variation(Generic[G]):
    """A genome made from others.

    Attributes:
        genome: The new genome; the parents are unchanged.
        operator: The operator's name, a verb such as `split_edge`.
        touched: Markings of the genes it made, changed or removed.
    """

    genome: G
    operator: str
    touched: tuple[str, ...]


class Encoding(Protocol[G]):
    """A frozen, validated configuration that knows how one kind of genome varies and develops."""

    @property
    def name(self) -> str:
        """The word for it in a spec."""

    @property
    def decisions(self) -> Mapping[str, int]:
        """The finite kinds of decision `sample` takes and their option counts; `POINTER` where they grow."""

    @property
    def abilities(self) -> frozenset[str]:
        """Names of the optional protocols this encoding also fulfils."""

    def for_task(self, input_shape: Shape, n_outputs: int) -> "Encoding[G]":
        """The same encoding with all that depends on a task fixed.

        Args:
            input_shape: `(channels, height, width)` or `(features,)`.
            n_outputs: Values that a network puts out.

        Raises:
            ValueError: If the encoding does not fit them; the message begins with the field that is wrong.
        """

    def sample(self, decide: Decide, *, rng: np.random.Generator) -> G:
        """Make a genome: discrete structure through `decide`, real values from `rng`."""

    def mutate(self, genome: G, *, rng: np.random.Generator) -> Variation[G]:
        """Vary one genome."""

    def crossover(self, a: G, b: G, *, rng: np.random.Generator) -> Variation[G]:
        """Combine two genomes; `a` is the fitter."""

    def develop(self, genome: G) -> Phenotype:
        """Grow the phenotype, the only thing the engine sees."""

    def distance(self, a: G, b: G) -> float:
        """How different two genomes are: 0 for equal ones, symmetric."""

    def to_json(self, genome: G) -> dict[str, Any]:
        """The genome as versioned JSON, without loss."""

    def from_json(self, data: Mapping[str, Any]) -> G:
        """The genome that `to_json` wrote.

        Raises:
            ValueError: If the data are no such genome.
        """


@runtime_checkable
class Learns(Protocol[G]):
    """An encoding that writes trained values back into a genome: what was learnt is inherited (Lamarck)."""

    def learn(self, genome: G, values: Mapping[str, float]) -> G:
        """The genome with other values.

        Args:
            genome: What was trained.
            values: By marking: of a connection its weight, of a neuron its bias.

        Raises:
            ValueError: If a marking is not one of this genome.
        """


@runtime_checkable
class DistancesMany(Protocol[G_contra]):
    """An encoding that measures many distances at once."""

    def distances(self, a: Sequence[G_contra], b: Sequence[G_contra]) -> npt.NDArray[np.float64]:
        """What `distance` gives for every pair, `(len(a), len(b))`."""


class Birth(NamedTuple):
    """How a child is going to be made.

    Attributes:
        parents: One genome, or two that are crossed, the fitter first.
        mutated: Whether a child of two is mutated as well; a child of one always is.
    """

    parents: tuple[Any, ...]
    mutated: bool = True


@runtime_checkable
class VariesMany(Protocol[G]):
    """An encoding that makes all children of a generation at once, in less time than one after another."""

    def vary(self, births: Sequence[Birth], *, rng: np.random.Generator) -> list[tuple[G, str]]:
        """The children, distributed as those of `mutate` and `crossover`, and the operator that made each.

        That of a child of two that is mutated is `crossover+perturb_weights`, say.
        """


@runtime_checkable
class DevelopsMany(Protocol[G_contra]):
    """An encoding that develops many genomes at once, in less time than one after another."""

    def develop_many(self, genomes: Sequence[G_contra]) -> Sequence[Phenotype]:
        """What `develop` gives for each, which does not depend on the others."""


def uniform(rng: np.random.Generator) -> Decide:
    """Decisions drawn uniformly: random search."""
    return lambda site, n_options: int(rng.integers(n_options))
