"""What candidates are trained and judged on."""

from typing import Annotated, Any, get_args

from pydantic import Field

from evonas.tasks.arrays import Arrays, from_arrays
from evonas.tasks.boolean import Boolean, Parity, Xor
from evonas.tasks.boxes import Boxes
from evonas.tasks.bundled import Bundled, Diabetes
from evonas.tasks.cifar import Cifar
from evonas.tasks.dataset import Dataset, arrays_of, from_dataset
from evonas.tasks.digits import Digits
from evonas.tasks.given import Given, TaskConfiguration, called, loaded
from evonas.tasks.gym import Gym
from evonas.tasks.idx import Idx
from evonas.tasks.images import Images
from evonas.tasks.own import Own
from evonas.tasks.poles import Poles
from evonas.tasks.prepare import Splitting, prepare
from evonas.tasks.problem import ProblemError
from evonas.tasks.retina import RetinaTask
from evonas.tasks.table import SUFFIXES, Table
from evonas.tasks.task import KINDS, DataError, Kind, Split, Task
from evonas.tasks.text import Text

TaskConfig = Annotated[
    Digits
    | Bundled
    | Diabetes
    | Idx
    | Cifar
    | Arrays
    | Table
    | Images
    | Text
    | Xor
    | Parity
    | Boolean
    | Poles
    | Boxes
    | RetinaTask
    | Gym
    | Own
    | Given,
    Field(discriminator="name"),
]
KNOWN: tuple[type[Any], ...] = get_args(get_args(TaskConfig)[0])
"""The configurations that a spec can name."""


def word_of(path: object) -> str:
    """The name of the task that reads a path, by how it ends: arrays, table, text, or else images."""
    text = str(path).lower()
    words = {".npz": "arrays", ".txt": "text", **dict.fromkeys(SUFFIXES, "table")}
    return next((word for suffix, word in words.items() if text.endswith(suffix)), "images")


__all__ = [
    "KINDS",
    "KNOWN",
    "Arrays",
    "Boolean",
    "Boxes",
    "Bundled",
    "Cifar",
    "DataError",
    "Dataset",
    "Diabetes",
    "Digits",
    "Given",
    "Gym",
    "Idx",
    "Images",
    "Kind",
    "Own",
    "Parity",
    "Poles",
    "ProblemError",
    "RetinaTask",
    "Split",
    "Splitting",
    "Table",
    "Task",
    "TaskConfig",
    "TaskConfiguration",
    "Text",
    "Xor",
    "arrays_of",
    "called",
    "from_arrays",
    "from_dataset",
    "loaded",
    "prepare",
    "word_of",
]
