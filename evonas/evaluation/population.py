"""Evaluation of many candidates at once, none of which is trained: their genomes say what their weights are."""

import contextlib
import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from evonas.evaluation.evaluator import Check, EvaluationConfig, Job, reason
from evonas.evaluation.inline import device, prepare_process
from evonas.evaluation.measure import UNSCREENED, Screening, sizes
from evonas.garbage import uncollected
from evonas.network import NeuronPopulation, PaintedPopulation
from evonas.record import COMPLETE, FAILED, Evaluation, Proposal
from evonas.stream import stream
from evonas.tasks import KINDS, Task
from evonas.tasks.problem import Networks, Problem, ProblemError, columns
from evonas.training import Examples, criterion_of
from evonas.training.loop import SCORING_BATCH
from genomes.architecture import Architecture
from genomes.encoding import DEVELOPS_MANY, DevelopsMany, Encoding, Genome, Phenotype
from genomes.neurons import NeuronGraph

N_TRIED = 16
"""Networks that are tried alone, one after another, before a problem that has judged none is said to judge none."""


class NotFiniteError(ArithmeticError):
    """A candidate whose score is no number."""


class _Candidate(NamedTuple):
    proposal: Proposal
    phenotype: Phenotype
    sizes: dict[str, float]


Result = tuple[int, dict[str, float], str]
"""What came of a candidate, before it is known how long all of them took: its id, its metrics, else why it failed."""


