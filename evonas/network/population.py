"""Many neuron graphs of different structure, computed at once."""

from collections.abc import Sequence

import torch
from torch import Tensor

from evonas.network.columns import Columns
from evonas.network.compiler import Compiler
from evonas.network.program import BLOCK, Program
from genomes.neurons import NeuronGraph

CPU_VALUES, DEVICE_VALUES = 1 << 19, 1 << 28
"""Values that are computed before the next part of a batch: on a CPU as many as its cache holds, else 1 GiB."""
MIN_PART = 256
"""Examples of a batch that are computed together at least."""


def check_tensor(inputs: object, n_inputs: int) -> None:
    """Check that inputs are a tensor.

    Raises:
        TypeError: If they are none.
    """
    if not isinstance(inputs, Tensor):
        raise TypeError(
            f"inputs: expected a tensor (batch, {n_inputs}), got {type(inputs).__name__}; use torch.as_tensor"
        )


class NeuronPopulation:
    """Networks that are judged as they are, without training: fulfils `evonas.tasks.problem.Networks`.

    The neurons of all of them are rows, sorted by level and activation: a level is one sparse product and one call for
    each activation in it, however many networks there are. What a network puts out does not depend on the others.

    Args:
        graphs: At least one; all with as many inputs and outputs, all recurrent or none.
        device: Where they are computed.
        dtype: Of all values, torch.float32 or torch.float64.

    Raises:
        ValueError: If the graphs do not go together, if one has a cycle and is not recurrent, or if torch has no such
            activation.
    """

    def __init__(
        self,
        graphs: Sequence[NeuronGraph],
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self._begin(Columns.of(graphs), 0, torch.device(device), dtype)

    def _begin(self, columns: Columns, width: int, device: torch.device, dtype: torch.dtype) -> None:
        self._columns, self._device, self._dtype = columns, device, dtype
        self._width = width or int(columns.n_neurons.max())
        self._programs: dict[bool, Program] = {}
        self._values = torch.empty(0, 0)

    @property
    def n(self) -> int:
        """How many."""
        return self._columns.n

    @property
    def n_inputs(self) -> int:
        """Values that each is given."""
        return self._columns.n_inputs

    @property
    def n_outputs(self) -> int:
        """Values that each puts out."""
        return int(self._columns.outputs.shape[1])

    @property
    def recurrent(self) -> bool:
        """True if neurons read the step before."""
        return self._columns.recurrent

    @property
    def device(self) -> torch.device:
        """Where they are computed, and what they put out is."""
        return self._device

    def __call__(self, inputs: Tensor) -> Tensor:
        """What every network puts out, `(n, batch, n_outputs)`; recurrent ones take one step from zeros.

        Args:
            inputs: `(batch, n_inputs)`, the same for all, or `(n, batch, n_inputs)`.

        Raises:
            TypeError: If the inputs are no tensor.
            ValueError: If they have another shape.
        """
        return self.step(inputs)[0]

    @torch.no_grad()
    def step(self, inputs: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """What every network puts out in one time step, and the state behind it.

        Args:
            inputs: As in `__call__`.
            state: What the last call returned, `(n, neurons, batch)`; None: the beginning. Feed-forward networks have
                none. `state[which]` is that of `choose(which)`.

        Raises:
            TypeError: If the inputs are no tensor.
            ValueError: If inputs or state have another shape.
        """
        self._check(inputs, state)
        program = self._program(shared=inputs.dim() == 2)
        given = inputs.transpose(-1, -2)
        batch = given.shape[-1]
        after = self._zeros(batch) if self.recurrent else None
        size = self._part(program)
        parts = []
        for start in range(0, batch, size):
            part = slice(start, start + size)
            values = self._computed(program, given[..., part], None if state is None else state[..., part])
            parts.append(values.index_select(0, program.outputs))
            if after is not None:
                neurons = values[program.levels[0].first :][: len(program.places)]
                after.view(-1, batch)[:, part].index_copy_(0, program.places, neurons)
        outputs = parts[0] if len(parts) == 1 else torch.cat(parts, 1)
        return outputs.view(self.n, self.n_outputs, batch).transpose(1, 2), after

    def choose(self, which: Tensor) -> "NeuronPopulation":
        """Some of the networks; it costs a small part of what making the population did.

        Args:
            which: Their numbers, `(m,)`, int64, in any order.
        """
        chosen = object.__new__(NeuronPopulation)
        columns = self._columns.take(which.cpu().numpy())
        chosen._begin(columns, self._width, self._device, self._dtype)
        return chosen

    def _computed(self, program: Program, given: Tensor, state: Tensor | None) -> Tensor:
        """All rows of values, `(rows, part)`, which the next call overwrites."""
        n_before = 1 + program.n_inputs
        if self._values.shape != (program.n_rows, given.shape[-1]):
            self._values = torch.empty(program.n_rows, given.shape[-1], device=self._device, dtype=self._dtype)
            self._values[0] = 1.0
        values = self._values
        values[1:n_before].view(given.shape).copy_(given)
        if program.n_states:
            states = values[n_before : n_before + program.n_states]
            states.zero_() if state is None else states.view(state.shape).copy_(state)
        for level in program.levels:
            level.compute(values)
        return values

    def _program(self, *, shared: bool) -> Program:
        if shared not in self._programs:
            compiler = Compiler(self._columns, self._width, self._device, self._dtype)
            self._programs[shared] = compiler.program(shared=shared)
        return self._programs[shared]

    def _zeros(self, batch: int) -> Tensor:
        return torch.zeros(self.n, self._width, batch, device=self._device, dtype=self._dtype)

    def _part(self, program: Program) -> int:
        limit = CPU_VALUES if self._device.type == "cpu" else DEVICE_VALUES
        n_rows = program.n_rows - len(program.levels) * BLOCK
        return max(MIN_PART, limit // n_rows // BLOCK * BLOCK)

    def _check(self, inputs: Tensor, state: Tensor | None) -> None:
        k = self.n_inputs
        check_tensor(inputs, k)
        if inputs.shape[-1] != k or inputs.shape[:-2] not in ((), (self.n,)) or inputs.dim() < 2:
            raise ValueError(
                f"inputs: expected the shape (batch, {k}) or ({self.n}, batch, {k}), got {tuple(inputs.shape)}; "
                "reshape them"
            )
        expected = (self.n, self._width, inputs.shape[-2])
        if state is not None and self.recurrent and state.shape != expected:
            raise ValueError(f"state: expected the shape {expected}, got {tuple(state.shape)}; pass what a step gave")
