"""A user's arrays beside the record, so that a campaign can be resumed without the script that made them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from evonas.campaign.spec import Spec
from evonas.campaign.store import DATABASE, StoreError
from evonas.tasks import Arrays, from_arrays

DATA = "data.npz"


NAMES = ("X", "y", "X_test", "y_test")


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
    """
    assert isinstance(spec.task, Arrays)
    path = (directory / DATA).absolute()
    config = spec.task.model_copy(update={"path": str(path)})
    given: dict[str, Any] = {name: np.asarray(values) for name, values in arrays.items()}
    task = from_arrays(**given, **config.model_dump(exclude={"name", "path"}))
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
