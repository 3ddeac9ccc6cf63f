"""The cell encoding: Zoph, Vasudevan, Shlens & Le 2018 (https://arxiv.org/abs/1707.07012), searched small, used large.

A genome is two cells; the configuration says how they are stacked. Departures from the papers and the released code: a
cell's inputs always begin with a 1×1 convolution to the cell's filters, as in DARTS; an identity that halves the
resolution is a factorised reduction, as in DARTS; an input that no block reads is not concatenated, unless the genome
says so; the last cell's output passes a ReLU in every space. A cell of the DARTS space may hold `none`, which DARTS
drops when it makes its weights a cell, and may read one hidden state twice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from genomes.architecture import Architecture
from genomes.cell import development, operators
from genomes.cell.genome import KINDS, LEFT, MAX_BLOCKS, N_INPUTS, RIGHT, Block, CellGenome, checked
from genomes.cell.spaces import COMBINES, SPACES, WORDS
from genomes.encoding import POINTER, Decide, Variation
from genomes.mutation import weights_of
from genomes.operations import Shape
from genomes.reading import check_kind, read_genome
from genomes.words import meant

REFERENCES = Path(__file__).parent / "references"
LIMITS = {"n": (1, 100), "n_reductions": (0, 8), "filters": (1, 65_536), "stem_multiplier": (1, 64)}
"""The least and the most that a number of the configuration may be."""
USUAL = {"identity": 0.05, "change_hidden_state": 0.475, "change_operation": 0.475, "change_combination": 0.2}
"""How often each operator is tried: Real et al. 2019; the last one is ours."""


@dataclass(frozen=True)
class Cell:
    """Configuration of the cell encoding.

    Attributes:
        name: The word for it in a spec.
        space: The published space whose operations, blocks and combinations are used: nasnet, amoebanet or darts.
        operations: Words of `genomes.cell.spaces.WORDS`; None: those of the space.
        n_blocks: Blocks a cell has; None: as in the space.
        combines: `add`, `concat` or both; None: as in the space.
        output: What a sampled cell's output concatenates: unused (blocks that no block reads) or all; None: as in the
            space.
        n: N, the normal cells of every stage.
        filters: Channels of each operation in the first stage; they double where the resolution halves. The papers'
            N@F counts channels ahead of the classifier: NASNet-A's 6@768 is 32 filters, doubled twice, six states
            concatenated.
        n_reductions: Reduction cells, each followed by a stage of normal cells.
        stack: cifar: a 3×3 convolution, then the stages. imagenet: one of stride 2, then two reduction cells more.
        stem_multiplier: Channels of the stem in units of `filters` (imagenet: of 32).
        mutations: How often each operator is tried, by its name; what is absent keeps its weight, a 0 forbids it.

    Raises:
        ValueError: If a choice is empty, unknown or out of range.
    """

    name: Literal["cell"] = "cell"
    space: Literal["nasnet", "amoebanet", "darts"] = "nasnet"
    operations: tuple[str, ...] | None = None
    n_blocks: int | None = None
    combines: tuple[str, ...] | None = None
    output: Literal["unused", "all"] | None = None
    n: int = 2
    filters: int = 32
    n_reductions: int = 2
    stack: Literal["cifar", "imagenet"] = "cifar"
    stem_multiplier: int = 3
    mutations: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        choices: tuple[tuple[str, Iterable[str] | None, Iterable[str]], ...] = (
            ("space", (self.space,), SPACES),
            ("operations", self.operations, WORDS),
            ("combines", self.combines, COMBINES),
            ("output", None if self.output is None else (self.output,), ("unused", "all")),
            ("stack", (self.stack,), ("cifar", "imagenet")),
        )
        for field, chosen, words in choices:
            found = None if chosen is None else list(chosen)
            if found is not None and (not found or len(set(found)) < len(found) or not set(found) <= set(words)):
                mend = meant(found, words)
                raise ValueError(f"{field}: expected some of {', '.join(words)}, each once, got {found}; {mend}")
        for field, (least, most) in {**LIMITS, "n_blocks": (1, MAX_BLOCKS)}.items():
            value = self.blocks if field == "n_blocks" else getattr(self, field)
            if type(value) is not int or not least <= value <= most:
                raise ValueError(f"{field}: expected a whole number from {least} to {most:,}, got {value!r}")
        weights_of(self.mutations, USUAL)

    @property
    def words(self) -> tuple[str, ...]:
        """The operations in force."""
        return self.operations or SPACES[self.space].operations

    @property
    def blocks(self) -> int:
        """The number of blocks in force."""
        return SPACES[self.space].n_blocks if self.n_blocks is None else self.n_blocks

    @property
    def ways(self) -> tuple[str, ...]:
        """The ways to combine in force."""
        return self.combines or SPACES[self.space].combines

    @property
    def mutation_weights(self) -> dict[str, float]:
        """The weight of every mutation operator."""
        return weights_of(self.mutations, USUAL)

    @property
    def decisions(self) -> Mapping[str, int]:
        """The kinds of decision `sample` takes and their option counts: five a block, four where one combination."""
        found: dict[str, int] = {}
        for kind in KINDS:
            found |= {f"{kind}_state": POINTER, f"{kind}_operation": len(self.words)}
            if len(self.ways) > 1:
                found[f"{kind}_combination"] = len(self.ways)
        return found

    @property
    def abilities(self) -> frozenset[str]:
        """None beyond what every encoding can do."""
        return frozenset()

    def for_task(self, input_shape: Shape, n_outputs: int) -> "Cell":
        """The same encoding: cells are stacked on images of any size.

        Raises:
            ValueError: If the input is no image.
        """
        if len(input_shape) != 3:
            raise ValueError(
                f"name: expected images (channels, height, width) for cells, got inputs of shape {tuple(input_shape)}; "
                "use dag"
            )
        return self

    def sample(self, decide: Decide, *, rng: np.random.Generator) -> CellGenome:
        """Decide a normal and a reduction cell, block by block: two hidden states, two operations, how to combine."""
        cells = [tuple(self._block(decide, kind, at) for at in range(self.blocks)) for kind in KINDS]
        everything = (self.output or SPACES[self.space].output) == "all"
        output = tuple(range(N_INPUTS, self.blocks + N_INPUTS)) if everything else ()
        return CellGenome(cells[0], cells[1], output, output)

    def _block(self, decide: Decide, kind: str, at: int) -> Block:
        states = [decide((f"{kind}_state", at, side), at + N_INPUTS) for side in (LEFT, RIGHT)]
        words = [self.words[decide((f"{kind}_operation", at, side), len(self.words))] for side in (LEFT, RIGHT)]
        way = decide((f"{kind}_combination", at), len(self.ways)) if len(self.ways) > 1 else 0
        return Block(states[0], states[1], words[0], words[1], self.ways[way])

    def mutate(self, genome: CellGenome, *, rng: np.random.Generator) -> Variation[CellGenome]:
        """Apply one operator, drawn by weight."""
        return operators.mutate(self, genome, rng=rng)

    def crossover(self, a: CellGenome, b: CellGenome, *, rng: np.random.Generator) -> Variation[CellGenome]:
        """Take every block from either parent; `a` is the fitter."""
        return operators.crossover(self, a, b, rng=rng)

    def develop(self, genome: CellGenome) -> Architecture:
        """The genome's cells, stacked."""
        return development.develop(self, genome)

    def stack_rows(self, genome: CellGenome, input_shape: Shape, n_outputs: int) -> list[tuple[str, int, Shape]]:
        """The macro structure as rows `(label, number of them, output shape)`, from the image to the classes."""
        return development.stack(self, genome, input_shape, n_outputs)

    def distance(self, a: CellGenome, b: CellGenome) -> float:
        """The part of all choices that differ, 0 to 1: five a block, and what each output concatenates besides."""
        differing = total = 0
        for kind in KINDS:
            ours, theirs = a.cells[kind], b.cells[kind]
            for at in range(max(len(ours), len(theirs))):
                if at < min(len(ours), len(theirs)):
                    differing += sum(x != y for x, y in zip(ours[at], theirs[at], strict=True))
                else:
                    differing += len(Block._fields)
                total += len(Block._fields)
        outputs = (a.normal_output != b.normal_output) + (a.reduction_output != b.reduction_output)
        return (differing + outputs) / (total + len(KINDS))

    def to_json(self, genome: CellGenome) -> dict[str, Any]:
        """The genome as versioned JSON."""
        outputs = (genome.normal_output, genome.reduction_output)
        cells = {
            kind: {"blocks": [list(block) for block in genome.cells[kind]], "output": list(output)}
            for kind, output in zip(KINDS, outputs, strict=True)
        }
        return {"encoding": "cell", "version": 1, **cells}

    def from_json(self, data: Mapping[str, Any]) -> CellGenome:
        """The genome that `to_json` wrote.

        Raises:
            ValueError: If it is another kind or version of genome, or a value is out of range.
        """
        check_kind(data, "cell")
        try:
            return checked([data[kind]["blocks"] for kind in KINDS], [data[kind]["output"] for kind in KINDS])
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"expected the blocks and output of two cells: {error}; use what `to_json` wrote"
            ) from None


def reference(name: str) -> CellGenome:
    """A published cell: `nasnet_a`, `amoebanet_a` or `darts_second_order`; its source stands in its JSON file.

    Raises:
        ValueError: If there is none of this name.
    """
    if name not in references():
        raise ValueError(f"expected a reference genome among {', '.join(references())}, got {name!r}")
    return read_genome(Cell(), (REFERENCES / f"{name}.json").read_text("utf-8"))


def references() -> list[str]:
    """The names of the published cells."""
    return sorted(path.stem for path in REFERENCES.glob("*.json"))
