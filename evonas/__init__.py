"""The engine: genomes are evolved, developed into networks, trained with inherited weights, and recorded."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evonas.campaign import Campaign, SpecError, StoreError, retrain
    from evonas.tasks import DataError, from_arrays

__all__ = ["Campaign", "DataError", "SpecError", "StoreError", "from_arrays", "retrain"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import torch and the rest only when they are asked for: `evonas --help` answers at once."""
    from importlib import import_module

    if name not in __all__:
        raise AttributeError(f"module evonas has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module("evonas.tasks" if name in ("DataError", "from_arrays") else "evonas.campaign"), name)
