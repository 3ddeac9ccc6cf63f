"""ScheduledDropPath: paths of cells are dropped, the more often the longer training has gone on.

Zoph, Vasudevan, Shlens & Le 2018 (https://arxiv.org/abs/1707.07012); dropping a path for each example by itself and
enlarging what is kept are DropPath's, Larsson, Maire & Shakhnarovich 2017 (https://arxiv.org/abs/1605.07648).
"""

import numpy as np
import torch

from evonas.network import AnyNetwork
from evonas.training.config import Training
from genomes.architecture import PATH


def probability(config: Training, at: float, path: float) -> float:
    """The probability that a path is dropped for an example.

    The form `linear` is the paper's: it grows linearly over all steps and is the same in all cells. The form `depth` is
    the released code's: keep = 1 - at · path · (1 - final keep).

    Args:
        config: `drop_path`, the probability at the end, and `drop_path_form`.
        at: The part of all training steps that is done, 0 to 1.
        path: (cell number + 1) / number of cells.
    """
    return config.drop_path * at * (path if config.drop_path_form == "depth" else 1.0)


class DropPath:
    """The schedule of one training; where nothing can be dropped it draws nothing.

    Args:
        network: On the device it is trained on.
        config: How it is trained.
        rng: Seeds the generator of what is dropped, if a path may be.
    """

    def __init__(self, network: AnyNetwork, config: Training, *, rng: np.random.Generator) -> None:
        self._config = config
        self._paths = network.paths if config.drop_path else []
        if self._paths:
            device = next(network.parameters()).device
            generator = torch.Generator(device).manual_seed(int(rng.integers(2**63)))
            for layer in self._paths:
                layer.generator = generator

    def set(self, at: float) -> None:
        """Give every path its probability at a part of all training steps, 0 to 1."""
        for layer in self._paths:
            layer.drop = probability(self._config, at, layer.node.settings[PATH])

    def stop(self) -> None:
        """Drop nothing until it is set again."""
        for layer in self._paths:
            layer.drop = 0.0
