"""How tensors begin that nobody leaves: He et al. 2015 (https://arxiv.org/abs/1502.01852), identity or zero."""

import math

import numpy as np
import torch
from torch import Tensor

from genomes.architecture import IDENTITY_START, ZERO_START, Node
from genomes.operations import HEAD, RECUR, Parameter

ONES = ("scale", "variance")
UNRECTIFIED = ("depthwise", "row", "qkv", "projection")
"""Weights that no rectifier follows directly."""


def initial(parameter: Parameter, node: Node, *, rng: np.random.Generator) -> Tensor:
    """A tensor as it begins.

    Weights are normal with standard deviation √(2 / fan-in), or √(1 / fan-in) where no rectifier follows directly. A
    node that starts as the identity passes its first channels on; one that starts from zero puts out zero, by the
    scale of its normalisation where it has one. The weights of a recurrent layer of n units are uniform in ±1/√n, as
    in torch's own, and its biases zero.

    Args:
        parameter: Which tensor.
        node: The node that holds it.
        rng: Gives the random values.

    Returns:
        float32, of the parameter's shape.
    """
    what = parameter.role.split("/")[1]
    start = node.settings.get("start")
    normalised = node.settings.get("normalisation", "none") != "none"
    if not parameter.fan_in:
        starts_zero = start == ZERO_START and what == "scale"
        return torch.full(parameter.shape, float(what in ONES and not starts_zero))
    if node.operation == RECUR:
        bound = 1 / math.sqrt(node.settings["width"])
        return torch.from_numpy(rng.uniform(-bound, bound, parameter.shape).astype(np.float32))
    if start == ZERO_START and not normalised and what != "depthwise":
        return torch.zeros(parameter.shape)
    gain = 1.0 if node.operation == HEAD or what in UNRECTIFIED else 2.0
    values = rng.standard_normal(parameter.shape, dtype=np.float32) * math.sqrt(gain / parameter.fan_in)
    if start == IDENTITY_START:
        _make_identity(values, depthwise=what == "depthwise")
    return torch.from_numpy(values)


def _make_identity(values: np.ndarray, *, depthwise: bool) -> None:
    """Let output channel i be input channel i, as far as both go; further outputs stay as they were drawn."""
    centre = tuple(side // 2 for side in values.shape[2:])
    n = len(values) if depthwise else min(values.shape[:2])
    sources = np.zeros(n, int) if depthwise else np.arange(n)
    values[:n] = 0
    values[(np.arange(n), sources) + centre] = 1
