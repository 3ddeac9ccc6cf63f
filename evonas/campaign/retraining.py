"""Training an individual of a finished campaign anew: larger, longer, on another task, several times."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

from evonas.campaign.campaign import Campaign
from evonas.campaign.opening import differences, fitted, written
from evonas.campaign.source import Source
from evonas.campaign.spec import Spec, change, parse
from evonas.campaign.store import DATABASE, DamagedError, Store, StoreError
from evonas.record import Individual
from evonas.stream import stream

RETRAINED = "retrained"
MAX_SEED = 2**31
MAX_NAME = 80


def retrain(
    directory: str | Path,
    id: int | None = None,
    *,
    changes: Mapping[str, Any] | None = None,
    repeats: int = 3,
    inherit: bool = False,
    seed: int | None = None,
    out: str | Path | None = None,
) -> Campaign:
    """A campaign that trains one individual of another several times; `run()` trains, and tests each once at the end.

    Its genome stays the same; a change of the encoding's configuration changes what it develops into.

    Args:
        directory: The campaign that found it; only read.
        id: Its number there; None: the best.
        changes: Fields of the spec by dotted name that replace those of that campaign: `{"training.epochs": 40}`,
            `{"task.path": "other.npz"}`. A task or encoding of another name begins with its own defaults.
        repeats: How often it is trained, each time with other draws.
        inherit: Begin with its trained weights wherever they fit, and train for the epochs that `changes` name, or for
            `training.inherited_epochs`; otherwise from scratch for `training.epochs`.
        seed: Of the new campaign; None: one that follows from the old one and the individual, so that no draw for
            which it was selected is made again.
        out: Directory of the new campaign; None: `retrained/ID` in that of the old one, or `retrained/ID-2` and so on
            where another spec was trained before.

    Raises:
        StoreError: If there is no such campaign or individual, or its weights are to be inherited and were not kept.
        SpecError: If a change is wrong, or encoding and task do not fit each other.
        DataError: If the task's data cannot be used.
    """
    found = Campaign.load(directory)
    one = found.individual(id)
    source, weights = _source(found, one) if inherit else (None, b"")
    fields = _fields(found.spec, one, repeats, source)
    fields["seed"] = int(stream(found.spec.seed, "retrain", one.id).integers(MAX_SEED)) if seed is None else seed
    changes = dict(changes or {})
    if inherit and "training.epochs" in changes:
        # Who says how long to train means it, whatever children of the search were given.
        changes.setdefault("training.inherited_epochs", changes["training.epochs"])
    _change(fields, changes)
    spec = parse(fields, source=f"retraining individual {one.id}")
    spec = fitted(spec, spec.task.load())
    place = Path(out) if out is not None else _place(Path(directory) / RETRAINED / str(one.id), spec)
    return Campaign.of(spec, directory=place, source=(source, weights) if source else None)


def _source(campaign: Campaign, one: Individual) -> tuple[Source, bytes]:
    """An individual as what another campaign begins with, and its weights."""
    with closing(Store.open(campaign.directory)) as store:
        try:
            weights, facts = store.weights(one.id), store.facts()
        except DamagedError:
            raise
        except StoreError:
            raise StoreError(
                f"{campaign.directory}: expected the weights of individual {one.id}, found none: only the best and "
                "possible parents keep theirs; leave out --inherit"
            ) from None
    described = Source(
        campaign.spec.name,
        one.id,
        written(campaign.spec)["encoding"],
        json.loads(one.genome),
        tuple(facts["input_shape"]),
        facts["n_outputs"],
        hashlib.sha256(weights).hexdigest(),
    )
    return described, weights


def _fields(spec: Spec, one: Individual, repeats: int, source: Source | None) -> dict[str, Any]:
    """The spec of a retraining before changes, as nested dictionaries."""
    fields = written(spec)
    # Of the task that found it: another may have others.
    fields["encoding"].pop("n_outputs", None)
    fields |= {"name": f"{spec.name[:MAX_NAME]}-retrained-{one.id}", "control": "none"}
    fields["search"] = {"name": "listed", "genomes": [one.genome], "repeats": repeats, "lag": spec.search.lag}
    if source is not None:
        fields["search"]["source"] = source.sha256
        fields["training"]["inherit"] = True
    # The list is its own budget; repeats are compared by one value, and what is rebuilt larger may be larger.
    del fields["budget"]
    fields["objectives"] = {"maximize" if spec.objectives.maximize else "minimize": [spec.objectives.names[0]]}
    return fields


def _change(fields: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """Apply changes; a table that gets another name keeps nothing of what the old one was told."""
    changes = dict(changes)
    if isinstance(path := changes.get("task.path"), str):
        changes["task.path"] = str(Path(path).expanduser().resolve())
    for table in ("task", "encoding"):
        if changes.get(f"{table}.name", fields[table].get("name")) != fields[table].get("name"):
            fields[table] = {}
    if "task.path" in changes and "path" not in fields["task"]:
        fields["task"] = {}
    change(fields, changes)


def _place(base: Path, spec: Spec) -> Path:
    """The first of `ID`, `ID-2`, … that holds this very campaign, or none."""
    for number in count(1):
        path = base if number == 1 else base.with_name(f"{base.name}-{number}")
        if not (path / DATABASE).exists():
            return path
        with closing(Store.open(path)) as store:
            if not differences(written(spec), store.facts()["spec"]):
                return path
    raise AssertionError
