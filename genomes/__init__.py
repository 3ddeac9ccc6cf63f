"""What evolves: genomes, their encodings, and the phenotypes they develop into. Without torch."""

from genomes.architecture import Architecture
from genomes.cell import Cell, CellGenome
from genomes.dag import Dag, DagGenome
from genomes.encoding import Encoding, Genome, Variation
from genomes.reading import read_genome
from genomes.recurrent import Recurrent, RecurrentGenome

__all__ = [
    "Architecture",
    "Cell",
    "CellGenome",
    "Dag",
    "DagGenome",
    "Encoding",
    "Genome",
    "Recurrent",
    "RecurrentGenome",
    "Variation",
    "read_genome",
]
