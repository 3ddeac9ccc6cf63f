"""What a program gives a campaign as its task: arrays are kept beside the record, so that it can go on without it."""

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from evonas.campaign.opening import fitted
from evonas.campaign.spec import Spec, SpecError
from evonas.campaign.store import DATABASE, StoreError
from evonas.tasks import KNOWN, Arrays, Dataset, Given, TaskConfiguration, arrays_of, from_arrays

DATA = "data.npz"
NAMES = ("X", "y", "X_test", "y_test")


def taken(task: Any) -> tuple[Any, dict[str, Any] | None, TaskConfiguration | None]:
    """A user's task as a spec has it, the arrays it stands for, and the object that loads it.

    Args:
        task: As `evonas.Campaign` takes it.

    Raises:
        SpecError: If it is no task, or arrays are missing.
        DataError: If a data set gives no examples that fit each other.
    """
    if isinstance(task, PurePath) or (isinstance(task, str) and _is_path(task)):
        return {"path": str(task)}, None, None
    if isinstance(task, (str, *KNOWN)) or (isinstance(task, Mapping) and "X" not in task):
        return task, None, None
    if isinstance(task, type):
        raise SpecError(f"task: expected an object, got the class {task.__name__}; give one of it")
    if isinstance(task, TaskConfiguration):
        return Given.of(task), None, task
    if isinstance(task, tuple) and len(task) != 2:
        raise SpecError(f"task: expected arrays (X, y), got a tuple of {len(task)}; give two")
    if not isinstance(task, Mapping):
        if not isinstance(task, Dataset):
            raise SpecError(
                "task: expected a word, a path, arrays (X, y), a mapping, an object with name, kind and load(), or a "
                f"data set with __len__ and __getitem__, got {type(task).__name__}; see docs/tasks.md"
            )
        X, y = task if isinstance(task, tuple) else arrays_of(task)
        task = {"X": X, "y": y}
    if "y" not in task:
        raise SpecError("task: expected arrays X and y, got X alone; give y")
    arrays = {name: task[name] for name in NAMES if name in task}
    others = {name: value for name, value in task.items() if name not in NAMES}
    return {"name": "arrays", "path": DATA, **others}, arrays, None


def _is_path(text: str) -> bool:
    return "/" in text or "." in text or Path(text).is_dir()


def placed(arrays: Mapping[str, Any], directory: Path, spec: Spec) -> Spec:
    """Write arrays into a campaign's directory, unless they are there.

    Args:
        arrays: Those of `NAMES`, the first two at least, as `evonas.tasks.from_arrays` takes them.
        directory: The campaign's.
        spec: Its spec, whose task are arrays.

    Returns:
        The spec, whose task names the file.

    Raises:
        StoreError: If the campaign was begun with others.
        DataError: If they make no task.
        SpecError: If the encoding does not fit them.
    """
    assert isinstance(spec.task, Arrays)
    path = (directory / DATA).absolute()
    config = spec.task.model_copy(update={"path": str(path)})
    given: dict[str, Any] = {name: np.asarray(values) for name, values in arrays.items()}
    task = from_arrays(**given, **config.model_dump(exclude={"name", "path"}))
    # What does not fit is refused before anything is written.
    fitted(spec, task)
    if not (directory / DATABASE).exists():
        directory.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name("data.new.npz")
        np.savez(temporary, **{_in_file(name, given): _plain(values) for name, values in given.items()})
        temporary.rename(path)
    elif config.load().fingerprint != task.fingerprint:
        raise StoreError(f"{directory}: expected the arrays it was begun with, got others; choose another directory")
    return spec.model_copy(update={"task": config})


def _in_file(name: str, given: Mapping[str, Any]) -> str:
    return f"{name}_train" if "X_test" in given and name in ("X", "y") else name


def _plain(values: Any) -> Any:
    return values.astype(str) if values.dtype == object else values
