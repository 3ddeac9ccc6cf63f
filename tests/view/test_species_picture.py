from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_hex

from evonas.view import figure, species, substrate
from evonas.view.species import LIMIT


def areas(ax):
    return {one.get_gid(): one for one in ax.collections if (one.get_gid() or "").startswith("species-")}


def extent(area, generation):
    """Bottom and top of an area in the middle of a generation."""
    points = np.concatenate([path.vertices for path in area.get_paths()])
    inside = points[np.abs(points[:, 0] - generation) <= 0.5 + 1e-9]
    return inside[:, 1].min(), inside[:, 1].max()


def test_areas_are_stacked_and_as_high_as_a_species_is_large():
    ax = species([(0, {0: 10}), (1, {0: 6, 1: 4}), (2, {1: 7, 2: 3})])
    found = areas(ax)
    assert list(found) == ["species-0", "species-1", "species-2"]
    assert extent(found["species-2"], 2) == (7.0, 10.0)
    assert extent(found["species-0"], 0) == (0.0, 10.0)
    assert ax.get_ylim() == (0.0, 10.0)
    assert ax.get_ylabel() == "members of 3 species"
    assert {text.get_text() for text in ax.texts} == {"0", "1", "2"}


def turbulent(seed, n_generations, total=150):
    """Species that come and go, few of them large, and collapses."""
    rng = np.random.default_rng(seed)
    alive, born, found = [0], 1, []
    for generation in range(n_generations):
        alive += [born + at for at in range(int(rng.integers(0, 4)))]
        born = max(born, alive[-1] + 1)
        if rng.random() < 0.08:
            alive = alive[:1]
        shares = np.sort(rng.pareto(1.0, len(alive)))[::-1] + 0.01
        counts = np.maximum(1, (shares / shares.sum() * total).astype(int))
        found.append((generation, dict(zip(alive, counts.tolist(), strict=True))))
        alive = [one for one in alive if rng.random() < 0.9] or alive[-1:]
    return found


def numbers(ax):
    return {int(t.get_gid().split("-")[1]): t for t in ax.texts if (t.get_gid() or "").startswith("number-")}


@pytest.mark.parametrize("n_generations", [8, 60, 300])
@pytest.mark.parametrize("seed", range(3))
def test_a_number_lies_whole_in_its_area_and_touches_no_other(seed, n_generations):
    sizes = turbulent(seed, n_generations)
    ax = species(sizes)
    ax.get_figure().draw_without_rendering()
    boxes = {number: text.get_window_extent() for number, text in numbers(ax).items()}
    assert boxes
    for one, other in combinations(boxes.values(), 2):
        assert not one.overlaps(other)
    order = sorted({number for _, members in sizes for number in members})
    inverse = ax.transData.inverted()
    for number, box in boxes.items():
        # Digits are lower than the line that they stand in.
        (left, low), (right, high) = inverse.transform(box.shrunk(1.0, 0.6))
        for generation in range(round(left), round(right) + 1):
            members = dict(sizes)[generation]
            bottom = sum(members.get(one, 0) for one in order if one < number)
            assert bottom <= low < high <= bottom + members[number]


def test_a_number_stands_where_its_area_has_room():
    # Largest in the first generation, where a number is wider than the generation, and long-lived later.
    sizes = [(g, {0: 140 if g else 60, 1: 10 if g else 90}) for g in range(200)]
    ax = species(sizes)
    assert set(numbers(ax)) == {0, 1}
    assert 1 <= numbers(ax)[1].get_position()[0] < 20
    assert set(numbers(species([(g, {0: 149, 1: 1}) for g in range(200)]))) == {0}, "too low for a number"


def test_numbers_on_dark_areas_are_white():
    found = numbers(species([(0, {0: 10, 1: 10})]))
    assert (found[0].get_color(), found[1].get_color()) == ("white", figure.INK), "on blue and on orange"


def collapses(ax):
    return {line.get_gid(): float(line.get_xdata()[0]) for line in ax.lines if line.get_gid()}


def test_generations_of_fewer_than_half_as_many_species_are_marked():
    alive = {10: 6, 11: 3, 12: 1, 13: 4, 14: 2, 15: 0, 16: 3}
    ax = species([(g, dict.fromkeys(range(n), 10)) for g, n in alive.items()])
    assert collapses(ax) == {"collapse-12": 11.5, "collapse-15": 14.5}
    assert [text.get_text() for text in ax.texts if text.get_gid() == "collapses"] == [
        "dotted: fewer than half as many species as a generation before"
    ]
    for text in numbers(ax).values():
        left, right = (ax.transData.inverted().transform((x, 0))[0] for x in text.get_window_extent().intervalx)
        assert not any(left < x < right for x in collapses(ax).values())


