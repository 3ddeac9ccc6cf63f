"""What operators do to fitness."""

from dataclasses import replace
from typing import Any

import pytest

from evonas.analysis.effects import CROSSED, effects
from evonas.record import COMPLETE, FAILED, PENDING, Individual


def individual(id: int, fitness: float | None, *parents: int, operator: str = "sample", **fields: Any) -> Individual:
    state: Any = COMPLETE if fitness is not None else FAILED
    return replace(Individual(id, state, parents, operator, (), 0, "{}", "", "", fitness), **fields)


FAMILY = [
    individual(0, 0.5),
    individual(1, 0.3),
    individual(2, 0.6, 0, operator="widen"),
    individual(3, 0.25, 1, operator="widen"),
    individual(4, None, 1, operator="widen"),
    individual(5, 0.9, 2, 1, operator="crossover+widen"),
    individual(6, 0.7, 2, 1, operator="crossover+split_edge"),
    individual(7, 0.5, 2, 1, operator="crossover"),
    individual(8, None, 2, operator="split_edge"),
    individual(9, None, 2, operator="widen", state=PENDING),
]


def test_a_gain_is_fitness_less_that_of_the_first_parent() -> None:
    found = {effect.operator: effect for effect in effects(FAMILY[::-1])}
    assert found.keys() == {"widen", CROSSED, "crossover", "split_edge"}
    assert found["widen"].children == (2, 3)
    assert found["widen"].gains == pytest.approx((0.1, -0.05))
    assert found[CROSSED].gains == pytest.approx((0.3, 0.1))
    assert found["crossover"].gains == pytest.approx((-0.1,))


def test_failures_count_and_lower_the_part_that_improved() -> None:
    widen = next(effect for effect in effects(FAMILY) if effect.operator == "widen")
    assert (widen.n, widen.n_failed) == (3, 1)
    assert widen.median == pytest.approx(0.025)
    assert widen.improved == pytest.approx(1 / 3)


def test_the_highest_median_comes_first_and_what_only_failed_last() -> None:
    assert [effect.operator for effect in effects(FAMILY)] == [CROSSED, "widen", "crossover", "split_edge"]


def test_children_of_parents_without_fitness_and_what_has_no_parent_are_left_out() -> None:
    assert effects(FAMILY[:2]) == []
    assert effects([individual(0, None), individual(1, 0.5, 0, operator="widen")]) == []
    assert effects([]) == []
