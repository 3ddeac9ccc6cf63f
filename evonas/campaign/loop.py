"""The campaign's loop: ask, evaluate, tell, record. The only place that writes a running campaign."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from evonas.campaign.front import Ranked, joined
from evonas.campaign.rows import Told
from evonas.campaign.spec import Spec
from evonas.campaign.store import Store
from evonas.evaluation.evaluator import Check, Evaluator, Job, Legacy
from evonas.record import COMPLETE, SOURCE, Evaluation, Proposal
from evonas.search import Search
from genomes.encoding import WEIGHTED, Encoding, Genome


@dataclass(frozen=True)
class Progress:
    """How far a campaign is.

    Attributes:
        name: The campaign's name.
        n_told: Evaluations done.
        n_failed: Those that failed.
        fraction: Part of the budget that is spent, 0 to 1.
        label: What fitness is, in a word or two.
        best: The best fitness; None while there is none.
        elapsed: Seconds of the campaign's clock, all its runs together.
        n_front: Individuals on the front; None with a single fitness.
    """

    name: str
    n_told: int
    n_failed: int
    fraction: float
    label: str
    best: float | None
    elapsed: float
    n_front: int | None = None


MAX_IN_VAIN = 1000
"""Candidates in a row that may fail untrained: a budget of epochs alone, of which they spend none, would never end."""

Observe = Callable[[Progress], None]
Recorded = Callable[[int, int, bool], None]


class _TimeIsUpError(BaseException):
    """The budget of seconds is spent; no failure of the candidate that was in training."""


class Loop:
    """One run of a campaign, from wherever its log ends to the end of its budget.

    Args:
        spec: The campaign's spec.
        encoding: Its encoding, fixed for the task's input.
        store: Open for writing.
        search: At its start; the log is folded into it.
        evaluator: Evaluates; None only to read the log.
        source: Reads what the donor `SOURCE` leaves, when it is first needed.
        observe: Called after every result.
        check: Called before every training step; what it raises ends the run, nothing acknowledged is lost.
        recorded: Called after a result is recorded, with the individual's number, its generation, and whether nobody of
            that generation or an earlier one is left without a result.
        weightless: True if a donor may have left no weights.
    """

    def __init__(
        self,
        spec: Spec,
        encoding: Encoding[Any],
        store: Store,
        search: Search,
        evaluator: Evaluator | None,
        *,
        source: Callable[[], Legacy] | None = None,
        observe: Observe = lambda progress: None,
        check: Check = lambda: None,
        recorded: Recorded = lambda id, generation, complete: None,
        weightless: bool = False,
    ) -> None:
        self._source, self._recorded, self._weightless = source, recorded, weightless
        self._source_legacy: Legacy | None = None
        self._spec, self._encoding, self._store, self._search = spec, encoding, store, search
        self._evaluator, self._observe, self._outer_check = evaluator, observe, check
        self._pending: dict[int, Proposal] = {}
        self._early: dict[int, Evaluation] = {}
        self._held: deque[Proposal] = deque()
        self._genomes: dict[int, Genome] = {}
        self._weights: dict[int, bytes] = {}
        self._on_disk: set[int] = set()
        self._best: list[Ranked] = []
        self._front: list[Ranked] = []
        self._n_proposed = self._n_epochs = self._n_told = self._n_failed = self._n_in_vain = 0
        self._is_reached, self._inherits = False, WEIGHTED not in encoding.abilities
        self._began = time.perf_counter() - store.elapsed()
        self._fold()

    @property
    def elapsed(self) -> float:
        """Seconds of the campaign's clock."""
        return time.perf_counter() - self._began

    @property
    def pending(self) -> list[Proposal]:
        """What is proposed and has no result yet, in the order of proposal."""
        return [proposal for id, proposal in self._pending.items() if id not in self._early]

    def run(self) -> None:
        """Evaluate until the budget is spent."""
        self.begin()
        try:
            while self._pending:
                self._run_pending()
        except _TimeIsUpError:
            pass

    def begin(self) -> None:
        """Propose what can be proposed."""
        self._on_disk = self._store.prune(self.spared())
        self._observe(self._progress())
        if asked := self._ask():
            self._store.append(asked, self._encoding)

    def _run_pending(self) -> None:
        assert self._evaluator is not None
        jobs = (self.job(proposal) for proposal in list(self._pending.values()))
        for evaluations in self._evaluator.evaluate(jobs, self._check):
            self.take(evaluations)

    def take(self, evaluations: Iterable[Evaluation]) -> None:
        """Tell and record results, those that can be together in one transaction.

        One that comes early waits until those of all earlier proposals are there.
        """
        self._early |= {evaluation.id: evaluation for evaluation in evaluations}
        events: list[Told | Proposal] = []
        generations: dict[int, int] = {}
        while self._pending and (first := next(iter(self._pending))) in self._early:
            generations[first] = self._pending[first].generation
            events += self._tell(self._early.pop(first))
        if not events:
            return
        self._store.append(events, self._encoding)
        self._forget(self.spared())
        self._observe(self._progress())
        for id, last in self._ended(generations).items():
            self._recorded(id, generations[id], last)

    def _ended(self, generations: Mapping[int, int]) -> dict[int, bool]:
        """By individual, in order: whether nobody of its generation or an earlier one is left without a result.

        Args:
            generations: Of those that were told together.
        """
        youngest = min((proposal.generation for proposal in (*self._pending.values(), *self._held)), default=math.inf)
        found: dict[int, bool] = {}
        for id in reversed(generations):
            found[id] = generations[id] < youngest
            youngest = min(youngest, generations[id])
        return {id: found[id] for id in generations}

    def _fold(self) -> None:
        """Bring the search, and all that is derived from the log, to where the log ends.

        Where an earlier run had spent its budget, the search is asked again, for what was held back then.
        """
        for event in self._store.events(self._encoding):
            if isinstance(event, Evaluation):
                self._hold()
                self._note_told(event)
                continue
            if self._held:
                self._held.popleft()
            else:
                self._search.recall([event])
            self._note_proposed(event)
        self._hold()

    def _note_proposed(self, proposal: Proposal) -> None:
        self._pending[proposal.id] = proposal
        self._genomes[proposal.id] = proposal.genome
        self._n_proposed += 1
        self._n_epochs += proposal.budget.epochs

    def _note_told(self, evaluation: Evaluation) -> None:
        proposal = self._pending.pop(evaluation.id)
        self._search.tell([evaluation])
        self._n_told += 1
        self._n_epochs += evaluation.epochs - proposal.budget.epochs
        self._n_in_vain = 0 if evaluation.epochs else self._n_in_vain + 1
        if evaluation.state == COMPLETE:
            ranked = Ranked.of(evaluation.id, evaluation.metrics, self._spec.objectives)
            self._best = sorted([*self._best, ranked], reverse=True)[: self._spec.keep_best]
            self._front = joined(self._front, ranked)
            self._is_reached = self._is_reached or self._spec.budget.reached(evaluation.metrics)
        else:
            self._n_failed += 1

    def _tell(self, evaluation: Evaluation) -> list[Told | Proposal]:
        """What a result adds to the log: itself, and what is proposed after it."""
        self._note_told(evaluation)
        asked = self._ask()
        kept = evaluation.weights is not None and evaluation.id in self.spared()
        if kept and evaluation.weights is not None:
            self._weights[evaluation.id] = evaluation.weights
            self._on_disk.add(evaluation.id)
        fitness = self._spec.objectives.fitness(evaluation.metrics) if evaluation.state == COMPLETE else None
        return [Told(evaluation, fitness, self.elapsed, kept), *asked]

    def _ask(self) -> list[Proposal]:
        """Propose until `lag` are in flight, the search waits or the budget is granted."""
        self._hold()
        asked: list[Proposal] = []
        while self._held and self._may_propose():
            asked.append(self._held.popleft())
            self._note_proposed(asked[-1])
        return asked

    def _hold(self) -> None:
        """Ask until `lag` are in flight or the search waits.

        What is beyond the budget is held back, with the weights of its donors: a run that goes on with a larger budget
        finds it as a run that never stopped would have asked for it.
        """
        while (free := self._spec.search.lag - len(self._pending) - len(self._held)) > 0:
            if not (proposals := self._search.ask(free)):
                break
            self._held += proposals

    def _may_propose(self) -> bool:
        budget = self._spec.budget
        return not self._is_reached and (
            (budget.evaluations is None or self._n_proposed < budget.evaluations)
            and (budget.epochs is None or (self._n_epochs < budget.epochs and self._n_in_vain < MAX_IN_VAIN))
            and (budget.seconds is None or self.elapsed < budget.seconds)
        )

    def job(self, proposal: Proposal) -> Job:
        """A proposal with what its donors leave."""
        legacies = []
        for donor in proposal.donors:
            if donor == SOURCE:
                legacies.append(self._from_elsewhere())
                continue
            if self._weightless and not self._store.left_weights(donor):
                continue
            if donor not in self._weights:
                self._weights[donor] = self._store.weights(donor, needed=True)
            legacies.append(Legacy(donor, self._genomes[donor], self._weights[donor]))
        return Job(proposal, tuple(legacies), proven=self._n_told > self._n_failed)

    def _from_elsewhere(self) -> Legacy:
        if self._source_legacy is None:
            assert self._source is not None
            self._source_legacy = self._source()
        return self._source_legacy

    def _check(self) -> None:
        self._outer_check()
        seconds = self._spec.budget.seconds
        if seconds is not None and self.elapsed > seconds:
            raise _TimeIsUpError

    def spared(self) -> set[int]:
        """Whose weights are kept: possible parents, donors of what is in flight, the best, and those on the front."""
        best = {one.id for one in (*self._best, *self._front)}
        if not self._inherits:
            return best
        donors = {donor for proposal in (*self._pending.values(), *self._held) for donor in proposal.donors}
        return self._search.keeps() | donors - {SOURCE} | best

    def _forget(self, spared: set[int]) -> None:
        """Delete weights nobody can use any more, after the log says so."""
        for individual in self._on_disk - spared:
            self._store.weights_path(individual).unlink(missing_ok=True)
            self._weights.pop(individual, None)
        self._on_disk &= spared
        for individual in self._genomes.keys() - spared - self._pending.keys():
            del self._genomes[individual]

    def _progress(self) -> Progress:
        budget = self._spec.granted
        spent = [
            done / total
            for done, total in (
                (self._n_told, budget.evaluations),
                (self._n_epochs - sum(p.budget.epochs for p in self._pending.values()), budget.epochs),
                (self.elapsed, budget.seconds),
            )
            if total is not None
        ]
        return Progress(
            self._spec.name,
            self._n_told,
            self._n_failed,
            1.0 if self._is_reached else min(1.0, max(spent, default=0.0)),
            self._spec.objectives.label,
            self._best[0].rank[0] if self._best else None,
            self.elapsed,
            len(self._front) if self._spec.objectives.several else None,
        )
