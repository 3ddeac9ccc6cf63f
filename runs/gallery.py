"""Every kind of picture, made from small campaigns on handwritten digits, and a page that says how to read each.

    python runs/gallery.py

It runs the campaigns where --out does not hold them yet, some minutes on one core, and writes docs/gallery.md and
docs/images/gallery. It can be stopped at any time; the same command goes on where it was.
"""

import argparse
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from evonas import pictures, terminal, view
from evonas.campaign import Campaign
from evonas.campaign.spec import read

RUNS = Path(__file__).parent
DOCS = RUNS.parent / "docs"
COLOURS = 128
"""Colours of an image: flat ones need no more, and a page of them loads fast. Rare ones are kept, too."""

WIDTH = 120
"""Letters in a line of the page."""

AGEING = {"name": "ageing", "population": 10, "sample_size": 4, "lag": 4}
CAMPAIGNS: dict[str, tuple[str, Mapping[str, Any]]] = {
    "dag": ("digits.toml", {"name": "dag", "budget.evaluations": 160}),
    "ageing": ("digits.toml", {"name": "ageing", "budget.evaluations": 160, "search": AGEING, "control": "none"}),
    "cells": ("digits_cells.toml", {"name": "cells"}),
    "front": ("digits_front.toml", {"name": "front", "budget.epochs": 600}),
    "xor": ("xor.toml", {"name": "xor"}),
    "painted": ("digits_hyperneat.toml", {"name": "painted", "encoding.mode": "seeded", "budget.evaluations": 60}),
}
"""By name the spec and what is changed in it."""

HEAD = """\
# Gallery

Every kind of picture, of small campaigns on handwritten digits: `dag` is evolution of graphs, with a random search on
the same budget beside it, `cells` ageing evolution of NASNet cells, `front` NSGA-II, `painted` HyperNEAT; `xor` is NEAT
on exclusive or. `python runs/gallery.py` makes this page, campaigns included, in some minutes. [Pictures](pictures.md)
has the commands and the Python of each.
"""


class Shown(NamedTuple):
    """A picture of the gallery.

    Attributes:
        kind: A key of `evonas.pictures.KINDS`, or `compare`.
        campaigns: Names of the campaigns that it shows.
        title: Its heading.
        text: How to read it.
    """

    kind: str
    campaigns: tuple[str, ...]
    title: str
    text: str


