from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from matplotlib.figure import Figure

from evonas.view import lineage
from evonas.view.lineage import LIMIT


def segments(ax, gid):
    """The ends `(x, y, x, y)` of the lines of a kind."""
    found = [one for one in ax.collections if one.get_gid() == gid and hasattr(one, "get_segments")]
    return {
        tuple(round(float(value), 6) for end in line for value in end) for one in found for line in one.get_segments()
    }


def steps(ax):
    return {text.get_gid(): text for text in ax.texts}


def winners_line(ax):
    (found,) = [one for one in ax.lines if one.get_gid() == "line"]
    return found


@pytest.fixture
def family(individual):
    """0 and 1 sampled; 2 of 0; 3 of 2 and 1, the winner; 4 of 1; 5 failed, of 0; 6 pending."""
    return [
        individual(0, fitness=0.1),
        individual(1, fitness=0.2),
        individual(2, fitness=0.3, parents=(0,), operator="split_edge"),
        individual(3, fitness=0.9, parents=(2, 1), operator="crossover"),
        individual(4, fitness=0.4, parents=(1,), operator="widen"),
        individual(5, state="failed", fitness=None, parents=(0,), operator="widen"),
        individual(6, state="pending", fitness=None, parents=(3,), operator="widen"),
    ]


LIVES = {0: 6, 1: 4, 2: 3, 3: None, 4: None, 5: 5}


def test_the_winners_line_goes_along_the_lives_of_the_fitter_parents(family):
    line = winners_line(lineage(family[::-1]))
    assert line.get_xdata().tolist() == [0, 2, 2, 3, 3]
    assert line.get_ydata().tolist() == [0.1, 0.1, 0.3, 0.3, 0.9]


def test_children_leave_the_bars_of_both_parents_at_their_birth(family):
    ax = lineage(family, lifespans=LIVES)
    assert segments(ax, "ancestry") == {(3, 0.2, 3, 0.9)}
    assert segments(ax, "living") == {(4, 0.2, 4, 0.4)}
    assert segments(ax, "extinct") == set()


def test_a_bar_lasts_from_birth_to_the_end_of_life_and_of_the_living_to_the_end(family):
    ax = lineage([*family, replace(family[4], id=7, parents=())], lifespans=LIVES)
    assert segments(ax, "line-bars") == {(0, 0.1, 6, 0.1), (2, 0.3, 3, 0.3), (3, 0.9, 7, 0.9)}
    assert segments(ax, "ancestry-bars") == {(1, 0.2, 4, 0.2)}
    assert segments(ax, "living-bars") == {(4, 0.4, 7, 0.4)}


def test_where_lives_are_not_known_each_lasts_to_its_last_child(family):
    ax = lineage(family)
    assert segments(ax, "line-bars") == {(0, 0.1, 5, 0.1), (2, 0.3, 3, 0.3)}
    assert segments(ax, "ancestry-bars") == {(1, 0.2, 4, 0.2)}
    assert segments(ax, "extinct") == {(4, 0.2, 4, 0.4)}


def test_what_died_out_is_faded_beside_the_winners_line(family):
    ax = lineage(family)
    (others,) = [one for one in ax.collections if one.get_gid() == "extinct" and hasattr(one, "get_segments")]
    assert winners_line(ax).get_linewidth() > 2 * others.get_linewidths()[0]
    assert others.get_alpha() < 0.5


def test_what_is_far_below_all_others_is_drawn_at_the_lower_end_and_said(individual):
    told = [individual(i, fitness=0.5 + i / 100) for i in range(20)]
    told[3] = individual(3, fitness=-50.0)
    ax = lineage(told)
    assert "1 below " in ax.get_title(loc="left")
    assert ax.get_ylim()[0] > 0


def test_what_failed_is_a_tick_and_what_is_pending_is_left_out(family):
    (ticks,) = [one for one in lineage(family).collections if one.get_gid() == "failed"]
    assert ticks.get_offsets()[:, 0].tolist() == [5]


def test_parents_that_are_not_told_of_end_the_line(family):
    ax = lineage([one for one in family if one.id != 2])
    assert winners_line(ax).get_xdata().tolist() == [3]
    assert segments(ax, "ancestry") == {(3, 0.2, 3, 0.9)}


def test_each_step_carries_its_operator(family):
    found = {gid: text.get_text().strip() for gid, text in steps(lineage(family)).items()}
    assert found == {"step-0": "sample", "step-2": "split_edge", "step-3": "crossover"}


