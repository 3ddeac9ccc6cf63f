"""What candidates are trained and judged on."""

from typing import Annotated

from pydantic import Field

from evonas.tasks.arrays import Arrays, from_arrays
from evonas.tasks.digits import Digits
from evonas.tasks.prepare import Splitting, prepare
from evonas.tasks.task import KINDS, DataError, Kind, Split, Task
from evonas.tasks.text import Text

TaskConfig = Annotated[Digits | Arrays | Text, Field(discriminator="name")]

__all__ = [
    "KINDS",
    "Arrays",
    "DataError",
    "Digits",
    "Kind",
    "Split",
    "Splitting",
    "Task",
    "TaskConfig",
    "Text",
    "from_arrays",
    "prepare",
]
