"""Pole balancing: fitness and the published criteria, with controllers of control theory as networks."""

import math
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.linalg import solve_discrete_are

from evonas.tasks import Poles, carts, poles
from evonas.tasks.cart import State
from evonas.tasks.poles import PoleBalancing
from tests.tasks.judged import Linear

SEEDS = np.zeros(100, np.int64)
LONG = 1_200
PUBLISHED = (4.8, 2.0, 0.52, 2.0, 0.52, 2.0)
"""What the published program divides inputs by."""


@pytest.fixture(autouse=True)
def shorter(monkeypatch: pytest.MonkeyPatch) -> None:
    """100,000 steps take seconds, and arrays of few carts longer than floats."""
    monkeypatch.setattr(poles, "LONG_RUN", LONG)
    monkeypatch.setattr(carts, "EARLY", 50)


def problem(**settings: Any) -> PoleBalancing:
    found = Poles(**{"name": "double_pole", **settings}).load().problem
    assert isinstance(found, PoleBalancing)
    return found


def test_what_networks_are_given_has_names() -> None:
    both = Poles(name="double_pole").load().features
    assert both == ("position", "speed", "angle 1", "angular speed 1", "angle 2", "angular speed 2")
    assert Poles(name="double_pole", velocities=False).load().features == ("position", "angle 1", "angle 2")
    assert len(Poles(name="single_pole").load().features) == problem(name="single_pole").n_inputs


def regulator(posed: PoleBalancing) -> npt.NDArray[np.float64]:
    """The gains of force on state that a linear-quadratic regulator has."""
    cart = posed.balancing.cart
    size = 2 + 2 * len(cart.poles)

    def later(state: npt.NDArray[np.float64], force: float) -> npt.NDArray[np.float64]:
        moved: State = tuple(state.tolist())
        for _ in range(2):
            moved = cart.step(moved, force, 0.01, math)
        return np.array(moved)

    a = np.stack([later(row, 0.0) / 1e-6 for row in np.eye(size) * 1e-6], 1)
    b = later(np.zeros(size), 1e-6)[:, None] / 1e-6
    cost = solve_discrete_are(a, b, np.eye(size), np.eye(1))
    gains: npt.NDArray[np.float64] = -np.linalg.solve(np.eye(1) + b.T @ cost @ b, b.T @ cost @ a)[0]
    return gains


def controllers(posed: PoleBalancing, factors: list[float]) -> Linear:
    """Networks that put out some multiple of the regulator's force; velocities they do not see are differences."""
    gains = regulator(posed) / 20
    every = np.array(poles.SCALES[: len(gains)])
    if posed.velocities:
        one = torch.tensor(gains * every, dtype=torch.float32)[:, None]
        return Linear(torch.stack([one * factor for factor in factors]), 0.5)
    places, speeds = gains[0::2] * every[0::2], gains[1::2] * every[0::2] / 0.02
    stacked = [
        torch.stack([torch.tensor(row, dtype=torch.float32)[:, None] * factor for factor in factors])
        for row in (places, speeds)
    ]
    return Linear(stacked[0], 0.5, stacked[1])


def idle(n: int, n_inputs: int) -> Linear:
    return Linear(torch.zeros(n, n_inputs, 1), 0.5)


@pytest.mark.parametrize(
    ("settings", "n_inputs"),
    [
        ({"name": "single_pole"}, 4),
        ({"name": "single_pole", "velocities": False}, 2),
        ({}, 6),
        ({"velocities": False}, 3),
    ],
)
def test_what_networks_are_given(settings: dict[str, Any], n_inputs: int) -> None:
    task = Poles(**{"name": "double_pole", **settings}).load()
    assert (task.input_shape, task.n_outputs, task.kind) == ((n_inputs,), 1, "behaviour")
    assert task.fingerprint != Poles(**{"name": "double_pole", **settings, "start": 0.1}).load().fingerprint
    seen = problem(**settings).balancing
    states = [tuple(scale * (at + 1) for at, scale in enumerate(PUBLISHED[: 2 + 2 * len(seen.cart.poles)]))]
    given: list[torch.Tensor] = []

    class Watching(Linear):
        def step(self, inputs: torch.Tensor, state: Any = None) -> tuple[torch.Tensor, Any]:
            given.append(inputs)
            return super().step(inputs, state)

    seen.steps(Watching(torch.zeros(1, n_inputs, 1), 0.5), states, 1)
    assert given[0].tolist() == [[pytest.approx([at + 1.0 for at in seen.seen])]]


