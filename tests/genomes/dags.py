"""Genomes of the direct encoding that tests share."""

from typing import Any

import numpy as np

from genomes import Dag, DagGenome
from genomes.dag.genome import OUTPUT, Gene, ordered
from genomes.encoding import uniform

CONFIGS = {
    "image": Dag(),
    "small": Dag(input_shape=(2, 7, 5), max_sampled=4, max_nodes=6),
    "concat": Dag(input_shape=(1, 8, 8), merges=("concat",)),
    "vector": Dag(input_shape=(13,)),
}


def rng(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def evolved(config: Dag, seed: int, n_steps: int) -> DagGenome:
    genome = config.sample(uniform(rng(seed)), rng=rng(seed))
    for step in range(n_steps):
        genome = config.mutate(genome, rng=rng(seed, step)).genome
    return genome


POPULATIONS = {name: [evolved(config, seed, seed) for seed in range(25)] for name, config in CONFIGS.items()}


def genome(*genes: Gene, edges: str) -> DagGenome:
    """A genome from `"input-a a-b b-output"`; the output sums unless a gene for it is given."""
    named = {gene.marking: gene for gene in genes}
    pairs = [(source, target) for source, target in (edge.split("-") for edge in edges.split())]
    return ordered({**named, OUTPUT: named.get(OUTPUT, Gene(OUTPUT, "head"))}, pairs)


def conv(name: str, width: int = 8, **columns: Any) -> Gene:
    return Gene(name, "conv", width=width, **columns)
