"""Several objectives in a campaign: the front is kept, and what never trains costs no epochs."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from evonas.campaign import Campaign, Objectives, loop
from evonas.campaign.front import Ranked, front_of, joined
from evonas.campaign.loop import Progress
from evonas.campaign.verify import damage
from evonas.record import COMPLETE, FAILED, Evaluation, Individual
from tests.campaign.test_campaign import campaign
from tests.campaign.test_loop import ran, record_and_close
from tests.campaigns import TWO, Pretending, record

pytestmark = pytest.mark.usefixtures("fast_disk")

FIELDS: dict[str, Any] = {"objectives": TWO.model_dump(), "keep_best": 1}
EVOLUTION = {"name": "evolution", "population": 5, "lag": 3}


def individual(id: int, accuracy: float, parameters: float, loss: float = 0.5) -> Individual:
    metrics = {"accuracy": accuracy, "parameters": parameters, "loss": loss}
    return Individual(id, COMPLETE, (), "sample", (), 0, "{}", "g", "a", accuracy, metrics)


def ids(individuals: list[Individual]) -> list[int]:
    return [one.id for one in individuals]


# What is on the front


def test_the_front_is_all_that_nobody_dominates_the_best_of_the_first_objective_first() -> None:
    told = [individual(0, 0.5, 10), individual(1, 0.9, 90), individual(2, 0.4, 20), individual(3, 0.6, 10)]
    told += [individual(4, 0.95, 91), individual(5, 0.1, 5), individual(6, 0.95, 92)]
    assert ids(front_of(told, TWO)) == [4, 1, 3, 5]
    assert ids(front_of(reversed(told), TWO)) == [4, 1, 3, 5]
    assert ids(front_of([told[0]], TWO)) == [0]
    assert front_of([], TWO) == []


def test_of_equals_the_one_of_the_lower_loss_stays_then_the_earlier() -> None:
    told = [individual(0, 0.5, 10, 0.3), individual(1, 0.5, 10, 0.2), individual(2, 0.5, 10, 0.2)]
    for order in (told, told[::-1], [told[1], told[0], told[2]]):
        assert ids(front_of(order, TWO)) == [1]


def test_a_single_fitness_has_a_front_of_its_best() -> None:
    told = [individual(0, 0.5, 1), individual(1, 0.9, 90), individual(2, 0.9, 9)]
    assert ids(front_of(told, Objectives())) == [1]
    weighted = Objectives(maximize=("accuracy",), minimize=("parameters",), weights={"accuracy": 1, "parameters": 0.1})
    assert ids(front_of(told, weighted)) == [0]


def test_what_left_a_front_never_comes_back() -> None:
    front: list[Ranked] = []
    for one in (individual(0, 0.5, 10), individual(1, 0.6, 9), individual(2, 0.5, 10)):
        front = joined(front, Ranked.of(one.id, one.metrics, TWO))
    assert [one.id for one in front] == [1]


# The loop keeps it


@pytest.mark.parametrize("search", [EVOLUTION, {"name": "random", "lag": 2}], ids=["evolution", "random"])
def test_the_front_keeps_its_weights(search: Any, tmp_path: Path) -> None:
    seen: list[Progress] = []
    store = ran(tmp_path, {"evaluations": 30}, search, observe=seen.append, **FIELDS)
    individuals = store.individuals()
    front = front_of(individuals, TWO)
    files = {int(path.name.split("-")[0]) for path in (tmp_path / "weights").iterdir()}
    assert len(front) > 2
    assert set(ids(front)) <= files
    assert len(files) < 30
    assert [one.n_front for one in seen] == [len(front_of(individuals[:n], TWO)) for n in range(31)]
    if search["name"] == "random":
        assert files == {*ids(front), max(individuals, key=lambda one: TWO.rank(one.id, one.metrics)).id}
    store.close()


def test_the_recorded_fitness_is_the_first_objective(tmp_path: Path) -> None:
    for one in record_and_close(ran(tmp_path, {"evaluations": 9}, EVOLUTION, **FIELDS)):
        assert one["fitness"] == one["metrics"]["accuracy"]


def fails(id: int) -> bool:
    return id % 4 == 1


@pytest.mark.parametrize("budget", [{"evaluations": 24}, {"epochs": 36}], ids=["evaluations", "epochs"])
def test_stopped_and_resumed_equals_never_stopped(budget: dict[str, int], tmp_path: Path) -> None:
    whole = record_and_close(ran(tmp_path / "whole", budget, EVOLUTION, evaluator=Pretending(1, fails), **FIELDS))
    weights = sorted(path.name for path in (tmp_path / "whole" / "weights").iterdir())
    for stop_at in range(1, 24, 3):
        place = tmp_path / str(stop_at)
        ran(place, budget, EVOLUTION, evaluator=Pretending(1, fails), stop_at=stop_at, **FIELDS).close()
        again = record_and_close(ran(place, budget, EVOLUTION, evaluator=Pretending(1, fails), **FIELDS))
        assert again == whole
        assert sorted(path.name for path in (place / "weights").iterdir()) == weights


def test_a_larger_budget_of_epochs_goes_on_as_a_longer_run_would_have(tmp_path: Path) -> None:
    whole = record_and_close(ran(tmp_path / "whole", {"epochs": 40}, EVOLUTION, evaluator=Pretending(3, fails)))
    for epochs in (3, 4, 11, 26, 40):
        found = record_and_close(ran(tmp_path / "grown", {"epochs": epochs}, EVOLUTION, evaluator=Pretending(3, fails)))
        assert found == whole[: len(found)]
    assert found == whole


# Epochs that were not spent


def test_what_fails_untrained_spends_no_epochs(tmp_path: Path) -> None:
    seen: list[Progress] = []
    evaluator = Pretending(1, lambda id: id % 2 == 0)
    found = record_and_close(
        ran(tmp_path, {"epochs": 12}, {"name": "random"}, evaluator=evaluator, observe=seen.append)
    )
    assert [one["epochs"] for one in found] == [0, 2] * (len(found) // 2) + [0] * (len(found) % 2)
    assert sum(one["epochs"] for one in found) == 12
    spent = [0, *(sum(one["epochs"] for one in found[: n + 1]) for n in range(len(found)))]
    assert [one.fraction for one in seen] == [epochs / 12 for epochs in spent]


class FailingLate(Pretending):
    """Candidates fail in training, and spent what they were granted."""

    def evaluate(self, jobs: Any, check: Any) -> Any:
        for job in jobs:
            yield [Evaluation(job.proposal.id, FAILED, epochs=job.proposal.budget.epochs, error="diverged")]


def test_what_fails_in_training_spends_them(tmp_path: Path) -> None:
    found = record_and_close(ran(tmp_path, {"epochs": 12}, {"name": "random"}, evaluator=FailingLate()))
    assert [one["epochs"] for one in found] == [2] * 6


def test_a_campaign_in_which_none_is_ever_trained_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "MAX_IN_VAIN", 20)
    everyone = Pretending(1, lambda id: True)
    found = record_and_close(ran(tmp_path, {"epochs": 12}, {"name": "random", "lag": 3}, evaluator=everyone))
    assert 20 <= len(found) < 24
    mixed = Pretending(1, lambda id: id % 20 != 0)
    found = record_and_close(ran(tmp_path / "mixed", {"epochs": 6}, {"name": "random", "lag": 1}, evaluator=mixed))
    assert [one["id"] for one in found if one["epochs"]] == [0, 20, 40]


# From end to end


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """A campaign of two objectives with a constraint and a control, trained; read only."""
    objectives = {**TWO.model_dump(), "constraints": ["parameters <= 900"]}
    search = {"name": "evolution", "population": 4, "lag": 2}
    made = campaign(12, search=search, objectives=objectives, keep_best=1, control="random")
    return made.run(tmp_path_factory.mktemp("front") / "out")


def test_a_constraint_is_kept_and_costs_no_epochs(whole: Campaign) -> None:
    failed = [one for one in whole.individuals if one.state == FAILED]
    assert failed
    for one in failed:
        assert one.error.startswith("InfeasibleError: expected parameters <= 900, got ")
        assert (one.epochs, one.fitness, dict(one.metrics)) == (0, None, {})
    assert all(one.metrics["parameters"] <= 900 for one in whole.individuals if one.state == COMPLETE)
    control = whole.control
    assert control is not None
    assert control.spec.budget.epochs == sum(one.epochs for one in whole.individuals)


def test_the_front_of_a_campaign_can_be_used(whole: Campaign) -> None:
    front = whole.front
    assert front == front_of(whole.individuals, whole.spec.objectives)
    assert len(front) > 1
    for one in front:
        assert sum(tensor.numel() for tensor in whole.network(one.id).parameters()) == one.metrics["parameters"]
    best = whole.best
    assert best is not None
    assert best.metrics["accuracy"] == front[0].metrics["accuracy"]
    assert whole.facts["tested"]["id"] == best.id


def test_verify_wants_the_weights_of_the_front(whole: Campaign, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(whole.directory, tmp_path / "copy"))
    assert damage(copy) == []
    for one in whole.front:
        path = copy / "weights" / f"{one.id}-0.safetensors"
        sound = path.read_bytes()
        path.unlink()
        assert damage(copy) == [f"{path}: expected weights, found none"]
        path.write_bytes(sound)


def test_it_is_the_same_again(whole: Campaign, tmp_path: Path) -> None:
    again = Campaign.of(whole.spec.model_copy(update={"control": "none"})).run(tmp_path / "out")
    assert record(again.individuals) == record(whole.individuals)


def test_a_latency_is_recorded_and_marks_the_campaign(tmp_path: Path) -> None:
    objectives = {"maximize": ["accuracy"], "minimize": ["latency_1"], "constraints": ["latency_64 <= 100"]}
    found = campaign(3, search="random", objectives=objectives).run(tmp_path)
    assert found.facts["timed"] is True
    assert all({"latency_1", "latency_64"} <= set(one.metrics) for one in found.individuals)
