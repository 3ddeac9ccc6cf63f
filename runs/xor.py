"""NEAT on exclusive or, as in Stanley & Miikkulainen 2002, section 4.2.

    python runs/xor.py                     # 100 seeds: some minutes of one core
    python runs/xor.py --seeds 10 --first 1000 --set search.species_elitism=0

A run drives the search and the evaluator of the campaign `runs/xor.toml` without its record, which makes hundreds of
them cheap; `evonas run runs/xor.toml` meets the same individuals.
"""

import argparse
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from evonas.campaign import Spec
from evonas.campaign.evaluating import evaluator_of
from evonas.campaign.opening import fitted
from evonas.campaign.searching import search_of
from evonas.campaign.spec import read, value_of
from evonas.evaluation.evaluator import Job
from evonas.record import COMPLETE, Evaluation, Proposal
from evonas.tasks import loaded
from genomes.neat.genome import NeatGenome

Criteria = Mapping[str, tuple[str, float]]
"""By name a metric and the least of it that counts as solved."""
CRITERIA: Criteria = {"rounded outputs right": ("solved", 1.0), "neat-python's, fitness 3.9": ("squares", 3.9)}
PUBLISHED = "| published | 100 of 100 | 4,755 | 2,553 | 13,459 | 32 | 2.35 | 7.48 |"


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


class Run:
    """One run, generation by generation.

    Args:
        spec: Of the encoding `neat`, whose lag is a generation.
    """

    def __init__(self, spec: Spec) -> None:
        task = loaded(spec.task)
        found = fitted(spec, task)
        self.search = search_of(found, found.encoding, None)
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


def _solved(job: tuple[Spec, int]) -> dict[str, Solution]:
    spec, n_generations = job
    return first_solutions(Run(spec), CRITERIA, n_generations)


def over_seeds(spec: Spec, seeds: Iterable[int], n_generations: int, n_processes: int) -> list[dict[str, Solution]]:
    """What `first_solutions` gives for each seed; so many runs at once, each on one core."""
    jobs = [(spec.model_copy(update={"seed": seed}), n_generations) for seed in seeds]
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


def main(argv: list[str] | None = None) -> int:
    """Run the study and print its table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, default=100, help="runs")
    options.add_argument("--first", type=int, default=0, help="the first seed")
    options.add_argument("--generations", type=int, default=300, help="the cap of a run")
    options.add_argument("--processes", type=int, default=1, help="runs at once, each on one core")
    options.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="replace a field of the spec"
    )
    given = options.parse_args(argv)
    changes = {name: value_of(value) for name, _, value in (one.partition("=") for one in given.set)}
    spec = read(Path(__file__).with_name("xor.toml"), changes)
    found = over_seeds(spec, range(given.first, given.first + given.seeds), given.generations, given.processes)
    print(HEAD)
    print(PUBLISHED)
    for name in CRITERIA:
        print(row(name, figures([one.get(name) for one in found])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
