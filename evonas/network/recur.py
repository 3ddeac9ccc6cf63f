"""The operation `recur`: a recurrent cell over a window, with a backward pass of its own.

All maps of x are one product for the whole window, ahead of the loop over time. A time step is one product of h with
the maps of h, then a few operations element by element, where maps of one kind and activation go together. Nothing in
the loop is recorded by autograd: the backward pass runs through time once, and the gradient of the maps of h is one
product for the whole window, behind it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from evonas.network.plan import Plan, planned
from genomes.recurrence import PRODUCT, RecurrentCell

State = tuple[Tensor, ...]
"""h, and c where the cell has one, each `(batch, width)`."""

_aten: Any = torch.ops.aten
_ACTIVATE: dict[str, Callable[[Tensor], Tensor]] = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu}
_SLOPE: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "tanh": lambda gradient, value: _aten.tanh_backward(gradient, value),
    "sigmoid": lambda gradient, value: _aten.sigmoid_backward(gradient, value),
    "relu": lambda gradient, value: _aten.threshold_backward(gradient, value, 0),
}
"""`(gradient of the value, value) -> gradient of what was activated`."""


def mapped(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """A linear map of the last axis; symbols, which are integers, stand for one-hot vectors.

    Args:
        x: `(..., features)`, or integers of any shape.
        weight: `(outputs, features)`.
        bias: `(outputs,)`.

    Returns:
        `(..., outputs)`.
    """
    if x.is_floating_point():
        return F.linear(x, weight, bias)
    found = F.embedding(x, weight.t())
    return found if bias is None else found + bias


def recur(
    x: Tensor, state: State | None, tensors: Mapping[str, Tensor], cell: RecurrentCell, width: int
) -> tuple[Tensor, State]:
    """Run a cell over a window.

    Args:
        x: `(batch, time, features)`; symbols `(batch, time)`; or one time step, `(batch, features)`.
        state: What it begins with; None: zeros.
        tensors: By role: `recur/input`, `recur/bias`, `recur/state`, `recur/state_bias`.
        cell: What is computed.
        width: Units.

    Returns:
        Outputs `(batch, time, width)`, or `(batch, width)` of one time step; and the state behind the window.
    """
    if x.is_floating_point() and x.dim() == 2:
        outputs, state = recur(x[:, None], state, tensors, cell, width)
        return outputs[:, 0], state
    with torch.autocast(x.device.type, enabled=False):
        x = x.transpose(0, 1)
        x = x.float() if x.is_floating_point() else x
        n_steps, batch = x.shape[:2]
        if state is None:
            zeros = torch.zeros(batch, width, device=x.device)
            state = (zeros,) if cell.memory is None else (zeros, zeros)
        plan = planned(cell)
        if cell.input_maps:
            read = mapped(x, tensors["recur/input"], tensors["recur/bias"])
        else:
            read = torch.zeros(n_steps, batch, 0, device=x.device)
        added, factors = _prepared(plan, read, tensors.get("recur/state_bias"), width)
        weights = tensors.get("recur/state")
        if weights is None:
            weights = torch.zeros(0, width, device=x.device)
        memory = state[1] if len(state) > 1 else None
        outputs, last = _Window.apply(cell, added, factors, weights, state[0], memory)
    return outputs.transpose(0, 1), (outputs[-1],) if memory is None else (outputs[-1], last)


def _prepared(plan: Plan, read: Tensor, bias: Tensor | None, width: int) -> tuple[Tensor, Tensor]:
    """What is added to the maps of h, as wide as these, and all that is multiplied or read besides."""
    linear = plan.n_linear * width
    if plan.n_linear == plan.n_states:
        return read[..., :linear], read[..., linear:]
    parts = [read[..., :linear], read.new_zeros(*read.shape[:2], plan.n_products * width)]
    if bias is not None:
        parts.append(bias.expand(*read.shape[:2], -1))
    return torch.cat(parts, -1), read[..., linear:]


class _Saved(NamedTuple):
    """What a time step leaves: all values by their registers, the next c, the maps of h, and the groups' values."""

    values: list[Tensor]
    memory: Tensor | None
    maps: Tensor
    grouped: list[Tensor]


def _forward(plan: Plan, added: Tensor, factors: Tensor, weights: Tensor, h: Tensor, c: Tensor | None) -> _Saved:
    """One time step; `weights` are transposed, `(width, maps)`."""
    width = h.shape[1]
    values: list[Any] = [h, c] + [None] * (plan.n_registers - 2)
    memory = None
    maps = torch.addmm(added, h, weights)
    grouped = []
    for group in plan.groups:
        n = len(group.steps) * width
        if group.start >= 0:
            made = maps[:, group.start * width : group.start * width + n]
        if group.factor >= 0:
            factor = factors[:, group.factor * width : group.factor * width + n]
            made = factor if group.start < 0 else made * factor
        value = made if group.activation == "identity" else _ACTIVATE[group.activation](made)
        grouped.append(value)
        parts = value.split(width, 1) if len(group.steps) > 1 else (value,)
        for register, part in zip(group.steps, parts, strict=True):
            values[register] = part
        if plan.memory in group.steps:
            at = group.steps.index(plan.memory) * width
            memory = made[:, at : at + width]
    for register, operation, inputs, activation in plan.inner:
        a = values[inputs[0]]
        if operation == "add":
            made = a + values[inputs[1]]
        elif operation == "multiply":
            made = a * values[inputs[1]]
        else:
            made = 1 - a
        if register == plan.memory:
            memory = made
        values[register] = made if activation == "identity" else _ACTIVATE[activation](made)
    return _Saved(values, memory, maps, grouped)


