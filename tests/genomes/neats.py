"""NEAT genomes for tests: written by hand, or grown."""

from typing import Any

import numpy as np

from genomes import Neat, NeatGenome
from genomes.encoding import uniform
from genomes.neat.genome import BIAS, Connection, Neuron, assembled, input_ids, output_ids

NAMES = {"1": input_ids(3)[0], "2": input_ids(3)[1], "3": input_ids(3)[2], "+": BIAS}
NAMES |= {"x": output_ids(2)[0], "y": output_ids(2)[1]}
NAMES |= {letter: f"{at:016x}" for at, letter in enumerate("abcdefgh", 1)}
"""Short names: inputs 1, 2, 3, the bias +, outputs x and y, hidden neurons a to h."""


def genome(links: str, n_outputs: int = 1, **columns: Any) -> NeatGenome:
    """A genome of three inputs from links such as `1x:0.5 2a:-1 ax:2!`: weights, `!` where disabled."""
    rows, hidden = [], set()
    for word in links.split():
        ends, _, weight = word.partition(":")
        hidden |= {end for end in ends if end in "abcdefgh"}
        enabled = not weight.endswith("!")
        rows.append(Connection(NAMES[ends[0]], NAMES[ends[1]], float(weight.rstrip("!")), enabled))
    names = [*output_ids(n_outputs), *(NAMES[letter] for letter in sorted(hidden))]
    given = {"activation": "steep_sigmoid", "aggregation": "sum", **columns}
    return assembled(3, n_outputs, [Neuron(name, **given) for name in names], rows)


def links(of: NeatGenome) -> dict[str, tuple[float, bool]]:
    """Weight and enabled by short name, e.g. `{"1x": (0.5, True)}`; unknown ids are `?`."""
    short = {name: letter for letter, name in NAMES.items()}
    return {
        short.get(link.source, "?") + short.get(link.target, "?"): (link.weight, link.enabled)
        for link in of.connections
    }


def sampled(encoding: Neat, seed: int) -> NeatGenome:
    """A genome of a stream of its own."""
    return encoding.sample(uniform(np.random.default_rng((seed, 0))), rng=np.random.default_rng((seed, 1)))


def evolved(encoding: Neat, seed: int, n_steps: int) -> NeatGenome:
    """A sampled genome after so many mutations."""
    rng = np.random.default_rng((seed, 2))
    found = sampled(encoding, seed)
    for _ in range(n_steps):
        found = encoding.mutate(found, rng=rng).genome
    return found
