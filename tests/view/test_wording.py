import pytest

from evonas.analysis.changes import change
from evonas.view.wording import lines_of, name_of, rounded, shortened, signed
from genomes.architecture import Architecture, Node
from genomes.recurrence import CELLS, RecurrentCell


def node(id, operation, *inputs, merge="sum", **attributes):
    return Node(id, operation, tuple(sorted(attributes.items())), inputs, merge)


def network(*hidden, reads=("a",), merge="sum"):
    return Architecture((node("in", "input"), *hidden, node("out", "head", *reads, merge=merge)))


def said(before, after):
    return lines_of(change(before, after))


def test_a_name_has_kernel_and_stride():
    assert name_of(node("a", "max_pool", "in", kernel=3, stride=2)) == "max pool 3×3 /2"
    assert name_of(node("a", "conv", "in", kernel=1, stride=1)) == "conv 1×1"
    assert name_of(node("out", "head", "a")) == "output"


def test_attributes_that_changed_are_told_from_and_to():
    before = network(node("a", "conv", "in", kernel=3, width=0, activation="relu"))
    after = network(node("a", "conv", "in", kernel=3, width=24, activation="elu"))
    assert said(before, after) == [("~", "conv 3×3: activation relu → elu, width kept → 24")]


def test_equal_changes_are_counted_and_rewiring_beside_them_is_not_told():
    before = network(node("a", "identity", "in"), node("b", "identity", "a"), reads=("b",))
    after = network(
        node("c", "max_pool", "in", kernel=3), node("d", "identity", "c"), node("e", "identity", "d"), reads=("e",)
    )
    assert said(before, after) == [("+", "identity (× 2), max pool 3×3"), ("−", "identity (× 2)")]


def test_rewiring_alone_is_told():
    one = network(node("a", "identity", "in"))
    two = network(node("a", "identity", "in"), reads=("a", "in"))
    other = network(node("a", "identity", "in"), reads=("a", "in"), merge="concat")
    assert said(one, two) == [("~", "output: reads 1 more")]
    assert said(two, one) == [("~", "output: reads 1 less")]
    assert said(two, other) == [("~", "output: sum → concat")]
    assert said(one, one) == []


def test_what_changed_in_a_recurrent_cell_is_told_step_by_step():
    gru = CELLS["gru"]
    steps = tuple(step._replace(activation="relu") if step.name == "candidate" else step for step in gru.steps)
    before, after = (
        network(node("a", "recur", "in", cell=cell, width=8)) for cell in (gru, RecurrentCell(steps, "new"))
    )
    assert said(before, after) == [("~", "recur: candidate add tanh → add relu")]
    after = network(node("a", "recur", "in", cell=CELLS["tanh"], width=8))
    assert said(before, after) == [("~", "recur: new add → linear tanh, 9 steps less")]
    assert said(after, network(node("a", "recur", "in", cell=CELLS["lstm"], width=8)))[0][1].endswith("c from memory")


def test_texts_are_cut_and_numbers_have_a_true_minus():
    assert shortened("abcdef", 4) == "abc…"
    assert shortened("abcd", 4) == "abcd"
    assert signed(-0.5) == "−0.5"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.5, "0.5"), (-0.0123, "−0.012"), (1234.5, "1200"), (7.0, "7"), (1e-9, "1e−09"), (99.6, "100")],
)
def test_a_rounded_number_is_written_out(value, expected):
    assert rounded(value) == expected
    assert rounded(123456.0, 4) == "123500"
