"""An individual's trained network, from what the record holds."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from genomes.encoding import Phenotype

if TYPE_CHECKING:
    from evonas.network import TrainedNetwork

ABOUT = (
    "kind",
    "input_shape",
    "n_outputs",
    "classes",
    "targets",
    "features",
    "mean",
    "deviation",
    "target_mean",
    "target_deviation",
)
"""The facts of a campaign that a trained network needs beside its genome, its encoding and its weights."""


def trained_network(phenotype: Phenotype, facts: Mapping[str, Any], weights: bytes | None) -> "TrainedNetwork":
    """A network on the CPU, in evaluation mode, that takes inputs as they come.

    Args:
        phenotype: What it is.
        facts: Those that `ABOUT` names.
        weights: Its tensors as safetensors bytes; None: those that its genome says.

    Raises:
        ValueError: If the phenotype does not fit the inputs, or the normalisation does not.
    """
    import safetensors.torch

    from evonas.network import Network, TrainedNetwork, built, inherit

    network = built(phenotype, tuple(facts["input_shape"]), facts["n_outputs"])
    if weights is not None:
        network.load_state_dict(safetensors.torch.load(weights))
    elif isinstance(network, Network):
        # All of it is painted: nothing is drawn.
        inherit(network, [], seed=0, individual=0)
    normalisation = (facts[name] for name in ("mean", "deviation", "target_mean", "target_deviation"))
    words = {name: facts[name] for name in ("kind", "input_shape", "classes", "targets", "features")}
    return TrainedNetwork(network, *normalisation, **words).eval()
