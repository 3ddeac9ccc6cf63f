"""A genome beyond the limits fails before a network is built of it."""

import re
from typing import Any

import pytest

import evonas.evaluation.inline as inline
from evonas.evaluation import EvaluationConfig, Inline, Job
from evonas.record import FAILED, Budget, Proposal
from evonas.tasks import Digits, Task
from evonas.training import Training
from genomes import Dag, DagGenome
from genomes.dag.genome import OUTPUT, Gene
from tests.genomes.dags import conv


@pytest.fixture(scope="session")
def task() -> Task:
    return Digits().load()


def chain(n: int, **columns: Any) -> DagGenome:
    names = [f"{at:04x}" for at in range(n)]
    edges = zip(["input", *names], [*names, OUTPUT], strict=True)
    return DagGenome((*(conv(name, **columns) for name in names), Gene(OUTPUT, "head")), tuple(edges))


@pytest.mark.parametrize(
    ("genome", "limits", "expected"),
    [
        (chain(2, width=65_536, kernel=1), {}, r"at most [\d,]+ parameters, got 4,29\d,\d+,\d+"),
        (chain(2, width=65_536, kernel=255), {}, r"at most [\d,]+ parameters, got 279,\d+,\d+,\d+,\d+"),
        (chain(4_095, width=65_536), {}, r"at most [\d,]+ parameters, got"),
        (chain(4_095, width=65_536), {"max_parameters": 10**18}, r"at most [\d,]+ macs, got"),
    ],
)
def test_nothing_is_built_of_what_is_too_large(
    genome: DagGenome, limits: dict[str, int], expected: str, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    def built(*_: Any) -> None:
        raise AssertionError("a network was built")

    monkeypatch.setattr(inline, "built", built)
    config = EvaluationConfig(device="cpu", **limits)
    by = Inline(Dag().for_task((1, 8, 8), 10), task, Training(), config, seed=0)
    ((found,),) = by.evaluate([Job(Proposal(0, genome, (), "sample", (), Budget(1)))], lambda: None)
    assert found.state == FAILED

    assert re.search(expected, found.error), found.error
