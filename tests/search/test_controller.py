"""The controller learns what is rewarded, and its state is the fold over its log."""

import json
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
import torch

from evonas.record import Proposal
from evonas.search import Controller, ControllerConfig
from evonas.search.controller import FLAVOURS
from evonas.search.walk import Trace
from tests.campaigns import context as dag_context
from tests.campaigns import pretended
from tests.search.bandit import PLANTED, Arms, Bandit, built, context, learned, told


def parameters(search: Controller) -> list[np.ndarray]:
    """All that a policy learned, copied."""
    return [parameter.detach().numpy().copy() for parameter in search._learner.policy.parameters()]


def same(a: Controller, b: Controller) -> bool:
    pairs = zip(parameters(a), parameters(b), strict=True)
    return all(np.array_equal(ours, theirs) for ours, theirs in pairs)


# What it learns


@pytest.mark.parametrize(
    ("flavour", "n", "fields"),
    [
        ("sites", 600, {}),
        ("nasnet", 1500, {}),
        ("zoph2017", 2600, {}),
        ("nasnet", 1500, {"algorithm": "reinforce", "batch": 5}),
        ("sites", 800, {"algorithm": "ppo", "batch": 8, "entropy": 1e-3}),
    ],
)
def test_a_planted_bandit_is_learned(flavour: Any, n: int, fields: dict[str, Any]) -> None:
    search = built(flavour=flavour, **fields)
    uniform = (math.log(4) + math.log(3) + math.log(5)) / 3
    assert search.entropy() == pytest.approx(uniform, abs=0.01)
    rewards = learned(search, n)
    assert np.mean(rewards[:50]) < 0.5
    assert np.mean(rewards[-50:]) > 0.8
    assert search.likeliest() == Arms(PLANTED)
    assert search.entropy() < uniform / 2


def test_without_a_difference_in_reward_nothing_is_learned() -> None:
    search = built(flavour="sites")
    for one in search.ask(30):
        told(search, one, 0.7)
    assert search.entropy() == pytest.approx((math.log(4) + math.log(3) + math.log(5)) / 3)


def test_the_bonus_for_entropy_holds_the_policy_open() -> None:
    open_, closed = (built(flavour="sites", entropy=entropy) for entropy in (0.5, 0.0))
    for search in (open_, closed):
        learned(search, 400)
    assert open_.entropy() > closed.entropy() + 0.3


# Batches, baseline and rewards


def advantages(search: Controller, monkeypatch: pytest.MonkeyPatch, fitness: list[float | None]) -> list[list[float]]:
    """The advantages of each update that results lead to."""
    found: list[list[float]] = []
    monkeypatch.setattr(search._learner, "update", lambda traces, advantages: found.append(list(advantages)))
    for one, value in zip(search.ask(len(fitness)), fitness, strict=True):
        told(search, one, value)
    return found


def test_an_advantage_is_the_reward_less_the_average_of_those_before(monkeypatch: pytest.MonkeyPatch) -> None:
    found = advantages(built(batch=2, baseline=0.75), monkeypatch, [0.5, 0.9, 0.5, 0.1, 0.3])
    assert np.allclose(found, [[0.0, 0.4], [0.5 - 0.6, 0.1 - 0.575]])


def test_a_failure_counts_as_the_worst_reward_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    found = advantages(built(batch=1, baseline=0.0), monkeypatch, [None, None, 0.5, 0.2, None, 0.4, None])
    assert np.allclose(found, [[0.0], [-0.3], [0.0], [0.2], [-0.2]])


