"""A network in one file is used without its campaign; a file from anybody is refused in one line, unless it is one."""

import contextlib
import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import safetensors
import safetensors.torch
import torch

import evonas
from evonas.export import write
from tests.campaigns import arrays


@pytest.fixture(scope="module")
def file(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(evonas.Campaign.load(finished), "weights", output=tmp_path_factory.mktemp("file") / "best.safetensors")


def test_it_needs_no_campaign(finished: Path, file: Path) -> None:
    campaign = evonas.Campaign.load(finished)
    assert campaign.best is not None
    expected = campaign.network(campaign.best.id)
    network = evonas.load(file)
    assert not network.training
    assert (network.classes, network.kind, network.input_shape) == (("0", "1", "2"), "classification", (1, 4, 4))
    assert np.array_equal(network.outputs(arrays()[0]), expected.outputs(arrays()[0]))


def test_its_metadata_say_all_of_it(file: Path) -> None:
    with safetensors.safe_open(file, framework="pt") as opened:
        described = json.loads(opened.metadata()["evonas"])
    assert described["genome"]["encoding"] == described["encoding"]["name"] == "dag"
    assert described["campaign"] == "small"
    assert len(described["mean"]) == len(described["deviation"]) == 1


def altered(file: Path, change: Callable[[dict[str, Any], dict[str, torch.Tensor]], None]) -> bytes:
    with safetensors.safe_open(file, framework="pt") as opened:
        described = json.loads(opened.metadata()["evonas"])
    tensors = safetensors.torch.load_file(file)
    change(described, tensors)
    return safetensors.torch.save(tensors, {"evonas": json.dumps(described)})


def deep(described: dict[str, Any], tensors: Any) -> None:
    for _ in range(900):
        described["genome"] = {"genome": described["genome"]}


def half(described: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
    tensors.update({name: tensor.half() for name, tensor in tensors.items()})


def grow(described: dict[str, Any], tensors: Any) -> None:
    described["input_shape"] = [1 << 20, 1 << 20, 1 << 20]


CHANGES: list[tuple[Any, str]] = [
    (lambda d, t: d.pop("genome"), "genome: Field required"),
    (lambda d, t: d.update(genome={"encoding": "cell"}), "expected a dag genome"),
    (lambda d, t: d.update(encoding={"name": "none"}), "encoding.name: expected one of"),
    (lambda d, t: d.update(encoding={"name": "dag", "widths": [-1]}), "widths"),
    (lambda d, t: d.update(kind="pickle"), "kind: "),
    (lambda d, t: d.update(format=2), "format: "),
    (lambda d, t: d.update(code="import os"), "code: "),
    (lambda d, t: d.update(n_outputs=10**9), "n_outputs: "),
    (lambda d, t: d.update(n_outputs=4), "got 3 names for 4 outputs"),
    (lambda d, t: d.update(mean=[0.0, 1.0], deviation=[1.0, 1.0]), "means and deviations"),
    (lambda d, t: d.update(deviation=[0.0]), "deviations above 0"),
    (lambda d, t: d.update(mean=[float("nan")]), "mean.0: "),
    (lambda d, t: t.popitem(), "got tensors that are not those of its genome"),
    (lambda d, t: t.update(more=torch.zeros(3)), "got tensors that are not those of its genome (more is missing or"),
    (half, "got tensors that are not those of its genome"),
    (grow, "got "),
    (deep, "got "),
]


@pytest.mark.parametrize(("change", "expected"), CHANGES)
def test_what_its_description_gets_wrong_is_refused(change: Any, expected: str, file: Path, tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(altered(file, change))
    refused(tmp_path / "x.safetensors", expected)


def refused(path: Path, expected: str) -> None:
    with pytest.raises(evonas.DataError) as caught:
        evonas.load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: expected a file that `evonas export weights` wrote, ")
    assert expected in message
    assert "\n" not in message
    assert len(message) < 900


def test_other_files_are_refused(file: Path, tmp_path: Path) -> None:
    data = file.read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    files = {
        "plain": (safetensors.torch.save({"a": torch.zeros(1)}), "got tensors that nothing describes"),
        "empty": (b"", "got another: "),
        "text": (b"hello, this is no such file", "got another: "),
        "pickle": (b"\x80\x04\x95" + bytes(100), "got another: "),
        "cut": (data[:-5], "got another: "),
        "cut in its header": (data[: size // 2], "got another: "),
        "endless header": (struct.pack("<Q", 1 << 62) + data[8:], "got another: "),
        "noise": (bytes(range(256)) * 9, "got another: "),
        "no json": (safetensors.torch.save({}, {"evonas": "{"}), "got another: "),
        "a number": (safetensors.torch.save({}, {"evonas": "3"}), "got another: "),
        "long": (safetensors.torch.save({}, {"evonas": "x" * 9_000_000}), "got a description of 9,000,000 characters"),
    }
    for name, (content, expected) in files.items():
        (tmp_path / name).write_bytes(content)
        refused(tmp_path / name, expected)
    refused(tmp_path / "missing", "found no file there; check the path")
    refused(tmp_path, "found no file there; check the path")


def test_no_damage_of_a_byte_is_a_traceback(file: Path, tmp_path: Path) -> None:
    data = bytearray(file.read_bytes())
    (size,) = struct.unpack("<Q", data[:8])
    rng = np.random.default_rng(0)
    path = tmp_path / "x"
    n_loaded = 0
    for at in rng.integers(0, size + 8, 200):
        changed = bytearray(data)
        changed[at] = rng.integers(256)
        path.write_bytes(changed)
        with contextlib.suppress(evonas.DataError):
            evonas.load(path)
            n_loaded += 1
    assert n_loaded < 150


def test_a_regression_keeps_its_units(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(30, 4, (40, 3))
    fields: dict[str, Any] = {"encoding": {"name": "dag", "max_sampled": 2}, "search": "random"}
    task = {"X": X, "y": X[:, 0] * 100, "kind": "regression"}
    made = evonas.Campaign(task, budget={"evaluations": 1}, training={"epochs": 2}, **fields).run(tmp_path / "out")
    network = evonas.load(write(made, "weights"))
    assert np.array_equal(network.predict(X), made.network(0).predict(X))
    assert (network.kind, len(network.targets)) == ("regression", 1)
    assert network.predict(X).mean() > 1000
    shutil.rmtree(tmp_path / "out")
    assert network.predict(X).shape == (40, 1)


def test_a_flipped_bit_of_the_weights_is_seen(file: Path, tmp_path: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-3] ^= 1
    (tmp_path / "flipped.safetensors").write_bytes(data)
    with pytest.raises(evonas.DataError, match="got damaged weights; export them again"):
        evonas.load(tmp_path / "flipped.safetensors")


def test_columns_of_a_table_are_known_by_name(tmp_path: Path) -> None:
    X = pd.DataFrame(arrays()[0].reshape(90, -1)[:, :3], columns=["a", "b", "c"])
    X.assign(class_=arrays()[1]).to_csv(tmp_path / "table.csv", index=False)
    campaign = evonas.Campaign(
        {"path": str(tmp_path / "table.csv"), "target": "class_", "drop": ["b"]},
        search="random",
        training={"epochs": 1},
        budget={"evaluations": 1},
    ).run(tmp_path / "out")
    network = evonas.load(write(campaign, "weights", output=tmp_path / "net.safetensors"))
    assert network.features == ("a", "c")
    expected = network.outputs(X[["a", "c"]].to_numpy())
    assert np.array_equal(network.outputs(X[["c", "b", "a"]]), expected)
    with pytest.raises(ValueError, match="expected the columns of its table, got none named 'c'; rename it"):
        network.predict(X[["a", "b"]])
    with pytest.raises(ValueError, match="expected finite numbers, got NaN or infinite ones"):
        network.predict([[np.nan, 1.0]])


@pytest.fixture(scope="module")
def neurons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a network of neurons that behaves."""
    made = evonas.Campaign("xor", "neat", search="random", budget={"evaluations": 3})
    return write(made.run(tmp_path_factory.mktemp("neurons") / "out"), "weights", id=1)


def test_neurons_are_used_without_their_campaign(neurons: Path) -> None:
    campaign = evonas.Campaign.load(neurons.parents[1])
    X, network = np.random.default_rng(0).normal(size=(5, 2)), evonas.load(neurons)
    assert np.array_equal(network.predict(X), campaign.network(1).predict(X))
    assert (network.kind, network.targets) == ("behaviour", ("0",))


def more_outputs(described: dict[str, Any], tensors: Any) -> None:
    described.update(n_outputs=2, targets=["0", "1"])


NEURON_CHANGES: list[tuple[Any, str]] = [
    (lambda d, t: d.update(targets=[]), "got 0 names for 1 outputs"),
    (lambda d, t: d.update(input_shape=[3]), "expected neurons for 3 inputs and 1 outputs, got 2 and 1"),
    (lambda d, t: d["encoding"].update(n_inputs=1 << 60), "n_inputs"),
    (more_outputs, "expected neurons for 2 inputs and 2 outputs, got 2 and 1"),
    (lambda d, t: t.pop("biases"), "biases is missing or differs"),
    (lambda d, t: t.update(weights=torch.zeros(1 << 10)), "weights is missing or differs"),
]


@pytest.mark.parametrize(("change", "expected"), NEURON_CHANGES)
def test_what_is_wrong_of_neurons_is_refused(change: Any, expected: str, neurons: Path, tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(altered(neurons, change))
    refused(tmp_path / "x.safetensors", expected)


@pytest.mark.parametrize("mode", ["evolved", "seeded", "through"])
def test_painted_weights_in_every_mode(mode: str, tmp_path: Path) -> None:
    X, y = arrays()
    made = evonas.Campaign(
        {"X": X, "y": y},
        {"name": "hyperneat", "mode": mode},
        search="random",
        budget={"evaluations": 1},
        training={"epochs": 1},
    ).run(tmp_path / "out")
    assert np.array_equal(evonas.load(write(made, "weights")).outputs(X), made.network(0).outputs(X))
