"""What differs between two architectures."""

from evonas.analysis.changes import change
from genomes.architecture import Architecture, Node


def node(id: str, operation: str, *inputs: str, merge: str = "sum", **attributes: object) -> Node:
    return Node(id, operation, tuple(sorted(attributes.items())), inputs, merge)


def network(*hidden: Node, reads: tuple[str, ...] = ("a",), merge: str = "sum") -> Architecture:
    return Architecture((node("in", "input"), *hidden, node("out", "head", *reads, merge=merge)))


BEFORE = network(node("a", "conv", "in", kernel=3, width=8))


def test_equal_architectures_differ_in_nothing() -> None:
    assert change(BEFORE, network(node("a", "conv", "in", kernel=3, width=8))).nothing


def test_nodes_are_known_by_their_ids() -> None:
    after = network(node("b", "identity", "in"), node("a", "conv", "b", kernel=5, width=8))
    found = change(BEFORE, after)
    assert [one.id for one in found.added] == ["b"]
    assert found.removed == ()
    assert [(old.settings["kernel"], new.settings["kernel"]) for old, new in found.changed] == [(3, 5)]
    assert found.rewired == ()
    back = change(after, BEFORE)
    assert [one.id for one in back.removed] == ["b"]
    assert back.added == ()


def test_wiring_alone_is_told_apart_and_one_input_has_no_merge() -> None:
    two = network(*BEFORE.nodes[1:-1], reads=("a", "in"), merge="concat")
    assert [new.id for _, new in change(BEFORE, two).rewired] == ["out"]
    assert change(BEFORE, network(*BEFORE.nodes[1:-1], merge="concat")).nothing
    assert not change(network(*BEFORE.nodes[1:-1], reads=("a", "in")), two).nothing
