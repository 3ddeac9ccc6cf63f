"""From phenotype to PyTorch: modules, initial weights, inheritance."""

from evonas.network.build import Network
from evonas.network.inheritance import Donor, Inheritance, inherit

__all__ = ["Donor", "Inheritance", "Network", "inherit"]
