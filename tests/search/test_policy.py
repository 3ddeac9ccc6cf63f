"""Policies: what they compute agrees with formulas worked out by hand, one by one or in a batch."""

import math

import numpy as np
import pytest
import torch

from evonas.search.policy import MAX_OPTIONS, Learner, Recurrent, Sites, objective
from evonas.search.walk import Trace, Walk, drawn, likeliest
from evonas.stream import stream
from genomes import Dag
from genomes.encoding import POINTER

ENCODING = Dag(widths=(4, 8), max_sampled=6, max_nodes=8).for_task((1, 8, 8), 10)
KINDS = {"colour": 3, "earlier": POINTER, "other": POINTER, "size": 2}


def recurrent(decisions: dict[str, int] | None = None, units: int = 12, layers: int = 2) -> Recurrent:
    """A policy with large weights, so that its history matters."""
    return Recurrent(decisions or dict(ENCODING.decisions), units, layers, 0.8, rng=stream(0, "policy"))


def sampled(policy: Recurrent | Sites, number: int) -> Trace:
    rng = stream(0, "ask", number)
    walk = Walk(policy.steps(), drawn(rng))
    ENCODING.sample(walk, rng=rng)
    return walk.trace


def trace(*decisions: tuple[str, int, int], log_probability: float = 0.0) -> Trace:
    """Decisions as (kind, options, choice), all of one log-probability."""
    kinds, options, choices = zip(*decisions, strict=True)
    return Trace(tuple((kind, at) for at, kind in enumerate(kinds)), options, choices, (log_probability,) * len(kinds))


def stepped(policy: Recurrent, given: Trace) -> list[np.ndarray]:
    """The logits of given decisions, one by one."""
    steps, found = policy.steps(), []
    for site, n_options, choice in zip(given.sites, given.options, given.choices, strict=True):
        found.append(steps.logits(site, n_options))
        steps.chose(site, choice)
    return found


# One by one and in a batch


@pytest.mark.parametrize("layers", [1, 2])
def test_a_batch_gives_the_log_probabilities_of_sampling(layers: int) -> None:
    policy = recurrent(layers=layers)
    traces = [sampled(policy, number) for number in range(12)]
    assert len({len(one.choices) for one in traces}) > 3
    log_probabilities, entropies = policy.replay(traces)
    stored = [value for one in traces for value in one.log_probabilities]
    assert np.allclose(log_probabilities.detach().numpy(), stored, atol=1e-5)
    assert np.std(stored) > 0.1
    alone = torch.cat([policy.replay([one])[1] for one in traces])
    assert torch.allclose(entropies, alone, atol=1e-5)


def test_a_batch_of_sites_gives_the_log_probabilities_of_sampling() -> None:
    policy = Sites()
    learner = Learner(policy, 0.3, 0.0, None)
    for number in range(20):
        learner.update([sampled(policy, number)], [1.0])
    traces = [sampled(policy, number) for number in range(30, 40)]
    stored = [value for one in traces for value in one.log_probabilities]
    assert np.allclose(policy.replay(traces)[0].detach().numpy(), stored, atol=1e-6)
    uniform = [-math.log(n) for one in traces for n in one.options]
    assert not np.allclose(stored, uniform, atol=0.1)


def test_a_walk_knows_its_entropies() -> None:
    policy = recurrent()
    rng = stream(0, "ask", 0)
    walk = Walk(policy.steps(), drawn(rng))
    ENCODING.sample(walk, rng=rng)
    assert np.allclose(policy.replay([walk.trace])[1].detach().numpy(), walk.entropies, atol=1e-5)


def test_choices_are_drawn_with_their_probabilities() -> None:
    probabilities, rng = np.array([0.2, 0.0, 0.5, 0.3]), stream(0, "draws")
    counts = np.bincount([drawn(rng)(probabilities) for _ in range(4000)], minlength=4) / 4000
    assert np.allclose(counts, probabilities, atol=0.03)
    assert counts[1] == 0
    assert likeliest(np.array([0.2, 0.4, 0.4])) == 1


@pytest.mark.parametrize(("number", "choice"), [(0.0, 1), (np.nextafter(1.0, 0.0), 2), (0.5, 2)])
def test_what_has_no_probability_is_never_drawn(number: float, choice: int) -> None:
    class Fixed(np.random.Generator):
        def random(self, *arguments: object, **fields: object) -> float:  # type: ignore[override]
            return number

    assert drawn(Fixed(np.random.PCG64(0)))(np.array([0.0, 0.5, 0.5, 0.0])) == choice


