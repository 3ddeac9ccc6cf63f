"""Pictures of what evolves and of how a campaign went. Nothing here runs anything."""

from evonas.view.ancestry import ancestry
from evonas.view.anytime import anytime
from evonas.view.cell import cell
from evonas.view.curves import curves
from evonas.view.diversity import diversity
from evonas.view.effects import effects
from evonas.view.figure import save
from evonas.view.front import front
from evonas.view.genealogy import genealogy
from evonas.view.genome import genome
from evonas.view.lineage import lineage
from evonas.view.neurons import neurons
from evonas.view.pattern import pattern
from evonas.view.progress import hypervolume, progress
from evonas.view.recurrent import recurrent
from evonas.view.species import species
from evonas.view.stack import stack
from evonas.view.substrate import substrate

__all__ = [
    "ancestry",
    "anytime",
    "cell",
    "curves",
    "diversity",
    "effects",
    "front",
    "genealogy",
    "genome",
    "hypervolume",
    "lineage",
    "neurons",
    "pattern",
    "progress",
    "recurrent",
    "save",
    "species",
    "stack",
    "substrate",
]
