"""The module of a phenotype, whichever it is."""

from evonas.network.build import Network
from evonas.network.neurons import NeuronNetwork
from genomes.encoding import Phenotype
from genomes.neurons import NeuronGraph
from genomes.operations import Shape

AnyNetwork = Network | NeuronNetwork


def built(phenotype: Phenotype, input_shape: Shape, n_outputs: int) -> AnyNetwork:
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
