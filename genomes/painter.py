"""What encodings share whose genome is that of a CPPN: they vary it, and differ in what they develop from it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from genomes.cppn import Cppn
from genomes.encoding import Birth, Variation
from genomes.neat.genome import NeatGenome
from genomes.neat.reading import checked
from genomes.painting import QUERIES
from genomes.words import meant


class Painter(ABC):
    """An encoding whose genome is that of a CPPN. What varies and measures genomes is CPPN-NEAT.

    Its genomes are written as those of `Cppn`: one that paints this may be read to paint that.
    """

    @property
    @abstractmethod
    def painter(self) -> Cppn:
        """The CPPN's own encoding, with as many inputs and outputs as are asked for."""

    @property
    @abstractmethod
    def answers(self) -> tuple[str, ...]:
        """Names of the CPPN's outputs: what it is asked for."""

    @property
    def decisions(self) -> Mapping[str, int]:
        """The kinds of decision `sample` takes and their option counts."""
        return self.painter.decisions

    def mutate(self, genome: NeatGenome, *, rng: np.random.Generator) -> Variation[NeatGenome]:
        """Apply one operator, drawn by weight among those that fit this genome."""
        return self.painter.mutate(genome, rng=rng)

    def crossover(self, a: NeatGenome, b: NeatGenome, *, rng: np.random.Generator) -> Variation[NeatGenome]:
        """Align two genomes by their markings; `a` is the fitter."""
        return self.painter.crossover(a, b, rng=rng)

    def vary(self, births: Sequence[Birth], *, rng: np.random.Generator) -> list[tuple[NeatGenome, str]]:
        """Make all children of a generation at once."""
        return self.painter.vary(births, rng=rng)

    def distance(self, a: NeatGenome, b: NeatGenome) -> float:
        """The compatibility distance of NEAT."""
        return self.painter.distance(a, b)

    def distances(self, a: Sequence[NeatGenome], b: Sequence[NeatGenome]) -> npt.NDArray[np.float64]:
        """What `distance` gives for every pair, `(len(a), len(b))`."""
        return self.painter.distances(a, b)

    def learn(self, genome: NeatGenome, values: Mapping[str, float]) -> NeatGenome:
        """The genome with trained values of its CPPN; see `genomes.encoding.Learns`."""
        return self.painter.learn(genome, values)

    def to_json(self, genome: NeatGenome) -> dict[str, Any]:
        """The genome as versioned JSON, that of a CPPN."""
        return self.painter.to_json(genome)

    def from_json(self, data: Mapping[str, Any]) -> NeatGenome:
        """The genome that `to_json` wrote.

        Raises:
            ValueError: If the data are no genome of a CPPN, or of one with other inputs or outputs.
        """
        painter = self.painter
        genome = checked(data, painter.name, recurrent=painter.recurrent)
        got = genome.wiring.n_inputs, genome.wiring.n_outputs
        if got != (painter.n_inputs, painter.n_outputs):
            expected = f"a CPPN of {painter.n_inputs} inputs and {painter.n_outputs} outputs"
            raise ValueError(f"expected {expected}, got {got[0]} and {got[1]}; use the substrate that it evolved on")
        return genome


def check_painter(cppn: Cppn, queries: tuple[str, ...]) -> None:
    """Check that a configured CPPN can paint, and what it is asked with.

    Raises:
        ValueError: If it is recurrent, or there are no queries or unknown ones.
    """
    if cppn.recurrent:
        raise ValueError("cppn.recurrent: expected a CPPN without cycles to paint with, got true; remove it")
    if not queries or len({*queries}) < len(queries) or not {*queries} <= {*QUERIES}:
        expected, mend = ", ".join(QUERIES), meant(queries, QUERIES, "correct them")
        raise ValueError(f"queries: expected some of {expected}, each once, got {list(queries)}; {mend}")
