"""Double pole balancing by NEAT, as in sections 4 and 5 of Stanley & Miikkulainen 2002, and with parts of it left out.

    python runs/double_pole.py --arms neat --seeds 50
    python runs/double_pole.py --report

A run ends with the first network that solves the problem, or after 100,000 evaluations, when it has failed. Every run
is kept in runs/out/double_pole; the same command goes on where it was stopped, and `--report` writes the table of what
there is to docs/studies/double_pole.md. Nothing else is recorded of a run, so that it is as fast as its networks are; a
campaign that is recorded, resumed and drawn is runs/double_pole.toml. Without velocities one network of a generation is
put to the two tests of the paper: the fittest that was not tested before, if it balances for 1,000 steps.
"""

import argparse
import itertools
import json
import math
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from evonas.analysis.statistics import mean_interval
from evonas.network import NeuronPopulation
from evonas.record import COMPLETE, Budget, Evaluation
from evonas.search import Context, SpeciatedConfig
from evonas.tasks import Poles, poles
from evonas.tasks.poles import PoleBalancing
from genomes import Neat
from genomes.encoding import Decide
from genomes.neat.genome import BIAS, Connection, NeatGenome, Neuron, assembled, input_ids, output_ids
from genomes.neat.operators import drawn_weights
from genomes.neurons import NeuronGraph

HERE = Path(__file__).parent
OUT = HERE / "out" / "double_pole"
PAGE = HERE.parent / "docs" / "studies" / "double_pole.md"
CAP = 100_000
MANY = 10
"""Runs from which on an interval says something; of fewer the least and the most are given."""
MOST_HIDDEN = 10
(OUTPUT,) = output_ids(1)
Topology = tuple[list[str], list[tuple[str, str]]]
"""Hidden neurons, and the connections between inputs, bias, these and the output."""


@dataclass(frozen=True)
class Arm:
    """One way to search.

    Attributes:
        title: In the table.
        published: Evaluations in the paper, and the part of its runs that failed.
        encoding: Fields of `Neat` other than `PROGRAM` and its defaults.
        search: Fields of `SpeciatedConfig` other than its defaults.
        velocities: Whether networks are given velocities.
        topology: Draws the topology of every genome of the beginning; None: it is minimal.
    """

    title: str
    published: str
    encoding: Mapping[str, Any] = field(default_factory=dict)
    search: Mapping[str, Any] = field(default_factory=dict)
    velocities: bool = True
    topology: Callable[..., Topology] | None = None


def fully_connected(inputs: Sequence[str], *, rng: np.random.Generator) -> Topology:
    """All inputs feed each of ten hidden neurons, and these feed the output, as the bias does."""
    hidden = [f"{at:016x}" for at in range(1, MOST_HIDDEN + 1)]
    return hidden, [*itertools.product(inputs, hidden), *itertools.product((*hidden, BIAS), (OUTPUT,))]


def random_topology(inputs: Sequence[str], *, rng: np.random.Generator) -> Topology:
    """One to ten hidden neurons, each number as likely; of all connections that close no cycle each by even odds."""
    hidden = [f"{at:016x}" for at in range(1, int(rng.integers(1, MOST_HIDDEN + 1)) + 1)]
    pairs = [*itertools.product(inputs, (*hidden, OUTPUT)), *itertools.combinations((*hidden, OUTPUT), 2)]
    return hidden, list(itertools.compress(pairs, rng.random(len(pairs)) < 0.5))


