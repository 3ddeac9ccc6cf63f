import math
from itertools import pairwise

import pytest

from evonas.record import SOURCE
from evonas.view import genealogy
from evonas.view.genealogy import N_COLUMNS, N_ROWS
from genomes.architecture import Architecture, Node


def linear(id, *inputs, width=4):
    known = {"activation": "relu", "normalisation": "none", "preactivation": False, "width": width}
    return Node(id, "linear", tuple(sorted(known.items())), inputs)


def network(n):
    hidden = [linear(f"n{at}", f"n{at - 1}" if at else "in", width=4 + at % 3) for at in range(n)]
    return Architecture((Node("in", "input"), *hidden, Node("out", "head", (), (hidden[-1].id,))))


ARCHITECTURE = network(2)
NAMES = [parameter.name for parameter in ARCHITECTURE.parameters((3,), 2)]


def cells(ax, kind, row):
    gids = [patch.get_gid() or "" for patch in ax.patches]
    return [int(gid.split("-", 2)[2]) for gid in gids if gid.startswith(f"{kind}-{row}-")]


@pytest.fixture
def family(individual):
    """0 and 1 sampled, 2 of 0, 3 the winner of 2 and 1: the second node's bias came from 1, its output is new."""
    first, second, last = ([name for name in NAMES if name.startswith(node)] for node in ("n0.", "n1.", "out."))
    origins = dict.fromkeys(first, 2) | {second[0]: 2, second[1]: 1} | dict.fromkeys(last, 3)
    return [
        individual(0, origins=dict.fromkeys(NAMES, 0), epochs=5),
        individual(1, origins=dict.fromkeys(NAMES, 1), epochs=5),
        individual(2, origins=dict.fromkeys(first, 0) | dict.fromkeys(second, 2), parents=(0,), epochs=2),
        individual(3, origins=origins, parents=(2, 1), operator="crossover", epochs=1),
    ]


def test_a_row_goes_from_where_its_tensors_began_to_the_winner(family):
    ax = genealogy(family, ARCHITECTURE, (3,), 2, winner=3)
    rows = [(cells(ax, "began", row), cells(ax, "trained", row)) for row in range(4)]
    assert rows == [([0], [2, 3]), ([2], [3]), ([1], [3]), ([3], [])]


def test_rows_tell_tensors_values_and_epochs(family):
    ax = genealogy(family, ARCHITECTURE, (3,), 2, winner=3)
    shown = [text.get_text() for text in ax.texts]
    assert "weight, bias" in shown
    assert {"weight", "bias", "16", "20", "5", "12", "3", "6", "8"} <= set(shown)
    assert "3  crossover" in shown


def test_weights_from_elsewhere_have_a_column(individual):
    told = [individual(0, origins=dict.fromkeys(NAMES, SOURCE), donors=(SOURCE,))]
    ax = genealogy(told, ARCHITECTURE, (3,), 2, winner=0)
    assert cells(ax, "began", 0) == [SOURCE]
    assert "from elsewhere" in [text.get_text() for text in ax.texts]


def test_of_many_tensors_and_ancestors_the_smallest_are_left_out_and_it_is_said(individual):
    large = network(120)
    names = [parameter.name for parameter in large.parameters((3,), 2)]
    told = []
    for i in range(100):
        origins = {name: i - 1 if i and at % 50 < 49 - i % 7 else i for at, name in enumerate(names)}
        told.append(individual(i, origins=origins, parents=(i - 1,) if i else (), operator="widen"))
    ax = genealogy(told, large, (3,), 2, winner=99)
    (note,) = [text.get_text() for text in ax.texts if text.get_gid() == "left-out"]
    assert note == "left out: 55 smaller rows, 60 individuals"
    assert [row for row in range(200) if cells(ax, "began", row) or cells(ax, "trained", row)] == list(range(N_ROWS))
    shown = [int(text.get_text()) for text in ax.texts if (text.get_gid() or "").startswith("values-")]
    assert sum(shown) > 0.6 * sum(math.prod(parameter.shape) for parameter in large.parameters((3,), 2))
    columns = [text.get_text() for text in ax.texts if text.get_rotation()]
    assert len(columns) == N_COLUMNS
    assert columns[0].startswith("0 ")
    assert columns[-1].startswith("99 ")
    ax.get_figure().draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts if text.get_rotation()]
    assert all(left.x1 <= right.x0 for left, right in pairwise(boxes))


@pytest.mark.parametrize(("state", "reason"), [("failed", "no weights on record"), ("pending", "not evaluated yet")])
def test_an_individual_without_weights_is_said(individual, state, reason):
    ax = genealogy([individual(0, state=state, fitness=None)], ARCHITECTURE, (3,), 2, winner=0)
    assert reason in ax.texts[0].get_text()
