"""What leaves a campaign: genomes, weights, programs, graphs and tables. Reads campaigns, runs nothing."""

from evonas.export.formats import FORMATS, Format, write
from evonas.export.portable import load

__all__ = ["FORMATS", "Format", "load", "write"]
