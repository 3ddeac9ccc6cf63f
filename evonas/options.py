"""What the commands share of their arguments and options, and the words that these take."""

import enum
from pathlib import Path
from typing import Annotated

import typer


class Format(str, enum.Enum):
    """How results are printed."""

    table = "table"
    json = "json"


class Kind(str, enum.Enum):
    """What can be drawn."""

    genome = "genome"
    progress = "progress"
    lineage = "lineage"
    cell = "cell"
    stack = "stack"
    front = "front"
    diversity = "diversity"
    ancestry = "ancestry"
    genealogy = "genealogy"
    effects = "effects"
    curves = "curves"
    neurons = "neurons"
    pattern = "pattern"
    substrate = "substrate"
    species = "species"


class ExportFormat(str, enum.Enum):
    """What a campaign can be exported to."""

    genome = "genome"
    weights = "weights"
    pt2 = "pt2"
    onnx = "onnx"
    dot = "dot"
    graphml = "graphml"
    csv = "csv"
    phylogeny = "phylogeny"


class Counted(str, enum.Enum):
    """What a horizontal axis counts."""

    evaluations = "evaluations"
    epochs = "epochs"
    seconds = "seconds"


PICTURES = (".png", ".svg", ".pdf")
"""Suffixes of pictures."""

Directory = Annotated[Path, typer.Argument(metavar="DIR", help="A campaign's directory.")]
Chosen = Annotated[int | None, typer.Argument(metavar="[ID]", help="An individual's number; the best if left out.")]
As = Annotated[Format, typer.Option("--format", help="How to print the result.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Errors with their traceback.")]
Evaluations = Annotated[int | None, typer.Option("--max-evaluations", help="The budget in evaluations.")]
Seconds = Annotated[float | None, typer.Option("--time-limit", help="The budget in seconds.")]
Set = Annotated[list[str], typer.Option("--set", metavar="A.B=C", help="Replace a field; repeatable.")]
Device = Annotated[str | None, typer.Option("--device", help="auto, cpu, cuda, cuda:1, …")]
