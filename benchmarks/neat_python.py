"""NEAT against neat-python, alternated on one thread: processor time, theirs over ours.

`xor_150`: 150 networks are made of their graphs, and put out on the four cases of exclusive or; `outputs_150` is the
same when they are made already, `outputs_10000` of so many. `many_1000`: 1,000 graphs of 20 neurons and 60 connections,
all activations mixed, are made and put out on 256 inputs. Where there are many, some of neat-python's are timed. Its
networks are made by its own `create`, with activations of its own of about the same cost.

`generation_150` evolves exclusive or in populations of 150, evaluation included on both sides; `recorded_150` is the
same where ours is a campaign that records every individual. `generation_10000` makes generations of 10,000 genomes of
20 neurons and 60 connections in about 20 species from parents that a trivial fitness selects: selection, crossover,
mutation and speciation alone. Both sides have the same rates where both have the thing.

neat-python is installed for this only: `pip install neat-python`; its side is in `peer.py`.

    python benchmarks/neat_python.py [--quick] [--json]
"""

import argparse
import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import starmap
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peer import (
    CASES,
    N_CONNECTIONS,
    N_NEURONS,
    N_SPECIES,
    OURS,
    genome_of,
    large_population,
    neat,
    trivial,
    xor_of_theirs,
)
from torch import Tensor

from evonas.campaign.evaluating import evaluator_of
from evonas.campaign.loop import Loop
from evonas.campaign.opening import fitted, opened
from evonas.campaign.searching import search_of
from evonas.campaign.spec import Spec
from evonas.evaluation.evaluator import Check, Job
from evonas.network import NeuronPopulation
from evonas.record import COMPLETE, Budget, Evaluation
from evonas.search import Context, SpeciatedConfig
from genomes import Neat, NeatGenome
from genomes.encoding import Decide, uniform
from genomes.neat.operators import add_connection, add_node
from genomes.neurons import NeuronGraph

LIKE_THEIRS: Any = {"bias": "neuron", "distribution": "normal", "weight_power": 0.5, "difference": 0.5, "small": 0}
"""What makes our genomes spread as theirs do, so that there are about as many species."""
Pairs = Sequence[tuple[float, float]]
"""Times of ours and of theirs that were measured one after the other."""


def graph(n_inputs: int, n_neurons: int, n_links: int, words: tuple[str, ...], rng: np.random.Generator) -> NeuronGraph:
    """A random feed-forward graph with one output, the last neuron, which reads every other at least once."""
    pairs = [(a, n_inputs + b) for b in range(n_neurons) for a in range(n_inputs + b)]
    must = [pair for pair in pairs if pair[1] == n_inputs + n_neurons - 1][n_inputs:]
    rest = [pair for pair in pairs if pair not in must]
    links = must + [rest[at] for at in rng.permutation(len(rest))[: n_links - len(must)]]
    sources, targets = zip(*links, strict=True)
    names = tuple(map(str, range(n_neurons)))
    values = tuple(rng.normal(0, 1, len(links)).tolist())
    chosen = tuple(str(word) for word in rng.choice(words, n_neurons))
    ones = (1.0,) * n_neurons
    outputs = (n_inputs + n_neurons - 1,)
    return NeuronGraph(
        n_inputs,
        outputs,
        names,
        chosen,
        ("sum",) * n_neurons,
        ones,
        ones,
        sources,
        targets,
        values,
        tuple(map(str, links)),
    )


def outputs(graphs: list[NeuronGraph], inputs: Tensor, n_theirs: int, n: int, *, made: bool = False) -> dict[str, Any]:
    """What graphs put out on inputs, `(batch, n_inputs)`.

    Args:
        graphs: All of which ours computes.
        inputs: The same for all.
        n_theirs: So many are timed of theirs.
        n: How often.
        made: Networks are made before.

    Returns:
        See `figures_of`; theirs as if all graphs were computed.
    """
    genomes = [genome_of(one) for one in graphs[:n_theirs]]
    rows = inputs.tolist()
    create = neat.nn.FeedForwardNetwork.create
    networks, population = [create(*one) for one in genomes], NeuronPopulation(graphs)

    def ours() -> None:
        (population if made else NeuronPopulation(graphs))(inputs)

    def peer() -> None:
        for network in networks if made else [create(*one) for one in genomes]:
            for row in rows:
                network.activate(row)

    repeats = 10 if len(graphs) == n_theirs else 1
    return figures_of(alternated(ours, peer, n, repeats=repeats, scale=len(graphs) / n_theirs))


XOR: Any = {
    "name": "xor",
    "task": {"name": "xor"},
    "encoding": {"name": "neat", **LIKE_THEIRS},
    "search": {"name": "speciated", "population": 150},
}


def generation_150(n: int, seeds: int) -> dict[str, Any]:
    """Exclusive or in populations of 150, for each seed so many generations of each side.

    Returns:
        The figures of all, and how many species there were at the end, on average.
    """
    pairs: list[tuple[float, float]] = []
    species = []
    for seed in range(seeds):
        found, counts = generations_of_xor(n, seed)
        pairs += found
        species.append(counts)
    ours, theirs = map(statistics.mean, zip(*species, strict=True))
    return figures_of(pairs) | {"species": round(ours), "species_theirs": round(theirs)}


