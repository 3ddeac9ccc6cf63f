"""Whole generations of NEAT against neat-python's, alternated on one thread: processor time, theirs over ours.

`generation_150` evolves exclusive or in populations of 150, evaluation included on both sides. `generation_10000` makes
generations of 10,000 genomes of 20 neurons and 60 connections in about 20 species from parents that a trivial fitness
selects: selection, crossover, mutation and speciation alone. Both sides have the same rates where both have the thing.

neat-python is imported here only: `pip install neat-python`.

    python benchmarks/neat_python.py [--quick] [--json]
"""

import argparse
import gc
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evonas.campaign.evaluating import evaluator_of
from evonas.campaign.opening import fitted
from evonas.campaign.searching import search_of
from evonas.campaign.spec import Spec
from evonas.evaluation.evaluator import Job
from evonas.record import COMPLETE, Budget, Evaluation
from evonas.search import Context, SpeciatedConfig
from genomes import Neat, NeatGenome
from genomes.encoding import Decide, uniform
from genomes.neat.operators import add_connection, add_node

neat: Any = import_module("neat") if find_spec("neat") else None

N_NEURONS, N_CONNECTIONS, N_SPECIES = 20, 60, 20
LIKE_THEIRS: Any = {"bias": "neuron", "distribution": "normal", "weight_power": 0.5, "difference": 0.5, "small": 0}
"""What makes our genomes spread as theirs do, so that there are about as many species."""
PEER = """
[NEAT]
fitness_criterion = max
fitness_threshold = 1e9
no_fitness_termination = True
pop_size = {population}
reset_on_extinction = False
[DefaultGenome]
num_inputs = {inputs}
num_outputs = {outputs}
num_hidden = 0
feed_forward = True
initial_connection = full_direct
compatibility_disjoint_coefficient = 1.0
compatibility_weight_coefficient = {difference}
conn_add_prob = 0.05
conn_delete_prob = 0.0
node_add_prob = 0.03
node_delete_prob = 0.0
single_structural_mutation = False
structural_mutation_surer = default
activation_default = sigmoid
activation_mutate_rate = 0.0
activation_options = sigmoid
aggregation_default = sum
aggregation_mutate_rate = 0.0
aggregation_options = sum
bias_init_type = gaussian
bias_init_mean = 0.0
bias_init_stdev = 1.0
bias_replace_rate = 0.1
bias_mutate_rate = 0.7
bias_mutate_power = 0.5
bias_max_value = 30.0
bias_min_value = -30.0
response_init_type = gaussian
response_init_mean = 1.0
response_init_stdev = 0.0
response_replace_rate = 0.0
response_mutate_rate = 0.0
response_mutate_power = 0.0
response_max_value = 30.0
response_min_value = -30.0
weight_init_type = gaussian
weight_init_mean = 0.0
weight_init_stdev = 1.0
weight_replace_rate = 0.1
weight_mutate_rate = 0.8
weight_mutate_power = 0.5
weight_max_value = 30.0
weight_min_value = -30.0
enabled_default = True
enabled_mutate_rate = 0.01
enabled_rate_to_true_add = 0.0
enabled_rate_to_false_add = 0.0
[DefaultSpeciesSet]
compatibility_threshold = {threshold}
[DefaultStagnation]
species_fitness_func = max
max_stagnation = 1000
species_elitism = 2
[DefaultReproduction]
elitism = 1
survival_threshold = 0.2
min_species_size = 2
"""


def generation_150(n: int) -> dict[str, Any]:
    """Exclusive or in populations of 150, so many generations of each side.

    Returns:
        The figures of `compared`.
    """
    spec = {"name": "xor", "task": {"name": "xor"}, "encoding": {"name": "neat", **LIKE_THEIRS}}
    found = Spec.model_validate({**spec, "search": {"name": "speciated", "population": 150}})
    task = found.task.load()
    found = fitted(found, task)
    search: Any = search_of(found, found.encoding, None)
    evaluator = evaluator_of(found, task)

    def ours() -> None:
        asked = search.ask(150)
        told = {one.id: one for batch in evaluator.evaluate(map(Job, asked), lambda: None) for one in batch}
        search.tell(told[one.id] for one in asked)

    cases = [((a, b), a ^ b) for a in (0, 1) for b in (0, 1)]

    def judged(genomes: Any, config: Any) -> None:
        for _, genome in genomes:
            network = neat.nn.FeedForwardNetwork.create(genome, config)
            genome.fitness = 4 - sum((network.activate(bits)[0] - bit) ** 2 for bits, bit in cases)

    peer = neat.Population(_configured(population=150, inputs=2, outputs=1, difference=0.5, threshold=3.0))
    figures = compared(ours, lambda: peer.run(judged, 1), n)
    return figures | {"species": len(search.species[-1].members), "species_theirs": len(peer.species.species)}


