"""The phenotype that the engine sees: a directed acyclic graph of layer operations."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import networkx as nx

from genomes.innovation import marking
from genomes.neurons import NeuronGraph
from genomes.operations import HEAD, INPUT, OPERATIONS, RECUR, Axis, Parameter, Shape, parameters, size
from genomes.painting import Paint, n_queries

SUM, CONCAT = "sum", "concat"
MERGES = (SUM, CONCAT)
IDENTITY_START, ZERO_START = "identity", "zero"
OWN = "own"
PATH = "path"
"""Attribute of a node that ends a path of a cell, which training may drop: (cell number + 1) / number of cells."""
MAX_SEGMENTS = 1 << 20
"""Segments that all that nodes read may have together: concatenations of concatenations double them at every step."""


@dataclass(frozen=True)
class Node:
    """One operation of an architecture.

    Attributes:
        id: The node's name. Law of ids: the same id means homologous structure, in any two architectures.
        operation: A key of `genomes.operations.OPERATIONS`.
        attributes: `(name, value)` pairs sorted by name: kernel, width (0: as many as come in), stride,
            preactivation, activation, normalisation, start (how weights begin that nobody leaves: random, identity,
            zero), channels (`own`: a node without weights names its output's channels after itself), path (see `PATH`;
            it counts nothing in shapes and parameters), bias (`none`: it has none), and cell (of `recur`, a
            `RecurrentCell`).
        inputs: Ids of the nodes it reads; the first is the principal one, whose channels a sum is named after.
        merge: How several inputs become one, `sum` or `concat`. Larger images are average-pooled to the smallest,
            an image beside a vector is averaged over its area, and a sum pads channels with zeros to the widest.
        paints: `(role, recipe)` pairs: those of its tensors that are painted, such as `linear/weight`.
    """

    id: str
    operation: str
    attributes: tuple[tuple[str, Any], ...] = ()
    inputs: tuple[str, ...] = ()
    merge: str = SUM
    paints: tuple[tuple[str, Paint], ...] = ()

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The attributes as a dictionary."""
        return dict(self.attributes)

    def __str__(self) -> str:
        """The node as error messages name it."""
        return f"node {self.id} ({self.operation})"


@dataclass(frozen=True)
class Layer:
    """A node placed in an architecture for inputs of a known shape.

    Attributes:
        node: The node.
        source: Shape of its merged input, one example.
        target: Shape of its output, one example.
        axis: The output's channels as segments.
        parameters: Its tensors.
        macs: Multiply-accumulates for one example.
    """

    node: Node
    source: Shape
    target: Shape
    axis: Axis
    parameters: tuple[Parameter, ...]
    macs: int


