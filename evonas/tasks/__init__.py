"""What candidates are trained and judged on."""

from typing import Annotated

from pydantic import Field

from evonas.tasks.arrays import Arrays, from_arrays
from evonas.tasks.bundled import Bundled, Diabetes
from evonas.tasks.cifar import Cifar
from evonas.tasks.digits import Digits
from evonas.tasks.idx import Idx
from evonas.tasks.own import Own
from evonas.tasks.prepare import Splitting, prepare
from evonas.tasks.task import KINDS, DataError, Kind, Split, Task

TaskConfig = Annotated[Digits | Bundled | Diabetes | Idx | Cifar | Arrays | Own, Field(discriminator="name")]

__all__ = [
    "KINDS",
    "Arrays",
    "Bundled",
    "Cifar",
    "DataError",
    "Diabetes",
    "Digits",
    "Idx",
    "Kind",
    "Own",
    "Split",
    "Splitting",
    "Task",
    "TaskConfig",
    "from_arrays",
    "prepare",
]
