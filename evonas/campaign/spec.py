"""What a campaign is told: the spec, as TOML or as Python objects with the same fields."""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from evonas.campaign.budget import CampaignBudget
from evonas.campaign.objectives import Objectives, Rank
from evonas.campaign.wrong import said, words
from evonas.evaluation.evaluator import EvaluationConfig
from evonas.evaluation.measure import SIZES
from evonas.record import Individual
from evonas.search import AgeingConfig, ControllerConfig, EvolutionConfig, ListedConfig, RandomConfig, SpeciatedConfig
from evonas.tasks import KINDS, Kind, Own, TaskConfig, called, word_of
from evonas.tasks.task import BEHAVIOUR, CLASSIFICATION, LANGUAGE
from evonas.training.config import Training
from genomes import Canvas, Cell, Cppn, Dag, Encoding, EsHyperNeat, HyperNeat, Neat, Recurrent
from genomes.encoding import FIXED, WEIGHTED
from genomes.neurons import BUILT_IN, expect_activation
from genomes.published import references
from genomes.words import meant

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


if TYPE_CHECKING:
    # The engine sees an encoding, whichever it is.
    EncodingChoice = Encoding[Any]
else:
    EncodingChoice = Annotated[
        Dag | Cell | Recurrent | Neat | Cppn | HyperNeat | EsHyperNeat | Canvas, Field(discriminator="name")
    ]


MAX_NAME = 100
OF_IMAGES = ("shift", "flip", "cutout", "drop_path", "auxiliary")
"""Fields of `[training]` that mean nothing for a text."""


class SpecError(ValueError):
    """A spec that cannot be used; the message says where, what was expected, what came and how to mend it."""


