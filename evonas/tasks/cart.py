"""A cart on a track with poles hinged to it: Wieland's equations of motion, for one cart or arrays of carts at once."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

GRAVITY = -9.8
"""In m/s², with the sign that it has in the equations."""

State = tuple[Any, ...]
"""Position (m) and speed (m/s) of the cart, then angle (rad, 0 is upright) and angular speed (rad/s) of each pole: each
a float, or an array or tensor of carts."""


@dataclass(frozen=True)
class Pole:
    """A uniform rod on a hinge.

    Attributes:
        half_length: In metres.
        mass: In kilograms.
        friction: Of its hinge, in N·m·s.
    """

    half_length: float
    mass: float
    friction: float = 0.000002

    @property
    def moment(self) -> float:
        """Mass times half its length, in kg·m."""
        return self.mass * self.half_length


LONG = Pole(0.5, 0.1)
SHORT = Pole(0.05, 0.01)


@dataclass(frozen=True)
class Cart:
    """A cart with poles: the system of Wieland 1991 in the numbers of Stanley & Miikkulainen 2002.

    The equations are those of Wieland, "Evolving neural network controllers for unstable systems" (IJCNN 1991,
    https://doi.org/10.1109/IJCNN.1991.155416), integrated by the classic Runge-Kutta method of fourth order. As in
    the program that Stanley & Miikkulainen published, the cart runs on its track without friction, although the
    equations as printed there have a term for it.

    Attributes:
        poles: On the cart.
        mass: Of the cart alone, in kilograms.
        half_track: How far from the middle it may go, in metres.
        leaning: How far from upright a pole may lean, in radians.
    """

    poles: tuple[Pole, ...]
    mass: float = 1.0
    half_track: float = 2.4
    leaning: float = 0.628329

    @cached_property
    def _inertia(self) -> float:
        return self.mass + sum(pole.mass for pole in self.poles)

    @cached_property
    def _constants(self) -> tuple[tuple[float, ...], ...]:
        return tuple(
            (pole.friction / pole.moment, pole.moment, 0.75 * pole.mass, -0.75 / pole.half_length)
            for pole in self.poles
        )

    def rates(self, state: State, force: Any, trigonometry: Any) -> State:
        """How fast a state changes.

        Args:
            state: Of one cart or many.
            force: On the cart, in newtons, of the shape that a value of the state has.
            trigonometry: What has `sin` and `cos` for such values: the module math, numpy or torch.
        """
        sin, cos = trigonometry.sin, trigonometry.cos
        pushed, inertia = force, self._inertia
        turned = []
        at = 2
        for rubbing, moment, weighing, factor in self._constants:
            angle, speed = state[at], state[at + 1]
            at += 2
            sine, cosine = sin(angle), cos(angle)
            pull = GRAVITY * sine + rubbing * speed
            part = weighing * cosine
            pushed = pushed + moment * speed * speed * sine + part * pull
            inertia = inertia - part * cosine
            turned.append((cosine, pull, factor, speed))
        acceleration = pushed / inertia
        rates = [state[1], acceleration]
        for cosine, pull, factor, speed in turned:
            rates += (speed, factor * (acceleration * cosine + pull))
        return tuple(rates)

    def step(self, state: State, force: Any, seconds: float, trigonometry: Any) -> State:
        """The state some time later, under a constant force: one Runge-Kutta step.

        Args:
            state: Of one cart or many.
            force: As in `rates`.
            seconds: How much later.
            trigonometry: As in `rates`.
        """
        half, sixth = seconds / 2, seconds / 6
        first = self.rates(state, force, trigonometry)
        second = self.rates(_along(state, first, half), force, trigonometry)
        third = self.rates(_along(state, second, half), force, trigonometry)
        fourth = self.rates(_along(state, third, seconds), force, trigonometry)
        slopes = zip(state, first, second, third, fourth, strict=True)
        return tuple([at + sixth * (a + 2.0 * (b + c) + d) for at, a, b, c, d in slopes])

    def holds(self, state: State) -> Any:
        """True where the cart is on its track and no pole leans too far; False where a value is not a number."""
        fine = abs(state[0]) <= self.half_track
        for angle in state[2::2]:
            fine = fine & (abs(angle) <= self.leaning)
        return fine


def _along(state: State, rates: State, seconds: float) -> State:
    return tuple([at + seconds * rate for at, rate in zip(state, rates, strict=True)])
