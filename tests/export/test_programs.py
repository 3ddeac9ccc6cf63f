"""Networks as programs: ONNX Runtime and torch.export compute what torch computes, for every operation."""

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from evonas.campaign import SpecError
from evonas.export.programs import described, exported, onnx_of
from evonas.network import Network, NeuronNetwork, TrainedNetwork, inherit
from evonas.stream import stream
from genomes import Cell, Dag
from genomes.architecture import Architecture, Node
from genomes.encoding import Encoding, uniform
from genomes.neurons import NeuronGraph
from genomes.operations import HEAD, INPUT, OPERATIONS, RECUR
from tests.network.graphs import SMOOTH, graph

NORMAL = (("activation", "relu"), ("normalisation", "batch"))
ATTRIBUTES: dict[str, tuple[tuple[str, Any], ...]] = {
    "max_pool": (("kernel", 3), ("stride", 2)),
    "avg_pool": (("kernel", 3), ("stride", 2)),
    "identity": (),
    "zero": (("stride", 2),),
    "linear": (("activation", "tanh"), ("width", 5)),
    "factorised_reduction": (*NORMAL, ("width", 6)),
    "attention": (("activation", "silu"), ("normalisation", "none"), ("stride", 2), ("width", 6)),
}
USUAL = (*NORMAL, ("kernel", 3), ("stride", 2), ("width", 6))
TOLERANCE = 1e-4


def trained(architecture: Architecture, shape: tuple[int, ...], n_outputs: int = 3, **more: Any) -> TrainedNetwork:
    """As if trained: its statistics are those of other data than zeros and ones."""
    network = Network(architecture, shape, n_outputs)
    inherit(network, [], seed=1, individual=0)
    network.train()
    with torch.no_grad():
        for _ in range(3):
            network(torch.randn(16, *shape, generator=torch.Generator().manual_seed(0)))
    mean, deviation = [float(channel + 1) for channel in range(shape[0])], [2.0] * shape[0]
    words = {"kind": "classification", "classes": [str(at) for at in range(n_outputs)], **more}
    return TrainedNetwork(network, mean, deviation, input_shape=shape, **words).eval()


def onnx_agrees(network: TrainedNetwork) -> None:
    session = onnxruntime.InferenceSession(onnx_of(network))
    assert [one.name for one in session.get_inputs()] == ["input"]
    assert [one.name for one in session.get_outputs()] == ["output"]
    words = session.get_modelmeta().custom_metadata_map
    assert words["kind"] == network.kind
    assert tuple(json.loads(words["classes" if network.classes else "targets"])) == network.classes + network.targets
    agrees(network, lambda inputs: session.run(None, {"input": inputs})[0])


def torch_agrees(network: TrainedNetwork) -> None:
    file = io.BytesIO()
    torch.export.save(exported(network), file, extra_files=described(network))
    file.seek(0)
    words = {"kind": ""}
    program = torch.export.load(file, extra_files=words).module()
    assert words["kind"] == network.kind
    agrees(network, lambda inputs: program(torch.from_numpy(inputs)).detach().numpy())


def agrees(network: TrainedNetwork, program: Callable[[Any], Any]) -> None:
    """Batches of any size, those of one among them."""
    for n in (1, 5):
        inputs = np.random.default_rng(n).normal(2, 3, (n, *network.input_shape)).astype(np.float32)
        expected = network.outputs(inputs)
        assert len(expected) == n
        assert np.abs(program(inputs) - expected).max() < TOLERANCE