PROGRAM = {"recurrent": True, "recurrent_rate": 0.0}
"""As in the authors' program a network is activated once a step, so that what a hidden neuron makes of the inputs
arrives a step later. With velocities no cycle is closed."""
WITHOUT = {
    "recurrent_rate": 0.2,
    "difference": 3.0,
    "weight_power": 1.8,
    "average_rate": 0.4,
    "mutations": {"add_connection": 0.3},
}
LARGE = {"population": 1_000, "threshold": 4.0, "survival": 0.4}
ONE_SPECIES = {"threshold": 1e9}
NO_GROWTH = {"mutations": {"add_node": 0.0, "add_connection": 0.0}}
ARMS: dict[str, Arm] = {
    "neat": Arm("NEAT", "3,600, 0 %"),
    "no-mating": Arm("no mating", "5,557, 0 %", search={"crossover": 0.0}),
    "random-start": Arm("random start", "23,033, 5 %", topology=random_topology),
    "no-speciation": Arm("random start, no speciation", "25,600, 25 %", search=ONE_SPECIES, topology=random_topology),
    "no-growth": Arm("no growth: ten hidden neurons", "30,239, 80 %", NO_GROWTH, topology=fully_connected),
    "minimal-no-speciation": Arm("minimal start, no speciation", "not in the paper", search=ONE_SPECIES),
    "without-velocities": Arm("without velocities", "33,184, 0 %", WITHOUT, LARGE | {"champions": 1}, velocities=False),
    "without-velocities-champions": Arm(
        "the same, champions of species of six or more kept", "33,184, 0 %", WITHOUT, LARGE, velocities=False
    ),
}


@dataclass(frozen=True)
class Started:
    """NEAT from other topologies than the minimal one.

    Attributes:
        neat: Varies the genomes.
        topology: Draws hidden neurons and connections. What has the same place in two genomes is homologous, as in the
            random genomes of the authors' program.
    """

    neat: Neat
    topology: Callable[..., Topology]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.neat, name)

    def sample(self, decide: Decide, *, rng: np.random.Generator) -> NeatGenome:
        """A topology with random weights."""
        hidden, pairs = self.topology((*input_ids(self.neat.n_inputs), BIAS), rng=rng)
        weights = drawn_weights(self.neat, len(pairs), rng)
        neurons = [Neuron(name, "steep_sigmoid", "sum") for name in (OUTPUT, *hidden)]
        links = [Connection(*pair, weight) for pair, weight in zip(pairs, weights, strict=True)]
        return assembled(self.neat.n_inputs, 1, neurons, links)


@dataclass(frozen=True)
class Run:
    """What came of one run.

    Attributes:
        seed: Of all that is random in it.
        evaluations: Until it was solved, or `cap`.
        cap: After so many it would have failed.
        solved: Whether it was.
        hidden: Hidden neurons of the network that solved it, or of the best.
        connections: Its connections.
        generalisation: Without velocities: of 625 other starts, those from which it balances for 1,000 steps.
        species: In the median generation.
        seconds: How long it took.
    """

    seed: int
    evaluations: int
    cap: int
    solved: bool
    hidden: int
    connections: int
    generalisation: int
    species: float
    seconds: float


class Scores(NamedTuple):
    """Of some networks, one each: the fitness, and steps balanced of the 100,000 with velocities, else of 1,000."""

    fitness: list[float]
    steps: list[int]


def plain(graph: NeuronGraph) -> Callable[[Sequence[float]], float]:
    """A recurrent network of one output in Python's floats, which remembers what it was given."""
    neurons = [
        (bias, [(graph.sources[at], graph.weights[at]) for at in incoming])
        for bias, incoming in zip(graph.biases, graph.incoming, strict=True)
    ]
    values, output = [0.0] * len(neurons), graph.outputs[0] - graph.n_inputs

    def network(inputs: Sequence[float]) -> float:
        nonlocal values
        read, values = [*inputs, *values], []
        for total, links in neurons:
            for source, weight in links:
                total += weight * read[source]
            values.append(0.5 + 0.5 * math.tanh(2.45 * total))
        return values[output]

    return network