class Spec(BaseModel):
    """A campaign: the same spec and seed give the same results, bit for bit, unless it is timed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(
        "campaign",
        pattern=r"^[\w-][\w.-]*$",
        max_length=MAX_NAME,
        description="Names the directory of its output. A file that names none gives its own name.",
    )
    seed: int = Field(0, ge=0, lt=2**63, description="All that is drawn depends on it, but for the data's splits.")
    task: TaskConfig
    encoding: EncodingChoice
    search: Annotated[
        EvolutionConfig | AgeingConfig | SpeciatedConfig | RandomConfig | ControllerConfig | ListedConfig,
        Field(discriminator="name"),
    ]
    training: Training = Training()
    evaluation: EvaluationConfig = EvaluationConfig()
    objectives: Objectives = Objectives(maximize=("accuracy",))
    budget: CampaignBudget = CampaignBudget(evaluations=200)
    control: Literal["random", "none"] = Field(
        "none", description="random: after the search, random search is given the same budget, for comparison."
    )
    keep_best: int = Field(
        5, ge=1, description="So many of the best keep their weights, beside those the search keeps."
    )

    @model_validator(mode="before")
    @classmethod
    def _named(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        filled = {"task": {}, "encoding": {}, "search": {}, **data}
        for table, name in (("task", _task_name(filled["task"])), ("encoding", "dag"), ("search", "evolution")):
            value = filled[table]
            if isinstance(value, str):
                filled[table] = {"name": value}
            elif isinstance(value, Mapping):
                filled[table] = {"name": name, **value}
        filled["objectives"] = _with_score(filled.get("objectives", {}), filled["task"])
        if "budget" not in filled and (n := _n_listed(filled["search"])) > 0:
            filled["budget"] = {"evaluations": n}
        return filled

    @model_validator(mode="after")
    def _no_control_of_a_list(self) -> "Spec":
        if self.listed and self.control != "none":
            raise ValueError(f"control: expected none beside a list, got {self.control}; run random search on its own")
        return self

    @model_validator(mode="after")
    def _measured(self) -> "Spec":
        if self.task.kind == BEHAVIOUR and not isinstance(self.task, Own):
            return self  # A problem may measure more than all problems do: what, is known once it is loaded.
        try:
            self.objectives.check_kind(self.kind)
        except ValueError as error:
            raise ValueError(f"objectives: {error}") from None
        return self

    @model_validator(mode="after")
    def _of_images(self) -> "Spec":
        set_ = [name for name in OF_IMAGES if getattr(self.training, name)]
        if self.task.kind == LANGUAGE and set_:
            raise ValueError(f"training.{set_[0]}: expected images to use it on, got a text; remove it")
        return self

    @model_validator(mode="after")
    def _pursued(self) -> "Spec":
        if self.objectives.several and not self.search.several:
            names = ", ".join(self.objectives.names)
            raise ValueError(
                f"search {self.search.name} needs one objective, got {names}; give weights or use evolution"
            )
        return self

    @model_validator(mode="after")
    def _goal_is_measured(self) -> "Spec":
        goal, known = self.budget.goal, (*self.kind.metrics, *SIZES)
        if goal is None or goal.metric in known:
            return self
        # A problem may measure more than all problems do.
        hint = meant(goal.metric, known, "", likeness=0.8 if self.task.kind == BEHAVIOUR else 0.6)
        if hint or self.task.kind != BEHAVIOUR:
            expected = f"a metric among {', '.join(known)}"
            raise ValueError(f"budget.until: expected {expected}, got {goal.metric}; {hint or 'name one'}")
        return self

    @model_validator(mode="after")
    def _judged_untrained(self) -> "Spec":
        if not self.untrained:
            return self
        judged = f"nothing to be trained, as {self.about} is judged" if self.training.epochs else "no training"
        if WEIGHTED not in self.encoding.abilities:
            models = get_args(Spec.model_fields["encoding"].annotation)
            known = ", ".join(model().name for model in models if WEIGHTED in model().abilities)
            train = "" if self.task.kind == BEHAVIOUR else ", or train"
            raise ValueError(
                f"encoding.name: expected one of {known}, whose genomes say what the weights are, for {judged}, got "
                f"{self.encoding.name}; use one{train}"
            )
        if self.budget.epochs is not None:
            raise ValueError(f"budget.epochs: expected evaluations or seconds, for {judged}, got epochs; give those")
        if self.evaluation.timeout is not None:
            raise ValueError(f"evaluation.timeout: expected none, for {judged}, many at once; limit budget.seconds")
        if self.objectives.timed:
            raise ValueError(f"objectives: expected no latency, for {judged}, many at once; minimise macs")
        return self

    @model_validator(mode="after")
    def _remembered(self) -> "Spec":
        if getattr(self.task, "needs_memory", False) and not getattr(self.encoding, "recurrent", False):
            expected = f"a recurrent one, as {self.about} without velocities needs memory"
            mend = "use neat with recurrent = true, or task.velocities"
            raise ValueError(f"encoding: expected {expected}, got a feed-forward {self.encoding.name}; {mend}")
        return self

    @model_validator(mode="after")
    def _nothing_ignored(self) -> "Spec":
        if not self.untrained:
            return self
        usual = Training.model_fields
        set_ = [name for name in usual if name != "epochs" and getattr(self.training, name) != usual[name].default]
        if self.training.epochs not in (0, usual["epochs"].default):
            set_ = ["epochs", *set_]
        if self.task.kind == BEHAVIOUR and set_:
            names = ", ".join(f"training.{name}" for name in set_)
            raise ValueError(f"{names}: expected none, as {self.about} trains nothing, got a value; remove it")
        if isinstance(self.encoding, HyperNeat) and FIXED not in self.encoding.abilities:
            mend = "" if self.task.kind == BEHAVIOUR else ", or set training.epochs"
            raise ValueError(
                f"encoding.mode: expected evolved where nothing is trained, got {self.encoding.mode}; remove it{mend}"
            )
        return self

    @property
    def untrained(self) -> bool:
        """True if candidates are judged by what they do as they are: on a problem, without epochs, or where nothing in
        them can be trained."""
        return self.task.kind == BEHAVIOUR or self.training.epochs == 0 or FIXED in self.encoding.abilities

    @property
    def about(self) -> str:
        """What its task is called."""
        return called(self.task)

    @property
    def kind(self) -> Kind:
        """What is measured on its task."""
        return self.task.measured if isinstance(self.task, Own) else KINDS[self.task.kind]

    @property
    def listed(self) -> ListedConfig | None:
        """The list that is evaluated, where the search is one."""
        return self.search if isinstance(self.search, ListedConfig) else None

    @property
    def granted(self) -> CampaignBudget:
        """The budget in force: that of a list ends with the list."""
        if self.listed is None:
            return self.budget
        n = self.listed.n_candidates
        return self.budget.model_copy(update={"evaluations": min(n, self.budget.evaluations or n)})

    @property
    def timed(self) -> bool:
        """True if a clock decides anything: equal results are then not promised."""
        return self.budget.seconds is not None or self.evaluation.timeout is not None or self.objectives.timed

    def spent(self, seconds: float, individuals: Iterable[Individual]) -> CampaignBudget:
        """What was spent, as the budget of a control: the same seconds if there is a limit of them, else epochs.

        Where nothing is trained, evaluations.
        """
        if self.budget.seconds is not None:
            return CampaignBudget(seconds=max(seconds, 1.0))
        epochs = [one.epochs for one in individuals]
        return (
            CampaignBudget(evaluations=max(1, len(epochs)))
            if self.untrained
            else CampaignBudget(epochs=max(1, sum(epochs)))
        )

    def rank(self, individual: int, metrics: Mapping[str, float]) -> Rank:
        """What orders individuals, the largest best; see `Objectives.rank`."""
        return self.objectives.rank(individual, metrics)

    def of_control(self, budget: CampaignBudget) -> "Spec":
        """The spec of its control: random search on the same seed."""
        changes = {"name": f"{self.name}-control", "search": RandomConfig(), "control": "none", "budget": budget}
        return self.model_copy(update=changes)


def read(path: Path, changes: Mapping[str, Any] | None = None) -> Spec:
    """Read a spec file; relative paths in it start at its directory, and files of genomes are read.

    Args:
        path: A TOML file.
        changes: Values by dotted name that replace those of the file, e.g. `{"training.epochs": 4}`.

    Raises:
        SpecError: If the file, or one of a genome, is missing or cannot be read, or it is no spec.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise SpecError(f"{path}: expected a spec file, found none; `evonas init` writes one") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise SpecError(f"{path}: expected a readable spec file, got an error: {reason}") from None
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{path}: expected TOML, got an error: {error}") from None
    change(data, changes or {})
    data.setdefault("name", name_of(path))
    search = data.get("search")
    if isinstance(search, dict) and isinstance(search.get("genomes"), list):
        search["genomes"] = [_genome(entry, path) for entry in search["genomes"]]
    spec = parse(data, source=str(path))
    if isinstance(named := getattr(spec.task, "path", None), str):
        absolute = str((path.parent / Path(named).expanduser()).resolve())
        spec = spec.model_copy(update={"task": spec.task.model_copy(update={"path": absolute})})
    return spec


