"""Several objectives in evolution: NSGA-II of Deb, Pratap, Agarwal & Meyarivan 2002
(https://doi.org/10.1109/4235.996017), on DEAP.

Departures: a tournament compares by dominance between the drawn, not by the number of the front they lie on, and
draws as many individuals as the configuration says, with replacement (DEAP's `selTournamentDCD` takes two, and
multiples of four of them). Fronts are sorted in the manner of Fortin, Grenier & Parizeau 2013, `nd="log"` in DEAP.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from deap import base, tools


class Fitness(base.Fitness):
    """One value to maximise; a campaign's objective is turned into it.

    Attributes:
        crowding_dist: How far the neighbours on its front are, where NSGA-II has measured it.
    """

    weights: tuple[float, ...] = (1.0,)
    crowding_dist = 0.0


@lru_cache
def fitness_class(n_objectives: int) -> type[Fitness]:
    """The fitness of so many values, each to be maximised."""
    return (
        Fitness if n_objectives == 1 else type(f"Fitness{n_objectives}", (Fitness,), {"weights": (1.0,) * n_objectives})
    )


def survivors(members: Sequence[Any], k: int) -> list[Any]:
    """The `k` on the best fronts, of the last of them the least crowded; their crowding distances are set."""
    return list(tools.selNSGA2(members, k, nd="log")) if members and k else []


def crowded_tournament(members: Sequence[Any], k: int, tournsize: int) -> list[Any]:
    """Draw `k` times `tournsize` individuals with replacement; of each draw the winner.

    One wins over another if it dominates it, or if neither does and it is less crowded; the first drawn wins a tie.
    """
    chosen = []
    for _ in range(k):
        winner, *others = tools.selRandom(members, tournsize)
        for other in others:
            if _beats(other.fitness, winner.fitness):
                winner = other
        chosen.append(winner)
    return chosen


def _beats(a: Fitness, b: Fitness) -> bool:
    if a.dominates(b):
        return True
    return not b.dominates(a) and a.crowding_dist > b.crowding_dist
