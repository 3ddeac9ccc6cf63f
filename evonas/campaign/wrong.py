"""What is wrong with the fields of a spec, in our words."""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel

from genomes.words import meant

Details = Mapping[str, Any]
"""An error of a validation, as pydantic tells it."""
Model = type[Any]
UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
UNSAID = "given"
"""The name of a task that is an object of a program: only the record says it."""
SHAPES = {"tuple_type": "a list", "dataclass_type": "a table of {}", "literal_error": ""}
"""Errors that say that a value is not even of one of several shapes."""

NEAT_PYTHON = {
    "num_inputs": "",
    "num_outputs": "",
    "num_hidden": "encoding.max_sampled",
    "feed_forward": "encoding.recurrent",
    "initial_connection": "encoding.initial",
    "activation_default": "encoding.activations",
    "activation_options": "encoding.activations",
    "activation_mutate_rate": "encoding.mutations.change_activation",
    "aggregation_default": "encoding.aggregations",
    "aggregation_options": "encoding.aggregations",
    "aggregation_mutate_rate": "encoding.mutations.change_aggregation",
    "weight_init_type": "encoding.distribution",
    "weight_init_stdev": "encoding.weight_init",
    "weight_mutate_rate": "encoding.mutations.perturb_weights",
    "weight_mutate_power": "encoding.weight_power",
    "weight_replace_rate": "encoding.replace_rate",
    "weight_max_value": "encoding.limit",
    "weight_min_value": "encoding.limit",
    "bias_init_stdev": "encoding.bias_init",
    "bias_mutate_rate": "encoding.mutations.perturb_biases",
    "bias_mutate_power": "encoding.bias_power",
    "response_mutate_rate": "encoding.mutations.perturb_responses",
    "response_mutate_power": "encoding.response_power",
    "enabled_mutate_rate": "encoding.mutations.toggle_connection",
    "node_add_prob": "encoding.mutations.add_node",
    "conn_add_prob": "encoding.mutations.add_connection",
    "node_delete_prob": "encoding.mutations.remove_node",
    "conn_delete_prob": "encoding.mutations.remove_connection",
    "compatibility_disjoint_coefficient": "encoding.disjoint",
    "compatibility_weight_coefficient": "encoding.difference",
    "compatibility_threshold": "search.threshold",
    "max_stagnation": "search.stagnation",
    "survival_threshold": "search.survival",
    "elitism": "search.champions",
    "pop_size": "search.population",
    "fitness_threshold": "budget.until",
}
"""What keys of neat-python's configuration are called here; nothing: they follow from the task."""


def said(errors: Iterable[Any], spec: type[BaseModel]) -> str:
    """One line: of every field that is wrong what was expected, what came, and how to mend it.

    Args:
        errors: Those of a validation, as pydantic tells them.
        spec: The model that was validated.
    """
    found: dict[str, None] = {}
    for _, some in groupby(errors, lambda details: _place(details)[0]):
        found |= dict.fromkeys(_said(list(some), spec))
    return "; ".join(found)


def words(model: Model) -> tuple[str, ...]:
    """The names by which a model is chosen: one, or those of a family of data sets."""
    name = _fields(model)["name"]
    return get_args(getattr(name, "annotation", None)) or (name.default,)


def _place(details: Details) -> tuple[list[str], bool]:
    """Where an error is, and whether it is within one of the shapes that a value may have.

    Errors of the same value in different shapes are at the same place, as are keys that are unknown in the same table.
    """
    where = [str(part) for part in details["loc"]]
    shape = next((at for at, part in enumerate(where) if at > 1 and not re.fullmatch(r"[a-z_0-9]+", part)), None)
    if shape is not None:
        return where[:shape], True
    return (where[:-1] if details["type"] in UNKNOWN else where), False


def _said(errors: list[Details], spec: type[BaseModel]) -> Iterator[str]:
    """What is wrong at one place."""
    place, shaped = _place(errors[0])
    if shaped:
        within = [one for one in errors if one["type"] not in SHAPES]
        if not within:
            yield _shapes(_named(place, spec), errors, spec)
        errors = within
    unknown = [one for one in errors if one["type"] in UNKNOWN]
    yield from (_one(one, spec) for one in errors if one not in unknown)
    if unknown:
        yield from _unknown(unknown, spec)


def _shapes(name: str, errors: list[Details], spec: type[BaseModel]) -> str:
    """What is said of a value that has none of several shapes."""
    expected = []
    for one in errors:
        fields = _model_at([*map(str, one["loc"]), ""], spec) if one["type"] == "dataclass_type" else ()
        expected.append(SHAPES[one["type"]].format(", ".join(fields)) or one["ctx"]["expected"])
    got = errors[0]["input"]
    choices = [word for one in errors for word in _choices(one)]
    return f"{name}: expected {' or '.join(expected)}, got {got!r}; {meant(got, choices)}"


