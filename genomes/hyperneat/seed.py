"""CPPNs that begin with connections between near places alone (Verbancsics & Stanley 2011)."""

from genomes.cppn import Cppn
from genomes.innovation import marking
from genomes.neat.genome import BIAS, Connection, NeatGenome, Neuron, assembled, input_ids, output_ids

SLACK = 0.5
"""How far from its largest value the sum of the Gaussians may be where a connection is expressed."""


def locally_seeded(
    config: Cppn, genome: NeatGenome, pairs: tuple[tuple[int, int], ...], outputs: tuple[int, ...]
) -> NeatGenome:
    """The genome whose outputs of expression read one Gaussian of the difference on each axis, and nothing else.

    https://doi.org/10.1145/2001576.2001776. Here the output's bias is the negative number of Gaussians plus ½, so that
    near places are connected, and not only those at the same place; the Gaussian is exp(-x²).

    Args:
        config: Of the CPPN.
        genome: As it was sampled.
        pairs: For each axis the CPPN's inputs that are the source's and the target's coordinate.
        outputs: Which of its outputs express connections.
    """
    sources, ends = input_ids(config.n_inputs), [output_ids(config.n_outputs or 0)[at] for at in outputs]
    neurons = {neuron.id: neuron for neuron in genome.neurons}
    connections = [link for link in genome.connections if link.target not in ends]
    bias = SLACK - len(pairs)
    for axis, (here, there) in enumerate(pairs):
        name = marking("local", axis)
        neurons[name] = Neuron(name, "gaussian", "sum")
        connections += [Connection(sources[here], name, 1.0), Connection(sources[there], name, -1.0)]
        connections += [Connection(name, end, 1.0) for end in ends]
    for end in ends:
        neurons[end] = neurons[end]._replace(activation="tanh", aggregation="sum", bias=0.0, response=1.0)
        if config.bias_input:
            connections.append(Connection(BIAS, end, bias))
        else:
            neurons[end] = neurons[end]._replace(bias=bias)
    named = output_ids(config.n_outputs or 0)
    wired = {link.source for link in connections} | {link.target for link in connections}
    kept = [neuron for neuron in neurons.values() if neuron.id in wired or neuron.id in named]
    return assembled(config.n_inputs, config.n_outputs or 0, kept, connections)
