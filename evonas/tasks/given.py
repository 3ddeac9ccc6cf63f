"""A task that a user's own object loads: what it must have, and what the record keeps of it."""

import dataclasses
import json
from typing import Annotated, Any, Literal, NoReturn, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field

from evonas.tasks.task import KINDS, DataError, KindName, Task


@runtime_checkable
class TaskConfiguration(Protocol):
    """What a campaign needs of a task; every configuration of this package has it."""

    @property
    def name(self) -> str:
        """What the task is called."""

    @property
    def kind(self) -> KindName:
        """A key of `KINDS`: what is predicted."""

    def load(self) -> Task:
        """The task, the same at every call.

        Raises:
            DataError: The data cannot be used.
        """


class Given(BaseModel):
    """A task that an object of a Python program loads: the record names it, but only that program has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["given"] = "given"
    called: Annotated[str, Field(max_length=200, description="The name the object gives itself.")]
    kind: KindName
    settings: Annotated[str, Field(description="The object's fields as JSON, where it has any.")] = "{}"

    @classmethod
    def of(cls, task: TaskConfiguration) -> "Given":
        """What the record keeps of an object.

        Raises:
            DataError: It has no name or an unknown kind, or its fields are no JSON.
        """
        if not isinstance(task.name, str) or not task.name:
            raise DataError(f"task: expected a name as a string, got {task.name!r:.60}; give it one")
        if task.kind not in KINDS:
            expected = f"expected one of {', '.join(KINDS)}, got {task.kind!r:.60}; name one"
            raise DataError(f"task {task.name}: kind: {expected}")
        if isinstance(task, BaseModel):
            return cls(called=task.name, kind=task.kind, settings=task.model_dump_json())
        fields: dict[str, Any] = {}
        if dataclasses.is_dataclass(task) and not isinstance(task, type):
            fields = dataclasses.asdict(task)
        try:
            return cls(called=task.name, kind=task.kind, settings=json.dumps(fields, sort_keys=True))
        except TypeError as error:
            raise DataError(f"task {task.name}: expected fields that JSON can hold ({error}); simplify them") from error

    def load(self) -> NoReturn:
        """There is nothing to load it with.

        Raises:
            DataError: Always.
        """
        raise DataError(
            f"task {self.called}: expected the Python object that loads it, got its name alone; run the campaign again "
            "from its program, with Campaign(task=OBJECT, …).run(DIRECTORY)"
        )


def called(task: TaskConfiguration) -> str:
    """What a task is called: by the object that loads it, where a program gave one."""
    return task.called if isinstance(task, Given) else task.name


def loaded(task: TaskConfiguration) -> Task:
    """The task of a user's object.

    Raises:
        DataError: It is none, or of another kind than it says.
    """
    found = task.load()
    if not isinstance(found, Task):
        raise DataError(f"task {task.name}: expected load() to return a Task, got {type(found).__name__}; use prepare")
    if found.kind != task.kind:
        raise DataError(f"task {task.name}: expected the kind {task.kind} as it says, got {found.kind}; set one")
    return found
