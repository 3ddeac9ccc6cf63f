from itertools import combinations, pairwise

import numpy as np
import pytest
from matplotlib.colors import same_color

from evonas.view import figure, neurons, pattern
from genomes.neurons import NeuronGraph
from tests.view.boxed import artists, assert_apart, assert_framed, polyline

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


ACTIVATIONS = ("tanh", "sigmoid", "relu", "gaussian", "steep_sigmoid", "clamped", "sine")


def drawn_at_random(seed, n_inputs=4, n_hidden=5, n_outputs=2, n_connections=24, *, recurrent=False):
    """Neurons with biases, and connections that skip rows."""
    rng = np.random.default_rng(seed)
    n, first = n_hidden + n_outputs, n_inputs + n_hidden
    pairs = {}
    while len(pairs) < n_connections:
        source, target = int(rng.integers(n_inputs + n)), int(rng.integers(n_inputs, n_inputs + n))
        if recurrent or (source < target and source < first):
            pairs[source, target] = None
    names = tuple(f"n{at}" for at in range(n))
    biases = tuple((rng.standard_normal(n) * 10.0 ** rng.integers(-3, 3, n)).tolist())
    columns = (tuple(rng.choice(ACTIVATIONS, n).tolist()), ("sum",) * n, biases, (1.0,) * n)
    sources, targets = (tuple(side) for side in zip(*pairs, strict=True))
    weights, markings = tuple(rng.standard_normal(len(pairs)).tolist()), tuple(f"c{at}" for at in range(len(pairs)))
    outputs = tuple(range(first, n_inputs + n))
    return NeuronGraph(n_inputs, outputs, names, *columns, sources, targets, weights, markings, recurrent=recurrent)


def texts(ax, kind=""):
    return [text.get_text() for text in ax.texts if (text.get_gid() or "").startswith(kind)]


def legend(ax):
    return {text.get_gid(): text.get_text() for text in ax.texts if (text.get_gid() or "").startswith("legend-")}


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


def test_what_leads_back_is_told_only_where_something_does():
    assert legend(neurons(LOOP))["legend-back"] == "leads back"
    ordered = NeuronGraph(
        1, (3,), ("a", "b", "o"), ("tanh",) * 3, ("sum",) * 3, (0.0,) * 3, (1.0,) * 3, (0, 0, 1, 2), (1, 2, 2, 3),
        (1.0,) * 4, ("c0", "c1", "c2", "c3"), recurrent=True,
    )  # fmt: skip
    ax = neurons(ordered)
    assert "legend-back" not in legend(ax)
    assert {one.get_linestyle() for one in artists(ax, "connection-").values()} == {"-"}
    found = {name: centre(patch)[1] for name, patch in artists(ax, "neuron-").items()}
    assert found["a"] > found["b"] > found["o"], "recurrent, and drawn as what it is"


def test_biases_are_written_beside_their_neurons_unless_they_are_0():
    graph = NeuronGraph(
        1, (3,), ("a", "b", "o"), ("tanh",) * 3, ("sum",) * 3, (0.0, -0.004567, 1234.5), (1.0,) * 3, (0, 1), (1, 3),
        (1.0, 1.0), ("c0", "c1"),
    )  # fmt: skip
    ax = neurons(graph)
    assert {text.get_gid(): text.get_text() for text in ax.texts if (text.get_gid() or "").startswith("bias-")} == {
        "bias-b": "−0.0046",
        "bias-o": "1200",
    }
    circles = artists(ax, "neuron-")
    for text in ax.texts:
        if (gid := text.get_gid() or "").startswith("bias-"):
            box, own = text.get_window_extent(), circles[gid.removeprefix("bias-")].get_window_extent()
            assert own.x1 < box.x0 < own.x1 + 10
            assert own.y0 < box.y0 < box.y1 < own.y1
    assert legend(ax)["legend-bias"] == "bias"
    assert "legend-bias" not in legend(neurons(LOOP))


