"""How evaluations become the next proposals."""

from evonas.search.ageing import AgeingConfig
from evonas.search.controller import ControllerConfig
from evonas.search.evolution import EvolutionConfig
from evonas.search.random import RandomConfig
from evonas.search.search import Context, Search, SearchConfig

__all__ = ["AgeingConfig", "Context", "ControllerConfig", "EvolutionConfig", "RandomConfig", "Search", "SearchConfig"]
