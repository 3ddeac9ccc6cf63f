"""A user's callbacks see all that happens, and cannot damage a run."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from evonas.campaign import Campaign, Individuals, StoreError
from evonas.record import Individual
from tests.campaigns import arrays, record

pytestmark = pytest.mark.usefixtures("fast_disk")
FIELDS: dict[str, Any] = {
    "encoding": {"name": "dag", "widths": [4, 8], "max_sampled": 3, "max_nodes": 5},
    "search": {"name": "evolution", "population": 3, "lag": 2},
    "training": {"epochs": 1, "batch_size": 32},
    "budget": {"evaluations": 8},
}


def campaign() -> Campaign:
    return Campaign(arrays(60), **FIELDS)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return record(campaign().run(tmp_path_factory.mktemp("whole")).individuals)


def test_they_see_every_result_and_every_generation_that_ended(whole: Any, tmp_path: Path) -> None:
    told: list[Individual] = []
    generations: list[tuple[int, list[int]]] = []

    def on_generation(generation: int, individuals: Individuals) -> None:
        assert {one.state for one in individuals} == {"complete"}
        generations.append((generation, [one.id for one in individuals]))

    done = campaign().run(tmp_path, on_told=told.append, on_generation=on_generation)
    assert record(told) == record(done.individuals) == whole
    assert generations == [(0, [0, 1, 2]), (1, [3, 4, 5])], "the third did not come to its end"


def test_generations_that_overlap_end_one_after_the_other(tmp_path: Path) -> None:
    ended = []
    fields = FIELDS | {"search": {"name": "ageing", "population": 3, "sample_size": 2, "lag": 3}}
    Campaign(arrays(60), **fields).run(
        tmp_path, on_generation=lambda n, all: ended.append((n, [one.id for one in all]))
    )
    assert ended == [(0, [0, 1, 2]), (1, [3, 4, 5])]


def test_what_is_recorded_is_called_once(tmp_path: Path) -> None:
    told: list[int] = []

    def on_told(one: Individual) -> None:
        told.append(one.id)
        if one.id == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        campaign().run(tmp_path, on_told=on_told)
    campaign().run(tmp_path, on_told=on_told)
    assert told == list(range(8))


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_an_interruption_ends_the_run_and_loses_nothing(end: Any, whole: Any, tmp_path: Path) -> None:
    def on_generation(generation: int, individuals: Individuals) -> None:
        raise end

    with pytest.raises(end):
        campaign().run(tmp_path, on_generation=on_generation)
    assert record(Campaign.load(tmp_path).individuals)[:3] == whole[:3]
    assert record(campaign().run(tmp_path).individuals) == whole


def test_an_exception_is_a_warning_once_and_changes_nothing(whole: Any, tmp_path: Path) -> None:
    n = 0

    def fails(*arguments: Any) -> None:
        nonlocal n
        n += 1
        raise ValueError(f"number {n}")

    with pytest.warns(RuntimeWarning) as caught:
        done = campaign().run(tmp_path, on_told=fails, on_generation=fails)
    assert n == 10
    assert sorted(str(one.message).partition(";")[0] for one in caught) == [
        "on_generation: ValueError: number 4",
        "on_told: ValueError: number 1",
    ]
    assert record(done.individuals) == whole


def test_one_that_draws_and_seeds_changes_nothing(whole: Any, tmp_path: Path) -> None:
    def on_told(one: Individual) -> None:
        for seed, draw in ((random.seed, random.random), (np.random.seed, np.random.rand)):
            draw()
            seed(one.id)
            draw()
        torch.rand(3)
        torch.manual_seed(one.id)

    assert record(campaign().run(tmp_path, on_told=on_told).individuals) == whole


def test_one_that_changes_what_it_is_given_changes_nothing(whole: Any, tmp_path: Path) -> None:
    def on_told(one: Individual) -> None:
        one.metrics["accuracy"] = 9.0  # type: ignore[index]
        object.__setattr__(one, "fitness", 9.0)

    assert record(campaign().run(tmp_path, on_told=on_told).individuals) == whole


def test_one_may_read_the_campaign_and_may_not_run_it(whole: Any, tmp_path: Path) -> None:
    running, seen = campaign(), []

    def on_told(one: Individual) -> None:
        seen.append(len([other for other in Campaign.load(tmp_path).individuals if other.state == "complete"]))
        with pytest.raises(StoreError, match=r"another process runs this campaign"):
            running.run()

    assert record(running.run(tmp_path, on_told=on_told).individuals) == whole
    assert seen == list(range(1, 9))
