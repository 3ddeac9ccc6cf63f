"""Statistics against values computed by hand."""

import math

import numpy as np
import pytest

from evonas.analysis.statistics import Curve, a12, anytime, kendall, mann_whitney, mean_interval


def test_the_interval_of_three_values() -> None:
    # s = 1, t(0.975, 2) = 4.3027: half a width of 4.3027 / √3.
    found = mean_interval([1.0, 2.0, 3.0])
    assert found.mean == 2.0
    assert found.n == 3
    assert found.high - 2 == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    assert 2 - found.low == pytest.approx(found.high - 2)


def test_a_lower_level_is_narrower() -> None:
    # t(0.75, 2) = 0.8165
    assert mean_interval([1.0, 2.0, 3.0], level=0.5).high == pytest.approx(2 + 0.8164966 / math.sqrt(3), rel=1e-6)


def test_intervals_of_little() -> None:
    one = mean_interval([5.0])
    assert (one.mean, one.n) == (5.0, 1)
    assert math.isnan(one.low)
    assert math.isnan(one.high)
    assert math.isnan(mean_interval([]).mean)
    assert mean_interval([]).n == 0
    assert mean_interval([2.0, 2.0])[:3] == (2.0, 2.0, 2.0)


@pytest.mark.parametrize("level", [0, 1, 95])
def test_a_level_is_a_fraction(level: float) -> None:
    with pytest.raises(ValueError, match=r"between 0 and 1.*0\.95 is usual"):
        mean_interval([1.0], level=level)


def test_a12_counts_wins_and_half_the_ties() -> None:
    # Of six pairs 3>1, 3>2, 2>1 are won and 2=2 is tied; 1=1 is tied, 1<2 lost.
    assert a12([3, 2, 1], [1, 2]) == pytest.approx((3 + 0.5 + 0.5) / 6)
    assert a12([2, 3], [0, 1]) == 1.0
    assert a12([0], [1, 2]) == 0.0
    assert a12([1, 1], [1, 1, 1]) == 0.5
    assert math.isnan(a12([], [1]))


def test_mann_whitney_is_two_sided_and_exact_where_it_can_be() -> None:
    # Of the 20 ways to choose 3 ranks of 6, one is as extreme on each side.
    assert mann_whitney([4, 5, 6], [1, 2, 3]) == pytest.approx(2 / 20)
    assert mann_whitney([1, 2, 3], [4, 5, 6]) == pytest.approx(2 / 20)
    assert mann_whitney([1, 1], [1, 1]) == 1.0
    assert mann_whitney([1], [2]) == 1.0
    assert math.isnan(mann_whitney([], [2]))


def test_kendall_corrects_for_ties() -> None:
    # Pairs of (1,1) (2,1) (3,2): two concordant, one tied in b; τ-b = 2 / √(3 · 2).
    assert kendall([1, 2, 3], [1, 1, 2]) == pytest.approx(2 / math.sqrt(6))
    assert kendall([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    assert kendall([1, 2], [7, 9]) == pytest.approx(1)


@pytest.mark.parametrize(("a", "b"), [([1], [2]), ([], []), ([1, 1], [1, 2]), ([1, 2], [3, 3])])
def test_kendall_of_what_ranks_nothing(a: list[float], b: list[float]) -> None:
    assert math.isnan(kendall(a, b))


def test_kendall_wants_pairs() -> None:
    with pytest.raises(ValueError, match="as many values in each, got 2 and 3"):
        kendall([1, 2], [1, 2, 3])


def test_anytime_is_what_a_run_would_answer() -> None:
    found = anytime([Curve([2, 4, 7], [0.5, 0.3, 0.9])], [0, 1.9, 2, 4, 6.9, 7, 100])
    np.testing.assert_array_equal(found, [[np.nan, np.nan, 0.5, 0.5, 0.5, 0.9, 0.9]])


def test_anytime_shows_one_value_and_selects_by_another() -> None:
    curve = Curve([1, 2, 3, 4], [0.8, 0.7, 0.9, 0.6], [-3.0, -2.0, math.nan, -2.0])
    np.testing.assert_array_equal(anytime([curve], [1, 2, 3, 4]), [[0.8, 0.7, 0.7, 0.7]])


def test_anytime_passes_over_failures_that_cost_nothing() -> None:
    curves = [Curve([0, 2, 2, 4], [math.nan, 0.1, 0.4, 0.2]), Curve([], [])]
    found = anytime(curves, [0, 2, 4])
    np.testing.assert_array_equal(found, [[np.nan, 0.4, 0.4], [np.nan] * 3])
    assert anytime([], [1, 2]).shape == (0, 2)


def test_anytime_wants_whole_curves() -> None:
    with pytest.raises(ValueError, match="columns of one length, got 2, 1 and 1"):
        anytime([Curve([1, 2], [3])], [1])
