"""Splits and normalisation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from evonas.tasks import Arrays, DataError, Digits, Task, TaskConfig, from_arrays

PARTS = ("train", "validation", "test")


def numbered(n: int = 120, n_classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Inputs whose only feature is the row's number, so that a split shows what it took."""
    return np.arange(n, dtype=np.float64).reshape(-1, 1), np.arange(n) % n_classes


def rows_of(task: Task) -> dict[str, list[int]]:
    """Row numbers of `numbered` in each part, in order, found by their rank."""
    values = np.concatenate([getattr(task, part).inputs[:, 0] for part in PARTS])
    ranks = np.argsort(np.argsort(values)).tolist()
    sizes = np.cumsum([0, *(len(getattr(task, part)) for part in PARTS)]).tolist()
    return {part: ranks[start:stop] for part, start, stop in zip(PARTS, sizes, sizes[1:], strict=False)}


def test_digits_have_their_published_size_and_shape():
    task = Digits().load()
    assert (task.name, task.input_shape, task.n_outputs) == ("digits", (1, 8, 8), 10)
    assert task.classes == tuple("0123456789")
    assert sum(len(getattr(task, part)) for part in PARTS) == 1797
    for part in PARTS:
        split = getattr(task, part)
        assert split.inputs.dtype == np.float32
        assert split.inputs.flags.c_contiguous
        assert split.targets.dtype == np.int64
        assert split.targets.shape == (len(split.inputs),)
    assert abs(len(task.test) - 0.2 * 1797) <= 5
    assert abs(len(task.validation) - 0.2 * 1797) <= 5


def test_the_digits_of_a_seed_stay_what_they_are():
    task = Digits().load()
    assert task.fingerprint == "af5f81995e1fa41d53e179211a3cc312a75f1314703f74ebfb6293a2f30f5b1d"
    assert task.test.targets[:12].tolist() == [0, 1, 2, 3, 6, 8, 0, 2, 8, 5, 1, 3]


def test_a_split_is_fixed_by_its_seed():
    X, y = numbered()
    once, again = (rows_of(from_arrays(X, y, split_seed=4)) for _ in range(2))
    other = rows_of(from_arrays(X, y, split_seed=5))
    assert once == again
    for part in PARTS:
        assert once[part] != other[part]


def test_a_seed_changes_no_fingerprint_and_data_does():
    X, y = numbered()
    reference = from_arrays(X, y).fingerprint
    assert from_arrays(X, y, split_seed=1).fingerprint == reference
    assert from_arrays(X + 1, y).fingerprint != reference
    assert from_arrays(X, 2 - y).fingerprint != reference
    assert from_arrays(X, [f"class {label}" for label in y]).fingerprint != reference
    assert from_arrays(X.astype(">f8"), y).fingerprint == reference
    assert from_arrays(X.astype(">i4"), y).fingerprint == from_arrays(X.astype("<i4"), y).fingerprint
    tested = from_arrays(X, y, X_test=X[:9], y_test=y[:9]).fingerprint
    assert tested != reference
    assert tested != from_arrays(X, y, X_test=X[:9] + 1, y_test=y[:9]).fingerprint
    assert tested != from_arrays(X, y, X_test=X[:9], y_test=y[:9][::-1]).fingerprint


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(3, 40), min_size=2, max_size=6),
    fractions=st.tuples(st.floats(0.05, 0.4), st.floats(0.05, 0.4)),
    seed=st.integers(0, 2**40),
)
def test_parts_are_disjoint_complete_and_stratified(counts, fractions, seed):
    y = np.repeat(np.arange(len(counts)), counts)
    X = np.arange(len(y), dtype=np.float64).reshape(-1, 1)
    task = from_arrays(X, y, split_seed=seed, validation_fraction=fractions[0], test_fraction=fractions[1])
    rows = rows_of(task)
    assert sorted(rows["train"] + rows["validation"] + rows["test"]) == list(range(len(y)))
    for part in PARTS:
        assert y[rows[part]].tolist() == getattr(task, part).targets.tolist()
    for label, count in enumerate(counts):
        n_train, n_validation, n_test = (int((y[rows[part]] == label).sum()) for part in PARTS)
        assert min(n_train, n_validation, n_test) >= 1
        assert abs(n_test - fractions[1] * count) <= 1
        assert abs(n_validation - fractions[0] * count) <= 1


def test_classes_keep_their_proportions_under_the_default_fractions():
    y = np.repeat([0, 1, 2], [50, 73, 17])
    task = from_arrays(np.arange(140.0).reshape(-1, 1), y)
    for label, count in enumerate((50, 73, 17)):
        for part, fraction in zip(PARTS, (0.6, 0.2, 0.2), strict=True):
            assert abs((getattr(task, part).targets == label).sum() - fraction * count) <= 1


