"""Genomes that have a name: published cells of every encoding."""

from typing import Any

from genomes import cell, recurrent


def reference(name: str) -> dict[str, Any]:
    """A published genome as JSON data, which say its encoding.

    Raises:
        ValueError: If there is none of this name.
    """
    if name in recurrent.references():
        return recurrent.Recurrent().to_json(recurrent.reference(name))
    if name in cell.references():
        return cell.Cell().to_json(cell.reference(name))
    raise ValueError(f"expected a published genome among {', '.join(references())}, got {name!r}; use one of them")


def references() -> list[str]:
    """The names of the published genomes."""
    return [*cell.references(), *recurrent.references()]
