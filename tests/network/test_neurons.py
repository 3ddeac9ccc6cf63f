"""One neuron graph as an nn.Module computes what numpy computes, and can be trained, copied and named."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from evonas.network import Network, NeuronNetwork, TrainedNetwork, built
from genomes.neurons import AGGREGATIONS, NeuronGraph
from tests.network.graphs import SMOOTH, agree, graph
from tests.network.nets import architecture, node

WORDS = {"kind": "behaviour", "input_shape": (3,), "targets": ("a", "b")}


def inputs(n: int = 6, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(0, 1, (n, 3)))


def test_it_computes_what_its_graph_does() -> None:
    for seed in range(60):
        one = graph(np.random.default_rng(seed))
        agree(NeuronNetwork(one).double()(inputs()), one.run(inputs().numpy()), 1e-5)


def test_it_steps_as_its_graph_does() -> None:
    for seed in range(40):
        one = graph(np.random.default_rng(seed), recurrent=True, activations=SMOOTH)
        network, state, expected = NeuronNetwork(one).double(), None, None
        assert network.recurrent
        agree(network(inputs()), one.step(inputs().numpy())[0], 1e-5)
        for at in range(3):
            found, state = network.step(inputs(seed=at), state)
            wanted, expected = one.step(inputs(seed=at).numpy(), expected)
            agree(found, wanted, 1e-4)


@pytest.mark.parametrize("word", AGGREGATIONS)
@pytest.mark.parametrize("n", [0, 1, 3])
def test_every_aggregation(word: str, n: int) -> None:
    weights, places = (0.5, -2.0, 3.0)[:n], tuple(range(n))
    one = NeuronGraph(
        3, (3,), ("a",), ("tanh",), (word,), (0.1,), (0.3,), places, (3,) * n, weights, tuple(map(str, places))
    )
    agree(NeuronNetwork(one)(inputs().float()), one.run(inputs().numpy()), 1e-5)


@pytest.mark.parametrize("recurrent", [False, True])
def test_gradients_are_those_of_differences(recurrent: bool) -> None:
    one = graph(np.random.default_rng(5), n_neurons=8, n_links=20, recurrent=recurrent, activations=SMOOTH)
    network = NeuronNetwork(one).double()
    parameters = dict(network.named_parameters())

    def outputs(*values: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(network, dict(zip(parameters, values, strict=True)), (inputs(2),))

    assert torch.autograd.gradcheck(outputs, tuple(one.detach().requires_grad_() for one in parameters.values()))


def test_what_is_learnt_is_named_by_markings() -> None:
    one = graph(np.random.default_rng(1), activations=SMOOTH, n_links=9)
    network = NeuronNetwork(one)
    assert network.learned() == pytest.approx(
        dict(zip(one.markings, one.weights, strict=True)) | dict(zip(one.ids, one.biases, strict=True))
    )
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    network(inputs().float()).square().sum().backward()
    optimizer.step()
    learned = network.learned()
    after = replace(
        one,
        weights=tuple(learned[marking] for marking in one.markings),
        biases=tuple(learned[id] for id in one.ids),
    )
    assert after != one
    agree(network(inputs().float()), after.run(inputs().numpy()), 1e-4)


def test_both_kinds_of_network_have_one_surface() -> None:
    one = graph(np.random.default_rng(0))
    layers = architecture(node("a", "linear", "input", width=5))
    neurons, other = built(one, (3,), 2), built(layers, (3,), 2)
    assert isinstance(neurons, NeuronNetwork)
    assert isinstance(other, Network)
    assert (neurons.phenotype, other.phenotype) == (one, layers)
    for network in (neurons, other):
        assert network.n_outputs == 2
        assert not network.recurrent
        assert not (*network.normalisations, *network.paths)
    assert [tensor.shape for tensor in other.decayed] == [(5, 3), (2, 5)]
    assert neurons.decayed == [neurons.weights]
    assert other.learned() == {}


def test_images_are_flattened() -> None:
    one = graph(np.random.default_rng(2), n_inputs=12)
    x = torch.randn(4, 3, 2, 2)
    agree(built(one, (3, 2, 2), 2)(x), one.run(x.flatten(1).double().numpy()), 1e-4)


def test_what_does_not_fit_is_refused() -> None:
    one = graph(np.random.default_rng(0))
    with pytest.raises(ValueError, match="expected neurons for 4 inputs and 2 outputs, got 3 and 2"):
        built(one, (4,), 2)
    with pytest.raises(ValueError, match="register_activation"):
        NeuronNetwork(replace(one, activations=("wiggle",) * len(one.ids)))
    loop = NeuronGraph(1, (1,), ("a",), ("tanh",), ("sum",), (0.0,), (1.0,), (1,), (1,), (1.0,), ("m",))
    with pytest.raises(ValueError, match="no cycle"):
        NeuronNetwork(loop)


@pytest.mark.parametrize("recurrent", [False, True])
def test_a_trained_one_is_copied_pickled_and_stepped(recurrent: bool) -> None:
    one = graph(np.random.default_rng(3), recurrent=recurrent, activations=SMOOTH)
    made = TrainedNetwork(NeuronNetwork(one), [1.0, 2.0, 3.0], [2.0] * 3, **WORDS).eval()
    given = (inputs().numpy() - [1, 2, 3]) / 2
    expected, state = one.step(given) if recurrent else (one.run(given), None)
    for network in (made, pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):
        np.testing.assert_allclose(network.predict(inputs()), expected, rtol=1e-4, atol=1e-4)
        assert not network.training
        assert network.network.phenotype == one
    first, after = made.step(inputs().float())
    agree(first, expected, 1e-4)
    if recurrent:
        agree(made.step(inputs().float(), after)[0], one.step(given, state)[0], 1e-4)
