"""What candidates are trained and judged on."""

from typing import Annotated

from pydantic import Field

from evonas.tasks.arrays import Arrays, from_arrays
from evonas.tasks.bundled import Bundled, Diabetes
from evonas.tasks.cifar import Cifar
from evonas.tasks.digits import Digits
from evonas.tasks.idx import Idx
from evonas.tasks.images import Images
from evonas.tasks.own import Own
from evonas.tasks.prepare import Splitting, prepare
from evonas.tasks.table import SUFFIXES, Table
from evonas.tasks.task import KINDS, DataError, Kind, Split, Task
from evonas.tasks.text import Text

TaskConfig = Annotated[
    Digits | Bundled | Diabetes | Idx | Cifar | Arrays | Table | Images | Text | Own, Field(discriminator="name")
]


def word_of(path: object) -> str:
    """The name of the task that reads a path, by how it ends: arrays, table, text, or else images."""
    text = str(path).lower()
    words = {".npz": "arrays", ".txt": "text", **dict.fromkeys(SUFFIXES, "table")}
    return next((word for suffix, word in words.items() if text.endswith(suffix)), "images")


__all__ = [
    "KINDS",
    "Arrays",
    "Bundled",
    "Cifar",
    "DataError",
    "Diabetes",
    "Digits",
    "Idx",
    "Images",
    "Kind",
    "Own",
    "Split",
    "Splitting",
    "Table",
    "Task",
    "TaskConfig",
    "Text",
    "from_arrays",
    "prepare",
    "word_of",
]
