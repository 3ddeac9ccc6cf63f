"""Genomes from text that nobody vouches for: a log, a file."""

import json
import math
from collections.abc import Mapping
from reprlib import repr as shortened
from typing import Any, NoReturn, TypeVar

from genomes.encoding import Encoding, Genome

G = TypeVar("G", bound=Genome)
MAX_CHARACTERS = 4 << 20
"""Characters that a genome's text may have."""
MAX_DEPTH = 16
"""Lists and objects of a genome's JSON that may lie in each other."""
MAX_DIGITS = 40
"""Digits that a whole number of a genome may have, its sign among them."""


def read_genome(encoding: Encoding[G], text: str) -> G:
    """The genome that a text holds, if it is one: whatever else it is, is refused before anything is made of it.

    Args:
        encoding: Says what its genomes are; `from_json` keeps to limits of its own, on nodes, blocks and sizes.
        text: JSON as `json.dumps(encoding.to_json(genome))` writes it.

    Raises:
        ValueError: In one line, if the text is too long or too deep, no strict JSON, or no genome of this encoding.
    """
    if not isinstance(text, str):
        raise ValueError(f"genome: expected JSON text, got {type(text).__name__}; put back what was written")
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"genome: expected at most {MAX_CHARACTERS:,} characters, got {len(text):,}; simplify it")
    try:
        data = json.loads(text, parse_constant=_refuse, parse_float=_finite, parse_int=_whole)
    except RecursionError:
        raise ValueError(_too_deep()) from None
    except json.JSONDecodeError as error:
        raise ValueError(f"genome: expected JSON, got none ({error}); put back what was written") from None
    level = [data]
    for _ in range(MAX_DEPTH):
        level = [part for value in level for part in _parts(value)]
    if any(isinstance(value, (dict, list)) for value in level):
        raise ValueError(_too_deep())
    return encoding.from_json(data)


def check_kind(data: Any, encoding: str, version: int = 1) -> None:
    """Check that JSON data claim to be a genome of this encoding and version.

    Raises:
        ValueError: If they do not.
    """
    if not isinstance(data, Mapping):
        raise ValueError(f"expected a {encoding} genome, got {type(data).__name__}; use what `to_json` wrote")
    kind, found = data.get("encoding"), data.get("version")
    if kind != encoding or found is True or found != version:
        got = f"{shortened(kind)} version {shortened(found)}"
        raise ValueError(
            f"expected a {encoding} genome of version {version}, got {got}; use the encoding that wrote it"
        )


def _too_deep() -> str:
    return f"genome: expected at most {MAX_DEPTH} lists and objects in each other, got more; flatten it"


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"genome: expected finite numbers, got {word[:MAX_DIGITS]}; correct it")


def _finite(word: str) -> float:
    value = float(word)
    return value if math.isfinite(value) else _refuse(word)


def _whole(word: str) -> int:
    if len(word) > MAX_DIGITS:
        raise ValueError(f"genome: expected numbers of at most {MAX_DIGITS} digits, got {len(word):,}; correct it")
    return int(word)
