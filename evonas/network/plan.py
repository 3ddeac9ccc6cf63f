"""A recurrent cell as a loop over time reads it: values in registers, maps of one kind side by side."""

from functools import lru_cache
from typing import NamedTuple

from genomes.recurrence import HIDDEN, LINEAR, MEMORY, PRODUCT, STATE_MAP, RecurrentCell, Step


class Group(NamedTuple):
    """Maps side by side that have the same operation and activation.

    Attributes:
        steps: Their registers, each for a step's value and what it was before its activation.
        start: The first row among the maps of h (of x for `input`), in units of the width.
        factor: The first column among the factors, for products and maps of x alone.
        operation: Of all of them.
        activation: Of all of them.
    """

    steps: tuple[int, ...]
    start: int
    factor: int
    operation: str
    activation: str


class Plan(NamedTuple):
    """A cell as the loop reads it: values lie in registers, 0 is h, 1 is c.

    Attributes:
        groups: The maps.
        inner: Of every other step its register, operation, inputs and activation.
        hidden: Register of the output.
        memory: Register of the step whose value before activation is c; -1: none.
        n_linear: Maps that are a sum over x and h.
        n_products: Maps that are a product.
        n_states: Maps of h.
        n_registers: In all.
    """

    groups: tuple[Group, ...]
    inner: tuple[tuple[int, str, tuple[int, ...], str], ...]
    hidden: int
    memory: int
    n_linear: int
    n_products: int
    n_states: int
    n_registers: int


@lru_cache(maxsize=1024)
def planned(cell: RecurrentCell) -> Plan:
    """The plan of a cell."""
    registers = {HIDDEN: 0, MEMORY: 1} | {step.name: at + 2 for at, step in enumerate(cell.steps)}
    counts = {kind: sum(step.operation == kind for step in cell.maps) for kind in (LINEAR, PRODUCT, STATE_MAP)}
    groups: list[Group] = []
    runs: list[list[Step]] = []
    for step in cell.maps:
        if runs and (runs[-1][0].operation, runs[-1][0].activation) == (step.operation, step.activation):
            runs[-1].append(step)
        else:
            runs.append([step])
    for run in runs:
        first = run[0]
        start = cell.state_maps.index(first) if first in cell.state_maps else -1
        factor = cell.input_maps.index(first) - counts[LINEAR] if first in cell.input_maps else -1
        steps = tuple(registers[step.name] for step in run)
        groups.append(Group(steps, start, factor, first.operation, first.activation))
    inner = tuple(
        (registers[step.name], step.operation, tuple(registers[name] for name in step.inputs), step.activation)
        for step in cell.steps
        if step not in cell.maps
    )
    memory = -1 if cell.memory is None else registers[cell.memory]
    n_states = len(cell.state_maps)
    hidden = registers[cell.hidden]
    return Plan(tuple(groups), inner, hidden, memory, counts[LINEAR], counts[PRODUCT], n_states, len(registers))
