"""ScheduledDropPath."""

from typing import Any

import numpy as np
import pytest
import torch

from evonas.network import Network
from evonas.network.build import LayerModule, dropped
from evonas.training import Curve, Examples, Training, score, train
from evonas.training.drop_path import DropPath, probability
from tests.network.nets import architecture, inputs, network, node

PATHS = architecture(
    node("stem", "conv", "input", normalisation="batch"),
    node("early", "conv", "stem", path=0.5, normalisation="batch"),
    node("kept", "identity", "stem"),
    node("late", "conv", "early kept", path=1.0, normalisation="batch", activation="relu"),
)
PLAIN = architecture(
    node("stem", "conv", "input", normalisation="batch"),
    node("early", "conv", "stem", normalisation="batch"),
    node("kept", "identity", "stem"),
    node("late", "conv", "early kept", normalisation="batch", activation="relu"),
)
Pass = tuple[str, bool, float]
IMAGES = Examples(torch.randn(64, 3, 8, 8, generator=torch.Generator().manual_seed(1)), torch.arange(64) % 5)


def trained(made: Network, *, epochs: int = 2, seed: int = 0, **fields: Any) -> Curve:
    config = Training(batch_size=16, **fields)
    return train(made, IMAGES, IMAGES, config, epochs, rng=np.random.default_rng(seed))


def bits(made: Network) -> list[bytes]:
    return [tensor.numpy().tobytes() for tensor in made.state_dict().values()]


@pytest.fixture
def drops(monkeypatch: pytest.MonkeyPatch) -> list[Pass]:
    """Node, mode and probability of every pass through a layer."""
    seen: list[Pass] = []
    forward = LayerModule.forward

    def noted(self: LayerModule, values: list[torch.Tensor], painted: Any) -> torch.Tensor:
        seen.append((self.node.id, self.training, self.drop))
        return forward(self, values, painted)

    monkeypatch.setattr(LayerModule, "forward", noted)
    return seen


# The schedule


@pytest.mark.parametrize(
    ("form", "at", "path", "expected"),
    [
        ("linear", 0.0, 0.25, 0.0),
        ("linear", 0.5, 0.25, 0.2),
        ("linear", 1.0, 0.25, 0.4),
        ("linear", 1.0, 1.0, 0.4),
        ("depth", 0.0, 1.0, 0.0),
        ("depth", 0.5, 0.25, 0.05),
        ("depth", 0.5, 1.0, 0.2),
        ("depth", 1.0, 0.25, 0.1),
        ("depth", 1.0, 1.0, 0.4),
    ],
)
def test_probabilities_grow_over_training(form: Any, at: float, path: float, expected: float) -> None:
    assert probability(Training(drop_path=0.4, drop_path_form=form), at, path) == pytest.approx(expected)


@pytest.mark.parametrize(("form", "early"), [("linear", 1.0), ("depth", 0.5)])
def test_training_follows_the_schedule(form: str, early: float, drops: list[Pass]) -> None:
    trained(network(PATHS), drop_path=0.4, drop_path_form=form, recalibrate=False)
    names = {name for name, _, _ in drops}
    by_node = {name: [drop for which, training, drop in drops if which == name and training] for name in names}
    grown = [0.4 * step / 8 for step in range(8)]
    assert by_node["late"] == pytest.approx(grown)
    assert by_node["early"] == pytest.approx([early * drop for drop in grown])
    assert set(by_node["stem"]) == set(by_node["kept"]) == set(by_node["head"]) == {0.0}


def test_neither_scores_nor_statistics_drop_anything(drops: list[Pass]) -> None:
    made = network(PATHS)
    trained(made, epochs=1, drop_path=0.4)
    late = [(training, drop) for name, training, drop in drops if name == "late"]
    assert late == [(True, pytest.approx(0.4 * step / 4)) for step in range(4)] + [(True, 0.0), (False, 0.0)]
    assert [layer.drop for layer in made.paths] == [0.0, 0.0]


# What is dropped


def test_a_path_is_dropped_for_each_example_and_keeps_its_expected_value() -> None:
    x = torch.rand(4000, 3, 2, 2) + 1
    made = dropped(x, 0.4, torch.Generator().manual_seed(0))
    whole = made.flatten(1)
    zero = (whole == 0).all(1)
    torch.testing.assert_close(made[~zero], x[~zero] / 0.6)
    assert zero.float().mean().item() == pytest.approx(0.4, abs=0.03)
    assert made.mean().item() == pytest.approx(x.mean().item(), rel=0.05)


