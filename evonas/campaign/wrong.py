"""What is wrong with a field of a spec, in our words."""

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel

from genomes.words import meant


def said(details: Any, spec: type[BaseModel]) -> str:
    """One line: where, what was expected, what came, and how to mend it.

    Args:
        details: An error of a validation, as pydantic tells it.
        spec: The model that was validated.
    """
    where = [str(part) for part in details["loc"]]
    model = _model_at(where, spec)
    plain = [part for index, part in enumerate(where) if index != 1 or part not in _tags(where[0], spec)]
    name = ".".join(plain)
    if details["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        known = sorted(model)
        listed = f"known are {', '.join(known)}"
        return f"{name}: unknown key; {meant(plain[-1], known, listed)}"
    if details["type"].startswith("union_tag"):
        options = details["ctx"].get("expected_tags", "a name").replace("'", "")
        got = details["ctx"].get("tag", "none")
        return f"{name}.name: expected one of {options}, got {got!r}; {meant(got, options.split(', '), 'name one')}"
    message = details["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    if details["type"] == "missing":
        return f"{name}: missing; add it"
    got = (
        ""
        if isinstance(details["input"], Mapping) or details["type"] == "value_error"
        else f", got {details['input']!r}"
    )
    return f"{name}: {message}{got}" if name else f"{message}{got}"


def words(model: Any) -> tuple[str, ...]:
    """The names by which a model is chosen: one, or those of a family of data sets."""
    name = _fields(model)["name"]
    return get_args(getattr(name, "annotation", None)) or (name.default,)


def _tags(table: str, spec: type[BaseModel]) -> set[str]:
    """The words by which one of several models of a table is chosen."""
    if table not in ("task", "encoding", "search"):
        return set()
    return {word for model in get_args(spec.model_fields[table].annotation) for word in words(model)}


def _fields(model: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = getattr(model, "model_fields", None) or model.__dataclass_fields__
    return found


def _model_at(where: list[str], spec: type[BaseModel]) -> set[str]:
    """Names of the fields that may stand where an error is."""
    if len(where) < 2 or where[0] not in spec.model_fields:
        return set(spec.model_fields)
    annotation = spec.model_fields[where[0]].annotation
    for model in get_args(annotation) or (annotation,):
        fields = _fields(model)
        if len(where) < 3 or "name" not in fields or where[1] in words(model):
            inner = getattr(fields.get(where[2]), "type", None) if len(where) > 3 else None
            return set(getattr(inner, "__dataclass_fields__", fields))
    return set()
