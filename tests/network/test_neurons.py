"""A neuron graph as a module: trained, exported, copied. What it computes is held in `test_parity`."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

import evonas
import genomes.neurons
from evonas.export.programs import _quiet, exported, onnx_of
from evonas.network import NeuronNetwork, NeuronPopulation, TrainedNetwork, activations, built
from evonas.tasks import from_arrays
from evonas.training import Examples, Training, train
from evonas.training.loop import optimizer_of
from genomes.neurons import ACTIVATIONS, AGGREGATIONS, NeuronGraph
from tests.network.graphs import BOUNDED, SMOOTH, agree, graph


def given(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32))


def test_both_worlds_have_the_same_words() -> None:
    assert set(activations.ACTIVATIONS) == set(ACTIVATIONS)
    assert set(activations.AGGREGATIONS) == set(AGGREGATIONS)
    x = np.linspace(-5, 5, 1001)
    for word, function in ACTIVATIONS.items():
        agree(activations.ACTIVATIONS[word](torch.from_numpy(x)), function(x), 1e-12)
    terms = np.random.default_rng(0).normal(0, 1, (3, 7))
    for word, combine in AGGREGATIONS.items():
        agree(activations.AGGREGATIONS[word](torch.from_numpy(terms)), combine(terms), 1e-12)


def exactly(one: NeuronGraph) -> NeuronNetwork:
    """The module in float64, with the weights that the graph has rather than those rounded to float32."""
    module = NeuronNetwork(one).double()
    with torch.no_grad():
        module.weights.copy_(torch.tensor(one.weights, dtype=torch.float64))
        module.biases.copy_(torch.tensor(one.biases, dtype=torch.float64))
        module.responses.copy_(torch.tensor(one.responses, dtype=torch.float64))
    return module


def test_images_are_flattened() -> None:
    one = graph(np.random.default_rng(0), n_inputs=12)
    network = built(one, (3, 2, 2), 2)
    x = given(5, 3, 2, 2)
    agree(network(x), one.run(x.flatten(1).numpy()), 1e-5)
    with pytest.raises(ValueError, match="expected neurons for 27 inputs"):
        built(one, (3, 3, 3), 2)


def test_a_single_connection_may_be_all() -> None:
    one = NeuronGraph(1, (1,), ("a",), ("identity",), ("max",), (1.0,), (2.0,), (0,), (1,), (3.0,), ("m",))
    assert NeuronNetwork(one)(torch.tensor([[1.0], [-1.0]])).tolist() == [[7.0], [-5.0]]
    bare = replace(one, sources=(), targets=(), weights=(), markings=())
    assert NeuronNetwork(bare)(torch.zeros(2, 1)).tolist() == [[1.0], [1.0]]
    assert NeuronNetwork(replace(bare, aggregations=("product",)))(torch.zeros(2, 1)).tolist() == [[3.0], [3.0]]


def test_gradients_are_those_of_finite_differences() -> None:
    rng = np.random.default_rng(3)
    one = graph(rng, n_neurons=9, n_links=25, activations=SMOOTH)
    module = exactly(one)
    x, names = given(4, 3).double(), ["weights", "biases"]

    def outputs(*tensors: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(module, dict(zip(names, tensors, strict=True)), x)

    values = tuple(getattr(module, name).detach().requires_grad_() for name in names)
    assert torch.autograd.gradcheck(outputs, values)


def test_it_is_trained_and_tells_what_it_learnt() -> None:
    one = graph(np.random.default_rng(5), n_inputs=2, n_outputs=2, n_neurons=8, n_links=24, activations=("tanh",))
    X = np.random.default_rng(0).normal(0, 1, (150, 2))
    task = from_arrays(X, (X[:, 0] > X[:, 1]).astype(int))
    network = built(one, task.input_shape, task.n_outputs)
    config = Training(epochs=25, batch_size=16, optimizer="adamw", learning_rate=0.05, auxiliary=0.4, drop_path=0.2)
    device = torch.device("cpu")
    curve = train(
        network,
        Examples.of(task.train, device),
        Examples.of(task.validation, device),
        config,
        25,
        rng=np.random.default_rng(0),
    )
    assert curve[-1]["loss"] < 0.95 * curve[0]["loss"]
    learned = network.learned()
    assert set(learned) == {*one.markings, *one.ids}
    assert sum(learned[mark] != weight for mark, weight in zip(one.markings, one.weights, strict=True)) > 10
    again = NeuronNetwork(
        replace(
            one,
            weights=tuple(learned[mark] for mark in one.markings),
            biases=tuple(learned[mark] for mark in one.ids),
        )
    )
    x = given(5, 2)
    assert torch.equal(again(x), network(x))


def test_weights_decay_and_biases_do_not() -> None:
    network = NeuronNetwork(graph(np.random.default_rng(5), n_links=9, n_neurons=6))
    optimizer = optimizer_of(list(network.parameters()), network.decayed, Training(weight_decay=0.01))
    decays = {id(tensor): group["weight_decay"] for group in optimizer.param_groups for tensor in group["params"]}
    assert decays == {id(network.weights): 0.01, id(network.biases): 0.0}


def as_trained(one: NeuronGraph) -> TrainedNetwork:
    words = {"kind": "regression", "targets": ["a", "b"]}
    return TrainedNetwork(NeuronNetwork(one), [1.0], [2.0], input_shape=(3,), **words).eval()


@pytest.mark.parametrize("seed", [3, 11])
def test_it_is_exported(seed: int) -> None:
    one = graph(np.random.default_rng(seed), n_neurons=9, n_links=20, activations=BOUNDED)
    network = as_trained(one)
    x = given(7, 3)
    expected = network(x).detach()
    assert torch.allclose(expected, torch.from_numpy(one.run((x.numpy() - 1) / 2)).float(), atol=1e-4)
    file = io.BytesIO()
    with _quiet():
        torch.export.save(exported(network), file)
    file.seek(0)
    assert torch.allclose(torch.export.load(file).module()(x), expected, atol=1e-5)
    session = onnxruntime.InferenceSession(onnx_of(network))
    assert np.allclose(session.run(None, {"input": x.numpy()})[0], expected.numpy(), atol=1e-5)


@pytest.mark.parametrize("recurrent", [False, True])
def test_a_copy_computes_the_same(recurrent: bool) -> None:
    import copy

    network = as_trained(graph(np.random.default_rng(2), recurrent=recurrent))
    with torch.no_grad():
        network.network.weights.mul_(0.5)
    assert torch.equal(copy.deepcopy(network)(given(4, 3)), network(given(4, 3)))
    first, state = network.step(given(4, 3))
    assert torch.equal(first, network(given(4, 3)))
    assert (state is not None) == recurrent


def test_a_graph_that_goes_on_from_step_to_step_is_no_program() -> None:
    with pytest.raises(ValueError, match="goes step by step"):
        exported(as_trained(graph(np.random.default_rng(2), recurrent=True)))


@pytest.fixture
def bump() -> Iterator[str]:
    evonas.register_activation("bump", numpy=lambda x: 1 / (1 + x * x), torch=_bump)
    yield "bump"
    del genomes.neurons.ACTIVATIONS["bump"], activations.ACTIVATIONS["bump"]


def _bump(x: torch.Tensor) -> torch.Tensor:
    return 1 / (1 + x * x)


def test_an_activation_of_ones_own(bump: str) -> None:
    one = graph(np.random.default_rng(1), n_neurons=7, n_links=15, activations=(bump, "tanh"))
    x = given(6, 3)
    assert bump in one.activations
    agree(NeuronNetwork(one)(x), one.run(x.numpy()), 1e-5)
    agree(NeuronPopulation([one])(x)[0], one.run(x.numpy()), 1e-5)
    with pytest.raises(ValueError, match="taken"):
        evonas.register_activation(bump, numpy=lambda x: 1 / (1 + x * x), torch=_bump)
    with pytest.raises(ValueError, match="taken"):
        evonas.register_activation("tanh", numpy=np.tanh, torch=_bump)
    assert activations.ACTIVATIONS["tanh"] is torch.tanh


def test_names_that_are_built_in_are_not_given_again() -> None:
    for name in ("tanh", "sine", "relu"):
        with pytest.raises(ValueError, match=f"expected a new name, got '{name}', which is taken"):
            evonas.register_activation(
                name, numpy=genomes.neurons.ACTIVATIONS[name], torch=activations.ACTIVATIONS[name]
            )


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (np.tanh, torch.sin, "expected numpy and torch to compute the same, got -1 and 0.544021 at -10; correct one"),
        (np.tanh, lambda x: torch.where(x > 9.95, 2.0, torch.tanh(x)), "got 1 and 2 at 10"),
        (np.tanh, lambda x: torch.tanh(x) + 1e-5, "compute the same"),
        (np.sqrt, lambda x: torch.sqrt(x.abs()), "got nan and 3.16228 at -10"),
        (np.sum, lambda x: x, r"expected a value for each, got () and (201,) of (201,)"),
    ],
)
def test_two_functions_that_differ_are_refused(ours: Any, theirs: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=re.escape(expected)):
        evonas.register_activation("twofold", numpy=ours, torch=theirs)
    assert "twofold" not in {*genomes.neurons.ACTIVATIONS, *activations.ACTIVATIONS}


def test_two_functions_that_are_no_number_together_are_the_same() -> None:
    try:
        evonas.register_activation("root", numpy=np.sqrt, torch=torch.sqrt)
        evonas.register_activation("root", numpy=np.sqrt, torch=torch.sqrt)
    finally:
        for words in (genomes.neurons.ACTIVATIONS, activations.ACTIVATIONS):
            words.pop("root", None)  # type: ignore[attr-defined]


def test_an_unknown_activation_is_refused_with_the_way_out() -> None:
    one = replace(graph(np.random.default_rng(1), n_neurons=2), activations=("wiggle", "tanh"))
    with pytest.raises(ValueError, match=r"got 'wiggle'.*register_activation"):
        NeuronNetwork(one)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU here")
def test_a_gpu_computes_the_same() -> None:
    one = graph(np.random.default_rng(4), n_neurons=9, n_links=20)
    agree(NeuronNetwork(one).cuda()(given(5, 3).cuda()), one.run(given(5, 3).numpy()), 1e-4)