def generations_of_xor(n: int, seed: int) -> tuple[Pairs, tuple[int, int]]:
    """See `generation_150`: times, and how many species each side had at the end."""
    found = Spec.model_validate(XOR | {"seed": seed})
    task = found.task.load()
    found = fitted(found, task)
    search: Any = search_of(found, found.encoding, None)
    evaluator = evaluator_of(found, task)

    def ours() -> None:
        asked = search.ask(150)
        told = {one.id: one for batch in evaluator.evaluate(map(Job, asked), lambda: None) for one in batch}
        search.tell(told[one.id] for one in asked)

    peer, theirs = xor_of_theirs(seed)
    pairs = alternated(ours, theirs, n // 5, repeats=5)
    return pairs, (len(search.species[-1].members), len(peer.species.species))


class Between:
    """An evaluator that lets neat-python make a generation before each of a campaign's, outside its time."""

    def __init__(self, evaluator: Any) -> None:
        self._evaluator = evaluator
        self.peer, self._theirs = xor_of_theirs()
        self.times: list[tuple[float, float]] = []
        self._since = time.process_time()

    def evaluate(self, jobs: Iterable[Job], check: Check) -> Iterator[list[Evaluation]]:
        """A generation of the campaign is from here to here: evaluated, told, recorded, and the next asked for."""
        ended = time.process_time()
        self._theirs()
        began = time.process_time()
        self.times.append((ended - self._since, began - ended))
        self._since = began
        yield from self._evaluator.evaluate(jobs, check)


def recorded_150(n: int) -> dict[str, Any]:
    """The same, where ours is a campaign with its record, which neat-python has none of.

    Returns:
        See `figures_of`.
    """
    spec = Spec.model_validate(XOR | {"budget": {"evaluations": 150 * (n + 2)}})
    task = spec.task.load()
    spec = fitted(spec, task)
    between = Between(evaluator_of(spec, task))
    search = search_of(spec, spec.encoding, None)
    with tempfile.TemporaryDirectory() as place:
        store = opened(Path(place), spec, task)
        Loop(spec, spec.encoding, store, search, between).run()
        store.close()
    return figures_of(between.times[2:])


def generation_10000(n: int, size: int = 10_000) -> dict[str, Any]:
    """Generations of `size` genomes of 20 neurons and 60 connections, so many of each side.

    Returns:
        The figures of all, and how many species there were at the end.
    """
    plain = Neat(n_inputs=4, n_outputs=2, **LIKE_THEIRS)
    search = SpeciatedConfig(population=size, threshold=1.4, stagnation=1000).build(
        Context(Grown(plain), 0, lambda one: (one.metrics["fitness"],), lambda _: Budget(0), inherit=False)
    )

    def ours() -> None:
        asked = search.ask(size)
        search.tell([Evaluation(one.id, COMPLETE, {"fitness": trivial(one.id)}) for one in asked])

    peer = large_population(size)

    def judged(genomes: Any, config: Any) -> None:
        for key, genome in genomes:
            genome.fitness = trivial(key)

    ours()
    figures = figures_of(alternated(ours, lambda: peer.run(judged, 1), n))
    return figures | {"species": len(search.species[-1].members), "species_theirs": len(peer.species.species)}


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


def alternated(
    ours: Callable[[], object], theirs: Callable[[], object], n: int, *, repeats: int = 1, scale: float = 1.0
) -> Pairs:
    """Alternate both sides `n` times.

    Args:
        ours: One side.
        theirs: The other.
        n: How often.
        repeats: So often each is called in a row.
        scale: What their times are multiplied by.

    Returns:
        Seconds of processor time that one call takes.
    """
    ours(), theirs()
    pairs = []
    for _ in range(n):
        pair = []
        for side in (ours, theirs):
            gc.collect()
            started = time.process_time()
            for _ in range(repeats):
                side()
            pair.append((time.process_time() - started) / repeats)
        pairs.append((pair[0], pair[1] * scale))
    return pairs


def figures_of(pairs: Pairs) -> dict[str, Any]:
    """Medians in milliseconds, and of the ratios theirs / ours the median, the least and the largest.

    Args:
        pairs: Seconds of processor time of ours and of theirs.
    """
    ratios = [b / a for a, b in pairs]
    mine, its = (1e3 * statistics.median(side) for side in zip(*pairs, strict=True))
    spread = {"ratio": statistics.median(ratios), "ratio_least": min(ratios), "ratio_most": max(ratios)}
    return {"ours_ms": mine, "neat_python_ms": its, **spread, "n": len(pairs)}


def written(name: str, found: Mapping[str, Any]) -> str:
    """One line of figures."""
    times = f"{found['ours_ms']:9.2f} ms, neat-python {found['neat_python_ms']:9.1f} ms"
    spread = f"({found['ratio_least']:.1f} to {found['ratio_most']:.1f}, n = {found['n']})"
    species = f"; {found['species']} and {found['species_theirs']} species" if "species" in found else ""
    return f"{name:18} {times}: {found['ratio']:6.1f} × {spread}{species}"


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
    quick, rng = given.quick, np.random.default_rng(0)
    size = 1_000 if quick else 10_000
    small_many = [graph(2, 5, 12, ("sigmoid",), rng) for _ in range(10_000)]
    small = small_many[:150]
    many = [graph(4, 20, 60, OURS, rng) for _ in range(1_000)]
    cases, inputs = torch.tensor([bits for bits, _ in CASES]).float(), torch.randn(256, 4)
    found = {
        "xor_150": outputs(small, cases, 150, 10 if quick else 50),
        "outputs_150": outputs(small, cases, 150, 10 if quick else 50, made=True),
        "outputs_10000": outputs(small_many, cases, 150, 5 if quick else 25, made=True),
        "many_1000": outputs(many, inputs, 20, 5 if quick else 25),
        "generation_150": generation_150(20 if quick else 100, 1 if quick else 5),
        "recorded_150": recorded_150(20 if quick else 100),
        f"generation_{size}": generation_10000(3 if quick else 5, size),
    }
    if given.json:
        print(json.dumps(found))
    else:
        print("\n".join(starmap(written, found.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
