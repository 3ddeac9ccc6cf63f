"""A candidate's network before it is trained: built, and filled with what its donors leave; its tensors as bytes."""

from typing import Any

import safetensors.torch
from torch import Tensor

from evonas.evaluation.evaluator import Job, Legacy
from evonas.network import AnyNetwork, Donor, Inheritance, NeuronNetwork, built, inherit
from genomes.architecture import Architecture
from genomes.encoding import Encoding
from genomes.operations import Shape


def born(
    job: Job, encoding: Encoding[Any], input_shape: Shape, n_outputs: int, *, seed: int
) -> tuple[AnyNetwork, Inheritance]:
    """A candidate's network on the CPU, and what it was left; neurons have their weights from the genome alone.

    Args:
        job: The proposal, and what its donors leave.
        encoding: Develops genomes.
        input_shape: `(channels, height, width)` or `(features,)`.
        n_outputs: Outputs of the head.
        seed: The campaign's seed; what nobody leaves is drawn from it.

    Raises:
        ValueError: Naming the node that cannot take what it is given.
    """
    network = built(encoding.develop(job.proposal.genome), input_shape, n_outputs)
    if isinstance(network, NeuronNetwork):
        return network, Inheritance(0.0, {})
    donors = [_donor(legacy, encoding, input_shape, n_outputs) for legacy in job.legacies]
    return network, inherit(network, donors, seed=seed, individual=job.proposal.id)


def as_bytes(state: dict[str, Tensor]) -> bytes:
    """The tensors of a network's state as safetensors bytes."""
    return safetensors.torch.save({name: tensor.detach().cpu().contiguous() for name, tensor in state.items()})


def _donor(legacy: Legacy, encoding: Encoding[Any], input_shape: Shape, n_outputs: int) -> Donor:
    architecture = legacy.architecture or encoding.develop(legacy.genome)
    assert isinstance(architecture, Architecture)
    described = architecture.parameters(legacy.input_shape or input_shape, legacy.n_outputs or n_outputs)
    tensors = safetensors.torch.load(legacy.weights)
    return Donor(legacy.individual, {parameter.name: parameter for parameter in described}, tensors)
