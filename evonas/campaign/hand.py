"""A campaign whose candidates a user evaluates: asked for and told one by one, on the same record."""

import math
import time
from collections.abc import Mapping
from numbers import Integral
from typing import Any

from torch import nn

from evonas.campaign.individuals import COLUMNS
from evonas.campaign.loop import Loop
from evonas.campaign.spec import Spec
from evonas.evaluation.birth import as_bytes, born
from evonas.evaluation.evaluator import MAX_REASON, Job, reason
from evonas.evaluation.measure import SIZES, sizes
from evonas.network import AnyNetwork, Inheritance, Network, NeuronNetwork, built
from evonas.record import COMPLETE, FAILED, Evaluation, Proposal
from evonas.tasks import Task
from genomes.encoding import LEARNS, WEIGHTED, Genome, Learns, Phenotype


class Hand:
    """Proposals to evaluate, and the place to tell what came of them; made by `evonas.Campaign.by_hand`.

    Results are recorded in the order of the proposals: one that is told early waits for those before it. Whatever was
    not recorded when the process ends is proposed again.

    Attributes:
        task: The campaign's task, its data normalised; without examples if only the user can evaluate it.

    Args:
        loop: At its start, without an evaluator.
        spec: The campaign's, fitted to the task.
        task: See the attributes.
    """

    def __init__(self, loop: Loop, spec: Spec, task: Task) -> None:
        self.task = task
        self._loop, self._spec = loop, spec
        self._asked: dict[int, tuple[Proposal, dict[str, float], float]] = {}
        self._inherited: dict[int, Inheritance] = {}
        self._is_open = True
        loop.begin()

    def ask(self, n: int = 1) -> list[Proposal]:
        """Up to `n` proposals to evaluate; none where results are needed first, or the budget is spent.

        No more than `[search] lag` are out at a time. A candidate beyond the limits of `[evaluation]` or a constraint
        of `[objectives]` is recorded as failed and not given out.

        Raises:
            ValueError: If `n` is no whole number above 0.
        """
        self._require_open()
        if isinstance(n, bool) or not isinstance(n, int) or n < 1:
            raise ValueError(f"n: expected a whole number of 1 or more, got {n!r}; ask for one at least")
        given: list[Proposal] = []
        while len(given) < n and (new := [one for one in self._loop.pending if one.id not in self._asked]):
            proposal = new[0]
            try:
                counted = self._counted(proposal)
            except ValueError as error:
                self._loop.take([Evaluation(proposal.id, FAILED, error=reason(error))])
                continue
            self._asked[proposal.id] = proposal, counted, time.perf_counter()
            given.append(proposal)
        return given

    def build(self, proposal: Proposal | int, *, inherit: bool = True) -> AnyNetwork:
        """The network of a proposal on the CPU, for inputs `(batch, *input_shape)`.

        It is in training mode; where nothing is trained, in evaluation mode and without gradients.

        Args:
            proposal: One that was asked and not told, or its number.
            inherit: Fill it with the weights of its donors, as far as they were told; the rest is drawn from the
                campaign's seed.

        Raises:
            ValueError: If it is none.
        """
        asked, *_ = self._known(proposal)
        job = self._loop.job(asked) if inherit else Job(asked)
        network, inheritance = born(
            job, self._spec.encoding, self.task.input_shape, self.task.n_outputs, seed=self._spec.seed
        )
        self._inherited[asked.id] = inheritance
        return network.eval().requires_grad_(False) if self._spec.untrained else network

    def tell(
        self,
        id: int | Proposal,
        metrics: Mapping[str, float] | float,
        *,
        weights: nn.Module | None = None,
        epochs: int | None = None,
    ) -> None:
        """Record what an evaluation found. Parameters, MACs and peak memory are counted here.

        Args:
            id: A proposal that was asked and not told, or its number.
            metrics: By name, all finite: the score of the kind of task, the objectives, what `until` names, and what
                else is worth keeping. A number alone where only one is needed.
            weights: The trained network; None: nobody inherits from it, and its network is not kept.
            epochs: Passes over the training data it took; None: as many as its budget allows, and none where nothing is
                trained or the genome says what the weights are and no others are given.

        Raises:
            ValueError: If the number is none, a metric is missing, not finite or has a name that is taken, or the
                weights are those of another architecture.
        """
        proposal, counted, began = self._known(id)
        told = self._checked(metrics)
        data = None if weights is None else as_bytes(self._state(proposal, weights))
        as_it_is = weights is None and WEIGHTED in self._spec.encoding.abilities
        epochs = _passes((0 if as_it_is else proposal.budget.epochs) if epochs is None else epochs)
        inheritance = self._inherited.pop(proposal.id, Inheritance(0.0, {}))
        evaluation = Evaluation(
            proposal.id,
            COMPLETE,
            {**told, **counted},
            time.perf_counter() - began,
            epochs,
            fraction_inherited=inheritance.fraction,
            origins=inheritance.origins,
            weights=data,
            learned=self._learned(proposal, weights),
        )
        self._loop.take([evaluation])
        del self._asked[proposal.id]

    def fail(self, id: int | Proposal, reason: str, *, epochs: int = 0) -> None:
        """Record that a candidate could not be evaluated.

        Args:
            id: A proposal that was asked and not told, or its number.
            reason: Why, in one line.
            epochs: Passes over the training data it took.

        Raises:
            ValueError: If the number is none, or the passes are.
        """
        proposal, _, began = self._known(id)
        epochs = _passes(epochs)
        self._inherited.pop(proposal.id, None)
        text = " ".join(str(reason).split())[:MAX_REASON]
        seconds = time.perf_counter() - began
        self._loop.take([Evaluation(proposal.id, FAILED, seconds=seconds, epochs=epochs, error=text)])
        del self._asked[proposal.id]

    def close(self) -> None:
        """Take no more results."""
        self._is_open = False

    def _require_open(self) -> None:
        if not self._is_open:
            raise ValueError("expected a call inside `with campaign.by_hand(…)`, got one after its end; begin it anew")

    def _known(self, id: int | Proposal) -> tuple[Proposal, dict[str, float], float]:
        self._require_open()
        id = id.id if isinstance(id, Proposal) else id
        if not isinstance(id, Integral) or id not in self._asked:
            raise ValueError(
                f"id: expected a proposal that was asked and not told, among {sorted(self._asked)}, got {id!r:.60}; "
                "ask() gives them out"
            )
        return self._asked[id]

    def _counted(self, proposal: Proposal) -> dict[str, float]:
        counted = sizes(self._developed(proposal), self.task.input_shape, self.task.n_outputs, self._spec.evaluation)
        self._spec.objectives.screening.check(counted)
        return counted

    def _developed(self, proposal: Proposal) -> Phenotype:
        return self._spec.encoding.develop(proposal.genome)

    def _learned(self, proposal: Proposal, weights: nn.Module | None) -> Genome | None:
        """The genome with what training gave it, where the encoding can write that back."""
        encoding = self._spec.encoding
        if LEARNS not in encoding.abilities or not isinstance(weights, (Network, NeuronNetwork)):
            return None
        assert isinstance(encoding, Learns)
        return encoding.learn(proposal.genome, weights.learned())

    def _checked(self, metrics: Mapping[str, float] | float) -> dict[str, float]:
        goal = self._spec.budget.goal
        named = dict.fromkeys((self._spec.kind.score, *self._spec.objectives.names, *((goal.metric,) if goal else ())))
        needed = [name for name in named if name not in SIZES]
        if not isinstance(metrics, Mapping):
            if len(needed) > 1:
                expected = f"a mapping of {' and '.join(needed)}, which this campaign needs"
                raise ValueError(f"metrics: expected {expected}, got {metrics!r:.60}; tell them by name")
            metrics = {needed[0]: metrics}
        if missing := [name for name in needed if name not in metrics]:
            raise ValueError(
                f"metrics: expected {', '.join(missing)}, which this campaign needs, got {', '.join(metrics) or 'none'}"
                "; tell them"
            )
        ours = {*SIZES, *COLUMNS}.difference(self._spec.kind.metrics)
        if taken := [name for name in metrics if name in ours]:
            raise ValueError(
                f"metrics: expected names of your own, got {', '.join(taken)}, which evonas fills in; rename it"
            )
        return {name: _finite(name, value) for name, value in metrics.items()}

    def _state(self, proposal: Proposal, weights: nn.Module) -> dict[str, Any]:
        if not isinstance(weights, nn.Module):
            raise ValueError(f"weights: expected the module that build() gave, got {type(weights).__name__}")
        state = {name: tensor.float() for name, tensor in weights.state_dict().items()}
        expected = built(self._developed(proposal), self.task.input_shape, self.task.n_outputs)
        shapes = {name: tensor.shape for name, tensor in expected.state_dict().items()}
        if differing := sorted(
            name for name in shapes.keys() | state.keys() if name not in state or shapes.get(name) != state[name].shape
        ):
            raise ValueError(
                f"weights: expected the tensors of individual {proposal.id}, got others ({differing[0]} is missing or "
                "differs); train the module that build() gave for it"
            )
        return state


def _passes(epochs: Any) -> int:
    if isinstance(epochs, bool) or not isinstance(epochs, int) or epochs < 0:
        raise ValueError(f"epochs: expected a whole number of 0 or more, got {epochs!r}; count whole passes")
    return epochs


def _finite(name: str, value: Any) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"metrics: {name}: expected a number, got {value!r:.60}; give one number for each") from None
    if not math.isfinite(found):
        raise ValueError(f"metrics: {name}: expected a finite number, got {found}; call fail() for a failed candidate")
    return found