@dataclass(frozen=True)
class Architecture:
    """Nodes in topological order, from one `input` to one `head`, which comes last.

    Raises:
        ValueError: If the order is not topological, an id appears twice, an operation is unknown, or the ends are not
            `input` and `head`.
    """

    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for node in self.nodes:
            if node.id in seen:
                raise ValueError(f"{node}: expected every id once, this one appears again; give it another")
            if node.operation not in OPERATIONS:
                raise ValueError(f"{node}: expected an operation among {', '.join(OPERATIONS)}")
            if node.merge not in MERGES:
                raise ValueError(f"{node}: expected a merge among {', '.join(MERGES)}, got {node.merge!r}")
            if missing := [i for i in node.inputs if i not in seen]:
                raise ValueError(f"{node}: expected inputs that come before it, got {missing}; sort the nodes")
            if bool(node.inputs) != (node.operation != INPUT):
                raise ValueError(f"{node}: expected inputs on every node but `input`, got {len(node.inputs)}")
            seen.add(node.id)
        ends = [node.operation for node in self.nodes if node.operation in (INPUT, HEAD)]
        if ends != [INPUT, HEAD] or self.nodes[0].operation != INPUT or self.nodes[-1].operation != HEAD:
            raise ValueError(f"expected one `input` first and one `head` last, got {ends}")

    def layout(self, input_shape: Shape, n_outputs: int) -> tuple[Layer, ...]:
        """Infer every shape, parameter and cost for inputs of one shape; the layers in the order of the nodes.

        Args:
            input_shape: `(channels, height, width)` or `(features,)`.
            n_outputs: Outputs of the head.

        Raises:
            ValueError: Naming the node that cannot take what it is given.
        """
        return _layout(self, tuple(input_shape), n_outputs)

    def shapes(self, input_shape: Shape, n_outputs: int = 1) -> dict[str, Shape]:
        """The output shape of every node by its id; arguments and errors as in `layout`."""
        return {layer.node.id: layer.target for layer in self.layout(input_shape, n_outputs)}

    @cached_property
    def painter(self) -> NeuronGraph | None:
        """The CPPN through which gradient flows, where tensors are painted in the mode `through`.

        Raises:
            ValueError: If there are several.
        """
        found = {paint.cppn for node in self.nodes for _, paint in node.paints if paint.mode == "through"}
        if len(found) > 1:
            raise ValueError(f"expected one CPPN that gradient flows through, got {len(found)}; paint with the same")
        return next(iter(found), None)

    def parameters(self, input_shape: Shape, n_outputs: int) -> tuple[Parameter, ...]:
        """Every tensor that a network holds; arguments and errors as in `layout`.

        What is painted through a CPPN is not held: the tensors of the `painter` are, which come last.
        """
        held = [p for layer in self.layout(input_shape, n_outputs) for p in layer.parameters if not _through(p)]
        return (*held, *_tensors_of(self.painter))

    def n_parameters(self, input_shape: Shape, n_outputs: int) -> int:
        """The number of values that are trained or painted; arguments and errors as in `layout`.

        Painted values count in every mode, and the CPPN's own do not: it is the size of the network that runs.
        """
        layers = self.layout(input_shape, n_outputs)
        return sum(math.prod(p.shape) for layer in layers for p in layer.parameters if p.trainable or p.paint)

    def macs(self, input_shape: Shape, n_outputs: int) -> int:
        """Multiply-accumulates of convolutions and linear layers for one example; arguments as in `layout`."""
        return sum(layer.macs for layer in self.layout(input_shape, n_outputs))

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits that ignore ids: isomorphic architectures share it.

        A hash of every node, of what its weights are painted by, and of all that feeds it, refined once by all that it
        feeds, in the manner of Weisfeiler and Lehman. The order of inputs counts in a concatenation, where it is the
        order of channels, and not in a sum.
        Confirm equality with `isomorphism` before anything is reused.
        """
        below: dict[str, str] = {}
        for node in self.nodes:
            sources = [below[i] for i in node.inputs]
            below[node.id] = marking(*_label(node), *(sources if node.merge == CONCAT else sorted(sources)))
        fed: dict[str, list[str]] = {node.id: [] for node in self.nodes}
        for node in reversed(self.nodes):
            name = marking(below[node.id], *sorted(fed[node.id]))
            for source in node.inputs:
                fed[source].append(name)
            fed[node.id] = [name]
        return marking(*sorted(name for (name,) in fed.values()))

    def isomorphism(self, other: "Architecture") -> Mapping[str, str] | None:
        """The map from this architecture's ids to the other's that keeps operations and wiring, or None.

        Inputs of a concatenation keep their places; those of a sum may change theirs.
        """
        matcher = nx.isomorphism.DiGraphMatcher(
            self.graph(),
            other.graph(),
            node_match=lambda a, b: a["label"] == b["label"],
            edge_match=lambda a, b: a["places"] == b["places"],
        )
        return dict(matcher.mapping) if matcher.is_isomorphic() else None

    def graph(self) -> nx.DiGraph:
        """The architecture as a networkx graph.

        Nodes carry a `label` of all but their id; edges carry `places`, where the target reads the source: positions in
        a concatenation, zeros in a sum.
        """
        graph = nx.DiGraph()
        for node in self.nodes:
            graph.add_node(node.id, label=_label(node))
            for source in node.inputs:
                places = [at for at, name in enumerate(node.inputs) if name == source]
                graph.add_edge(source, node.id, places=places if node.merge == CONCAT else [0] * len(places))
        return graph


def merged_shape(shapes: list[Shape], merge: str) -> Shape:
    """The shape that several inputs have once merged, as `Node.merge` describes.

    Args:
        shapes: Each `(channels, height, width)` or `(features,)`.
        merge: `sum` or `concat`.
    """
    widths = [shape[0] for shape in shapes]
    width = sum(widths) if merge == CONCAT else max(widths)
    if any(len(shape) == 1 for shape in shapes):
        return (width,)
    return width, min(shape[1] for shape in shapes), min(shape[2] for shape in shapes)


def fitted(axis: Axis, width: int, owner: str) -> Axis:
    """An axis cut to a width, or filled up to it by segments of a new owner."""
    kept: list[tuple[str, int]] = []
    room = width
    for name, length in axis:
        if room > 0:
            kept.append((name, min(length, room)))
            room -= length
    return tuple(kept) if room <= 0 else (*kept, (owner, room))


def _label(node: Node) -> tuple[str, ...]:
    merge = node.merge if len(node.inputs) > 1 else ""
    paints = (f"{role}={paint.digest}" for role, paint in node.paints)
    return node.operation, merge, *(f"{name}={value}" for name, value in node.attributes), *paints


def _merged_axis(node: Node, axes: list[Axis]) -> Axis:
    if node.merge == CONCAT:
        return tuple(segment for axis in axes for segment in axis)
    return fitted(axes[0], max(size(axis) for axis in axes), f"{node.id}+") if len(axes) > 1 else axes[0]


@lru_cache(maxsize=4096)
def _layout(architecture: Architecture, input_shape: Shape, n_outputs: int) -> tuple[Layer, ...]:
    if len(input_shape) not in (1, 3) or min(input_shape) < 1:
        raise ValueError(
            f"expected an input (channels, height, width) or (features,), got {input_shape}; reshape the data"
        )
    if n_outputs < 1:
        raise ValueError(f"expected 1 output or more, got {n_outputs}; count the task's classes or targets")
    placed: dict[str, Layer] = {}
    n_segments = 0
    for node in architecture.nodes:
        n_segments += sum(len(placed[i].axis) for i in node.inputs)
        if n_segments > MAX_SEGMENTS:
            expected = f"at most {MAX_SEGMENTS:,} segments of channels in all that nodes read"
            raise ValueError(f"{node}: expected {expected}, got more; let fewer concatenations read concatenations")
        if node.operation == INPUT:
            placed[node.id] = Layer(node, input_shape, input_shape, ((node.id, input_shape[0]),), (), 0)
        else:
            placed[node.id] = _layer(node, [placed[i] for i in node.inputs], n_outputs)
    return tuple(placed.values())


def _layer(node: Node, inputs: list[Layer], n_outputs: int) -> Layer:
    operation = OPERATIONS[node.operation]
    source = merged_shape([layer.target for layer in inputs], node.merge)
    if operation.spatial and len(source) == 1:
        raise ValueError(f"{node}: expected an input (C, H, W), got {source}; add a reshape before it, or use linear")
    if node.operation == RECUR and (len(source) != 1 or not node.settings.get("width")):
        got = f"{source} and width {node.settings.get('width')}"
        raise ValueError(f"{node}: expected time steps of shape (features,) and a width above 0, got {got}; correct it")
    axis = _merged_axis(node, [layer.axis for layer in inputs])
    settings = {**node.settings, "width": n_outputs} if node.operation == HEAD else node.settings
    for name, least in (("kernel", 1), ("stride", 1), ("width", 0)):
        value = settings.get(name, least)
        if type(value) is not int or value < least or (name == "kernel" and value % 2 == 0):
            odd = "an odd" if name == "kernel" else "a"
            raise ValueError(f"{node}: expected {odd} whole {name} of {least} or more, got {value!r}; correct it")
    path = settings.get(PATH, 1.0)
    if type(path) is not float or not 0 < path <= 1:
        expected = "a number above 0, at most 1.0: (cell number + 1) / number of cells"
        raise ValueError(f"{node}: expected path to be {expected}, got {path!r}; correct it")
    try:
        target = operation.shape(settings, source)
        output = _output_axis(node, axis, target[0])
        tensors = parameters(node.id, node.operation, settings, axis, output)
        macs = operation.macs(settings, source, target)
    except KeyError as missing:
        raise ValueError(f"{node}: expected an attribute {missing}, got {sorted(settings)}; add it") from None
    return Layer(node, source, target, output, _painted(node, tensors), macs)


def _output_axis(node: Node, axis: Axis, width: int) -> Axis:
    """Channels of a layer that began as the identity, or has no weights, are still those of its input.

    Unless it owns them: a block of a cell is the same place whatever its operations become, and what reads it keeps its
    weights when they change.
    """
    if node.settings.get("channels") == OWN:
        return ((node.id, width),)
    if not OPERATIONS[node.operation].parametric:
        # Each channel of an image that is flattened becomes as many values as it has places.
        factor = width // size(axis)
        return axis if factor == 1 else tuple((owner, length * factor) for owner, length in axis)
    if node.settings.get("start") == IDENTITY_START:
        return fitted(axis, width, node.id)
    return ((node.id, width),)


CPPN = "cppn"
"""Holder of the tensors of an architecture's `painter`."""


