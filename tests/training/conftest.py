"""Small tasks as tensors, and one torch thread."""

import pytest
import torch

from evonas.tasks import Digits
from evonas.training import Examples


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def digits() -> tuple[Examples, Examples]:
    task = Digits().load()
    return Examples.of(task.train, torch.device("cpu")), Examples.of(task.validation, torch.device("cpu"))