def test_every_operation_there_is() -> None:
    """All but `recur`, which no program holds, in one network of odd sizes: beside each other, merged in both ways."""
    nodes = [Node("in", INPUT)]
    for operation in OPERATIONS:
        if operation not in (INPUT, HEAD, RECUR, "linear", "flatten"):
            settings = tuple(sorted(ATTRIBUTES.get(operation, USUAL)))
            nodes.append(Node(operation, operation, settings, ("in",)))
    spatial = tuple(node.id for node in nodes[1:])
    nodes.append(Node("sum", "conv", (("kernel", 1), ("preactivation", "relu"), ("stride", 1), ("width", 4)), spatial))
    nodes.append(Node("all", "conv", (("kernel", 1), ("stride", 2), ("width", 4)), (*spatial, "sum"), "concat"))
    nodes.append(Node("linear", "linear", ATTRIBUTES["linear"], ("all",)))
    nodes.append(Node("flatten", "flatten", (), ("all",)))
    nodes.append(Node("out", HEAD, (), ("linear", "sum", "flatten"), "concat"))
    network = trained(Architecture(tuple(nodes)), (3, 7, 9))
    onnx_agrees(network)
    torch_agrees(network)


GENOMES: list[tuple[Encoding[Any], tuple[int, ...]]] = [
    (Dag(widths=(4, 6), max_sampled=6), (1, 8, 8)),
    (Dag(widths=(4, 6), max_sampled=8), (3, 7, 5)),
    (Dag(widths=(4, 6), max_sampled=6), (7,)),
    (Cell(space="nasnet", n_blocks=2, n=1, filters=4, n_reductions=1), (3, 9, 7)),
    (Cell(space="darts", n_blocks=2, n=1, filters=3, n_reductions=1), (1, 8, 8)),
]


@pytest.mark.parametrize(("encoding", "shape"), GENOMES, ids=["images", "odd", "vectors", "cells", "darts"])
def test_random_genomes(encoding: Encoding[Any], shape: tuple[int, ...]) -> None:
    fitted, rng = encoding.for_task(shape, 7), stream(1, "export")
    onnx_agrees(trained(fitted.develop(fitted.sample(uniform(rng), rng=rng)), shape))


def test_a_regression_puts_out_units_of_its_targets() -> None:
    layers = (Node("in", INPUT), Node("out", HEAD, (), ("in",)))
    network = Network(Architecture(layers), (4,), 2)
    inherit(network, [], seed=1, individual=0)
    words = {"kind": "regression", "targets": ["a", "b"], "input_shape": (4,)}
    made = TrainedNetwork(network, [1.0] * 4, [2.0] * 4, [100.0, -5.0], [10.0, 0.1], **words).eval()
    onnx_agrees(made)
    torch_agrees(made)
    assert abs(made.outputs(np.zeros((1, 4)))[0, 0] - 100) < 50


# What torch says of a constant of no dimension; it is written whole.
@pytest.mark.filterwarnings("ignore:No complete tensor found")
@pytest.mark.parametrize("seed", range(3))
def test_neurons(seed: int) -> None:
    network = NeuronNetwork(graph(np.random.default_rng(seed), n_neurons=9, n_links=25, activations=SMOOTH))
    words: dict[str, Any] = {"kind": "behaviour", "targets": ("a", "b"), "input_shape": (3,)}
    made = TrainedNetwork(network, [1.0] * 3, [2.0] * 3, **words).eval()
    onnx_agrees(made)
    torch_agrees(made)


def test_recurrent_neurons_are_refused() -> None:
    network = NeuronNetwork(graph(np.random.default_rng(0), recurrent=True))
    made = TrainedNetwork(network, [0.0], [1.0], kind="behaviour", input_shape=(3,), targets=("a", "b"))
    for program in (onnx_of, exported):
        with pytest.raises(SpecError, match="without a state"):
            program(made)


def test_neurons_that_read_nothing() -> None:
    columns = (("a", "b"), ("tanh", "sigmoid"), ("sum", "product"), (0.5, -0.5), (1.0, 2.0))
    network = NeuronNetwork(NeuronGraph(3, (3, 4), *columns, (), (), (), ()))
    words: dict[str, Any] = {"kind": "behaviour", "targets": ("a", "b"), "input_shape": (3,)}
    made = TrainedNetwork(network, [0.0], [1.0], **words).eval()
    onnx_agrees(made)
    torch_agrees(made)
