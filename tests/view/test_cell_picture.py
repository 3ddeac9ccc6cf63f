import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from evonas.view import cell, save
from evonas.view.cell import WIDEST, label
from genomes.cell import Block, CellGenome
from genomes.cell.spaces import COMBINES, WORDS
from tests.view.boxed import artists, assert_apart, assert_avoids, assert_framed, assert_inside_one

SEP3, SEP5, SEP7, AVG, MAX = "sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7", "avg_pool_3x3", "max_pool_3x3"
NASNET_A = CellGenome(
    (
        Block(1, 0, SEP5, SEP3),
        Block(0, 0, SEP5, SEP3),
        Block(1, 0, AVG, "identity"),
        Block(0, 0, AVG, AVG),
        Block(1, 1, SEP3, "identity"),
    ),
    (
        Block(1, 0, SEP5, SEP7),
        Block(1, 0, MAX, SEP7),
        Block(1, 0, AVG, SEP5),
        Block(3, 2, "identity", AVG),
        Block(2, 1, SEP3, MAX),
    ),
    normal_output=(0,),
)
KINDS = ("normal", "reduction")


def random_cells(n_blocks, seed):
    rng = np.random.default_rng(seed)
    words = tuple(WORDS)

    def blocks():
        for at in range(n_blocks):
            left, right = (int(state) for state in rng.integers(at + 2, size=2))
            first, second = (words[i] for i in rng.integers(len(words), size=2))
            yield Block(left, right, first, second, COMBINES[rng.integers(2)])

    return CellGenome(tuple(blocks()), tuple(blocks()), normal_output=(0, 1), reduction_output=(1,))


def state(kind, number):
    return f"{kind}-input-{number}" if number < 2 else f"{kind}-{number - 2}"


def wanted_edges(genome, kind):
    """By the name of an edge the boxes it may touch."""
    found = {f"{kind}-concat-{kind}-output": (f"{kind}-concat", f"{kind}-output")}
    for at, block in enumerate(genome.cells[kind]):
        for side, source in (("left", block.left), ("right", block.right)):
            own = f"{kind}-{at}-{side}"
            found[f"{state(kind, source)}-{own}"] = (state(kind, source), own)
            found[f"{own}-{kind}-{at}"] = (own, f"{kind}-{at}")
    for source in genome.output(kind):
        found[f"{state(kind, source)}-{kind}-concat"] = (state(kind, source), f"{kind}-concat")
    return found


def assert_readable(ax, genome, kind):
    boxes = {name: patch.get_window_extent() for name, patch in artists(ax, "node-").items()}
    own = {f"{kind}-input-0", f"{kind}-input-1", f"{kind}-concat", f"{kind}-output"}
    assert set(boxes) == own | {name for name in genome.markings if name.startswith(kind)}
    assert_apart(boxes)
    edges, wanted = artists(ax, "edge-"), wanted_edges(genome, kind)
    assert set(edges) == set(wanted)
    for name, patch in edges.items():
        assert_avoids(name, patch, ax, boxes, wanted[name])
    *texts, note = ax.texts if kind == "reduction" else (*ax.texts, None)
    for text in texts:
        assert_inside_one(text, boxes)
    extents = [*boxes.values()]
    if note is not None:
        assert note.get_text().startswith("/2: stride 2")
        extents.append(note.get_window_extent())
        assert_apart({**boxes, "note": extents[-1]})
    assert_framed(ax, extents)


def lines_of(ax, name):
    """What stands in a box."""
    box = artists(ax, "node-")[name].get_window_extent()
    return [text.get_text() for text in ax.texts if box.contains(*text.get_window_extent().p0)]


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 12), st.integers(0, 2**32 - 1), st.sampled_from(KINDS))
def test_no_box_overlaps_and_no_edge_runs_through_another_box(n_blocks, seed, kind):
    genome = random_cells(n_blocks, seed)
    assert_readable(cell(genome, kind), genome, kind)


@pytest.mark.parametrize("n_blocks", [1, 8, 32])
def test_both_cells_stand_side_by_side(n_blocks):
    genome = random_cells(n_blocks, 1)
    left, right = cell(genome).get_figure().axes
    for ax, kind in ((left, "normal"), (right, "reduction")):
        assert_readable(ax, genome, kind)
        assert ax.get_title() == f"{kind} cell"
    one, other = left.get_window_extent(), right.get_window_extent()
    assert one.x1 < other.x0
    assert one.y1 == pytest.approx(other.y1)
    scale = [ax.transData.transform((1, 0))[0] - ax.transData.transform((0, 0))[0] for ax in (left, right)]
    assert scale[0] == pytest.approx(scale[1], rel=0.01)


def test_every_operation_fits_its_box():
    words = list(WORDS)
    rows = tuple(Block(0, 1, word, word) for word in words)
    genome = CellGenome(rows, rows)
    assert_readable(cell(genome, "reduction"), genome, "reduction")


