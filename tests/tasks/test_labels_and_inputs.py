"""What arrays may look like, and what is said of those that may not."""

import numpy as np
import pytest

from evonas.tasks import DataError, from_arrays

X = np.random.default_rng(0).normal(size=(30, 4))
y = np.arange(30) % 3


def with_value(value: float) -> np.ndarray:
    changed = X.copy()
    changed[5, 2] = changed[7, 0] = value
    return changed


def images(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(30, *shape))


@pytest.mark.parametrize(
    ("shape", "layout", "expected"),
    [
        ((4,), "auto", (4,)),
        ((6, 5), "auto", (1, 6, 5)),
        ((1, 8, 8), "auto", (1, 8, 8)),
        ((1, 4, 4), "auto", (1, 4, 4)),
        ((3, 3, 3), "auto", (3, 3, 3)),
        ((3, 3, 4), "auto", (3, 3, 4)),
        ((3, 8, 7), "auto", (3, 8, 7)),
        ((16, 4, 4), "auto", (16, 4, 4)),
        ((16, 9, 2), "auto", (16, 9, 2)),
        ((8, 8, 3), "auto", (3, 8, 8)),
        ((8, 8, 1), "auto", (1, 8, 8)),
        ((8, 8, 3), "channels_first", (8, 8, 3)),
        ((8, 9, 3), "channels_last", (3, 8, 9)),
        ((8, 64, 1), "channels_first", (8, 64, 1)),
    ],
)
def test_shapes_become_channels_first(shape, layout, expected):
    task = from_arrays(images(*shape), y, layout=layout)
    assert task.input_shape == expected
    assert task.train.inputs.flags.c_contiguous


def test_channels_last_is_the_same_task_as_its_transpose():
    last = images(8, 8, 3)
    turned, first = from_arrays(last, y), from_arrays(last.transpose(0, 3, 1, 2), y)
    np.testing.assert_array_equal(turned.train.inputs, first.train.inputs)
    assert turned.fingerprint == first.fingerprint


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int64", "float16", "float32", "float64", "longdouble"])
def test_every_kind_of_number_is_an_input(dtype):
    values = (np.arange(120).reshape(30, 4) * 7 % 11 > 4).astype(dtype)
    reference = from_arrays(values.astype(np.float64), y)
    np.testing.assert_array_equal(from_arrays(values, y).train.inputs, reference.train.inputs)


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (y + 7, ("7", "8", "9")),
        (y * 10 - 10, ("-10", "0", "10")),
        (y.astype(np.float32), ("0", "1", "2")),
        (y.astype(np.float16), ("0", "1", "2")),
        (y == 1, ("False", "True")),
        (np.array(["cat", "ant", "bee"])[y], ("ant", "bee", "cat")),
        (np.array(["cat", "ant", "bee"], dtype=object)[y], ("ant", "bee", "cat")),
        (np.array([b"cat", b"ant", "ça".encode()])[y], ("ant", "cat", "ça")),
        (["b", "a", "c"] * 10, ("a", "b", "c")),
    ],
)
def test_labels_become_sorted_classes(labels, classes):
    task = from_arrays(np.arange(30.0).reshape(-1, 1), labels)
    assert task.classes == classes
    first_row = int(np.argmin([part.inputs.min() for part in (task.train, task.validation, task.test)]))
    part = (task.train, task.validation, task.test)[first_row]
    label = labels[0].decode() if isinstance(labels[0], bytes) else labels[0]
    name = str(int(label)) if isinstance(label, np.floating) else str(label)
    assert task.classes[part.targets[part.inputs[:, 0].argmin()]] == name


def test_labels_of_a_given_test_set_use_the_training_classes():
    names = np.array(["a", "b", "c"])
    task = from_arrays(X, names[y], X_test=X[:2], y_test=["c", "a"])
    assert task.test.targets.tolist() == [2, 0]


def masked() -> np.ma.MaskedArray:
    return np.ma.masked_array(X, mask=X > 1)


