"""What neurons compute in torch: the counterparts of `genomes.neurons.ACTIVATIONS` and `AGGREGATIONS`."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

import genomes.neurons
from genomes.neurons import Values, check_registered
from genomes.words import meant

GRID = np.linspace(-10.0, 10.0, 201)
"""Where the two functions of an activation are compared."""
STEEPNESS = 4.9
"""Of `steep_sigmoid`."""

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": torch.sigmoid,
    "steep_sigmoid": lambda x: torch.sigmoid(STEEPNESS * x),
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.01),
    "elu": F.elu,
    "identity": lambda x: x,
    "sine": torch.sin,
    "cosine": torch.cos,
    "gaussian": lambda x: torch.exp(-torch.square(x)),
    "abs": torch.abs,
    "square": torch.square,
    "clamped": lambda x: torch.clamp(x, -1.0, 1.0),
    "step": lambda x: (x > 0).to(x.dtype),
}
"""What a neuron does to its sum, by name, element by element; gradients flow through all but `step`."""

AGGREGATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sum": lambda terms: terms.sum(0),
    "product": lambda terms: terms.prod(0),
    "mean": lambda terms: terms.mean(0),
    "max": lambda terms: terms.amax(0),
    "min": lambda terms: terms.amin(0),
}
"""How a neuron combines its weighted inputs `(n_inputs, ...)`, by name."""


def register_activation(name: str, *, numpy: Callable[[Values], Values], torch: Callable[[Tensor], Tensor]) -> None:
    """Add an activation of one's own, once for both worlds, so that genomes may name it.

    A program calls it before it opens a campaign whose genomes name it; nothing of it is recorded but the name.

    Args:
        name: An identifier that is not taken.
        numpy: Element by element; float64 arrays of any shape.
        torch: The same for tensors of any shape, floating type and device; differentiable where it is trained through.

    Raises:
        ValueError: If the name is none, is built in, or is taken by another function; or if the two functions differ
            by more than 1e-6 anywhere on a grid from -10 to 10.

    Example:
        >>> evonas.register_activation("bump", numpy=lambda x: 1 / (1 + x * x), torch=lambda x: 1 / (1 + x * x))
    """
    if ACTIVATIONS.get(name, torch) is not torch:
        raise ValueError(f"activation: expected a new name, got {name!r}, which is taken; choose another")
    _check_same(name, numpy, torch)
    genomes.neurons.register_activation(name, numpy)
    ACTIVATIONS[name] = torch


def _check_same(name: str, ours: Callable[[Values], Values], theirs: Callable[[Tensor], Tensor]) -> None:
    with np.errstate(all="ignore"):
        expected = np.asarray(ours(GRID.copy()), np.float64)
    got = theirs(torch.from_numpy(GRID.copy())).detach().numpy()
    if expected.shape != GRID.shape or got.shape != GRID.shape:
        shapes = f"{expected.shape} and {got.shape} of {GRID.shape}"
        raise ValueError(f"activation {name}: expected a value for each, got {shapes}; compute element by element")
    if (apart := ~np.isclose(got, expected, 1e-6, 1e-6, equal_nan=True)).any():
        at = int(np.flatnonzero(apart)[0])
        values = f"{expected[at]:g} and {got[at]:g} at {GRID[at]:g}"
        raise ValueError(f"activation {name}: expected numpy and torch to compute the same, got {values}; correct one")


def activation(name: str) -> Callable[[Tensor], Tensor]:
    """What torch computes by an activation's name.

    Raises:
        ValueError: If it knows no such activation, or it is not registered.
    """
    check_registered((name,))
    try:
        return ACTIVATIONS[name]
    except KeyError:
        words, mend = ", ".join(ACTIVATIONS), meant(name, ACTIVATIONS, "add it by evonas.register_activation")
        raise ValueError(f"activation: expected one of {words}, got {name!r}; {mend}") from None
