"""Peak memory, against what was counted by hand."""

import pytest

from genomes.memory import peak_memory
from genomes.neurons import NeuronGraph
from genomes.operations import Shape
from tests.network.nets import architecture, node

IMAGE: Shape = (3, 8, 8)
PIXELS = 64


def activations(count: int, weights: int, batch: int) -> int:
    """Bytes of so many values an example, and of the weights."""
    return 4 * (weights + batch * count)


def test_a_chain_holds_one_input_and_one_output() -> None:
    chain = architecture(node("a", "conv", "input", width=4), node("b", "conv", "a", width=16), node("c", "conv", "b"))
    weights = (3 * 4 * 9 + 4) + (4 * 16 * 9 + 16) + (16 * 4 * 9 + 4) + (4 * 5 + 5)
    assert peak_memory(chain, IMAGE, 5) == activations((4 + 16) * PIXELS, weights, 64)
    assert peak_memory(chain, IMAGE, 5, batch=1) == activations((4 + 16) * PIXELS, weights, 1)


def test_statistics_count_as_weights() -> None:
    normalised = architecture(node("a", "conv", "input", width=4, normalisation="batch"))
    weights = 3 * 4 * 9 + 4 * 4 + (4 * 5 + 5)
    assert peak_memory(normalised, IMAGE, 5) == activations((3 + 4) * PIXELS, weights, 64)


def test_a_branch_is_held_until_its_last_reader() -> None:
    skip = architecture(
        node("a", "conv", "input", width=16),
        node("b", "conv", "a", width=2),
        node("c", "conv", "b", width=8),
        node("d", "conv", "a c", width=4),
        node("e", "conv", "d", width=12),
    )
    weights = (3 * 16 * 9 + 16) + (16 * 2 * 9 + 2) + (2 * 8 * 9 + 8) + (16 * 4 * 9 + 4) + (4 * 12 * 9 + 12) + 12 * 5 + 5
    assert peak_memory(skip, IMAGE, 5) == activations((16 + 8 + 4) * PIXELS, weights, 64)


def test_an_identity_takes_no_memory_but_a_merge_does() -> None:
    passed = architecture(node("a", "conv", "input", width=4), node("b", "identity", "a"), node("c", "identity", "b"))
    weights = 3 * 4 * 9 + 4 + 4 * 5 + 5
    assert peak_memory(passed, IMAGE, 5) == activations((3 + 4) * PIXELS, weights, 64)
    joined = architecture(node("a", "conv", "input", width=4), node("b", "identity", "a input", merge="concat"))
    weights = 3 * 4 * 9 + 4 + 7 * 5 + 5
    assert peak_memory(joined, IMAGE, 5) == activations((3 + 4 + 7) * PIXELS, weights, 64)


def test_what_an_identity_passes_on_lives_as_long_as_either() -> None:
    twice = architecture(
        node("a", "conv", "input", width=4),
        node("b", "identity", "a"),
        node("c", "conv", "a", width=8),
        node("d", "conv", "c", width=16),
        node("e", "conv", "b d", width=1),
    )
    weights = (3 * 4 * 9 + 4) + (4 * 8 * 9 + 8) + (8 * 16 * 9 + 16) + (16 * 9 + 1) + (5 + 5)
    assert peak_memory(twice, IMAGE, 5) == activations((4 + 8 + 16) * PIXELS, weights, 64)


def test_a_vector_and_strides() -> None:
    linear = architecture(node("a", "linear", "input", width=20))
    assert peak_memory(linear, (13,), 2, batch=3) == activations(13 + 20, 13 * 20 + 20 + 20 * 2 + 2, 3)
    strided = architecture(node("a", "conv", "input", width=4, stride=2))
    assert peak_memory(strided, (3, 7, 5), 5) == activations(3 * 35 + 4 * 12, 3 * 4 * 9 + 4 + 25, 64)


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(ValueError, match=r"node a \(conv\): expected an input"):
        peak_memory(architecture(node("a", "conv", "input")), (13,), 5)


def test_of_neurons_the_values_of_all_are_alive() -> None:
    """Two inputs and three neurons for each example; four weights and three biases."""
    graph = NeuronGraph(
        2,
        (4,),
        ("a", "b", "c"),
        ("tanh",) * 3,
        ("sum",) * 3,
        (0.0,) * 3,
        (1.0,) * 3,
        (0, 1, 2, 3),
        (2, 3, 4, 4),
        (1.0,) * 4,
        ("p", "q", "r", "s"),
    )
    assert peak_memory(graph, (2,), 1, batch=10) == 4 * (7 + 10 * 5)
    with pytest.raises(ValueError, match="expected neurons for 3 inputs"):
        peak_memory(graph, (3,), 1)
