"""Architectures and networks that tests share."""

from collections.abc import Sequence
from typing import Any

import torch

from evonas.network import Donor, Network, inherit
from genomes.architecture import Architecture, Node

IMAGE, N_OUTPUTS = (3, 8, 8), 5
LAYER = {"activation": "none", "normalisation": "none", "start": "random", "width": 4}
NEEDED: dict[str, dict[str, Any]] = {
    **{
        kind: {**LAYER, "kernel": 3, "stride": 1}
        for kind in ("conv", "dilated", "factorised", "separable", "dilated_separable")
    },
    "factorised_reduction": LAYER,
    "attention": {**LAYER, "stride": 1},
    "zero": {"stride": 1},
    **{kind: {"kernel": 3, "stride": 1} for kind in ("max_pool", "avg_pool")},
    "linear": LAYER,
}


def node(name: str, operation: str, inputs: str, *, merge: str = "sum", **attributes: Any) -> Node:
    """A node whose inputs are named in one string; what is not given is plain."""
    pairs = {**NEEDED.get(operation, {}), **attributes}
    return Node(name, operation, tuple(sorted(pairs.items())), tuple(inputs.split()), merge)


def architecture(*nodes: Node, reads: str | None = None, merge: str = "sum") -> Architecture:
    """The nodes between an input and a head, which reads the last of them unless told otherwise."""
    head = Node("head", "head", (), tuple((reads or nodes[-1].id).split()), merge)
    return Architecture((Node("input", "input"), *nodes, head))


def network(
    phenotype: Architecture,
    shape: tuple[int, ...] = IMAGE,
    n_outputs: int = N_OUTPUTS,
    *,
    donors: Sequence[Donor] = (),
    seed: int = 0,
    individual: int = 0,
) -> Network:
    """A network in evaluation mode, filled by its donors."""
    made = Network(phenotype, shape, n_outputs)
    inherit(made, donors, seed=seed, individual=individual)
    return made.eval()


@torch.no_grad()
def perturbed(made: Network, seed: int = 0) -> Network:
    """The network with every tensor, statistics included, as after some training."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in made.state_dict(keep_vars=True).items():
        noise = torch.randn(tensor.shape, generator=generator)
        if name.endswith("/variance"):
            tensor.mul_(1 + 0.5 * noise.abs())
        else:
            tensor.add_(0.1 * noise)
    return made


def donor(made: Network, individual: int = 1) -> Donor:
    """A network as one that leaves its weights."""
    return Donor(individual, made.described, {name: tensor.clone() for name, tensor in made.state_dict().items()})


def parent(phenotype: Architecture, shape: tuple[int, ...] = IMAGE, *, individual: int = 1, seed: int = 0) -> Donor:
    """A donor of this architecture, as after some training."""
    return donor(perturbed(network(phenotype, shape, individual=individual), seed), individual)


def inputs(shape: tuple[int, ...] = IMAGE, n: int = 3) -> torch.Tensor:
    """`(n, *shape)`, images in channels-last memory."""
    made = torch.randn(n, *shape, generator=torch.Generator().manual_seed(0))
    return made.contiguous(memory_format=torch.channels_last) if made.dim() == 4 else made


def output_of(made: Network, name: str, x: torch.Tensor) -> torch.Tensor:
    """What one node puts out, `(batch, ...)`, in evaluation mode."""
    seen: list[torch.Tensor] = []
    module = dict(made.named_children())[name]
    handle = module.register_forward_hook(lambda _, __, output: seen.append(output.detach().clone()))
    made.eval()(x)
    handle.remove()
    return seen[0]