def generation_10000(n: int, size: int = 10_000) -> dict[str, Any]:
    """Generations of `size` genomes of 20 neurons and 60 connections, so many of each side.

    Returns:
        The figures of `compared`, and how many species there were at the end.
    """
    plain = Neat(n_inputs=4, n_outputs=2, **LIKE_THEIRS)
    search = SpeciatedConfig(population=size, threshold=1.4, stagnation=1000).build(
        Context(Grown(plain), 0, lambda one: (one.metrics["fitness"],), lambda _: Budget(0), inherit=False)
    )

    def ours() -> None:
        asked = search.ask(size)
        search.tell([Evaluation(one.id, COMPLETE, {"fitness": trivial(one.id)}) for one in asked])

    peer = _peer(size)

    def judged(genomes: Any, config: Any) -> None:
        for key, genome in genomes:
            genome.fitness = trivial(key)

    ours()
    figures = compared(ours, lambda: peer.run(judged, 1), n)
    return figures | {"species": len(search.species[-1].members), "species_theirs": len(peer.species.species)}


def trivial(number: int) -> float:
    """A fitness from 0 to 1 that means nothing."""
    return (number * 2_654_435_761 % 4_294_967_296) / 4_294_967_296


@dataclass(frozen=True)
class Grown:
    """NEAT whose sampled genomes are children of a few large founders, so that there are as many species."""

    neat: Neat
    founders: tuple[NeatGenome, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "founders", tuple(map(self._founder, range(N_SPECIES))))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.neat, name)

    def sample(self, decide: Decide, *, rng: np.random.Generator) -> NeatGenome:
        """A founder with other weights."""
        founder = self.founders[rng.integers(N_SPECIES)]
        return replace(founder, weights=tuple((np.array(founder.weights) + rng.normal(0, 0.2, N_CONNECTIONS)).tolist()))

    def _founder(self, number: int) -> NeatGenome:
        rng = np.random.default_rng(number)
        found = self.neat.sample(uniform(rng), rng=rng)
        while len(found.markings) < N_CONNECTIONS:
            grow = add_node if len(found.ids) < N_NEURONS else add_connection
            if (grown := grow(self.neat, found, rng)) is not None:
                found = grown.genome
        return found


def _peer(size: int) -> Any:
    """A population of neat-python like ours: children of a few founders."""
    random.seed(0)
    config = _configured(population=size, inputs=4, outputs=2, difference=0.5, threshold=1.4)
    peer = neat.Population(config)
    founders = list(peer.population.values())[:N_SPECIES]
    for founder in founders:
        while len(founder.nodes) < N_NEURONS:
            founder.mutate_add_node(config.genome_config)
        while len(founder.connections) < N_CONNECTIONS:
            founder.mutate_add_connection(config.genome_config)
        founder.fitness = 0.0
    for key in peer.population:
        founder = random.choice(founders)
        child = config.genome_type(key)
        child.configure_crossover(founder, founder, config.genome_config)
        for gene in child.connections.values():
            gene.weight += random.gauss(0, 0.2)
        peer.population[key] = child
    peer.species = config.species_set_type(config.species_set_config, peer.reporters)
    peer.species.speciate(config, peer.population, 0)
    return peer


def _configured(**values: float) -> Any:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "neat.ini")
        path.write_text(PEER.format(**values), "utf-8")
        parts = neat.DefaultGenome, neat.DefaultReproduction, neat.DefaultSpeciesSet, neat.DefaultStagnation
        return neat.Config(*parts, str(path))


def compared(ours: Callable[[], object], theirs: Callable[[], object], n: int) -> dict[str, Any]:
    """Alternate both sides `n` times.

    Returns:
        Medians in milliseconds of processor time, and of the `n` ratios theirs / ours the median, the least and the
        largest.
    """
    ours(), theirs()
    times: list[list[float]] = [[], []]
    for _ in range(n):
        for side, taken in zip((ours, theirs), times, strict=True):
            gc.collect()
            started = time.process_time()
            side()
            taken.append(1e3 * (time.process_time() - started))
    ratios = [b / a for a, b in zip(*times, strict=True)]
    mine, its = map(statistics.median, times)
    spread = {"ratio": statistics.median(ratios), "ratio_least": min(ratios), "ratio_most": max(ratios)}
    return {"ours_ms": mine, "neat_python_ms": its, **spread, "n": n}


def written(name: str, found: Mapping[str, Any]) -> str:
    """One line of figures."""
    times = f"{found['ours_ms']:9.1f} ms, neat-python {found['neat_python_ms']:9.1f} ms"
    spread = f"({found['ratio_least']:.1f} to {found['ratio_most']:.1f}, n = {found['n']})"
    species = f"{found['species']} and {found['species_theirs']} species"
    return f"{name:18} {times}: {found['ratio']:6.1f} × {spread}; {species}"


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer generations, and 1,000 genomes for 10,000")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    given = parser.parse_args()
    if neat is None:
        print("expected neat-python to compare with, found none; pip install neat-python", file=sys.stderr)
        return 2
    torch.set_num_threads(1)
    size = 1_000 if given.quick else 10_000
    found = {
        "generation_150": generation_150(20 if given.quick else 100),
        f"generation_{size}": generation_10000(3 if given.quick else 5, size),
    }
    if given.json:
        print(json.dumps(found))
    else:
        print("\n".join(written(name, figures) for name, figures in found.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
