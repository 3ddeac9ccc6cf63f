"""What problems are said to measure is what they measure."""

from typing import Any

import numpy as np
import pytest
import torch

from evonas.tasks import Boolean, Boxes, Gym, Parity, RetinaTask, Task, Xor
from tests.tasks.judged import Linear


def measured(task: Task) -> set[str]:
    problem = task.problem
    assert problem is not None
    networks = Linear(torch.zeros(1, problem.n_inputs, problem.n_outputs))
    seeds = np.zeros(1, np.int64)
    found = set(problem.score(networks, seeds))
    assert set(problem.test(networks, seeds)) == found
    return found


@pytest.mark.parametrize(
    "config",
    [Xor(), Parity(), Boolean(outputs=((0, 1), (1, 0))), Boxes(resolution=7), RetinaTask()],
    ids=lambda config: str(config.name),
)
def test_a_problem_measures_what_it_says(config: Any) -> None:
    task = config.load()
    assert measured(task) == {"fitness", "solved", *task.metrics}


def test_an_environment_measures_what_it_says() -> None:
    pytest.importorskip("gymnasium", reason='gymnasium is missing: pip install "evonas[rl]"')
    task = Gym(environment="CartPole-v1").load()
    assert measured(task) == {"fitness", "solved", *task.metrics}