def test_a_pole_left_alone_falls_when_mechanics_say_so() -> None:
    """Of a force of zero, from an angle of 0.07: the time at which the angle passes 36 degrees, in steps of 0.02 s."""
    posed = problem()
    cart = posed.balancing.cart

    def fallen(_: float, state: npt.NDArray[np.float64]) -> float:
        return cart.leaning - np.abs(state[2::2]).max()

    fallen.terminal = True  # type: ignore[attr-defined]
    run = solve_ivp(
        lambda _, y: cart.rates(tuple(y), 0.0, math), (0, 9), [0, 0, 0.07, 0, 0, 0], events=fallen, rtol=1e-10
    )
    steps = math.floor(run.t_events[0][0] / 0.02)
    for n in (1, 20):
        told = posed.score(idle(n, 6), SEEDS[:n])
        assert told["fitness"].tolist() == [steps] * n
        assert told["solved"].tolist() == [0] * n


@pytest.mark.parametrize("n", [2, 12])
@pytest.mark.parametrize("output", [math.inf, -math.inf, 7.0, -3.0])
def test_the_force_ends_at_ten_newtons(output: float, n: int) -> None:
    posed = problem()
    pushed = posed.score(Linear(torch.zeros(n, 6, 1), output), SEEDS[:n])["fitness"]
    assert torch.equal(pushed, posed.score(Linear(torch.zeros(n, 6, 1), float(output > 0)), SEEDS[:n])["fitness"])
    assert alone(posed, Linear(torch.zeros(1, 6, 1), output), (0, 0, 0.07, 0, 0, 0), 99)[0] == pushed[0]


@pytest.mark.parametrize("n", [1, 20])
def test_what_is_no_number_balances_nothing(n: int) -> None:
    assert problem().score(Linear(torch.zeros(n, 6, 1), math.nan), SEEDS[:n])["fitness"].tolist() == [0] * n


@pytest.mark.parametrize("name", ["single_pole", "double_pole"])
def test_a_regulator_solves_it_with_velocities(name: str) -> None:
    posed = problem(name=name)
    told = posed.score(controllers(posed, [1.0, 0.0]), SEEDS[:2])
    assert told["fitness"][0] == LONG
    assert told["fitness"][1] < 200
    assert told["solved"].tolist() == [1, 0]
    tested = posed.test(controllers(posed, [1.0, 0.0]), SEEDS[:2])
    assert tested["solved"].tolist() == [1, 0]
    assert 200 <= tested["fitness"][0] <= 625
    assert tested["fitness"][1] == 5  # Left alone, only what is at rest and upright stays so, at 5 places.


def test_one_with_memory_solves_it_without_velocities(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poles, "GRID", (0.25, 0.5, 0.75))
    monkeypatch.setattr(poles, "PASSED", 30)
    posed = problem(velocities=False)
    networks = controllers(posed, [1.0, 0.1])
    told = posed.score(networks, SEEDS[:2])
    assert told["solved"].tolist() == [1, 0]
    assert told["steps"][0] == 1_000
    assert told["long_steps"].tolist() == [LONG, 0]
    assert 30 <= told["generalisation"][0] <= 81
    tested = posed.test(networks, SEEDS[:2])
    assert tested["fitness"][0] == told["generalisation"][0]
    assert tested["solved"].tolist() == [1, 0]
    monkeypatch.setattr(poles, "PASSED", 82)
    failed = posed.score(networks.choose(torch.tensor([0])), SEEDS[:1])
    assert failed["solved"] == failed["long_steps"] == 0
    assert failed["generalisation"] == told["generalisation"][0]
    untried = problem(velocities=False, trials=False).score(networks, SEEDS[:2])
    assert untried["solved"].tolist() == [0, 0]
    assert torch.equal(untried["fitness"], told["fitness"])


def alone(posed: PoleBalancing, networks: Linear, start: State, n_steps: int) -> tuple[int, list[float]]:
    """Steps balanced and swaying after each, by the plainest loop there is."""
    state, memory, swayed = start, None, []
    for at in range(n_steps):
        seen = [state[index] / scale for index, scale in zip(posed.balancing.seen, posed.balancing.scales, strict=True)]
        output, memory = networks.step(torch.tensor([[seen]], dtype=torch.float32), memory)
        for _ in range(2):
            force = 20 * (min(max(float(output), 0.0), 1.0) - 0.5)
            state = posed.balancing.cart.step(state, force, 0.01, math)
        if not posed.balancing.cart.holds(state):
            return at, swayed
        swayed.append(sum(abs(value) for value in state[:4]))
    return n_steps, swayed


def test_the_fitness_without_velocities_is_that_of_gruau() -> None:
    posed = problem(velocities=False, trials=False)
    for factors in ([0.0, 0.3, 0.5, 0.7, 1.0], [0.1 * at for at in range(12)]):
        networks = controllers(posed, factors)
        told = posed.score(networks, SEEDS[: len(factors)])
        expected = []
        for at in range(len(factors)):
            steps, swayed = alone(posed, networks.choose(torch.tensor([at])), (0, 0, 0.07, 0, 0, 0), 1_000)
            smooth = 0.75 / sum(swayed[-100:]) if steps >= 100 else 0
            expected.append(0.1 * steps / 1_000 + 0.9 * smooth)
            assert told["steps"][at] == steps
        np.testing.assert_allclose(told["fitness"], expected, rtol=1e-5)
    assert len({*told["steps"].tolist()}) > 3


