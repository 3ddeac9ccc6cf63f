"""The cell encoding: a normal and a reduction cell, stacked as the NASNet paper stacks them."""

from genomes.cell.encoding import Cell, reference, references
from genomes.cell.genome import Block, CellGenome

__all__ = ["Block", "Cell", "CellGenome", "reference", "references"]
