from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.text import Text

from evonas.view import front, save
from evonas.view.front import NAMED, named, non_dominated

BOTH = {"x": "parameters", "y": "accuracy", "maximize": ("accuracy",)}


def dots(ax, gid):
    """Where the dots of a kind are, one row each; none where there are none."""
    found = [one.get_offsets() for one in ax.collections if one.get_gid() == gid]
    return np.array(found[0]) if found else np.empty((0, 2))


def names(ax):
    return {int(text.get_gid().removeprefix("name-")): text for text in ax.texts if text.get_gid()}


@pytest.fixture
def traded(individual):
    """Makes individuals of (parameters, accuracy) pairs."""

    def make(*pairs):
        return [individual(i, metrics={"parameters": p, "accuracy": a}) for i, (p, a) in enumerate(pairs)]

    return make


@pytest.fixture
def cloud(traded):
    rng = np.random.default_rng(1)
    sizes = 10 ** (3 + 2 * rng.random(400))
    return traded(*((float(s), float(0.9 - 30 / s**0.6 - 0.1 * rng.random())) for s in sizes))


def test_the_front_is_strong_and_what_it_dominates_is_faded(traded):
    ax = front(traded((10, 0.5), (20, 0.7), (30, 0.6), (40, 0.9), (40, 0.8)), **BOTH)
    assert dots(ax, "front").tolist() == [[10, 0.5], [20, 0.7], [40, 0.9]]
    assert dots(ax, "dominated").tolist() == [[30, 0.6], [40, 0.8]]
    strong, faded = (next(c for c in ax.collections if c.get_gid() == gid) for gid in ("front", "dominated"))
    assert faded.get_alpha() < 0.5 < (strong.get_alpha() or 1)
    assert set(names(ax)) == {0, 1, 3}


@pytest.mark.parametrize(
    ("maximize", "corners"),
    [
        (("accuracy",), [[10, 0.5], [20, 0.5], [20, 0.7], [40, 0.7], [40, 0.9]]),
        (("accuracy", "parameters"), [[40, 0.9]]),
        (("parameters",), [[10, 0.5], [10, 0.6], [30, 0.6], [30, 0.8], [40, 0.8]]),
        ((), [[10, 0.5]]),
    ],
)
def test_the_staircase_borders_what_is_dominated(traded, maximize, corners):
    told = traded((10, 0.5), (20, 0.7), (30, 0.6), (40, 0.9), (40, 0.8))
    (line,) = [one for one in front(told, "parameters", "accuracy", maximize=maximize).lines if one.get_gid()]
    assert line.get_xydata().tolist() == corners


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=30))
def test_non_dominated_is_what_its_definition_says(rows):
    gains = np.array(rows, dtype=float)
    wanted = [
        at for at, one in enumerate(gains) if not any((other >= one).all() and (other > one).any() for other in gains)
    ]
    assert non_dominated(gains).tolist() == wanted


def test_equal_individuals_are_one_of_the_front_as_they_are_one_point(traded):
    ax = front(traded((10, 0.5), (20, 0.7), (20, 0.7), (30, 0.6)), **BOTH)
    legend = ax.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["dominated (1)", "dominated by none (2)"]


def test_what_failed_is_pending_or_lacks_a_metric_is_not_drawn(individual, traded):
    told = traded((10, 0.5), (20, 0.7))
    told += [
        individual(2, state="failed", fitness=None, metrics={"parameters": 1, "accuracy": 1.0}),
        individual(3, state="pending", fitness=None, metrics={"parameters": 1, "accuracy": 1.0}),
        individual(4, metrics={"accuracy": 1.0}),
        individual(5, metrics={"parameters": float("nan"), "accuracy": 1.0}),
    ]
    ax = front(told[::-1], **BOTH)
    assert dots(ax, "front").tolist() == [[10, 0.5], [20, 0.7]]
    assert len(dots(ax, "dominated")) == 0


@pytest.mark.parametrize("maximize", [("accuracy",), (), ("parameters",), ("accuracy", "parameters")])
def test_numbers_touch_neither_each_other_nor_a_dot_of_the_front_nor_the_frame(cloud, maximize):
    ax = front(cloud, "parameters", "accuracy", maximize=maximize)
    ax.get_figure().draw_without_rendering()
    found = names(ax)
    on_front = dots(ax, "front")
    assert min(len(on_front), NAMED) // 2 <= len(found) <= NAMED
    boxes = [Text.get_window_extent(text) for text in found.values()]  # an annotation's would hold its dot
    for one, other in combinations(boxes, 2):
        assert not one.overlaps(other)
    frame = ax.get_window_extent()
    for box in boxes:
        assert frame.x0 <= box.x0 < box.x1 <= frame.x1
        assert frame.y0 <= box.y0 < box.y1 <= frame.y1
        for x, y in ax.transData.transform(on_front):
            assert not box.contains(x, y)


