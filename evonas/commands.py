"""What several verbs of the command line share. Imported when one of them runs.

What draws is imported by those who draw: it would cost the others more time than they take.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from evonas import terminal
from evonas.analysis import summary
from evonas.analysis.spending import Axis
from evonas.campaign import Campaign, Progress, SpecError, StoreError
from evonas.campaign.spec import value_of
from evonas.campaign.store import DATABASE
from evonas.evaluation.evaluator import Check
from evonas.record import PENDING, Individual
from evonas.stopping import Interrupted


class NoneSucceededError(Exception):
    """No candidate of a campaign succeeded."""

    def __init__(self, directory: Path, reason: str = "") -> None:
        why = f" ({reason})" if reason else ""
        super().__init__(f"{directory}: no candidate succeeded{why}; evonas show {directory} tells why each failed")


def changes(texts: Sequence[str], options: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a spec that a command replaces, by dotted name.

    Args:
        texts: What `--set` was given, `NAME=VALUE` each.
        options: What other options say of fields; None where one was left out.

    Raises:
        SpecError: If a text is no such pair.
    """
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise SpecError(f"--set {text}: expected NAME=VALUE, such as training.epochs=4")
        found[name.strip()] = value_of(value.strip())
    return found | {name: value for name, value in options.items() if value is not None}


def run(
    campaign: Campaign,
    out: Path | None,
    *,
    json: bool,
    quiet: bool,
    check: Check,
    ended: Callable[[], None],
) -> None:
    """Run a campaign, print what it found beside what its control did, and draw it.

    Args:
        campaign: The campaign.
        out: Its directory; None for the usual one.
        json: True to print JSON, and to draw nothing.
        quiet: True to say nothing of how far it is.
        check: Called while it runs; raises `Interrupted` to stop it.
        ended: Called once all is recorded and only what shows it is left.

    Raises:
        NoneSucceededError: If no candidate succeeded.
    """
    seen: set[tuple[str, int]] = set()
    with terminal.progress(quiet=quiet) as observe:

        def noted(done: Progress) -> None:
            seen.add((done.name, done.n_told))
            observe(done)

        campaign.run(out, observe=noted, check=check)
    idle = len(seen) == len({name for name, _ in seen})
    if idle and not quiet:
        spent = f"{n_told(campaign)} evaluations are recorded, the budget is {summary.budget(campaign.spec)}"
        print(f"nothing to do: {spent}", file=sys.stderr)
    found, control = _found(campaign), campaign.control
    if json:
        terminal.print_json(found if control is None else {**found, "control": summary.best_fields(control)})
        return
    listed = campaign.spec.listed is not None
    if listed:
        terminal.print_final(found, campaign.spec.kind.score)
    else:
        terminal.print_table(summary.columns(campaign), summary.comparison(campaign))
        if more := {name: value for name, value in found.items() if name in summary.BESIDES}:
            print()
            terminal.print_with_front(more)
    ended()
    _draw_all(campaign, quiet=quiet, anew=not idle)
    print(f"Look further: evonas {'show' if listed else 'lineage'} {campaign.directory}")


def _draw_all(campaign: Campaign, *, quiet: bool, anew: bool) -> None:
    """Draw what is drawn when a run ends, and print where it is.

    Args:
        campaign: The campaign.
        quiet: True to say nothing before.
        anew: False to leave the pictures that were drawn since the last evaluation.

    Raises:
        Interrupted: If a signal came, with how to draw the rest.
    """
    from evonas import pictures

    kinds = pictures.fitting(campaign)
    if campaign.spec.listed is not None:
        kinds = tuple(kind for kind in kinds if kind in pictures.OF_ONE)
    files = {kind: _figures(campaign, kind) for kind in kinds}
    since = (campaign.directory / DATABASE).stat().st_mtime_ns
    wanted = [kind for kind, paths in files.items() if anew or not all(_is_newer(path, since) for path in paths)]
    if wanted and not quiet:
        print("drawing the pictures", file=sys.stderr)
    for at, kind in enumerate(wanted):
        try:
            draw(campaign, kind, None, None)
        except Interrupted:
            rest = ", then ".join(f"evonas plot {left} {campaign.directory}" for left in wanted[at:])
            raise Interrupted(f"draw what is left with: {rest}") from None
    print("\nPictures: " + "  ".join(str(png) for png, _ in files.values()))


def _is_newer(path: Path, since: int) -> bool:
    """Whether there is such a file, and it was written after a time in nanoseconds."""
    return path.exists() and path.stat().st_mtime_ns >= since


