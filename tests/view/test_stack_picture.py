from itertools import combinations

import pytest
from matplotlib.figure import Figure

from evonas.view import save, stack
from evonas.view.stack import size
from tests.view.boxed import artists, assert_apart, assert_avoids, assert_framed, assert_inside_one

STAGES = [
    ("image", 1, (3, 32, 32)),
    ("stem", 1, (96, 32, 32)),
    ("normal cell", 6, (192, 32, 32)),
    ("reduction cell", 1, (256, 16, 16)),
    ("normal cell", 6, (384, 16, 16)),
    ("softmax", 1, (10,)),
]


def assert_readable(ax, stages):
    boxes = {name: patch.get_window_extent() for name, patch in artists(ax, "stage-").items()}
    assert set(boxes) == {str(at) for at in range(len(stages))}
    assert_apart(boxes)
    heights = [boxes[str(at)].y0 for at in range(len(stages))]
    assert heights == sorted(heights, reverse=True)
    edges = artists(ax, "edge-")
    assert set(edges) == {f"{at}-{at + 1}" for at in range(len(stages) - 1)}
    for name, patch in edges.items():
        assert_avoids(name, patch, ax, boxes, name.split("-"))
    shapes = {size(shape) for _, _, shape in stages}
    for text in ax.texts:
        if text.get_text() not in shapes:
            assert_inside_one(text, boxes)
    extents = [text.get_window_extent() for text in ax.texts]
    assert not [(a, b) for a, b in combinations(extents, 2) if a.overlaps(b)]
    assert_framed(ax, [*boxes.values(), *extents, *(p.get_window_extent() for p in artists(ax, "sheet-").values())])


def test_stages_run_from_the_image_to_the_softmax_with_their_shapes():
    ax = stack(STAGES, title="a network")
    assert_readable(ax, STAGES)
    texts = [text.get_text() for text in ax.texts]
    for wanted in (
        "image",
        "32×32, 3 channels",
        "normal cell  × 6",
        "reduction cell",
        "16×16, 256 channels",
        "10 values",
    ):
        assert wanted in texts
    assert ax.get_title() == "a network"


def test_a_repeated_stage_alone_has_sheets_behind_it():
    assert {name.split("-")[0] for name in artists(stack(STAGES), "sheet-")} == {"2", "4"}


def test_each_shape_stands_beside_its_box():
    ax = stack(STAGES)
    boxes = artists(ax, "stage-")
    for at, (_, _, shape) in enumerate(STAGES):
        box = boxes[str(at)].get_window_extent()
        beside = [
            t.get_text()
            for t in ax.texts
            if t.get_window_extent().x0 > box.x1 and box.y0 < t.get_window_extent().y0 < box.y1
        ]
        assert beside == [size(shape)]


@pytest.mark.parametrize("stages", [STAGES[:1], [("normal cell", 3, (8, 4, 4))], STAGES * 4])
def test_few_and_many_stages_and_long_names(stages):
    assert_readable(stack(stages), stages)
    longer = [(f"{name} that was given a rather long name", count, shape) for name, count, shape in stages]
    assert_readable(stack(longer), longer)


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [((1, 8, 8), "8×8, 1 channel"), ((1024, 4, 4), "4×4, 1,024 channels"), ((1,), "1 value"), ((64,), "64 values")],
)
def test_shapes_in_words(shape, wanted):
    assert size(shape) == wanted


def test_no_stages_and_counts_that_cannot_be():
    (text,) = stack([]).texts
    assert text.get_text() == "nothing to show: no stages"
    with pytest.raises(ValueError, match=r"stage 1 \(normal cell\): expected a count of 1 or more, got 0"):
        stack([STAGES[0], ("normal cell", 0, (8, 4, 4))])


def test_given_axes_are_used():
    left, right = Figure(figsize=(8, 5), layout="constrained").subplots(1, 2)
    assert stack(STAGES, ax=left) is left
    assert not right.patches
    assert_readable(left, STAGES)


def test_the_same_stages_give_the_same_bytes(tmp_path):
    files = [save(stack(STAGES), tmp_path / name) for name in ("a.svg", "b.svg")]
    assert files[0].read_bytes() == files[1].read_bytes()