def _through(parameter: Parameter) -> bool:
    return parameter.paint is not None and parameter.paint.mode == "through"


def _tensors_of(painter: NeuronGraph | None) -> tuple[Parameter, ...]:
    """The weights and biases of a CPPN, each a tensor of one axis."""
    if painter is None:
        return ()
    columns = {"weights": painter.weights, "biases": painter.biases}
    return tuple(Parameter(CPPN, what, (((CPPN, len(values)),),)) for what, values in columns.items())


def _painted(node: Node, tensors: list[Parameter]) -> tuple[Parameter, ...]:
    """The tensors of a node, those that it paints with their recipes."""
    roles = {tensor.role: tensor for tensor in tensors}
    for role, paint in node.paints:
        if role not in roles:
            raise ValueError(f"{node}: expected to paint some of {', '.join(roles) or 'no tensor'}, got {role}")
        n_targets, *rest = roles[role].shape
        sheets = len(paint.targets.places), len(paint.sources.places)
        if sheets != (n_targets, n_sources := math.prod(rest)):
            expected = f"{n_targets} targets and {n_sources} sources to paint {role}"
            raise ValueError(f"{node}: expected {expected}, got {sheets[0]} and {sheets[1]}; correct the sheets")
        n_asked = n_queries(paint.queries, len(paint.sources.places[0]))
        if paint.cppn.n_inputs != n_asked:
            raise ValueError(f"{node}: expected a CPPN of {n_asked} inputs for its queries, got {paint.cppn.n_inputs}")
        n_outputs = 1 + max(paint.output, paint.expression or 0)
        if len(paint.cppn.outputs) < n_outputs:
            raise ValueError(f"{node}: expected a CPPN of {n_outputs} outputs or more, got {len(paint.cppn.outputs)}")
        trained = roles[role].trainable and paint.mode == "seeded"
        roles[role] = replace(roles[role], paint=paint, trainable=trained)
    return tuple(roles.values())


def duplicates(axis: Axis) -> list[tuple[str, int, int]]:
    """The segments as `(owner, occurrence, size)`: an owner that reaches an axis twice is told apart."""
    seen: Counter[str] = Counter()
    numbered = []
    for owner, length in axis:
        numbered.append((owner, seen[owner], length))
        seen[owner] += 1
    return numbered