def test_long_numbers_in_small_axes_stay_inside(individual):
    told = [individual(10**7 + i, metrics={"parameters": 1 + i, "accuracy": i / 10}) for i in range(5)]
    ax = front(told, **BOTH, ax=Figure(figsize=(3, 2.5), layout="constrained").add_subplot())
    ax.get_figure().draw_without_rendering()
    frame = ax.get_window_extent()
    boxes = [Text.get_window_extent(text) for text in names(ax).values()]
    assert boxes
    assert all(frame.x0 <= b.x0 and b.x1 <= frame.x1 and frame.y0 <= b.y0 and b.y1 <= frame.y1 for b in boxes)


def test_both_ends_of_a_long_front_are_named(traded):
    ax = front(traded(*((i, i) for i in range(1, 60))), **BOTH)
    assert {0, 58} <= set(names(ax))
    assert len(names(ax)) == NAMED


def test_equals_are_one_dot_with_the_first_number(traded):
    ax = front(traded((10, 0.5), (10, 0.5), (10, 0.5)), **BOTH)
    assert set(names(ax)) == {0}
    assert len(dots(ax, "front")) == 3


@pytest.mark.parametrize(
    ("values", "scale"),
    [((1, 30), "log"), ((1, 15), "linear"), ((0, 30), "linear"), ((-1, 30), "linear"), ((7, 7), "linear")],
)
def test_an_axis_is_logarithmic_where_positive_values_span_more_than_20(traded, values, scale):
    low, high = values
    ax = front(traded((low, 0.2), (high, 0.3)), **BOTH)
    assert (ax.get_xscale(), ax.get_yscale()) == (scale, "linear")
    ax = front(traded((0.2, low), (0.3, high)), **BOTH)
    assert (ax.get_xscale(), ax.get_yscale()) == ("linear", scale)


def test_axes_say_metric_unit_and_what_is_better(individual):
    told = [individual(0, metrics={"latency": 0.1, "peak_memory": 2e6})]
    ax = front(told, "peak_memory", "latency")
    assert ax.get_xlabel() == "peak memory (bytes), lower is better"
    assert ax.get_ylabel() == "latency (s), lower is better"
    assert named("macs") == "MACs"
    assert named("latency_64") == "latency of a batch of 64 (s)"
    assert named("parameters") == "parameters"
    assert "higher is better" in front(told, "latency", "peak_memory", maximize=("latency",)).get_xlabel()


def test_ticks_are_short(traded):
    ax = front(traded((1000, 0.5), (2_000_000, 0.7)), **BOTH)
    ax.get_figure().draw_without_rendering()
    labels = [tick.get_text() for tick in ax.get_xticklabels()]
    assert {"1000", "10k", "1M"} <= set(labels)
    boxes = [t.get_window_extent() for t in ax.get_xticklabels() if t.get_text()]
    assert not [1 for a, b in pairwise(boxes) if a.overlaps(b)]


@pytest.mark.parametrize(("n", "wanted"), [(0, "no evaluations yet"), (3, "none of 3 evaluations succeeded")])
def test_nothing_to_show_is_said(individual, n, wanted):
    ax = front([individual(i, state="failed", fitness=None) for i in range(n)], **BOTH)
    (text,) = ax.texts
    assert wanted in text.get_text()
    assert not ax.lines


def test_a_metric_that_nobody_has_is_said(traded):
    (text,) = front(traded((10, 0.5)), "parameters", "latency").texts
    assert text.get_text() == "nothing to show: no individual has both parameters and latency"


def test_one_individual_is_drawn(traded):
    ax = front(traded((10, 0.5)), **BOTH)
    assert dots(ax, "front").tolist() == [[10, 0.5]]
    assert set(names(ax)) == {0}


def test_given_axes_are_used(traded):
    left, right = Figure().subplots(1, 2)
    assert front(traded((10, 0.5), (20, 0.7)), **BOTH, ax=left) is left
    assert not right.lines


def test_the_same_campaign_gives_the_same_bytes(cloud, tmp_path):
    files = [save(front(cloud, **BOTH), tmp_path / name) for name in ("a.svg", "b.svg")]
    assert files[0].read_bytes() == files[1].read_bytes()