@pytest.mark.parametrize(
    ("power", "expected"), [(1, [0.0, 0.3, -0.7]), (2, [0.0, 0.21, -0.29]), (3, [0.0, 0.117, -0.133])]
)
def test_a_power_shapes_the_reward_and_spares_its_sign(
    power: int, expected: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = advantages(built(batch=3, baseline=0.0, power=power), monkeypatch, [0.2, 0.5, -0.2])
    assert np.allclose(found, [expected])


def test_the_policy_changes_with_each_complete_batch_alone() -> None:
    search = built(batch=4)
    before = parameters(search)
    asked = search.ask(8)
    for number, one in enumerate(asked):
        told(search, one, number / 10)
        changed = any(not np.array_equal(a, b) for a, b in zip(before, parameters(search), strict=True))
        assert changed == (number in (3, 7))
        before = parameters(search)


def test_what_failed_when_nothing_had_succeeded_fills_no_batch() -> None:
    search, other = built(batch=2), built(batch=2)
    for one in search.ask(6):
        told(search, one, None)
    assert same(search, other)


# The fold


@pytest.mark.parametrize("flavour", ["nasnet", "zoph2017", "sites"])
def test_a_log_that_went_through_json_gives_the_same_bits(flavour: Any) -> None:
    def at_start() -> Controller:
        return ControllerConfig(flavour=flavour, batch=3).build(dag_context(seed=5))

    search, folded = at_start(), at_start()
    for step in range(20):
        for one in search.ask(2 if step == 0 else 1):
            memory = json.loads(json.dumps(one.memory, allow_nan=False))
            folded.recall([Proposal(one.id, one.genome, (), one.operator, (), one.budget, 0, memory)])
        first = min(search._pending)
        result = pretended(search._pending[first], lambda id: id % 5 == 2)
        search.tell([result])
        folded.tell([result])
    assert same(search, folded)
    assert search.likeliest() == folded.likeliest()
    assert search.entropy() == folded.entropy()
    assert search.ask(3) == folded.ask(3)


def test_looking_at_the_policy_changes_nothing() -> None:
    looked, left = built(flavour="sites"), built(flavour="sites")
    for _ in range(20):
        for search in (looked, left):
            learned(search, 1)
        looked.likeliest()
        looked.entropy()
    assert same(looked, left)
    assert looked.ask(1) == left.ask(1)


def test_nothing_of_torch_is_seeded_or_drawn_from() -> None:
    torch.manual_seed(3)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    first = built()
    learned(first, 25)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads
    torch.manual_seed(4)
    second = built()
    learned(second, 25)
    assert same(first, second)


def test_another_seed_starts_with_other_parameters() -> None:
    assert same(built(seed=1), built(seed=1))
    assert not same(built(seed=1), built(seed=2))


def test_a_proposal_remembers_its_decisions() -> None:
    (one,) = built().ask(1)
    trace = Trace.from_json(one.memory)
    assert (one.operator, one.parents, one.donors, one.generation) == ("policy", (), (), 0)
    assert trace.sites == (("colour", 0), ("earlier", 0), ("size", "last"))
    assert trace.options == (4, 3, 5)
    assert trace.choices == one.genome.chosen
    assert all(-3 < value < 0 for value in trace.log_probabilities)
    assert trace.to_json() == one.memory


# Donors


def test_the_nearest_of_the_latest_leaves_its_weights() -> None:
    search, encoding = built(donors="nearest", donor_pool=3, batch=1), Bandit()
    pool: list[Proposal] = []
    n_ties = 0
    for number in range(40):
        (one,) = search.ask(1)
        distances = {known.id: encoding.distance(one.genome, known.genome) for known in pool[-3:]}
        nearest = [id for id, value in distances.items() if value == min(distances.values())]
        n_ties += len(nearest) > 1
        assert one.donors == tuple(nearest[-1:])
        assert one.parents == ()
        assert one.budget.epochs == (1 if one.donors else 2)
        told(search, one, None if number % 4 == 1 else 0.5)
        if number % 4 != 1:
            pool.append(one)
        assert search.keeps() == {known.id for known in pool[-3:]}
    assert n_ties > 3


@pytest.mark.parametrize("fields", [{}, {"donors": "nearest", "inherit": False}])
def test_nobody_inherits_or_is_kept_otherwise(fields: dict[str, Any]) -> None:
    search = built(**fields)
    for one in search.ask(10):
        told(search, one, 0.5)
    assert search.keeps() == set()
    assert {one.donors for one in search.ask(10)} == {()}


# Configuration


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"flavour": "sites", "units": 9}, "units: expected none without a flavour with an LSTM"),
        ({"flavour": "zoph2017", "clip": 0.1}, 'clip: expected none without algorithm = "ppo"'),
        ({"algorithm": "reinforce", "ppo_epochs": 2}, "ppo_epochs: expected none without"),
        ({"power": 0}, "greater than or equal to 1"),
        ({"baseline": 1.0}, "less than 1"),
    ],
)
def test_fields_that_do_not_fit_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ControllerConfig(**fields)


def test_a_field_replaces_the_number_of_its_flavour() -> None:
    assert ControllerConfig().settings == FLAVOURS["nasnet"]
    changed = ControllerConfig(flavour="zoph2017", algorithm="ppo", clip=0.1, batch=3, entropy=0.0).settings
    assert changed == FLAVOURS["zoph2017"]._replace(algorithm="ppo", clip=0.1, batch=3, entropy=0.0)


def test_an_encoding_without_decisions_is_refused() -> None:
    class Mute(Bandit):
        decisions: Mapping[str, int] = MappingProxyType({})

    with pytest.raises(ValueError, match="expected an encoding with decisions, got Mute; use another search"):
        ControllerConfig().build(context(Mute()))