def name_of(path: Path) -> str:
    """The name of a campaign whose spec is a file that gives none: that of the file."""
    letters = (letter if letter.isalnum() or letter in "_.-" else "-" for letter in path.stem)
    return "".join(letters).lstrip(".")[:MAX_NAME] or "campaign"


def parse(data: Mapping[str, Any], *, source: str = "spec") -> Spec:
    """Check a spec given as nested mappings.

    Raises:
        SpecError: One line that names every field that is wrong.
    """
    try:
        return Spec.model_validate(data)
    except ValidationError as error:
        raise SpecError(f"{source}: {said(error.errors(), Spec)}") from None


def recorded(data: Mapping[str, Any], *, source: str) -> Spec:
    """The spec of a record, which may name activations that the program that wrote it registered.

    Raises:
        SpecError: Naming every field that is wrong.
    """
    for name in own_activations(data.get("encoding") if isinstance(data, Mapping) else None):
        expect_activation(name)
    return parse(data, source=source)


def own_activations(encoding: Any) -> set[str]:
    """The activations that an encoding, as nested tables, names for neurons, and that are not built in."""
    found: set[str] = set()
    if isinstance(encoding, Mapping):
        for key, value in encoding.items():
            if key in ("activations", "output_activations") and encoding.get("name") in ("neat", "cppn"):
                found.update(word for word in value or () if isinstance(word, str))
            found |= own_activations(value)
    return found - BUILT_IN


