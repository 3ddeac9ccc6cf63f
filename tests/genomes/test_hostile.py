"""Text that claims to be a genome is refused in one line. An encoding joins by a line in `ENCODINGS`."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from genomes import (
    Architecture,
    Canvas,
    Cell,
    Cppn,
    Dag,
    DagGenome,
    Encoding,
    EsHyperNeat,
    HyperNeat,
    Neat,
    Recurrent,
    read_genome,
)
from genomes.architecture import MAX_SEGMENTS
from genomes.dag.genome import MAX_EDGES, MAX_NODES, OUTPUT, SOURCE, Gene, checked, ordered
from genomes.encoding import uniform
from genomes.reading import MAX_CHARACTERS
from tests.genomes.dags import POPULATIONS
from tests.network.nets import architecture, node

ENCODINGS: list[tuple[str, Encoding]] = [
    ("dag", Dag()),
    ("cell", Cell()),
    ("recurrent", Recurrent()),
    ("neat", Neat(n_outputs=3)),
    ("cppn", Cppn(n_outputs=1)),
    ("hyperneat", HyperNeat(n_outputs=1)),
    ("es_hyperneat", EsHyperNeat(n_outputs=1)),
    ("canvas", Canvas()),
]


@pytest.fixture(params=ENCODINGS, ids=[name for name, _ in ENCODINGS])
def encoding(request: pytest.FixtureRequest) -> Encoding:
    return request.param[1]


def sound(encoding: Encoding) -> Any:
    rng = np.random.default_rng(0)
    return encoding.to_json(encoding.sample(uniform(rng), rng=rng))


def refused(encoding: Encoding, text: Any, expected: str = "expected") -> None:
    with pytest.raises(ValueError, match=expected) as refusal:
        read_genome(encoding, text)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 400


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every value of JSON data with its path."""
    yield path, data
    pairs: Any = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in pairs:
        yield from places(value, (*path, key))


def replaced(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    data = at = copy.deepcopy(data)
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return data


# Any encoding


def test_sound_text_is_read(encoding: Encoding) -> None:
    data = sound(encoding)
    assert encoding.to_json(read_genome(encoding, json.dumps(data))) == data


@pytest.mark.parametrize(
    "text", ["", "genome", "{", '{"a": 1', "[1, 2]", "null", "7", '"text"', "{}", "\ud800", "\x00"]
)
def test_text_that_is_no_genome(encoding: Encoding, text: str) -> None:
    refused(encoding, text)


@pytest.mark.parametrize("value", [None, 7, b"{}", ["{}"]])
def test_what_is_no_text(encoding: Encoding, value: Any) -> None:
    refused(encoding, value, "expected JSON text, got")


def test_huge_text(encoding: Encoding) -> None:
    text = json.dumps(sound(encoding))
    assert read_genome(encoding, text + " " * (MAX_CHARACTERS - len(text)))
    refused(encoding, text + " " * (MAX_CHARACTERS - len(text) + 1), "at most 4,194,304 characters, got 4,194,305")


@pytest.mark.parametrize("depth", [17, 900, 100_000, MAX_CHARACTERS // 2])
def test_deep_text(encoding: Encoding, depth: int) -> None:
    refused(encoding, "[" * depth + "]" * depth, "at most 16 lists and objects in each other")
    if depth < MAX_CHARACTERS // 10:
        refused(encoding, '{"a":' * depth + "1" + "}" * depth, "at most 16 lists and objects in each other")


def test_depth_is_counted_exactly(encoding: Encoding) -> None:
    for kind in ("[" * 16 + "]" * 16, '{"a":' * 16 + "1" + "}" * 16):
        with pytest.raises(ValueError, match="genome") as refusal:
            read_genome(encoding, kind)
        assert "in each other" not in str(refusal.value)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 41, "9" * 5000])
def test_numbers_that_are_none(encoding: Encoding, number: str) -> None:
    refused(
        encoding, json.dumps(sound(encoding) | {"also": "HERE"}).replace('"HERE"', number), "expected (finite )?numbers"
    )


def test_a_hundred_thousand_of_anything(encoding: Encoding) -> None:
    data = sound(encoding)
    for path, value in places(data):
        if isinstance(value, list) and value and len(json.dumps(value)) * 100_000 < 3 * MAX_CHARACTERS:
            refused(encoding, json.dumps(replaced(data, path, value * 100_000), separators=(",", ":")))


def test_messages_stay_short_whatever_is_refused(encoding: Encoding) -> None:
    data = sound(encoding)
    for path, _ in places(data):
        for value in ("x\n" * 10_000, [7] * 10_000, {"a\n": [{"b": "c" * 10_000}]}, "\u2028", "a\nb"):
            if not (isinstance(value, list) and path == ()):
                refused(encoding, json.dumps(replaced(data, path, value)))


# Graphs


def chain(n: int, **columns: Any) -> dict[str, Any]:
    """A genome of n nodes between the ends, in a row, as JSON data."""
    names = [f"{n - at:016x}" for at in range(n)]
    gene = Gene("", "conv", width=8)._replace(**columns)
    nodes = [list(gene._replace(marking=name)) for name in names] + [list(Gene(OUTPUT, "head"))]
    edges = [list(edge) for edge in zip([SOURCE, *names], [*names, OUTPUT], strict=True)]
    return {"encoding": "dag", "version": 1, "nodes": nodes, "edges": edges}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (chain(10_000, width=65_536), "nodes: expected a list of at most 4,096, got 10,001"),
        (chain(MAX_NODES), "nodes: expected a list of at most 4,096, got 4,097"),
        (chain(2) | {"edges": [["input", "1"]] * 65_537}, "edges: expected a list of at most 65,536, got 65,537"),
        (chain(2) | {"nodes": {"a": 1}}, "nodes: expected a list of at most 4,096, got dict"),
        (chain(2, width=-1), "expected width to be a whole number from 0 to 65536, got -1"),
        (chain(2, width=10**9), "expected width to be a whole number from 0 to 65536, got 1000000000"),
        (chain(2, stride=10**9), "expected stride to be a whole number from 1 to 255"),
        (chain(2, operation="fork_bomb"), "expected operation to be one of conv, .*got 'fork_bomb'"),
        (
            chain(2) | {"edges": [["input", "0" * 15 + "2"], ["0" * 15 + "1", "0" * 15 + "2"]]},
            "expected inputs that come before it",
        ),
    ],
)
def test_hostile_graphs(data: dict[str, Any], expected: str) -> None:
    refused(Dag(), json.dumps(data), expected)


