"""What the cell encoding develops into: the published networks, the stack, one cell."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from genomes import Architecture, Cell
from genomes.architecture import Node
from genomes.cell import Block, CellGenome, reference
from genomes.cell.development import Place, places
from genomes.cell.encoding import REFERENCES
from genomes.cell.genome import KINDS
from genomes.cell.spaces import COMBINES, WORDS
from genomes.encoding import uniform
from genomes.operations import OPERATIONS

CIFAR, IMAGENET = ((3, 32, 32), 10), ((3, 224, 224), 1_001)
MOBILE = Cell(n=4, filters=44, stack="imagenet", stem_multiplier=1)

# The published networks


@pytest.mark.parametrize(
    ("name", "config", "millions", "within"),
    [
        ("nasnet_a", Cell(n=6, filters=32), 3.3, 0.05),
        ("darts_second_order", Cell(space="darts", n=6, filters=36), 3.3, 0.1),
        # Real et al. 2019, table 1.
        ("amoebanet_a", Cell(space="amoebanet", n=6, filters=36), 3.2, 0.1),
        ("amoebanet_a", Cell(space="amoebanet", n=6, filters=32), 2.6, 0.1),
    ],
)
def test_a_reference_has_its_published_number_of_parameters(
    name: str, config: Cell, millions: float, within: float
) -> None:
    found = config.develop(reference(name)).n_parameters(*CIFAR)
    assert found / 1e6 == pytest.approx(millions, abs=within)


def test_nasnet_mobile_has_its_published_size_and_cost() -> None:
    """5.3 M parameters and 564 M multiply-accumulates: Zoph et al. 2018, table 3, 4@1056."""
    phenotype = MOBILE.develop(reference("nasnet_a"))
    assert phenotype.n_parameters(*IMAGENET) == pytest.approx(5.3e6, rel=0.03)
    assert phenotype.macs(*IMAGENET) == pytest.approx(564e6, rel=0.03)
    # Without departures: the released network has 5,289,978 values for 1,000 classes.
    assert phenotype.n_parameters((3, 224, 224), 1_000) == pytest.approx(5_289_978, rel=0.001)
    assert phenotype.shapes(*IMAGENET)["rectified"] == (1056, 7, 7)


def test_six_at_768() -> None:
    assert Cell(n=6, filters=32).develop(reference("nasnet_a")).shapes(*CIFAR)["rectified"] == (768, 8, 8)


@pytest.mark.parametrize(
    ("name", "n_blocks", "normal", "reduction"),
    [
        ("nasnet_a", 5, (0, 2, 3, 4, 5, 6), (3, 4, 5, 6)),
        ("amoebanet_a", 5, (4, 5, 6), (3, 4, 6)),
        ("darts_second_order", 4, (2, 3, 4, 5), (2, 3, 4, 5)),
    ],
)
def test_a_reference_concatenates_what_is_published(
    name: str, n_blocks: int, normal: tuple[int, ...], reduction: tuple[int, ...]
) -> None:
    genome = reference(name)
    assert [len(genome.cells[kind]) for kind in KINDS] == [n_blocks, n_blocks]
    assert (genome.output("normal"), genome.output("reduction")) == (normal, reduction)
    assert {block.combine for kind in KINDS for block in genome.cells[kind]} == {"add"}


def test_every_reference_has_a_source_and_is_a_genome() -> None:
    paths = sorted(REFERENCES.glob("*.json"))
    assert [path.stem for path in paths] == ["amoebanet_a", "darts_second_order", "nasnet_a"]
    for path in paths:
        data = json.loads(path.read_text("utf-8"))
        assert "arxiv.org" in data["source"]
        assert reference(path.stem) == Cell().from_json(Cell().to_json(reference(path.stem)))


# The stack


def test_places() -> None:
    assert places(Cell(n=2, filters=8, n_reductions=2)) == [
        Place("0-0", "normal", 8),
        Place("0-1", "normal", 8),
        Place("r1", "reduction", 16),
        Place("1-0", "normal", 16),
        Place("1-1", "normal", 16),
        Place("r2", "reduction", 32),
        Place("2-0", "normal", 32),
        Place("2-1", "normal", 32),
    ]
    assert places(Cell(n=1, filters=12, n_reductions=0, stack="imagenet")) == [
        Place("r-2", "reduction", 3),
        Place("r-1", "reduction", 6),
        Place("0-0", "normal", 12),
    ]
    assert [place.filters for place in places(Cell(n=1, filters=1, n_reductions=0, stack="imagenet"))] == [1, 1, 1]
    assert len(places(Cell(n=6, n_reductions=2))) == 20


def test_stack_rows() -> None:
    assert Cell(n=6).stack_rows(reference("nasnet_a"), *CIFAR) == [
        ("image", 1, (3, 32, 32)),
        ("stem", 1, (96, 32, 32)),
        ("normal cell", 6, (192, 32, 32)),
        ("reduction cell", 1, (128 * 2, 16, 16)),
        ("normal cell", 6, (384, 16, 16)),
        ("reduction cell", 1, (128 * 4, 8, 8)),
        ("normal cell", 6, (768, 8, 8)),
        ("softmax", 1, (10,)),
    ]
    assert MOBILE.stack_rows(reference("nasnet_a"), *IMAGENET) == [
        ("image", 1, (3, 224, 224)),
        ("stem", 1, (32, 112, 112)),
        ("reduction cell", 1, (44, 56, 56)),
        ("reduction cell", 1, (88, 28, 28)),
        ("normal cell", 4, (264, 28, 28)),
        ("reduction cell", 1, (352, 14, 14)),
        ("normal cell", 4, (528, 14, 14)),
        ("reduction cell", 1, (704, 7, 7)),
        ("normal cell", 4, (1056, 7, 7)),
        ("softmax", 1, (1_001,)),
    ]


def test_a_cell_that_nothing_reads_is_no_row() -> None:
    """Where blocks read the cell before the last alone, every other cell feeds nothing."""
    skipping = (Block(0, 0, "identity", "conv_3x3"),)
    rows = Cell(n=4, n_reductions=0).stack_rows(CellGenome(skipping, skipping), *CIFAR)
    assert rows == [("image", 1, (3, 32, 32)), ("stem", 1, (96, 32, 32)), ("normal cell", 2, (32, 32, 32)), SOFTMAX]


SOFTMAX = ("softmax", 1, (10,))

# One cell


def one(word: str, *, kind: str = "normal", filters: int = 8) -> tuple[Architecture, dict[str, Node]]:
    """A stack whose first block has the word on its left; its nodes by id."""
    blocks = (Block(1, 1, word, "conv_3x3"), Block(2, 0, word, "max_pool_3x3"))
    config = Cell(n=1, filters=filters, n_reductions=int(kind == "reduction"), stem_multiplier=1)
    phenotype = config.develop(CellGenome(blocks, blocks))
    return phenotype, {node.id: node for node in phenotype.nodes}


def test_a_separable_convolution_is_applied_twice() -> None:
    for kernel in (3, 5, 7):
        _, nodes = one(f"sep_conv_{kernel}x{kernel}", kind="reduction")
        first, second = nodes["r1:reduction-0-left"], nodes["r1/2:reduction-0-left"]
        for node, stride in ((first, 2), (second, 1)):
            assert (node.operation, node.settings["kernel"], node.settings["stride"]) == ("separable", kernel, stride)
        assert second.inputs == (first.id,)
        assert second.id in nodes["r1:reduction-0"].inputs
    for word in ("dil_sep_conv_3x3", "conv_3x3", "conv_1x7_7x1"):
        assert "r1/2:reduction-0-left" not in one(word, kind="reduction")[1]


def random_phenotypes(n: int = 12) -> list[tuple[Cell, CellGenome, Architecture]]:
    found = []
    for seed in range(n):
        config = Cell(operations=tuple(WORDS), combines=COMBINES, n=2, filters=8, stack=("cifar", "imagenet")[seed % 2])
        genome = config.sample(uniform(np.random.default_rng(seed)), rng=np.random.default_rng(seed))
        found.append((config, genome, config.develop(genome)))
    return found


def test_every_convolution_is_rectified_before_and_normalised_after() -> None:
    for _, _, phenotype in random_phenotypes():
        for node in phenotype.nodes:
            if not OPERATIONS[node.operation].parametric or node.operation == "head":
                continue
            before = "none" if node.id == "stem" or node.operation == "attention" else "relu"
            found = (node.settings["preactivation"], node.settings["activation"], node.settings["normalisation"])
            assert found == (before, "none", "batch"), node


def test_only_what_reads_an_input_of_a_reduction_cell_is_strided() -> None:
    """Every cell keeps its resolution, or halves it once on every way through."""
    for config, _, phenotype in random_phenotypes():
        sources = {node.id: node.inputs for node in phenotype.nodes}
        strided = {
            node.id
            for node in phenotype.nodes
            if node.settings.get("stride", 1) > 1 or node.operation == "factorised_reduction"
        } - {"stem"}
        inputs = {node.id for node in phenotype.nodes if "-input-" in node.id}
        reduced = {place.name for place in places(config) if place.kind == "reduction"}
        for id in set(sources) - inputs - {"stem"}:
            in_reduction = id.partition(":")[0].partition("/")[0] in reduced
            reads_input = bool(sources[id]) and set(sources[id]) <= inputs
            is_operation = id.endswith(("-left", "-right"))
            assert (id in strided) == (in_reduction and reads_input and is_operation), id
        for id in strided & inputs:
            assert id.endswith("-input-0")


def test_sizes_of_the_cells() -> None:
    """Odd sides are rounded up, at every halving."""
    for config, _, phenotype in random_phenotypes():
        shapes = phenotype.shapes((3, 37, 18), 10)
        side = np.array([37, 18])
        if config.stack == "imagenet":
            side = -(-side // 2)
        for place in places(config):
            if place.kind == "reduction":
                side = -(-side // 2)
            for id, shape in shapes.items():
                if id.partition(":")[0].partition("/")[0] == place.name and "-input-" not in id:
                    assert shape[1:] == tuple(side), id


def test_a_result_of_other_than_the_cells_filters_is_repaired() -> None:
    """Behind a concatenation, which has twice the filters, where the operation keeps the channels it is given."""
    for word, steps in WORDS.items():
        blocks = (Block(1, 1, "identity", "identity", "concat"), Block(2, 2, word, "identity"))
        phenotype = Cell(n=1, filters=8, n_reductions=0).develop(CellGenome(blocks, blocks))
        shapes, nodes = phenotype.shapes(*CIFAR), {node.id: node for node in phenotype.nodes}
        assert shapes["0-0:normal-0"] == (16, 32, 32)
        assert shapes["0-0:normal-1"] == (8, 32, 32)
        repaired = all(not OPERATIONS[step.operation].parametric for step in steps)
        assert ("0-0/repair:normal-1-left" in nodes) == repaired, word
        if repaired:
            repair = nodes["0-0/repair:normal-1-left"]
            assert (repair.operation, repair.settings["kernel"], repair.settings["width"]) == ("conv", 1, 8)


def test_a_path_can_be_dropped_but_for_the_identity() -> None:
    """The last node of every other operation says how deep its cell stands, (cell + 1) / cells."""
    for config, genome, phenotype in random_phenotypes():
        nodes = {node.id: node for node in phenotype.nodes}
        cells, expected = places(config), {}
        for number, place in enumerate(cells):
            for at, block in enumerate(genome.cells[place.kind]):
                for side in ("left", "right"):
                    marking = f"{place.kind}-{at}-{side}"
                    ids = [f"{place.name}{step}:{marking}" for step in ("", "/2", "/repair")]
                    made = [id for id in ids if id in nodes]
                    if made and getattr(block, f"{side}_operation") != "identity":
                        expected[made[-1]] = (number + 1) / len(cells)
        assert {id: n.settings["path"] for id, n in nodes.items() if "path" in n.settings} == expected


def test_what_feeds_nothing_is_left_out() -> None:
    for _, genome, phenotype in random_phenotypes():
        read = {source for node in phenotype.nodes for source in node.inputs}
        assert {node.id for node in phenotype.nodes} - read == {"output"}
        if all(0 not in (b.left, b.right) for b in genome.normal) and 0 not in genome.normal_output:
            assert not any("normal-input-0" in node.id for node in phenotype.nodes)
    blocks = (Block(1, 1, "identity", "conv_3x3"),)
    ids = {node.id for node in Cell(n=1, n_reductions=0).develop(CellGenome(blocks, blocks)).nodes}
    assert ids == {"input", "stem", "0-0:normal-input-1", "0-0:normal-0-right", "0-0:normal-0", OUTPUT, *ENDS}


OUTPUT = "0-0:normal-output"
ENDS = ("rectified", "output")


def test_another_number_of_cells_keeps_every_id() -> None:
    for config, genome, phenotype in random_phenotypes():
        kept: dict[str, Any] = {node.id: replace_path(node) for node in phenotype.nodes}
        grown = {node.id: replace_path(node) for node in replace(config, n=4).develop(genome).nodes}
        assert kept.keys() <= grown.keys()
        for id, node in kept.items():
            assert (grown[id].operation, grown[id].attributes) == (node.operation, node.attributes)


def replace_path(node: Node) -> Node:
    """The node without how deep it stands, which is relative to the number of cells."""
    return replace(node, attributes=tuple(pair for pair in node.attributes if pair[0] != "path"))
