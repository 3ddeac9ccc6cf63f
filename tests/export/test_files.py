"""Genomes, graphs and tables, read back by the programs that they are for."""

import csv
import json
import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

import networkx as nx
import pandas as pd
import pytest

from evonas.campaign import Campaign, SpecError, StoreError
from evonas.export import FORMATS, write
from evonas.export.formats import write_whole
from tests.campaigns import written_data


@pytest.fixture(scope="module")
def campaign(finished: Path) -> Campaign:
    return Campaign.load(finished)


def test_a_genome_is_what_a_list_takes(campaign: Campaign, tmp_path: Path) -> None:
    assert campaign.best is not None
    text = write(campaign, "genome", output=tmp_path / "best.json").read_text()
    data = str(written_data(tmp_path / "data.npz"))
    encoding = {"name": "dag", "widths": [4, 8]}
    listed = {"name": "listed", "genomes": [text]}
    again = Campaign({"path": data}, encoding, listed, training={"epochs": 1}).run(tmp_path / "out")
    assert [one.digest for one in again.individuals] == [campaign.best.digest]


def test_a_graph_is_the_architecture(campaign: Campaign, tmp_path: Path) -> None:
    for one in campaign.individuals:
        architecture = campaign.phenotype(one)
        read = nx.read_graphml(BytesIO(write(campaign, "graphml", one.id, tmp_path / "x").read_bytes()))
        assert set(read.edges) == {(source, node.id) for node in architecture.nodes for source in node.inputs}
        assert {name: data["operation"] for name, data in read.nodes(data=True)} == {
            node.id: node.operation for node in architecture.nodes
        }
        assert sum(data["parameters"] for _, data in read.nodes(data=True)) == one.metrics["parameters"]
        assert sum(data["macs"] for _, data in read.nodes(data=True)) == one.metrics["macs"]
        widths = {node.id: node.settings["width"] for node in architecture.nodes if "width" in node.settings}
        assert {name: data["width"] for name, data in read.nodes(data=True) if "width" in data} == widths
        assert read.nodes[architecture.nodes[0].id]["shape"] == "1x4x4"


def test_dot_of_neurons_has_weights_biases_and_names(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("wide,high,y\n" + "".join(f"{i},{i % 7},{i % 3 / 2 + i}\n" for i in range(60)))
    task = {"name": "table", "path": str(tmp_path / "t.csv"), "target": "y", "kind": "regression"}
    search = {"name": "speciated", "population": 4}
    found = Campaign(task, "neat", search, budget={"evaluations": 4}, training={"epochs": 0}).run(tmp_path / "out")
    assert found.best is not None
    graph = found.phenotype(found.best)
    lines = write(found, "dot", output=tmp_path / "x.dot").read_text().splitlines()
    labels = [line.split("label=")[1].split(",")[0] for line in lines if '"input ' in line and "->" not in line]
    assert labels == ['"wide"', '"high"']
    (neuron,) = [line for line in lines if line.startswith(f'  "{graph.ids[-1]}" [')]
    assert f'label="output 0\\n{graph.activations[-1]}\\nbias {graph.biases[-1]:.3g}"' in neuron
    edges = [line for line in lines if "->" in line]
    assert len(edges) == len(graph.weights) > 0
    for weight in graph.weights:
        colour = "#0072B2" if weight >= 0 else "#D55E00"
        assert any(f'[label="{weight:.3g}", color="{colour}"]' in line for line in edges)


def test_dot_names_every_node_and_edge(campaign: Campaign, tmp_path: Path) -> None:
    for one in campaign.individuals:
        architecture = campaign.phenotype(one)
        lines = write(campaign, "dot", one.id, tmp_path / "x.dot").read_text().splitlines()
        assert lines[0] == f'digraph "individual {one.id}" {{'
        assert lines[-1] == "}"
        for node in architecture.nodes:
            assert any(line.startswith(f'  "{node.id}" [label="{node.operation}') for line in lines)
            for source in node.inputs:
                assert f'  "{source}" -> "{node.id}";' in lines


def test_a_table_has_all_individuals_and_their_metrics(campaign: Campaign, tmp_path: Path) -> None:
    path = write(campaign, "csv", output=tmp_path / "all.csv")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row, one in zip(rows, campaign.individuals, strict=True):
        assert int(row["id"]) == one.id
        assert [int(parent) for parent in row["parents"].split()] == list(one.parents)
        assert float(row["fitness"]) == one.fitness
        for name in ("state", "operator", "digest"):
            assert row[name] == getattr(one, name)
        for name, value in one.metrics.items():
            assert float(row[name]) == value
        assert row["accuracy_at_birth"] != "" or not one.donors


def test_a_phylogeny_is_read_by_others(campaign: Campaign, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImportWarning)  # It is slower without numba, and says so.
        from phyloframe.legacy import (
            alifestd_count_root_nodes,
            alifestd_is_chronologically_ordered,
            alifestd_is_topologically_sorted,
            alifestd_parse_ancestor_ids,
            alifestd_validate,
        )
    frame = pd.read_csv(write(campaign, "phylogeny", output=tmp_path / "p.csv"))
    assert alifestd_validate(frame)
    assert alifestd_is_chronologically_ordered(frame)
    assert alifestd_is_topologically_sorted(frame)
    individuals = campaign.individuals
    assert alifestd_count_root_nodes(frame) == sum(not one.parents for one in individuals)
    ancestors = {id: tuple(map(int, alifestd_parse_ancestor_ids(text))) for id, text in _lists(frame)}
    assert ancestors == {one.id: one.parents for one in individuals}
    assert set(frame["ancestor_list"][:4]) == {"[none]"}, "the word of the standard"
    assert list(frame["fitness"]) == [one.fitness for one in individuals]
    assert list(frame["trait"].astype(str)) == [one.digest for one in individuals]


def _lists(frame: Any) -> list[tuple[int, str]]:
    return list(zip(frame["id"], frame["ancestor_list"], strict=True))


def test_weights_that_were_not_kept_are_refused(campaign: Campaign, tmp_path: Path) -> None:
    kept = {int(path.name.partition("-")[0]) for path in (campaign.directory / "weights").iterdir()}
    gone = next(one.id for one in campaign.individuals if one.id not in kept)
    for format in ("weights", "onnx", "pt2"):
        with pytest.raises(StoreError, match=rf"individual {gone}, found none; they are kept for") as caught:
            write(campaign, format, gone, tmp_path / "x")
        assert ", ".join(map(str, sorted(kept))) in str(caught.value)
    assert not (tmp_path / "x").exists()


def test_what_cannot_be_exported_is_refused(campaign: Campaign, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"format: expected one of genome, .*, got 'tf'"):
        write(campaign, "tf")
    with pytest.raises(SpecError, match=r"csv: expected no individual's number, got 3"):
        write(campaign, "csv", 3)
    with pytest.raises(StoreError, match=r"expected an individual from 0 to 9, got 10"):
        write(campaign, "dot", 10)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deep/er/file"
    write_whole(path, b"old")
    monkeypatch.setattr("os.replace", _full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert [one.name for one in path.parent.iterdir()] == ["file"]


def _full(*paths: Any) -> None:
    raise OSError(28, "No space left on device")


def test_every_format_is_of_one_or_of_all() -> None:
    assert all((how.one is None) != (how.whole is None) for how in FORMATS.values())
    assert json.dumps(list(FORMATS)) == '["genome", "weights", "pt2", "onnx", "dot", "graphml", "csv", "phylogeny"]'
