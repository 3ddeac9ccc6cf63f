"""A controller: a policy makes genomes decision by decision, and learns by reinforcement which are rewarded.

It serves every encoding that declares its decisions. Three flavours, each with its source:

- `nasnet`: Zoph, Vasudevan, Shlens & Le 2018 (https://arxiv.org/abs/1707.07012), an LSTM trained by PPO.
- `zoph2017`: Zoph & Le 2017 (https://arxiv.org/abs/1611.01578), an LSTM trained by REINFORCE.
- `sites`: the REINFORCE row of NAS-Bench-201 (Dong & Yang 2020, https://arxiv.org/abs/2001.00326): logits for each
  site. Its numbers are those of the authors' released script for NATS-Bench.

Departures: pointers are as `evonas.search.policy.Recurrent` says; there is one controller in place of many that share
parameters; results lag by the campaign's lag. What a candidate that fails is worth is not published: here it is worth
the lowest reward so far, and is passed over while there is none.
"""

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import Field, model_validator

from evonas.record import COMPLETE, Evaluation, Proposal
from evonas.search.search import Context, SearchConfig
from evonas.search.walk import Trace, Walk, drawn, likeliest
from evonas.stream import stream
from genomes.encoding import Genome

if TYPE_CHECKING:
    from evonas.search.policy import Learner

OPERATOR = "policy"


class Settings(NamedTuple):
    """A controller's numbers, see the fields of `ControllerConfig`; those of an LSTM are 0 where there is none."""

    algorithm: str
    units: int
    layers: int
    init_range: float
    learning_rate: float
    entropy: float
    baseline: float
    batch: int
    clip: float = 0.2
    ppo_epochs: int = 4


FLAVOURS = {
    "nasnet": Settings("ppo", 100, 1, 0.1, 0.00035, 1e-5, 0.95, 20),
    "zoph2017": Settings("reinforce", 35, 2, 0.08, 0.0006, 0.0, 0.95, 8),
    "sites": Settings("reinforce", 0, 0, 0.0, 0.01, 0.0, 0.9, 1),
}
"""The numbers of each flavour."""

_OF_LSTM, _OF_PPO = ("units", "layers", "init_range"), ("clip", "ppo_epochs")


class ControllerConfig(SearchConfig):
    """A policy that learns by reinforcement which decisions make good genomes."""

    name: Literal["controller"] = "controller"
    flavour: Literal["nasnet", "zoph2017", "sites"] = Field(
        "nasnet",
        description="nasnet: an LSTM trained by PPO (Zoph et al. 2018). zoph2017: an LSTM trained by REINFORCE (Zoph & "
        "Le 2017). sites: logits for each site, no LSTM, REINFORCE (NAS-Bench-201). Fields without a value have that "
        "of the flavour, given below in this order.",
    )
    algorithm: Literal["ppo", "reinforce"] | None = Field(None, description="ppo, reinforce, reinforce.")
    units: int | None = Field(None, ge=1, description="Units of each layer of the LSTM: 100, 35, none.")
    layers: int | None = Field(None, ge=1, description="Layers of the LSTM: 1, 2, none.")
    init_range: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="Parameters start uniform in ± this: 0.1, 0.08, none."
    )
    learning_rate: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="Adam's: 0.00035, 0.0006, 0.01 (the script of NATS-Bench)."
    )
    entropy: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="Weight of the bonus for the policy's entropy: 0.00001, 0, 0."
    )
    baseline: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="Weight of the past in the moving average of rewards that is subtracted from each: 0.95, 0.95 (not "
        "published: ours), 0.9.",
    )
    batch: int | None = Field(None, ge=1, description="Results of an update: 20, 8 (the paper's m), 1.")
    clip: float | None = Field(
        None, gt=0, lt=1, description="Where PPO clips ratios, 1 ± this: 0.2 (not published: ours)."
    )
    ppo_epochs: int | None = Field(None, ge=1, description="Steps of PPO on each batch: 4 (not published: ours).")
    power: int = Field(
        1,
        ge=1,
        description="The reward is fitness to this power, with the sign of fitness; Zoph & Le 2017 use accuracy to "
        "the power 3.",
    )
    donors: Literal["none", "nearest"] = Field(
        "none",
        description="nearest: a genome inherits weights from the nearest of those evaluated last, the latest among "
        "equals. none: from nobody, as published.",
    )
    donor_pool: int = Field(32, ge=1, description="With nearest: so many were evaluated last.")

    @model_validator(mode="after")
    def _fits(self) -> "ControllerConfig":
        for fields, used, wanted in (
            (_OF_LSTM, self.flavour != "sites", "a flavour with an LSTM"),
            (_OF_PPO, self.settings.algorithm == "ppo", 'algorithm = "ppo"'),
        ):
            if not used and (given := [name for name in fields if getattr(self, name) is not None]):
                raise ValueError(f"{', '.join(given)}: expected none without {wanted}; remove it or choose that")
        return self

    @property
    def settings(self) -> Settings:
        """The numbers in force: the flavour's, but for those that are given."""
        given = {name: getattr(self, name) for name in Settings._fields}
        return FLAVOURS[self.flavour]._replace(**{name: value for name, value in given.items() if value is not None})

    def build(self, context: Context) -> "Controller":
        """The search at its start.

        Raises:
            ValueError: If the encoding declares no decisions.
        """
        return Controller(self, context)


