"""NEAT: neurons and connections that evolution adds one by one, aligned by their historical markings."""

from genomes.neat.encoding import Neat
from genomes.neat.genome import NeatGenome

__all__ = ["Neat", "NeatGenome"]
