"""A spec to begin with."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from evonas.campaign.opening import fitted
from evonas.campaign.spec import SpecError, name_of, parse
from evonas.tasks import word_of

TEMPLATE = """\
# A campaign for `evonas run`. Every field and its default: docs/spec.md
name = "{name}"
seed = 0
control = "random"          # afterwards, random search on the same budget

[task]{hint}
{task}
[encoding]
name = "{encoding}"

[search]
name = "evolution"          # or: speciated, ageing, random, controller
population = 16

[training]
epochs = 8
inherited_epochs = 3        # children begin with their parents' weights

[budget]
evaluations = 200           # or: epochs, seconds
"""
HINT = """
# Or your own: path = "data.npz" (arrays X, y), "table.csv" (with target = "column"), or a folder of images"""


def template(path: Path, data: Path | None = None, fields: Mapping[str, Any] | None = None) -> str:
    """The text of a spec, whose data were read and fit.

    Args:
        path: Where it will be written; the path of the data in it starts there.
        data: A file or folder of data; None: handwritten digits.
        fields: Other fields of the task.

    Raises:
        SpecError: If a field is wrong.
        DataError: If the data cannot be used.
    """
    task: dict[str, Any] = {"name": "digits"} if data is None else {"path": str(data.expanduser().resolve())}
    task |= fields or {}
    if data is not None and word_of(data) == "table" and "target" not in task:
        raise SpecError(f"--target: expected the column of {data} that is to be predicted, got none; name it")
    spec = parse({"task": task, "encoding": "recurrent" if data is not None and data.suffix == ".txt" else "dag"})
    if data is not None:
        fitted(spec, spec.task.load())
        task["path"] = os.path.relpath(task["path"], path.parent.resolve())
    told = {"name": name_of(path), "encoding": spec.encoding.name, "task": tomli_w.dumps(task)}
    return TEMPLATE.format(hint="" if data else HINT, **told)
