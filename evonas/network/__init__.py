"""From phenotype to PyTorch: modules, initial weights, inheritance."""

from evonas.network.activations import register_activation
from evonas.network.build import Network
from evonas.network.inheritance import Donor, Inheritance, inherit
from evonas.network.population import NeuronPopulation
from evonas.network.trained import TrainedNetwork

__all__ = ["Donor", "Inheritance", "Network", "NeuronPopulation", "TrainedNetwork", "inherit", "register_activation"]
from evonas.network.painted import PaintedPopulation  # noqa: F401
from evonas.network.painting import NeuronNetwork


def built(phenotype, input_shape, n_outputs):
    from genomes import Architecture

    return (
        Network(phenotype, input_shape, n_outputs) if isinstance(phenotype, Architecture) else NeuronNetwork(phenotype)
    )
