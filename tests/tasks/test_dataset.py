"""Examples one by one: torch data sets and lists give the same task as arrays."""

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from evonas import from_dataset
from evonas.tasks import DataError, from_arrays

X = np.random.default_rng(0).normal(size=(40, 3, 4, 5)).astype(np.float32)
Y = np.arange(40) % 4


def test_a_torch_dataset_gives_the_task_of_its_arrays() -> None:
    dataset = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
    test = torch.utils.data.Subset(dataset, range(8))
    expected = from_arrays(X, Y, X_test=X[:8], y_test=Y[:8])
    found = from_dataset(dataset, test=test)
    assert found.fingerprint == expected.fingerprint
    np.testing.assert_array_equal(found.train.inputs, expected.train.inputs)


def test_lists_pictures_and_words() -> None:
    pixels = np.random.default_rng(0).integers(256, size=(20, 4, 6, 3), dtype=np.uint8)
    pairs = [(Image.fromarray(image), "xy"[number % 2]) for number, image in enumerate(pixels)]
    task = from_dataset(pairs, layout="channels_last")
    assert (task.input_shape, task.classes) == ((3, 4, 6), ("x", "y"))
    assert task.fingerprint == from_arrays(pixels.transpose(0, 3, 1, 2), np.array(list("xy" * 10))).fingerprint


def test_a_later_fraction_is_not_cut_off() -> None:
    values = [[1], [2], [0.5], [7], [8], [9]]
    task = from_dataset([(value, value) for value in values], kind="regression")
    assert (
        task.fingerprint == from_arrays(np.array(values, float), np.array(values, float), kind="regression").fingerprint
    )


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [
        ([], "expected examples"),
        ([([1.0], 0), ([1.0], 0, 2)], "example 1: expected a pair"),
        ([1, 2, 3], "example 0: expected a pair (x, y), got int"),
        (np.zeros((4, 2)), "example 0: expected a pair (x, y), got ndarray"),
        ([([1.0], 0), ([1.0, 2.0], 1)], "example 1: expected the shape (1,) of the first, got (2,)"),
        ([([[1.0], [1.0, 2.0]], 0)], "example 0: expected what numpy makes an array of"),
        ([(torch.zeros(1, requires_grad=True), 0)], "example 0: expected what numpy makes an array of"),
        ([({"a": 1}, n % 2) for n in range(9)], "dtype object"),
    ],
)
def test_examples_that_make_no_task(dataset: Any, expected: str) -> None:
    with pytest.raises(DataError) as caught:
        from_dataset(dataset)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