# Pointers


def test_a_pointer_scores_anchors_that_stay_where_they_were_seen_first() -> None:
    policy = recurrent(KINDS, layers=1)
    given = trace(
        ("earlier", 2, 1), ("colour", 3, 0), ("earlier", 3, 2), ("size", 2, 1), ("other", 1, 0), ("earlier", 2, 0)
    )
    rows = [0, *(policy.row(site, choice) for site, choice in zip(given.sites, given.choices, strict=True))]
    with torch.no_grad():
        h = policy.lstm(policy.embedding[torch.tensor(rows[:-1])][None])[0][0]
        first = policy.row(("earlier",), 0)
        for step, anchors in ((0, [0, 0]), (2, [0, 0, 2]), (5, [0, 0])):
            keys = h[anchors] @ policy.previous[0].T + policy.embedding[first : first + len(anchors)]
            expected = torch.tanh(keys + h[step] @ policy.current[0].T) @ policy.score[0]
            assert np.allclose(stepped(policy, given)[step], expected, atol=1e-6)


def test_what_was_made_earlier_changes_the_logits_of_its_option() -> None:
    policy = recurrent(KINDS)
    ends = (("size", 2, 0), ("earlier", 2, 1), ("size", 2, 1), ("earlier", 3, 0))
    a, b = (stepped(policy, trace(("colour", 3, choice), *ends))[-1] for choice in (0, 2))
    assert a.shape == (3,)
    assert np.abs(a - b).max() > 1e-3


@pytest.mark.parametrize(
    ("kind", "n_options", "message"),
    [
        ("shape", 2, "shape: expected a kind of decision among colour, earlier, other, size"),
        ("colour", 4, "colour: expected 1 to 3 options, got 4; declare as many"),
        ("colour", 0, "colour: expected 1 to 3 options, got 0"),
        ("earlier", MAX_OPTIONS + 1, "earlier: expected 1 to 1024 options, got 1025; make smaller genomes"),
    ],
)
def test_a_decision_that_was_not_declared_is_refused(kind: str, n_options: int, message: str) -> None:
    policy = recurrent(KINDS)
    with pytest.raises(ValueError, match=message):
        policy.steps().logits((kind, 0), n_options)
    with pytest.raises(ValueError, match=message):
        policy.replay([trace((kind, n_options, 0))])


def test_fewer_options_than_declared_are_the_first() -> None:
    policy = recurrent(KINDS)
    assert np.array_equal(policy.steps().logits(("colour", 0), 2), policy.steps().logits(("colour", 0), 3)[:2])


def test_as_many_options_as_have_numbers_are_scored() -> None:
    assert recurrent(KINDS).steps().logits(("earlier", 0), MAX_OPTIONS).shape == (MAX_OPTIONS,)


def test_parameters_start_in_the_range_of_their_flavour() -> None:
    policy = Recurrent(KINDS, 20, 1, 0.1, rng=stream(0, "policy"))
    values = np.concatenate([parameter.detach().numpy().ravel() for parameter in policy.parameters()])
    assert np.abs(values).max() <= np.float32(0.1)
    assert values.std() == pytest.approx(0.1 / math.sqrt(3), rel=0.02)


# Gradients


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


@pytest.mark.parametrize(
    ("old", "advantage", "clipped"),
    [(0.0, 2.0, False), (math.log(1.5), 2.0, True), (math.log(1.5), -2.0, False), (math.log(0.5), -2.0, True)],
)
def test_the_gradient_of_ppo_is_the_one_computed_by_hand(old: float, advantage: float, clipped: bool) -> None:
    """`old` is the logarithm of the ratio π / π_old; the bonus weighs 0.3."""
    theta = np.array([0.4, -0.2, 0.1])
    p = softmax(theta)
    logits = torch.tensor(theta, requires_grad=True)
    log_p = torch.log_softmax(logits, 0)
    found = objective(
        log_p[[1]], -(log_p.exp() * log_p).sum()[None], torch.tensor([advantage]),
        entropy=0.3, drawn_at=torch.tensor([math.log(p[1]) - old]), clip=0.2,
    )  # fmt: skip
    found.backward()
    of_log_p = np.array([0.0, 1.0, 0.0]) - p
    of_entropy = -p * (np.log(p) + -(p * np.log(p)).sum())
    expected = 0.3 * of_entropy + (0.0 if clipped else math.exp(old) * advantage) * of_log_p
    assert logits.grad is not None
    assert np.allclose(logits.grad.numpy(), expected)
    ratio = np.clip(math.exp(old), 0.8, 1.2) if clipped else math.exp(old)
    assert found.item() == pytest.approx(ratio * advantage - 0.3 * (p * np.log(p)).sum())


