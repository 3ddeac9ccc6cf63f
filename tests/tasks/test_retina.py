"""The retina: which patterns are objects, and what answers are worth."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from evonas.tasks import RetinaTask
from evonas.tasks.retina import LEFT, RIGHT, Retina

SEEDS = np.zeros(3, np.int64)


def problem(**settings: Any) -> Retina:
    found = RetinaTask(**settings).load().problem
    assert isinstance(found, Retina)
    return found


class Knowing:
    """Networks that put out given answers, whatever they see."""

    n, device = 1, torch.device("cpu")

    def __init__(self, answers: Tensor) -> None:
        self.answers, self.seen = answers, torch.empty(0)

    def __call__(self, inputs: Tensor) -> Tensor:
        self.seen = inputs
        return self.answers[None]

    def step(self, inputs: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        return self(inputs), None

    def choose(self, which: Tensor) -> "Knowing":
        return self


def test_objects_are_those_that_kashtan_and_alon_put_into_words() -> None:
    """Three pixels or more, or one or two in the left (right) column alone."""
    posed = problem()
    for pixels, (left, right) in zip(posed.pixels(), posed.answers(), strict=True):
        for half, outer, inner, answer in (
            (pixels[:4], slice(0, 4, 2), slice(1, 4, 2), left),
            (pixels[4:], slice(1, 4, 2), slice(0, 4, 2), right),
        ):
            assert answer == (half.sum() >= 3 or (half[outer].any() and not half[inner].any()))


@pytest.mark.parametrize("objects", list(LEFT))
def test_eight_of_sixteen_patterns_are_objects(objects: str) -> None:
    assert [len(set(side[objects])) for side in (LEFT, RIGHT)] == [8, 8]  # type: ignore[index]
    answers = problem(objects=objects).answers()
    assert answers.shape == (256, 2)
    assert answers.sum(0).tolist() == [128, 128]
    assert problem(objects=objects, asked="and").answers().sum() == 64
    assert problem(objects=objects, asked="or").answers().sum() == 192


def test_the_objects_drawn_in_the_other_paper_mirror_each_other_upside_down() -> None:
    upside_down = {word[2:] + word[:2] for word in LEFT["verbancsics_stanley"]}
    assert upside_down == {word for word in RIGHT["verbancsics_stanley"]}


def test_right_answers_solve_it() -> None:
    posed = problem(low=-3, high=3)
    right = torch.from_numpy(posed.answers())
    networks = Knowing(right * 0.98 + 0.01)
    told = posed.score(networks, SEEDS[:1])
    assert told["fitness"][0] == pytest.approx(1 - 1e-4, abs=1e-6)
    assert (told["solved"][0], told["accuracy"][0]) == (1, 1)
    assert sorted(set(networks.seen.flatten().tolist())) == [-3, 3]
    assert (networks.seen[5] > 0).tolist() == [False] * 5 + [True, False, True]
    wrong = right.clone()
    wrong[7, 1] = 1 - wrong[7, 1]
    told = posed.score(Knowing(wrong), SEEDS[:1])
    assert told["fitness"][0] == pytest.approx(1 - 1 / 512)
    assert (told["solved"][0], told["accuracy"][0]) == (0, 255 / 256)


def test_what_is_no_number_is_worth_little_and_finite() -> None:
    told = problem().score(Knowing(torch.full((256, 2), torch.nan)), SEEDS[:1])
    assert torch.isfinite(told["fitness"]).all()
    assert told["fitness"][0] < -1e5
    assert told["solved"][0] == 0


def test_what_is_asked_and_shown_makes_another_task() -> None:
    tasks = [
        RetinaTask(**one).load() for one in ({}, {"asked": "and"}, {"low": -3}, {"objects": "verbancsics_stanley"})
    ]
    assert [task.n_outputs for task in tasks] == [2, 1, 2, 2]
    assert {task.input_shape for task in tasks} == {(8,)}
    assert len({task.fingerprint for task in tasks}) == 4
