"""The command line. Only the standard library and typer are imported until a verb runs."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.exceptions import TyperException

from evonas.options import (
    PICTURES,
    As,
    Chosen,
    Counted,
    Device,
    Directory,
    Evaluations,
    ExportFormat,
    Format,
    Kind,
    Quiet,
    Seconds,
    Set,
    Verbose,
)
from evonas.stopping import STOPPED, Interrupted, Stop

if TYPE_CHECKING:
    from evonas.campaign import Campaign

DONE, RUN_FAILED, BAD_INPUT, NO_CAMPAIGN, DAMAGED, NONE_SUCCEEDED = range(6)


app = typer.Typer(
    name="evonas",
    help="Evolve neural networks: genomes develop, train with inherited weights, and are recorded.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        from evonas import __version__

        print(f"evonas {__version__}")
        raise typer.Exit


@app.callback()
def evonas(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Evolve neural networks: genomes develop, train with inherited weights, and are recorded."""


@app.command()
def init(
    path: Annotated[Path, typer.Argument(metavar="[SPEC]", help="The file to write.")] = Path("campaign.toml"),
    data: Annotated[Path | None, typer.Option(help="Your data: a table, arrays, text or a folder of images.")] = None,
    target: Annotated[str | None, typer.Option(help="The column of a table that is to be predicted.")] = None,
    kind: Annotated[str | None, typer.Option(help="classification or regression.")] = None,
    size: Annotated[
        int | None, typer.Option(min=1, max=4096, help="The side that images are resized to, in pixels.")
    ] = None,
) -> None:
    """Write a spec to begin with, once its data were read."""
    from evonas.campaign.template import template

    if path.exists():
        raise FileExistsError(f"{path}: expected a new file, there is one already; choose another name")
    given = {"target": target, "kind": kind, "size": size}
    path.write_text(template(path, data, {name: value for name, value in given.items() if value is not None}), "utf-8")
    print(f"Wrote {path}. Run it: evonas run {path}")


