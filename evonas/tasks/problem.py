"""A task without data: networks are judged by what they do, many at a time, and nothing is trained."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from evonas.tasks.task import BEHAVIOUR, DataError, Split, Task

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class ProblemError(RuntimeError):
    """A problem that cannot judge networks, whichever they are; the message is one line, as that of a `DataError`."""


class Networks(Protocol):
    """Many networks of different structure, side by side on one device, as a problem sees them."""

    @property
    def n(self) -> int:
        """How many."""

    @property
    def device(self) -> "torch.device":
        """Where they are; what they put out is there, float32."""

    def __call__(self, inputs: "Tensor") -> "Tensor":
        """What every network puts out, `(n, batch, n_outputs)`; recurrent ones take one step from zeros.

        Args:
            inputs: `(batch, n_inputs)`, the same for all, or `(n, batch, n_inputs)`.
        """

    def step(self, inputs: "Tensor", state: Any = None) -> "tuple[Tensor, Any]":
        """What every network puts out in one time step, and the state behind it, for the next call.

        Args:
            inputs: As in `__call__`.
            state: What the last call returned; None: the beginning. Feed-forward networks have none. Where there is
                one, `state[which]` is that of `choose(which)`.
        """

    def choose(self, which: "Tensor") -> "Networks":
        """Some of the networks.

        Args:
            which: Their numbers, `(m,)`, int64.
        """


class Problem(Protocol):
    """What networks are judged by. A frozen value: equal ones judge alike."""

    @property
    def n_inputs(self) -> int:
        """Values that a network is given."""

    @property
    def n_outputs(self) -> int:
        """Values that it puts out."""

    def score(self, networks: Networks, seeds: npt.NDArray[np.int64]) -> "Mapping[str, Tensor]":
        """Judge networks: the result of one does not depend on the others.

        Args:
            networks: Whom.
            seeds: For each network a seed of all that is random in its trial, `(n,)`.

        Returns:
            By name, `(n,)` each, tensors, arrays or lists of numbers: `fitness`, higher is better; `solved`, which may
            be left out, 1 where the problem's own criterion is met, else 0; and what else is worth a record.
        """

    def test(self, networks: Networks, seeds: npt.NDArray[np.int64]) -> "Mapping[str, Tensor]":
        """Judge networks by what no search sees: other starts, longer times, a larger substrate. As `score`."""


def posed(
    name: str,
    problem: Problem,
    *,
    fingerprint: str,
    metrics: tuple[str, ...] = (),
    inputs: tuple[str, ...] = (),
) -> Task:
    """The task of a problem: without examples.

    Args:
        name: Its word in a spec.
        problem: What networks are judged by.
        fingerprint: Changes with all that decides a score.
        metrics: What it measures beside `fitness` and `solved`, so that objectives may name it.
        inputs: Names of the values that a network is given, where they have any.

    Raises:
        DataError: If one of these is not what it must be.
    """
    _check(name, problem, metrics, inputs)
    nothing = Split(np.empty((0, problem.n_inputs), np.float32), np.empty(0, np.int64))
    targets = tuple(map(str, range(problem.n_outputs)))
    return Task(
        name,
        nothing,
        nothing,
        nothing,
        (),
        fingerprint,
        kind=BEHAVIOUR,
        targets=targets,
        features=inputs,
        problem=problem,
        metrics=metrics,
    )


def _check(name: Any, problem: Any, metrics: Any, inputs: Any) -> None:
    if not isinstance(name, str) or not name:
        raise DataError(f"posed: expected a name as a string, got {name!r:.60}; give one")
    if isinstance(problem, type) or not all(callable(getattr(problem, method, None)) for method in ("score", "test")):
        got = f"the class {problem.__name__}" if isinstance(problem, type) else type(problem).__name__
        raise DataError(f"task {name}: expected an object with score and test, got {got}; give an instance of such")
    for field in ("n_inputs", "n_outputs"):
        n = getattr(problem, field, None)
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
            raise DataError(f"task {name}: {field}: expected a whole number of 1 or more, got {n!r:.60}; correct it")
    for field, names in (("metrics", metrics), ("inputs", inputs)):
        if not isinstance(names, (tuple, list)) or not all(isinstance(one, str) for one in names):
            mend = f"write ({names!r:.60},)" if isinstance(names, str) else "correct it"
            raise DataError(f"task {name}: {field}: expected a tuple of names, got {names!r:.60}; {mend}")
    if inputs and len(inputs) != problem.n_inputs:
        raise DataError(
            f"task {name}: inputs: expected {problem.n_inputs} names, one for each input, got {len(inputs)}; correct it"
        )


def columns(found: object, n: int, needed: Mapping[str, str], call: str = "score") -> dict[str, list[float]]:
    """What a problem said of networks, as numbers.

    Args:
        found: What it returned.
        n: Networks it was asked about.
        needed: By metric that must be among it, why, in words.
        call: What was called, for the message.

    Returns:
        By metric, one number for each network; they may not be finite.

    Raises:
        ProblemError: If it is no mapping, a metric is missing, or one is not `(n,)` numbers.
    """
    if not isinstance(found, Mapping):
        raise ProblemError(
            f"{call}: expected a mapping of metrics, such as {{'fitness': …}}, got {type(found).__name__}; return one"
        )
    if wrong := [name for name in found if not isinstance(name, str)]:
        raise ProblemError(f"{call}: expected names of metrics, got {wrong[0]!r:.60}; name it by a string")
    if missing := [name for name in needed if name not in found]:
        got = ", ".join(found) or "nothing"
        raise ProblemError(f"{call}: expected {missing[0]}, {needed[missing[0]]}, got {got}; return it")
    return {name: _column(f"{call}: expected {name}", values, n) for name, values in found.items()}


def _column(expected: str, values: Any, n: int) -> list[float]:
    import torch

    if isinstance(values, torch.Tensor):
        if values.shape == (n,) and not values.is_complex():
            listed: list[float] = values.detach().tolist() if values.is_floating_point() else values.double().tolist()
            return listed
        got = str(tuple(values.shape)) if values.shape != (n,) else str(values.dtype)
    elif isinstance(values, (np.ndarray, Sequence)) and not isinstance(values, str):
        try:
            array = np.asarray(values, np.float64)
        except (TypeError, ValueError):
            got = f"{type(values).__name__} that is no list of numbers"
        else:
            if array.shape == (n,):
                return list(map(float, array))
            got = str(array.shape)
    else:
        got = f"{values!r:.60}"
    raise ProblemError(f"{expected} of shape ({n},), one number for each network, got {got}; return one for each")
