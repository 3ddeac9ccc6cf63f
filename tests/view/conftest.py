"""Campaigns that were never run."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from evonas.record import Individual

OPERATORS = ("split_edge", "add_edge", "change_operation", "widen", "change_kernel", "drop_node")


def _individual(number: int, **fields: Any) -> Individual:
    known: dict[str, Any] = {"state": "complete", "parents": (), "operator": "sample", "donors": (), "generation": 0}
    known |= {"genome": "{}", "genome_digest": f"{number:016x}", "digest": f"{number:016x}", "fitness": 0.5}
    return Individual(id=number, **{**known, **fields})


def _campaign(n: int, seed: int, *, population: int = 20) -> list[Individual]:
    rng = np.random.default_rng(seed)
    made: list[Individual] = []
    for number in range(n):
        alive = [one for one in made if one.fitness is not None][-2 * population :]
        parents: tuple[int, ...] = ()
        operator, fitness = "sample", 0.3 + 0.1 * rng.standard_normal()
        if number >= population:
            drawn = [alive[i] for i in rng.choice(len(alive), size=min(5, len(alive)), replace=False)]
            drawn.sort(key=lambda one: -(one.fitness or 0.0))
            fitness = (drawn[0].fitness or 0.0) + 0.003 - 0.03 * rng.exponential() + 0.03 * rng.random()
            parents, operator = (drawn[0].id,), OPERATORS[rng.integers(len(OPERATORS))]
            if rng.random() < 0.25:
                parents, operator = (drawn[0].id, drawn[1].id), f"crossover+{operator}"
        known: dict[str, Any] = {"parents": parents, "operator": operator, "elapsed": float(number)}
        if rng.random() < 0.05:
            made.append(_individual(number, **known, state="failed", fitness=None))
        else:
            made.append(_individual(number, **known, fitness=float(fitness)))
    return made


@pytest.fixture(scope="session")
def individual() -> Callable[..., Individual]:
    """Makes a successful individual without parents, unless told otherwise: `individual(number, **fields)`."""
    return _individual


@pytest.fixture(scope="session")
def campaign() -> Callable[..., list[Individual]]:
    """Makes an evolution with crossover and failures: `campaign(n, seed)`."""
    return _campaign