def _unknown(errors: list[Details], spec: type[BaseModel]) -> Iterator[str]:
    """What is said of keys that a table does not have."""
    where = [str(part) for part in errors[0]["loc"]]
    fields = _model_at(where, spec)
    rest = []
    for one in errors:
        name = _named([str(part) for part in one["loc"]], spec)
        key = name.rpartition(".")[2]
        inner = next((f"{field}.{key}" for field, model in fields.items() if key in _inner(model)), "")
        if hint := f"did you mean {inner}?" if inner else _here(key, where[0], fields) or meant(key, fields, ""):
            yield f"{name}: unknown key; {hint}"
        else:
            rest.append(name)
    if rest:
        yield f"{', '.join(rest)}: unknown key{'s' * (len(rest) > 1)}; known are {', '.join(sorted(fields))}"


def _here(key: str, table: str, fields: Iterable[str]) -> str:
    """What a key of neat-python is called here; nothing if it is none of them, or the table has no such field."""
    if key not in NEAT_PYTHON:
        return ""
    name = NEAT_PYTHON[key]
    place, _, field = name.partition(".")
    if place == table and field.partition(".")[0] not in fields:
        return ""
    words = f"here it is {name}" if name else "here the task says it"
    return f"{words} (docs/neat.md has neat-python's others)"


def _one(details: Details, spec: type[BaseModel]) -> str:
    name = _named([str(part) for part in details["loc"]], spec)
    if details["type"].startswith("union_tag"):
        tags = details["ctx"].get("expected_tags", "a name").replace("'", "").split(", ")
        options, got = [tag for tag in tags if tag != UNSAID], details["ctx"].get("tag", "none")
        return f"{name}.name: expected one of {', '.join(options)}, got {got!r}; {meant(got, options, 'name one')}"
    if details["type"] == "missing":
        return f"{name}: missing; add it"
    message = details["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    if not (isinstance(details["input"], Mapping) or details["type"] == "value_error"):
        message += f", got {details['input']!r}"
    if hint := meant(details["input"], _choices(details), ""):
        message += f"; {hint}"
    return f"{name}: {message}" if name else message


def _choices(details: Details) -> list[str]:
    """The words of which one was expected."""
    return re.findall(r"'([^']*)'", details["ctx"]["expected"]) if details["type"] == "literal_error" else []


def _named(where: list[str], spec: type[BaseModel]) -> str:
    """The dotted name of a place, without the word by which one of several models of a table is chosen."""
    tags: set[str] = set()
    if where and where[0] in ("task", "encoding", "search"):
        tags = {word for model in get_args(spec.model_fields[where[0]].annotation) for word in words(model)}
    shapes = [at for at, part in enumerate(where) if at > 1 and not re.fullmatch(r"[a-z_0-9]+", part)]
    return ".".join(part for at, part in enumerate(where) if at not in shapes and (at != 1 or part not in tags))


def _fields(model: Model) -> Mapping[str, Any]:
    found: Mapping[str, Any] = getattr(model, "model_fields", None) or model.__dataclass_fields__
    return found


def _inner(hint: Any) -> Mapping[str, Any]:
    """The fields of a table within a table, none where it is none."""
    return get_type_hints(hint) if dataclasses.is_dataclass(hint) else {}


def _model_at(where: list[str], spec: type[BaseModel]) -> dict[str, Any]:
    """The fields that may stand where an error is, and their types where the table is a dataclass."""
    if len(where) < 2 or where[0] not in spec.model_fields:
        return dict.fromkeys(spec.model_fields)
    annotation = spec.model_fields[where[0]].annotation
    for model in get_args(annotation) or (annotation,):
        fields = _fields(model)
        if len(where) < 3 or "name" not in fields or where[1] in words(model):
            if not dataclasses.is_dataclass(model):
                return dict.fromkeys(fields)
            hints = get_type_hints(model)
            found = list(_dataclasses(hints[where[2]], where[3:-1])) if len(where) > 3 else []
            return get_type_hints(found[0]) if found else hints
    return {}


def _dataclasses(hint: Any, where: list[str]) -> Iterator[Any]:
    """Those that a type consists of; where an error names one, that alone."""
    if dataclasses.is_dataclass(hint) and (hint.__name__ in where or not where):  # type: ignore[union-attr]
        yield hint
    for part in get_args(hint):
        yield from _dataclasses(part, where)