def test_no_number_is_crossed_by_the_line_of_a_collapse():
    # Species 0 is largest in the generation that begins with the line, and a number is wider than that.
    sizes = [(g, {0: 100, **dict.fromkeys(range(1, 6), 10)} if g < 100 else {0: 150}) for g in range(200)]
    ax = species(sizes)
    (at,) = collapses(ax).values()
    ax.get_figure().draw_without_rendering()
    left, right = (ax.transData.inverted().transform((x, 0))[0] for x in numbers(ax)[0].get_window_extent().intervalx)
    assert at < left < right


def test_without_a_collapse_nothing_is_said_of_it():
    ax = species([(g, dict.fromkeys(range(n), 10)) for g, n in enumerate((6, 3, 2, 1))])
    assert collapses(ax) == {}
    assert set(text.get_gid() for text in ax.texts) == {f"number-{n}" for n in range(6)}


def test_species_that_touch_differ_in_colour():
    rng = np.random.default_rng(0)
    # Long-lived ones at the bottom, below which the many short-lived come and go, as over hundreds of generations.
    lives = [(0, 60), (3, 60), *((born, born + int(rng.integers(1, 12))) for born in range(60))]
    sizes = [(g, {n: 2 for n, (born, dead) in enumerate(lives) if born <= g < dead}) for g in range(60)]
    ax = species(sizes)
    colour = {int(name.split("-")[1]): tuple(area.get_facecolor()[0]) for name, area in areas(ax).items()}
    assert len(set(colour.values())) == 24
    for _, members in sizes:
        for below, above in zip(list(members), list(members)[1:], strict=False):
            assert colour[below] != colour[above]


def many(n_small):
    """One of 1,000 to 600 members, two of 30 at times, and small ones of 7 that come and go."""
    sizes = []
    for g in range(20):
        small = {10 + n: 7 for n in range(n_small) if n % 20 == g}
        sizes.append((g, {0: 1000 - 7 * len(small) - 30 * (g < 2), **({1 + g: 30} if g < 2 else {}), **small}))
    return sizes


def test_of_a_great_many_species_the_small_ones_are_one_area_at_the_top():
    sizes = many(1000)
    ax = species(sizes)
    assert set(areas(ax)) == {"species-0", "species-1", "species-2"}
    (others,) = [one for one in ax.collections if one.get_gid() == "others"]
    assert extent(others, 5) == (1000 - 7 * 50, 1000)
    assert ax.get_ylabel() == "members of 1,003 species"
    (note,) = [text.get_text() for text in ax.texts if text.get_gid() == "n-others"]
    assert note == "light at the top: 1,000 smaller species"
    assert tuple(others.get_facecolor()[0]) not in {tuple(one.get_facecolor()[0]) for one in areas(ax).values()}


def test_up_to_200_species_are_drawn_one_by_one_whatever_their_size():
    ax = species(many(197))
    assert len(areas(ax)) == LIMIT == 200
    assert not [one for one in ax.collections if one.get_gid() == "others"]
    assert len(areas(species(many(198)))) == 3


def test_of_more_large_ones_the_200_largest_are_drawn():
    ax = species([(g, {2 * g: 40, 2 * g + 1: 60}) for g in range(150)])
    found = sorted(int(gid.removeprefix("species-")) for gid in areas(ax))
    assert found == sorted([2 * g + 1 for g in range(150)] + [2 * g for g in range(50)])


def test_collapses_are_counted_over_all_species_drawn_or_not():
    sizes = [(g, {0: 9000, **{1 + n: 2 for n in range(400 if g < 3 else 100)}}) for g in range(6)]
    assert collapses(species(sizes)) == {"collapse-3": 2.5}


def test_a_few_species_have_the_colours_that_the_colour_blind_tell_apart():
    found = areas(species([(0, {0: 1, 1: 1, 2: 1})]))
    assert [to_hex(one.get_facecolor()[0]) for one in found.values()] == ["#0072b2", "#e69f00", "#009e73"]


def test_no_generation_is_said():
    assert "nothing to show" in species([]).texts[0].get_text()


def test_a_substrate_is_an_image_of_every_tensor():
    weights = np.array([[0.0, 1.0, -2.0], [0.0, 0.0, 0.5]])
    ax = substrate({"a.linear/weight": weights, "b.conv/weight": np.ones((2, 1, 3, 3))})
    first, second = ax.child_axes
    np.testing.assert_array_equal(first.images[0].get_array(), weights)
    assert first.images[0].get_clim() == (-2.0, 2.0)
    assert first.get_gid() == "tensor-a.linear/weight"
    assert "50% expressed" in first.get_xlabel()
    assert second.images[0].get_array().shape == (2, 9)


def test_a_large_substrate_is_thinned():
    ax = substrate({"a": np.arange(600 * 2, dtype=float).reshape(600, 2)})
    shown = ax.child_axes[0].images[0].get_array()
    assert shown.shape == (256, 2)
    assert (shown[0, 0], shown[-1, -1]) == (0, 1199)


def test_nothing_painted_is_said():
    assert "nothing to show" in substrate({}).texts[0].get_text()
