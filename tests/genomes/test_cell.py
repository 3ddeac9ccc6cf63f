"""The cell encoding: sampling, mutation, crossover, limits; `test_cell_stack` has what it develops into."""

import math
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from genomes import Cell
from genomes.cell import Block, CellGenome, reference
from genomes.cell.genome import KINDS, MAX_BLOCKS, gene
from genomes.cell.operators import OPERATORS
from genomes.cell.spaces import COMBINES, SPACES, WORDS
from genomes.encoding import Variation, uniform

N_DRAWS = 3_000
FOUR_SIGMA = 4.0
AMOEBANET = Cell(space="amoebanet")


def rng(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def sampled(config: Cell, seed: int) -> CellGenome:
    return config.sample(uniform(rng(seed)), rng=rng(seed))


def likely(count: int, n: int, probability: float) -> bool:
    """Whether a count of n draws lies within four standard deviations: one of 16,000 does not by chance."""
    return abs(count - n * probability) <= FOUR_SIGMA * math.sqrt(n * probability * (1 - probability))


def evenly(counts: Counter[Any], options: set[Any]) -> bool:
    """Whether all options were drawn, none else, and equally often."""
    n = counts.total()
    return set(counts) == options and all(likely(count, n, 1 / len(options)) for count in counts.values())


# Sampling


def choices(config: Cell) -> list[tuple[str, int]]:
    """The kind and the number of options of every decision."""
    found: list[tuple[str, int]] = []

    def decide(site: tuple[str | int, ...], n_options: int) -> int:
        found.append((str(site[0]), n_options))
        return 0

    config.sample(decide, rng=rng(0))
    return found


def test_a_cell_of_eight_operations_has_the_published_number_of_choices() -> None:
    """5.6 × 10¹⁴ for five blocks added up: Liu et al. 2018 (https://arxiv.org/abs/1712.00559)."""
    counts = [n_options for kind, n_options in choices(AMOEBANET) if kind.startswith("normal")]
    assert math.prod(counts) == pytest.approx(5.6e14, rel=0.01)


def test_the_darts_space_has_the_published_size() -> None:
    """10¹⁸, by the appendix of the DARTS paper, which counts pairs of different states and seven operations."""
    states = [n_options for kind, n_options in choices(Cell(space="darts")) if kind.endswith("_state")]
    words = [n_options for kind, n_options in choices(Cell(space="darts")) if kind.endswith("_operation")]
    assert math.prod(math.comb(n, 2) for n in states[::2]) * math.prod(n - 1 for n in words) == pytest.approx(
        1e18, rel=0.1
    )


def test_nasnet_takes_five_decisions_a_block() -> None:
    """In the order of the paper's controller: the normal cell first, two states, two operations, one combination."""
    expected = [
        (f"{kind}_{what}", n_options)
        for kind in KINDS
        for at in range(5)
        for what, n_options in (
            ("state", at + 2),
            ("state", at + 2),
            ("operation", 13),
            ("operation", 13),
            ("combination", 2),
        )
    ]
    assert choices(Cell()) == expected


def test_the_published_spaces_have_their_operations() -> None:
    assert {name: (len(space.operations), space.n_blocks) for name, space in SPACES.items()} == {
        "nasnet": (13, 5),
        "amoebanet": (8, 5),
        "darts": (8, 4),
    }
    for space in SPACES.values():
        assert set(space.operations) <= set(WORDS)
        assert len(set(space.operations)) == len(space.operations)
        assert "arxiv.org" in space.source


def test_sampling_is_uniform() -> None:
    config = Cell()
    genomes = [sampled(config, seed) for seed in range(N_DRAWS // 5)]
    for kind in KINDS:
        for at in range(config.blocks):
            blocks = [genome.cells[kind][at] for genome in genomes]
            for side in ("left", "right"):
                assert evenly(Counter(getattr(block, side) for block in blocks), set(range(at + 2)))
                words = Counter(getattr(block, f"{side}_operation") for block in blocks)
                assert evenly(words, set(config.words))
            assert evenly(Counter(block.combine for block in blocks), set(COMBINES))


def test_the_output_of_a_sample_is_that_of_its_space() -> None:
    for seed in range(20):
        genome = sampled(Cell(space="darts"), seed)
        assert genome.output("normal") == genome.output("reduction") == (2, 3, 4, 5)
        genome = sampled(Cell(space="darts", output="unused"), seed)
        assert genome.normal_output == ()
        assert max(genome.output("normal")) == 5
        assert sampled(Cell(output="all"), seed).output("normal") == (2, 3, 4, 5, 6)


def test_what_no_block_reads_is_concatenated() -> None:
    blocks = (Block(0, 1, "identity", "identity"), Block(2, 0, "identity", "identity"), Block(1, 1, "none", "none"))
    genome = CellGenome(blocks, blocks, (), (0, 2))
    assert genome.output("normal") == (3, 4)
    assert genome.output("reduction") == (0, 2, 3, 4)


# Mutation


def change(before: CellGenome, after: CellGenome) -> tuple[str, int, str]:
    """The only choice that differs: the cell, the block and which of its elements."""
    found = [
        (kind, at, field)
        for kind in KINDS
        for at, (old, new) in enumerate(zip(before.cells[kind], after.cells[kind], strict=True))
        for field in Block._fields
        if getattr(old, field) != getattr(new, field)
    ]
    assert len(found) == 1
    assert (before.normal_output, before.reduction_output) == (after.normal_output, after.reduction_output)
    return found[0]


def mutants(config: Cell, genome: CellGenome, n: int = N_DRAWS) -> list[Variation[CellGenome]]:
    stream = rng(11)
    return [config.mutate(genome, rng=stream) for _ in range(n)]


def test_mutations_come_as_often_as_published() -> None:
    """Real et al. 2019: the identity with 5 %, a hidden state and an operation equally often, elements uniformly."""
    genome = sampled(AMOEBANET, 0)
    found = mutants(AMOEBANET, genome)
    operators = Counter(variation.operator for variation in found)
    assert set(operators) == {"identity", "change_hidden_state", "change_operation"}
    assert likely(operators["identity"], N_DRAWS, 0.05)
    assert likely(operators["change_hidden_state"], N_DRAWS, 0.475)
    places = {
        "change_hidden_state": {(kind, at, side) for kind in KINDS for at in range(5) for side in ("left", "right")},
        "change_operation": {
            (kind, at, f"{side}_operation") for kind in KINDS for at in range(5) for side in ("left", "right")
        },
    }
    for operator, options in places.items():
        changes = [(change(genome, v.genome), v.genome) for v in found if v.operator == operator]
        assert evenly(Counter(place for place, _ in changes), options)
        for kind, at, field in options:
            new = Counter(
                getattr(genome.cells[kind][at], field) for place, genome in changes if place == (kind, at, field)
            )
            known = set(range(at + 2)) if operator == "change_hidden_state" else set(AMOEBANET.words)
            assert evenly(new, known - {getattr(genome.cells[kind][at], field)})


def test_an_identity_leaves_the_genome() -> None:
    genome = sampled(AMOEBANET, 0)
    found = [variation for variation in mutants(AMOEBANET, genome, 300) if variation.operator == "identity"]
    assert found
    assert all((variation.genome, variation.touched) == (genome, ()) for variation in found)


def test_a_combination_changes_where_a_space_has_two() -> None:
    genome = sampled(Cell(), 0)
    found = mutants(Cell(), genome)
    changes = [change(genome, v.genome) for v in found if v.operator == "change_combination"]
    assert likely(len(changes), N_DRAWS, 0.2 / 1.2)
    assert evenly(Counter(changes), {(kind, at, "combine") for kind in KINDS for at in range(5)})


def test_a_block_only_reads_what_comes_before_it() -> None:
    genome = sampled(AMOEBANET, 3)
    stream = rng(4)
    for _ in range(500):
        genome = AMOEBANET.mutate(genome, rng=stream).genome
        for kind in KINDS:
            for at, block in enumerate(genome.cells[kind]):
                assert max(block.left, block.right) < at + 2
    assert AMOEBANET.from_json(AMOEBANET.to_json(genome)) == genome


def test_weights_of_mutations_are_kept_to() -> None:
    config = Cell(mutations={"identity": 0, "change_operation": 3, "change_hidden_state": 1, "change_combination": 0})
    operators = Counter(variation.operator for variation in mutants(config, sampled(config, 0), 1_000))
    assert set(operators) == {"change_operation", "change_hidden_state"}
    assert likely(operators["change_operation"], 1_000, 0.75)


def test_an_operator_that_does_not_fit_gives_way() -> None:
    config = Cell(operations=("identity",), combines=("add",), mutations={"identity": 0})
    found = mutants(config, sampled(config, 0), 50)
    assert {variation.operator for variation in found} == {"change_hidden_state"}
    stuck = replace(config, mutations={**dict.fromkeys(OPERATORS, 0), "change_operation": 1})
    with pytest.raises(ValueError, match="expected one of change_operation to fit it, none does; allow others"):
        stuck.mutate(sampled(config, 0), rng=rng(0))


def test_what_a_mutation_touched() -> None:
    """The element, its block, and what reads a block that now puts out another number of channels."""
    blocks = (Block(0, 1, "identity", "conv_3x3"), Block(2, 0, "conv_1x1", "conv_1x1"))
    genome = CellGenome(blocks, blocks)
    seen = {}
    for variation in mutants(Cell(n_blocks=2), genome, 300):
        if variation.operator != "identity":
            seen[change(genome, variation.genome)] = set(variation.touched)
    left = gene("normal", 0, "left")
    assert seen["normal", 0, "left_operation"] == seen["normal", 0, "left"] == {left, gene("normal", 0)}
    assert seen["normal", 0, "combine"] == {gene("normal", 0), gene("normal", 1), gene("normal", 1, "left")}
    assert seen["reduction", 1, "combine"] == {gene("reduction", 1)}


# Crossover


def test_a_child_has_every_block_of_either_parent() -> None:
    a, b = sampled(Cell(), 0), replace(sampled(Cell(), 1), normal_output=(1,))
    taken: Counter[tuple[str, int]] = Counter()
    n = 500
    for seed in range(n):
        child = Cell().crossover(a, b, rng=rng(seed)).genome
        assert (child.normal_output, child.reduction_output) == ((), ())
        for kind in KINDS:
            for at, block in enumerate(child.cells[kind]):
                assert block in (a.cells[kind][at], b.cells[kind][at])
                taken[kind, at] += block == b.cells[kind][at]
    assert all(likely(taken[kind, at], n, 0.5) for kind in KINDS for at in range(5))


def test_parents_of_several_sizes_have_children_of_the_fitter_ones() -> None:
    small, large = sampled(Cell(n_blocks=2), 0), sampled(Cell(n_blocks=7), 1)
    for a, b in ((small, large), (large, small)):
        for seed in range(20):
            child = Cell().crossover(a, b, rng=rng(seed)).genome
            assert [len(child.cells[kind]) for kind in KINDS] == [len(a.cells[kind]) for kind in KINDS]
            assert Cell().from_json(Cell().to_json(child)) == child


# Limits


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"space": "random"}, "space: expected some of nasnet, amoebanet, darts, each once, got .*; correct it"),
        ({"operations": ()}, "operations: expected some of identity"),
        ({"operations": ("conv_9x9",)}, "operations: expected some of identity"),
        ({"operations": ("identity", "identity")}, "operations: expected some of identity, .* each once"),
        ({"combines": ("multiply",)}, "combines: expected some of add, concat"),
        ({"combines": ()}, "combines: expected some of add, concat"),
        ({"output": "some"}, "output: expected some of unused, all"),
        ({"output": ""}, "output: expected some of unused, all"),
        ({"stack": "mnist"}, "stack: expected some of cifar, imagenet"),
        *(
            ({field: value}, f"{field}: expected a whole number from {least} to {most}, got {value}")
            for field, least, most, values in (
                ("n", 1, 100, (0, -1, 101, 2.0, True)),
                ("n_blocks", 1, MAX_BLOCKS, (0, 33, 1.5, True)),
                ("n_reductions", 0, 8, (-1, 9, False)),
                ("filters", 1, "65,536", (0, 65_537, 8.0)),
                ("stem_multiplier", 1, 64, (0, 65, 1.5)),
            )
            for value in values
        ),
        ({"mutations": {"add_block": 1}}, "mutations: expected some of identity, change_hidden_state.*add_block"),
        ({"mutations": {"identity": -1}}, "mutations: expected weights of 0 or more"),
        ({"mutations": {"identity": math.nan}}, "mutations: expected weights of 0 or more"),
        ({"mutations": {"identity": math.inf}}, "mutations: expected weights of 0 or more"),
        ({"mutations": dict.fromkeys(OPERATORS, 0)}, "mutations: expected weights of 0 or more, one of them above 0"),
    ],
    ids=str,
)
def test_a_wrong_configuration_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Cell(**wrong)