class _Window(torch.autograd.Function):
    """A cell over a window: `(cell, added, factors, weights, h, c) -> (outputs, last c)`.

    Shapes: added `(time, batch, maps of h × width)`, factors `(time, batch, others × width)`, weights `(maps of h ×
    width, width)`, h and c `(batch, width)`, outputs `(time, batch, width)`.
    """

    @staticmethod
    def forward(
        ctx: Any, cell: RecurrentCell, added: Tensor, factors: Tensor, weights: Tensor, h: Tensor, c: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        plan = planned(cell)
        transposed = weights.t()
        outputs = added.new_empty(len(added), *h.shape)
        saved = []
        keeping = any(ctx.needs_input_grad)
        first = h
        for now, factor, output in zip(added.unbind(0), factors.unbind(0), outputs.unbind(0), strict=True):
            step = _forward(plan, now, factor, transposed, h, c)
            h = output.copy_(step.values[plan.hidden])
            c = step.memory
            if keeping:
                saved.append(step)
        if keeping:
            ctx.cell, ctx.steps = cell, saved
            ctx.save_for_backward(factors, weights, first, outputs)
        return outputs, None if c is None else c.clone()

    @staticmethod
    def backward(ctx: Any, d_outputs: Tensor, d_last: Tensor | None) -> tuple[Tensor | None, ...]:
        plan = planned(ctx.cell)
        factors, weights, first, outputs = ctx.saved_tensors
        n_steps, batch, _ = outputs.shape
        d_added = outputs.new_empty(n_steps, batch, len(weights))
        d_factors = torch.empty_like(factors)
        d_h: Tensor | None = None
        d_c = d_last
        for at in range(n_steps - 1, -1, -1):
            d_out = d_outputs[at] if d_h is None else d_outputs[at] + d_h
            d_h, d_c = _backward(plan, ctx.steps[at], factors[at], d_out, d_c, d_added[at], d_factors[at])
            d_h = d_added[at] @ weights if d_h is None else torch.addmm(d_h, d_added[at], weights)
        ctx.steps = None
        before = torch.cat([first[None], outputs[:-1]]).flatten(0, 1)
        d_weights = d_added.flatten(0, 1).t() @ before
        return None, d_added, d_factors, d_weights, d_h, d_c


def _backward(
    plan: Plan,
    saved: _Saved,
    factors: Tensor,
    d_output: Tensor,
    d_memory: Tensor | None,
    d_maps: Tensor,
    d_factors: Tensor,
) -> tuple[Tensor | None, Tensor | None]:
    """Back through one time step.

    Args:
        plan: The cell's.
        saved: The values of the step.
        factors: As in the forward pass.
        d_output: Gradient of the output.
        d_memory: Gradient of the next c.
        d_maps: Filled with the gradient of the maps of h.
        d_factors: Filled with that of the factors.

    Returns:
        Gradients of h, but for what flows through the maps of h, and of c; None where there is none.
    """
    values, width = saved.values, d_output.shape[1]
    gradients: list[Tensor | None] = [None] * plan.n_registers
    gradients[plan.hidden] = d_output

    def add(register: int, gradient: Tensor) -> None:
        known = gradients[register]
        gradients[register] = gradient if known is None else known + gradient

    for register, operation, inputs, activation in reversed(plan.inner):
        gradient = gradients[register]
        if gradient is not None and activation != "identity":
            gradient = _SLOPE[activation](gradient, values[register])
        if register == plan.memory and d_memory is not None:
            gradient = d_memory if gradient is None else gradient + d_memory
        if gradient is None:
            continue
        if operation == "add":
            add(inputs[0], gradient)
            add(inputs[1], gradient)
        elif operation == "multiply":
            a, b = values[inputs[0]], values[inputs[1]]
            add(inputs[0], gradient * b)
            add(inputs[1], gradient * a)
        else:
            add(inputs[0], -gradient)
    for group, value in zip(plan.groups, saved.grouped, strict=True):
        whole = _joined([gradients[register] for register in group.steps], d_output)
        if group.activation != "identity":
            whole = _SLOPE[group.activation](whole, value)
        if plan.memory in group.steps and d_memory is not None:
            at = group.steps.index(plan.memory) * width
            whole = whole.clone()
            whole[:, at : at + width] += d_memory
        n = len(group.steps) * width
        rows = slice(group.start * width, group.start * width + n)
        columns = slice(group.factor * width, group.factor * width + n)
        if group.operation == PRODUCT:
            torch.mul(whole, factors[:, columns], out=d_maps[:, rows])
            torch.mul(whole, saved.maps[:, rows], out=d_factors[:, columns])
        elif group.start >= 0:
            d_maps[:, rows] = whole
        else:
            d_factors[:, columns] = whole
    return gradients[0], gradients[1]


def _joined(gradients: Sequence[Tensor | None], like: Tensor) -> Tensor:
    """Gradients side by side, zero where there is none."""
    found = [torch.zeros_like(like) if gradient is None else gradient for gradient in gradients]
    return found[0] if len(found) == 1 else torch.cat(found, 1)