@pytest.mark.parametrize("marking", ["forward", "training", "a.b", "a\nb", "A", "a" * 65, "../x"])
def test_a_marking_is_hexadecimal(marking: str) -> None:
    data = json.loads(json.dumps(chain(1)).replace("0" * 15 + "1", json.dumps(marking)[1:-1]))
    refused(Dag(), json.dumps(data), "expected its marking, 1 to 64 hexadecimal digits")


def test_the_largest_graph_is_read_and_laid_out() -> None:
    data = chain(MAX_NODES - 1)
    names = [SOURCE, *(gene[0] for gene in data["nodes"])]
    edges = {(a, b) for step in range(1, 18) for a, b in zip(names, names[step:], strict=False)}
    edges = set(sorted(edges - {tuple(edge) for edge in data["edges"]})[: MAX_EDGES - len(data["edges"])])
    data["edges"] += [list(edge) for edge in sorted(edges)]
    assert len(data["edges"]) == MAX_EDGES
    text = json.dumps(data)
    assert len(text) < MAX_CHARACTERS
    genome = read_genome(Dag(), text)
    assert len(genome.nodes) == MAX_NODES
    phenotype = Dag().develop(genome)
    assert len(phenotype.layout((3, 32, 32), 10)) == MAX_NODES + 1
    assert len(phenotype.digest) == 16


def doubling(n: int) -> Architecture:
    """Each concatenation reads the one before twice: 2^n segments."""
    nodes = []
    last = "input"
    for at in range(n):
        nodes += [node(f"a{at}", "identity", last), node(f"b{at}", "identity", f"{last} a{at}", merge="concat")]
        last = f"b{at}"
    return architecture(*nodes)


def test_segments_that_double_are_refused_before_they_fill_memory() -> None:
    assert doubling(10).n_parameters((3, 8, 8), 10) == 3 * 2**10 * 10 + 10
    with pytest.raises(ValueError, match=f"at most {MAX_SEGMENTS:,} segments of channels"):
        doubling(1000).n_parameters((3, 8, 8), 10)


# The order of nodes, which is linear now, as it was


def ordered_slowly(genes: dict[str, Gene], edges: list[tuple[str, str]]) -> DagGenome:
    kept = edges
    while True:
        fed, read = {SOURCE, *(target for _, target in kept)}, {OUTPUT, *(source for source, _ in kept)}
        alive = {SOURCE, *(name for name in genes if name in fed and name in read)}
        left = [(source, target) for source, target in kept if source in alive and target in alive]
        if len(left) == len(kept):
            break
        kept = left
    waiting = {name: {source for source, target in kept if target == name} for name in sorted(alive - {SOURCE})}
    nodes: list[Gene] = []
    while waiting:
        ready = [name for name, sources in waiting.items() if sources <= {SOURCE, *(gene.marking for gene in nodes)}]
        nodes.append(genes[next((name for name in ready if name != OUTPUT), OUTPUT)])
        del waiting[nodes[-1].marking]
    at = {gene.marking: place for place, gene in enumerate(nodes)}
    return DagGenome(tuple(nodes), tuple(sorted(kept, key=lambda edge: at[edge[1]])))


def test_the_order_is_the_first_by_name_of_what_is_ready() -> None:
    rng = np.random.default_rng(0)
    for genome in (genome for population in POPULATIONS.values() for genome in population):
        for _ in range(3):
            edges = [genome.edges[at] for at in rng.permutation(len(genome.edges))]
            lost = edges[: len(edges) - 1] if rng.random() < 0.5 else edges
            expected = ordered_slowly(genome.genes, lost)
            if any(target == OUTPUT for _, target in expected.edges):
                assert ordered(genome.genes, lost) == expected
    assert checked(genome.nodes, genome.edges) == genome
