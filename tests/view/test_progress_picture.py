import numpy as np
import pytest
from matplotlib.figure import Figure

from evonas.view import hypervolume, progress


def line(ax, gid):
    (found,) = [one for one in ax.lines if one.get_gid() == gid]
    return np.asarray(found.get_xdata()), np.asarray(found.get_ydata())


def test_the_best_so_far_counts_evaluations_told_in_their_order(individual):
    told = [
        individual(3, fitness=0.5, elapsed=3.0),
        individual(0, state="failed", fitness=None, elapsed=1.0),
        individual(1, fitness=0.4, elapsed=2.0),
        individual(2, fitness=0.6, elapsed=8.0),
        individual(4, state="pending", fitness=None),
    ]
    at, best = line(progress(told), "best")
    assert at.tolist() == [2, 3, 4]
    assert best.tolist() == [0.4, 0.5, 0.6]


def test_every_success_is_a_dot_and_every_failure_a_tick(campaign):
    told = campaign(200, 1)
    dots, ticks = progress(told).collections[:2]
    n_failed = sum(one.state == "failed" for one in told)
    assert len(dots.get_offsets()) == 200 - n_failed
    assert len(ticks.get_offsets()) == n_failed > 0


def test_the_median_is_that_of_the_latest_ten(individual):
    told = [individual(i, fitness=float(i)) for i in range(30)]
    at, middle = line(progress(told), "median")
    assert at[0] == 10
    assert middle.tolist() == [np.median(range(i - 10, i)) for i in at]


@pytest.mark.parametrize(("axis", "amounts"), [("epochs", [2, 5]), ("seconds", [0.5, 9.25])])
def test_what_was_spent_can_be_chosen(individual, axis, amounts):
    told = [individual(0, epochs=2, elapsed=0.5), individual(1, epochs=3, elapsed=9.25)]
    ax = progress(told, axis=axis)
    assert line(ax, "best")[0].tolist() == amounts
    assert ax.get_xlabel() == axis


def test_first_results_far_below_the_others_are_marked_at_the_lower_end(individual):
    told = [individual(i, fitness=0.9 + i / 1000, elapsed=float(i)) for i in range(30)]
    told[0] = individual(0, fitness=-20.0)
    ax = progress(told)
    (below,) = [one for one in ax.collections if one.get_gid() == "below"]
    assert below.get_offsets()[:, 0].tolist() == [1]
    assert 0.5 < ax.get_ylim()[0] < below.get_offsets()[0, 1] < 0.9
    assert "below the picture (1)" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_the_control_is_dashed_and_both_are_named(campaign):
    ax = progress(campaign(60, 1), control=campaign(40, 2), label="ageing", control_label="chance")
    assert line(ax, "control")[0][-1] == 40
    (control,) = [one for one in ax.lines if one.get_gid() == "control"]
    (best,) = [one for one in ax.lines if one.get_gid() == "best"]
    assert control.is_dashed()
    assert control.get_color() != best.get_color()
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert {"ageing, best", "chance, best"} < set(names)


@pytest.mark.parametrize("n", [0, 1, 5])
def test_nothing_to_show_is_said(individual, n):
    ax = progress([individual(i, state="failed", fitness=None) for i in range(n)])
    (text,) = ax.texts
    assert "nothing to show" in text.get_text()
    assert not ax.lines
    ax.get_figure().draw_without_rendering()


def test_one_individual_is_drawn(individual):
    ax = progress([individual(0)])
    assert line(ax, "best")[1].tolist() == [0.5]
    ax.get_figure().draw_without_rendering()


def test_a_control_is_drawn_even_where_all_else_failed(individual):
    ax = progress([individual(0, state="failed", fitness=None)], control=[individual(0)])
    assert line(ax, "control")[1].tolist() == [0.5]
    ax.get_figure().draw_without_rendering()


def test_a_value_that_is_not_finite_is_no_fitness(individual):
    told = [individual(0, fitness=float("nan")), individual(1, fitness=float("inf")), individual(2, fitness=0.1)]
    assert line(progress(told), "best")[1].tolist() == [0.1]


def test_given_axes_are_used(campaign):
    left, right = Figure().subplots(1, 2)
    assert progress(campaign(30, 1), ax=left) is left
    assert not right.lines


# Hypervolume


def test_hypervolume_is_drawn_over_what_was_spent_beside_the_control(individual):
    told = [individual(0, epochs=8), individual(1, state="failed", fitness=None, epochs=0), individual(2, epochs=5)]
    rival = [individual(0, epochs=8), individual(1, epochs=8)]
    ax = hypervolume(told, np.array([0.1, 0.1, 0.7]), control=rival, control_curve=[0.2, 0.3], axis="epochs")
    assert [values.tolist() for values in line(ax, "best")] == [[8, 8, 13], [0.1, 0.1, 0.7]]
    assert [values.tolist() for values in line(ax, "control")] == [[8, 16], [0.2, 0.3]]
    assert ax.get_ylabel() == "hypervolume of the front"
    assert len(ax.collections[0].get_offsets()) == 1
    ax.get_figure().draw_without_rendering()


def test_hypervolume_of_nothing_is_said(individual):
    ax = hypervolume([individual(0, state="failed", fitness=None)], np.zeros(1))
    assert "nothing to show" in ax.texts[0].get_text()
    assert not ax.lines


def test_one_failure_to_learn_among_equals_is_marked_below_them(individual):
    told = [individual(i, fitness=0.3 if i == 4 else 1.0, elapsed=float(i)) for i in range(6)]
    ax = progress(told)
    low, high = ax.get_ylim()
    assert 0.3 < low < 1.0 < high
    assert [one.get_gid() for one in ax.collections].count("below") == 1
