"""Which pictures a campaign has, and that each shows it."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from matplotlib.axes import Axes

from evonas import cli, commands, pictures, view
from evonas.analysis.spending import AXES
from evonas.campaign import Campaign, SpecError, Store, StoreError
from evonas.campaign.loop import Loop
from evonas.campaign.opening import written
from evonas.campaign.spec import Objectives, parse
from evonas.evaluation.evaluator import Check, Job
from evonas.record import Evaluation, Individual
from genomes.architecture import Architecture
from genomes.canvas import Canvas
from genomes.cell import CellGenome
from genomes.cell.genome import checked
from genomes.encoding import WEIGHTED
from genomes.neurons import NeuronGraph
from tests.campaigns import Pretending

BLOCK = [0, 1, "sep_conv_3x3", "identity", "add"]
STAGES = [("image", 1, (3, 8, 8)), ("normal cell", 2, (16, 8, 8)), ("softmax", 1, (10,))]


class Cells:
    """An encoding of cells that knows how they are stacked."""

    abilities: frozenset[str] = frozenset()
    name = "cell"
    asked: tuple[Any, ...] = ()

    def from_json(self, data: dict[str, Any]) -> CellGenome:
        return checked(data["cells"], ([], []))

    def stack_rows(
        self, genome: CellGenome, input_shape: tuple[int, ...], n_outputs: int
    ) -> list[tuple[str, int, Any]]:
        self.asked = (genome, input_shape, n_outputs)
        return STAGES  # type: ignore[return-value]


class Others:
    """An encoding without cells."""

    abilities: frozenset[str] = frozenset()
    name = "others"

    def from_json(self, data: dict[str, Any]) -> dict[str, Any]:
        return data


def individual(number: int, state: Any = "complete") -> Individual:
    genome = json.dumps({"cells": [[BLOCK], [BLOCK, BLOCK]]})
    metrics = {"accuracy": 0.5 + number / 10, "parameters": 100.0 * (number + 1), "loss": 1.0}
    return Individual(number, state, (), "sample", (), 0, genome, "", "", fitness=metrics["accuracy"], metrics=metrics)


def campaign(encoding: Any, *objectives: str, n: int = 3) -> Any:
    several = Objectives.model_construct(maximize=objectives[:1], minimize=objectives[1:])
    spec = SimpleNamespace(
        encoding=encoding, objectives=several, search=SimpleNamespace(name="evolution"), untrained=False
    )
    facts = {"input_shape": [3, 8, 8], "n_outputs": 10}
    individuals = [individual(number) for number in range(n)]
    known: dict[str, Any] = {"spec": spec, "facts": facts, "individuals": individuals, "control": None}
    return SimpleNamespace(
        **known, directory=Path("runs/a"), genome=lambda one: encoding.from_json(json.loads(one.genome))
    )


def texts(ax: Axes) -> set[str]:
    figure = ax.get_figure()
    assert figure is not None
    return {text.get_text() for axes in figure.axes for text in axes.texts} | {text.get_text() for text in figure.texts}


def test_the_command_line_names_every_kind() -> None:
    assert [kind.value for kind in cli.Kind] == list(pictures.KINDS)


@pytest.mark.parametrize(
    ("encoding", "objectives", "wanted"),
    [
        (Others(), ("accuracy",), {"genome", "progress", "lineage"}),
        (Others(), ("accuracy", "parameters"), {"genome", "progress", "lineage", "front"}),
        (Cells(), ("accuracy",), {"cell", "stack", "progress", "lineage"}),
        (Cells(), ("accuracy", "parameters", "loss"), {"cell", "stack", "progress", "lineage", "front"}),
    ],
)
def test_a_run_draws_what_fits_the_campaign(encoding: Any, objectives: tuple[str, ...], wanted: set[str]) -> None:
    assert set(pictures.fitting(campaign(encoding, *objectives))) == wanted


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("cell", r"runs/a: expected an encoding of cells to draw, got others; plot genome"),
        ("stack", r"runs/a: expected an encoding that stacks cells, got others; plot genome"),
        ("front", r"runs/a: expected two objectives to draw a front of, got accuracy; run a campaign with another"),
    ],
)
def test_what_a_campaign_does_not_have_is_refused(kind: str, expected: str) -> None:
    with pytest.raises(SpecError, match=expected):
        pictures.require(kind, campaign(Others(), "accuracy"))


@pytest.mark.parametrize("kind", ["cell", "stack", "genome", "substrate"])
def test_neurons_are_drawn_by_another_kind(kind: str, tmp_path: Path, fast_disk: None) -> None:
    found = recorded(tmp_path, "neat", 1)
    with pytest.raises(SpecError, match=r"got neat; plot neurons draws its networks$"):
        pictures.require(kind, found)
    pictures.require("neurons", found)


def test_what_is_not_trained_has_no_curves(tmp_path: Path, fast_disk: None) -> None:
    with pytest.raises(SpecError, match="expected candidates that are trained, got those judged as they are"):
        pictures.require("curves", recorded(tmp_path, "hyperneat", 1))


def test_cells_without_a_stack_are_drawn_and_their_stack_refused() -> None:
    bare = SimpleNamespace(name="bare", abilities=frozenset(), from_json=Cells().from_json)
    pictures.require("cell", campaign(bare, "accuracy"))
    with pytest.raises(SpecError, match="expected an encoding that stacks cells, got bare"):
        pictures.require("stack", campaign(bare, "accuracy"))


def test_both_cells_of_the_individual_are_drawn() -> None:
    ax = pictures.draw("cell", campaign(Cells(), "accuracy"), individual(2))
    assert {"individual 2", "h[i-1]", "add", "sep", "identity"} <= texts(ax)


def test_the_stack_is_asked_of_the_encoding() -> None:
    encoding = Cells()
    ax = pictures.draw("stack", campaign(encoding, "accuracy"), individual(1))
    assert encoding.asked[1:] == ((3, 8, 8), 10)
    assert isinstance(encoding.asked[0], CellGenome)
    assert {"normal cell  × 2", "8×8, 16 channels"} <= texts(ax)
    assert ax.get_title() == "individual 1"


def test_the_front_has_the_first_objective_upwards_and_the_second_to_the_right() -> None:
    ax = pictures.draw("front", campaign(Cells(), "accuracy", "parameters", "loss"), None)
    assert ax.get_ylabel() == "accuracy, higher is better"
    assert ax.get_xlabel() == "parameters, lower is better"
    assert {"0", "1", "2"} <= texts(ax)


# Every kind, of campaigns that found nothing, one individual, or some

SPACES: dict[str, dict[str, Any]] = {
    "dag": {"name": "dag", "widths": [4, 8], "max_sampled": 3, "max_nodes": 5},
    "cell": {"name": "cell", "n_blocks": 2, "n": 1, "filters": 4, "n_reductions": 1},
    "recurrent": {"name": "recurrent", "base": 2, "widths": [4, 8]},
    "neat": {"name": "neat"},
    "hyperneat": {"name": "hyperneat", "hidden": [[3, 3]]},
}
TASKS: dict[str, tuple[str, tuple[int, ...]]] = {"recurrent": ("text", (5,)), "neat": ("xor", (2,))}
"""Word and shape of inputs of the task of an encoding, where it is not the digits."""


class Learning(Pretending):
    """Pretends to train, with a learning curve and the origin of every tensor."""

    def evaluate(self, jobs: Iterable[Job], check: Check) -> Iterator[list[Evaluation]]:
        for job in jobs:
            ((one,),) = super().evaluate([job], check)
            parent = job.proposal.parents[0] if job.proposal.parents else one.id
            phenotype = self.develop(job.proposal.genome)
            tensors = phenotype.parameters(self.shape, 3) if isinstance(phenotype, Architecture) else ()
            names = [tensor.name for tensor in tensors]
            curve = tuple({"epoch": epoch, f"validation_{self.score}": 1 / epoch} for epoch in (1, 2))
            if one.state == "complete":
                metrics = {**one.metrics, self.score: one.metrics["accuracy"], f"{self.score}_at_birth": 0.4}
                one = replace(one, metrics=metrics, curve=curve, origins=dict.fromkeys(names, parent))
                one = replace(one, weights=one.weights if self.holds else None)
            yield [one]

    develop: Any
    shape: tuple[int, ...]
    score: str
    holds: bool


def recorded(directory: Path, space: str, n: int, *, fails: bool = False, **fields: Any) -> Campaign:
    """A campaign on record of `n` evaluations that were not trained; 0: it was begun, and no more."""
    search = {"name": "evolution", "population": 3, "lag": 2}
    given = {
        "search": search,
        "encoding": SPACES[space],
        "budget": {"evaluations": max(n, 1)},
    }
    task, shape = TASKS.get(space, ("digits", (1, 8, 8)))
    if task == "digits":
        given["training"] = {"epochs": 2}
    spec = parse({"task": task, **given, **fields})
    encoding = spec.encoding.for_task(shape, 3)
    spec = spec.model_copy(update={"encoding": encoding})
    facts = {"spec": written(spec), "input_shape": shape, "n_outputs": 3, "classes": ["a", "b", "c"]}
    facts |= {"kind": spec.task.kind, "targets": [], "features": [], "mean": [0.0], "deviation": [1.0]}
    facts |= {"target_mean": [], "target_deviation": []}
    store = Store.create(directory, facts)
    evaluator = Learning(fails=lambda id: fails)
    evaluator.develop, evaluator.shape, evaluator.score = encoding.develop, shape, spec.kind.score
    evaluator.holds = WEIGHTED not in encoding.abilities
    if n:
        Loop(spec, encoding, store, Campaign.of(spec).search(encoding), evaluator).run()
    store.close()
    return Campaign.load(directory)


def is_drawn(campaign: Campaign, kind: str) -> bool:
    """Draw a kind; False where it is refused as it should be."""
    path = campaign.directory / f"{kind}.svg"
    if pictures.unfit(kind, campaign) or (kind in pictures.OF_ONE and campaign.best is None):
        with pytest.raises(SpecError if pictures.unfit(kind, campaign) else commands.NoneSucceededError):
            commands.draw(campaign, kind, None, path)
        return False
    commands.draw(campaign, kind, None, path)
    return path.stat().st_size > 1000


CASES = {"empty": (0, False), "failed": (4, True), "one": (1, False), "some": (12, False)}


@pytest.mark.usefixtures("fast_disk")
@pytest.mark.parametrize(
    ("space", "objectives"),
    [
        ("dag", ("accuracy", "")),
        ("dag", ("", "loss")),
        ("dag", ("accuracy", "parameters")),
        ("cell", ("accuracy", "parameters")),
        ("recurrent", ("", "bits_per_character")),
        ("neat", ("fitness", "")),
        ("hyperneat", ("accuracy", "")),
    ],
)
@pytest.mark.parametrize("case", CASES)
def test_every_kind_is_drawn_of_any_campaign_or_refused_in_words(
    case: str, space: str, objectives: tuple[str, str], tmp_path: Path
) -> None:
    n, fails = CASES[case]
    maximize, minimize = ([name] if name else [] for name in objectives)
    search = {"name": "speciated", "population": 3} if space == "neat" else {"name": "evolution", "population": 3}
    fields = {"objectives": {"maximize": maximize, "minimize": minimize}, "search": {**search, "lag": 2}}
    found = recorded(tmp_path, space, n, fails=fails, **fields)
    drawn = {kind for kind in pictures.KINDS if is_drawn(found, kind)}
    unfit = {
        "front": objectives != ("accuracy", "parameters"),
        "cell": space not in ("cell", "recurrent"),
        "stack": space != "cell",
        "genome": space == "neat",
        "genealogy": space in ("neat", "hyperneat"),
        "curves": space in ("neat", "hyperneat"),
        "neurons": space not in ("neat", "hyperneat"),
        "pattern": space not in ("neat", "hyperneat"),
        "substrate": space != "hyperneat",
        "species": space != "neat",
    }
    fit = {kind for kind in pictures.KINDS if not unfit.get(kind)}
    assert drawn == (fit - {*pictures.OF_ONE} if case in ("empty", "failed") else fit)


def names_of(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts if (text.get_gid() or "").startswith("name-")]


def test_neurons_have_the_names_of_a_tables_columns_and_of_what_a_cppn_is_asked(
    tmp_path: Path, fast_disk: None
) -> None:
    found = recorded(tmp_path / "a", "neat", 3, search={"name": "speciated", "population": 3})
    assert names_of(pictures.draw("neurons", found, found.best)) == ["0", "1"]
    store = Store.open(found.directory, write=True)
    store.set_fact("features", ["petal width", "sepal width"])
    store.close()
    assert names_of(pictures.draw("neurons", Campaign.load(found.directory), found.best)) == [
        "petal\nwidth",
        "sepal\nwidth",
    ]
    encoding = {**SPACES["hyperneat"], "queries": ["source", "target", "distance", "source_radius"]}
    painted = recorded(tmp_path / "b", "hyperneat", 1, encoding=encoding)
    asked = [f"{end} {axis}" for end in ("source", "target") for axis in range(3)]
    assert names_of(pictures.draw("neurons", painted, painted.best)) == [*asked, "distance", "source\nradius"]


POSED = {"search": {"name": "speciated", "population": 4}, "budget": {"evaluations": 4}, "task": "xor"}


@pytest.mark.parametrize(
    ("encoding", "answers"),
    [
        ({"name": "es_hyperneat", "leo": True}, ["weight", "leo", "bias"]),
        ({"name": "es_hyperneat", "biases": False}, ["weight"]),
        ({"name": "hyperneat", "leo": "on", "biases": False}, ["weight", "leo"]),
    ],
)
def test_a_cppn_is_named_as_one_with_what_it_is_asked_and_asked_for(
    encoding: dict[str, Any], answers: list[str], tmp_path: Path, fast_disk: None
) -> None:
    found = Campaign(**{**POSED, "encoding": encoding}).run(tmp_path / "a")
    ax = pictures.draw("neurons", found, found.best)
    assert names_of(ax) == ["source 0", "source 1", "target 0", "target 1"]
    assert {*answers} <= texts(ax)
    assert found.best is not None
    assert ax.get_title() == f"CPPN of individual {found.best.id}"
    ax = pictures.draw("pattern", found, found.best)
    assert ax.get_title() == f"CPPN of individual {found.best.id}"
    assert [panel.get_title().split(":")[0] for panel in ax.child_axes[: len(answers)]] == answers  # type: ignore[attr-defined]
    assert any("upwards: source 0 from -1 to 1" in text for text in texts(ax))


def test_a_canvas_says_what_its_cppn_decides() -> None:
    canvas = Canvas(operations=("conv", "linear"), kernels=(1, 3), widths=(8,))
    assert canvas.answers[:4] == ("presence", "connection", *canvas.direct.vocabulary[:2])
    assert "kernel" in canvas.answers
    assert "width" not in canvas.answers
    assert canvas.painter.n_outputs == len(canvas.answers)


def test_the_neurons_that_a_cppn_paints_are_its_genome_picture(tmp_path: Path, fast_disk: None) -> None:
    found = Campaign(**{**POSED, "encoding": "es_hyperneat"}).run(tmp_path / "a")
    assert found.best is not None
    graph = found.phenotype(found.best)
    assert isinstance(graph, NeuronGraph)
    ax = pictures.draw("genome", found, found.best)
    assert ax.get_title() == f"individual {found.best.id}"
    drawn = {patch.get_gid() for patch in ax.patches}
    assert {f"neuron-{id}" for id in graph.ids} <= drawn
    with pytest.raises(SpecError, match="plot genome draws its networks"):
        pictures.require("substrate", found)
    found = Campaign(**{**POSED, "encoding": "neat"}).run(tmp_path / "b")
    with pytest.raises(SpecError, match="plot neurons draws its networks"):
        pictures.require("genome", found)


def test_a_fitness_that_is_called_so_is_said_once(tmp_path: Path, fast_disk: None) -> None:
    found = Campaign(**{**POSED, "encoding": "neat", "budget": {"evaluations": 12}}).run(tmp_path / "a")
    for kind in ("progress", "lineage"):
        assert pictures.draw(kind, found, found.best).get_ylabel() == "fitness"
    assert pictures.draw("effects", found, None).get_xlabel() == "fitness less that of the fitter parent"
    assert pictures.compared([found], "evaluations").get_ylabel() == "best fitness so far"
    trained = recorded(tmp_path / "b", "dag", 12)
    assert pictures.draw("progress", trained, None).get_ylabel() == "fitness: accuracy"
    assert pictures.draw("effects", trained, None).get_xlabel().startswith("fitness: accuracy less")


def test_the_ancestry_of_what_is_painted_tells_of_the_cppn_and_not_of_training(tmp_path: Path, fast_disk: None) -> None:
    found = recorded(tmp_path / "a", "hyperneat", 12)
    last = found.individuals[-1]
    ax = pictures.draw("ancestry", found, last)
    said = texts(ax)
    assert any(text.startswith("begins with") and "neuron" in text for text in said)
    assert "the phenotype is the same" not in said
    assert any("weight" in text or "connection" in text or "bias" in text for text in said)
    assert "inherited" not in said


@pytest.mark.usefixtures("fast_disk")
@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("kind", pictures.COUNTED)
def test_the_axis_of_what_was_spent_can_be_chosen(kind: str, axis: str, tmp_path: Path) -> None:
    ax = pictures.draw(kind, recorded(tmp_path, "dag", 12), None, axis)  # type: ignore[arg-type]
    assert ax.get_xlabel() == axis


@pytest.mark.usefixtures("fast_disk")
def test_lives_end_as_the_search_forgets_unless_it_needs_a_toolbox(tmp_path: Path) -> None:
    ageing = {"name": "ageing", "population": 3, "sample_size": 2, "lag": 1}
    found = recorded(tmp_path / "a", "dag", 9, search=ageing)
    assert found.lifespans() == {**{i: i + 3 for i in range(6)}, 6: None, 7: None, 8: None}
    assert found._replayed is not None
    found._replayed = found.directory, 3, found._replayed[2], {}
    assert len(found.lifespans()) == 9, "a log that has grown is read anew"
    bars = [one for one in pictures.draw("lineage", found, None).collections if "bars" in (one.get_gid() or "")]
    assert {int(segment[1][0]) for one in bars for segment in one.get_segments()} == {3, 4, 5, 6, 7, 8}  # type: ignore[attr-defined]
    lost = recorded(tmp_path / "b", "dag", 9)
    lost.spec = lost.spec.model_copy(
        update={"search": lost.spec.search.model_copy(update={"operators": {"select": "mine.chosen"}})}
    )
    with pytest.raises(StoreError, match="expected a toolbox"):
        lost.lifespans()
    assert pictures.draw("lineage", lost, None).collections


def test_a_campaign_knows_how_its_generations_were_divided(tmp_path: Path, fast_disk: None) -> None:
    search = {"name": "speciated", "population": 4, "threshold": 0.3}
    found = recorded(tmp_path / "a", "dag", 9, search=search)
    assert [sorted(id for ids in one.members.values() for id in ids) for one in found.species()] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
    ]
    assert recorded(tmp_path / "b", "dag", 4).species() == []


def test_a_random_search_keeps_nobody(tmp_path: Path, fast_disk: None) -> None:
    found = recorded(tmp_path, "dag", 4, search={"name": "random"})
    assert found.lifespans() == {0: 0, 1: 1, 2: 2, 3: 3}


def test_the_page_on_pictures_names_every_kind() -> None:
    page = (Path(__file__).parents[1] / "docs" / "pictures.md").read_text("utf-8")
    assert [kind for kind in pictures.KINDS if f"`{kind}`" not in page] == []
    assert [name for name in view.__all__ if name != "save" and f"`{name}`" not in page] == []
