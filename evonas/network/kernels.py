"""Activations computed in place: what torch does fastest for large blocks without gradients."""

from collections.abc import Callable

import torch
from torch import Tensor

from evonas.network.activations import ACTIVATIONS, STEEPNESS

Kernel = Callable[[Tensor, Tensor], object]
"""Computes its first argument into its second, `(values,)` both."""


def _tanh(x: Tensor, out: Tensor) -> None:
    torch.sigmoid(x, out=out)
    out.mul_(2.0).sub_(1.0)


def _elu(x: Tensor, out: Tensor) -> None:
    torch.special.expm1(x.clamp(max=0.0), out=out)
    out.add_(x.clamp(min=0.0))


def _gaussian(x: Tensor, out: Tensor) -> None:
    torch.square(x, out=out)
    out.neg_().exp_()


KERNELS: dict[str, tuple[float, Kernel]] = {
    "sigmoid": (1.0, lambda x, out: torch.sigmoid(x, out=out)),
    "steep_sigmoid": (STEEPNESS, lambda x, out: torch.sigmoid(x, out=out)),
    "tanh": (2.0, _tanh),
    "relu": (1.0, lambda x, out: torch.clamp(x, min=0.0, out=out)),
    "leaky_relu": (1.0, lambda x, out: torch.maximum(x, x * 0.01, out=out)),
    "elu": (1.0, _elu),
    "sine": (1.0, lambda x, out: torch.sin(x, out=out)),
    "cosine": (1.0, lambda x, out: torch.cos(x, out=out)),
    "gaussian": (1.0, _gaussian),
    "abs": (1.0, lambda x, out: torch.abs(x, out=out)),
    "square": (1.0, lambda x, out: torch.square(x, out=out)),
    "clamped": (1.0, lambda x, out: torch.clamp(x, -1.0, 1.0, out=out)),
    "step": (1.0, lambda x, out: torch.gt(x, 0.0, out=out)),
}
"""By activation: a factor that the weights give its sum already, and what is then computed. tanh x is computed as
2 sigmoid(2x) - 1, which is cheaper. For what is not here, `ACTIVATIONS` is asked."""


def kernels() -> list[tuple[float, str, Kernel]]:
    """For every activation the factor, which activation it is computed as, and how."""
    return [_kernel(name, function) for name, function in ACTIVATIONS.items()]


def _kernel(name: str, function: Callable[[Tensor], Tensor]) -> tuple[float, str, Kernel]:
    if name not in KERNELS:
        return 1.0, name, lambda x, out: out.copy_(function(x))
    factor, kernel = KERNELS[name]
    return factor, "sigmoid" if name == "steep_sigmoid" else name, kernel
