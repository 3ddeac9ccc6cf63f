"""Networks that read text leave a campaign as weights, graphs and tables, and as no program."""

import networkx as nx
import numpy as np
import pytest
import torch

import evonas
from evonas.campaign import Campaign, SpecError
from evonas.export import write
from evonas.tasks.text import encoded


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    path = tmp_path_factory.mktemp("text") / "abc.txt"
    path.write_text("abcabdabe " * 60)
    return Campaign(
        {"name": "text", "path": str(path)},
        {"name": "recurrent", "widths": [8]},
        "random",
        training={"epochs": 2, "batch_size": 4, "window": 8},
        budget={"evaluations": 2},
    ).run(path.parent / "out")


def test_its_network_reads_symbols(reading: Campaign) -> None:
    network = reading.network(0)
    symbols = encoded("abcabd", network.classes)
    logits = network(torch.from_numpy(symbols[None]))
    assert logits.shape == (1, 6, len(network.classes))
    assert network.predict(symbols[None]).shape == (1, 6)
    assert set(network.predict(symbols[None])[0]) <= set(network.classes)
    for wrong in (symbols, np.zeros((1, 6))):
        with pytest.raises(ValueError, match=r"inputs: expected symbols \(n, time\), integers, got "):
            network.predict(wrong)


def test_its_file_needs_no_campaign(reading: Campaign) -> None:
    network = evonas.load(write(reading, "weights", 0))
    symbols = encoded("abcabd", network.classes)[None]
    assert np.array_equal(network.outputs(symbols), reading.network(0).outputs(symbols))
    assert network.kind == "language"


def test_its_graph_is_one(reading: Campaign) -> None:
    assert nx.read_graphml(write(reading, "graphml", 0)).number_of_nodes() > 2
    assert "recur" in write(reading, "dot", 0).read_text()


@pytest.mark.parametrize("format", ["onnx", "pt2"])
def test_no_program_holds_its_loop(format: str, reading: Campaign) -> None:
    with pytest.raises(SpecError, match=r"expected a network without a state, .*; export its weights"):
        write(reading, format, 0)
