"""Text as a task: its parts, its symbols, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from evonas.tasks import DataError, Text
from evonas.tasks.text import UNKNOWN, encoded


def written(directory: Path, text: str | bytes, name: str = "a.txt") -> Path:
    path = directory / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_the_bundled_text_is_there() -> None:
    task = Text().load()
    text = "".join(task.classes[code] for code in task.train.inputs[:63])
    assert text == "The words of the Preacher, the son of David, king in Jerusalem."
    assert (task.kind, task.input_shape, task.n_outputs) == ("language", (60,), 60)
    assert task.classes[0] == UNKNOWN
    assert len(task.train) + len(task.validation) + len(task.test) + 3 == 48_018


def test_parts_are_contiguous_and_every_symbol_is_followed_by_its_target(tmp_path: Path) -> None:
    text = "".join(chr(97 + at % 26) for at in range(200)) + "\n"
    task = Text(path=str(written(tmp_path, text)), validation_fraction=0.1, test_fraction=0.2).load()
    assert [len(part) + 1 for part in (task.train, task.validation, task.test)] == [141, 20, 40]
    back = ""
    for part in (task.train, task.validation, task.test):
        assert np.array_equal(part.inputs[1:], part.targets[:-1])
        back += "".join(task.classes[code] for code in [*part.inputs, part.targets[-1]])
    # The newline is in the test part alone: no symbol of the training part.
    assert back == text[:-1] + UNKNOWN


def test_symbols_are_those_of_the_training_part(tmp_path: Path) -> None:
    text = "ab" * 45 + "ac" * 5
    task = Text(path=str(written(tmp_path, text))).load()
    assert task.classes == (UNKNOWN, "a", "b")
    assert set(task.test.targets) == {0, 1}
    assert encoded("bαa🙂\ud800" + UNKNOWN, task.classes).tolist() == [2, 0, 1, 0, 0, 0]


def test_any_script_and_a_byte_order_mark(tmp_path: Path) -> None:
    text = "Ὅμηρος 🙂 " * 30
    task = Text(path=str(written(tmp_path, b"\xef\xbb\xbf" + text.encode()))).load()
    assert task.classes == (UNKNOWN, *sorted(set(text)))
    assert task.files.keys() == {"a.txt"}


def test_characters_cuts_the_text_and_the_fingerprint_tells_texts_apart(tmp_path: Path) -> None:
    path = written(tmp_path, "abc" * 100)
    short, whole = Text(path=str(path), characters=120).load(), Text(path=str(path)).load()
    assert len(short.train) == 107
    assert short.fingerprint == Text(path=str(written(tmp_path, "abc" * 40, "b.txt"))).load().fingerprint
    assert short.fingerprint != whole.fingerprint


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "expected text, got an empty file"),
        (b"\xff" * 100, "expected text in UTF-8, got another byte at 0"),
        (b"abc\xe9" * 100, "got another byte at 3"),
        (b"PK\0\0" * 100, "got binary data"),
        ("a" * 1000, "expected two symbols or more, got only 'a'"),
        ("ab", "expected at least 2 characters in each part, got 2 to train, 0 to validate and 0 to test"),
        ("ab" * 14, "expected at least 2 characters in each part, got 26 to train, 1 to validate"),
        ("\ufeff", "expected at least 2 characters"),
        (UNKNOWN * 100, "expected two symbols or more"),
    ],
    ids=str,
)
def test_what_is_no_text_is_refused_in_one_line(content: str | bytes, expected: str, tmp_path: Path) -> None:
    path = written(tmp_path, content)
    with pytest.raises(DataError, match=expected) as refusal:
        Text(path=str(path)).load()
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_files_that_are_none(tmp_path: Path) -> None:
    for path, expected in ((tmp_path, "got a directory"), (tmp_path / "b.txt", "found nothing there")):
        with pytest.raises(DataError, match=expected):
            Text(path=str(path)).load()
