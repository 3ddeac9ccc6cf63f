import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from evonas.view import genome, save
from evonas.view.genome import words
from evonas.view.layers import layered
from genomes.architecture import Architecture, Node
from tests.view.boxed import artists, assert_apart, assert_avoids, assert_framed, assert_inside_one

LAYER = {"width": 16, "activation": "relu", "normalisation": "batch", "start": "random"}
IMAGE = (3, 32, 32)


def node(name, operation, *inputs, merge="sum", **attributes):
    return Node(name, operation, tuple(sorted(attributes.items())), inputs, merge)


def random_architecture(n_hidden, seed, *, image=True):
    rng = np.random.default_rng(seed)
    nodes = [node("input", "input")]
    for i in range(n_hidden):
        n_inputs = int(rng.integers(1, min(4, len(nodes)) + 1))
        inputs = [nodes[at].id for at in sorted(rng.choice(len(nodes), size=n_inputs, replace=False))]
        merge = ("sum", "concat")[rng.integers(2)]
        if image:
            operation = ("conv", "separable", "dilated", "max_pool", "avg_pool", "identity")[rng.integers(6)]
            spatial = {"kernel": 3, "stride": 2 if rng.random() < 0.1 else 1}
            layer = LAYER if operation in ("conv", "separable", "dilated") else {}
            attributes = {} if operation == "identity" else spatial | layer
        else:
            operation, attributes = ("linear", LAYER) if rng.random() < 0.8 else ("identity", {})
        nodes.append(node(f"n{i}", operation, *inputs, merge=merge, **attributes))
    read = {source for one in nodes for source in one.inputs}
    loose = [one.id for one in nodes if one.id not in read]
    return Architecture((*nodes, node("output", "head", *loose)))


def assert_readable(ax, architecture):
    boxes = {name: patch.get_window_extent() for name, patch in artists(ax, "node-").items()}
    assert set(boxes) == {one.id for one in architecture.nodes}
    assert_apart(boxes)
    edges = artists(ax, "edge-")
    wanted = {f"{source}-{one.id}": (source, one.id) for one in architecture.nodes for source in one.inputs}
    assert set(edges) == set(wanted)
    for name, patch in edges.items():
        assert_avoids(name, patch, ax, boxes, wanted[name])
    for text in ax.texts:
        if text.get_text() not in "+‖":
            assert_inside_one(text, boxes)
    assert_framed(ax, boxes.values())


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 38), st.integers(0, 2**32 - 1), st.booleans())
def test_no_box_overlaps_and_no_edge_runs_through_another_box(n_hidden, seed, image):
    architecture = random_architecture(n_hidden, seed, image=image)
    assert_readable(genome(architecture, IMAGE if image else (20,), 10), architecture)


def test_given_axes_are_used_and_the_text_is_scaled_to_them():
    architecture = random_architecture(12, 1)
    figure = Figure(figsize=(8, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    assert genome(architecture, IMAGE, 10, ax=left) is left
    assert not right.patches
    assert_readable(left, architecture)


def test_text_in_given_axes_is_no_smaller_than_their_final_size_allows():
    architecture = random_architecture(3, 1)
    size = {}
    for layout in ("constrained", None):
        ax = Figure(figsize=(4, 4), layout=layout).add_subplot()
        genome(architecture, IMAGE, 10, ax=ax)
        height = next(iter(artists(ax, "node-").values())).get_window_extent().height
        size[layout] = ax.texts[0].get_fontsize() / height
    assert size["constrained"] == pytest.approx(size[None], rel=0.05)


def test_a_box_says_operation_kernel_stride_shape_width_normalisation_and_activation():
    architecture = Architecture(
        (
            node("input", "input"),
            node("a", "separable", "input", kernel=5, stride=1, **LAYER),
            node("b", "max_pool", "input", kernel=3, stride=2),
            node("c", "conv", "a", "b", merge="concat", kernel=1, stride=1, **{**LAYER, "width": 0}),
            node("output", "head", "c", "b"),
        )
    )
    texts = [text.get_text() for text in genome(architecture, IMAGE, 7, title="the best").texts]
    for wanted in ("separable 5×5", "16×32×32", "width 16 · batch · relu", "max pool 3×3 /2", "3×16×16"):
        assert wanted in texts
    assert "width kept · batch · relu" in texts
    assert "7" in texts
    assert texts.count("‖") == 1
    assert texts.count("+") == 1


def test_words_leave_out_what_is_not_there():
    layers = random_architecture(0, 0).layout((20,), 3)
    assert [words(layer) for layer in layers] == [("input", "20", ""), ("head", "3", "")]


def test_the_figure_grows_with_the_graph():
    few, many = (genome(random_architecture(n, 3), IMAGE, 10).get_figure().get_size_inches() for n in (3, 30))
    assert many[1] > 2 * few[1]
    assert many[0] < 16


def test_an_architecture_that_cannot_be_is_refused_by_the_node():
    architecture = Architecture(
        (node("input", "input"), node("a", "max_pool", "input", kernel=3, stride=1), node("output", "head", "a"))
    )
    with pytest.raises(ValueError, match=r"node a \(max_pool\)"):
        genome(architecture, (20,), 10)


def test_the_same_architecture_gives_the_same_picture(tmp_path):
    files = [save(genome(random_architecture(20, 5), IMAGE, 10), tmp_path / name) for name in ("a.svg", "b.svg")]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_layers_follow_the_longest_path_and_hold_no_more_than_the_widest():
    fan = {"input": (), **{f"n{i}": ("input",) for i in range(7)}, "far": ("n6",), "output": ("far", "n0")}
    rows = layered(fan, box=1, gap=0.2, lane=0.1, widest=3).rows
    levels = {spot: at for at, row in enumerate(rows) for spot in row if isinstance(spot, str)}
    assert (levels["n6"], levels["far"]) == (1, 2)
    assert max(sum(isinstance(spot, str) for spot in row) for row in rows) == 3
    assert levels["output"] == len(rows) - 1


def test_two_crossed_chains_are_uncrossed():
    crossed = {"input": (), "a": ("input",), "b": ("input",), "c": ("b",), "d": ("a",), "output": ("c", "d")}
    rows = layered(crossed, box=1, gap=0.2, lane=0.1, widest=3).rows
    assert rows[1].index("a") == rows[2].index("d")
