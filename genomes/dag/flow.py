"""What flows through the graph of a direct genome: vectors or images, of which sign, and from where to where."""

from collections.abc import Sequence

from genomes.dag.genome import SOURCE, DagGenome, Edge
from genomes.operations import OPERATIONS as KINDS
from genomes.operations import Shape


def flat_nodes(genome: DagGenome, input_shape: Shape) -> set[str]:
    """The nodes whose output is a vector, for inputs `(channels, height, width)` or `(features,)`."""
    flat = {SOURCE} if len(input_shape) == 1 else set()
    for name, sources in genome.inputs.items():
        if genome.genes[name].operation == "linear" or any(source in flat for source in sources):
            flat.add(name)
    return flat


def developed(operation: str, *, behind_flat: bool) -> str:
    """The operation that a gene's word amounts to, where the values it reads may have no height and width.

    Args:
        operation: The gene's word.
        behind_flat: True if any of the node's inputs is a vector.
    """
    if not (behind_flat and KINDS[operation].spatial):
        return operation
    return "linear" if KINDS[operation].parametric else "identity"


def nonnegative(genome: DagGenome) -> set[str]:
    """The nodes whose output is never negative, which a ReLU leaves as it is."""
    found: set[str] = set()
    for name, sources in genome.inputs.items():
        gene = genome.genes[name]
        passes = not KINDS[gene.operation].parametric and all(source in found for source in sources)
        if passes or (KINDS[gene.operation].parametric and gene.activation == "relu"):
            found.add(name)
    return found


def reaches(edges: Sequence[Edge], start: str, goal: str) -> bool:
    """True if a path of edges leads from one node to another, or they are the same."""
    frontier, seen = [start], {start}
    while frontier:
        if goal in seen:
            return True
        at = frontier.pop()
        ahead = {target for source, target in edges if source == at} - seen
        seen |= ahead
        frontier += sorted(ahead)
    return goal in seen
