"""Augmentation of a whole epoch at once, on the device that holds it."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from evonas.training.config import Training


def augmented(images: Tensor, config: Training, *, rng: np.random.Generator) -> Tensor:
    """Images moved, mirrored and cut as configured; zeros fill what is uncovered, which is the training mean.

    Args:
        images: `(batch, channels, height, width)`; vectors `(batch, features)` are returned as they are.
        config: Which augmentations, and how much.
        rng: Draws one variant an image.

    Returns:
        A tensor of the same shape and device.
    """
    if images.dim() != 4:
        return images
    n, _, height, width = images.shape
    if config.shift:
        down, right = (_drawn(images, rng.integers(0, 2 * config.shift + 1, n)) for _ in range(2))
        padded = F.pad(images, [config.shift] * 4).permute(0, 2, 3, 1)
        each = torch.arange(n, device=images.device)[:, None, None]
        rows = (down[:, None] + torch.arange(height, device=images.device))[:, :, None]
        columns = (right[:, None] + torch.arange(width, device=images.device))[:, None, :]
        images = padded[each, rows, columns].permute(0, 3, 1, 2)
    if config.flip:
        mirrored = _drawn(images, rng.integers(0, 2, n)).bool()[:, None, None, None]
        images = torch.where(mirrored, images.flip(3), images)
    if config.cutout:
        rows, columns = (
            _band(_drawn(images, rng.integers(0, side, n)), side, config.cutout) for side in (height, width)
        )
        images = images.masked_fill(rows[:, None, :, None] & columns[:, None, None, :], 0.0)
    return images


def _drawn(images: Tensor, values: np.ndarray) -> Tensor:
    return torch.from_numpy(values).to(images.device)


def _band(centres: Tensor, side: int, length: int) -> Tensor:
    """`(batch, side)`: True within a band of a length around each centre."""
    start = centres[:, None] - length // 2
    at = torch.arange(side, device=centres.device)[None]
    return (at >= start) & (at < start + length)
