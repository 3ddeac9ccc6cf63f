"""What was spent when each result was known."""

import pytest

from evonas.analysis.spending import AXES, spent
from evonas.record import COMPLETE, FAILED, PENDING, Individual


def individual(id: int, elapsed: float, epochs: int, state: str = COMPLETE) -> Individual:
    return Individual(id, state, (), "sample", (), 0, "{}", "", "", epochs=epochs, elapsed=elapsed)  # type: ignore[arg-type]


TOLD = [
    individual(0, 2.5, 4),
    individual(1, 1.5, 0, FAILED),
    individual(2, 4.0, 3),
    individual(3, 0.0, 0, PENDING),
]


@pytest.mark.parametrize(("axis", "amounts"), [*zip(AXES, ([1, 2, 3], [0, 4, 7], [1.5, 2.5, 4.0]), strict=True)])
def test_results_count_in_the_order_of_telling(axis: str, amounts: list[float]) -> None:
    told, found = spent(TOLD, axis)  # type: ignore[arg-type]
    assert [one.id for one in told] == [1, 0, 2]
    assert found.tolist() == amounts


def test_another_axis_is_refused() -> None:
    with pytest.raises(ValueError, match="axis: expected one of evaluations, epochs, seconds, got 'hours'"):
        spent(TOLD, "hours")  # type: ignore[arg-type]