def test_the_legend_tells_signs_the_heaviest_weight_and_what_colours_occur():
    ax = neurons(GRAPH)
    assert legend(ax) == {
        "legend-positive": "positive weight",
        "legend-negative": "negative weight",
        "legend-weight": "thickness: weight, heaviest −2",
        "legend-bias": "bias",
        "legend-tanh": "tanh",
        "legend-gaussian": "gaussian",
        "legend-sigmoid": "sigmoid",
    }
    lines = [line.get_color() for line in ax.lines]
    drawn = artists(ax, "connection-")
    assert same_color(lines[0], drawn["c0"].get_edgecolor()[:3])
    assert same_color(lines[1], drawn["c1"].get_edgecolor()[:3])
    nothing = NeuronGraph(1, (1,), ("o",), ("tanh",), ("sum",), (0.0,), (1.0,), (), (), (), ())
    assert set(legend(neurons(nothing))) == {"legend-tanh"}


def test_entries_of_the_legend_stand_apart():
    ax = neurons(drawn_at_random(0, n_hidden=12))
    ax.get_figure().draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts if (text.get_gid() or "").startswith("legend-")]
    gaps = [other.x0 - one.x1 for one, other in pairwise(boxes) if other.x0 > one.x1]
    assert len(gaps) > 3
    # Between two texts lies the sample of the second, of 0.28 inches with the space behind it.
    assert min(gaps) / ax.get_figure().dpi > 0.3


def test_activations_of_one_colour_share_an_entry():
    graph = drawn_at_random(0, n_hidden=12, n_outputs=2)
    found = legend(neurons(graph))
    both = next(text for text in found.values() if "sigmoid" in text)
    assert sorted(both.split(", ")) == ["sigmoid", "steep sigmoid"]


def test_what_is_in_a_neuron_can_be_read():
    for colour in (figure.BLUE, figure.GREEN):
        assert figure.ink_on(colour) == "white"
    for colour in (figure.SKY, figure.YELLOW, figure.ORANGE, figure.GREY, (1.0, 1.0, 1.0)):
        assert figure.ink_on(colour) == figure.INK
    inside = next(text for text in neurons(LOOP).texts if text.get_text() == "tanh" and text.get_gid() is None)
    assert inside.get_color() == "white"


LARGE = {"n_inputs": 8, "n_hidden": 10, "n_outputs": 3, "n_connections": 50}
"""Of these some have no way for each connection between rows as close as usual."""


@pytest.mark.parametrize("sizes", [{}, {"recurrent": True}, LARGE])
@pytest.mark.parametrize("seed", range(4))
def test_no_connection_runs_through_a_neuron_that_it_does_not_belong_to(seed, sizes):
    graph = drawn_at_random(seed, **sizes)
    ax = neurons(graph)
    circles = {f"n{at}": patch for at, patch in enumerate(artists(ax, "neuron-").values())}
    squares = artists(ax, "input-")
    names = [*map(str, range(graph.n_inputs)), *graph.ids]
    radius = next(iter(circles.values())).get_window_extent().width / 2
    centres = {name: np.array(centre((circles | squares)[name])) for name in names}
    for at, patch in enumerate(artists(ax, "connection-").values()):
        own = {names[graph.sources[at]], names[graph.targets[at]]}
        points = polyline(patch, ax)
        for name, place in centres.items():
            if name not in own:
                near = np.hypot(*(points - place).T).min()
                assert near > radius * (1 if name in circles else 0.75), f"{graph.markings[at]} runs through {name}"


NAMES = {
    "numbers": (),
    "short": ("x", "y", "dx", "dy"),
    "lines": ("position", "angular speed 1", "petal_length (cm)", "wind"),
    "long": ("temperature outside", "wind", "the same long name of a column, A", "the same long name of a column, B"),
    "odd": ("", "a$b$", "  ", "$\\frac$"),
}


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("seed", range(3))
def test_no_text_touches_another_or_is_cut_off(names, seed):
    ax = neurons(drawn_at_random(seed, recurrent=seed == 2), inputs=names, title="individual 3")
    ax.get_figure().draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts if text.get_text().strip()]
    for one, other in combinations(boxes, 2):
        assert not one.shrunk(0.98, 0.8).overlaps(other.shrunk(0.98, 0.8))
    assert_framed(ax, boxes)
    assert_framed(ax, [patch.get_window_extent() for patch in ax.patches])


def test_long_names_are_shortened_and_can_be_told_apart():
    found = texts(neurons(drawn_at_random(0), inputs=NAMES["long"]), "name-")
    assert len(set(found)) == 4
    assert found[:2] == ["temperature outside", "wind"]
    assert all(len(name) <= 22 for name in found)
    assert [name[:6] for name in found[2:]] == ["2 the ", "3 the "]


