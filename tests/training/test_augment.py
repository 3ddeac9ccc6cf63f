"""Augmentation."""

from typing import Any

import numpy as np
import pytest
import torch

from evonas.training import Training
from evonas.training.augment import augmented

N = 200


def images(n: int = N, channels: int = 2, height: int = 5, width: int = 4) -> torch.Tensor:
    """Pixels above 0, so that a zero is one that was filled in."""
    return torch.rand(n, channels, height, width, generator=torch.Generator().manual_seed(0)) + 1


def changed(x: torch.Tensor, *, seed: int = 0, **fields: Any) -> torch.Tensor:
    return augmented(x, Training(**fields), rng=np.random.default_rng(seed))


def moved(image: torch.Tensor, down: int, right: int) -> torch.Tensor:
    """One image `(channels, height, width)` moved by hand, filled with zeros."""
    _, height, width = image.shape
    made = torch.zeros_like(image)
    for row in range(height):
        for column in range(width):
            if 0 <= row - down < height and 0 <= column - right < width:
                made[:, row, column] = image[:, row - down, column - right]
    return made


@pytest.mark.parametrize("most", [1, 2])
def test_a_shift_moves_each_image_and_fills_with_zeros(most: int) -> None:
    x = images()
    moves = [(down, right) for down in range(-most, most + 1) for right in range(-most, most + 1)]
    seen = set()
    for before, after in zip(x, changed(x, shift=most), strict=True):
        matching = [move for move in moves if torch.equal(moved(before, *move), after)]
        assert len(matching) == 1
        seen.update(matching)
    assert seen == set(moves)


def test_a_shift_beyond_the_image_leaves_it_black_or_moved() -> None:
    x = images(n=50, height=2, width=2)
    made = changed(x, shift=6)
    assert made.shape == x.shape
    assert (made == 0).any((1, 2, 3)).all() or (made != 0).any()


def test_a_flip_mirrors_half_of_the_images() -> None:
    x = images()
    made = changed(x, flip=True)
    mirrored = [torch.equal(after, before.flip(2)) for before, after in zip(x, made, strict=True)]
    kept = [torch.equal(after, before) for before, after in zip(x, made, strict=True)]
    assert all(a != b for a, b in zip(mirrored, kept, strict=True))
    assert 70 < sum(mirrored) < 130


@pytest.mark.parametrize("side", [1, 2, 3])
def test_a_cutout_is_one_square_of_zeros_about_a_pixel(side: int) -> None:
    x = images()
    holes = set()
    for before, after in zip(x, changed(x, cutout=side), strict=True):
        cut = after[0] == 0
        assert torch.equal(cut, after[1] == 0)
        assert torch.equal(after[:, ~cut], before[:, ~cut])
        rows, columns = (tuple(np.flatnonzero(cut.any(axis).numpy())) for axis in (1, 0))
        assert cut.sum() == len(rows) * len(columns)
        assert 1 <= len(rows) <= side
        assert 1 <= len(columns) <= side
        assert rows == tuple(range(rows[0], rows[-1] + 1))
        assert columns == tuple(range(columns[0], columns[-1] + 1))
        holes.add((rows, columns))
    assert len(holes) == 5 * 4
    assert max(len(rows) * len(columns) for rows, columns in holes) == side**2


def test_vectors_are_untouched_and_draw_nothing() -> None:
    x, rng = torch.randn(6, 4), np.random.default_rng(0)
    made = augmented(x, Training(shift=1, flip=True, cutout=2), rng=rng)
    assert torch.equal(made, x)
    assert rng.integers(1000) == np.random.default_rng(0).integers(1000)


def test_nothing_asked_for_changes_nothing() -> None:
    assert torch.equal(changed(images()), images())


def test_the_stream_decides() -> None:
    fields: dict[str, Any] = {"shift": 1, "flip": True, "cutout": 2}
    assert torch.equal(changed(images(), seed=3, **fields), changed(images(), seed=3, **fields))
    assert not torch.equal(changed(images(), seed=3, **fields), changed(images(), seed=4, **fields))


def test_the_images_themselves_are_left_alone() -> None:
    asked_for: list[dict[str, Any]] = [{"shift": 1}, {"flip": True}, {"cutout": 2}]
    for fields in asked_for:
        x = images()
        changed(x, **fields)
        assert torch.equal(x, images())
