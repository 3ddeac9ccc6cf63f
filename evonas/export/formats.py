"""Every format that a campaign or one of its individuals can be exported to, by the word that the command line has."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from evonas.campaign import Campaign, SpecError
from evonas.export import graphs, portable, programs, tables
from evonas.record import Individual
from genomes.words import meant

PLACE = "export"
"""Directory within a campaign's where files go unless they are named."""


@dataclass(frozen=True)
class Format:
    """How something is exported.

    Attributes:
        suffix: Of the file.
        one: `(campaign, individual) -> bytes` of a single individual; None where all are exported.
        whole: `(campaign) -> bytes` of all; None where one is exported.
    """

    suffix: str
    one: Callable[[Campaign, Individual], bytes] | None = None
    whole: Callable[[Campaign], bytes] | None = None


FORMATS: dict[str, Format] = {
    "genome": Format(".json", one=tables.genome),
    "weights": Format(".safetensors", one=portable.packed),
    "pt2": Format(".pt2", one=programs.pt2),
    "onnx": Format(".onnx", one=programs.onnx),
    "dot": Format(".dot", one=graphs.dot),
    "graphml": Format(".graphml", one=graphs.graphml),
    "csv": Format(".csv", whole=tables.csv),
    "phylogeny": Format(".csv", whole=tables.phylogeny),
}


def write(campaign: Campaign, format: str, id: int | None = None, output: str | Path | None = None) -> Path:
    """Export a campaign or one of its individuals into a file, which is written whole or not at all.

    Args:
        campaign: One that was run or loaded.
        format: A key of `FORMATS`.
        id: The individual's number; None: the best. Tables of all individuals take none.
        output: The file; None: `DIR/export/ID.SUFFIX`, of all `individuals.csv` or `phylogeny.csv`.

    Returns:
        The file.

    Raises:
        SpecError: If there is no such format, it takes no number, or the network cannot be written in it.
        StoreError: If there is no such individual, or its weights were not kept.
        MissingError: If a library that it needs is not installed.
        OSError: If the file cannot be written.
    """
    if format not in FORMATS:
        raise SpecError(
            f"format: expected one of {', '.join(FORMATS)}, got {format!r}; {meant(format, FORMATS, 'name one')}"
        )
    how = FORMATS[format]
    if how.whole is not None:
        if id is not None:
            raise SpecError(f"{format}: expected no individual's number, got {id}; it holds all of a campaign")
        data, name = how.whole(campaign), "individuals" if format == "csv" else format
    else:
        assert how.one is not None
        one = campaign.individual(id)
        data, name = how.one(campaign, one), str(one.id)
    path = Path(output) if output is not None else campaign.directory / PLACE / f"{name}{how.suffix}"
    write_whole(path, data)
    return path


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; its directory is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
