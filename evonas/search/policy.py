"""Policies over an encoding's decisions, in torch: an LSTM with a head for each kind, or logits for each site.

Only this file of `evonas.search` needs torch, and nothing imports it before a controller is built.

What is drawn starts from streams of numpy: no generator of torch's is seeded or drawn from. All is computed in
float32 on the CPU by one thread, so that equal logs give equal bits.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from evonas.search.walk import Steps, Trace
from genomes.encoding import POINTER, Site

MAX_OPTIONS = 1024
"""Options a pointer may have: so many numbers have an embedding."""


class Policy(Protocol):
    """What gives every decision a distribution, given those before it."""

    def steps(self) -> Steps:
        """At the start of a genome."""

    def replay(self, traces: Sequence[Trace]) -> tuple[Tensor, Tensor]:
        """Take given decisions again.

        Returns:
            The log-probabilities `(decisions,)` and entropies `(decisions,)` in nats, trace after trace.
        """

    def parameters(self) -> Iterator[nn.Parameter]:
        """What is learned; later ones are appended."""


class Recurrent(nn.Module):
    """An LSTM that reads its last choice and scores the next, with a linear head for each kind of decision.

    Zoph, Vasudevan, Shlens & Le 2018 (https://arxiv.org/abs/1707.07012) and Zoph & Le 2017
    (https://arxiv.org/abs/1611.01578). A kind that points to something made earlier is scored against anchor points as
    in the latter, by `v · tanh(W_prev a_j + W_curr h + e_j)`, with a softmax over the options in place of a sigmoid for
    each. Ours: `a_j` is the LSTM's output at the first decision of that kind that saw option j, which has read all
    that was made before; `e_j`, an embedding of the number j, tells options apart that were seen first together, and
    is what the LSTM reads next where j was chosen.

    Args:
        decisions: Kinds and their option counts, `POINTER` where they grow.
        units: Units of each layer.
        layers: Layers.
        init_range: Every parameter starts uniform in (-init_range, init_range).
        rng: Draws them.
    """

    def __init__(
        self, decisions: Mapping[str, int], units: int, layers: int, init_range: float, *, rng: np.random.Generator
    ) -> None:
        super().__init__()
        self._decisions = dict(sorted(decisions.items()))
        finite = {kind: count for kind, count in self._decisions.items() if count != POINTER}
        self._pointers = {kind: at for at, kind in enumerate(k for k in self._decisions if k not in finite)}
        starts = np.cumsum([0, *finite.values()]).tolist()
        self._heads = dict(zip(finite, starts, strict=False))
        rows = np.cumsum([1, *(count or MAX_OPTIONS for count in self._decisions.values())]).tolist()
        self._rows = dict(zip(self._decisions, rows, strict=False))
        n_pointers = len(self._pointers)
        # On the meta device a module's own initialisation draws nothing from torch's global generator.
        with torch.device("meta"):
            self.lstm = nn.LSTM(units, units, layers, batch_first=True)
            self.embedding = nn.Parameter(torch.empty(rows[-1], units))
            self.head_weight = nn.Parameter(torch.empty(starts[-1], units))
            self.head_bias = nn.Parameter(torch.empty(starts[-1]))
            self.previous = nn.Parameter(torch.empty(n_pointers, units, units))
            self.current = nn.Parameter(torch.empty(n_pointers, units, units))
            self.score = nn.Parameter(torch.empty(n_pointers, units))
        self.to_empty(device="cpu")
        with torch.no_grad():
            for _, parameter in sorted(self.named_parameters()):
                parameter.copy_(torch.from_numpy(rng.uniform(-init_range, init_range, tuple(parameter.shape))))

    def steps(self) -> "RecurrentSteps":
        """At the start of a genome."""
        return RecurrentSteps(self)

    def row(self, site: Site, choice: int) -> int:
        """The row of the embedding that the LSTM reads behind a choice; row 0 is read first."""
        return int(self._rows[str(site[0])]) + choice

    def is_pointer(self, site: Site, n_options: int) -> bool:
        """True for a kind that points to something made earlier.

        Raises:
            ValueError: If the kind is not declared, or has more options than were declared.
        """
        kind = str(site[0])
        if (declared := self._decisions.get(kind)) is None:
            known = ", ".join(self._decisions)
            raise ValueError(f"{kind}: expected a kind of decision among {known}; declare it in `decisions`")
        if not 1 <= n_options <= (declared or MAX_OPTIONS):
            raise ValueError(
                f"{kind}: expected 1 to {declared or MAX_OPTIONS} options, got {n_options}; "
                + ("declare as many in `decisions`" if declared else "make smaller genomes, or use the flavour sites")
            )
        return declared == POINTER

    def headed(self, kind: str, outputs: Tensor, n_options: int) -> Tensor:
        """Logits `(…, n_options)` of a finite kind, given the LSTM's outputs `(…, units)`."""
        rows = slice(self._heads[kind], self._heads[kind] + n_options)
        return functional.linear(outputs, self.head_weight[rows], self.head_bias[rows])

    def anchored(self, kind: str, outputs: Tensor) -> Tensor:
        """`W_prev a` `(…, units)` of a pointer kind, given the LSTM's outputs `(…, units)`."""
        return functional.linear(outputs, self.previous[self._pointers[kind]])

    def pointed(self, kind: str, anchors: Tensor, outputs: Tensor) -> Tensor:
        """Logits `(…, n_options)` of a pointer kind.

        Args:
            kind: The kind.
            anchors: `anchored` outputs `(…, n_options, units)`.
            outputs: The LSTM's outputs `(…, units)`.
        """
        at, first = self._pointers[kind], self._rows[kind]
        current = functional.linear(outputs, self.current[at]).unsqueeze(-2)
        numbers = self.embedding[first : first + anchors.shape[-2]]
        return torch.tanh(anchors + current + numbers) @ self.score[at]

    def replay(self, traces: Sequence[Trace]) -> tuple[Tensor, Tensor]:
        """Take given decisions again, all traces at once; see `Policy`."""
        length = max(len(trace.choices) for trace in traces)
        rows = np.zeros((len(traces), length), np.int64)
        places: dict[str, list[int]] = {}
        seen: list[list[int]] = []
        for number, trace in enumerate(traces):
            first_seen: dict[str, list[int]] = {}
            for step, (site, n_options, choice) in enumerate(
                zip(trace.sites, trace.options, trace.choices, strict=True)
            ):
                kind, at = str(site[0]), number * length + step
                if step + 1 < length:
                    rows[number, step + 1] = self.row(site, choice)
                places.setdefault(kind, []).append(len(seen))
                known: list[int] = []
                if self.is_pointer(site, n_options):
                    known = first_seen.setdefault(kind, [])
                    known += [at] * (n_options - len(known))
                seen.append([at, *known[:n_options]])
        outputs = self.lstm(self.embedding[torch.from_numpy(rows)])[0].flatten(0, 1)
        options = torch.tensor([n for trace in traces for n in trace.options])
        choices = torch.tensor([n for trace in traces for n in trace.choices])
        scored = []
        for kind, here in places.items():
            n_options = int(options[here].max())
            own = outputs[torch.tensor([seen[place][0] for place in here])]
            if kind in self._pointers:
                padded = [(seen[place][1:] + [0] * n_options)[:n_options] for place in here]
                logits = self.pointed(kind, self.anchored(kind, outputs)[torch.tensor(padded)], own)
            else:
                logits = self.headed(kind, own, n_options)
            scored.append(_scored(logits, options[here], choices[here]))
        order = torch.tensor([place for here in places.values() for place in here]).argsort()
        log_probabilities, entropies = (torch.cat(columns)[order] for columns in zip(*scored, strict=True))
        return log_probabilities, entropies


class RecurrentSteps:
    """A recurrent policy on its way through one genome; see `Steps`."""

    def __init__(self, policy: Recurrent) -> None:
        self._policy = policy
        self._row = 0
        self._state: tuple[Tensor, Tensor] | None = None
        self._anchors: dict[str, list[Tensor]] = {}

    def logits(self, site: Site, n_options: int) -> np.ndarray:
        """The logits `(n_options,)` of the next decision."""
        points = self._policy.is_pointer(site, n_options)
        with torch.no_grad(), one_thread():
            return self._logits(str(site[0]), points, n_options).numpy()

    def _logits(self, kind: str, points: bool, n_options: int) -> Tensor:
        policy = self._policy
        output, self._state = policy.lstm(policy.embedding[self._row : self._row + 1], self._state)
        if not points:
            return policy.headed(kind, output[0], n_options)
        anchors = self._anchors.setdefault(kind, [])
        if n_options > len(anchors):
            anchors += [policy.anchored(kind, output[0])] * (n_options - len(anchors))
        return policy.pointed(kind, torch.stack(anchors[:n_options]), output[0])

    def chose(self, site: Site, choice: int) -> None:
        """Read this choice next."""
        self._row = self._policy.row(site, choice)


class Sites:
    """Logits for each site and number of options, without a network: no decision depends on another.

    The REINFORCE row of NAS-Bench-201 (Dong & Yang 2020, https://arxiv.org/abs/2001.00326) and NATS-Bench. Ours: logits
    start at 0, not at a thousandth of normal noise, and are made when a site is first learned from.
    """

    def __init__(self) -> None:
        self._logits: dict[tuple[Site, int], nn.Parameter] = {}

    def steps(self) -> "Sites":
        """At the start of a genome: there is nothing to carry along."""
        return self

    def logits(self, site: Site, n_options: int) -> np.ndarray:
        """The logits `(n_options,)` of a site."""
        known = self._logits.get((site, n_options))
        return np.zeros(n_options, np.float32) if known is None else known.detach().numpy()

    def chose(self, site: Site, choice: int) -> None:
        """Nothing depends on it."""

    def replay(self, traces: Sequence[Trace]) -> tuple[Tensor, Tensor]:
        """Take given decisions again, and make the logits of sites that are new; see `Policy`."""
        keys = [key for trace in traces for key in zip(trace.sites, trace.options, strict=True)]
        for key in keys:
            if key not in self._logits:
                self._logits[key] = nn.Parameter(torch.zeros(key[1]))
        rows = {key: row for row, key in enumerate(dict.fromkeys(keys))}
        logits = nn.utils.rnn.pad_sequence([self._logits[key] for key in rows], batch_first=True)
        options = torch.tensor([n_options for _, n_options in keys])
        choices = torch.tensor([choice for trace in traces for choice in trace.choices])
        return _scored(logits[torch.tensor([rows[key] for key in keys])], options, choices)

    def parameters(self) -> Iterator[nn.Parameter]:
        """The logits of each site, in the order they were made."""
        return iter(self._logits.values())


def _scored(logits: Tensor, options: Tensor, choices: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probabilities and entropies `(n,)`, given logits `(n, most options)`, of which the first `options` count."""
    beyond = torch.arange(logits.shape[1]) >= options[:, None]
    log_probabilities = torch.log_softmax(logits.masked_fill(beyond, -torch.inf), 1)
    # 0 · log 0 counts as 0.
    entropies = -(log_probabilities.exp() * log_probabilities.masked_fill(beyond, 0.0)).sum(1)
    return log_probabilities.gather(1, choices[:, None])[:, 0], entropies


def objective(
    log_probabilities: Tensor,
    entropies: Tensor,
    advantages: Tensor,
    *,
    entropy: float,
    drawn_at: Tensor | None = None,
    clip: float = 0.0,
) -> Tensor:
    """What an update climbs, summed over decisions.

    REINFORCE (Williams 1992, https://doi.org/10.1007/BF00992696): log π · A. PPO (Schulman et al. 2017,
    https://arxiv.org/abs/1707.06347): the lesser of r · A and clip(r, 1 - ε, 1 + ε) · A, where r = π / π_old.

    Args:
        log_probabilities: `(decisions,)` under the policy.
        entropies: `(decisions,)` of the policy.
        advantages: `(decisions,)`, reward less baseline.
        entropy: Weight of the entropies.
        drawn_at: `(decisions,)` log-probabilities under the policy that drew them, for PPO; None: REINFORCE.
        clip: ε of PPO.
    """
    if drawn_at is None:
        gains = log_probabilities * advantages
    else:
        ratios = (log_probabilities - drawn_at).exp()
        gains = torch.minimum(ratios * advantages, ratios.clamp(1 - clip, 1 + clip) * advantages)
    return (gains + entropy * entropies).sum()


class Learner:
    """Adam (Kingma & Ba 2015, https://arxiv.org/abs/1412.6980) on a policy.

    Args:
        policy: What learns.
        learning_rate: Adam's.
        entropy: Weight of the entropies.
        clip: ε of PPO; None: REINFORCE.
        n_passes: Steps on each batch.
    """

    def __init__(
        self, policy: Policy, learning_rate: float, entropy: float, clip: float | None, n_passes: int = 1
    ) -> None:
        self.policy = policy
        self._learning_rate, self._entropy, self._clip, self._n_passes = learning_rate, entropy, clip, n_passes
        self._optimizer: torch.optim.Adam | None = None
        self._n_known = 0

    def update(self, traces: Sequence[Trace], advantages: Sequence[float]) -> None:
        """Learn from a batch of traces, each with its advantage."""
        lengths = [len(trace.choices) for trace in traces]
        if not any(lengths):
            return
        drawn_at = None
        if self._clip is not None:
            drawn_at = torch.tensor([value for trace in traces for value in trace.log_probabilities])
        with one_thread():
            repeated = torch.tensor(advantages).repeat_interleave(torch.tensor(lengths))
            for _ in range(self._n_passes):
                taken = self.policy.replay(traces)
                optimizer = self._knowing_all()
                gain = objective(
                    *taken, repeated, entropy=self._entropy, drawn_at=drawn_at, clip=self._clip or 0.0
                ) / len(traces)
                optimizer.zero_grad()
                (-gain).backward()
                optimizer.step()

    def _knowing_all(self) -> torch.optim.Adam:
        """The optimiser, told of the parameters that are new."""
        new = list(self.policy.parameters())[self._n_known :]
        if self._optimizer is None:
            self._optimizer = torch.optim.Adam(new, lr=self._learning_rate)
        elif new:
            self._optimizer.add_param_group({"params": new})
        self._n_known += len(new)
        return self._optimizer


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute with one thread: sums do not depend on how many there are."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
