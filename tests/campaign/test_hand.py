"""Evaluation by hand: on the same record, under the same budget, resumable; what is wrong is refused in one line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from evonas.analysis import summary
from evonas.campaign import Campaign, SpecError, StoreError
from evonas.campaign.hand import Hand
from evonas.campaign.verify import damage
from evonas.network import Network
from evonas.record import Proposal
from evonas.tasks import DataError
from tests.campaigns import arrays, pretended, record

pytestmark = pytest.mark.usefixtures("fast_disk")
OWN = {"name": "own", "input_shape": [4], "n_outputs": 2, "metrics": ["reward"]}
FIELDS: dict[str, Any] = {
    "encoding": {"name": "dag", "widths": [4, 8], "max_sampled": 3, "max_nodes": 6},
    "search": {"name": "evolution", "population": 4, "lag": 3},
    "training": {"epochs": 3, "inherited_epochs": 2},
}


def campaign(n: int = 12, task: Any = OWN, **fields: Any) -> Campaign:
    return Campaign(task, budget={"evaluations": n}, **{**FIELDS, **fields})


def reward(network: torch.nn.Module) -> float:
    with torch.no_grad():
        return float(network.eval()(torch.linspace(-1, 1, 12).reshape(3, 4)).sum())


def evaluate(hand: Hand, proposal: Proposal) -> None:
    network = hand.build(proposal)
    with torch.no_grad():
        for tensor in network.parameters():
            tensor += 0.01
    hand.tell(proposal.id, {"reward": reward(network)}, weights=network)


def run(campaign: Campaign, out: Path, *, n: int = 1, stop: int = 1000) -> int:
    """Evaluate by hand until nothing is proposed, or so many are told."""
    n_told = 0
    with campaign.by_hand(out) as hand:
        while n_told < stop and (proposals := hand.ask(n)):
            for proposal in reversed(proposals):
                evaluate(hand, proposal)
                n_told += 1
    return n_told


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    made = campaign()
    assert run(made, tmp_path_factory.mktemp("whole") / "out") == 12
    return made


def test_it_is_a_campaign_like_any_other(whole: Campaign) -> None:
    found = whole.individuals
    assert {one.state for one in found} == {"complete"}
    assert whole.best is not None
    assert whole.best.fitness == max(one.metrics["reward"] for one in found)
    assert all({"parameters", "macs", "peak_memory"} <= one.metrics.keys() for one in found)
    assert [one.epochs for one in found] == [2 if one.donors else 3 for one in found]
    assert all(one.fraction_inherited > 0 for one in found[4:] if one.operator != "crossover")
    assert damage(whole.directory) == []
    assert Campaign.load(whole.directory).individuals == found
    assert summary.status(whole)["state"] == "finished"
    assert whole.lineage() == whole.lineage(whole.best.id)
    network = whole.network()
    assert reward(network) == pytest.approx(whole.best.metrics["reward"])


def test_results_told_out_of_order_are_recorded_in_order(whole: Campaign, tmp_path: Path) -> None:
    run(campaign(), tmp_path, n=3)
    assert record(Campaign.load(tmp_path).individuals) == record(whole.individuals)


@pytest.mark.parametrize("n", [1, 2])
def test_what_was_not_told_is_proposed_again(n: int, whole: Campaign, tmp_path: Path) -> None:
    for _ in range(20):
        with campaign().by_hand(tmp_path) as hand:
            hand.ask(2)
        run(campaign(), tmp_path, n=n, stop=n)
    assert record(Campaign.load(tmp_path).individuals) == record(whole.individuals)


def test_a_result_that_waits_is_lost_with_the_process(tmp_path: Path) -> None:
    with campaign().by_hand(tmp_path) as hand:
        first, second = hand.ask(2)
        hand.tell(second.id, {"reward": 1.0})
    with campaign().by_hand(tmp_path) as hand:
        assert [one.id for one in hand.ask(2)] == [first.id, second.id]


def test_no_more_than_the_lag_are_out(tmp_path: Path) -> None:
    with campaign().by_hand(tmp_path) as hand:
        asked = hand.ask(100)
        assert [one.id for one in asked] == [0, 1, 2]
        assert hand.ask(100) == []
        hand.tell(asked[1].id, {"reward": 0.0})
        assert hand.ask(100) == []
        hand.tell(asked[0].id, {"reward": 0.0})
        assert [one.id for one in hand.ask(100)] == [3], "a generation of four, of which three were out"


def test_a_failure_is_recorded(tmp_path: Path) -> None:
    with campaign(2).by_hand(tmp_path) as hand:
        first, second = hand.ask(2)
        with pytest.raises(ValueError, match=r"epochs: expected a whole number of 0 or more, got 0.5"):
            hand.fail(first.id, "no", epochs=0.5)  # type: ignore[arg-type]
        hand.fail(first.id, "the robot\nfell")
        hand.tell(second.id, {"reward": 1, "steps": 17}, epochs=0)
        assert hand.ask() == []
    failed, told = Campaign.load(tmp_path).individuals
    assert (failed.state, failed.error) == ("failed", "the robot fell")
    assert (told.metrics["steps"], told.epochs) == (17.0, 0)


def test_what_is_too_large_is_not_given_out(tmp_path: Path) -> None:
    with campaign(5, evaluation={"max_parameters": 1}).by_hand(tmp_path) as hand:
        assert hand.ask(5) == []
    assert {one.error.partition(":")[0] for one in Campaign.load(tmp_path).individuals} == {"TooLargeError"}
    limited = {"maximize": ["reward"], "constraints": ["parameters <= 30"]}
    with campaign(9, objectives=limited).by_hand(tmp_path / "limited") as hand:
        while asked := hand.ask():
            assert sum(tensor.numel() for tensor in hand.build(asked[0]).parameters()) <= 30
            hand.tell(asked[0].id, {"reward": 0.0})
    found = Campaign.load(tmp_path / "limited").individuals
    assert {one.state for one in found} == {"complete", "failed"}


def test_without_weights_nobody_inherits(tmp_path: Path) -> None:
    with campaign(8).by_hand(tmp_path) as hand:
        while asked := hand.ask():
            network = hand.build(asked[0])
            assert isinstance(network, Network)
            assert hand._inherited[asked[0].id].fraction == 0
            hand.tell(asked[0].id, {"reward": float(asked[0].id)})
    assert damage(tmp_path) == []
    with pytest.raises(StoreError, match=r"expected the weights of individual 7"):
        Campaign.load(tmp_path).network(7)


def test_a_network_may_begin_anew(tmp_path: Path) -> None:
    run(campaign(5), tmp_path)
    with campaign(6).by_hand(tmp_path) as hand:
        (asked,) = hand.ask()
        inherited, new = hand.build(asked), hand.build(asked, inherit=False)
        assert any(not torch.equal(a, b) for a, b in zip(inherited.parameters(), new.parameters(), strict=True))
        again = hand.build(asked)
        assert all(torch.equal(a, b) for a, b in zip(inherited.parameters(), again.parameters(), strict=True))


def test_tasks_of_ours_bring_their_data_and_the_results_that_run_would_find(tmp_path: Path) -> None:
    fields: dict[str, Any] = {"encoding": {"name": "dag", "widths": [4]}, "search": {"name": "random", "lag": 2}}
    made = Campaign(arrays(60), budget={"evaluations": 3}, **fields)
    with made.by_hand(tmp_path) as hand:
        assert hand.task.train.inputs.shape[1:] == (1, 4, 4)
        while asked := hand.ask():
            told = pretended(asked[0])
            hand.tell(asked[0].id, {name: told.metrics[name] for name in ("accuracy", "loss")})
    assert made.best is not None
    assert made.facts["classes"] == ["0", "1", "2"]
    ours = Campaign(arrays(60), budget={"evaluations": 3}, **fields).run(tmp_path / "ours").individuals
    assert [one.genome_digest for one in made.individuals] == [one.genome_digest for one in ours]


WRONG = [
    ({}, {}, "metrics: expected reward, which this campaign needs, got none; tell them"),
    ({"rewards": 1.0}, {}, "metrics: expected reward, which this campaign needs, got rewards; tell them"),
    ({"reward": float("nan")}, {}, "metrics: reward: expected a finite number, got nan; call fail()"),
    ({"reward": "good"}, {}, "metrics: reward: expected a number, got 'good'"),
    (
        {"reward": 1.0, "parameters": 3},
        {},
        "metrics: expected names of your own, got parameters, which evonas",
    ),
    ({"reward": 1.0, "seconds": 3}, {}, "metrics: expected names of your own, got seconds"),
    ({"reward": 1.0}, {"epochs": -1}, "epochs: expected a whole number of 0 or more, got -1"),
    ({"reward": 1.0}, {"weights": 3}, "weights: expected the module that build() gave, got int"),
    ({"reward": 1.0}, {"weights": torch.nn.Linear(4, 2)}, "weights: expected the tensors of individual 0, got others"),
]


@pytest.mark.parametrize(("metrics", "more", "expected"), WRONG)
def test_a_wrong_result_is_one_line_and_not_recorded(metrics: Any, more: Any, expected: str, tmp_path: Path) -> None:
    with campaign().by_hand(tmp_path) as hand:
        (asked,) = hand.ask()
        with pytest.raises(ValueError, match=r"^\w+: (\w+: )?expected") as caught:
            hand.tell(asked.id, metrics, **more)
        assert expected in str(caught.value)
        assert "\n" not in str(caught.value)
        assert {one.state for one in Campaign.load(tmp_path).individuals} == {"pending"}
        hand.tell(asked.id, {"reward": np.float32(1.5)})
    assert Campaign.load(tmp_path).individuals[0].fitness == 1.5


def test_numbers_that_were_not_asked_are_refused(tmp_path: Path) -> None:
    with campaign().by_hand(tmp_path) as hand:
        (asked,) = hand.ask()
        hand.tell(asked.id, {"reward": 1.0})
        for call in (hand.fail, hand.tell):
            for id in (asked.id, 1, 99):
                with pytest.raises(ValueError, match=r"id: expected a proposal that was asked and not told"):
                    call(id, "no")  # type: ignore[operator]
        for n in (0, -1, 1.5, True):
            with pytest.raises(ValueError, match=r"n: expected a whole number of 1 or more"):
                hand.ask(n)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"got one after its end"):
        hand.ask()


def test_two_hands_are_refused(tmp_path: Path) -> None:
    with campaign().by_hand(tmp_path), pytest.raises(StoreError, match=r"another process runs this campaign"):
        campaign().by_hand(tmp_path).__enter__()
    run(campaign(), tmp_path, stop=1)


def test_a_control_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"control: expected none by hand"):
        campaign(control="random").by_hand(tmp_path).__enter__()


def test_only_its_user_can_run_a_task_of_their_own(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"task own: .*run it from Python with Campaign.by_hand"):
        campaign().run(tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("task", "objectives", "expected"),
    [
        ({"input_shape": []}, {}, "task.input_shape: "),
        ({"input_shape": [0]}, {}, "task.input_shape.0: "),
        ({"n_outputs": 0}, {}, "task.n_outputs: "),
        ({"metrics": ["a b"]}, {}, "task.metrics.0: "),
        ({"kind": "control"}, {}, "task.kind: "),
        ({}, {"maximize": ["rewards"]}, "got 'rewards'; did you mean reward?"),
        ({}, {"maximize": ["accuracy"]}, "expected metrics of this task among reward, parameters"),
    ],
)
def test_a_wrong_task_is_refused(task: Any, objectives: Any, expected: str) -> None:
    with pytest.raises(SpecError) as caught:
        campaign(task={**OWN, **task}, **({"objectives": objectives} if objectives else {}))
    assert expected in str(caught.value)


def test_a_task_of_ones_own_may_be_of_a_kind(tmp_path: Path) -> None:
    task = {"name": "own", "input_shape": [1, 6, 6], "n_outputs": 3, "kind": "regression"}
    made = campaign(1, task)
    assert made.spec.objectives.maximize == ("r2",)
    with made.by_hand(tmp_path) as hand:
        (asked,) = hand.ask()
        network = hand.build(asked)
        assert network(torch.zeros(2, 1, 6, 6)).shape == (2, 3)
        hand.tell(asked.id, {"r2": 0.5}, weights=network)
    assert made.network(0).targets == ("0", "1", "2")


def test_what_a_problem_says_is_told_by_its_names(tmp_path: Path) -> None:
    made = Campaign("xor", "neat", {"name": "speciated", "population": 3}, budget={"evaluations": 3})
    with made.by_hand(tmp_path) as hand:
        for at, proposal in enumerate(hand.ask(3)):
            hand.tell(proposal.id, {"fitness": float(at), "solved": 0.0})
        assert not hand.ask()
    assert [one.fitness for one in made.individuals] == [0.0, 1.0, 2.0]
    assert made.network(2).predict([[0.0, 1.0]]).shape == (1, 1)


BEHAVING = {"name": "own", "input_shape": [4], "n_outputs": 1, "kind": "behaviour"}


def neat(task: Any = BEHAVING, n: int = 4, until: str | None = None, **fields: Any) -> Campaign:
    budget = {"evaluations": n} | ({"until": until} if until else {})
    return Campaign(task, "neat", {"name": "speciated", "population": 4}, budget=budget, **fields)


def test_a_number_is_the_only_metric_that_is_needed(tmp_path: Path) -> None:
    made = neat()
    with made.by_hand(tmp_path / "one") as hand:
        for at, proposal in enumerate(hand.ask(4)):
            hand.tell(proposal, (at, np.float32(at), torch.tensor(float(at)), float(at))[at])
    assert [one.metrics["fitness"] for one in made.individuals] == [0, 1, 2, 3]
    small = campaign(objectives={"maximize": ["reward"], "minimize": ["parameters"]})
    with small.by_hand(tmp_path / "small") as hand:
        hand.tell(*hand.ask(), 0.5)
    assert small.individuals[0].metrics["reward"] == 0.5
    goal = neat(until="solved >= 1")
    with goal.by_hand(tmp_path / "goal") as hand:
        (asked,) = hand.ask()
        with pytest.raises(ValueError, match=r"^metrics: expected a mapping of fitness and solved, .* got 0.5; tell"):
            hand.tell(asked, 0.5)
        with pytest.raises(ValueError, match=r"^metrics: expected solved, which this campaign needs, got fitness"):
            hand.tell(asked, {"fitness": 0.5})
        with pytest.raises(ValueError, match=r"^metrics: expected a mapping"):
            hand.tell(asked, "good")  # type: ignore[arg-type]
    wrong = pytest.raises(ValueError, match=r"^metrics: fitness: expected a number, got 'good'")
    with neat(until="parameters >= 99").by_hand(tmp_path / "size") as hand, wrong:
        hand.tell(*hand.ask(), "good")  # type: ignore[arg-type]


def test_a_proposal_goes_by_itself_or_by_its_number(tmp_path: Path) -> None:
    with campaign(4).by_hand(tmp_path) as hand:
        first, second, third = hand.ask(3)
        assert str(hand.build(first.id).state_dict()) == str(hand.build(first).state_dict())
        hand.tell(first, {"reward": 1.0})
        hand.fail(second, "no")
        hand.tell(np.int64(third.id), {"reward": 1.0})  # type: ignore[arg-type]
        for call in (lambda: hand.build(second), lambda: hand.build([0]), lambda: hand.tell({}, 1.0)):  # type: ignore[arg-type]
            with pytest.raises(ValueError, match=r"^id: expected a proposal that was asked and not told, among \[\]"):
                call()
        assert hand.ask()
    assert [one.state for one in Campaign.load(tmp_path).individuals] == ["complete", "failed", "complete", "pending"]


def test_what_is_not_trained_has_no_gradients_and_took_no_epochs(tmp_path: Path) -> None:
    made = neat()
    with made.by_hand(tmp_path / "behaving") as hand:
        (asked,) = hand.ask()
        network = hand.build(asked)
        assert not network.training
        assert not network(torch.ones(1, 4)).requires_grad
        hand.tell(asked, float(network(torch.ones(1, 4))[0, 0]), weights=network)
    assert made.individuals[0].epochs == 0
    assert made.network(0).predict(np.ones((1, 4)))[0, 0] == pytest.approx(made.individuals[0].fitness)


def test_weights_of_a_genome_took_epochs_where_others_are_given(tmp_path: Path) -> None:
    made = neat(OWN)
    with made.by_hand(tmp_path) as hand:
        first, second, third = hand.ask(3)
        network = hand.build(first)
        assert network.training
        assert all(tensor.requires_grad for tensor in network.parameters())
        hand.tell(first, 1.0)
        hand.tell(second, 1.0, weights=hand.build(second))
        hand.tell(third, 1.0, epochs=3)
    assert [one.epochs for one in made.individuals[:3]] == [0, made.spec.training.epochs, 3]


def test_an_individual_is_named_by_its_number(whole: Campaign) -> None:
    for call in (whole.network, whole.individual, whole.lineage):
        with pytest.raises(TypeError, match=r"^id: expected the number of an individual, or none .*, got 'best'; give"):
            call("best")  # type: ignore[arg-type]
    assert whole.individual(np.int64(3)).id == 3  # type: ignore[arg-type]
