"""A recurrent cell as a phenotype: from what comes in and what was, to what is remembered; without torch.

The cell is the attribute `cell` of the operation `recur`. It is general enough for the tanh RNN, the GRU and the LSTM,
which stand in `CELLS`, and for the trees of Zoph & Le 2017 (see `genomes.recurrent`).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

HIDDEN, MEMORY = "h", "c"
"""What a step may read besides earlier steps: the output and the memory of the time step before."""
LINEAR, PRODUCT, INPUT_MAP, STATE_MAP = "linear", "product", "input", "state"
MAPS = (LINEAR, PRODUCT, INPUT_MAP, STATE_MAP)
"""Operations with weights, which read x and h themselves: `W x + b + U h`, `(W x + b) ⊙ U h`, `W x + b`, `U h + b`."""
ARITIES = {"add": 2, "multiply": 2, "one_minus": 1}
"""Operations on earlier values, element by element, and how many they read."""
ACTIVATIONS = ("identity", "tanh", "sigmoid", "relu")


class Step(NamedTuple):
    """One value that a cell computes at a time step.

    Attributes:
        name: Names its value and owns the rows of its weights.
        operation: One of `MAPS` or a key of `ARITIES`.
        inputs: Names of earlier steps, `h` or `c`; none for `MAPS`.
        activation: One of `ACTIVATIONS`.
    """

    name: str
    operation: str
    inputs: tuple[str, ...] = ()
    activation: str = "identity"


@dataclass(frozen=True)
class RecurrentCell:
    """Steps in the order in which they are computed.

    Attributes:
        steps: What is computed.
        hidden: The step whose value is the cell's output, and h at the next time step.
        memory: The step whose value before its activation is c at the next time step; None: the cell has no c.

    Raises:
        ValueError: If a name appears twice or is unknown, or a step reads what comes after it.
    """

    steps: tuple[Step, ...]
    hidden: str
    memory: str | None = None

    def __post_init__(self) -> None:
        known = {HIDDEN} if self.memory is None else {HIDDEN, MEMORY}
        for step in self.steps:
            if step.operation not in MAPS and step.operation not in ARITIES:
                raise ValueError(
                    f"step {step.name}: expected one of {', '.join((*MAPS, *ARITIES))}, got {step.operation!r}"
                )
            if step.activation not in ACTIVATIONS:
                raise ValueError(f"step {step.name}: expected one of {', '.join(ACTIVATIONS)}, got {step.activation!r}")
            if len(step.inputs) != (n := ARITIES.get(step.operation, 0)):
                raise ValueError(f"step {step.name}: expected {n} inputs of {step.operation}, got {len(step.inputs)}")
            if missing := [name for name in step.inputs if name not in known]:
                raise ValueError(f"step {step.name}: expected inputs made before it, got {missing}; sort the steps")
            if step.name in known or step.name == MEMORY:
                raise ValueError(f"step {step.name}: expected every name once, this one appears again; give it another")
            known.add(step.name)
        for what, name in (("hidden", self.hidden), ("memory", self.memory)):
            if name is not None and name not in {step.name for step in self.steps}:
                raise ValueError(f"{what}: expected the name of a step, got {name!r}; name one")

    @cached_property
    def maps(self) -> tuple[Step, ...]:
        """The steps with weights, those of a kind and an activation side by side: many become one product."""
        found = [step for step in self.steps if step.operation in MAPS]
        return tuple(sorted(found, key=lambda step: (MAPS.index(step.operation), ACTIVATIONS.index(step.activation))))

    @cached_property
    def input_maps(self) -> tuple[Step, ...]:
        """The steps that map x, in the order of their rows."""
        return tuple(step for step in self.maps if step.operation != STATE_MAP)

    @cached_property
    def state_maps(self) -> tuple[Step, ...]:
        """The steps that map h, in the order of their rows."""
        return tuple(step for step in self.maps if step.operation != INPUT_MAP)

    @cached_property
    def biased_states(self) -> tuple[Step, ...]:
        """The steps whose map of h has a bias of its own."""
        return tuple(step for step in self.maps if step.operation == STATE_MAP)


CELLS = {
    "tanh": RecurrentCell((Step("new", LINEAR, (), "tanh"),), "new"),
    "gru": RecurrentCell(
        (
            Step("reset", LINEAR, (), "sigmoid"),
            Step("update", LINEAR, (), "sigmoid"),
            Step("candidate-input", INPUT_MAP),
            Step("candidate-state", STATE_MAP),
            Step("reset-state", "multiply", ("reset", "candidate-state")),
            Step("candidate", "add", ("candidate-input", "reset-state"), "tanh"),
            Step("forget", "one_minus", ("update",)),
            Step("renewed", "multiply", ("forget", "candidate")),
            Step("kept", "multiply", ("update", "h")),
            Step("new", "add", ("renewed", "kept")),
        ),
        "new",
    ),
    "lstm": RecurrentCell(
        (
            Step("input-gate", LINEAR, (), "sigmoid"),
            Step("forget-gate", LINEAR, (), "sigmoid"),
            Step("candidate", LINEAR, (), "tanh"),
            Step("output-gate", LINEAR, (), "sigmoid"),
            Step("kept", "multiply", ("forget-gate", "c")),
            Step("renewed", "multiply", ("input-gate", "candidate")),
            Step("memory", "add", ("kept", "renewed"), "tanh"),
            Step("new", "multiply", ("output-gate", "memory")),
        ),
        "new",
        "memory",
    ),
}
"""Cells that the field knows: the tanh RNN (Elman 1990, https://doi.org/10.1207/s15516709cog1402_1), the GRU (Cho et
al. 2014, https://arxiv.org/abs/1406.1078, with the reset gate behind the map of h, as in cuDNN and torch) and the LSTM
with a forget gate (Gers et al. 2000, https://doi.org/10.1162/089976600300015015)."""