def test_other_starts_are_the_published_grid() -> None:
    starts = np.array(problem()._other_starts())
    assert starts.shape == (625, 6)
    assert len(np.unique(starts, axis=0)) == 625
    np.testing.assert_allclose(starts[:, :4].max(0), [1.944, 1.215, np.deg2rad(3.24), np.deg2rad(7.74)], rtol=1e-3)
    np.testing.assert_allclose(starts, -starts[::-1], atol=1e-12)
    assert not starts[:, 4:].any()
    posed = problem(velocities=False)
    networks = controllers(posed, [1.0])
    some = [tuple(start) for start in starts[::40].tolist()]
    counts = posed.balancing.steps(networks, some, 300)
    assert counts[0].tolist() == [alone(posed, networks, start, 300)[0] for start in some]
    assert 0 < (counts == 300).sum() < len(some)


def test_the_result_of_one_does_not_depend_on_the_others() -> None:
    posed = problem(velocities=False, trials=False)
    networks = controllers(posed, [0.12 * at for at in range(11)])
    together = posed.score(networks, SEEDS[:11])
    for at in range(11):
        by_itself = posed.score(networks.choose(torch.tensor([at])), SEEDS[:1])
        for name, values in together.items():
            assert values[at] == pytest.approx(float(by_itself[name]), rel=1e-5), (at, name)


def test_networks_that_fall_are_left_out_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those with a state, and from several starts: as if none had been left out."""
    posed = problem(velocities=False)
    networks = controllers(posed, [0.3 + 0.02 * at for at in range(36)])
    starts = [posed.begun, (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)]
    counts = posed.balancing.steps(networks, starts, 400)
    with monkeypatch.context() as patch:
        patch.setattr(carts, "EVERY", 401)
        np.testing.assert_array_equal(counts, posed.balancing.steps(networks, starts, 400))
    monkeypatch.setattr(carts, "EARLY", 20)
    monkeypatch.setattr(carts, "FEW", 80)
    np.testing.assert_array_equal(counts, posed.balancing.steps(networks, starts, 400))
    assert (counts[:, 0] < 50).sum() > 9 < (counts[:, 0] == 400).sum()


def test_one_network_alone_balances_as_long_as_among_others() -> None:
    """In Python's floats, after what was given in each step, from the usual start and from others."""
    posed = problem(velocities=False)
    networks = controllers(posed, [0.3, 0.5, 0.7])
    starts = [posed.begun, *posed._other_starts()[::125]]
    counts = posed.balancing.steps(networks, starts, 300)
    for at in range(3):
        for column, start in enumerate(starts):
            one, memory = networks.choose(torch.tensor([at])), None

            def network(inputs: Any, one: Linear = one) -> float:
                nonlocal memory
                output, memory = one.step(torch.tensor([[inputs]], dtype=torch.float32), memory)
                return float(output)

            assert posed.balancing.alone(network, start, 300) == counts[at, column]
    assert (counts == 300).any()
    assert (counts < 300).sum() > 3


def test_carts_in_torch_fall_as_those_in_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    posed = problem(velocities=False, trials=False)
    networks = controllers(posed, [0.07 * at for at in range(14)])
    told = posed.score(networks, SEEDS[:14])
    monkeypatch.setattr(carts, "_library", lambda device: torch)
    for name, values in posed.score(networks, SEEDS[:14]).items():
        # A regulator that has come to rest sways by what float32 rounds.
        np.testing.assert_allclose(values, told[name], rtol=0.05 if name == "fitness" else 0)


def test_a_network_may_be_activated_several_times_a_step() -> None:
    """Memory is then of the same step: no velocity can be seen."""
    once, twice = (problem(velocities=False, trials=False, activations=n) for n in (1, 2))
    networks = controllers(once, [1.0])
    assert once.score(networks, SEEDS[:1])["steps"] == 1_000
    assert twice.score(networks, SEEDS[:1])["steps"] < 200


@pytest.mark.parametrize("velocities", [True, False])
@pytest.mark.parametrize("name", ["single_pole", "double_pole"])
def test_it_measures_what_it_says(name: Literal["single_pole", "double_pole"], velocities: bool) -> None:
    task = Poles(name=name, velocities=velocities, trials=False).load()
    assert task.problem is not None
    networks = Linear(torch.zeros(1, task.problem.n_inputs, 1))
    assert set(task.problem.score(networks, SEEDS[:1])) == {"fitness", "solved", *task.metrics}
