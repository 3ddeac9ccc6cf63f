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


@pytest.mark.parametrize("n", [1, 60, 300, 3000])
def test_no_two_texts_touch(campaign, n):
    ax = ancestry(campaign(n, 1), lambda one: NETWORKS[one.id % 3])
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