def scored(problem: PoleBalancing, graphs: Sequence[NeuronGraph]) -> Scores:
    """Let networks balance: all at once for 1,000 steps, and those that go on one by one."""
    networks = NeuronPopulation(graphs)
    if not problem.velocities:
        found = problem.score(networks, np.zeros(networks.n, np.int64))
        return Scores(found["fitness"].tolist(), found["steps"].int().tolist())
    steps = problem.balancing.steps(networks, [problem.begun], poles.SHORT_RUN)[:, 0].tolist()
    for at, graph in enumerate(graphs):
        if steps[at] >= poles.SHORT_RUN:
            steps[at] = problem.balancing.alone(plain(graph), problem.begun, poles.LONG_RUN)
    return Scores(list(map(float, steps)), steps)


def champion(scores: Scores, digests: Sequence[str], tested: set[str]) -> int | None:
    """The place of the fittest that balances for 1,000 steps and is not among the tested; None: there is none."""
    new = [at for at, steps in enumerate(scores.steps) if steps >= poles.SHORT_RUN and digests[at] not in tested]
    return max(new, key=scores.fitness.__getitem__, default=None)


def search(arm: Arm, problem: PoleBalancing, seed: int, cap: int) -> Generator[list[NeuronGraph], Scores, Run]:
    """One run, which is sent the scores of the networks that it yields.

    Args:
        arm: How to search.
        problem: What for.
        seed: Of all that is random.
        cap: Evaluations after which it has failed.
    """
    neat = Neat(n_inputs=problem.n_inputs, n_outputs=1, **PROGRAM | arm.encoding)
    encoding: Any = Started(neat, arm.topology) if arm.topology else neat
    config = SpeciatedConfig(**arm.search)
    context = Context(encoding, seed, lambda one: (one.metrics["fitness"],), lambda _: Budget(0), inherit=False)
    searching = config.build(context)
    told, found, generalisation = 0, None, 0
    tested: set[str] = set()
    while found is None and told < cap:
        proposals = searching.ask(min(config.population, cap - told))
        genomes = [one.genome for one in proposals]
        graphs = [encoding.develop(genome) for genome in genomes]
        scores = yield graphs
        if problem.velocities:
            found = next((at for at, steps in enumerate(scores.steps) if steps >= poles.LONG_RUN), None)
        elif (best := champion(scores, [genome.digest for genome in genomes], tested)) is not None:
            tested.add(genomes[best].digest)
            result = problem.test(NeuronPopulation([graphs[best]]), np.zeros(1, np.int64))
            generalisation = int(result["fitness"][0])
            found = best if result["solved"][0] else None
        told += len(proposals)
        searching.tell(
            Evaluation(one.id, COMPLETE, {"fitness": value})
            for one, value in zip(proposals, scores.fitness, strict=True)
        )
    genome = genomes[max(range(len(genomes)), key=scores.fitness.__getitem__) if found is None else found]
    return Run(
        seed,
        told if found is None else told - len(proposals) + found + 1,
        cap,
        found is not None,
        len(genome.hidden),
        sum(genome.enabled),
        generalisation,
        statistics.median(len(one.members) for one in searching.species),
        0.0,
    )


def searched(arm: Arm, seeds: Iterable[int], cap: int, together: int) -> Iterator[Run]:
    """Many runs, side by side: a step of the networks of many runs takes hardly longer than of one.

    What a network is worth, and so what a run comes to, does not depend on the runs beside it.

    Args:
        arm: How to search.
        seeds: One a run.
        cap: Evaluations after which a run has failed.
        together: Runs that go on at once.

    Yields:
        The runs as they end. Their seconds are those that they would fill alone of the time they shared.
    """
    problem = Poles(name="double_pole", velocities=arm.velocities, trials=False).load().problem
    assert isinstance(problem, PoleBalancing)
    waiting = [(seed, search(arm, problem, seed, cap)) for seed in seeds]
    going: dict[int, tuple[Generator[list[NeuronGraph], Scores, Run], list[NeuronGraph]]] = {}
    seconds: Counter[int] = Counter()
    while waiting or going:
        while waiting and len(going) < together:
            seed, run = waiting.pop(0)
            going[seed] = run, next(run)
        began = time.perf_counter()
        scores = scored(problem, [graph for _, graphs in going.values() for graph in graphs])
        share = (time.perf_counter() - began) / len(scores.steps)
        start = 0
        for seed, (run, graphs) in list(going.items()):
            part = slice(start, start := start + len(graphs))
            seconds[seed] += share * len(graphs)
            began = time.perf_counter()
            try:
                going[seed] = run, run.send(Scores(scores.fitness[part], scores.steps[part]))
                seconds[seed] += time.perf_counter() - began
            except StopIteration as ended:
                del going[seed]
                yield replace(ended.value, seconds=seconds[seed] + time.perf_counter() - began)


