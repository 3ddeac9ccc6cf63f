"""What the studies of NEAT share: runs in memory, the published ablations, and figures over seeds.

A run drives the search and the evaluator of a campaign without its record, which is what makes hundreds of them cheap;
the same spec under `evonas run` meets the same individuals.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import product
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np

from evonas.campaign import Spec
from evonas.campaign.evaluating import evaluator_of
from evonas.campaign.opening import fitted
from evonas.campaign.searching import search_of
from evonas.campaign.spec import change
from evonas.evaluation.evaluator import Job
from evonas.record import COMPLETE, Evaluation, Proposal
from evonas.tasks import Task
from genomes.encoding import Decide, Variation
from genomes.innovation import marking
from genomes.neat.encoding import Neat
from genomes.neat.genome import BIAS, Connection, NeatGenome, Neuron, assembled, input_ids, output_ids
from genomes.neurons import NeuronGraph

N_HIDDEN = 10
"""Hidden neurons that the ablations without a minimal start begin with, or with at most."""


@dataclass(frozen=True)
class Started:
    """NEAT that does not start minimally: a layer of hidden neurons between inputs and outputs.

    Stanley & Miikkulainen 2002, section 4.3: a fully connected layer of ten where nothing grows, and one to ten with
    random connections as the random start. The paper does not say which connections; here each that there could be is
    there with `part`, and every hidden neuron reads and is read.

    Attributes:
        neat: Varies and develops what is sampled here.
        least: Hidden neurons at least.
        part: The probability of a connection; 1: all.
    """

    neat: Neat
    least: int = N_HIDDEN
    part: float = 1.0
    name: str = field(default="started", init=False)

    @property
    def abilities(self) -> frozenset[str]:
        """Those of NEAT."""
        return self.neat.abilities

    def sample(self, decide: Decide, *, rng: np.random.Generator) -> NeatGenome:
        """A genome with a hidden layer and random weights."""
        sources = [*input_ids(self.neat.n_inputs), *([BIAS] if self.neat.bias_input else [])]
        outputs = output_ids(self.neat.n_outputs or 1)
        hidden = [marking("start", at) for at in range(int(rng.integers(self.least, N_HIDDEN + 1)))]
        pairs = [
            *product(sources, hidden),
            *product(hidden, outputs),
            *product(hidden if self.neat.recurrent else (), hidden),
            *(product(sources, outputs) if self.part < 1 else ()),
        ]
        kept = {pair for pair in pairs if rng.random() < self.part}
        kept |= {(sources[rng.integers(len(sources))], name) for name in hidden}
        kept |= {(name, outputs[rng.integers(len(outputs))]) for name in hidden}
        size = self.neat.weight_init
        links = [Connection(source, name, float(rng.uniform(-size, size))) for source, name in sorted(kept)]
        words = [*((name, self.neat.output_activations[0]) for name in outputs)]
        words += [(name, self.neat.activations[0]) for name in hidden]
        neurons = [Neuron(name, word, self.neat.aggregations[0]) for name, word in words]
        return assembled(self.neat.n_inputs, len(outputs), neurons, links)

    def mutate(self, genome: NeatGenome, *, rng: np.random.Generator) -> Variation[NeatGenome]:
        """As NEAT does."""
        return self.neat.mutate(genome, rng=rng)

    def crossover(self, a: NeatGenome, b: NeatGenome, *, rng: np.random.Generator) -> Variation[NeatGenome]:
        """As NEAT does."""
        return self.neat.crossover(a, b, rng=rng)

    def develop(self, genome: NeatGenome) -> NeuronGraph:
        """As NEAT does."""
        return self.neat.develop(genome)

    def distance(self, a: NeatGenome, b: NeatGenome) -> float:
        """As NEAT does."""
        return self.neat.distance(a, b)

    def distances(self, a: Sequence[NeatGenome], b: Sequence[NeatGenome]) -> np.ndarray:
        """As NEAT does."""
        return self.neat.distances(a, b)


class Ablation(NamedTuple):
    """NEAT without a part of it.

    Attributes:
        changes: Fields of the spec, by dotted name.
        least: Hidden neurons at the start, at least; None: the minimal start of the spec.
        part: The part of the connections that are there at the start.
    """

    changes: Mapping[str, Any] = {}
    least: int | None = None
    part: float = 1.0


NOT_GROWING = {"encoding.mutations.add_node": 0.0, "encoding.mutations.add_connection": 0.0}
ABLATIONS = {
    "none": Ablation(),
    "no growth": Ablation(NOT_GROWING, N_HIDDEN),
    # As published, it starts with random topologies: without species a uniform start would have no diversity to lose.
    "no speciation": Ablation({"search.threshold": 1e9}, 1, 0.5),
    "random start": Ablation({}, 1, 0.5),
    "no mating": Ablation({"search.crossover": 0.0}),
}
"""Those of Stanley & Miikkulainen 2002, section 4.3, by name."""


class Solution(NamedTuple):
    """The first individual of a run that met a criterion.

    Attributes:
        n_evaluations: Individuals evaluated until then, itself included.
        generation: Counted from 1.
        n_hidden: Hidden neurons of its genome.
        n_connections: Connections of its genome that are enabled.
        genome: Its genome.
    """

    n_evaluations: int
    generation: int
    n_hidden: int
    n_connections: int
    genome: NeatGenome


Criteria = Mapping[str, tuple[str, float]]
"""By name a metric and the least of it that counts as solved."""


class Run:
    """One run, generation by generation.

    Args:
        spec: Of the encoding `neat` and the search `speciated`.
        task: Loaded.
        ablation: What is left out.
    """

    def __init__(self, spec: Mapping[str, Any], task: Task, ablation: Ablation = ABLATIONS["none"]) -> None:
        fields = deepcopy(dict(spec))
        change(fields, ablation.changes)
        found = fitted(Spec.model_validate(fields), task)
        encoding: Any = found.encoding
        assert isinstance(encoding, Neat)
        if ablation.least is not None:
            encoding = Started(encoding, ablation.least, ablation.part)
        self.search = search_of(found, encoding, None)
        self._evaluator = evaluator_of(found, task)
        self._size = found.search.lag

    def generation(self) -> list[tuple[Proposal, Evaluation]]:
        """Ask for a generation, evaluate it, tell it."""
        asked = self.search.ask(self._size)
        told = {one.id: one for batch in self._evaluator.evaluate(map(Job, asked), lambda: None) for one in batch}
        self.search.tell(told[one.id] for one in asked)
        return [(one, told[one.id]) for one in asked]


def first_solutions(run: Run, criteria: Criteria, n_generations: int) -> dict[str, Solution]:
    """Run until every criterion is met, or for so many generations."""
    found: dict[str, Solution] = {}
    for generation in range(1, n_generations + 1):
        for proposal, evaluation in run.generation():
            for name, (metric, least) in criteria.items():
                met = evaluation.state == COMPLETE and evaluation.metrics[metric] >= least
                if name not in found and met:
                    genome: Any = proposal.genome
                    found[name] = Solution(proposal.id + 1, generation, len(genome.hidden), sum(genome.enabled), genome)
        if len(found) == len(criteria):
            break
    return found


def _solved(job: tuple[Mapping[str, Any], Any, Ablation, Criteria, int]) -> dict[str, Solution]:
    spec, task, ablation, criteria, n_generations = job
    return first_solutions(Run(spec, task.load(), ablation), criteria, n_generations)


def over_seeds(
    spec: Mapping[str, Any],
    seeds: Iterable[int],
    criteria: Criteria,
    *,
    n_generations: int,
    ablation: Ablation = ABLATIONS["none"],
    n_processes: int = 1,
) -> list[dict[str, Solution]]:
    """What `first_solutions` gives for each seed.

    Args:
        spec: Fields of a spec; the seed in it is replaced.
        seeds: Of the runs.
        criteria: See `Criteria`.
        n_generations: The cap of a run.
        ablation: What is left out.
        n_processes: Runs at once, each on one core.
    """
    task = Spec.model_validate(spec).task
    jobs = [({**spec, "seed": seed}, task, ablation, criteria, n_generations) for seed in seeds]
    if n_processes == 1:
        return list(map(_solved, jobs))
    with ProcessPoolExecutor(n_processes, get_context("spawn")) as pool:
        return list(pool.map(_solved, jobs))


class Figures(NamedTuple):
    """What runs over seeds came to; means are over those that solved it, and NaN where none did.

    Attributes:
        n_solved: Runs that solved it.
        n: Runs.
        mean: Mean number of evaluations.
        low: Lower end of the 95 % bootstrap interval of that mean.
        high: Upper end.
        deviation: Standard deviation of the evaluations.
        worst: The most evaluations.
        generations: Mean number of generations.
        n_hidden: Mean number of hidden neurons of the solutions.
        n_connections: Mean number of their enabled connections.
    """

    n_solved: int
    n: int
    mean: float
    low: float
    high: float
    deviation: float
    worst: float
    generations: float
    n_hidden: float
    n_connections: float


def figures(solutions: Sequence[Solution | None]) -> Figures:
    """The figures of runs, None for one that did not solve it."""
    solved = [one for one in solutions if one is not None]
    if not solved:
        return Figures(0, len(solutions), *[math.nan] * 8)
    evaluations = np.array([one.n_evaluations for one in solved], float)
    low, high = bootstrap(evaluations)
    return Figures(
        len(solved),
        len(solutions),
        float(evaluations.mean()),
        low,
        high,
        float(evaluations.std(ddof=1)) if len(solved) > 1 else math.nan,
        float(evaluations.max()),
        *(float(np.mean([one[at] for one in solved])) for at in (1, 2, 3)),
    )


def bootstrap(values: np.ndarray, n: int = 10_000) -> tuple[float, float]:
    """The 95 % percentile interval of the mean of values `(m,)`, resampled `n` times (Efron 1979)."""
    drawn = np.random.default_rng(0).integers(len(values), size=(n, len(values)))
    low, high = np.quantile(values[drawn].mean(1), (0.025, 0.975))
    return float(low), float(high)


HEAD = (
    "| | solved | evaluations, mean [95 % interval] | sd | worst | generations | hidden | connections |\n|" + "---|" * 8
)


def row(name: str, found: Figures) -> str:
    """A line of the table that `HEAD` begins."""
    interval = f"{found.mean:,.0f} [{found.low:,.0f}, {found.high:,.0f}]"
    solved = f"{found.n_solved} of {found.n}"
    rest = f"{found.generations:.1f} | {found.n_hidden:.2f} | {found.n_connections:.2f}"
    return f"| {name} | {solved} | {interval} | {found.deviation:,.0f} | {found.worst:,.0f} | {rest} |"