def test_names_of_inputs_are_in_their_boxes_or_above_them():
    short = neurons(drawn_at_random(0), inputs=NAMES["short"])
    long = neurons(drawn_at_random(0), inputs=NAMES["lines"])
    assert texts(long, "name-") == ["position", "angular\nspeed 1", "petal_\nlength\n(cm)", "wind"]
    for ax, above in ((short, False), (long, True)):
        squares = artists(ax, "input-")
        for text in ax.texts:
            if (gid := text.get_gid() or "").startswith("name-"):
                box, own = text.get_window_extent(), squares[gid.removeprefix("name-")].get_window_extent()
                assert (box.y0 > own.y1) == above
                assert abs(box.x0 + box.x1 - own.x0 - own.x1) < 4


def test_rows_are_farther_apart_where_the_picture_is_wide():
    graphs = [drawn_at_random(0, n_inputs=n, n_hidden=0, n_outputs=1, n_connections=n) for n in (4, 40)]
    gaps = []
    for graph in graphs:
        ax = neurons(graph)
        (output,) = artists(ax, "neuron-").values()
        top = centre(artists(ax, "input-")["0"])[1]
        gaps.append((top - centre(output)[1]) / output.get_window_extent().width)
    assert gaps[1] > 2 * gaps[0]


def test_too_many_are_told_of():
    n = 400
    wide = NeuronGraph(n, (n,), ("o",), ("tanh",), ("sum",), (0.0,), (1.0,), (0,), (n,), (1.0,), ("a",))
    assert texts(neurons(wide)) == ["too many to draw: 401 inputs and neurons, 1 connections"]


def test_outputs_have_names_and_those_without_are_numbered():
    said = {text.get_text() for text in neurons(GRAPH, outputs=["layer_norm"]).texts}
    assert "layer norm" in said
    assert "output 0" not in said
    assert "output 0" in {text.get_text() for text in neurons(GRAPH).texts}


def test_a_pattern_says_what_its_axes_are_and_what_is_held():
    side = np.linspace(-1, 1, 5)
    plane = np.stack(np.meshgrid(side, 2 * side, indexing="ij"), -1).reshape(-1, 2)
    ax = pattern(GRAPH, plane, (5, 5), names=["row", "column"], outputs=["leo"])
    (text,) = [text.get_text() for text in ax.texts if text.get_gid() == "axes"]
    assert text == "to the right: column from -2 to 2; upwards: row from -1 to 1"
    panels = {inset.get_gid(): inset for inset in ax.child_axes}
    assert "scale" in panels
    assert panels["neuron-out"].get_title().startswith("leo: ")
    assert panels["neuron-a"].get_title() == "tanh a"
    limit = np.abs(panels["neuron-a"].images[0].get_array()).max()
    assert panels["neuron-a"].texts[0].get_text() == f"± {limit:.2g}"
    plane[:, 1] = 0.5
    (text,) = [text.get_text() for text in pattern(GRAPH, plane, (5, 5)).texts if text.get_gid() == "axes"]
    assert text == "upwards: input 0 from -1 to 1; held: input 1 = 0.5"
    plane[:, 1] = plane[:, 0] + np.tile(side, 5)
    (text,) = [text.get_text() for text in pattern(GRAPH, plane, (5, 5)).texts if text.get_gid() == "axes"]
    assert "input 1: as follows from these" in text


def test_a_pattern_is_what_a_neuron_computes_at_every_point():
    side = np.linspace(-1, 1, 5)
    plane = np.stack(np.meshgrid(side, side, indexing="ij"), -1).reshape(-1, 2)
    ax = pattern(GRAPH, plane, (5, 5))
    images = {inset.get_gid(): inset.images[0].get_array() for inset in ax.child_axes if inset.get_gid() != "scale"}
    assert list(images) == ["neuron-out", "neuron-a", "neuron-b"], "the output first, then by level"
    np.testing.assert_allclose(images["neuron-out"], GRAPH.run(plane).reshape(5, 5))
    np.testing.assert_allclose(images["neuron-a"], np.tanh(plane @ [1.0, -2.0]).reshape(5, 5))
    widths = {inset.get_gid(): inset.spines["left"].get_linewidth() for inset in ax.child_axes}
    assert widths["neuron-out"] > widths["neuron-a"]
