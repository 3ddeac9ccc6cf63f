"""Species: who belongs together, what each is worth, and how many offspring it gets.

Stanley & Miikkulainen 2002 (https://doi.org/10.1162/106365602320169811), sections 3.3 and 4.1.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from genomes.encoding import MEASURES_MANY, Encoding, Genome


class Member:
    """An evaluated individual as DEAP's operators of selection expect it.

    Attributes:
        id: Its number.
        genome: What its children are made from.
        value: Its fitness; of one number, so that DEAP's `fit_attr` can be it.
        size: Its parameters; 0 where nobody counted them.
    """

    __slots__ = ("genome", "id", "size", "value")

    def __init__(self, id: int, genome: Any, value: float, size: float = 0.0) -> None:
        self.id, self.genome, self.value, self.size = id, genome, value, size


@dataclass(frozen=True)
class Species:
    """Compatible individuals of one generation.

    Attributes:
        number: The same in every generation; counted from 0 in the order in which species arose.
        members: The fittest first, of equals the smaller, of these the older.
        best: The highest fitness that any generation of it reached.
        n_stale: Generations since then.
    """

    number: int
    members: tuple[Member, ...]
    best: float = -math.inf
    n_stale: int = 0

    @property
    def champion(self) -> Member:
        """Its fittest member."""
        return self.members[0]

    def survivors(self, fraction: float) -> tuple[Member, ...]:
        """Those of its members that may be parents, the fittest first: ⌊fraction · n⌋ + 1 as in Stanley's program."""
        return self.members[: int(fraction * len(self.members)) + 1]


@dataclass(frozen=True)
class Speciation:
    """How one generation was divided.

    Attributes:
        generation: Counted from 0.
        threshold: The compatibility distance below which two were of one species.
        members: By the number of a species the ids of its members, the fittest first.
    """

    generation: int
    threshold: float
    members: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    @property
    def champions(self) -> dict[int, int]:
        """By the number of a species the id of its fittest member."""
        return {number: ids[0] for number, ids in self.members.items()}


def divided(
    encoding: Encoding[Any], representatives: Sequence[Genome], genomes: Sequence[Genome], threshold: float
) -> list[int]:
    """Sort genomes into species: each into the first whose representative is nearer than the threshold.

    Who fits none founds a species, of which it is the representative for all that follow.

    Args:
        encoding: Measures distances; many at once where it can.
        representatives: Of the species there are.
        genomes: In the order in which they choose.
        threshold: δt, above 0.

    Returns:
        For each genome an index: below `len(representatives)` a species there was, from there on new ones in the order
        of their founders.
    """
    many = MEASURES_MANY in encoding.abilities
    chosen = np.full(len(genomes), -1)
    if len(representatives) and len(genomes):
        chosen = _first(_near(encoding, genomes, representatives, threshold))
    n_species, n_tried = len(representatives), 1
    while len(waiting := np.flatnonzero(chosen < 0)):
        left = [genomes[at] for at in waiting.tolist()]
        near = _near(encoding, left, left[:n_tried], threshold)
        founders: list[int] = []
        for at in range(near.shape[1]):
            if not near[at, founders].any():
                founders.append(at)
        found = _first(near[:, founders])
        chosen[waiting] = np.where(found < 0, -1, n_species + found)
        n_species += len(founders)
        # Where many distances are measured at once, many small steps would cost more than some in vain.
        n_tried = min(2 * n_tried, 64) if many else 1
    return [int(one) for one in chosen]


def _near(
    encoding: Any, genomes: Sequence[Genome], others: Sequence[Genome], threshold: float
) -> npt.NDArray[np.bool_]:
    """Which pairs are nearer than the threshold, `(len(genomes), len(others))`."""
    if MEASURES_MANY in encoding.abilities:
        return np.asarray(encoding.distances(genomes, others) < threshold)
    return np.array([[encoding.distance(one, other) < threshold for other in others] for one in genomes])


def _first(near: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """For each row the first index that is true, else -1."""
    return np.where(near.any(1), near.argmax(1), -1).astype(np.int64)


def ranked(members: Iterable[Member]) -> tuple[Member, ...]:
    """The fittest first, of equals the smaller, of these the one that came first."""
    return tuple(sorted(members, key=lambda one: (-one.value, one.size)))


def shares(species: Sequence[Species], population: Iterable[Member]) -> npt.NDArray[np.float64]:
    """What each species is worth by explicit fitness sharing: the sum of its members' fitnesses, each divided by n.

    Departure: where a fitness of the generation is negative, all are taken relative to the lowest of them, so that a
    sum is a part of a whole; and where no species is worth anything, all are worth the same.

    Args:
        species: Those that may reproduce.
        population: All of the generation.

    Returns:
        `(len(species),)`, positive or 0, at least one above 0; in units of the largest fitness.
    """
    values = [one.value for one in population]
    lowest = min(0.0, *values)
    scale = max(*values, -lowest) or 1.0
    worth = np.array([np.mean([one.value / scale for one in kind.members]) - lowest / scale for kind in species])
    return worth if worth.max() > 0 else np.ones(len(species))


def apportioned(shares: npt.ArrayLike, n: int) -> list[int]:
    """Divide `n` places in proportion to shares, exactly: the largest remainders get what rounding down leaves.

    Args:
        shares: `(m,)`, none negative, at least one above 0; of equal remainders the first comes first.
        n: Places.

    Returns:
        `m` counts, whose sum is `n`.
    """
    parts = np.asarray(shares, float)
    quotas = parts / parts.sum() * n
    counts = np.floor(quotas).astype(int)
    for index in np.argsort(counts - quotas, kind="stable")[: n - int(counts.sum())]:
        counts[index] += 1
    return [int(count) for count in counts]
