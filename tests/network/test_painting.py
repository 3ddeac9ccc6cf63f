"""What is painted in parts is what numpy says of every pair of places."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import evonas.network.painting as module
from evonas.network.neurons import NeuronNetwork
from evonas.network.painting import painted, painted_many
from genomes.painting import QUERIES, Paint, asked, grid, n_queries
from tests.network.graphs import SMOOTH, graph

SOURCES, TARGETS = grid(3, 5), grid(7, 2)


def recipe(seed: int, aggregations: tuple[str, ...] = ("sum", "mean", "product", "max"), **fields: Any) -> Paint:
    words = {"activations": SMOOTH, "aggregations": aggregations}
    cppn = graph(np.random.default_rng(seed), n_inputs=n_queries(QUERIES, 2), n_neurons=12, n_links=40, **words)
    return Paint(cppn, SOURCES, TARGETS, QUERIES, **fields)


def by_hand(paint: Paint) -> np.ndarray:
    points = asked(paint.queries, paint.sources.values[None], paint.targets.values[:, None])
    out = paint.cppn.run(points.reshape(-1, points.shape[-1])).reshape(*points.shape[:2], -1)
    value = np.clip(out[..., paint.output], -1, 1)
    if paint.expression is not None:
        return np.where(out[..., paint.expression] > 0, paint.scale * value, 0)
    size = (np.abs(value) - paint.threshold) / (1 - paint.threshold)
    return np.where(np.abs(value) > paint.threshold, paint.scale * np.sign(value) * size, 0)


FIELDS: list[dict[str, Any]] = [{}, {"threshold": 0.0, "scale": 1.5, "output": 1}, {"expression": 1, "output": 0}]


@pytest.mark.parametrize("fields", FIELDS)
@pytest.mark.parametrize("pairs", [1, 40, 1 << 14])
def test_one_recipe(fields: dict[str, Any], pairs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAIRS", pairs)
    n_zero = 0
    for seed in range(6):
        paint = recipe(seed, **fields)
        found = painted(paint).numpy()
        np.testing.assert_allclose(found, by_hand(paint), rtol=1e-3, atol=1e-4)
        n_zero += (found == 0).sum()
    assert n_zero or fields.get("threshold") == 0


@pytest.mark.parametrize("fields", FIELDS)
def test_a_population_of_recipes(fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAIRS", 40)
    paints = [recipe(seed, **fields) for seed in range(12)]
    expected = np.stack([by_hand(one) for one in paints])
    np.testing.assert_allclose(painted_many(paints).numpy(), expected, rtol=1e-3, atol=1e-4)


def test_recipes_that_differ_are_painted_each_by_its_own() -> None:
    paints = [replace(recipe(seed), threshold=seed / 20) for seed in range(10)]
    expected = np.stack([by_hand(one) for one in paints])
    np.testing.assert_allclose(painted_many(paints).numpy(), expected, rtol=1e-3, atol=1e-4)


def test_gradient_flows_through_a_cppn() -> None:
    paint = recipe(0, mode="through", threshold=0.0)
    network = NeuronNetwork(paint.cppn)
    made = painted(paint, network)
    torch.testing.assert_close(made, painted(paint), rtol=1e-3, atol=1e-4)
    made.square().sum().backward()
    assert network.weights.grad is not None
    assert network.weights.grad.abs().sum() > 0
    assert not painted(paint).requires_grad
