"""CPPNs: networks of many kinds of neuron that paint patterns over coordinates (Stanley 2007)."""

from dataclasses import dataclass
from typing import Literal

from genomes.neat.encoding import Augmenting


@dataclass(frozen=True)
class Cppn(Augmenting):
    """Configuration of CPPN-NEAT: NEAT over functions of symmetry and repetition.

    Compositional pattern producing networks (Stanley 2007, https://doi.org/10.1007/s10710-007-9028-8). The inputs are
    coordinates of whatever is painted, each output is one of its qualities. A new hidden neuron draws its activation.
    Every attribute is that of `Augmenting`; an output lies between -1 and 1, and steps of weights are smaller.
    `Cppn().for_task((n_inputs,), n_outputs)` is the encoding of such networks.
    """

    name: Literal["cppn"] = "cppn"
    activations: tuple[str, ...] = ("sine", "cosine", "gaussian", "sigmoid", "tanh", "identity", "abs", "square")
    output_activations: tuple[str, ...] = ("tanh",)
    weight_power: float = 1.0
