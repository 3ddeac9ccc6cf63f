from dataclasses import replace
from itertools import combinations

import pytest

from evonas.view import ancestry
from evonas.view.ancestry import LIMIT
from genomes.architecture import Architecture, Node

CONV = (("activation", "relu"), ("kernel", 3), ("normalisation", "batch"), ("preactivation", False), ("stride", 1))


def conv(id, *inputs, width=8, kernel=3):
    return Node(id, "conv", tuple(sorted((*dict(CONV, kernel=kernel).items(), ("width", width)))), inputs)


def network(*hidden):
    return Architecture((Node("in", "input"), *hidden, Node("out", "head", (), (hidden[-1].id,))))


NETWORKS = {
    0: network(conv("a", "in")),
    1: network(conv("a", "in"), conv("b", "a", width=16)),
    2: network(conv("a", "in", kernel=5), conv("c", "a")),
}


@pytest.fixture
def family(individual):
    """0, 1 of 0, 2 of 1: the winner; 3 failed."""
    return [
        individual(0, fitness=0.5, metrics={"accuracy": 0.6}),
        individual(1, fitness=0.4, parents=(0,), operator="add_node", donors=(0,), fraction_inherited=0.75),
        individual(
            2,
            fitness=0.9,
            parents=(1, 0),
            operator="crossover+change_kernel",
            metrics={"accuracy": 0.8, "accuracy_at_birth": 0.7},
        ),
        individual(3, state="failed", fitness=None, parents=(2,)),
    ]


def texts(ax, gid):
    return [text.get_text() for text in ax.texts if text.get_gid() == gid]


def drawn(family, **fields):
    return ancestry(family, lambda one: NETWORKS[one.id], **fields)


def test_each_row_tells_the_operator_and_what_it_did_to_the_phenotype(family):
    ax = drawn(family[::-1])
    assert texts(ax, "step-0") == ["sample"]
    assert texts(ax, "change-0") == ["begins with 1 node between input and output"]
    assert texts(ax, "change-1") == ["conv 3×3 (16)"]
    assert texts(ax, "step-2") == ["crossover +", "change kernel"]
    assert texts(ax, "change-2") == ["conv 3×3 (8)", "conv 3×3 (16)", "conv 3×3 → conv 5×5"]
    signs = [text.get_text() for text in ax.texts if text.get_text() in ("+", "−", "~")]
    assert signs == ["+", "+", "−", "~"]


def test_fitness_is_a_way_down_the_rows_with_its_gains(family):
    ax = drawn(family)
    places = {one.get_gid(): one.get_xdata()[0] for one in ax.lines if (one.get_gid() or "").startswith("fitness-")}
    assert places["fitness-1"] < places["fitness-0"] < places["fitness-2"]
    shown = [text.get_text() for text in ax.texts]
    assert "−0.1000" in shown
    assert "+0.5000" in shown
    assert ax.get_title().startswith("individual 2, fitness 0.9, and its fitter parents")


def test_birth_and_what_was_inherited_are_shown_where_they_are_known(family):
    ax = drawn(family)
    gids = [one.get_gid() for one in ax.lines]
    assert "birth-2" in gids
    assert "birth-1" not in gids
    ends = [one.get_xdata() for one in ax.lines if one.get_gid() == "inherited-1"]
    whole, part = (end[1] - end[0] for end in ends)
    assert part / whole == pytest.approx(0.75)
    assert "inherited-0" not in gids


def test_another_winner_is_drawn(family):
    assert drawn(family, winner=1).get_title().startswith("individual 1, fitness 0.4")


def test_of_a_long_line_the_steps_of_least_gain_share_rows(individual):
    told = [individual(0, fitness=0.0)]
    for i in range(1, 200):
        gain = 1.0 if i % 20 == 0 else 0.001
        told.append(individual(i, fitness=told[-1].fitness + gain, parents=(i - 1,), operator="widen"))
    ax = ancestry(told, lambda one: NETWORKS[0])
    rows = {text.get_gid() for text in ax.texts if (text.get_gid() or "").startswith("step-")}
    assert {f"step-{i}" for i in (0, 20, 100, 180, 199)} < rows
    assert len(rows) == LIMIT
    skipped = [text.get_text() for text in ax.texts if (text.get_gid() or "").startswith("skipped-")]
    assert sum(int(text.split()[0]) for text in skipped) + LIMIT == 200
    assert "of 199 steps those of most gain" in ax.get_title()


