"""The recurrent encoding: a cell grown as a tree over what comes in and what was."""

from genomes.recurrent.encoding import Recurrent, reference, references
from genomes.recurrent.genome import Gene, Inject, RecurrentGenome, Tree

__all__ = ["Gene", "Inject", "Recurrent", "RecurrentGenome", "Tree", "reference", "references"]