def test_vectors_are_dropped_too_and_memory_stays_as_it_was() -> None:
    generator = torch.Generator().manual_seed(0)
    rows = dropped(torch.ones(500, 7), 0.5, generator)
    assert set(rows.sum(1).tolist()) == {0.0, 14.0}
    assert dropped(inputs(), 0.5, generator).is_contiguous(memory_format=torch.channels_last)
    half = dropped(torch.ones(9, 3, dtype=torch.bfloat16), 0.5, generator)
    assert half.dtype == torch.bfloat16


def test_only_paths_are_dropped_and_only_in_training() -> None:
    made = network(PATHS)
    assert [layer.node.id for layer in made.paths] == ["early", "late"]
    whole = {name: output_of(made, name) for name in ("early", "kept", "late")}
    for layer in made.paths:
        layer.drop, layer.generator = 0.9, torch.Generator().manual_seed(0)
    assert all(torch.equal(output_of(made, name), output) for name, output in whole.items())
    made.train()
    assert (output_of(made, "early") == 0).flatten(1).all(1).any()
    assert not (output_of(made, "kept") == 0).any()


def output_of(made: Network, name: str) -> torch.Tensor:
    seen: list[torch.Tensor] = []
    handle = made.get_submodule(name).register_forward_hook(lambda _, __, output: seen.append(output.detach().clone()))
    made(inputs(n=40))
    handle.remove()
    return seen[0]


# Streams


def test_the_same_stream_drops_the_same() -> None:
    def result(seed: int, drop_path: float) -> tuple[Curve, list[bytes]]:
        made = network(PATHS)
        return trained(made, seed=seed, drop_path=drop_path), bits(made)

    assert result(1, 0.4) == result(1, 0.4)
    assert result(1, 0.4) != result(2, 0.4)
    assert result(1, 0.4) != result(1, 0.0)


def test_what_is_dropped_is_drawn_by_the_stream() -> None:
    def seed_of(seed: int) -> int:
        made = network(PATHS)
        DropPath(made, Training(drop_path=0.4), rng=np.random.default_rng(seed))
        (generator,) = {layer.generator for layer in made.paths}
        assert generator is not None
        return generator.initial_seed()

    assert seed_of(1) == seed_of(1) != seed_of(2)


def test_without_dropping_paths_change_no_bit_and_draw_nothing() -> None:
    marked, plain, rng = network(PATHS), network(PLAIN), np.random.default_rng(0)
    assert train(marked, IMAGES, IMAGES, Training(batch_size=16), 2, rng=rng) == trained(plain)
    assert bits(marked) == bits(plain)
    other = np.random.default_rng(0)
    for _ in range(2):
        other.permutation(64)
    assert rng.integers(2**63) == other.integers(2**63)


def test_where_there_are_no_paths_nothing_changes() -> None:
    a, b = network(PLAIN), network(PLAIN)
    assert trained(a, drop_path=0.4) == trained(b)
    assert bits(a) == bits(b)


def test_a_network_whose_paths_were_dropped_has_learnt() -> None:
    made = network(PATHS)
    curve = trained(made, epochs=6, drop_path=0.3)
    assert curve[-1]["loss"] < curve[0]["loss"]
    assert score(made, IMAGES, Training())["loss"] == curve[-1]["validation_loss"]


# What is refused


@pytest.mark.parametrize("drop_path", [-0.1, 1.0, float("nan")])
def test_a_probability_that_is_none_is_refused(drop_path: float) -> None:
    with pytest.raises(ValueError, match="drop_path"):
        Training(drop_path=drop_path)


@pytest.mark.parametrize("path", [0.0, 1.5, -1.0, 1, "1", float("nan")])
def test_a_path_that_is_none_is_refused(path: Any) -> None:
    with pytest.raises(ValueError, match=r"node a \(conv\): expected path to be a number above 0"):
        network(architecture(node("a", "conv", "input", path=path)))


def test_a_path_counts_nothing() -> None:
    assert PATHS.shapes((3, 8, 8)) == PLAIN.shapes((3, 8, 8))
    assert PATHS.n_parameters((3, 8, 8), 5) == PLAIN.n_parameters((3, 8, 8), 5)
    assert PATHS.macs((3, 8, 8), 5) == PLAIN.macs((3, 8, 8), 5)
