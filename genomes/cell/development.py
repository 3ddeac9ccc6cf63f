"""From two cells to a network: the stacks of the NASNet paper, every node named by where its cell stands.

The id of a node is `PLACE:GENE`. The place of a normal cell is (stage, index in stage), so that another number of cells
a stage leaves all that stay their weights; that of a reduction cell is the stage it begins. The gene is the marking of
the operation or block, the same in every cell of a kind.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from genomes.architecture import CONCAT, OWN, SUM, Architecture, Node
from genomes.cell.genome import LEFT, N_INPUTS, NORMAL, REDUCTION, RIGHT, CellGenome, gene
from genomes.cell.spaces import WORDS, Step
from genomes.operations import HEAD, INPUT, OPERATIONS, Shape

if TYPE_CHECKING:
    from genomes.cell.encoding import Cell

MAX_NODES = 16_384
"""Nodes a network may have."""
NODES_A_BLOCK = 7
"""Nodes of a block at most: two operations of two steps and a repair each, and their combination."""
IMAGENET_STEM = 32
"""Filters of the stem of the ImageNet stack before `stem_multiplier`, as released."""
IMAGENET_AHEAD = 2
"""Reduction cells of the ImageNet stack ahead of the first stage."""
CONVOLUTION = {"activation": "none", "normalisation": "batch", "preactivation": "relu"}
"""Every convolution is ReLU – convolution – BatchNorm."""


class Place(NamedTuple):
    """A cell of a stack.

    Attributes:
        name: `STAGE-INDEX`, or `rSTAGE` for the reduction cell that begins a stage.
        kind: `normal` or `reduction`.
        filters: Channels that each of its operations puts out.
    """

    name: str
    kind: str
    filters: int


class _State(NamedTuple):
    """Something a cell can read: a node, its channels, and how often the resolution was halved up to it."""

    node: str
    width: int
    halvings: int


def places(config: "Cell") -> list[Place]:
    """The cells of a stack, from the stem to the head.

    In the ImageNet stack two reduction cells stand ahead, with a quarter and half of the filters.
    """
    found = []
    if config.stack == "imagenet":
        found = [Place(f"r-{ahead}", REDUCTION, max(1, config.filters // 2**ahead)) for ahead in (IMAGENET_AHEAD, 1)]
    for stage in range(config.n_reductions + 1):
        filters = config.filters * 2**stage
        if stage:
            found.append(Place(f"r{stage}", REDUCTION, filters))
        found += [Place(f"{stage}-{index}", NORMAL, filters) for index in range(config.n)]
    return found


def develop(config: "Cell", genome: CellGenome) -> Architecture:
    """Stack a genome's cells into an architecture; what feeds nothing is left out.

    Raises:
        ValueError: If the network would have more than `MAX_NODES` nodes.
    """
    cells = places(config)
    n_nodes = sum(len(genome.cells[cell.kind]) * NODES_A_BLOCK + N_INPUTS + 1 for cell in cells)
    if n_nodes > MAX_NODES:
        raise ValueError(
            f"genome {genome.digest}: expected at most {MAX_NODES:,} nodes, {len(cells)} cells of its blocks may have "
            f"{n_nodes:,}; lower n or the number of blocks"
        )
    builder = _Builder([Node("input", INPUT)])
    before, last = builder.stem(config)
    for number, cell in enumerate(cells):
        before, last = last, builder.cell(genome, cell, before, last, (number + 1) / len(cells))
    builder.add("rectified", "identity", (last.node,), preactivation="relu")
    builder.nodes.append(Node("output", HEAD, (), ("rectified",)))
    return Architecture(tuple(_alive(builder.nodes)))


def _alive(nodes: list[Node]) -> Iterator[Node]:
    read = {nodes[-1].id}
    for node in reversed(nodes):
        if node.id in read:
            read.update(node.inputs)
    return (node for node in nodes if node.id in read)


@dataclass
class _Builder:
    """Nodes made so far, and the cell in the making."""

    nodes: list[Node]
    place: str = ""
    path: float = 1.0

    def add(self, id: str, operation: str, inputs: tuple[str, ...], merge: str = SUM, **attributes: Any) -> str:
        self.nodes.append(Node(id, operation, tuple(sorted(attributes.items())), inputs, merge))
        return id

    def stem(self, config: "Cell") -> tuple[_State, _State]:
        """A 3×3 convolution; both inputs of the first cell."""
        imagenet = config.stack == "imagenet"
        width = config.stem_multiplier * (IMAGENET_STEM if imagenet else config.filters)
        stride = 2 if imagenet else 1
        attributes = {**CONVOLUTION, "preactivation": "none"}
        self.add("stem", "conv", ("input",), kernel=3, stride=stride, width=width, **attributes)
        state = _State("stem", width, stride - 1)
        return state, state

    def cell(self, genome: CellGenome, cell: Place, before: _State, last: _State, path: float) -> _State:
        """Add a cell that reads the outputs of the two before it; its own output."""
        self.place, self.path = cell.name, path
        blocks = genome.cells[cell.kind]
        states = [
            self._input(f"{cell.kind}-input-{number}", source, cell.filters, last.halvings)
            for number, source in enumerate((before, last))
        ]
        halvings = last.halvings + (cell.kind == REDUCTION)
        for at, block in enumerate(blocks):
            sides = []
            for side, number, word in (
                (LEFT, block.left, block.left_operation),
                (RIGHT, block.right, block.right_operation),
            ):
                stride = 2 if cell.kind == REDUCTION and number < N_INPUTS else 1
                sides.append(self._operation(gene(cell.kind, at, side), word, states[number], cell.filters, stride))
            merge = CONCAT if block.combine == "concat" else SUM
            width = cell.filters * (2 if merge == CONCAT else 1)
            node = self.add(f"{cell.name}:{gene(cell.kind, at)}", "identity", (sides[0], sides[1]), merge, channels=OWN)
            states.append(_State(node, width, halvings))
        joined = [states[number] for number in genome.output(cell.kind)]
        output = f"{cell.name}:{cell.kind}-output"
        self.add(output, "identity", tuple(state.node for state in joined), CONCAT)
        return _State(output, sum(state.width for state in joined), halvings)

    def _input(self, marking: str, source: _State, filters: int, halvings: int) -> _State:
        """An input as a cell begins with it: by a 1×1 convolution to its filters, or one that halves what is larger."""
        id = f"{self.place}:{marking}"
        if source.halvings < halvings:
            node = self.add(id, "factorised_reduction", (source.node,), width=filters, **CONVOLUTION)
        else:
            node = self.add(id, "conv", (source.node,), kernel=1, stride=1, width=filters, **CONVOLUTION)
        return _State(node, filters, halvings)

    def _operation(self, marking: str, word: str, source: _State, filters: int, stride: int) -> str:
        """Add what a word stands for; the node that puts out its result.

        An identity that halves the resolution is a factorised reduction; a result of other than the cell's filters is
        repaired by a 1×1 convolution. The last node of a path says how deep its cell stands, for drop path; the
        identity is never dropped.
        """
        node, width = source.node, source.width
        steps = WORDS[word]
        if not steps and stride > 1:
            return self.add(f"{self.place}:{marking}", "factorised_reduction", (node,), width=filters, **CONVOLUTION)
        ends: dict[str, Any] = {"path": self.path}
        for number, step in enumerate(steps):
            id = f"{self.place}{f'/{number + 1}' if number else ''}:{marking}"
            is_last = number == len(steps) - 1
            attributes = self._attributes(step, filters, stride if number == 0 else 1)
            repaired = is_last and not OPERATIONS[step.operation].parametric and width != filters
            node = self.add(id, step.operation, (node,), **attributes, **(ends if is_last and not repaired else {}))
            width = filters if OPERATIONS[step.operation].parametric else width
        if width != filters:
            id = f"{self.place}/repair:{marking}"
            ends = ends if steps else {}
            node = self.add(id, "conv", (node,), kernel=1, stride=1, width=filters, **CONVOLUTION, **ends)
        return node

    def _attributes(self, step: Step, filters: int, stride: int) -> dict[str, Any]:
        attributes = {**step.attributes, "stride": stride}
        if OPERATIONS[step.operation].parametric:
            rectified = "none" if step.operation == "attention" else "relu"
            attributes |= {**CONVOLUTION, "preactivation": rectified, "width": filters}
        return attributes


def stack(config: "Cell", genome: CellGenome, input_shape: Shape, n_outputs: int) -> list[tuple[str, int, Shape]]:
    """The macro structure as rows `(label, number of them, output shape)`, from the image to the classes."""
    shapes = develop(config, genome).shapes(input_shape, n_outputs)
    rows: list[tuple[str, int, Shape]] = [("image", 1, tuple(input_shape)), ("stem", 1, shapes["stem"])]
    for cell in places(config):
        label = f"{cell.kind} cell"
        id = f"{cell.name}:{cell.kind}-output"
        if id not in shapes:
            continue
        if rows[-1][0] == label and rows[-1][2] == shapes[id]:
            rows[-1] = (label, rows[-1][1] + 1, shapes[id])
        else:
            rows.append((label, 1, shapes[id]))
    return [*rows, ("softmax", 1, (n_outputs,))]
