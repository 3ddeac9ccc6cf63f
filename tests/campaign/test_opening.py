"""A spec meets its task: what does not fit it is refused; what it measures may be pursued."""

from pathlib import Path
from typing import Any

import pytest

from evonas.campaign import Campaign, SpecError, retrain
from evonas.campaign.opening import fitted
from evonas.campaign.spec import parse

pytestmark = pytest.mark.usefixtures("fast_disk")


@pytest.mark.parametrize("name", ["neat", "cppn", "hyperneat", "es_hyperneat"])
def test_a_number_of_outputs_that_is_not_the_tasks_is_refused(name: str) -> None:
    spec = parse({"task": "xor", "encoding": {"name": name, "n_outputs": 3}})
    task = spec.task.load()
    with pytest.raises(SpecError) as caught:
        fitted(spec, task)
    assert str(caught.value) == "encoding.n_outputs: expected 1, as the task has, got 3; remove it"
    right = parse({"task": "xor", "encoding": {"name": name, "n_outputs": 1}})
    assert fitted(fitted(right, task), task) == fitted(right, task)


def test_a_painter_of_one_task_paints_for_another(tmp_path: Path) -> None:
    fields: dict[str, Any] = {"search": "random", "budget": {"evaluations": 2}}
    encoding = {"name": "hyperneat", "inputs": "square", "outputs": "square"}
    Campaign({"name": "boxes", "resolution": 7}, encoding, **fields).run(tmp_path / "small")
    large = retrain(tmp_path / "small", changes={"task.resolution": 9}, repeats=1, out=tmp_path / "large").run()
    assert large.spec.encoding.n_outputs == 81
    assert large.best is not None
    assert large.best.metrics["parameters"] == 81 * 81 + 81


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"objectives": {"maximize": ["squared"]}},
            "objectives: expected metrics of this task among fitness, solved, squares, accuracy, parameters, macs, "
            "peak_memory, latency_1, latency_64, got 'squared'; did you mean squares?",
        ),
        ({"objectives": {"maximize": ["fitness"], "minimize": ["loss"]}}, "got 'loss'; name one"),
        (
            {"budget": {"evaluations": 5, "until": "acuracy >= 1"}},
            "budget.until: expected a metric among fitness, solved, squares, accuracy, parameters, macs, peak_memory, "
            "got acuracy; did you mean accuracy?",
        ),
    ],
    ids=["misspelt", "of another kind", "a goal"],
)
def test_a_metric_that_a_problem_does_not_measure_is_refused(
    fields: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    with pytest.raises(SpecError) as caught:
        Campaign("xor", "neat", "random", **fields).run(tmp_path / "out")
    assert expected in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_all_that_a_problem_measures_may_be_pursued(tmp_path: Path) -> None:
    objectives = {"maximize": ["squares", "accuracy"], "minimize": ["parameters"]}
    made = Campaign("xor", "neat", "random", objectives=objectives, budget={"evaluations": 5}).run(tmp_path / "out")
    assert made.best is not None
    assert made.best.fitness == max(one.metrics["squares"] for one in made.individuals)
    assert len(made.front) >= 1
    assert Campaign.load(tmp_path / "out").run().best == made.best
