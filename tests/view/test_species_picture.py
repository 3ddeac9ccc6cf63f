import numpy as np
from matplotlib.colors import to_hex

from evonas.view import species, substrate


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