def test_the_title_names_the_winner_and_its_root(family):
    assert lineage(family).get_title(loc="left") == "individual 3, fitness 0.9, 2 steps from individual 0"


@pytest.mark.parametrize("n", [60, 200, 1000])
def test_no_two_names_touch_and_all_are_inside_above_every_fitness(campaign, n):
    told = campaign(n, 1)
    ax = lineage(told)
    ax.get_figure().draw_without_rendering()
    boxes = [text.get_window_extent() for text in steps(ax).values()]
    assert 1 < len(boxes) <= len(winners_line(ax).get_xdata())
    for one, other in combinations(boxes, 2):
        assert not one.overlaps(other)
    frame = ax.get_window_extent()
    highest = ax.transData.transform((0, max(one.fitness for one in told if one.fitness is not None)))[1]
    for box in boxes:
        assert frame.x0 <= box.x0
        assert box.x1 <= frame.x1
        assert highest < box.y0 < box.y1 <= frame.y1


def test_where_steps_are_too_many_the_largest_gains_are_named(individual):
    told = [individual(0, fitness=0.0)]
    gains = np.random.default_rng(1).random(400)
    for i in range(1, 400):
        told.append(individual(i, fitness=told[-1].fitness + gains[i], parents=(i - 1,), operator="widen"))
    ax = lineage(told)
    named = {int(gid.removeprefix("step-")) for gid in steps(ax)}
    assert 50 < len(named) < 400
    assert int(np.argmax(gains)) in named
    assert int(np.argmin(gains)) not in named
    assert f"the {len(named)} steps" in ax.get_title(loc="left")


def test_a_long_operator_is_cut_short_inside_the_axes(individual):
    told = [individual(0, fitness=0.1, operator="+".join(["change_operation"] * 30))]
    ax = lineage(told)
    ax.get_figure().draw_without_rendering()
    (text,) = ax.texts
    assert text.get_text().endswith("…")
    assert text.get_window_extent().y1 <= ax.get_window_extent().y1


def test_an_ancestor_without_fitness_keeps_the_line_whole(individual):
    told = [
        individual(0, state="failed", fitness=None),
        individual(1, fitness=0.2),
        individual(2, fitness=0.9, parents=(0,), operator="widen"),
    ]
    line = winners_line(lineage(told))
    assert (line.get_xdata().tolist(), line.get_ydata().tolist()) == ([0, 2, 2], [0.2, 0.2, 0.9])


def test_a_great_many_are_thinned_and_the_title_says_so(individual):
    told = [individual(i, fitness=0.1) for i in range(LIMIT + 500)]
    told[1] = individual(1, fitness=0.2)
    told[7] = individual(7, fitness=0.9, parents=(1,), operator="widen")
    ax = lineage(told)
    assert winners_line(ax).get_xdata().tolist() == [1, 7, 7]
    assert f"20,000 of {LIMIT + 500:,} individuals drawn" in ax.get_title(loc="left")
    n_others = max(len(one.get_offsets()) for one in ax.collections if one.get_gid() == "extinct")
    assert n_others == LIMIT - 2


def test_a_great_many_ancestors_are_one_image_in_a_file_of_lines(individual, tmp_path):
    told = [individual(0, fitness=0.5), individual(1, fitness=0.5)]
    # Both of every pair come of both of the pair before: all are ancestors.
    told += [individual(i, fitness=0.5, parents=(i - i % 2 - 2, i - i % 2 - 1)) for i in range(2, LIMIT - LIMIT // 4)]
    ax = lineage(told, winner=len(told) - 1)
    assert len(segments(ax, "ancestry")) > LIMIT // 4
    assert all(one.get_rasterized() for one in ax.collections if (one.get_gid() or "").startswith("ancestry"))
    assert not any(one.get_rasterized() for one in lineage(told[:100]).collections)


@pytest.mark.parametrize("n", [0, 1, 5])
def test_nothing_to_show_is_said(individual, n):
    ax = lineage([individual(i, state="failed", fitness=None) for i in range(n)])
    (text,) = ax.texts
    assert "nothing to show" in text.get_text()
    assert not ax.lines
    ax.get_figure().draw_without_rendering()


def test_one_individual_is_drawn(individual):
    ax = lineage([individual(0)])
    assert winners_line(ax).get_xdata().tolist() == [0]
    ax.get_figure().draw_without_rendering()


def test_given_axes_are_used(campaign):
    left, right = Figure().subplots(1, 2)
    assert lineage(campaign(60, 1), ax=left) is left
    assert not right.lines