@pytest.mark.parametrize("count", [3, 4])
def test_the_training_part_keeps_an_example_of_the_smallest_class(count):
    y = np.repeat([0, 1], [30, count])
    X = np.arange(30.0 + count).reshape(-1, 1)
    task = from_arrays(X, y, validation_fraction=0.4, test_fraction=0.4)
    assert all((getattr(task, part).targets == 1).any() for part in PARTS)


def test_training_rows_are_normalised_by_feature():
    X = np.random.default_rng(0).normal([5, -3, 1e6], [2, 0.01, 1e3], size=(3000, 3))
    task = from_arrays(X, np.arange(3000) % 2)
    np.testing.assert_allclose(task.train.inputs.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(task.train.inputs.std(axis=0), 1, atol=1e-5)


def test_training_images_are_normalised_by_channel():
    X = np.random.default_rng(0).normal(0, 1, size=(300, 3, 5, 4)) * [[[1]], [[10]], [[100]]] + [[[0]], [[7]], [[-9]]]
    X[:, :, 0, 0] = 3
    inputs = from_arrays(X, np.arange(300) % 2).train.inputs
    np.testing.assert_allclose(inputs.mean(axis=(0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(inputs.std(axis=(0, 2, 3)), 1, atol=1e-5)
    assert abs(inputs[:, 0, 0, 0].mean()) > 1


@pytest.mark.parametrize("value", [0.0, 0.1, 255.0, -1e9 / 3])
def test_a_constant_feature_is_only_centred(value):
    X = np.random.default_rng(0).normal(size=(3001, 2))
    X[:, 1] = value
    task = from_arrays(X, np.arange(3001) % 2)
    assert np.abs(task.train.inputs[:, 1]).max() < 1e-5
    assert np.abs(task.test.inputs[:, 1]).max() < 1e-5


def test_rows_outside_the_training_part_do_not_influence_it():
    X, y = numbered()
    X = X**2
    before = from_arrays(X, y)
    changed = X.copy()
    outside = rows_of(before)["test"] + rows_of(before)["validation"]
    changed[outside] += 1000
    after = from_arrays(changed, y)
    np.testing.assert_array_equal(before.train.inputs, after.train.inputs)
    assert (before.test.inputs != after.test.inputs).all()


def test_a_given_test_set_is_taken_as_it_is_and_scaled_by_the_training_part():
    X, y = numbered()
    X_test, y_test = np.array([[1000.0], [0.0], [1000.0]]), np.array([2, 0, 2])
    task = from_arrays(X, y, X_test=X_test, y_test=y_test)
    other = from_arrays(X, y, X_test=X_test * 3, y_test=y_test)
    assert task.test.targets.tolist() == [2, 0, 2]
    assert len(task.train) + len(task.validation) == 120
    assert len(task.validation) == 24
    np.testing.assert_array_equal(task.train.inputs, other.train.inputs)
    np.testing.assert_array_equal(task.validation.inputs, other.validation.inputs)
    slope = (task.train.inputs[-1] - task.train.inputs[0]) / (len(X) - 1)
    assert task.test.inputs[0] > task.train.inputs.max() + 800 * slope


def test_the_arrays_of_the_user_stay_as_they_were():
    X, y = numbered()
    X_before, y_before = X.copy(), y.copy()
    task = from_arrays(X, y)
    task.train.inputs[:] = 0
    np.testing.assert_array_equal(X, X_before)
    np.testing.assert_array_equal(y, y_before)


def test_a_test_value_out_of_all_scale_is_refused():
    X = np.random.default_rng(0).normal(size=(40, 1)) * 1e-20
    with pytest.raises(DataError, match="X_test: expected values of the scale of the training part"):
        from_arrays(X, np.arange(40) % 2, X_test=[[1e29], [0.0]], y_test=[0, 1])


def test_a_spec_picks_its_data_set_by_name():
    adapter: TypeAdapter[Digits | Arrays] = TypeAdapter(TaskConfig)
    assert adapter.validate_python({"name": "digits", "split_seed": 3}) == Digits(split_seed=3)
    assert adapter.validate_python({"name": "arrays", "path": "a.npz"}) == Arrays(path="a.npz")


@pytest.mark.parametrize(
    "fields",
    [
        {"split_seed": -1},
        {"validation_fraction": 0.0},
        {"test_fraction": 0.5},
        {"validation_fraction": float("nan")},
        {"name": "arrays"},
        {"seed": 1},
    ],
)
def test_fields_out_of_range_are_refused(fields):
    with pytest.raises(ValidationError):
        Digits(**fields)


@pytest.mark.parametrize("shape", [(90, 5), (90, 2, 6, 6)])
def test_new_inputs_are_normalised_as_the_test_part_was(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(7, 3, shape), np.arange(90) % 3
    held_out = rng.normal(7, 3, (9, *shape[1:]))
    task = from_arrays(X, y, X_test=held_out, y_test=np.arange(9) % 3)
    np.testing.assert_allclose(task.normalised(held_out), task.test.inputs, rtol=1e-6)
    with pytest.raises(DataError, match="expected the shape"):
        task.normalised(held_out[0])
