"""Boxes: what is laid where, and what pointing at it is worth."""

import numpy as np
import pytest
import torch
from torch import Tensor

from evonas.tasks import Boxes
from evonas.tasks.boxes import AHEAD, Discrimination, Trial
from tests.tasks.judged import Linear

SEEDS = np.zeros(4, np.int64)


def problem(resolution: int = 11) -> Discrimination:
    found = Boxes(resolution=resolution).load().problem
    assert isinstance(found, Discrimination)
    return found


def blurring(posed: Discrimination, side: int) -> Tensor:
    """Gains `(n_inputs, n_outputs)` that put out at every place how much of the square around it is covered."""
    places = torch.cartesian_prod(torch.arange(posed.resolution), torch.arange(posed.resolution))
    return ((places[:, None] - places[None]).abs().amax(2) <= side // 2).float()


@pytest.mark.parametrize("resolution", [11, 33, 55])
def test_the_trials_are_the_published_ones_at_every_scale(resolution: int) -> None:
    posed = problem(resolution)
    unit = resolution // 11
    trials = posed.trials()
    assert len(trials) == len(set(trials)) == 75
    assert sorted({row // unit for (row, _), _ in trials}) == [1, 3, 5, 7, 9]
    assert [Trial(*([unit * at for at in place] for place in one)) for one in problem().trials()] == [
        Trial(list(one.small), list(one.large)) for one in trials
    ]


def test_the_large_box_is_five_units_ahead_comes_in_on_the_other_side_and_is_moved_inside() -> None:
    """Middles along one axis, by hand: 11, 12 and 14 are 0, 1 and 3, and 0 is moved to 1 as 10 is to 9."""
    posed = problem()
    ahead = {small: posed._ahead(small, 5) + 1 for small in (1, 3, 5, 6, 7, 9)}
    assert ahead == {1: 6, 3: 8, 5: 9, 6: 1, 7: 1, 9: 3}
    assert posed.trials()[:3] == [Trial((1, 1), (0, 5)), Trial((1, 1), (5, 0)), Trial((1, 1), (5, 5))]
    assert len(AHEAD) == 3


@pytest.mark.parametrize("resolution", [7, 11, 22, 33, 40])
def test_every_field_shows_both_boxes_whole_and_apart(resolution: int) -> None:
    posed = problem(resolution)
    fields = posed.fields(posed.all_trials())
    side = posed.small_side
    assert fields.shape[1] == posed.n_inputs == resolution**2
    assert set(np.unique(fields)) == {0, 1}
    if resolution >= 11:
        assert set(fields.sum(1)) == {10 * side**2}


def test_a_network_that_weighs_what_is_around_solves_it_at_every_resolution() -> None:
    for resolution in (11, 33):
        posed = problem().at(resolution)
        networks = Linear(torch.stack([blurring(posed, 3 * posed.small_side), blurring(posed, 1)]))
        told = posed.score(networks, SEEDS[:2])
        assert told["solved"].tolist() == [1, 0]
        assert told["fitness"][0] == told["accuracy"][0] == 1
        assert told["distance"][0] == 0
        assert told["accuracy"][1] == 0  # The first place of a box, or one of the large box's edge.
        if resolution == 11:
            assert posed.test(networks, SEEDS[:2])["solved"].tolist() == [1, 0]


def test_where_the_middle_lies_between_places_each_around_it_is_right() -> None:
    posed = problem(22)
    told = posed.score(Linear(blurring(posed, 5)[None]), SEEDS[:1])
    assert told["solved"].tolist() == [1]
    assert told["distance"][0] == pytest.approx(np.sqrt(0.5) / 2)


def test_fitness_and_distance_are_those_of_every_trial_by_itself() -> None:
    posed = problem()
    networks = Linear(torch.randn(3, 121, 121, generator=torch.Generator().manual_seed(0)))
    told = posed.score(networks, SEEDS[:3])
    for at in range(3):
        squares = []
        for field, trial in zip(posed.fields(posed.trials()), posed.trials(), strict=True):
            output = (torch.from_numpy(field)[None] @ networks.gains[at])[0].reshape(11, 11)
            row, column = np.unravel_index(int(output.argmax()), (11, 11))
            squares.append((row - trial.large[0] - 1) ** 2 + (column - trial.large[1] - 1) ** 2)
        assert told["fitness"][at] == pytest.approx(1 - np.mean(squares) / 200)
        assert told["distance"][at] == pytest.approx(np.mean(np.sqrt(squares)))
        assert told["solved"][at] == 0


def test_an_output_that_is_no_number_is_not_pointed_at() -> None:
    posed = problem()
    gains = blurring(posed, 3)
    gains[:, 0] = torch.nan
    told = posed.score(Linear(torch.stack([gains, gains * torch.nan])), SEEDS[:2])
    assert told["solved"].tolist() == [1, 0]
    assert all(torch.isfinite(values).all() for values in told.values())


def test_tasks_of_other_fields_are_others() -> None:
    task = Boxes().load()
    assert (task.input_shape, task.n_outputs, task.kind) == ((121,), 121, "behaviour")
    assert task.fingerprint != Boxes(resolution=13).load().fingerprint
