import numpy as np
import pytest

from evonas.view import neurons, pattern
from genomes.neurons import NeuronGraph
from tests.view.boxed import artists, assert_apart, assert_framed

GRAPH = NeuronGraph(
    n_inputs=2,
    outputs=(4,),
    ids=("a", "b", "out"),
    activations=("tanh", "gaussian", "sigmoid"),
    aggregations=("sum", "max", "sum"),
    biases=(0.0, 0.5, -0.5),
    responses=(1.0, 1.0, 1.0),
    sources=(0, 1, 2, 2, 3),
    targets=(2, 2, 3, 4, 4),
    weights=(1.0, -2.0, 0.5, 1.5, -0.1),
    markings=("c0", "c1", "c2", "c3", "c4"),
)
LOOP = NeuronGraph(
    1, (1,), ("o",), ("tanh",), ("sum",), (0.0,), (1.0,), (0, 1), (1, 1), (1.0, 0.5), ("in", "self"), recurrent=True
)


def texts(ax):
    return [text.get_text() for text in ax.texts]


def centre(patch):
    box = patch.get_window_extent()
    return (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2


def test_every_neuron_input_and_connection_is_drawn_once():
    ax = neurons(GRAPH, inputs=("x",), title="individual 3")
    assert set(artists(ax, "neuron-")) == {"a", "b", "out"}
    assert set(artists(ax, "input-")) == {"0", "1"}
    assert set(artists(ax, "connection-")) == set(GRAPH.markings)
    assert {"x", "1", "tanh", "gauss\nmax", "σ", "output 0"} <= set(texts(ax))
    assert ax.get_title() == "individual 3"


def test_what_is_read_stands_above():
    ax = neurons(GRAPH)
    found = {name: centre(patch)[1] for name, patch in (artists(ax, "neuron-") | artists(ax, "input-")).items()}
    assert found["0"] == pytest.approx(found["1"])
    assert found["0"] > found["a"] > found["b"] > found["out"]


def test_nothing_overlaps_or_leaves_the_frame():
    ax = neurons(GRAPH)
    patches = artists(ax, "neuron-") | artists(ax, "input-")
    boxes = {name: patch.get_window_extent() for name, patch in patches.items()}
    assert_apart(boxes)
    assert_framed(ax, boxes.values())


def test_a_weight_is_a_colour_and_a_width():
    drawn = artists(neurons(GRAPH), "connection-")
    assert drawn["c1"].get_linewidth() > drawn["c3"].get_linewidth() > drawn["c0"].get_linewidth()
    assert drawn["c0"].get_edgecolor() == drawn["c2"].get_edgecolor() != drawn["c1"].get_edgecolor()


def test_what_leads_back_is_dashed():
    drawn = artists(neurons(LOOP), "connection-")
    assert drawn["self"].get_linestyle() == "--"
    assert drawn["in"].get_linestyle() == "-"


def test_too_many_are_told_of():
    n = 400
    wide = NeuronGraph(n, (n,), ("o",), ("tanh",), ("sum",), (0.0,), (1.0,), (0,), (n,), (1.0,), ("a",))
    assert texts(neurons(wide)) == ["too many to draw: 401 inputs and neurons, 1 connections"]


def test_a_pattern_is_what_a_neuron_computes_at_every_point():
    side = np.linspace(-1, 1, 5)
    plane = np.stack(np.meshgrid(side, side, indexing="ij"), -1).reshape(-1, 2)
    ax = pattern(GRAPH, plane, (5, 5))
    images = {inset.get_gid(): inset.images[0].get_array() for inset in ax.child_axes}
    assert list(images) == ["neuron-out", "neuron-a", "neuron-b"], "the output first, then by level"
    np.testing.assert_allclose(images["neuron-out"], GRAPH.run(plane).reshape(5, 5))
    np.testing.assert_allclose(images["neuron-a"], np.tanh(plane @ [1.0, -2.0]).reshape(5, 5))
    widths = {inset.get_gid(): inset.spines["left"].get_linewidth() for inset in ax.child_axes}
    assert widths["neuron-out"] > widths["neuron-a"]