@pytest.fixture
def untrained(individual):
    """Makes a line of steps that train nothing, with these gains."""

    def line(*gains, **fields):
        told = [individual(0, fitness=1.0, metrics={"fitness": 1.0})]
        for at, gain in enumerate(gains, 1):
            value = told[-1].fitness + gain
            known = {"operator": "copy", "metrics": {"fitness": value}, **fields}
            told.append(individual(at, fitness=value, parents=(at - 1,), donors=(at - 1,), **known))
        return told

    return line


def heads(ax):
    return {text.get_text() for text in ax.texts if text.get_weight() == "bold"}


def rows(ax):
    """What stands in the rows, from above: numbers of individuals, and texts of several."""
    found = [text for text in ax.texts if (text.get_gid() or "").startswith(("step-", "skipped-"))]
    found.sort(key=lambda text: -text.get_position()[1])
    return [int(t.get_gid()[5:]) if t.get_gid().startswith("step-") else t.get_text() for t in found]


def test_what_is_not_trained_has_no_columns_of_training(untrained, family):
    ax = ancestry(untrained(0.5, -0.25), lambda one: NETWORKS[one.id], score="fitness")
    assert {"operator", "what it changed", "fitness"} <= heads(ax)
    assert not {"inherited", "accuracy"} & heads(ax)
    assert not any("at birth" in text.get_text() for text in ax.texts)
    assert not any((line.get_gid() or "").startswith(("birth-", "inherited-")) for line in ax.lines)
    whole = drawn(family)
    assert {"inherited", "accuracy"} <= heads(whole)
    assert ax.get_figure().get_figwidth() < 0.8 * whole.get_figure().get_figwidth()
    learnt = ancestry(untrained(0.5, -0.25, epochs=2), lambda one: NETWORKS[one.id], score="fitness")
    assert "inherited" in heads(learnt)


def test_steps_without_a_gain_share_rows_in_a_long_line(untrained):
    told = untrained(*[0.0] * 5, 1.0, *[0.0] * 4, -0.5, 0.0, 0.25, 0.0)
    ax = ancestry(told, lambda one: NETWORKS[0], winner=14)
    assert rows(ax) == [0, "5 steps without a gain: copy", 6, "4 steps without a gain: copy", 11, 12, 13, 14]
    assert ax.get_title() == "individual 14, fitness 1.75, and its fitter parents"
    told[12] = replace(told[12], digest=told[11].digest)
    copied = ancestry(told, lambda one: NETWORKS[0], winner=14)
    assert rows(copied)[-4:] == [11, "1 step without a gain: copy", 13, 14], "the same phenotype"
    short = ancestry(told, lambda one: NETWORKS[0], winner=11)
    assert rows(short) == list(range(12))


def test_a_gain_is_written_as_long_as_it_has_to_be(untrained):
    gains = (0.0, 2.0, 0.5, -0.00001, 123.456, 98_765.4, -3.0)
    ax = ancestry(untrained(*gains), lambda one: NETWORKS[0], winner=7)
    written = [text.get_text() for text in ax.texts if text.get_text()[:1] in tuple("+−±")]
    gained = [text for text in written if " " not in text and len(text) > 1]
    assert gained == ["±0", "+2", "+0.5000", "−1e−05", "+123.46", "+98,765", "−3"]
    assert ax.get_title().startswith("individual 7, fitness 98890, ")


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("n", [1, 60, 300, 3000])
def test_no_two_texts_touch(campaign, n, trained):
    told = [replace(one, epochs=int(trained)) for one in campaign(n, 1)]
    ax = ancestry(told, lambda one: NETWORKS[one.id % 3], measured="a weighted sum of several objectives")
    ax.get_figure().draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts if text.get_text()]
    for one, other in combinations(boxes, 2):
        assert not one.shrunk(0.97, 0.7).overlaps(other.shrunk(0.97, 0.7))
    frame = ax.get_window_extent()
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 < frame.y1 for box in boxes)


@pytest.mark.parametrize("n", [0, 1, 5])
def test_nothing_to_show_is_said(individual, n):
    ax = drawn([individual(i, state="failed", fitness=None) for i in range(n)])
    assert "nothing to show" in ax.texts[0].get_text()
