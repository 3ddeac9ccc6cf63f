"""The engine: genomes are evolved, developed into networks, trained with inherited weights, and recorded."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evonas.campaign import Campaign, SpecError, StoreError, retrain
    from evonas.export import load
    from evonas.network import register_activation
    from evonas.tasks import DataError, ProblemError, from_arrays, from_dataset

__all__ = [
    "Campaign",
    "DataError",
    "ProblemError",
    "SpecError",
    "StoreError",
    "from_arrays",
    "from_dataset",
    "load",
    "register_activation",
    "retrain",
]
__version__ = "0.1.0"

_ROOMS = {
    "DataError": "evonas.tasks",
    "ProblemError": "evonas.tasks",
    "from_arrays": "evonas.tasks",
    "from_dataset": "evonas.tasks",
    "load": "evonas.export",
    "register_activation": "evonas.network",
}
"""Where a name comes from, unless it is `evonas.campaign`."""


def __getattr__(name: str) -> Any:
    """Import torch and the rest only when they are asked for: `evonas --help` answers at once."""
    from importlib import import_module

    if name not in __all__:
        raise AttributeError(f"module evonas has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_ROOMS.get(name, "evonas.campaign")), name)


def __dir__() -> list[str]:
    """All that is there, imported or not."""
    return sorted({*__all__, *globals()} - {"Any", "TYPE_CHECKING", "_ROOMS"})
