"""The front's hypervolume, against areas counted by hand."""

import numpy as np
import pytest

from evonas.analysis.front import front, hypervolume_curve
from evonas.campaign import Objectives
from evonas.record import COMPLETE, FAILED, PENDING, Individual, State

TWO = Objectives(maximize=("accuracy",), minimize=("parameters",))


def individual(
    id: int, accuracy: float, parameters: float, *, loss: float = 1.0, state: State = COMPLETE
) -> Individual:
    metrics = {"accuracy": accuracy, "parameters": parameters, "loss": loss} if state == COMPLETE else {}
    return Individual(id, state, (), "sample", (), 0, "{}", "g", "a", accuracy, metrics, elapsed=float(id))


TOLD = [
    individual(0, 0.0, 0.0, state=FAILED),
    individual(1, 0.2, 100.0),  # the worst of both, with 4: at (0, 0)
    individual(2, 0.6, 60.0),  # at (0.5, 0.5)
    individual(3, 0.4, 20.0),  # at (0.25, 1)
    individual(4, 0.3, 100.0),
    individual(5, 1.0, 100.0),  # at (1, 0)
    individual(6, 0.8, 40.0),  # at (0.75, 0.75)
    individual(7, 0.0, 0.0, state=PENDING),
]
BY_HAND = [0, 0, 0.25, 0.25 + 0.125, 0.375, 0.375, 0.25 + 0.5 * 0.75]


def test_it_grows_by_the_area_that_each_evaluation_adds() -> None:
    assert hypervolume_curve(TOLD, TWO) == pytest.approx(BY_HAND)
    assert hypervolume_curve(TOLD[::-1], TWO) == pytest.approx(BY_HAND), "in the order of telling"


def test_it_is_between_nothing_and_all() -> None:
    assert hypervolume_curve([individual(0, 0.2, 100), individual(1, 1.0, 20)], TWO).tolist() == [0, 1]
    assert hypervolume_curve([], TWO).tolist() == []
    assert hypervolume_curve(TOLD[:1], TWO).tolist() == [0]


def test_an_objective_that_never_differs_counts_as_one() -> None:
    told = [individual(0, 0.2, 50), individual(1, 0.6, 50), individual(2, 1.0, 50)]
    assert hypervolume_curve(told, TWO) == pytest.approx([0, 0.5, 1])


def test_it_is_comparable_on_one_scale() -> None:
    rival = [individual(0, 0.2, 20), individual(1, 0.6, 60)]
    scale = [*TOLD, *rival]
    assert hypervolume_curve(TOLD, TWO, scale=scale) == pytest.approx(BY_HAND)
    assert hypervolume_curve(rival, TWO, scale=scale) == pytest.approx([0, 0.25])
    assert hypervolume_curve(rival, TWO) == pytest.approx([0, 0])


def test_three_objectives_span_a_volume() -> None:
    objectives = Objectives(maximize=("accuracy",), minimize=("parameters", "loss"))
    told = [individual(0, 0.0, 10.0), individual(1, 1.0, 0.0), individual(2, 0.5, 5.0, loss=0.0)]
    assert hypervolume_curve(told, objectives) == pytest.approx([0, 0, 0.25])


def test_the_front_is_the_best_first() -> None:
    assert [one.id for one in front(TOLD, TWO)] == [5, 6, 3]
    assert np.all(np.diff(hypervolume_curve(TOLD, TWO)) >= 0)
