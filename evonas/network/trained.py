"""A trained network that takes inputs as they come and answers in the words and units of its task."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from evonas.network.build import Network
from evonas.network.built import AnyNetwork, built
from genomes.encoding import Phenotype
from genomes.operations import Shape

BATCH = 512
"""Examples that `predict` computes at a time."""


class TrainedNetwork(nn.Module):
    """A network with the normalisation of the data it was trained on: raw inputs in, logits or values out.

    Attributes:
        network: The bare network, on normalised inputs.
        kind: The kind of its task, a key of `evonas.tasks.KINDS`.
        input_shape: Of one input, `(channels, height, width)` or `(features,)`.
        classes: Name of every class in the order of the logits; empty in regression.
        targets: In regression, and of behaviour, the name of every value in its order; else empty.
        features: Of a table the names of its columns, in the order of the inputs; else empty.

    Args:
        network: On its device.
        mean: What is taken away from the inputs, by channel or feature, or one number for all.
        deviation: What they are then divided by.
        target_mean: What is added to the outputs, after `target_deviation`; empty: the outputs are what they are.
        target_deviation: What the outputs are multiplied by.
        kind: See the attributes, as for those that follow.
        input_shape: See the attributes.
        classes: See the attributes.
        targets: See the attributes.
        features: See the attributes.

    Raises:
        ValueError: If a normalisation does not fit the inputs or outputs, or divides by nothing.
    """

    mean: Tensor
    deviation: Tensor
    target_mean: Tensor | None
    target_deviation: Tensor | None

    def __init__(
        self,
        network: AnyNetwork,
        mean: Sequence[float],
        deviation: Sequence[float],
        target_mean: Sequence[float] = (),
        target_deviation: Sequence[float] = (),
        *,
        kind: str,
        input_shape: Shape,
        classes: Sequence[str] = (),
        targets: Sequence[str] = (),
        features: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.network = network
        self.kind, self.input_shape = kind, tuple(input_shape)
        self.classes, self.targets, self.features = tuple(classes), tuple(targets), tuple(features)
        n_outputs = network.n_outputs
        _check("the inputs", mean, deviation, (1, self.input_shape[0]))
        shape = (-1,) + (1,) * (len(self.input_shape) - 1)
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).reshape(shape))
        self.register_buffer("deviation", torch.tensor(deviation, dtype=torch.float32).reshape(shape))
        known = len(target_mean) > 0
        if known:
            _check("the targets", target_mean, target_deviation, (n_outputs,))
        self.register_buffer("target_mean", torch.tensor(target_mean) if known else None)
        self.register_buffer("target_deviation", torch.tensor(target_deviation) if known else None)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits `(batch, n_classes)`, or values `(batch, n_targets)` in the units of the targets.

        Args:
            inputs: As they come, `(batch, *input_shape)`; floats. Of a text, symbols `(batch, time)`, integers, for
                logits `(batch, time, n_classes)`.
        """
        if self._reads_text:
            outputs: Tensor = self.network(inputs)
            return outputs
        return self._in_units(self.network(self._normalised(inputs)))

    def step(self, inputs: Tensor, states: Any = None) -> tuple[Tensor, Any]:
        """What a network puts out that carries a state, and the states behind it.

        Args:
            inputs: Of a text symbols `(batch, time)`, integers, as `evonas.tasks.text.encoded` makes them; of recurrent
                neurons one time step `(batch, *input_shape)`, as it comes.
            states: What an earlier call returned; None: the beginning.

        Returns:
            Logits `(batch, time, n_classes)` or values `(batch, n_outputs)`, and the states that the next call goes on
            with.
        """
        if self._reads_text:
            found: tuple[Tensor, Any] = self.network.step(inputs, states)
            return found
        outputs, after = self.network.step(self._normalised(inputs), states)
        return self._in_units(outputs), after

    @property
    def _reads_text(self) -> bool:
        return self.network.recurrent and isinstance(self.network, Network)

    def _normalised(self, inputs: Tensor) -> Tensor:
        return (inputs.to(self.mean.dtype) - self.mean) / self.deviation

    def _in_units(self, outputs: Tensor) -> Tensor:
        if self.target_deviation is None or self.target_mean is None:
            return outputs
        return outputs * self.target_deviation + self.target_mean

    @torch.no_grad()
    def outputs(self, inputs: npt.ArrayLike | Tensor) -> npt.NDArray[Any]:
        """What `forward` gives for any number of inputs, `(n, n_outputs)`, computed some at a time.

        Raises:
            ValueError: If the inputs have another shape, or are not finite.
        """
        if self._reads_text:
            symbols = torch.as_tensor(inputs, device=self.mean.device)
            if symbols.dim() != 2 or symbols.is_floating_point():
                got = f"{tuple(symbols.shape)} of {symbols.dtype}"
                raise ValueError(f"inputs: expected symbols (n, time), integers, got {got}; number the characters")
            return self(symbols).cpu().numpy()
        inputs = self._columns_of(inputs)
        given = inputs if isinstance(inputs, Tensor) else torch.from_numpy(_as_floats(inputs))
        if (1, *given.shape[1:]) == self.input_shape:
            given = given[:, None]
        if given.shape[1:] != self.input_shape or not given.dim():
            shape = ", ".join(map(str, self.input_shape))
            raise ValueError(f"inputs: expected the shape (n, {shape}), got {tuple(given.shape)}; reshape them")
        parts = [self(part.to(self.mean)) for part in given.split(BATCH)] if len(given) else []
        found = torch.cat(parts) if parts else self.mean.new_zeros(0, self.network.n_outputs)
        return found.cpu().numpy()

    def predict(self, inputs: npt.ArrayLike | Tensor) -> npt.NDArray[Any]:
        """The name of the likeliest class for each input, `(n,)`; without classes the values, `(n, n_targets)`.

        Of a text, the likeliest next symbol behind every symbol, `(n, time)`. Recurrent neurons take one step from
        the beginning. Of a data frame, the columns are taken by their names in the table that the network was trained
        on.

        Args:
            inputs: As they come, `(n, *input_shape)`, images of one channel also `(n, height, width)`; an array or a
                tensor on any device.

        Raises:
            ValueError: If the inputs have another shape.
        """
        outputs = self.outputs(inputs)
        return np.array(self.classes)[outputs.argmax(-1)] if self.classes else outputs

    def _columns_of(self, inputs: Any) -> Any:
        """Of a data frame, the columns of the table that the network was trained on, in their order."""
        columns = getattr(inputs, "columns", None)
        if columns is None or not self.features:
            return inputs
        if missing := [name for name in self.features if name not in columns]:
            raise ValueError(f"inputs: expected the columns of its table, got none named {missing[0]!r}; rename it")
        return inputs[list(self.features)]

    def __reduce__(self) -> tuple[Any, ...]:
        """What a copy is made of: the modules of layers cannot be pickled themselves."""
        normalisation = (self.mean, self.deviation, self.target_mean, self.target_deviation)
        numbers = [[] if values is None else values.flatten().tolist() for values in normalisation]
        words = {name: getattr(self, name) for name in ("kind", "input_shape", "classes", "targets", "features")}
        state = {name: tensor.cpu().numpy() for name, tensor in self.state_dict().items()}
        made_of = self.network.phenotype, self.network.n_outputs
        return _made, (*made_of, numbers, words, state, self.training)

    def extra_repr(self) -> str:
        """Kind, shape of inputs and number of classes or targets."""
        n = f"{len(self.classes)} classes" if self.classes else f"{len(self.targets)} targets"
        return f"{self.kind}, input_shape={self.input_shape}, {n}"


