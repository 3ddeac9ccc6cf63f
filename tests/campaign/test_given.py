"""What a program may give as a task: a data set, or an object of its own."""

import dataclasses
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from pydantic import BaseModel

from evonas import Campaign, DataError, SpecError, StoreError
from evonas.analysis.comparison import check_comparable
from evonas.campaign import retrain
from evonas.tasks import Poles, Task, from_arrays, prepare

SMALL = {
    "encoding": {"name": "dag", "operations": ["linear"], "widths": [4], "max_sampled": 2, "min_nodes": 1},
    "search": {"name": "random"},
    "training": {"epochs": 1},
    "budget": {"evaluations": 2},
}
X = np.random.default_rng(0).normal(size=(60, 3))
Y = (X.sum(1) > 0).astype(int)


class Mine(BaseModel):
    """A task as the documents show one."""

    kind: ClassVar[str] = "classification"
    name: str = "mine"
    split_seed: int = 0
    validation_fraction: float = 0.2
    test_fraction: float = 0.2
    shift: float = 0.0

    def load(self) -> Task:
        return prepare(self.name, X + self.shift, Y, config=self)


@dataclasses.dataclass
class Plain:
    name: str = "plain"
    kind: str = "regression"
    answer: Any = None

    def load(self) -> Any:
        return self.answer if self.answer is not None else from_arrays(X, X[:, 0], kind="regression")


def test_a_dataset_is_kept_beside_the_record(tmp_path: Path) -> None:
    dataset = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
    campaign = Campaign(dataset, **SMALL).run(tmp_path / "out")
    assert campaign.facts["fingerprint"] == from_arrays(X, Y).fingerprint
    assert (tmp_path / "out" / "data.npz").is_file()
    assert Campaign.load(tmp_path / "out").run().best is not None


def test_an_object_of_ones_own(tmp_path: Path) -> None:
    campaign = Campaign(Mine(), **SMALL, control="random").run(tmp_path / "out")
    assert campaign.facts["classes"] == ["0", "1"]
    assert campaign.facts["spec"]["task"]["called"] == "mine"
    assert campaign.control is not None
    assert len(campaign.control.individuals) == 2
    loaded = Campaign.load(tmp_path / "out")
    assert loaded.best is not None
    assert loaded.network(loaded.best.id)(torch.zeros(1, 3)).shape == (1, 2)


def test_it_goes_on_with_its_object_and_says_so_without(tmp_path: Path) -> None:
    Campaign(Mine(), **SMALL).run(tmp_path / "out")
    more = {**SMALL, "budget": {"evaluations": 4}}
    with pytest.raises(DataError, match="task mine: expected the Python object that loads it"):
        Campaign.load(tmp_path / "out").run()
    with pytest.raises(DataError, match="task mine"):
        retrain(tmp_path / "out", 0)
    with pytest.raises(StoreError, match="expected the spec it was begun with, got changes in task"):
        Campaign(Mine(shift=1.0), **more).run(tmp_path / "out")
    assert len(Campaign(Mine(), **more).run(tmp_path / "out").individuals) == 4


def test_the_kind_of_an_object_decides_what_is_measured(tmp_path: Path) -> None:
    campaign = Campaign(Plain(), **SMALL)
    assert campaign.spec.objectives.maximize == ("r2",)
    best = campaign.run(tmp_path / "out").best
    assert best is not None
    assert {"r2", "rmse"} <= best.metrics.keys()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (3, r"expected load\(\) to return a Task, got int"),
        (from_arrays(X, Y), "expected the kind regression as it says"),
    ],
)
def test_an_object_that_loads_no_task(answer: Any, expected: str, tmp_path: Path) -> None:
    task = Plain()
    object.__setattr__(task, "load", lambda: answer)
    with pytest.raises(DataError, match=expected):
        Campaign(task, **SMALL).run(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_no_task_is_refused() -> None:
    with pytest.raises(DataError, match="fields that JSON can hold"):
        Campaign(Plain(answer={1, 2}), **SMALL)
    with pytest.raises(SpecError, match=r"with name, kind and load\(\), or a data set with .*, got object; see"):
        Campaign(object(), **SMALL)
    with pytest.raises(DataError, match="expected a pair"):
        Campaign([1, 2, 3], **SMALL)


def test_a_path_is_a_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    assert Campaign(tmp_path / "x.npz").spec.task.name == Campaign("data/x.npz").spec.task.name == "arrays"
    assert Campaign("photos").spec.task.name == "images"
    with pytest.raises(SpecError, match=r"task.target: missing; add it"):
        Campaign("flowers.csv")


def test_what_does_not_fit_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(SpecError):
        Campaign((np.ones((20, 3)) * np.arange(20)[:, None], np.arange(20) % 2), encoding="cell").run(tmp_path / "out")
    assert not (tmp_path / "out").exists()


@dataclasses.dataclass
class Posed(Plain):
    name: str = "sine"
    kind: str = "behaviour"

    def load(self) -> Any:
        return Poles(name="single_pole").load()


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        (Plain, "^task: expected an object, got the class Plain; give one of it$"),
        (Mine, "^task: expected an object, got the class Mine"),
        (Poles, "^task: expected an object, got the class Poles"),
        (dict, "^task: expected an object, got the class dict"),
        (
            Plain(kind="behavior"),
            "^task plain: kind: expected one of .*, behaviour, got 'behavior'; name one$",
        ),
        (Plain(name=3), "^task: expected a name as a string, got 3; give it one$"),  # type: ignore[arg-type]
    ],
)
def test_an_object_that_is_no_task_is_refused(task: Any, expected: str) -> None:
    with pytest.raises((SpecError, DataError), match=expected):
        Campaign(task, **SMALL)


def test_it_goes_by_its_own_name(tmp_path: Path) -> None:
    campaign = Campaign(Plain(), **SMALL)
    assert repr(campaign) == "<Campaign campaign: plain, dag, random; not run yet>"
    with pytest.raises(SpecError, match="for nothing to be trained, as sine is judged"):
        Campaign(Posed(), "dag")
    with pytest.raises(SpecError, match="expected none, as sine trains nothing"):
        Campaign(Posed(), "neat", training={"batch_size": 3})
    some = [Campaign(task, **SMALL).run(tmp_path / str(at)) for at, task in enumerate((Plain(), Mine()))]
    with pytest.raises(SpecError, match="expected the task plain, got mine; compare"):
        check_comparable(some)


def test_only_a_record_says_that_a_task_was_given() -> None:
    with pytest.raises(SpecError, match=r"task.name: expected one of digits, .*, gym, own, got 'givn'; name one$"):
        Campaign("givn")