def test_vectors_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected images .* for cells, got inputs of shape \(13,\); use dag"):
        Cell().for_task((13,), 10)


def test_too_many_nodes_are_refused_before_they_are_built(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Cell(n=100, n_blocks=MAX_BLOCKS, n_reductions=2)
    genome = sampled(config, 0)
    monkeypatch.setattr("genomes.cell.development._Builder", None)
    with pytest.raises(ValueError, match=r"at most 16,384 nodes, 302 cells .* lower n or the number of blocks"):
        config.develop(genome)


def row(**changes: Any) -> dict[str, Any]:
    """The JSON of a small genome whose normal cell's second block has one value changed."""
    blocks = [[0, 1, "identity", "identity", "add"], [2, 0, "identity", "identity", "add"]]
    changed = [*blocks[:1], [changes.get(name, value) for name, value in zip(Block._fields, blocks[1], strict=True)]]
    cell = {"blocks": blocks, "output": []}
    return {"encoding": "cell", "version": 1, "normal": {"blocks": changed, "output": []}, "reduction": cell}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"left": 3}, "normal block 1: expected left to be a hidden state from 0 to 2, made before the block, got 3"),
        ({"right": -1}, "normal block 1: expected right to be a hidden state from 0 to 2"),
        ({"left": True}, "normal block 1: expected left to be a hidden state"),
        ({"left_operation": "conv"}, "normal block 1: expected left_operation to be one of identity.*got 'conv'"),
        ({"combine": "mean"}, "normal block 1: expected combine to be one of add, concat, got 'mean'"),
    ],
)
def test_a_block_out_of_range_is_named(changes: dict[str, Any], message: str) -> None:
    assert Cell().from_json(row())
    with pytest.raises(ValueError, match=message):
        Cell().from_json(row(**changes))


def test_the_number_of_blocks_and_the_output_are_bounded() -> None:
    data = Cell().to_json(sampled(Cell(n_blocks=MAX_BLOCKS), 0))
    assert len(Cell().from_json(data).normal) == MAX_BLOCKS
    data["normal"]["blocks"].append([0, 0, "identity", "identity", "add"])
    with pytest.raises(ValueError, match="normal: expected 1 to 32 blocks, got 33"):
        Cell().from_json(data)
    data["normal"]["blocks"] = []
    with pytest.raises(ValueError, match="normal: expected 1 to 32 blocks, got 0"):
        Cell().from_json(data)
    for output in ([4], [1, 0], [2, 2], [-1]):
        with pytest.raises(ValueError, match="reduction_output: expected ascending hidden states from 0 to 3"):
            Cell().from_json({**row(), "reduction": {**row()["reduction"], "output": output}})


def test_an_unknown_reference_is_refused() -> None:
    known = "amoebanet_a, darts_second_order, nasnet_a"
    for name in ("nasnet_b", "", "../encoding"):
        with pytest.raises(ValueError, match=f"expected a reference genome among {known}, got"):
            reference(name)