def test_nasnet_a_is_drawn_as_the_paper_has_it():
    left, right = cell(NASNET_A, title="NASNet-A").get_figure().axes
    assert lines_of(left, "normal-0-left") == ["sep", "5×5"]
    assert lines_of(left, "normal-2-right") == ["identity"]
    assert lines_of(left, "normal-0") == ["add"]
    assert lines_of(left, "normal-input-0")[0] == "h[i-1]"
    assert lines_of(left, "normal-input-1")[0] == "h[i]"
    assert lines_of(left, "normal-output")[0] == "h[i+1]"
    into = {name for name in artists(left, "edge-") if name.endswith("-concat")}
    assert into == {"normal-input-0-normal-concat", *(f"normal-{at}-normal-concat" for at in range(5))}
    into = {name for name in artists(right, "edge-") if name.endswith("-concat")}
    assert into == {f"reduction-{at}-reduction-concat" for at in (2, 3, 4)}
    assert left.get_figure().texts[0].get_text() == "NASNet-A"


def test_what_reads_an_input_of_the_reduction_cell_has_stride_2_and_nothing_else():
    ax = cell(NASNET_A, "reduction")
    strided = {name for name in artists(ax, "node-") if any("/2" in line for line in lines_of(ax, name))}
    wanted = {f"reduction-{at}-{side}" for at in (0, 1, 2) for side in ("left", "right")} | {"reduction-4-right"}
    assert strided == wanted
    assert lines_of(ax, "reduction-4-right") == ["max pool", "3×3 /2"]
    assert not any("/2" in text.get_text() for text in cell(NASNET_A, "normal").texts)


def test_both_ways_to_combine_are_told_apart():
    genome = CellGenome((Block(0, 1, SEP3, AVG), Block(2, 2, AVG, MAX, "concat")), (Block(0, 0, SEP3, AVG, "concat"),))
    ax = cell(genome, "normal")
    assert (lines_of(ax, "normal-0"), lines_of(ax, "normal-1")) == (["add"], ["concat"])
    colours = {name: patch.get_facecolor() for name, patch in artists(ax, "node-").items()}
    assert colours["normal-0"] != colours["normal-1"]


def test_the_operation_whose_input_is_on_the_left_stands_on_the_left():
    for blocks in ((Block(0, 1, SEP3, AVG),), (Block(1, 0, AVG, SEP3),)):
        ax = cell(CellGenome(blocks, blocks), "normal")
        left = {name: patch.get_window_extent().x0 for name, patch in artists(ax, "node-").items()}
        of_0, of_1 = ("left", "right") if blocks[0].left == 0 else ("right", "left")
        in_order = left["normal-input-0"] < left["normal-input-1"]
        assert (left[f"normal-0-{of_0}"] < left[f"normal-0-{of_1}"]) == in_order


def test_the_lines_of_the_cell_before_the_last_are_dashed():
    for name, patch in artists(cell(NASNET_A, "normal"), "edge-").items():
        assert (patch.get_linestyle() in ("--", "dashed")) == name.startswith("normal-input-0-"), name


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("identity", ("identity", "")),
        ("none", ("none", "")),
        ("conv_1x1", ("conv", "1×1")),
        ("conv_1x7_7x1", ("1×7 then", "7×1")),
        ("dil_conv_3x3", ("dilated", "3×3")),
        ("avg_pool_3x3", ("avg pool", "3×3")),
        ("dil_sep_conv_5x5", ("dil sep", "5×5")),
    ],
)
def test_labels_are_what_people_say(word, wanted):
    assert label(word) == wanted


def test_given_axes_are_used_for_one_cell_and_refused_for_both():
    left, right = Figure(figsize=(9, 4), layout="constrained").subplots(1, 2)
    assert cell(NASNET_A, "reduction", ax=left, title="mine") is left
    assert not right.patches
    assert left.get_title() == "mine"
    assert_readable(left, NASNET_A, "reduction")
    with pytest.raises(ValueError, match=r"ax: expected none for both cells.*give a kind"):
        cell(NASNET_A, ax=right)
    with pytest.raises(ValueError, match=r"kind: expected normal or reduction.*'norml'"):
        cell(NASNET_A, "norml")


def test_no_more_blocks_than_a_page_holds_stand_side_by_side():
    genome = CellGenome((Block(0, 1, SEP3, AVG),) * 12, (Block(0, 1, SEP3, AVG),))
    operations = [patch for name, patch in artists(cell(genome, "normal"), "node-").items() if name.endswith("left")]
    tops = [round(patch.get_window_extent().y1) for patch in operations]
    assert max(map(tops.count, tops)) == WIDEST


def test_the_same_genome_gives_the_same_bytes(tmp_path):
    files = [save(cell(random_cells(6, 5)), tmp_path / name) for name in ("a.svg", "b.svg")]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert b"node-normal-0-left" in files[0].read_bytes()
