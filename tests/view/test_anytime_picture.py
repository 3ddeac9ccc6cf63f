"""The picture of several ways of searching."""

from pathlib import Path

import numpy as np
import pytest

from evonas.view import figure
from evonas.view.anytime import anytime

NOTHING = np.full((3, 3), np.nan)


def test_each_has_a_line_and_a_band() -> None:
    grid = [0, 5, 10]
    bands = {"a": np.array([[np.nan, 0.5, 0.9], [np.nan, 0.4, 0.8], [np.nan, 0.6, 1.0]]), "b": NOTHING + 0}
    ax = anytime(grid, bands, title="both")
    lines = {line.get_gid(): line for line in ax.get_lines()}
    assert set(lines) == {"a", "b"}
    np.testing.assert_array_equal(lines["a"].get_ydata(), [np.nan, 0.5, 0.9])
    assert ax.get_title() == "both"
    bottom, top = ax.get_ylim()
    assert 0.5 < bottom < 0.7, "the first results are below the picture"
    assert top > 1.0, "the band is inside"
    wide = anytime(grid, {"a": np.array([[0.5, 0.6, 0.7], [0.1] * 3, [99.0] * 3])})
    assert wide.get_ylim()[1] < 1.0, "but flattens nothing"


@pytest.mark.parametrize("bands", [{}, {"a": NOTHING}])
def test_nothing_is_said_in_words(bands: dict[str, np.ndarray]) -> None:
    assert "nothing to show" in anytime([0, 1, 2], bands).texts[0].get_text()


def test_one_run_has_no_band_and_is_saved(tmp_path: Path) -> None:
    band = np.array([[0.1, 0.2, 0.2], [np.nan] * 3, [np.nan] * 3])
    ax = anytime([0, 1, 2], {"alone": band})
    for suffix in figure.SUFFIXES:
        assert figure.save(ax, tmp_path / f"picture{suffix}").stat().st_size > 1000


def test_a_band_fits_its_grid() -> None:
    with pytest.raises(ValueError, match=r"a: expected a band of shape \(3, 2\), got \(3, 3\)"):
        anytime([0, 1], {"a": NOTHING})