def kept(name: str) -> list[Run]:
    """The runs of an arm that are done, by seed."""
    path = OUT / f"{name}.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [Run(**json.loads(line)) for line in lines]


def keep(name: str, runs: Iterable[Run]) -> None:
    """Write the runs of an arm, whole or not at all."""
    path = OUT / f"{name}.jsonl"
    written = path.with_suffix(".tmp")
    lines = [json.dumps(vars(run)) + "\n" for run in sorted(runs, key=lambda run: run.seed)]
    written.write_text("".join(lines), "utf-8")
    written.replace(path)


def table(runs: Mapping[str, list[Run]]) -> list[str]:
    """A row an arm: evaluations of the runs that solved it, and how many did not."""
    rows = [
        "| | published: evaluations, failed | runs | evaluations | median | failed | after | all runs | species "
        "| hidden | connections | of 625 starts |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, found in runs.items():
        solved = [run for run in found if run.solved]
        counts = [float(run.evaluations) for run in solved]
        mean = "–"
        if len(counts) >= MANY:
            interval = mean_interval(counts)
            mean = f"{interval.mean:,.0f} [{interval.low:,.0f}, {interval.high:,.0f}]"
        elif counts:
            mean = f"{statistics.mean(counts):,.0f} ({min(counts):,.0f} to {max(counts):,.0f})"
        rows.append(
            f"| {ARMS[name].title} | {ARMS[name].published} | {len(found)} | {mean} "
            f"| {f'{statistics.median(counts):,.0f}' if counts else '–'} | {len(found) - len(solved)} "
            f"| {' and '.join(f'{cap:,}' for cap in sorted({run.cap for run in found}))} "
            f"| {statistics.mean(run.evaluations for run in found):,.0f} "
            f"| {_mean(run.species for run in found)} "
            f"| {_mean(run.hidden for run in solved)} | {_mean(run.connections for run in solved)} "
            f"| {'–' if ARMS[name].velocities else _mean(run.generalisation for run in solved)} |"
        )
    return rows


def _mean(values: Iterable[float]) -> str:
    found = list(values)
    return f"{statistics.mean(found):,.1f}" if found else "–"


def report() -> str:
    """The page of the study: its text as it is, and the table of what there is."""
    runs = {name: found for name in ARMS if (found := kept(name))}
    text, _, _ = PAGE.read_text("utf-8").partition("\n| ")
    return "\n".join([text.rstrip(), "", *table(runs), ""])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=[], help="what to run")
    parser.add_argument("--seeds", type=int, default=10, help="runs of each, with the seeds 0 and on")
    parser.add_argument("--cap", type=int, default=CAP, help="evaluations after which a run has failed")
    parser.add_argument("--together", type=int, default=10, help="runs side by side: it is faster, and changes nothing")
    parser.add_argument("--report", action="store_true", help="write the table of docs/studies/double_pole.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    OUT.mkdir(parents=True, exist_ok=True)
    for name in options.arms:
        done = kept(name)
        seeds = sorted({*range(options.seeds)} - {run.seed for run in done})
        for run in searched(ARMS[name], seeds, options.cap, options.together):
            done.append(run)
            keep(name, done)
            print(name, run, file=sys.stderr)
        print("\n".join(table({name: kept(name)})[2:]))
    if options.report:
        PAGE.write_text(report(), "utf-8")


if __name__ == "__main__":
    main()
