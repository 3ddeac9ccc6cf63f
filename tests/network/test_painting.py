"""Painting: what the recipe's definition says of every pair of places, value by value, in numpy."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import evonas.network.painting as module
from evonas.network import NeuronNetwork
from evonas.network.painting import painted, painted_many
from genomes.neurons import NeuronGraph
from genomes.painting import QUERIES, Paint, Sheet, grid, n_queries
from tests.network.graphs import agree, graph


def cppn(seed: int, queries: tuple[str, ...], n_outputs: int = 2) -> NeuronGraph:
    rng = np.random.default_rng(seed)
    return graph(
        rng,
        n_inputs=n_queries(queries, 2),
        n_outputs=n_outputs,
        n_neurons=9,
        n_links=30,
        activations=("tanh", "sine", "gaussian"),
        aggregations=("sum",),
    )


def recipe(seed: int = 0, queries: tuple[str, ...] = ("source", "target", "bias"), **more: object) -> Paint:
    paint = Paint(cppn(seed, queries), grid(3, 4), grid(2, 5), queries)
    return replace(paint, **more)  # type: ignore[arg-type]


def question(queries: tuple[str, ...], source: tuple[float, ...], target: tuple[float, ...]) -> list[float]:
    """What a CPPN is asked with, from the words of `QUERIES`."""
    said: dict[str, list[float]] = {
        "source": [*source],
        "target": [*target],
        "difference": [b - a for a, b in zip(source, target, strict=True)],
        "distance": [sum((b - a) ** 2 for a, b in zip(source, target, strict=True)) ** 0.5],
        "source_radius": [sum(a * a for a in source) ** 0.5],
        "target_radius": [sum(b * b for b in target) ** 0.5],
        "bias": [1.0],
    }
    return [value for word in queries for value in said[word]]


def by_hand(paint: Paint) -> np.ndarray:
    asked = [[question(paint.queries, a, b) for a in paint.sources.places] for b in paint.targets.places]
    shape = len(paint.targets.places), len(paint.sources.places)
    said = paint.cppn.run(np.array(asked).reshape(-1, paint.cppn.n_inputs)).reshape(*shape, -1)
    found = np.zeros(shape)
    for place in np.ndindex(shape):
        output = min(1.0, max(-1.0, said[place][paint.output]))
        if paint.expression is not None:
            found[place] = paint.scale * output if said[place][paint.expression] > 0 else 0.0
        elif abs(output) > paint.threshold:
            found[place] = np.sign(output) * paint.scale * (abs(output) - paint.threshold) / (1 - paint.threshold)
    return found


@pytest.mark.parametrize("queries", [*((word,) for word in QUERIES), QUERIES, ("target", "source_radius", "source")])
def test_every_query(queries: tuple[str, ...]) -> None:
    for seed in range(3):
        paint = recipe(seed, queries, threshold=0.1, scale=2.0, output=1)
        agree(painted(paint), by_hand(paint), 2e-5)


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.7])
def test_what_is_within_the_threshold_is_zero(threshold: float) -> None:
    zeros, ones = 0, 0
    for seed in range(6):
        paint = recipe(seed, threshold=threshold)
        agree(painted(paint), expected := by_hand(paint), 2e-5)
        zeros += (expected == 0).sum()
        ones += (expected != 0).sum()
    assert ones > 0
    assert (zeros > 0) == (threshold > 0)


def test_an_output_may_express() -> None:
    found = [by_hand(recipe(seed, expression=1)) for seed in range(6)]
    assert 0 < np.mean(np.stack(found) == 0) < 1
    for seed, expected in enumerate(found):
        agree(painted(recipe(seed, expression=1)), expected, 2e-5)


def test_a_population_is_painted_as_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    paints = [recipe(seed, threshold=0.1 * (seed % 3), expression=seed % 2 or None) for seed in range(7)]
    together = painted_many(paints)
    assert together.dtype == torch.float32
    assert together.shape == (7, 10, 12)
    for got, paint in zip(together, paints, strict=True):
        assert torch.equal(got, painted(paint))
    monkeypatch.setattr(module, "PAINTED_AT_ONCE", 3 * 12 * 7)
    assert torch.equal(painted_many(paints), together)


def test_sheets_of_their_own_are_painted_too() -> None:
    moved = Sheet(tuple((x + 0.5, y) for x, y in grid(3, 4).places))
    paints = [recipe(0), recipe(1, sources=moved)]
    for got, paint in zip(painted_many(paints), paints, strict=True):
        agree(got, by_hand(paint), 2e-5)


SEEDS = {None: 2, 1: 9}


@pytest.mark.parametrize("expression", SEEDS)
def test_gradient_flows_to_the_cppn(expression: int | None) -> None:
    paint = recipe(SEEDS[expression], expression=expression, threshold=0.05)
    network = NeuronNetwork(paint.cppn)
    found = painted(paint, network)
    assert (found != 0).any()
    agree(found, by_hand(paint), 2e-5)
    found.square().sum().backward()
    assert network.weights.grad is not None
    analytic = network.weights.grad
    for at in (0, 7, 19):
        moved = [
            by_hand(replace(paint, cppn=replace(paint.cppn, weights=nudged(paint.cppn.weights, at, by))))
            for by in (1e-5, -1e-5)
        ]
        numeric = ((moved[0] ** 2).sum() - (moved[1] ** 2).sum()) / 2e-5
        assert analytic[at].item() == pytest.approx(numeric, rel=1e-2, abs=1e-2)
    assert analytic.abs().max() > 0.1


def nudged(weights: tuple[float, ...], at: int, by: float) -> tuple[float, ...]:
    return (*weights[:at], weights[at] + by, *weights[at + 1 :])


def test_nothing_is_differentiated_unless_it_is_asked_for() -> None:
    assert not painted(recipe()).requires_grad
