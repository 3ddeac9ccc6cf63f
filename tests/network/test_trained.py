"""A trained network takes inputs as they come and answers in the words and units of its task."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch

from evonas.network import Network, TrainedNetwork, inherit
from evonas.tasks import from_arrays
from genomes.architecture import Architecture, Node

CONV = Node("c", "conv", (("kernel", 3), ("normalisation", "batch"), ("stride", 1), ("width", 4)), ("in",))
LINEAR = Node("c", "linear", (("activation", "relu"), ("width", 6)), ("in",))


def bare(shape: tuple[int, ...], n_outputs: int) -> Network:
    layers = (Node("in", "input"), CONV if len(shape) == 3 else LINEAR, Node("out", "head", (), ("c",)))
    network = Network(Architecture(layers), shape, n_outputs)
    inherit(network, [], seed=0, individual=0)
    return network.eval()


def of(task: Any) -> TrainedNetwork:
    numbers = (task.mean, task.deviation, task.target_mean, task.target_deviation)
    words = {name: getattr(task, name) for name in ("kind", "input_shape", "classes", "targets")}
    return TrainedNetwork(bare(task.input_shape, task.n_outputs), *numbers, **words).eval()


def images(n: int = 30) -> tuple[Any, Any]:
    X = np.random.default_rng(0).uniform(0, 255, (n, 3, 5, 6)) * np.array([1, 10, 100]).reshape(3, 1, 1)
    return X, np.array(["cat", "dog"])[np.arange(n) % 2]


def vectors(n: int = 30) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    X = rng.normal(50, 9, (n, 4))
    X[:, 2] = 7.0
    return X, np.stack([X[:, 0] * 100, rng.normal(5, 2, n)], 1)


@torch.no_grad()
def test_images_are_normalised_by_channel() -> None:
    task = from_arrays(*images())
    network = of(task)
    X = images()[0].astype(np.float32)
    expected = network.network(torch.from_numpy(task.normalised(X)))
    assert torch.allclose(network(torch.from_numpy(X)), expected, atol=1e-5)
    assert not torch.allclose(network(torch.from_numpy(X)), network.network(torch.from_numpy(X)), atol=1e-2)


@torch.no_grad()
def test_a_regression_answers_in_units_of_its_targets() -> None:
    X, y = vectors()
    task = from_arrays(X, y, kind="regression")
    network = of(task)
    expected = network.network(torch.from_numpy(task.normalised(X))) * torch.tensor(task.target_deviation)
    expected = expected + torch.tensor(task.target_mean)
    found = network(torch.from_numpy(X).float())
    assert torch.allclose(found, expected.float(), rtol=1e-4)
    assert found[:, 0].mean() > 1000
    assert np.allclose(network.predict(X), found.numpy())
    assert network.deviation[2] == 1


@torch.no_grad()
def test_predictions_are_names_of_classes() -> None:
    X, _ = images()
    network = of(from_arrays(*images()))
    logits = network(torch.from_numpy(X).float())
    assert list(network.predict(X)) == [("cat", "dog")[index] for index in logits.argmax(1)]
    assert list(network.predict(torch.from_numpy(X))) == list(network.predict(X.tolist()))
    assert network.predict(X[:0]).shape == (0,)


def test_more_than_a_batch_is_predicted_as_each_alone() -> None:
    X, y = vectors(40)
    network = of(from_arrays(X, y, kind="regression"))
    many = np.tile(X, (26, 1))
    assert np.allclose(network.predict(many), np.tile(network.predict(X), (26, 1)), rtol=1e-4)


def test_grey_images_need_no_channel() -> None:
    X = np.random.default_rng(0).normal(size=(20, 5, 5))
    network = of(from_arrays(X, np.arange(20) % 2))
    assert list(network.predict(X)) == list(network.predict(X[:, None]))


@pytest.mark.parametrize("shape", [(3,), (2, 5), (2, 4, 1), ()])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    network = of(from_arrays(*vectors(), kind="regression"))
    with pytest.raises(ValueError, match=r"inputs: expected the shape \(n, 4\), got "):
        network.predict(np.zeros(shape))


def test_words_are_refused() -> None:
    network = of(from_arrays(*vectors(), kind="regression"))
    with pytest.raises(ValueError, match=r"inputs: expected numbers, got <U1"):
        network.predict([["a", "b", "c", "d"]])


@pytest.mark.parametrize(
    ("mean", "deviation"), [([0.0, 1.0], [1.0, 1.0]), ([0.0], [1.0, 1.0]), ([0.0], [0.0]), ([float("nan")], [1.0])]
)
def test_a_normalisation_that_does_not_fit_is_refused(mean: list[float], deviation: list[float]) -> None:
    with pytest.raises(ValueError, match=r"means and deviations"):
        TrainedNetwork(bare((3, 5, 6), 2), mean, deviation, kind="classification", input_shape=(3, 5, 6))


def test_it_can_be_copied_and_pickled() -> None:
    X, _ = images()
    network = of(from_arrays(*images()))
    for made in (pickle.loads(pickle.dumps(network)), copy.deepcopy(network.double())):
        assert not made.training
        assert made.classes == ("cat", "dog")
        assert np.allclose(made.outputs(X), network.outputs(X), atol=1e-5)
    assert copy.deepcopy(network).mean.dtype == torch.float64


def test_it_says_what_it_is() -> None:
    assert "classification, input_shape=(3, 5, 6), 2 classes" in repr(of(from_arrays(*images())))