def _made(
    phenotype: Phenotype,
    n_outputs: int,
    numbers: list[list[float]],
    words: dict[str, Any],
    state: dict[str, npt.NDArray[Any]],
    training: bool,
) -> TrainedNetwork:
    """The copy that `__reduce__` describes, on the CPU."""
    made = TrainedNetwork(built(phenotype, words["input_shape"], n_outputs), *numbers, **words)
    tensors = {name: torch.from_numpy(values) for name, values in state.items()}
    made.to(tensors["mean"].dtype).load_state_dict(tensors)
    return made.train(training)


def _as_floats(inputs: npt.ArrayLike) -> npt.NDArray[Any]:
    values = np.asarray(inputs)
    if values.dtype.kind not in "biuf":
        raise ValueError(f"inputs: expected numbers, got {values.dtype}; turn them into numbers first")
    if not np.isfinite(values).all():
        raise ValueError("inputs: expected finite numbers, got NaN or infinite ones; fill them or drop the rows")
    # A copy: torch warns of arrays that cannot be written, such as those of a data frame.
    return np.array(values, dtype=np.float64, order="C")


def _check(what: str, mean: Sequence[float], deviation: Sequence[float], lengths: tuple[int, ...]) -> None:
    if len(mean) != len(deviation) or len(mean) not in lengths:
        expected = " or ".join(map(str, dict.fromkeys(lengths)))
        raise ValueError(
            f"expected {expected} means and deviations of {what}, got {len(mean)} and {len(deviation)}; "
            "give those of the training data"
        )
    if not (np.isfinite([*mean, *deviation]).all() and min(deviation) > 0):
        raise ValueError(f"expected finite means and deviations above 0 of {what}, got others; correct them")