GALLERY = (
    Shown(
        "progress",
        ("dag",),
        "Progress",
        "Every dot is an evaluation, the thick line the best so far, the band the middle half of the latest "
        "around their median; the dashed line is the best of random search. Where the band rises with the line "
        "the whole population learns, not one lucky individual.",
    ),
    Shown(
        "diversity",
        ("dag",),
        "Diversity",
        "The line is the mean distance between two of the latest genomes, in a band of quartiles; random search "
        "does not converge. A search whose line is at the bottom while its best still stands has nothing left to "
        "combine.",
    ),
    Shown(
        "lineage",
        ("dag",),
        "Lineage",
        "Each bar is a life, from birth to when the search no longer kept the individual as a possible parent, "
        "and thin lines lead from both parents to each child. The thick line is the winner's fitter parents with "
        "the operators that made them, orange what crossover brought in, grey all lines that died out.",
    ),
    Shown(
        "ancestry",
        ("dag",),
        "Ancestry",
        "Each row is a step from the root to the winner: what the operator did to the network, what fitness "
        "gained, and how much of the weights was inherited. Where the diamond, the score before any training, is "
        "beside the ring, the score of the parent, the step kept what had been learned.",
    ),
    Shown(
        "genealogy",
        ("dag",),
        "Genealogy of the weights",
        "Each row is a tensor of the winner, each column an ancestor: the weights began in the red cell and were "
        "trained further in every blue one. Rows that begin far apart show a network put together from parts of "
        "different age, and rows that leave the common columns which parts crossover brought in.",
    ),
    Shown(
        "effects",
        ("dag",),
        "Effects of the operators",
        "Each dot is a child, right of the line if it is fitter than its fitter parent; the dark tick is the "
        "median. Most changes lose a little: what matters is which operators have dots far to the right.",
    ),
    Shown(
        "curves",
        ("dag",),
        "Learning curves",
        "Each curve begins where that of the parent ended whose weights it inherited, so that the blue line is "
        "one long training with a change of the network at every dot. A dotted fall is what a change cost before "
        "training.",
    ),
    Shown(
        "genome",
        ("dag",),
        "A network",
        "Each box is an operation with the shape that it puts out, read from top to bottom. A mark above a box "
        "says whether it adds or concatenates what it reads.",
    ),
    Shown(
        "cell",
        ("cells",),
        "The cells of a network",
        "A block is two operations and the box that combines them; edges come from the two cells before, dashed "
        "from the farther one. What no block reads runs into the bar at the bottom.",
    ),
    Shown(
        "stack",
        ("cells",),
        "The stack of cells",
        "The cells above are stacked like this, with the shape that each puts out. Sheets behind a box are its "
        "repeats.",
    ),
    Shown(
        "front",
        ("front",),
        "Front of two objectives",
        "Every dot is a network; no other is better than one on the staircase in both objectives. Its corners are "
        "the bargains: beyond them little is gained for much.",
    ),
    Shown(
        "neurons",
        ("xor",),
        "Neurons",
        "Circles are neurons with their activation, the bias beside each that has one; squares are inputs. Positive "
        "connections are blue, negative ones red, the heavier the thicker; in a recurrent network those that close a "
        "cycle are dashed. Connections bend round neurons that they do not belong to.",
    ),
    Shown(
        "species",
        ("xor",),
        "Species",
        "Each area is a species, as high as it has members; its number is written where it has room. Species that "
        "vanish did not improve, or were outgrown by others. A dotted line, where there is one, is a collapse, behind "
        "which fewer than half as many species live: when the best fitness stands still, only the two best may breed.",
    ),
    Shown(
        "pattern",
        ("painted",),
        "What a CPPN paints",
        "The outputs, framed, and every other neuron over the plane of the sheet that is read first, for the target in "
        "its middle: red is positive, blue negative. What an output has of symmetry and repetition it has from these.",
    ),
    Shown(
        "substrate",
        ("painted",),
        "What is painted on a substrate",
        "A row is a place that is fed, a column one that is read. Bands and blocks are the geometry that the CPPN "
        "found; white is no connection.",
    ),
    Shown(
        "compare",
        ("dag", "ageing", "dag/control"),
        "Several campaigns",
        "Each line is what one campaign would have answered if it had been stopped there. On an axis of epochs "
        "searches that train their candidates for different times are compared fairly.",
    ),
)


def finished(out: Path, name: str) -> Campaign:
    """A campaign of the gallery, run to its end if it is not there."""
    file, changes = CAMPAIGNS[name]
    with terminal.progress(quiet=False) as observe:
        return Campaign.of(read(RUNS / file, changes)).run(out / name, observe=observe)


def drawn(shown: Shown, out: Path, images: Path) -> Path:
    """Draw a picture of the gallery; where it is."""
    campaigns = [Campaign.load(out / name) for name in shown.campaigns]
    if shown.kind == "compare":
        ax = pictures.compared(campaigns, "epochs")
    else:
        ax = pictures.draw(shown.kind, campaigns[0], campaigns[0].best)
    path = view.save(ax, images / f"{shown.kind}.png")
    with Image.open(path) as image:
        image.convert("RGB").quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE).save(path, optimize=True)
    return path


def page(out: Path) -> str:
    """The page's text."""
    lines = [HEAD]
    for shown in GALLERY:
        directories = " ".join(f"{out}/{name}" for name in shown.campaigns)
        command = f"evonas plot {shown.kind} {directories}"
        if shown.kind == "compare":
            command = f"evonas compare {directories} --axis epochs -o comparison.png"
        lines += [f"## {shown.title}", "", textwrap.fill(shown.text, WIDTH), "", f"`{command}`", ""]
        lines += [f"![{shown.title}](images/gallery/{shown.kind}.png)", ""]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Run what is missing, draw everything and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/out/gallery"), help="where the campaigns are")
    parser.add_argument("--docs", type=Path, default=DOCS, help="where the page is written")
    options = parser.parse_args(arguments)
    images = options.docs / "images" / "gallery"
    images.mkdir(parents=True, exist_ok=True)
    for name in CAMPAIGNS:
        finished(options.out, name)
    for shown in GALLERY:
        print(drawn(shown, options.out, images))
    (options.docs / "gallery.md").write_text(page(Path("runs/out/gallery")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
