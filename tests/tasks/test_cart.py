"""The physics of carts and poles, against mechanics derived in another way."""

import math

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy.integrate import solve_ivp

from evonas.tasks.cart import LONG, SHORT, Cart, Pole, State

Values = npt.NDArray[np.float64]
ONE, TWO = Cart((LONG,)), Cart((LONG, SHORT))


def lagrange(cart: Cart, state: Values, force: float) -> Values:
    """Rates by Lagrange's equations of rods on hinges: a mass matrix, solved."""
    angles, speeds = state[2::2], state[3::2]
    size = len(angles) + 1
    matrix, right = np.zeros((size, size)), np.zeros(size)
    matrix[0, 0], right[0] = cart.mass + sum(pole.mass for pole in cart.poles), force
    for at, pole in enumerate(cart.poles):
        length, mass, angle, speed = pole.half_length, pole.mass, angles[at], speeds[at]
        matrix[0, at + 1] = matrix[at + 1, 0] = mass * length * np.cos(angle)
        matrix[at + 1, at + 1] = mass * length**2 + mass * (2 * length) ** 2 / 12
        right[0] += mass * length * speed**2 * np.sin(angle)
        right[at + 1] = mass * 9.8 * length * np.sin(angle) - pole.friction * speed
    rates = np.empty_like(state)
    rates[0::2], rates[1::2] = state[1::2], np.linalg.solve(matrix, right)
    return rates


def energy(cart: Cart, state: State) -> float:
    total = cart.mass * state[1] ** 2 / 2
    for pole, angle, speed in zip(cart.poles, state[2::2], state[3::2], strict=True):
        length, mass = pole.half_length, pole.mass
        along, down = state[1] + length * speed * math.cos(angle), length * speed * math.sin(angle)
        total += mass * (along**2 + down**2) / 2 + mass * (2 * length) ** 2 / 12 * speed**2 / 2
        total += mass * 9.8 * length * math.cos(angle)
    return total


def moved(cart: Cart, state: State, force: float, seconds: float, n_steps: int) -> State:
    for _ in range(n_steps):
        state = cart.step(state, force, seconds / n_steps, math)
    return state


@pytest.mark.parametrize("cart", [ONE, TWO, Cart((Pole(0.3, 0.2, 0.01), LONG, SHORT))], ids=["one", "two", "three"])
def test_rates_are_those_of_lagrange(cart: Cart) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        state = rng.normal(size=2 + 2 * len(cart.poles)) * 2
        force = rng.uniform(-10, 10)
        np.testing.assert_allclose(cart.rates(tuple(state), force, math), lagrange(cart, state, force), rtol=1e-9)


@pytest.mark.parametrize(("cart", "coarsest"), [(ONE, 200), (TWO, 400)], ids=["one", "two"])
def test_a_trajectory_is_that_of_an_adaptive_solver_and_converges_with_fourth_order(cart: Cart, coarsest: int) -> None:
    state = np.random.default_rng(1).uniform(-0.5, 0.5, 2 + 2 * len(cart.poles))
    exact = solve_ivp(lambda _, y: lagrange(cart, y, 3.0), (0, 1), state, method="DOP853", rtol=1e-12, atol=1e-13).y[
        :, -1
    ]
    counts = (coarsest, 2 * coarsest, 4 * coarsest)
    errors = [np.abs(np.subtract(moved(cart, tuple(state), 3.0, 1.0, n_steps), exact)).max() for n_steps in counts]
    assert errors[-1] < 1e-6
    assert [errors[0] / errors[1], errors[1] / errors[2]] == pytest.approx([16, 16], rel=0.25)


def test_without_friction_and_force_energy_is_kept() -> None:
    cart = Cart((Pole(0.5, 0.1, 0.0), Pole(0.05, 0.01, 0.0)))
    state: State = (0.1, 0.3, 0.07, -0.2, 0.5, 1.0)
    assert energy(cart, moved(cart, state, 0.0, 10.0, 10_000)) == pytest.approx(energy(cart, state), rel=1e-6)
    rubbed = Cart((Pole(0.5, 0.1, 0.01), Pole(0.05, 0.01, 0.0)))
    assert energy(rubbed, moved(rubbed, state, 0.0, 10.0, 10_000)) < 0.9 * energy(cart, state)


def test_the_mirrored_run_is_the_mirror_of_the_run() -> None:
    state = tuple(np.random.default_rng(2).uniform(-1, 1, 6).tolist())
    mirrored = moved(TWO, tuple(-value for value in state), -7.0, 2.0, 200)
    assert mirrored == tuple(-value for value in moved(TWO, state, 7.0, 2.0, 200))


def test_a_hanging_pole_swings_as_the_linear_pendulum_on_a_cart() -> None:
    cart = Cart((Pole(0.5, 0.1, 0.0),))
    squared = 9.8 / (0.5 * (4 / 3 - 0.1 / 1.1))
    quarter = math.pi / 2 / math.sqrt(squared)
    swung = moved(cart, (0.0, 0.0, math.pi + 1e-4, 0.0), 0.0, quarter, 500)
    assert swung[2] - math.pi == pytest.approx(0.0, abs=1e-9)
    upright = moved(cart, (0.0, 0.0, 1e-6, 0.0), 0.0, 1.0, 500)
    assert upright[2] == pytest.approx(1e-6 * math.cosh(math.sqrt(squared)), rel=1e-6)


def test_floats_arrays_and_tensors_move_alike() -> None:
    states = np.random.default_rng(3).uniform(-1, 1, (6, 5))
    forces = np.linspace(-10, 10, 5)
    arrays = np.stack(TWO.step(tuple(states), forces, 0.01, np))
    tensors = torch.stack(TWO.step(tuple(torch.from_numpy(states)), torch.from_numpy(forces), 0.01, torch))
    floats = [TWO.step(tuple(states[:, at].tolist()), float(forces[at]), 0.01, math) for at in range(5)]
    np.testing.assert_allclose(arrays.T, floats, rtol=1e-13)
    np.testing.assert_allclose(tensors.numpy().T, floats, rtol=1e-13)


@pytest.mark.parametrize(
    ("state", "fine"),
    [
        ((2.4, 9.0, 0.628, 9.0, -0.628, 9.0), True),
        ((-2.41, 0.0, 0.0, 0.0, 0.0, 0.0), False),
        ((0.0, 0.0, -0.63, 0.0, 0.0, 0.0), False),
        ((0.0, 0.0, 0.0, 0.0, 0.63, 0.0), False),
        ((0.0, 0.0, math.nan, 0.0, 0.0, 0.0), False),
    ],
)
def test_a_run_ends_at_the_end_of_the_track_and_at_36_degrees(state: State, fine: bool) -> None:
    assert TWO.holds(state) is fine
    assert TWO.holds(tuple(np.array([value]) for value in state)).tolist() == [fine]
