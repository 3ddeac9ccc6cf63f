"""What evolves: genomes, their encodings, and the phenotypes they develop into. Without torch."""

from genomes.architecture import Architecture
from genomes.canvas import Canvas
from genomes.cell import Cell, CellGenome
from genomes.cppn import Cppn
from genomes.dag import Dag, DagGenome
from genomes.encoding import Encoding, Genome, Variation
from genomes.es_hyperneat import EsHyperNeat
from genomes.hyperneat import HyperNeat
from genomes.neat import Neat, NeatGenome
from genomes.reading import read_genome
from genomes.recurrent import Recurrent, RecurrentGenome

__all__ = [
    "Architecture",
    "Canvas",
    "Cell",
    "CellGenome",
    "Cppn",
    "Dag",
    "DagGenome",
    "Encoding",
    "EsHyperNeat",
    "Genome",
    "HyperNeat",
    "Neat",
    "NeatGenome",
    "Recurrent",
    "RecurrentGenome",
    "Variation",
    "read_genome",
]