def change(data: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """Replace fields of a spec given as nested dictionaries, in place.

    Args:
        data: The spec.
        changes: Values by dotted name, e.g. `{"training.epochs": 4}`.

    Raises:
        SpecError: If a name leads through a value that is no table.
    """
    for name, value in changes.items():
        _set(data, name, value)


def value_of(text: str) -> Any:
    """A value of `--set` as TOML reads it; what is no TOML is a string."""
    try:
        found = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return found["value"] if len(found) == 1 else text


def _n_listed(search: Any) -> int:
    """The length of a list that is not checked yet; 0 where there is none."""
    if isinstance(search, ListedConfig):
        return search.n_candidates
    fields = search if isinstance(search, Mapping) and search.get("name") == "listed" else {}
    genomes, repeats = fields.get("genomes"), fields.get("repeats", 1)
    return len(genomes) * repeats if isinstance(genomes, (list, tuple)) and isinstance(repeats, int) else 0


def _task_name(task: Any) -> str:
    return word_of(task["path"]) if isinstance(task, Mapping) and "path" in task else "digits"


def _with_score(objectives: Any, task: Any) -> Any:
    """Objectives that are not checked yet; where none is named, the score of the kind of task."""
    if not isinstance(objectives, Mapping) or {"maximize", "minimize"} & objectives.keys():
        return objectives
    kind = KINDS.get(_kind_name(task), KINDS[CLASSIFICATION])
    if isinstance(task, Own):
        kind = task.measured
    elif isinstance(task, Mapping) and task.get("name") == "own" and isinstance(task.get("metrics"), (list, tuple)):
        kind = Kind(str(task["metrics"][0]), True, ()) if task["metrics"] else kind
    return {**objectives, "maximize" if kind.maximise else "minimize": (kind.score,)}


def _kind_name(task: Any) -> str:
    """The kind of a task that is not checked yet."""
    if not isinstance(task, Mapping):
        return str(getattr(task, "kind", CLASSIFICATION))
    for model in get_args(get_args(TaskConfig)[0]):
        if task.get("name") in words(model):
            default = model.model_fields["kind"].default if "kind" in model.model_fields else model.kind
            return str(task.get("kind", default))
    return CLASSIFICATION


def _genome(entry: Any, spec: Path) -> Any:
    """An entry of a list of genomes as JSON text: the content of the file that it names."""
    if not isinstance(entry, str) or entry.lstrip().startswith("{") or entry in references():
        return entry
    path = (spec.parent / Path(entry).expanduser()).resolve()
    try:
        text = path.read_text("utf-8")
        json.loads(text)
        return text
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or "it is no JSON text in UTF-8"
        known = ", ".join(references())
        raise SpecError(
            f"{spec}: search.genomes: {path}: expected a JSON file or one of {known}, got an error: {reason}"
        ) from None


def _set(data: dict[str, Any], name: str, value: Any) -> None:
    *tables, key = name.split(".")
    for table in tables:
        data = data.setdefault(table, {})
        if not isinstance(data, dict):
            raise SpecError(f"--set {name}: expected {table} to be a table, it is a value; check the name")
    data[key] = value