class _Watched:
    """Networks that look at the outer check before every pass: a long simulation can be stopped within."""

    def __init__(self, networks: Networks, check: Check) -> None:
        self._networks, self._check = networks, check

    @property
    def n(self) -> int:
        return self._networks.n

    @property
    def device(self) -> torch.device:
        return self._networks.device

    def __call__(self, inputs: Tensor) -> Tensor:
        self._check()
        return self._networks(inputs)

    def step(self, inputs: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        self._check()
        return self._networks.step(inputs, state)

    def choose(self, which: Tensor) -> "_Watched":
        return _Watched(self._networks.choose(which), self._check)


class Examination:
    """Data as a problem: an untrained network has learnt from none of the examples, and is asked about all of them.

    Args:
        task: The data.
        splits: Those that are asked about by `score`.
        device: Where.
    """

    def __init__(self, task: Task, device: torch.device) -> None:
        self.n_inputs, self.n_outputs = math.prod(task.input_shape), task.n_outputs
        self._names = KINDS[task.kind].metrics
        self._asked = [Examples.of(split, device, criterion_of(task)) for split in (task.train, task.validation)]
        self._test = [Examples.of(task.test, device, criterion_of(task))]

    def score(self, networks: Networks, seeds: npt.NDArray[np.int64]) -> Mapping[str, Tensor]:
        """The metrics of the kind of task on training and validation data together, `(n,)` each."""
        return self._scored(networks, self._asked)

    def test(self, networks: Networks, seeds: npt.NDArray[np.int64]) -> Mapping[str, Tensor]:
        """The same on the test data."""
        return self._scored(networks, self._test)

    def _scored(self, networks: Networks, splits: list[Examples]) -> Mapping[str, Tensor]:
        parts = [part for split in splits for part in split.inputs.flatten(1).split(SCORING_BATCH)]
        outputs = torch.cat([networks(part) for part in parts], 1)
        targets = torch.cat([split.targets for split in splits])
        scores = [splits[0].criterion.scores(one, targets) for one in outputs]
        return {name: torch.tensor([one[name] for one in scores]) for name in self._names}


class Population:
    """Evaluates candidates by what they do as they are: all that are asked for at once.

    A candidate's result does not depend on those beside it. Where many together fail, by want of memory or by one of
    them, they are evaluated again in halves, down to the one that is to blame. While none of a campaign has succeeded,
    a problem that fails for all, with the same error for each alone, is to blame itself: that is no result of theirs.

    Args:
        encoding: Develops genomes; with the ability `WEIGHTED`.
        task: A problem, or data.
        config: Device and limits.
        seed: The campaign's seed. What is random in a trial is drawn from the stream (seed, "trial", generation): those
            of one generation meet the same.
        screening: What must hold before a candidate is evaluated.
        needed: By metric that every score must hold beside those that the task declares, what needs it, in words.

    Raises:
        ValueError: If the device does not exist.
    """

    def __init__(
        self,
        encoding: Encoding[Any],
        task: Task,
        config: EvaluationConfig,
        *,
        seed: int,
        screening: Screening = UNSCREENED,
        needed: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.device = device(config.device)
        prepare_process(config.threads)
        self._encoding, self._config, self._seed = encoding, config, seed
        self._screening = screening
        self._name, self._errors = task.name, list[str]()
        self._always = {"fitness": "by which networks are ranked"} if task.problem else {}
        self._needed = {**needed, **dict.fromkeys(task.metrics, "which its task declares"), **self._always}
        self._problem: Problem = task.problem or Examination(task, self.device)
        self._shape, self._n_outputs = task.input_shape, task.n_outputs
        self._counted: dict[tuple[int, ...], dict[str, float]] = {}

    def evaluate(self, jobs: Iterable[Job], check: Check) -> Iterator[list[Evaluation]]:
        """Evaluate all jobs together; see `evonas.evaluation.evaluator.Evaluator`.

        Raises:
            ProblemError: If what the problem says is not what it must be, or it fails for all.
        """
        began = time.perf_counter()
        candidates: list[_Candidate] = []
        found: list[Result] = []
        given = list(jobs)
        asked = [job.proposal for job in given]
        with uncollected():
            for proposal, phenotype in zip(asked, self._developed(asked), strict=True):
                try:
                    candidates.append(self._candidate(proposal, phenotype))
                except Exception as error:
                    found.append((proposal.id, {}, reason(error)))
        if candidates:
            proven = any(job.proven for job in given)
            found += self._judged(candidates, check) if proven else self._first_judged(candidates, check)
        if found:
            seconds = (time.perf_counter() - began) / len(found)
            yield [
                Evaluation(id, FAILED if error else COMPLETE, metrics, seconds, error=error)
                for id, metrics, error in found
            ]

    def test(self, genome: Genome, weights: bytes | None = None) -> dict[str, float]:
        """Judge a network by what no search sees; its weights are those of its genome.

        Raises:
            ProblemError: If what the problem says is not what it must be.
        """
        networks = self._networks([self._encoding.develop(genome)])
        found = self._problem.test(networks, self._seeds([0], "test"))
        return {name: values[0] for name, values in columns(found, 1, self._always, "test").items()}

    def _developed(self, proposals: list[Proposal]) -> Sequence[Phenotype | None]:
        """What all develop into together; None for each that has to be developed by itself."""
        if DEVELOPS_MANY in self._encoding.abilities and isinstance(self._encoding, DevelopsMany):
            # One that cannot develop is found when each is tried.
            with contextlib.suppress(Exception):
                return self._encoding.develop_many([one.genome for one in proposals])
        return [None] * len(proposals)

    def _candidate(self, proposal: Proposal, phenotype: Phenotype | None) -> _Candidate:
        phenotype = phenotype or self._encoding.develop(proposal.genome)
        if not isinstance(phenotype, NeuronGraph):
            return _Candidate(proposal, phenotype, self._measured(phenotype))
        # Graphs of as many genes are of one size; counting that anew would cost more than judging them.
        n = phenotype.n_inputs, len(phenotype.outputs), len(phenotype.biases), len(phenotype.weights)
        if (measured := self._counted.get(n)) is None:
            measured = self._counted[n] = self._measured(phenotype)
        return _Candidate(proposal, phenotype, measured)

    def _measured(self, phenotype: Phenotype) -> dict[str, float]:
        found = sizes(phenotype, self._shape, self._n_outputs, self._config)
        self._screening.check(found)
        return found

    def _first_judged(self, candidates: list[_Candidate], check: Check) -> list[Result]:
        """As `_judged`, while none has succeeded: the problem may be what is wrong."""
        found = self._tried(candidates, check)
        if isinstance(found, str):
            if len(candidates) > N_TRIED:
                self._try_some(candidates, check)
            found = self._halved(candidates, found, check)
        self._errors += [error for _, _, error in found]
        together = len(found) > 1 or len(self._errors) >= N_TRIED
        if together and self._errors[0] and self._errors.count(self._errors[0]) == len(self._errors):
            self._blame_problem(candidates[0], self._errors[0], check=check)
        return found

    def _try_some(self, candidates: list[_Candidate], check: Check) -> None:
        """Spare hundreds of calls where each alone fails alike."""
        errors: set[str] = set()
        for one in candidates[:: len(candidates) // N_TRIED]:
            found = self._tried([one], check)
            if not isinstance(found, str) or len(errors | {found}) > 1:
                return
            errors.add(found)
        self._blame_problem(candidates[0], *errors, check=check)

    def _judged(self, candidates: list[_Candidate], check: Check) -> list[Result]:
        found = self._tried(candidates, check)
        return self._halved(candidates, found, check) if isinstance(found, str) else found

    def _halved(self, candidates: list[_Candidate], error: str, check: Check) -> list[Result]:
        """What comes of judging those in halves that failed together, down to the one that is to blame."""
        if len(candidates) == 1:
            return [(candidates[0].proposal.id, {}, error)]
        middle = len(candidates) // 2
        return self._judged(candidates[:middle], check) + self._judged(candidates[middle:], check)

    def _tried(self, candidates: list[_Candidate], check: Check) -> list[Result] | str:
        """What comes of judging candidates together, or why they could not be."""
        try:
            scored = self._scored(candidates, check)
        except Exception as error:
            return reason(error)
        scores = columns(scored, len(candidates), self._needed)
        rows = zip(*scores.values(), strict=True)
        if all([all(map(math.isfinite, column)) for column in scores.values()]):
            return [
                (one.proposal.id, {**dict(zip(scores, row, strict=True)), **one.sizes}, "")
                for one, row in zip(candidates, rows, strict=True)
            ]
        return [_result(one, dict(zip(scores, row, strict=True))) for one, row in zip(candidates, rows, strict=True)]

    @torch.inference_mode()
    def _scored(self, candidates: list[_Candidate], check: Check) -> object:
        seeds = self._seeds([one.proposal.generation for one in candidates], "trial")
        networks = _Watched(self._networks([one.phenotype for one in candidates]), check)
        return self._problem.score(networks, seeds)

    def _blame_problem(self, one: _Candidate, error: str, *, check: Check) -> NoReturn:
        """Say that every candidate fails alike, from where the problem raises it."""
        cause: Exception | None = None
        try:
            self._scored([one], check)
        except Exception as raised:
            cause = raised
        expected = "expected score() to judge some of the first networks, got the same error for all that were tried"
        raise ProblemError(f"task {self._name}: {expected}: {error}; mend it and run again") from cause

    def _networks(self, phenotypes: list[Phenotype]) -> Networks:
        graphs = [one for one in phenotypes if isinstance(one, NeuronGraph)]
        if graphs:
            return NeuronPopulation(graphs, device=self.device)
        architectures = [one for one in phenotypes if isinstance(one, Architecture)]
        return PaintedPopulation(architectures, self._shape, self._n_outputs, device=self.device)

    def _seeds(self, generations: list[int], purpose: str) -> npt.NDArray[np.int64]:
        drawn = {one: int(stream(self._seed, purpose, one).integers(2**62)) for one in dict.fromkeys(generations)}
        return np.array([drawn[one] for one in generations], np.int64)


def _result(one: _Candidate, scores: dict[str, float]) -> Result:
    id = one.proposal.id
    if not all(map(math.isfinite, scores.values())):
        wrong = next(f"{name} {value}" for name, value in scores.items() if not math.isfinite(value))
        error = NotFiniteError(f"expected finite scores, got {wrong}; bound the activations or the weights")
        return id, {}, reason(error)
    return id, scores | one.sizes, ""
