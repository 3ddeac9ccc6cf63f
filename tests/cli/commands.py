"""What a command answered."""

import json
from collections.abc import Callable
from typing import Any

Command = Callable[..., tuple[int, str, str]]


def refused(result: tuple[int, str, str], code: int, *expected: str) -> str:
    """The one line that a command refused with."""
    assert result[0] == code, result
    assert result[1] == "", "results alone go to stdout"
    assert result[2].count("\n") == 1, result[2]
    assert result[2].startswith("evonas: ")
    assert "Traceback" not in result[2]
    for text in expected:
        assert text in result[2]
    return result[2]


def parsed(result: tuple[int, str, str]) -> Any:
    assert (result[0], result[2]) == (0, ""), result
    return json.loads(result[1])
