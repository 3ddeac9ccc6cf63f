"""Shapes, axes, costs and equality of architectures."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomes.architecture import Architecture, Node, duplicates, fitted, merged_shape
from genomes.operations import size

IMAGE = (3, 7, 5)


def node(id: str, operation: str, *inputs: str, merge: str = "sum", **attributes: Any) -> Node:
    return Node(id, operation, tuple(sorted(attributes.items())), inputs, merge)


def conv(id: str, *inputs: str, width: int = 8, kernel: int = 3, stride: int = 1, **more: Any) -> Node:
    return node(id, "conv", *inputs, width=width, kernel=kernel, stride=stride, **more)


def net(*nodes: Node, last: str | tuple[str, ...] = "", merge: str = "sum") -> Architecture:
    ends = (last,) if isinstance(last, str) else last
    return Architecture((Node("in", "input"), *nodes, node("out", "head", *ends, merge=merge)))


CHAIN = net(conv("a", "in"), node("b", "max_pool", "a", kernel=3, stride=2), conv("c", "b", width=4), last="c")


# What is refused


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ((Node("in", "input"), conv("a", "in"), conv("a", "in")), r"node a \(conv\): .*every id once.*another"),
        ((Node("in", "input"), node("a", "convolve", "in")), r"node a \(convolve\): .*an operation among .*conv"),
        ((Node("in", "input"), node("a", "identity", "in", merge="max")), r"node a \(identity\): .*sum, concat.*'max'"),
        ((Node("in", "input"), conv("a", "b"), conv("b", "in")), r"node a \(conv\): .*come before.*'b'.*sort"),
        ((Node("in", "input"), conv("a", "a")), r"node a \(conv\): .*come before.*'a'"),
        ((Node("in", "input"), node("a", "conv")), r"node a \(conv\): .*inputs on every node but `input`, got 0"),
        ((Node("in", "input"), Node("in2", "input", (), ("in",))), r"node in2 \(input\): .*got 1"),
        ((), r"one `input` first and one `head` last, got \[\]"),
        ((Node("in", "input"), conv("a", "in")), r"one `head` last, got \['input'\]"),
        ((Node("in", "input"), node("o", "head", "in"), conv("a", "o")), r"one `input` first and one `head` last"),
        ((Node("in", "input"), Node("in2", "input"), node("o", "head", "in")), r"one `input` first.*'input', 'input'"),
    ],
)
def test_a_graph_that_is_not_whole_is_refused(nodes: tuple[Node, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Architecture(nodes)


@pytest.mark.parametrize(
    ("architecture", "input_shape", "message"),
    [
        (CHAIN, (13,), r"node a \(conv\): expected an input \(C, H, W\), got \(13,\); add a reshape before it"),
        (net(node("f", "linear", "in", width=4), conv("a", "f"), last="a"), IMAGE, r"node a \(conv\): .*got \(4,\)"),
        (net(node("a", "conv", "in", width=4, stride=1), last="a"), IMAGE, r"node a \(conv\): .*attribute 'kernel'"),
        (net(node("a", "linear", "in"), last="a"), IMAGE, r"node a \(linear\): .*attribute 'width'.*add it"),
        (net(conv("a", "in", width=-1), last="a"), IMAGE, r"node a \(conv\): .*whole width of 0 or more, got -1"),
        (net(conv("a", "in", stride=0), last="a"), IMAGE, r"node a \(conv\): .*whole stride of 1 or more, got 0"),
        (net(conv("a", "in", kernel=2), last="a"), IMAGE, r"node a \(conv\): .*odd whole kernel of 1 or more, got 2"),
        (net(conv("a", "in", width=True), last="a"), IMAGE, r"node a \(conv\): .*width.*got True"),
        (net(conv("a", "in", width=2.0), last="a"), IMAGE, r"node a \(conv\): .*width.*got 2.0"),
        (CHAIN, (3, 7), r"\(channels, height, width\) or \(features,\), got \(3, 7\); reshape"),
        (CHAIN, (), r"\(channels, height, width\) or \(features,\), got \(\)"),
        (CHAIN, (3, 0, 5), r"got \(3, 0, 5\)"),
    ],
)
def test_a_node_that_cannot_take_its_input_is_named(
    architecture: Architecture, input_shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as refusal:
        architecture.shapes(input_shape)
    assert "\n" not in str(refusal.value)


def test_a_network_has_an_output() -> None:
    with pytest.raises(ValueError, match="1 output or more, got 0"):
        CHAIN.layout(IMAGE, 0)


# Shapes


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 17])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 9), (7, 5), (8, 8), (33, 31)])
def test_images_of_any_size_and_channels(channels: int, height: int, width: int) -> None:
    half = ((height + 1) // 2, (width + 1) // 2)
    assert CHAIN.shapes((channels, height, width), 10) == {
        "in": (channels, height, width),
        "a": (8, height, width),
        "b": (8, *half),
        "c": (4, *half),
        "out": (10,),
    }
    assert CHAIN.n_parameters((channels, height, width), 10) == (channels * 72 + 8) + (8 * 36 + 4) + (4 * 10 + 10)


def test_vectors() -> None:
    architecture = net(node("a", "linear", "in", width=6), node("b", "identity", "in"), last=("a", "b"))
    assert architecture.shapes((13,), 3) == {"in": (13,), "a": (6,), "b": (13,), "out": (3,)}
    assert architecture.n_parameters((13,), 3) == (13 * 6 + 6) + (13 * 3 + 3)
    assert architecture.macs((13,), 3) == 13 * 6 + 13 * 3


def test_width_zero_keeps_the_channels_that_come_in() -> None:
    architecture = net(conv("a", "in", width=0), node("f", "linear", "a", width=0), last="f")
    assert architecture.shapes((5, 4, 4)) == {"in": (5, 4, 4), "a": (5, 4, 4), "f": (5,), "out": (1,)}


@pytest.mark.parametrize(
    ("shapes", "merge", "merged"),
    [
        ([(3, 8, 8)], "sum", (3, 8, 8)),
        ([(3, 8, 8)], "concat", (3, 8, 8)),
        ([(3, 8, 6), (5, 4, 7)], "sum", (5, 4, 6)),
        ([(3, 8, 6), (5, 4, 7)], "concat", (8, 4, 6)),
        ([(3, 8, 6), (5,)], "sum", (5,)),
        ([(3, 8, 6), (5,), (2,)], "concat", (10,)),
        ([(3,), (5,)], "sum", (5,)),
    ],
)
def test_merged_shapes(shapes: list[tuple[int, ...]], merge: str, merged: tuple[int, ...]) -> None:
    assert merged_shape(shapes, merge) == merged
    assert merged_shape(shapes[::-1], merge) == merged


def test_costs_and_shapes_agree_with_a_published_network() -> None:
    """ResNet-20 for CIFAR-10 with padded shortcuts (He et al. 2016): 0.27 M parameters, 41 M multiply-accumulates."""
    batch = {"normalisation": "batch", "activation": "relu"}
    nodes, last = [conv("stem", "in", width=16, **batch)], "stem"
    for stage, width in enumerate((16, 32, 64)):
        for block in range(3):
            name = f"{stage}{block}"
            stride = 2 if stage and not block else 1
            nodes.append(conv(f"{name}a", last, width=width, stride=stride, **batch))
            nodes.append(conv(f"{name}b", f"{name}a", width=width, **batch))
            nodes.append(node(name, "identity", f"{name}b", last))
            last = name
    resnet = net(*nodes, last=last)
    convolutions_without_bias = 269_722
    assert resnet.n_parameters((3, 32, 32), 10) == convolutions_without_bias
    assert resnet.macs((3, 32, 32), 10) == 40_551_040
    assert resnet.shapes((3, 32, 32), 10)["22"] == (64, 8, 8)


# Axes


def axis_of(architecture: Architecture, name: str, input_shape: tuple[int, ...] = IMAGE) -> Any:
    return next(layer.axis for layer in architecture.layout(input_shape, 10) if layer.node.id == name)


def source_of(architecture: Architecture, role: str, input_shape: tuple[int, ...] = IMAGE) -> Any:
    return next(p.axes[1] for p in architecture.parameters(input_shape, 10) if p.name == role)


def test_a_concatenation_knows_whose_channels_it_holds_in_order() -> None:
    branches = (conv("a", "in", width=2), conv("b", "in", width=4))
    assert source_of(net(*branches, last=("a", "b"), merge="concat"), "out.head/weight") == (("a", 2), ("b", 4))
    assert source_of(net(*branches, last=("b", "a"), merge="concat"), "out.head/weight") == (("b", 4), ("a", 2))


def test_a_sum_is_named_after_its_principal_input() -> None:
    branches = (conv("a", "in", width=2), conv("b", "in", width=4))
    assert source_of(net(*branches, last=("b", "a")), "out.head/weight") == (("b", 4),)
    assert source_of(net(*branches, last=("a", "b")), "out.head/weight") == (("a", 2), ("out+", 2))


def test_what_has_no_weights_passes_channels_on() -> None:
    architecture = net(
        conv("a", "in"), node("p", "avg_pool", "a", kernel=3, stride=2), node("i", "identity", "p"), last="i"
    )
    assert axis_of(architecture, "p") == axis_of(architecture, "i") == (("a", 8),)
    assert axis_of(architecture, "in") == (("in", 3),)
    assert axis_of(architecture, "out") == (("out", 10),)


@pytest.mark.parametrize(
    ("width", "start", "axis"),
    [
        (0, "identity", (("a", 8),)),
        (5, "identity", (("a", 5),)),
        (9, "identity", (("a", 8), ("b", 1))),
        (0, "random", (("b", 8),)),
        (0, "zero", (("b", 8),)),
        (5, "random", (("b", 5),)),
    ],
)
def test_a_layer_that_began_as_the_identity_keeps_the_names_of_its_input(width: int, start: str, axis: Any) -> None:
    assert axis_of(net(conv("a", "in"), conv("b", "a", width=width, start=start), last="b"), "b") == axis


def test_an_owner_that_reaches_an_axis_twice_is_told_apart() -> None:
    assert duplicates((("a", 2), ("b", 3), ("a", 4))) == [("a", 0, 2), ("b", 0, 3), ("a", 1, 4)]


AXES = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 9)), min_size=1, max_size=5).map(tuple)


@given(axis=AXES, width=st.integers(1, 60))
def test_a_fitted_axis_has_the_width_and_begins_as_before(axis: tuple[tuple[str, int], ...], width: int) -> None:
    found = fitted(axis, width, "new")
    flat, before = ([name for name, length in some for _ in range(length)] for some in (found, axis))
    assert size(found) == width
    assert flat == (before + ["new"] * width)[:width]
    assert all(length > 0 for _, length in found)


# Equality


def renamed(architecture: Architecture, rng: random.Random) -> Architecture:
    """The same architecture under other ids, in another topological order, sums read in another order."""
    names = [f"n{number}" for number in range(len(architecture.nodes))]
    rng.shuffle(names)
    name = {node.id: new for node, new in zip(architecture.nodes, names, strict=True)}
    waiting, placed = list(architecture.nodes), []
    while waiting:
        done = {node.id for node in placed}
        ready = [
            node for node in waiting if set(node.inputs) <= done and (node.operation != "head" or len(waiting) == 1)
        ]
        placed.append(rng.choice(ready))
        waiting.remove(placed[-1])

    def inputs(node: Node) -> tuple[str, ...]:
        found = [name[source] for source in node.inputs]
        if node.merge == "sum":
            rng.shuffle(found)
        return tuple(found)

    return Architecture(
        tuple(Node(name[node.id], node.operation, node.attributes, inputs(node), node.merge) for node in placed)
    )


@st.composite
def architectures(draw: st.DrawFn) -> Architecture:
    nodes: list[Node] = []
    names = ["in"]
    for number in range(draw(st.integers(0, 7))):
        inputs = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3))
        merge = draw(st.sampled_from(["sum", "concat"]))
        if draw(st.booleans()):
            nodes.append(conv(str(number), *inputs, width=draw(st.sampled_from([4, 8])), merge=merge))
        else:
            nodes.append(node(str(number), "identity", *inputs, merge=merge))
        names.append(str(number))
    last = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3))
    return net(*nodes, last=tuple(last), merge=draw(st.sampled_from(["sum", "concat"])))


@given(architecture=architectures(), rng=st.randoms(use_true_random=False))
def test_digest_ignores_ids_and_isomorphism_finds_them(architecture: Architecture, rng: random.Random) -> None:
    other = renamed(architecture, rng)
    assert other.digest == architecture.digest
    mapping = architecture.isomorphism(other)
    assert mapping is not None
    theirs = {node.id: node for node in other.nodes}
    for node_ in architecture.nodes:
        twin = theirs[mapping[node_.id]]
        assert (twin.operation, twin.attributes) == (node_.operation, node_.attributes)
        inputs = [mapping[source] for source in node_.inputs]
        assert list(twin.inputs) == inputs if node_.merge == "concat" else sorted(twin.inputs) == sorted(inputs)


@given(a=architectures(), b=architectures())
def test_another_digest_means_no_isomorphism(a: Architecture, b: Architecture) -> None:
    assert a.digest == b.digest or a.isomorphism(b) is None


AB = (conv("a", "in", width=4), conv("b", "in", width=8))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (net(conv("a", "in"), last="a"), net(conv("a", "in", width=4), last="a")),
        (net(conv("a", "in"), last="a"), net(conv("a", "in", start="zero"), last="a")),
        (net(*AB, last=("a", "b")), net(*AB, last=("a", "b"), merge="concat")),
        (net(*AB, last=("a", "b")), net(*AB, last=("b", "a"), merge="concat")),
        (net(*AB, last=("a", "b"), merge="concat"), net(*AB, last=("b", "a"), merge="concat")),
        (net(AB[0], conv("b", "a"), last="b"), net(*AB, last=("a", "b"))),
        (net(AB[0], last=("a", "a")), net(AB[0], last="a")),
        (net(AB[0], last=("a", "a", "in")), net(AB[0], last=("a", "in", "in"))),
        (net(AB[0], last="a"), net(*AB, last=("a", "b"))),
    ],
)
def test_different_architectures_are_told_apart(one: Architecture, other: Architecture) -> None:
    assert one.digest != other.digest
    assert one.isomorphism(other) is None
    assert other.isomorphism(one) is None


def test_how_a_single_input_would_merge_makes_no_difference() -> None:
    one, other = net(conv("a", "in"), last="a"), net(conv("a", "in", merge="concat"), last="a", merge="concat")
    assert one.digest == other.digest
    assert one.isomorphism(other) is not None


def test_isomorphism_denies_what_a_hash_of_neighbours_confuses() -> None:
    def crossed(pairs: str) -> Architecture:
        top = [conv(name, "in") for name in "abcd"]
        middle = [node(f"m{at}", "identity", *pair) for at, pair in enumerate(pairs.split())]
        return net(*top, *middle, last=tuple(layer.id for layer in middle))

    one_ring, two_rings = crossed("ab bc cd da"), crossed("ab ba cd dc")
    assert one_ring.digest == two_rings.digest
    assert one_ring.isomorphism(two_rings) is None
    assert one_ring.isomorphism(crossed("ac cb bd da")) is not None


def test_an_architecture_is_a_value() -> None:
    twin = Architecture(CHAIN.nodes)
    assert twin == CHAIN
    assert hash(twin) == hash(CHAIN)
    assert CHAIN.layout(IMAGE, 10) is twin.layout(IMAGE, 10)
    assert int(CHAIN.digest, 16) >= 0
    assert len(CHAIN.digest) == 16
