"""What the JSON of every encoding keeps to, and that damage to it is refused."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from genomes import Encoding
from tests.contracts.test_encodings import Case, evolved, sampled, written


def leaves(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    pairs: Any = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    if not isinstance(data, dict | list):
        yield path
    for key, value in pairs:
        yield from leaves(value, (*path, key))


def damaged(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    data = at = copy.deepcopy(data)
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return data


def refused(encoding: Encoding, data: Any) -> None:
    with pytest.raises(ValueError, match="expected") as refusal:
        encoding.from_json(data)
    assert refusal.type is ValueError
    assert "\n" not in str(refusal.value)


def test_json_refuses_other_kinds_and_versions(case: Case) -> None:
    encoding, _ = case
    data = encoding.to_json(evolved(encoding, 8))
    for other in ("no such encoding", "", None, 1):
        refused(encoding, {**data, "encoding": other})
    for version in (0, 999, "1", None):
        refused(encoding, {**data, "version": version})
    for nothing in ({}, [], None, 3, "genome", [data]):
        refused(encoding, nothing)


def test_json_refuses_damage_anywhere(case: Case) -> None:
    encoding, _ = case
    data = json.loads(written(encoding, sampled(encoding, 8)))
    for key in data:
        refused(encoding, {name: value for name, value in data.items() if name != key})
        for value in (None, 7, "text", [], {}, [None], [[]], {"a": 1}):
            refused(encoding, {**data, key: value})
    for path in leaves(data):
        for value in (None, True, [], {}, "no such word", float("nan"), float("inf"), 10**30):
            refused(encoding, damaged(data, path, value))
