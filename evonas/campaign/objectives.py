"""What a campaign optimises: the `[objectives]` table."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from evonas.evaluation.measure import LATENCIES, SIZES, Constraint, Screening
from evonas.tasks import KINDS, Kind
from genomes.words import meant

LEARNED = tuple(dict.fromkeys(name for kind in KINDS.values() for name in kind.metrics))
"""Metrics that are known once a candidate is trained, of all kinds of tasks."""
METRICS = (*LEARNED, *SIZES, *LATENCIES)

Rank = tuple[float, float, int]
"""What orders individuals, the largest best."""


class Objectives(BaseModel):
    """What is optimised: the `[objectives]` table.

    One metric, or several with weights, is a single fitness; several without weights are pursued side by side, and the
    result is a front.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    maximize: tuple[str, ...] = Field(
        (),
        description="Metrics to maximise: those of the kind of task (accuracy, loss; r2, rmse, loss; "
        "bits_per_character, loss; fitness, solved and what else a problem tells), parameters, macs, peak_memory "
        "(bytes), latency_1, latency_64 (seconds of a forward "
        "pass of 1 or 64 examples). The first of its kind if neither this nor `minimize` is given.",
    )
    minimize: tuple[str, ...] = Field((), description="Metrics to minimise. Several objectives give a Pareto front.")
    weights: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        {},
        description="A factor for every objective: what is maximised less what is minimised, weighted, is the fitness.",
    )
    constraints: tuple[str, ...] = Field(
        (),
        description='What a candidate must keep to, or it is not trained, such as "parameters <= 100_000": <= or >=, '
        "and a metric that is known before training.",
    )

    @model_validator(mode="before")
    @classmethod
    def _default(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and not {"maximize", "minimize"} & data.keys():
            return {**data, "maximize": ("accuracy",)}
        return data

    @field_validator("constraints")
    @classmethod
    def _constrainable(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            metric = Constraint.parse(text).metric
            known = (*SIZES, *LATENCIES)
            if metric in LEARNED:
                raise ValueError(
                    f"expected a metric known before training among {', '.join(known)}, got {metric}; "
                    "make it an objective"
                )
            _check_known(metric, known)
        return texts

    @model_validator(mode="after")
    def _consistent(self) -> "Objectives":
        if not self.names:
            raise ValueError(f"expected one metric or more among {', '.join(METRICS)}, got none; name one")
        if twice := [name for name in dict.fromkeys(self.names) if self.names.count(name) > 1]:
            raise ValueError(f"expected every metric once, got {twice[0]} again; remove one")
        for name in self.weights:
            _check_known(name, self.names, "weights of objectives")
        if self.weights and (missing := [name for name in self.names if name not in self.weights]):
            raise ValueError(f"expected a weight for every objective, got none for {', '.join(missing)}; add it")
        return self

    def check_kind(self, kind: Kind) -> None:
        """Check that a kind of task has the metrics that are objectives.

        Raises:
            ValueError: If one is that of another kind.
        """
        for name in self.names:
            _check_known(name, (*kind.metrics, *SIZES, *LATENCIES), "metrics of this task")

    @property
    def names(self) -> tuple[str, ...]:
        """The metrics, those to maximise first."""
        return (*self.maximize, *self.minimize)

    @property
    def several(self) -> bool:
        """True if no single number says which of two individuals is better."""
        return len(self.names) > 1 and not self.weights

    @property
    def screening(self) -> Screening:
        """What is measured, and must hold, before a candidate is trained."""
        constraints = tuple(Constraint.parse(text) for text in self.constraints)
        named = {*self.names, *(one.metric for one in constraints)}
        return Screening(tuple(name for name in LATENCIES if name in named), constraints)

    @property
    def timed(self) -> bool:
        """True if a clock decides."""
        return bool(self.screening.latencies)

    @property
    def label(self) -> str:
        """What fitness is, in a word or two."""
        if self.weights:
            terms = [f"+ {self.weights[name]:g} × {name}" for name in self.maximize]
            terms += [f"− {self.weights[name]:g} × {name}" for name in self.minimize]
            return " ".join(terms).removeprefix("+ ")
        return self.maximize[0] if self.maximize else f"−{self.minimize[0]}"

    def values(self, metrics: Mapping[str, float]) -> tuple[float, ...]:
        """The values of an evaluation's metrics, higher is better: one an objective, or their weighted sum alone."""
        values = [metrics[name] for name in self.maximize] + [-metrics[name] for name in self.minimize]
        if self.weights:
            return (sum(self.weights[name] * value for name, value in zip(self.names, values, strict=True)),)
        return tuple(values)

    def fitness(self, metrics: Mapping[str, float]) -> float:
        """The single value of an evaluation's metrics, higher is better; of several objectives, that of the first."""
        return self.values(metrics)[0]

    def rank(self, individual: int, metrics: Mapping[str, float]) -> Rank:
        """What orders individuals, the largest best: fitness, then whether a problem is solved, or the lower loss,
        where one is told, then the earlier number.
        """
        return self.fitness(metrics), metrics.get("solved", -metrics.get("loss", 0.0)), -individual


def _check_known(name: str, known: tuple[str, ...], what: str = "metrics") -> None:
    if name not in known:
        raise ValueError(f"expected {what} among {', '.join(known)}, got {name!r}; {meant(name, known, 'name one')}")
