"""What is compared: arms that differ in some fields of one spec, each on several seeds, under one budget."""

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evonas.campaign import Spec, SpecError
from evonas.campaign.spec import parse
from evonas.training.config import Training

NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
RETRAINED = "retrained.json"


@dataclass(frozen=True)
class Arm:
    """One way to do it.

    Attributes:
        name: `PROBLEM/LABEL`, or a label alone; it is the folder. Arms of one problem are compared with each other.
        fields: Values by dotted name that replace those of the study's base, e.g. `{"training.inherit": False}`.
        searches: False: no search at all, one architecture a seed, drawn at random and trained by the final protocol;
            the control of Yang, Esperança & Carlucci 2020 (https://arxiv.org/abs/1912.12522).

    Raises:
        ValueError: If the name is no such word.
    """

    name: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    searches: bool = True

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name) or ".." in self.name:
            raise ValueError(f"arm: expected a name such as dag/random, got {self.name!r}; use letters, digits and -")

    @property
    def problem(self) -> str:
        """What it is compared on; empty where the name says nothing of it."""
        return self.name.rpartition("/")[0]

    @property
    def label(self) -> str:
        """What it is called among the arms of its problem."""
        return self.name.rpartition("/")[2]


@dataclass(frozen=True)
class Study:
    """Arms × seeds, every one an ordinary campaign in `OUT/ARM/SEED/`.

    Attributes:
        name: The study's name.
        base: A spec as nested mappings, that every arm begins from.
        arms: What is compared.
        seeds: Every arm is run on each of them.
        out: The folder of all its campaigns. Studies that share it share the campaigns of arms they have in common.
        final: Fields of the training that replace those of the search where a winner is trained from scratch for the
            last measurement, e.g. `{"epochs": 20}`.
        reference: The label of the arm that the others of its problem are compared with; empty: the first.

    Raises:
        ValueError: If there are no arms or seeds, or a name is there twice.
        SpecError: If an arm's spec is none.
    """

    name: str
    base: Mapping[str, Any]
    arms: tuple[Arm, ...]
    seeds: tuple[int, ...]
    out: Path
    final: Mapping[str, Any] = field(default_factory=dict)
    reference: str = ""

    def __post_init__(self) -> None:
        names = [arm.name for arm in self.arms]
        if not (self.arms and self.seeds):
            raise ValueError(f"{self.name}: expected arms and seeds, got {len(names)} and {len(self.seeds)}; give some")
        if len(set(names)) < len(names) or len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"{self.name}: expected every arm and seed once, got {names}, {list(self.seeds)}")
        for arm in self.arms:
            self.spec(arm, self.seeds[0])
        self.final_training(self.arms[0])

    def spec(self, arm: Arm, seed: int) -> Spec:
        """The spec of one campaign.

        Raises:
            SpecError: If a field is unknown or wrong; names the arm.
        """
        data = _thawed(self.base)
        for name, value in arm.fields.items():
            *tables, key = name.split(".")
            at = data
            for table in tables:
                at = at.setdefault(table, {})
                if not isinstance(at, dict):
                    raise SpecError(f"{arm.name}: {name}: expected {table} to be a table, got a value; check the name")
            at[key] = _thawed(value)
        name = arm.name.replace("/", "-")
        return parse({**data, "name": name, "seed": seed}, source=f"arm {arm.name}")

    def final_training(self, arm: Arm) -> Training:
        """How the winner of an arm is trained for the last measurement.

        Raises:
            ValueError: If `final` has a field that training has not.
        """
        fields = self.spec(arm, self.seeds[0]).training.model_dump()
        return Training.model_validate({**fields, **self.final})

    def directory(self, arm: Arm, seed: int) -> Path:
        """Where one campaign is recorded."""
        return self.out / arm.name / str(seed)

    def runs(self) -> Iterator[tuple[Arm, int]]:
        """All there is to do: the first seed of every arm, then the second, so that a study cut short is balanced."""
        for seed in self.seeds:
            for arm in self.arms:
                yield arm, seed

    @property
    def problems(self) -> list[str]:
        """The problems in the order of the arms."""
        return list(dict.fromkeys(arm.problem for arm in self.arms))

    def arms_of(self, problem: str) -> list[Arm]:
        """The arms of one problem."""
        return [arm for arm in self.arms if arm.problem == problem]


def _thawed(value: Any) -> Any:
    """A copy that may be changed, all mappings in it plain dictionaries."""
    if isinstance(value, Mapping):
        return {key: _thawed(one) for key, one in value.items()}
    return copy.copy(value)
