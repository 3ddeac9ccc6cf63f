"""Double pole balancing by NEAT, as in sections 4 and 5 of Stanley & Miikkulainen 2002, and with parts of it left out.

    python runs/double_pole.py --arms neat --seeds 50
    python runs/double_pole.py --report

A run ends with the first network that solves the problem, or after 100,000 evaluations, when it has failed. Every run
is kept in runs/out/double_pole; the same command goes on where it was stopped, and `--report` writes what there is to
docs/studies/double_pole.md. Nothing else is recorded of a run, so that it is as fast as its networks are; a campaign
that is recorded, resumed and drawn is runs/double_pole.toml. Without velocities one network of a generation is put to
the two tests of the paper: the fittest that was not tested before, if it balances for 1,000 steps.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evonas.analysis.statistics import mean_interval
from evonas.network import NeuronPopulation
from evonas.record import COMPLETE, Budget, Evaluation
from evonas.search import Context, SpeciatedConfig
from evonas.tasks import Poles
from genomes import Neat
from genomes.encoding import Decide, Variation
from genomes.neat.genome import BIAS, Connection, NeatGenome, Neuron, assembled, input_ids, output_ids
from genomes.neat.operators import drawn_weights
from genomes.neurons import NeuronGraph

HERE = Path(__file__).parent
OUT = HERE / "out" / "double_pole"
PAGE = HERE.parent / "docs" / "studies" / "double_pole.md"
CAP = 100_000
SHORT = 1_000
MANY = 10
"""Runs from which on an interval says something; of fewer the least and the most are given."""
GROWN = {"add_node": 0.0, "add_connection": 0.0}


@dataclass(frozen=True)
class Arm:
    """One way to search.

    Attributes:
        title: In the table.
        published: Evaluations in the paper, and the part of its runs that failed.
        encoding: Fields of `Neat` other than its defaults.
        search: Fields of `SpeciatedConfig` other than its defaults.
        velocities: Whether networks are given velocities.
        hidden: Hidden neurons, all fully connected, that every genome starts with.
    """

    title: str
    published: str
    encoding: Mapping[str, Any] = field(default_factory=dict)
    search: Mapping[str, Any] = field(default_factory=dict)
    velocities: bool = True
    hidden: int = 0


WITHOUT = {
    "recurrent": True,
    "difference": 3.0,
    "weight_power": 1.8,
    "average_rate": 0.4,
    "mutations": {"add_connection": 0.3},
}
ARMS: dict[str, Arm] = {
    "neat": Arm("NEAT", "3,600, 0 %"),
    "no-growth": Arm("no growth: 10 hidden neurons, fully connected", "30,239, 80 %", {"mutations": GROWN}, hidden=10),
    "no-speciation": Arm("no speciation: one species", "25,600, 25 %", search={"threshold": 1e9}),
    "random-start": Arm("random start: up to 10 hidden neurons", "23,033, 5 %", {"max_sampled": 10}),
    "no-mating": Arm("no mating", "5,557, 0 %", search={"crossover": 0.0}),
    "without-velocities": Arm(
        "NEAT without velocities",
        "33,184, 0 %",
        WITHOUT,
        {"population": 1_000, "threshold": 4.0, "survival": 0.4},
        velocities=False,
    ),
    "without-velocities-30-species": Arm(
        "the same, the threshold moved towards 30 species, weights up to 8",
        "33,184, 0 %",
        WITHOUT | {"limit": 8.0},
        {"population": 1_000, "threshold": 4.0, "survival": 0.4, "target_species": 30},
        velocities=False,
    ),
}


@dataclass(frozen=True)
class FullyConnected:
    """NEAT on a topology of one hidden layer, which every input, the bias and every output is connected to.

    Attributes:
        neat: Varies the genomes.
        hidden: Neurons of the layer.
    """

    neat: Neat
    hidden: int

    @property
    def abilities(self) -> frozenset[str]:
        """What `Neat` can."""
        return self.neat.abilities

    def sample(self, decide: Decide, *, rng: np.random.Generator) -> NeatGenome:
        """The topology, with random weights."""
        outputs = output_ids(self.neat.n_outputs or 1)
        hidden = [f"{at:016x}" for at in range(1, self.hidden + 1)]
        sources = (*input_ids(self.neat.n_inputs), BIAS)
        pairs = [(source, target) for source in sources for target in (*hidden, *outputs)]
        pairs += [(source, target) for source in hidden for target in outputs]
        weights = drawn_weights(self.neat, len(pairs), rng)
        neurons = [Neuron(name, "steep_sigmoid", "sum") for name in (*outputs, *hidden)]
        links = [Connection(*pair, weight) for pair, weight in zip(pairs, weights, strict=True)]
        return assembled(self.neat.n_inputs, len(outputs), neurons, links)

    def mutate(self, genome: NeatGenome, *, rng: np.random.Generator) -> Variation[NeatGenome]:
        """As `Neat` does."""
        return self.neat.mutate(genome, rng=rng)

    def crossover(self, a: NeatGenome, b: NeatGenome, *, rng: np.random.Generator) -> Variation[NeatGenome]:
        """As `Neat` does."""
        return self.neat.crossover(a, b, rng=rng)

    def develop(self, genome: NeatGenome) -> NeuronGraph:
        """As `Neat` does."""
        return self.neat.develop(genome)

    def distance(self, a: NeatGenome, b: NeatGenome) -> float:
        """As `Neat` does."""
        return self.neat.distance(a, b)

    def distances(self, a: Iterable[NeatGenome], b: Iterable[NeatGenome]) -> Any:
        """As `Neat` does."""
        return self.neat.distances(tuple(a), tuple(b))


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
        seconds: How long it took.
    """

    seed: int
    evaluations: int
    cap: int
    solved: bool
    hidden: int
    connections: int
    generalisation: int
    seconds: float


