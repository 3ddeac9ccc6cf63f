"""Beginning a campaign's record, and refusing to go on with one that is not the same campaign."""

import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import tomli_w

from evonas.campaign.spec import Spec, SpecError, own_activations
from evonas.campaign.store import DATABASE, Store, StoreError
from evonas.evaluation.measure import SIZES
from evonas.tasks import Task
from evonas.tasks.task import BEHAVIOUR, LANGUAGE
from genomes.encoding import SEQUENCES
from genomes.neurons import check_registered
from genomes.reading import read_genome
from genomes.words import meant

STREAM_LIBRARIES = ("torch", "numpy", "deap")
"""Libraries whose versions change what is drawn or computed."""
LONGEST = 80
"""Characters of a value in a message."""
MAY_CHANGE = ("budget", "control")
"""Fields of a spec that may change between two runs of a campaign: none of them changes a result already recorded."""


def fitted(spec: Spec, task: Task) -> Spec:
    """A spec whose encoding is fixed for the inputs of its task.

    Raises:
        SpecError: If they do not fit each other, or a listed genome does not fit them.
    """
    reads_text = SEQUENCES in spec.encoding.abilities
    if reads_text != (task.kind == LANGUAGE):
        got, mend = (f"{task.name} ({task.kind})", "dag") if reads_text else (f"a text, {task.name}", "recurrent")
        raise SpecError(
            f"encoding.name: {spec.encoding.name} expected {'a text' if reads_text else 'examples without an order'}, "
            f"got {got}; use {mend}, or another task"
        )
    if task.kind == BEHAVIOUR:
        _check_measured(spec, task)
    # What paints may be asked again for a task of another size, so that `for_task` does not refuse it.
    told = getattr(spec.encoding, "n_outputs", None)
    if told not in (None, task.n_outputs):
        raise SpecError(f"encoding.n_outputs: expected {task.n_outputs}, as the task has, got {told}; remove it")
    try:
        encoding = spec.encoding.for_task(task.input_shape, task.n_outputs)
    except ValueError as error:
        raise SpecError(f"encoding.{error}") from None
    for number, text in enumerate(spec.listed.genomes if spec.listed else ()):
        try:
            encoding.develop(read_genome(encoding, text)).n_parameters(task.input_shape, task.n_outputs)
        except ValueError as error:
            raise SpecError(f"search.genomes.{number}: {error}") from None
    return spec.model_copy(update={"encoding": encoding})


def _check_measured(spec: Spec, task: Task) -> None:
    """Check that a problem measures what is pursued."""
    kind = replace(spec.kind, metrics=(*spec.kind.metrics, *task.metrics))
    try:
        spec.objectives.check_kind(kind)
    except ValueError as error:
        raise SpecError(f"objectives: {error}") from None
    goal, known = spec.budget.goal, (*kind.metrics, *SIZES)
    if task.metrics and goal is not None and goal.metric not in known:
        mend = meant(goal.metric, known, "name one")
        raise SpecError(f"budget.until: expected a metric among {', '.join(known)}, got {goal.metric}; {mend}")


def opened(directory: Path, spec: Spec, task: Task) -> Store:
    """A campaign's store for writing, new or checked against this spec, this task and these libraries.

    Raises:
        SpecError: If the encoding names an activation that is not registered.
        StoreError: If the directory holds another campaign, or another process runs it.
        OSError: If the directory cannot be written.
    """
    dumped = written(spec)
    try:
        check_registered(own_activations(dumped["encoding"]))
    except ValueError as error:
        raise SpecError(f"{directory}: {error}") from None
    if not (directory / DATABASE).exists():
        facts = {
            "spec": dumped,
            "versions": _versions(),
            "fingerprint": task.fingerprint,
            "timed": spec.timed,
            "input_shape": task.input_shape,
            "n_outputs": task.n_outputs,
            "kind": task.kind,
            "classes": task.classes,
            "targets": task.targets,
            "features": task.features,
            "mean": task.mean,
            "deviation": task.deviation,
            "target_mean": task.target_mean,
            "target_deviation": task.target_deviation,
            "files": dict(task.files),
        }
        store = Store.create(directory, facts)
        _write_toml(directory / "campaign.toml", dumped)
        return store
    store = Store.open(directory, write=True)
    try:
        _check_same(directory, dumped, store.facts(), task)
    except StoreError:
        store.close()
        raise
    if store.facts()["spec"] != dumped:
        store.set_fact("spec", dumped)
        _write_toml(directory / "campaign.toml", dumped)
    return store


def written(spec: Spec) -> dict[str, Any]:
    """A spec as the record holds it."""
    return spec.model_dump(mode="json", exclude_none=True)


def _check_same(directory: Path, spec: Mapping[str, Any], facts: Mapping[str, Any], task: Task) -> None:
    if differing := [f"{name}: {_short(b)} → {_short(a)}" for name, a, b in differences(spec, facts["spec"])]:
        raise StoreError(
            f"{directory}: expected the spec it was begun with, got changes in {'; '.join(differing)}; undo them "
            "or choose another directory with --out"
        )
    for library in STREAM_LIBRARIES:
        here, then = _versions()[library], facts["versions"].get(library)
        if here != then:
            raise StoreError(
                f"{directory}: expected {library} {then}, with which it was begun, got {here}; install that"
            )
    if facts["fingerprint"] != task.fingerprint:
        raise StoreError(f"{directory}: expected the data it was begun with, they have changed; put them back")


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any, Any]]:
    """The fields in which two written specs are not the same campaign: their dotted names, our value and theirs."""
    found = []
    for name in sorted(ours.keys() | theirs.keys()):
        a, b = ours.get(name), theirs.get(name)
        if not prefix and name in MAY_CHANGE:
            continue
        if isinstance(a, dict) and isinstance(b, dict):
            found += differences(a, b, f"{prefix}{name}.")
        elif a != b:
            found.append((f"{prefix}{name}", a, b))
    return found


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _versions() -> dict[str, str]:
    libraries = {name: metadata.version(name) for name in (*STREAM_LIBRARIES, "evonas")}
    return {**libraries, "python": platform.python_version(), "cpu": _cpu()}


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _write_toml(path: Path, spec: Mapping[str, Any]) -> None:
    """The resolved spec for people; the record itself is in the log."""
    text = tomli_w.dumps({**spec, "versions": _versions() | _commit()})
    temporary = path.with_suffix(".new")
    temporary.write_text(f"# Written by evonas: the resolved spec, and what it ran on.\n{text}", "utf-8")
    os.replace(temporary, path)


def _commit() -> dict[str, str]:
    """The commit of the engine where it runs from a checkout."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return {}
    command = ["git", "-C", str(root), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return {"commit": done.stdout.strip()} if done.returncode == 0 else {}
