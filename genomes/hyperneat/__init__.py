"""Weights painted on a substrate by a CPPN."""

from genomes.hyperneat.encoding import HyperNeat
from genomes.hyperneat.substrate import Conv, Substrate

__all__ = ["Conv", "HyperNeat", "Substrate"]