class Judge:
    """Finds the individual of a generation that solves the problem.

    Args:
        velocities: Whether networks are given them; else the fittest of a generation that was not tested before is put
            to the tests, if it balances for 1,000 steps.
    """

    def __init__(self, velocities: bool) -> None:
        problem = Poles(name="double_pole", velocities=velocities, trials=False).load().problem
        assert problem is not None
        self.problem, self._velocities = problem, velocities
        self._tested: set[str] = set()
        self.generalisation = 0

    def fitness(self, networks: NeuronPopulation, digests: Sequence[str]) -> tuple[list[float], int | None]:
        """The fitness of every network, and the place of the first that solves it; None: there is none.

        Args:
            networks: A generation.
            digests: Of their genomes.
        """
        scores = {name: values.tolist() for name, values in self.problem.score(networks, _zeros(networks.n)).items()}
        fitness: list[float] = scores["fitness"]
        if self._velocities:
            return fitness, next((at for at, solved in enumerate(scores["solved"]) if solved), None)
        new = [at for at, digest in enumerate(digests) if digest not in self._tested and scores["steps"][at] >= SHORT]
        if not new:
            return fitness, None
        champion = max(new, key=fitness.__getitem__)
        self._tested.add(digests[champion])
        tested = self.problem.test(networks.choose(torch.tensor([champion])), _zeros(1))
        self.generalisation = int(tested["fitness"][0])
        return fitness, champion if tested["solved"][0] else None


def search(arm: Arm, seed: int, cap: int = CAP) -> Run:
    """One run.

    Args:
        arm: How to search.
        seed: Of all that is random.
        cap: Evaluations after which it has failed.
    """
    began = time.perf_counter()
    judge = Judge(arm.velocities)
    neat = Neat(n_inputs=judge.problem.n_inputs, n_outputs=1, **arm.encoding)
    encoding: Any = FullyConnected(neat, arm.hidden) if arm.hidden else neat
    config = SpeciatedConfig(**arm.search)
    context = Context(encoding, seed, lambda one: (one.metrics["fitness"],), lambda _: Budget(0), inherit=False)
    searching = config.build(context)
    told, found = 0, None
    while found is None and told < cap:
        proposals = searching.ask(min(config.population, cap - told))
        genomes = [one.genome for one in proposals]
        networks = NeuronPopulation([encoding.develop(genome) for genome in genomes])
        fitness, found = judge.fitness(networks, [genome.digest for genome in genomes])
        told += len(proposals)
        searching.tell(
            Evaluation(one.id, COMPLETE, {"fitness": value}) for one, value in zip(proposals, fitness, strict=True)
        )
    genome = genomes[max(range(len(fitness)), key=fitness.__getitem__) if found is None else found]
    return Run(
        seed,
        told if found is None else told - len(proposals) + found + 1,
        cap,
        found is not None,
        len(genome.hidden),
        sum(genome.enabled),
        judge.generalisation,
        time.perf_counter() - began,
    )


