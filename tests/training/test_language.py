"""Training on text: streams, windows, states carried on, and scores that are those of one long reading."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from evonas.network import Network, inherit
from evonas.stream import stream
from evonas.tasks import Split
from evonas.training import DivergedError, Examples, Training
from evonas.training import language as lm
from genomes import Recurrent, RecurrentGenome

N_SYMBOLS = 6
CPU = torch.device("cpu")


def text(n: int, seed: int = 0) -> Examples:
    """Symbols 1 to 5, each of which depends on the two before it, at random now and then."""
    rng = np.random.default_rng(seed)
    codes = [1, 2]
    for _ in range(n - 1):
        codes.append(int(rng.integers(1, 6)) if rng.random() < 0.1 else 1 + (codes[-1] + 2 * codes[-2]) % 5)
    values = np.array(codes, dtype=np.int64)
    return Examples.of(Split(values[:-1], values[1:]), CPU)


def network(name: str = "lstm", width: int = 8) -> Network:
    made = Network(Recurrent().develop(RecurrentGenome(name, (width,))), (N_SYMBOLS,), N_SYMBOLS)
    inherit(made, (), seed=0, individual=0)
    return made


def config(**fields: Any) -> Training:
    return Training(**{"optimizer": "adamw", "batch_size": 8, "window": 16, **fields})


def read_at_once(made: Network, examples: Examples) -> float:
    """The loss in nats of one reading from the first symbol to the last."""
    with torch.no_grad():
        return F.cross_entropy(made.eval()(examples.inputs[None])[0], examples.targets).item()


@pytest.mark.parametrize("n", [2, 3, 100, 511, 512])
def test_a_short_text_is_scored_as_one_reading(n: int) -> None:
    made, examples = network(), text(n)
    scores = lm.score(made, examples, config())
    assert scores["loss"] == pytest.approx(read_at_once(made, examples), abs=1e-5)
    assert scores["bits_per_character"] == pytest.approx(scores["loss"] / math.log(2))


def test_streams_of_a_long_text_begin_where_the_last_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the cell forgets within the symbols ahead of a stream is all that a reading in streams lacks."""
    made = network()
    lm.train(made, text(3000), text(100), config(), 1, rng=stream(0, "train", 0))
    for n in (1025, 2047):
        examples = text(n, seed=1)
        assert lm.score(made, examples, config())["loss"] == pytest.approx(read_at_once(made, examples), abs=1e-5)
    monkeypatch.setattr(lm, "WARM_UP", 1)
    assert lm.score(made, examples, config())["loss"] != pytest.approx(read_at_once(made, examples), abs=1e-5)


def test_a_network_learns_what_depends_on_the_symbols_before() -> None:
    made = network(width=16)
    how = config(batch_size=4, learning_rate=0.03)
    curve = lm.train(made, text(4000), text(600, seed=1), how, 4, rng=stream(0, "train", 0))
    assert [row["epoch"] for row in curve] == [1, 2, 3, 4]
    assert curve[-1].keys() == {"epoch", "loss", "validation_loss", "validation_bits_per_character"}
    # Of five symbols the next is nearly as good as drawn from all, 1.6 nats, for one who forgets what lay before.
    assert curve[-1]["validation_loss"] < 1 < curve[0]["validation_loss"]
    assert not made.training


def test_equal_streams_give_equal_bits_and_others_do_not() -> None:
    runs = []
    for seed in (0, 0, 1):
        made = network()
        lm.train(made, text(500), text(60), config(), 2, rng=stream(seed, "train", 0))
        runs.append(torch.cat([tensor.flatten() for tensor in made.state_dict().values()]))
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


class Noting:
    """Notes what a network reads, and in which state."""

    def __init__(self, made: Network) -> None:
        self.made = made
        self.reads: list[tuple[Tensor, Any, Any]] = []
        self.step = made.step
        made.step = self  # type: ignore[method-assign, assignment]

    def __call__(self, x: Tensor, states: Any = None) -> Any:
        outputs, after = self.step(x, states)
        if self.made.training:
            self.reads.append((x, states, after))
        return outputs, after


@pytest.mark.parametrize(
    ("n", "batch_size", "window"), [(1000, 8, 16), (1003, 8, 16), (203, 64, 16), (40, 8, 64), (2, 8, 64)]
)
def test_every_stream_is_read_in_order_with_the_state_left_behind(n: int, batch_size: int, window: int) -> None:
    made, examples = network(), text(n)
    noting = Noting(made)
    lm.train(made, examples, text(50), config(batch_size=batch_size, window=window), 1, rng=stream(3, "train", 0))
    read = torch.cat([x for x, _, _ in noting.reads], 1)
    assert all(x.shape[1] <= window for x, _, _ in noting.reads)
    flat = read.flatten()
    starts = [at for at in range(n - len(flat) + 1) if torch.equal(examples.inputs[at : at + len(flat)], flat)]
    assert starts
    assert min(starts) < window
    assert n - min(starts) - len(flat) < len(read)
    before = None
    for _, states, after in noting.reads:
        if before is None:
            assert states is None
        else:
            assert all(torch.equal(a, b) for id in before for a, b in zip(before[id], states[id], strict=True))
            assert not any(part.requires_grad for state in states.values() for part in state)
        before = after


def test_a_loss_that_is_not_finite_ends_the_training() -> None:
    made = network()
    with torch.no_grad():
        made.state_dict()["output.head/weight"].fill_(math.nan)
    with pytest.raises(DivergedError, match="expected a finite training loss"):
        lm.train(made, text(100), text(50), config(), 1, rng=stream(0, "train", 0))
    with pytest.raises(DivergedError, match="on held-out data"):
        lm.score(made, text(50), config())


def test_check_is_called_before_every_step_and_ends_the_training() -> None:
    class StopError(Exception):
        pass

    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise StopError

    made = network()
    with pytest.raises(StopError):
        lm.train(made, text(1000), text(50), config(), 1, check=check, rng=stream(0, "train", 0))
    assert calls == 3


def test_smoothing_clipping_and_precision_do_what_they_say() -> None:
    ways: dict[str, dict[str, Any]] = {
        "plain": {},
        "smooth": {"label_smoothing": 0.5},
        "clip": {"clip": 1e-6},
        "bf16": {"precision": "bfloat16"},
    }
    losses = {}
    for name, fields in ways.items():
        curve = lm.train(network(), text(600), text(60), config(**fields), 1, rng=stream(0, "train", 0))
        losses[name] = curve[0]["loss"]
    assert losses["smooth"] > losses["plain"]
    assert losses["clip"] != losses["plain"]
    assert losses["bf16"] == pytest.approx(losses["plain"], abs=0.05)
