"""Several campaigns beside each other."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from evonas.analysis import comparison
from evonas.campaign import SpecError
from evonas.campaign.spec import parse
from evonas.record import COMPLETE, FAILED, Individual
from evonas.view import anytime


def individual(id: int, fitness: float | None, epochs: int = 2) -> Individual:
    metrics = {} if fitness is None else {"accuracy": fitness, "loss": 1.0, "parameters": 10.0, "macs": 5.0}
    state: Any = FAILED if fitness is None else COMPLETE
    given = (id, state, (), "sample", (), 0, "{}", "", "")
    return Individual(*given, fitness=fitness, metrics=metrics, epochs=epochs, elapsed=float(id + 1))


def campaign(directory: str, *fitness: float | None, fingerprint: str = "f", **fields: Any) -> Any:
    individuals = [individual(id, value) for id, value in enumerate(fitness)]
    complete = [one for one in individuals if one.fitness is not None]
    best = max(complete, key=lambda one: one.fitness or 0.0, default=None)
    facts = {"fingerprint": fingerprint, "tested": {"id": best.id if best else None, "accuracy": 0.25}}
    spec = parse({"task": "digits", **fields})
    known = {"spec": spec, "facts": facts, "individuals": individuals, "best": best, "directory": Path(directory)}
    return SimpleNamespace(**known)


def test_a_row_tells_what_was_spent_and_found() -> None:
    (row,) = comparison.rows([campaign("a", 0.5, None, 0.7, name="mine", search="random")])
    known = {"campaign": "mine", "search": "random", "encoding": "dag", "evaluations": 3, "epochs": 6, "seconds": 3.0}
    known |= {"best": 2, "validation_accuracy": 0.7, "test_accuracy": 0.25, "parameters": 10}
    assert known.items() <= row.items()


def test_a_campaign_that_found_nothing_has_a_row() -> None:
    rows = comparison.rows([campaign("a", None), campaign("b"), campaign("c", 0.5)])
    assert [row["best"] for row in rows] == [None, None, 0]
    assert [row["evaluations"] for row in rows] == [1, 0, 1]
    assert len({tuple(row) for row in rows}) == 1


def test_campaigns_of_one_name_are_told_apart_by_directory() -> None:
    found = [campaign("x/a", 0.5), campaign("x/b", 0.5), campaign("x/c", 0.5, name="other")]
    assert comparison.labels(found) == ["x/a", "x/b", "other"]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"fingerprint": "g"}, "b beside a: expected the task digits with the same data and splits, got others"),
        ({"task": {"name": "digits", "split_seed": 9}}, "expected the task digits with the same data and splits"),
        ({"task": {"path": "b.npz"}}, "b beside a: expected the task digits, got arrays"),
        ({"objectives": {"minimize": ["loss"]}}, "b beside a: expected the objective accuracy, got −loss"),
        ({"objectives": {"maximize": ["accuracy"], "minimize": ["loss"]}}, "objective accuracy, got accuracy, loss"),
    ],
)
def test_other_tasks_and_objectives_are_refused(other: dict[str, Any], expected: str) -> None:
    comparison.check_comparable([campaign("a", 0.5), campaign("b", 0.5, search="random", seed=4)])
    with pytest.raises(SpecError, match=expected):
        comparison.check_comparable([campaign("a", 0.5), campaign("b", 0.5, **other)])


def test_each_has_a_line_and_seeds_of_one_spec_share_one() -> None:
    found = [
        campaign("a", 0.5, 0.7, seed=0),
        campaign("b", 0.3, None, 0.9, seed=1, budget={"evaluations": 7}),
        campaign("c", 0.1, 0.2, 0.3, 0.4, search="random", name="random"),
    ]
    grid, bands = comparison.bands(found)
    assert list(bands) == ["campaign, mean and range of 2 seeds", "random"]
    assert grid.tolist() == [0, 1, 2, 3, 4]
    mean, low, high = bands["campaign, mean and range of 2 seeds"]
    np.testing.assert_allclose(mean, [np.nan, 0.4, 0.5, np.nan, np.nan])
    np.testing.assert_allclose((low[1:3], high[1:3]), [[0.3, 0.3], [0.5, 0.7]])
    np.testing.assert_allclose(bands["random"][0], [np.nan, 0.1, 0.2, 0.3, 0.4])
    assert np.isnan(bands["random"][1:]).all()
    anytime(grid, bands).get_figure().draw_without_rendering()  # type: ignore[union-attr]


@pytest.mark.parametrize(("axis", "end"), [("evaluations", 2), ("epochs", 4), ("seconds", 2.0)])
def test_a_line_ends_where_its_campaign_had_spent_all(axis: Any, end: float) -> None:
    grid, bands = comparison.bands([campaign("a", 0.5, 0.7)], axis)
    assert grid[-1] == end
    assert bands["campaign"][0][-1] == 0.7


def test_two_methods_of_one_name_have_a_line_each() -> None:
    _, bands = comparison.bands([campaign("a", 0.5), campaign("b", 0.5, search="random")])
    assert list(bands) == ["a", "b"]


def test_campaigns_without_results_have_no_line_and_are_drawn() -> None:
    grid, bands = comparison.bands([campaign("a"), campaign("b", None, search="random")])
    assert "nothing to show" in anytime(grid, bands).texts[0].get_text()