def _zeros(n: int) -> Any:
    return np.zeros(n, np.int64)


def kept(name: str) -> list[Run]:
    """The runs of an arm that are done, by seed."""
    path = OUT / f"{name}.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return sorted((Run(**json.loads(line)) for line in lines), key=lambda run: run.seed)


def keep(name: str, runs: Iterable[Run]) -> None:
    """Write the runs of an arm, whole or not at all."""
    path = OUT / f"{name}.jsonl"
    written = path.with_suffix(".tmp")
    written.write_text("".join(json.dumps(vars(run)) + "\n" for run in runs), "utf-8")
    written.replace(path)


def table(runs: Mapping[str, list[Run]]) -> list[str]:
    """A row an arm: evaluations of the runs that solved it, and how many did not."""
    rows = [
        "| | published: evaluations, failed | runs | evaluations | median | failed | after | hidden | connections "
        "| of 625 starts | seconds a run |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
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
            f"| {_mean(run.hidden for run in solved)} | {_mean(run.connections for run in solved)} "
            f"| {'–' if ARMS[name].velocities else _mean(run.generalisation for run in solved)} "
            f"| {_mean(run.seconds for run in found)} |"
        )
    return rows


def _mean(values: Iterable[float]) -> str:
    found = list(values)
    return f"{statistics.mean(found):,.1f}" if found else "–"


def report() -> str:
    """The page of the study."""
    runs = {name: found for name in ARMS if (found := kept(name))}
    return "\n".join(
        [
            "# Double pole balancing",
            "",
            *(line.strip() for line in INTRODUCTION.strip().splitlines()),
            "",
            *table(runs),
            "",
        ]
    )


INTRODUCTION = """
NEAT on the benchmark of Stanley & Miikkulainen 2002, with their parameters, and with parts of it left out as in section
5 of the paper. A run ends with the first network that balances both poles for 100,000 steps; without velocities, with
the first that also does so and balances for 1,000 steps from at least 200 of 625 other starts, where one network of a
generation is tried. It has failed after so many evaluations as the table says; in the paper they were 100,000.
Evaluations are the mean over the runs that did not fail, with its 95 % interval (Student's t), of fewer than 10 runs
the least and the most; hidden neurons, connections and starts are those of the networks that solved it. Seconds are on
one core that other work shared.

Written by `python runs/double_pole.py --report`, which also says what each run is; the physics and the criteria are in
`evonas/tasks/poles.py`, and tested against mechanics derived in another way.

Where this differs from the paper: markings are the same in every generation; with velocities, networks have no cycles,
and without, a network is activated once a step, however deep it is. A random start has a further hidden neuron with
probability a half, so that most begin small; the paper draws the whole topology.
"""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=[], help="what to run")
    parser.add_argument("--seeds", type=int, default=10, help="runs of each, with the seeds 0 and on")
    parser.add_argument("--cap", type=int, default=CAP, help="evaluations after which a run has failed")
    parser.add_argument("--report", action="store_true", help="write docs/studies/double_pole.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    OUT.mkdir(parents=True, exist_ok=True)
    for name in options.arms:
        done = kept(name)
        for seed in sorted({*range(options.seeds)} - {run.seed for run in done}):
            run = search(ARMS[name], seed, options.cap)
            done.append(run)
            keep(name, done)
            print(name, run, file=sys.stderr)
        print("\n".join(table({name: kept(name)})[2:]))
    if options.report:
        PAGE.write_text(report(), "utf-8")


if __name__ == "__main__":
    main()