class Controller:
    """A policy proposes, results teach it; see `evonas.search.search.Search`.

    Its parameters start from the stream (seed, "controller") and change only when a batch of results is complete. The
    `memory` of a proposal is its `evonas.search.walk.Trace` as JSON.
    """

    def __init__(self, config: ControllerConfig, context: Context) -> None:
        if not context.encoding.decisions:
            encoding = getattr(context.encoding, "name", type(context.encoding).__name__)
            raise ValueError(f"expected an encoding with decisions, got {encoding}; use another search")
        self._config, self._context, self._settings = config, context, config.settings
        self._learner = self._at_start()
        self._pending: dict[int, Proposal] = {}
        self._pool: deque[tuple[int, Any]] = deque(maxlen=config.donor_pool)
        self._batch: list[tuple[Proposal, float]] = []
        self._baseline: float | None = None
        self._worst: float | None = None
        self._n_proposed = 0

    def _at_start(self) -> "Learner":
        from evonas.search.policy import Learner, Policy, Recurrent, Sites

        settings = self._settings
        policy: Policy
        if self._config.flavour == "sites":
            policy = Sites()
        else:
            rng = stream(self._context.seed, "controller")
            shape = settings.units, settings.layers, settings.init_range
            policy = Recurrent(self._context.encoding.decisions, *shape, rng=rng)
        if settings.algorithm == "ppo":
            return Learner(policy, settings.learning_rate, settings.entropy, settings.clip, settings.ppo_epochs)
        return Learner(policy, settings.learning_rate, settings.entropy, None)

    def ask(self, n: int) -> list[Proposal]:
        """The next `n` genomes, each drawn from the policy."""
        proposals = [self._proposal(self._n_proposed + index) for index in range(n)]
        self.recall(proposals)
        return proposals

    def _proposal(self, number: int) -> Proposal:
        genome, walk = self._drawn("ask", number)
        donors = self._donors_of(genome)
        budget = self._context.budget(bool(donors))
        return Proposal(number, genome, (), OPERATOR, donors, budget, memory=walk.trace.to_json())

    def _drawn(self, *purpose: str | int) -> tuple[Any, Walk]:
        """A genome drawn from the policy, and the way to it."""
        rng = stream(self._context.seed, *purpose)
        walk = Walk(self._learner.policy.steps(), drawn(rng))
        return self._context.encoding.sample(walk, rng=rng), walk

    def _donors_of(self, genome: Genome) -> tuple[int, ...]:
        if not (self._inherits and self._pool):
            return ()
        # `min` gives the first among equals: the latest.
        donor, _ = min(reversed(self._pool), key=lambda one: self._context.encoding.distance(genome, one[1]))
        return (donor,)

    @property
    def _inherits(self) -> bool:
        return self._config.donors == "nearest" and self._context.inherit

    def recall(self, proposals: Iterable[Proposal]) -> None:
        """Wait for these proposals' results."""
        for proposal in proposals:
            self._pending[proposal.id] = proposal
            self._n_proposed += 1

    def tell(self, evaluations: Iterable[Evaluation]) -> None:
        """Collect results; with each complete batch, let the policy learn."""
        for evaluation in evaluations:
            proposal = self._pending.pop(evaluation.id)
            if evaluation.state == COMPLETE:
                self._pool.append((proposal.id, proposal.genome))
            reward = self._reward(evaluation)
            if reward is None:
                continue
            # The baseline is that of the rewards before: it owes nothing to the reward it is subtracted from.
            before = reward if self._baseline is None else self._baseline
            self._baseline = self._settings.baseline * before + (1 - self._settings.baseline) * reward
            self._batch.append((proposal, reward - before))
            if len(self._batch) == self._settings.batch:
                self._learn()

    def _reward(self, evaluation: Evaluation) -> float | None:
        if evaluation.state != COMPLETE:
            return self._worst
        fitness = self._context.fitness(evaluation)
        reward = abs(fitness) ** self._config.power * (1 if fitness >= 0 else -1)
        self._worst = reward if self._worst is None else min(self._worst, reward)
        return reward

    def _learn(self) -> None:
        traces = [Trace.from_json(proposal.memory) for proposal, _ in self._batch]
        self._learner.update(traces, [advantage for _, advantage in self._batch])
        self._batch = []

    def keeps(self) -> set[int]:
        """The possible donors; nobody unless `donors` is nearest."""
        return {id for id, _ in self._pool} if self._inherits else set()

    def likeliest(self) -> Genome:
        """The genome of the likeliest choices, each given those before; real values come from a stream of its own."""
        rng = stream(self._context.seed, "likeliest")
        genome: Genome = self._context.encoding.sample(Walk(self._learner.policy.steps(), likeliest), rng=rng)
        return genome

    def entropy(self, n_samples: int = 16) -> float:
        """The policy's mean entropy in nats over the decisions of fresh samples, which nobody evaluates.

        Args:
            n_samples: So many genomes, the same numbers drawn for each call.
        """
        walks = [self._drawn("entropy", number)[1] for number in range(n_samples)]
        entropies = [entropy for walk in walks for entropy in walk.entropies]
        return sum(entropies) / len(entropies) if entropies else 0.0
