"""Writes docs/spec.md from the models that check a spec: `python docs/make_spec.py`. A test holds the two together."""

import dataclasses
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from evonas.campaign import CampaignBudget, Objectives, Spec
from evonas.evaluation import EvaluationConfig
from evonas.search import AgeingConfig, ControllerConfig, EvolutionConfig, ListedConfig, RandomConfig, SpeciatedConfig
from evonas.tasks import (
    Arrays,
    Boolean,
    Boxes,
    Bundled,
    Cifar,
    Diabetes,
    Digits,
    Gym,
    Idx,
    Images,
    Own,
    Parity,
    Poles,
    RetinaTask,
    Table,
    Text,
    Xor,
)
from evonas.training import Training
from genomes import Canvas, Cell, Cppn, Dag, EsHyperNeat, HyperNeat, Neat, Recurrent

HEAD = """\
# The spec

A campaign is told what to do by a TOML file, or by the same fields as arguments of `evonas.Campaign`. Unknown keys are
refused. `evonas run SPEC --set training.epochs=4` replaces one field. This page is written from the models that check
it.
"""
TABLES: tuple[tuple[str, type[Any]], ...] = (
    ('[task] with `name = "digits"`', Digits),
    ('[task] with `name = "breast_cancer"`, `"iris"` or `"wine"`', Bundled),
    ('[task] with `name = "diabetes"`', Diabetes),
    ('[task] with `name = "fashion_mnist"`, `"kmnist"` or `"mnist"`', Idx),
    ('[task] with `name = "cifar10"` or `"cifar100"`', Cifar),
    ('[task] with `name = "arrays"`', Arrays),
    ('[task] with `name = "table"`', Table),
    ('[task] with `name = "images"`', Images),
    ('[task] with `name = "text"`', Text),
    ('[task] with `name = "xor"`', Xor),
    ('[task] with `name = "parity"`', Parity),
    ('[task] with `name = "boolean"`', Boolean),
    ('[task] with `name = "own"`', Own),
    ('[task] with `name = "single_pole"` or `"double_pole"`', Poles),
    ('[task] with `name = "boxes"`', Boxes),
    ('[task] with `name = "retina"`', RetinaTask),
    ('[task] with `name = "gym"`', Gym),
    ('[encoding] with `name = "dag"`', Dag),
    ('[encoding] with `name = "cell"`', Cell),
    ('[encoding] with `name = "recurrent"`', Recurrent),
    ('[encoding] with `name = "neat"`', Neat),
    ('[encoding] with `name = "cppn"`', Cppn),
    ('[encoding] with `name = "hyperneat"`', HyperNeat),
    ('[encoding] with `name = "es_hyperneat"`', EsHyperNeat),
    ('[encoding] with `name = "canvas"`', Canvas),
    ('[search] with `name = "evolution"`', EvolutionConfig),
    ('[search] with `name = "ageing"`', AgeingConfig),
    ('[search] with `name = "speciated"`', SpeciatedConfig),
    ('[search] with `name = "random"`', RandomConfig),
    ('[search] with `name = "controller"`', ControllerConfig),
    ('[search] with `name = "listed"`', ListedConfig),
    ("[training]", Training),
    ("[evaluation]", EvaluationConfig),
    ("[objectives]", Objectives),
    ("[budget]", CampaignBudget),
)
NOTES = {"[budget]": ["Whichever comes first. Without this table: 200 evaluations, or those of a list.\n"]}
NOT_SET_BY_USERS = ("name", "operators", "source", "input_shape", "n_inputs", "n_outputs")
"""The last three are an encoding's, which a campaign sets from its task."""


def reference() -> str:
    """The page."""
    plain = {name: field for name, field in Spec.model_fields.items() if field.description}
    parts = [
        HEAD,
        "## At the top\n",
        _table([(name, _default(field), field.description) for name, field in plain.items()]),
    ]
    for title, model in TABLES:
        parts += [f"## {title}\n", *NOTES.get(title, ()), _table(_rows(model))]
    return "\n".join(parts)


def _rows(model: type[Any]) -> list[tuple[str, str, str]]:
    if issubclass(model, BaseModel):
        fields = model.model_fields.items()
        rows = [(name, _default(field), field.description or "") for name, field in fields]
    else:
        text = "\n".join(base.__doc__ or "" for base in model.__mro__)
        described = dict(re.findall(r"^        (\w+): ((?:.+\n?(?:            .+\n?)*))", text, re.M))
        rows = [
            (
                field.name,
                _written(None if field.default is dataclasses.MISSING else field.default),
                " ".join(described[field.name].split()),
            )
            for field in dataclasses.fields(model)
            if field.name in described
        ]
    return [row for row in rows if row[0] not in NOT_SET_BY_USERS]


def _default(field: Any) -> str:
    return "required" if field.default is PydanticUndefined else _written(field.default)


def _written(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{list(value)}`".replace("'", '"') if isinstance(value, tuple) else f"`{value!r}`".replace("'", '"')


def _table(rows: list[tuple[str, str, str]]) -> str:
    lines = [f"| `{name}` | {default} | {text.replace('|', '&#124;')} |" for name, default, text in rows]
    return "\n".join(["| field | default | meaning |", "|---|---|---|", *lines, ""])


if __name__ == "__main__":
    Path(__file__).with_name("spec.md").write_text(reference(), "utf-8")
