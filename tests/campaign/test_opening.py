"""A spec meets its task: an encoding that is told of other outputs is refused; what paints paints for another size."""

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
