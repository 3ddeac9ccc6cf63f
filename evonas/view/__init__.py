"""Pictures of what evolves and of how a campaign went. Nothing here runs anything."""

from evonas.view.figure import save
from evonas.view.genome import genome
from evonas.view.lineage import lineage
from evonas.view.progress import hypervolume, progress

__all__ = ["genome", "hypervolume", "lineage", "progress", "save"]