INPUTS = [
    (with_value(np.nan), r"X: expected finite inputs .* got 2 that .* the first \(nan\) at index \(5, 2\); fill"),
    (with_value(-np.inf), r"X: expected finite inputs .* got 2 that .* the first \(-inf\) at index \(5, 2\)"),
    (with_value(1e300), r"X: expected finite inputs within .* got 2 that .* larger"),
    (with_value(1e300).astype(np.longdouble) ** 9, r"X: expected finite inputs .* got 2 that"),
    (with_value(np.nan).astype(np.float16), r"X: expected finite inputs .* index \(5, 2\)"),
    (np.float64(3), r"X: expected one example a row.* got shape \(\)"),
    (X[:, 0], r"X: expected one example a row.* got shape \(30,\); one feature is X.reshape\(-1, 1\)"),
    (images(1, 1, 8, 8), r"X: expected 2 to 4 dimensions.* got 5 .* X.reshape\(len\(X\), -1\)"),
    (X[:0], r"X: expected at least one value, got an empty array of shape \(0, 4\)"),
    (X[:, :0], r"X: expected at least one value, got an empty array of shape \(30, 0\)"),
    (X + 1j, r"X: expected numbers .* got dtype complex128; convert"),
    (X.astype(str), r"X: expected numbers .* got dtype <U"),
    (X.astype(object), r"X: expected numbers .* got dtype object"),
    (X.astype("datetime64[s]"), r"X: expected numbers .* got dtype datetime64"),
    ([[1.0, 2.0], [3.0]], r"X: expected a rectangular array, got list"),
    (masked(), r"X: expected a plain array, got one with masked values"),
    (images(8, 9, 3), r"X: cannot tell .* \(30, 8, 9, 3\) .* set layout to .* X.transpose\(0, 3, 1, 2\)"),
    (images(8, 64, 1), r"X: cannot tell .* \(30, 8, 64, 1\)"),
]

LABELS = [
    (y[:-1], r"y: expected one label for each of the 30 rows of X, got 29"),
    (np.eye(3)[y], r"y: expected labels of shape \(n,\), got \(30, 3\), which looks one-hot; use y.argmax\(axis=1\)"),
    (y[:, None], r"y: expected labels of shape \(n,\), got \(30, 1\); use y.ravel\(\)"),
    (np.int64(1), r"y: expected labels of shape \(n,\), got \(\)"),
    (y[:, None, None], r"y: expected labels of shape \(n,\), got \(30, 1, 1\)"),
    (y + 0.5, r"y: expected class labels .* got 30 values that are none, the first \(0.5\) at index 0; number"),
    (np.where(y == 1, np.nan, y), r"y: expected class labels .* got 10 .* the first \(nan\) at index 1"),
    (np.where(y == 1, np.inf, y), r"y: expected class labels .* the first \(inf\) at index 1"),
    (np.where(y == 1, 1e17, y), r"y: expected class labels .* the first \(1e\+17\) at index 1"),
    (y + 0j, r"y: expected class labels .* got dtype complex128"),
    (y.astype("datetime64[s]"), r"y: expected class labels .* got dtype datetime64"),
    ([*"ab" * 14, "a", None], r"y: expected class labels .* got dtype object"),
    (np.array([b"a", b"\xff", b"c"])[y], r"y: expected labels in UTF-8"),
    (np.zeros(30, int), r"y: expected at least two classes, got only '0'; add"),
    (
        [0] * 28 + [7] * 2,
        r"y: expected at least 3 examples of every class.* got 2 of class '7' \(1 such classes of 2\)",
    ),
]

TESTS = [
    ((X[:, :3], y), r"X_test: expected rows of shape \(4,\) as in X, got \(3,\)"),
    ((images(1, 8, 8), y), r"X_test: expected rows of shape \(4,\) as in X, got \(1, 8, 8\)"),
    ((X, y[:4]), r"y_test: expected one label for each of the 30 rows of X_test, got 4"),
    ((X, y + 1), r"y_test: expected only classes of the training labels, got 1 others, the first '3'; drop"),
    ((with_value(np.nan), y), r"X_test: expected finite inputs"),
    ((X[:0], y[:0]), r"X_test: expected at least one value"),
    ((X, np.eye(3)[y]), r"y_test: .* one-hot"),
    ((X, None), r"X_test, y_test: expected both or neither"),
    ((None, y), r"X_test, y_test: expected both or neither"),
]


@pytest.mark.parametrize(("inputs", "message"), INPUTS)
def test_inputs_that_are_none_are_refused(inputs, message):
    with pytest.raises(DataError, match=f"^{message}") as caught:
        from_arrays(inputs, y)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("labels", "message"), LABELS)
def test_labels_that_are_none_are_refused(labels, message):
    with pytest.raises(DataError, match=f"^{message}") as caught:
        from_arrays(X, labels)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("test", "message"), TESTS)
def test_a_test_set_that_does_not_fit_is_refused(test, message):
    with pytest.raises(DataError, match=f"^{message}") as caught:
        from_arrays(X, y, X_test=test[0], y_test=test[1])
    assert "\n" not in str(caught.value)


def test_two_examples_of_a_class_are_enough_beside_a_test_set():
    task = from_arrays(X, [0] * 28 + [7] * 2, X_test=X[:1], y_test=[7])
    assert np.bincount(task.train.targets).tolist() == [22, 1]
    assert np.bincount(task.validation.targets).tolist() == [6, 1]
    with pytest.raises(DataError, match=r"at least 2 examples of every class.* got 1 of class '7'"):
        from_arrays(X, [0] * 29 + [7], X_test=X[:1], y_test=[7])
