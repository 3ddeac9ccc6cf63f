"""Neuron graphs: what they compute, by hand."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from genomes.neurons import ACTIVATIONS, AGGREGATIONS, NeuronGraph, register_activation

BY_HAND: dict[str, Callable[[float], float]] = {
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "steep_sigmoid": lambda x: 1 / (1 + math.exp(-4.9 * x)),
    "tanh": math.tanh,
    "relu": lambda x: x if x > 0 else 0,
    "leaky_relu": lambda x: x if x > 0 else x / 100,
    "elu": lambda x: x if x > 0 else math.exp(x) - 1,
    "identity": lambda x: x,
    "sine": math.sin,
    "cosine": math.cos,
    "gaussian": lambda x: math.exp(-x * x),
    "abs": abs,
    "square": lambda x: x * x,
    "clamped": lambda x: min(1, max(-1, x)),
    "step": lambda x: 1 if x > 0 else 0,
}
TOTALS: dict[str, Callable[[list[float]], float]] = {
    "sum": math.fsum,
    "product": math.prod,
    "mean": lambda terms: math.fsum(terms) / len(terms),
    "max": max,
    "min": min,
}


def graph(
    n_inputs: int, ids: str, links: dict[tuple[int, int], float], outputs: tuple[int, ...], recurrent: bool = False
) -> NeuronGraph:
    """Neurons that add up and change nothing, with weights by (source, target)."""
    n = len(ids)
    columns = ("identity",) * n, ("sum",) * n, (0.0,) * n, (1.0,) * n
    sources, targets = tuple(pair[0] for pair in links), tuple(pair[1] for pair in links)
    names = tuple(f"{source}-{target}" for source, target in links)
    return NeuronGraph(
        n_inputs, outputs, tuple(ids), *columns, sources, targets, tuple(links.values()), names, recurrent
    )


@pytest.mark.parametrize("word", ACTIVATIONS)
def test_an_activation_is_what_its_name_says(word: str) -> None:
    xs = [-3.0, -1.0, -0.3, 0.0, 0.2, 1.0, 2.5]
    one = replace(graph(1, "a", {(0, 1): 1.0}, (1,)), activations=(word,))
    assert one.run([[x] for x in xs])[:, 0].tolist() == pytest.approx([BY_HAND[word](x) for x in xs], abs=1e-12)


@pytest.mark.parametrize("word", AGGREGATIONS)
def test_a_neuron_aggregates_its_weighted_inputs(word: str) -> None:
    one = graph(3, "a", {(0, 3): 2.0, (1, 3): -1.0, (2, 3): 0.5}, (3,))
    one = replace(one, aggregations=(word,), biases=(0.25,), responses=(3.0,))
    for x in ([1.0, 2.0, 3.0], [-1.0, 0.5, 4.0]):
        expected = 0.25 + 3 * TOTALS[word]([2 * x[0], -x[1], x[2] / 2])
        assert one.run([x])[0, 0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("word", AGGREGATIONS)
def test_a_neuron_without_inputs_puts_out_its_bias(word: str) -> None:
    alone = replace(graph(1, "a", {}, (1,)), aggregations=(word,), biases=(0.5,), responses=(2.0,))
    assert alone.run([[9.0], [8.0]]).tolist() == [[2.5 if word == "product" else 0.5]] * 2


def test_neurons_are_computed_after_what_they_read_whatever_their_order() -> None:
    # The output is listed first and reads c, which reads b, which reads the input; a skip from the input besides.
    deep = graph(1, "ocb", {(0, 3): 2.0, (3, 2): 3.0, (2, 1): 5.0, (0, 1): 7.0}, (1,))
    assert deep.levels == (3, 2, 1)
    assert deep.run([[1.0], [2.0]]).tolist() == [[37.0], [74.0]]


def test_several_outputs_come_in_their_order() -> None:
    two = graph(2, "ab", {(0, 2): 1.0, (1, 3): 1.0}, (3, 2))
    assert two.run([[1.0, 2.0]]).tolist() == [[2.0, 1.0]]


def test_a_recurrent_graph_reads_the_step_before() -> None:
    # a adds the input to twice itself; the output o reads a, one step late.
    loop = graph(1, "oa", {(0, 2): 1.0, (2, 2): 2.0, (2, 1): 1.0}, (1,), recurrent=True)
    state, seen = None, []
    for x in (1.0, 0.0, 5.0, 0.0):
        out, state = loop.step([[x]], state)
        seen.append((out[0, 0], state[0].tolist()))
    assert seen == [(0, [0, 1]), (1, [1, 2]), (2, [2, 9]), (9, [9, 18])]


def test_a_step_keeps_the_examples_apart() -> None:
    loop = graph(1, "a", {(0, 1): 1.0, (1, 1): 0.5}, (1,), recurrent=True)
    _, state = loop.step([[1.0], [2.0]])
    out, _ = loop.step([[10.0], [20.0]], state)
    assert out.tolist() == [[10.5], [21.0]]


def test_a_cycle_is_refused_where_neurons_are_computed_in_order() -> None:
    cycle = graph(1, "oab", {(0, 2): 1.0, (2, 3): 1.0, (3, 2): 1.0, (3, 1): 1.0}, (1,))
    for ask in (lambda: cycle.levels, lambda: cycle.run([[1.0]])):
        with pytest.raises(ValueError, match=r"neuron .: expected no cycle in a feed-forward graph, got one"):
            ask()
    assert replace(cycle, recurrent=True).step([[1.0]])[0].shape == (1, 1)


def test_inputs_of_another_shape_are_refused() -> None:
    one = graph(2, "a", {(0, 2): 1.0}, (2,))
    for inputs in ([[1.0]], [1.0, 2.0], np.zeros((3, 3))):
        with pytest.raises(ValueError, match=r"expected the shape \(batch, 2\)"):
            one.run(inputs)
    with pytest.raises(ValueError, match="expected neurons for 3 inputs and 1 outputs, got 2 and 1"):
        one.check((3,), 1)


def test_an_activation_of_ones_own() -> None:
    register_activation("halved", half := lambda x: x / 2)
    try:
        register_activation("halved", half)
        one = replace(graph(1, "a", {(0, 1): 1.0}, (1,)), activations=("halved",))
        assert one.run([[3.0]]).tolist() == [[1.5]]
        with pytest.raises(ValueError, match="which is taken"):
            register_activation("halved", lambda x: x / 3)
        with pytest.raises(ValueError, match="expected an identifier"):
            register_activation("no name", half)
    finally:
        del ACTIVATIONS["halved"]