def test_the_gradient_of_reinforce_is_the_one_computed_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """One site of three options, two traces: the mean of A · (onehot - p), and the bonus."""
    policy = Sites()
    traces = [trace(("colour", 3, 2)), trace(("colour", 3, 0))]
    learner = Learner(policy, 0.1, 0.3, None)
    learner.update(traces, [0.0, 0.0])
    (logits,) = policy.parameters()
    theta = np.array([0.5, 0.0, -1.0])
    with torch.no_grad():
        logits.copy_(torch.from_numpy(theta))
    monkeypatch.setattr(torch.optim.Adam, "step", lambda self: None)
    learner.update(traces, [2.0, -1.0])
    p = softmax(theta)
    hot = np.eye(3)
    of_entropy = -p * (np.log(p) - (p * np.log(p)).sum())
    expected = (2.0 * (hot[2] - p) - 1.0 * (hot[0] - p)) / 2 + 0.3 * of_entropy
    assert logits.grad is not None
    assert np.allclose(-logits.grad.numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("clip", [None, 0.2])
def test_the_gradient_of_an_lstm_agrees_with_finite_differences(clip: float | None) -> None:
    policy = recurrent(KINDS, units=4)
    policy.double()
    traces = [
        trace(("earlier", 2, 1), ("colour", 3, 0), ("earlier", 3, 2), ("size", 2, 1), ("other", 2, 0)),
        trace(("colour", 3, 2), ("earlier", 1, 0), ("earlier", 2, 1)),
    ]
    advantages = torch.tensor([0.7] * 5 + [-1.3] * 3, dtype=torch.float64)
    drawn_at = policy.replay(traces)[0].detach() - torch.tensor([0.5, 0.1, 0.0, -0.1, -0.5, 0.5, 0.0, -0.5])

    def value() -> torch.Tensor:
        taken = policy.replay(traces)
        return objective(*taken, advantages, entropy=0.1, drawn_at=None if clip is None else drawn_at, clip=clip or 0.0)

    value().backward()
    rng = np.random.default_rng(0)
    for name, parameter in policy.named_parameters():
        assert parameter.grad is not None
        used = parameter.grad.flatten().nonzero().flatten().numpy()
        assert len(used), name
        for place in rng.choice(used, 4):
            ends = []
            for shift in (1e-6, -1e-6):
                with torch.no_grad():
                    parameter.view(-1)[place] += shift
                    ends.append(value().item())
                    parameter.view(-1)[place] -= shift
            assert (ends[0] - ends[1]) / 2e-6 == pytest.approx(parameter.grad.flatten()[place].item(), abs=1e-7), name


def test_ppo_takes_so_many_steps_on_a_batch_and_none_without_decisions() -> None:
    for n_passes in (1, 3):
        policy = Sites()
        learner = Learner(policy, 0.01, 0.0, 0.2, n_passes)
        learner.update([trace(("colour", 3, 0), log_probability=-math.log(3))], [1.0])
        (logits,) = policy.parameters()
        assert logits[0].item() == pytest.approx(0.01 * n_passes, rel=0.05)
        learner.update([Trace((), (), (), ())], [1.0])


def test_sites_that_come_up_later_are_learned_as_well() -> None:
    policy = Sites()
    learner = Learner(policy, 0.1, 0.0, None)
    for kind in ("colour", "size", "size"):
        learner.update([trace((kind, 3, 1))], [1.0])
    colour, size = (logits.detach().numpy() for logits in policy.parameters())
    assert colour.argmax() == size.argmax() == 1
    assert size[1] > 1.5 * colour[1] > 0.1
    assert not policy.steps().logits(("colour", 0), 2).any(), "another number of options is another site"
