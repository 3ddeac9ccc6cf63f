"""How evaluations become the next proposals."""

from evonas.search.ageing import AgeingConfig
from evonas.search.controller import Controller, ControllerConfig
from evonas.search.evolution import EvolutionConfig, OperatorError
from evonas.search.listed import ListedConfig
from evonas.search.random import RandomConfig
from evonas.search.search import Context, Search, SearchConfig
from evonas.search.speciated import Speciated, SpeciatedConfig
from evonas.search.species import Speciation

__all__ = [
    "AgeingConfig",
    "Context",
    "Controller",
    "ControllerConfig",
    "EvolutionConfig",
    "ListedConfig",
    "OperatorError",
    "RandomConfig",
    "Search",
    "SearchConfig",
    "Speciated",
    "SpeciatedConfig",
    "Speciation",
]