@app.command()
def run(
    spec: Annotated[Path, typer.Argument(metavar="SPEC", help="A TOML file.")],
    set_: Set = [],  # noqa: B006
    seed: Annotated[int | None, typer.Option(help="Replace the seed.")] = None,
    device: Device = None,
    out: Annotated[Path | None, typer.Option(help="The campaign's directory; else runs/out/NAME.")] = None,
    max_evaluations: Evaluations = None,
    time_limit: Seconds = None,
    format: As = Format.table,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Run a campaign, or go on with it if it was begun with the same spec."""
    stop = Stop()
    from evonas import commands
    from evonas.campaign import Campaign
    from evonas.campaign.spec import read

    given: dict[str, Any] = {"seed": seed, "evaluation.device": device}
    given |= {"budget.evaluations": max_evaluations, "budget.seconds": time_limit}
    _run(Campaign.of(read(spec, commands.changes(set_, given))), out, format, quiet, stop)


@app.command()
def resume(
    directory: Directory,
    max_evaluations: Evaluations = None,
    time_limit: Seconds = None,
    format: As = Format.table,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Go on with a campaign where it stopped, to the end of its budget or of a new one."""
    stop = Stop()
    from evonas.campaign import Campaign
    from evonas.campaign.spec import parse

    campaign = Campaign.load(directory)
    given = {"evaluations": max_evaluations, "seconds": time_limit}
    if budget := {name: value for name, value in given.items() if value is not None}:
        changed = campaign.spec.model_dump(exclude_none=True)
        campaign.spec = parse({**changed, "budget": {**changed["budget"], **budget}}, source="budget")
    _run(campaign, directory, format, quiet, stop)


@app.command()
def retrain(
    directory: Directory,
    id: Chosen = None,
    set_: Set = [],  # noqa: B006
    repeats: Annotated[int, typer.Option(help="How often, each time with other draws.")] = 3,
    inherit: Annotated[
        bool,
        typer.Option("--inherit", help="Begin with its weights; for the epochs set, else inherited_epochs."),
    ] = False,
    seed: Annotated[int | None, typer.Option(help="The seed; else one that follows from the campaign's.")] = None,
    device: Device = None,
    out: Annotated[Path | None, typer.Option(help="The new directory; else DIR/retrained/ID.")] = None,
    format: As = Format.table,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Train an individual anew, larger, longer or on another task, and test it; or go on with that."""
    stop = Stop()
    from evonas import commands
    from evonas.campaign import Campaign
    from evonas.campaign import retrain as retraining

    campaign = Campaign.load(directory)
    one = commands.chosen(campaign, id)
    changes = commands.changes(set_, {"evaluation.device": device})
    new = retraining(directory, one.id, changes=changes, repeats=repeats, inherit=inherit, seed=seed, out=out)
    _run(new, None, format, quiet, stop)


@app.command()
def status(directory: Directory, format: As = Format.table) -> None:
    """How far a campaign is."""
    from evonas import terminal
    from evonas.analysis import summary
    from evonas.campaign import Campaign

    fields = summary.status(Campaign.load(directory))
    terminal.print_json(fields) if format is Format.json else terminal.print_with_front(fields)


@app.command(name="list")
def list_(
    root: Annotated[Path, typer.Argument(metavar="[ROOT]", help="Where to look.")] = Path("runs/out"),
    format: As = Format.table,
) -> None:
    """The campaigns in a directory."""
    from evonas import commands, terminal
    from evonas.campaign import StoreError

    if not root.is_dir():
        raise StoreError(f"{root}: expected a directory, found none; give the one that holds the campaigns")
    found = commands.listing(root)
    if format is Format.json:
        terminal.print_json(found)
    else:
        columns = ("directory", "state", "evaluations", "failed", "best_fitness", "seconds")
        terminal.print_table(columns, [[row.get(name) for name in columns] for row in found])
        for row in found:
            if "error" in row:
                print(row["error"], file=sys.stderr)


@app.command()
def show(
    directory: Directory,
    id: Annotated[int | None, typer.Argument(metavar="[ID]")] = None,
    last: Annotated[int | None, typer.Option(min=1, help="Only so many, the newest.")] = None,
    format: As = Format.table,
) -> None:
    """Every individual of a campaign, or all that is known of one; its genome and curve with --format json."""
    if id is not None and last is not None:
        raise typer.BadParameter(f"expected none beside the ID {id}, got {last}; leave one out", param_hint="--last")
    from evonas import commands, terminal
    from evonas.analysis import with_parents
    from evonas.campaign import Campaign
    from evonas.record import SOURCE

    campaign = Campaign.load(directory)
    score = campaign.spec.kind.score
    if id is not None:
        one = campaign.individual(id)
        left = [campaign.individual(donor) for donor in one.donors[:1] if donor != SOURCE]
        row = with_parents(one, {donor.id: donor for donor in left}, score)
        terminal.print_json(row) if format is Format.json else terminal.print_fields(commands.shown(row))
        return
    known = {one.id: one for one in campaign.individuals}
    individuals = campaign.individuals[-last:] if last else campaign.individuals
    if format is Format.json:
        hidden = ("genome", "curve", "origins")
        rows = [with_parents(one, known, score) for one in individuals]
        terminal.print_json([{name: row[name] for name in row if name not in hidden} for row in rows])
    else:
        terminal.print_individuals(individuals, known, score)


@app.command()
def best(directory: Directory, format: As = Format.table) -> None:
    """The best individual, or all of a list, tested once on the test data; the front of several objectives."""
    from evonas import commands
    from evonas.campaign import Campaign

    commands.best(Campaign.load(directory), json=format is Format.json)


@app.command()
def lineage(directory: Directory, id: Chosen = None, format: As = Format.table) -> None:
    """All that an individual descends from, the oldest first: what each step changed and gained."""
    from evonas import commands, terminal
    from evonas.analysis import ancestors, with_parents
    from evonas.campaign import Campaign

    campaign = Campaign.load(directory)
    individuals, score = campaign.individuals, campaign.spec.kind.score
    known = {one.id: one for one in individuals}
    line = ancestors(individuals, commands.chosen(campaign, id).id)
    if format is Format.json:
        rows = [with_parents(one, known, score) for one in line]
        terminal.print_json([{name: row[name] for name in row if name not in ("curve", "origins")} for row in rows])
    else:
        terminal.print_individuals(line, known, score)


@app.command()
def plot(
    kind: Annotated[Kind, typer.Argument(help="What to draw.")],
    directory: Directory,
    id: Chosen = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A .png, .svg or .pdf; else the first two in DIR/figures.")
    ] = None,
    axis: Annotated[Counted | None, typer.Option(help="What progress and diversity are drawn over.")] = None,
) -> None:
    """Draw an individual's network, or how a campaign went: docs/pictures.md shows every kind."""
    _check_picture(output)
    from evonas import commands
    from evonas.campaign import Campaign

    for path in commands.draw(Campaign.load(directory), kind.value, id, output, axis and axis.value):
        print(path)


@app.command()
def compare(
    directories: Annotated[list[Path], typer.Argument(metavar="DIR...", help="The campaigns' directories.")],
    axis: Annotated[Counted, typer.Option(help="What the picture is drawn over.")] = Counted.evaluations,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A picture: .png, .svg or .pdf.")] = None,
    format: As = Format.table,
) -> None:
    """Campaigns on one task side by side, and a picture of what each had found at any time."""
    _check_picture(output)
    from evonas import commands

    commands.compare(directories, output, axis.value, json=format is Format.json)


@app.command()
def export(
    format: Annotated[ExportFormat, typer.Argument(help="What to write.")],
    directory: Directory,
    id: Chosen = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="The file; else in DIR/export.")] = None,
) -> None:
    """Write an individual's genome, weights, program or graph into a file, or a table of all individuals."""
    from evonas import commands
    from evonas.campaign import Campaign
    from evonas.export import FORMATS, write

    campaign = Campaign.load(directory)
    if FORMATS[format.value].one is not None:
        id = commands.chosen(campaign, id).id
    print(write(campaign, format.value, id, output))