def _figures(campaign: Campaign, kind: str) -> list[Path]:
    """Where a picture goes if nothing else is said: the PNG, then the SVG."""
    return [campaign.directory / "figures" / f"{kind}{suffix}" for suffix in (".png", ".svg")]


def best(campaign: Campaign, *, json: bool) -> None:
    """Print the best of a campaign, or all of a list.

    Raises:
        NoneSucceededError: If no candidate succeeded.
    """
    found = _found(campaign)
    if json:
        terminal.print_json(found)
    elif campaign.spec.listed:
        terminal.print_final(found, campaign.spec.kind.score)
    else:
        terminal.print_with_front(found)


def _found(campaign: Campaign) -> dict[str, Any]:
    best = summary.best_fields(campaign)
    if best is None:
        failed = [one.error for one in campaign.individuals if one.error]
        raise NoneSucceededError(campaign.directory, failed[0] if campaign.spec.listed and failed else "")
    return summary.final(campaign) if campaign.spec.listed else best | summary.likeliest_fields(campaign)


def chosen(campaign: Campaign, id: int | None) -> Individual:
    """The individual of a number, or the best.

    Raises:
        StoreError: If there is no individual of that number.
        NoneSucceededError: If there is no best.
    """
    if id is None and campaign.best is None:
        raise NoneSucceededError(campaign.directory)
    return campaign.individual(id)


def draw(campaign: Campaign, kind: str, id: int | None, output: Path | None, axis: str | None = None) -> list[Path]:
    """Draw one kind of picture and write it, to `output` or as PNG and SVG into the campaign's figures; where it is.

    Raises:
        SpecError: If the campaign has no such picture, or the picture no axis to choose.
    """
    from evonas import pictures, view

    pictures.require(kind, campaign)
    if axis is not None and kind not in pictures.COUNTED:
        raise SpecError(f"--axis: expected none for {kind}, got {axis}; only {' and '.join(pictures.COUNTED)} have one")
    needed = kind in pictures.OF_ONE or id is not None
    one = chosen(campaign, id) if needed else campaign.best
    ax = pictures.draw(kind, campaign, one, cast(Axis | None, axis))
    paths = [output] if output else _figures(campaign, kind)
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        view.save(ax, path)
    return paths


def compare(directories: Sequence[Path], output: Path | None, axis: str, *, json: bool) -> None:
    """Print campaigns on one task side by side, and draw what each had found at any time.

    Raises:
        StoreError: If a campaign is missing.
        SpecError: If they have different tasks or objectives.
    """
    from evonas import pictures, view
    from evonas.analysis import comparison

    campaigns = [Campaign.load(directory) for directory in dict.fromkeys(directories)]
    comparison.check_comparable(campaigns)
    rows = comparison.rows(campaigns)
    if json:
        terminal.print_json(rows)
    else:
        columns = [name for name in rows[0] if name != "directory"]
        terminal.print_table(
            [name.replace("_", " ") for name in columns], [[row[name] for name in columns] for row in rows]
        )
    if output is not None:
        ax = pictures.compared(campaigns, cast(Axis, axis))
        output.parent.mkdir(parents=True, exist_ok=True)
        view.save(ax, output)
        print(output, file=sys.stderr if json else sys.stdout)


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """An individual's record for a reader: without what is empty, genome, curve and origins; its metrics one a line."""
    hidden = ("genome", "curve", "origins", "metrics")
    found = {name: value for name, value in row.items() if name not in hidden and value not in (None, "", ())}
    found |= {name: terminal.Seconds(row[name]) for name in ("seconds", "elapsed") if row.get(name) is not None}
    if row.get("learned"):
        found["learned"] = f"a genome of {len(row['learned']):,} characters; --format json prints it"
    return found | {f"metrics.{name}": value for name, value in row["metrics"].items()}


def listing(root: Path) -> list[dict[str, Any]]:
    """How far every campaign in a directory is; one that cannot be read has the state `damaged` and an `error`."""
    found = []
    for path in sorted(root.glob("*/campaign.sqlite")):
        row: dict[str, Any] = {"directory": str(path.parent)}
        try:
            row |= summary.status(Campaign.load(path.parent))
        except StoreError as error:
            row |= {"state": "damaged", "error": str(error)}
        found.append(row)
    return found


def n_told(campaign: Campaign) -> int:
    """Results in a campaign's record."""
    return sum(one.state != PENDING for one in campaign.individuals)
