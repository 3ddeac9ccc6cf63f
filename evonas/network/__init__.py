"""From phenotype to PyTorch: modules, initial weights, inheritance."""

from evonas.network.activations import register_activation
from evonas.network.build import Network
from evonas.network.built import AnyNetwork, built
from evonas.network.inheritance import Donor, Inheritance, inherit
from evonas.network.neurons import NeuronNetwork
from evonas.network.painted import PaintedPopulation
from evonas.network.population import NeuronPopulation
from evonas.network.trained import TrainedNetwork

__all__ = [
    "AnyNetwork",
    "Donor",
    "Inheritance",
    "Network",
    "NeuronNetwork",
    "NeuronPopulation",
    "PaintedPopulation",
    "TrainedNetwork",
    "built",
    "inherit",
    "register_activation",
]
