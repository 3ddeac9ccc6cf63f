from itertools import pairwise

import numpy as np
import pytest

from evonas.analysis.effects import Effect
from evonas.analysis.effects import effects as measured
from evonas.view import effects

WIDEN = Effect("widen", (1, 2, 3), (0.2, -0.1, 0.3), 1)
SPLIT = Effect("split_edge", (4,), (-0.2,), 0)
NEVER = Effect("deepen", (), (), 2)


def dots(ax, gid):
    return [tuple(xy) for one in ax.collections if one.get_gid() == gid for xy in one.get_offsets()]


def test_every_child_is_a_dot_at_its_gain_in_the_row_of_its_operator():
    ax = effects([WIDEN, SPLIT, NEVER])
    assert sorted(x for x, _ in dots(ax, "gains-widen")) == [0.2, 0.3]
    assert [x for x, _ in dots(ax, "losses-widen")] == [-0.1]
    assert all(abs(y) < 0.4 for _, y in dots(ax, "gains-widen"))
    assert all(abs(y + 1) < 0.4 for _, y in dots(ax, "losses-split_edge"))
    assert [text.get_text() for text in ax.get_yticklabels()] == ["widen", "split edge", "deepen"]


def test_the_median_is_a_tick_and_the_figures_stand_beside():
    ax = effects([WIDEN, SPLIT, NEVER])
    medians = {one.get_gid(): one.get_xdata()[0] for one in ax.lines if (one.get_gid() or "").startswith("median")}
    assert medians == {"median-widen": 0.2}
    texts = {text.get_gid(): text.get_text() for text in ax.texts}
    assert (texts["n-widen"], texts["fitter-widen"], texts["failed-widen"]) == ("4", "50%", "1")
    assert (texts["n-deepen"], texts["fitter-deepen"], texts["failed-deepen"]) == ("2", "0%", "2")
    assert texts["failed-split_edge"] == "–"


def test_what_is_far_outside_is_a_triangle_at_the_edge():
    gains = (*np.linspace(-0.1, 0.1, 100).tolist(), -1000.0)
    ax = effects([Effect("widen", tuple(range(101)), gains, 0)])
    left, right = ax.get_xlim()
    assert -1 < left < -0.09
    assert 0.09 < right < 1
    (outside,) = dots(ax, "below-widen")
    assert left < outside[0] < left + 0.1 * (right - left)
    assert len(dots(ax, "losses-widen")) == 50


@pytest.mark.parametrize("n", [30, 300, 5000])
def test_rows_of_any_campaign_do_not_touch(campaign, n):
    ax = effects(measured(campaign(n, 1)))
    ax.get_figure().draw_without_rendering()
    boxes = sorted((text.get_window_extent() for text in ax.get_yticklabels()), key=lambda box: box.y0)
    assert all(low.y1 <= high.y0 for low, high in pairwise(boxes))


def test_one_child_of_no_gain_is_drawn():
    ax = effects([Effect("widen", (1,), (0.0,), 0)])
    assert dots(ax, "losses-widen")[0][0] == 0
    left, right = ax.get_xlim()
    assert left < 0 < right


def test_nothing_to_show_is_said():
    ax = effects([])
    assert "nothing to show" in ax.texts[0].get_text()
