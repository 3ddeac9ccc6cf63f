"""Environments of gymnasium: what networks see and do in them."""

import dataclasses
import sys
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from evonas.tasks import DataError, Gym
from evonas.tasks.gym import Episodes, made
from tests.tasks.judged import Linear

SEEDS = np.array([3, 3, 4])
UPRIGHT = torch.tensor([[0.0, 0.1], [0.0, 0.5], [0.0, 5.0], [0.0, 2.0]])
"""Pushes to the right where the pole leans or turns there."""


def problem(environment: str = "CartPole-v1", **settings: Any) -> Episodes:
    found = Gym(environment=environment, **settings).load().problem
    assert isinstance(found, Episodes)
    return found


def refused(**settings: Any) -> str:
    with pytest.raises(DataError) as caught:
        Gym(**settings).load()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_missing_gymnasium_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    assert refused(environment="CartPole-v1") == 'task gym: expected gymnasium, got none; pip install "evonas[rl]"'


@pytest.mark.parametrize("name", ["os:CartPole-v1", "a b", "", "x\ny"])
def test_an_id_that_would_import_or_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="environment"):
        Gym(environment=name)


class TestWithGymnasium:
    """What needs it."""

    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        pytest.importorskip("gymnasium", reason='gymnasium is missing: pip install "evonas[rl]"')

    @pytest.mark.parametrize("name", ["Nothing-v0", "CartPole-v99", "nowhere/Game-v1"])
    def test_an_unknown_environment_is_refused(self, name: str) -> None:
        assert f"got '{name}'" in refused(environment=name)

    @pytest.mark.parametrize(
        ("name", "n_inputs", "n_outputs"),
        [
            ("CartPole-v1", 4, 2),
            ("MountainCarContinuous-v0", 2, 1),
            ("Taxi-v4", 500, 6),
            ("Blackjack-v1", 32 + 11 + 2, 2),
        ],
    )
    def test_what_networks_see_and_put_out(self, name: str, n_inputs: int, n_outputs: int) -> None:
        task = Gym(environment=name, steps=20).load()
        assert (task.input_shape, task.n_outputs, task.kind) == ((n_inputs,), n_outputs, "behaviour")
        assert task.problem is not None
        told = task.problem.score(Linear(torch.zeros(2, n_inputs, n_outputs)), SEEDS[:2])
        assert 1 <= told["steps"][0] <= 20
        assert torch.isfinite(told["fitness"]).all()

    def test_returns_are_those_of_a_plain_loop(self) -> None:
        import gymnasium

        from evonas.stream import stream

        posed = problem(episodes=2)
        networks = Linear(torch.stack([UPRIGHT, -UPRIGHT, UPRIGHT * 0]))
        told = posed.score(networks, SEEDS)
        for at, seed in enumerate(SEEDS):
            total = 0.0
            for episode in range(2):
                one = gymnasium.make("CartPole-v1")
                start = int(stream(int(seed), "episode", episode).integers(2**31))
                seen, _ = one.reset(seed=start)
                ended = False
                while not ended:
                    output = torch.from_numpy(seen) @ networks.gains[at]
                    seen, reward, terminated, truncated, _ = one.step(int(output.argmax()))
                    total += float(reward)
                    ended = terminated or truncated
            assert told["fitness"][at] == total / 2 == told["steps"][at]
        assert told["solved"].tolist() == [1, 0, 0]

    def test_the_test_meets_other_episodes_and_equal_seeds_equal_ones(self) -> None:
        posed = problem(episodes=3)
        networks = Linear((UPRIGHT * torch.tensor([[0.0], [0.0], [1.0], [0.0]])).expand(3, 4, 2))
        told, tested = posed.score(networks, SEEDS)["fitness"], posed.test(networks, SEEDS)["fitness"]
        assert told[0] == told[1] != told[2]
        assert tested[0] == tested[1] != told[0]

    def test_the_threshold_is_the_environments_unless_given(self) -> None:
        networks = Linear(UPRIGHT[None])
        assert problem(threshold=30, steps=40).score(networks, SEEDS[:1])["solved"].tolist() == [1]
        assert problem(steps=40).score(networks, SEEDS[:1])["solved"].tolist() == [0]
        assert problem("Pendulum-v1", steps=3).score(Linear(torch.zeros(1, 3, 1)), SEEDS[:1])["solved"].tolist() == [0]

    def test_a_lucky_episode_solves_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        n, seeds = 8, np.arange(8)
        networks = Linear((UPRIGHT * torch.tensor([[0.0], [0.0], [1.0], [0.0]])).expand(n, 4, 2))
        once = problem(confirming=0).score(networks, seeds)["fitness"]
        luckiest = once.max().item()
        assert luckiest > once.mean(), "episodes differ"
        alone = problem(confirming=0, threshold=luckiest).score(networks, seeds)
        assert alone["solved"].tolist() == (once == luckiest).double().tolist()
        strict, n_made = problem(confirming=20, threshold=luckiest), []
        monkeypatch.setattr("evonas.tasks.gym.made", lambda *given: n_made.append(given) or made(*given))
        told = strict.score(networks, seeds)
        assert told["solved"].tolist() == [0] * n
        assert torch.equal(told["fitness"], once)
        assert len(n_made) == n + 20 * int(alone["solved"].sum()), "the others are not asked again"
        other = problem(confirming=1, threshold=luckiest).score(networks, seeds)
        assert other["solved"].tolist() == [0] * n, "it is another episode"
        assert problem(confirming=20, threshold=1).score(networks, seeds)["solved"].tolist() == [1] * n

    def test_a_hundred_episodes_confirm_unless_told_otherwise(self) -> None:
        assert (problem().confirming, problem().threshold) == (100, 475)

    @pytest.mark.parametrize(
        ("actions", "outputs", "expected"),
        [
            ("unit", [-1.0, 0.0, 0.5, 1.0, 9.0], [-2, -2, 0, 2, 2]),
            ("tanh", [-99.0, 0.0, float(np.arctanh(0.5)), 99.0, np.nan], [-2, 0, 1, 2, 0]),
            ("clip", [-9.0, -1.5, 0.0, 1.5, np.inf], [-2, -1.5, 0, 1.5, 2]),
        ],
    )
    def test_what_outputs_mean_as_continuous_actions(
        self, actions: str, outputs: list[float], expected: list[float]
    ) -> None:
        posed = problem("Pendulum-v1", actions=actions)
        found = [posed._action(np.array([output])) for output in outputs]
        assert {one.shape for one in found} == {(1,)}
        assert {one.dtype for one in found} == {np.dtype(np.float32)}
        np.testing.assert_allclose(np.concatenate(found), expected, atol=1e-6)

    def test_discrete_actions_are_counted_from_where_the_space_starts(self) -> None:
        from gymnasium import spaces

        posed = dataclasses.replace(problem(), space=spaces.Discrete(3, start=5))
        assert [posed._action(np.array(one)) for one in ([1, 3, 2], [np.nan, -2, -1], [0, 0, 0])] == [6, 7, 5]

    def test_memory_lasts_an_episode_and_goes_on_with_those_that_act(self) -> None:
        """Networks that count steps: each pushes to the left until a step of its own, then to the right."""

        class Counting(Linear):
            def step(self, inputs: Tensor, state: Any = None) -> tuple[Tensor, Any]:
                count = torch.zeros(self.n, inputs.shape[1], 1) if state is None else state
                later = (count >= self.gains[:, :1, :1]).float()
                return torch.cat([1 - later, later], 2), count + 1

            def choose(self, which: Tensor) -> "Counting":
                return Counting(self.gains[which])

        posed = problem()
        networks = Counting(torch.tensor([2.0, 4.0, 99.0])[:, None, None])
        told = posed.score(networks, np.array([5, 5, 5]))["fitness"]
        alone = [posed.score(networks.choose(torch.tensor([at])), np.array([5]))["fitness"].item() for at in range(3)]
        assert told.tolist() == alone
        assert len(set(alone)) == 3

    def test_episodes_without_end_and_actions_of_other_kinds_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import gymnasium
        from gymnasium import spaces
        from gymnasium.envs.registration import registry

        class Endless(gymnasium.Env[Any, Any]):
            observation_space: Any = spaces.Box(0, 1, (2,))
            action_space: Any = spaces.Discrete(2)

        class Odd(Endless):
            action_space = spaces.MultiBinary(2)

        class Unbounded(Endless):
            action_space = spaces.Box(-np.inf, np.inf, (1,))

        class Text(Endless):
            observation_space = spaces.Sequence(spaces.Discrete(2))

        made = {"Endless-v0": Endless, "Odd-v0": Odd, "Unbounded-v0": Unbounded, "Text-v0": Text}
        for name, entry in made.items():
            monkeypatch.setitem(
                registry, name, gymnasium.envs.registration.EnvSpec(name, entry, disable_env_checker=True)
            )
        assert "set steps" in refused(environment="Endless-v0")
        assert "expected actions of Discrete or Box" in refused(environment="Odd-v0", steps=5)
        assert 'set actions = "clip"' in refused(environment="Unbounded-v0", steps=5)
        assert "can be flattened" in refused(environment="Text-v0", steps=5)