@app.command()
def verify(directory: Directory) -> None:
    """Check that a campaign's directory holds what its log says."""
    from evonas.campaign.verify import damage

    found = damage(directory)
    for line in found:
        print(line, file=sys.stderr)
    if found:
        raise typer.Exit(DAMAGED)
    print(f"{directory}: nothing is damaged")


@app.command()
def doctor(format: As = Format.table) -> None:
    """What evonas finds on this machine."""
    from evonas import doctor, terminal

    found = doctor.examine()
    terminal.print_json(found) if format is Format.json else terminal.print_fields(found)


def _check_picture(output: Path | None) -> None:
    if output is not None and output.suffix not in PICTURES:
        expected = f"{', '.join(PICTURES[:-1])} or {PICTURES[-1]}"
        raise typer.BadParameter(f"expected a name that ends in {expected}, got {output}", param_hint="--output")


def _run(campaign: Campaign, out: Path | None, format: Format, quiet: bool, stop: Stop) -> None:
    from evonas import commands

    try:
        commands.run(campaign, out, json=format is Format.json, quiet=quiet, check=stop.check, ended=stop.at_once)
    except Interrupted as interrupted:
        assert stop.signal is not None
        before = f"stopped after {commands.n_told(campaign)} evaluations, all recorded"
        rest = str(interrupted) or f"go on with: evonas resume {campaign.directory}"
        print(f"{before}; {rest}", file=sys.stderr)
        raise typer.Exit(STOPPED[stop.signal]) from None


def main(arguments: list[str] | None = None) -> None:
    """Run a command; an error is one line on stderr and an exit code."""
    arguments = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        code = typer.main.get_command(app).main(arguments, prog_name="evonas", standalone_mode=False) or DONE
    except BaseException as error:
        if {"-v", "--verbose"} & set(arguments):
            import traceback

            traceback.print_exc()
        code = _reported(error)
    sys.exit(code)


def _reported(error: BaseException) -> int:
    """Say in one line what went wrong; the exit code."""
    if isinstance(error, KeyboardInterrupt):
        print("stopped", file=sys.stderr)
        return 130
    if isinstance(error, TyperException):
        message, code = _with_hint(error.format_message()), BAD_INPUT
    elif isinstance(error, OSError) and error.strerror and error.filename:
        message, code = f"{error.filename2 or error.filename}: {error.strerror}; check the path", _code_of(error)
    elif isinstance(error, Exception):
        message, code = str(error) or type(error).__name__, _code_of(error)
    else:
        raise error
    print(f"evonas: {' '.join(message.split())}", file=sys.stderr)
    return code


def _with_hint(message: str) -> str:
    """What was said of a word that is none of several, and which of them was meant."""
    message = message.replace("Value error, ", "")
    if found := re.search(r"'([^']*)' is not one of (.*)", message):
        from genomes.words import meant

        hint = meant(found[1], re.findall(r"'([^']*)'", found[2]), "choose one of them")
        return f"{message.rstrip('.')}; {hint}"
    return message


def _code_of(error: Exception) -> int:
    if isinstance(error, OSError):
        return BAD_INPUT
    from evonas.campaign import DamagedError, SpecError, StoreError
    from evonas.commands import NoneSucceededError
    from evonas.tasks import DataError

    codes: dict[type[Exception], int] = {NoneSucceededError: NONE_SUCCEEDED, SpecError: BAD_INPUT, DataError: BAD_INPUT}
    codes |= {DamagedError: DAMAGED, StoreError: NO_CAMPAIGN}
    return next((code for kind, code in codes.items() if isinstance(error, kind)), RUN_FAILED)


if __name__ == "__main__":
    main()
