"""The module of a phenotype, whichever it is."""

from evonas.network.build import Network
from evonas.network.neurons import NeuronNetwork
from genomes.architecture import CPPN
from genomes.encoding import Phenotype
from genomes.neurons import NeuronGraph
from genomes.operations import Shape


def built(phenotype: Phenotype, input_shape: Shape, n_outputs: int) -> Network | NeuronNetwork:
    """A network on the CPU: of neurons with the weights of its genome, else uninitialised until it inherits.

    Args:
        phenotype: What a genome develops into.
        input_shape: `(channels, height, width)` or `(features,)`.
        n_outputs: Values it puts out.

    Raises:
        ValueError: If the phenotype does not fit them.
    """
    if isinstance(phenotype, NeuronGraph):
        phenotype.check(input_shape, n_outputs)
        return NeuronNetwork(phenotype)
    return Network(phenotype, input_shape, n_outputs)


def shapes_of(phenotype: Phenotype, input_shape: Shape, n_outputs: int) -> dict[str, Shape]:
    """The shapes of the tensors that such a network's state holds, by name, without making it; as in `built`."""
    if isinstance(phenotype, NeuronGraph):
        phenotype.check(input_shape, n_outputs)
        return _neurons(phenotype, "")
    held = {
        one.name: one.shape
        for one in phenotype.parameters(input_shape, n_outputs)
        if one.paint is None or one.paint.mode != "through"
    }
    return held | (_neurons(phenotype.painter, f"{CPPN}.") if phenotype.painter else {})


def _neurons(graph: NeuronGraph, prefix: str) -> dict[str, Shape]:
    return {f"{prefix}weights": (len(graph.weights),), f"{prefix}biases": (len(graph.biases),)}
