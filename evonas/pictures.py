"""The pictures of a campaign, by the word that the command line has for each. Imported when one is drawn."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from evonas import view
from evonas.analysis import comparison
from evonas.analysis.diversity import Diversity
from evonas.analysis.diversity import diversity as measured_diversity
from evonas.analysis.effects import effects as measured_effects
from evonas.analysis.front import hypervolume_curve
from evonas.analysis.spending import Axis
from evonas.campaign import Campaign, SpecError, StoreError
from evonas.record import Individual
from genomes.architecture import Architecture
from genomes.cell import CellGenome
from genomes.encoding import NEURONS, WEIGHTED, Encoding
from genomes.neurons import NeuronGraph
from genomes.operations import Shape
from genomes.painting import Paint, asked, query_names
from genomes.recurrent import RecurrentGenome

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PATTERN = 48
"""Points of a side of the plane that a CPPN's patterns are drawn over."""
OF_CELLS = (CellGenome, RecurrentGenome)
"""Genomes that are cells to draw."""
OF_ONE = ("genome", "neurons", "pattern", "substrate", "cell", "stack", "genealogy")
"""Kinds that show a single individual and cannot do without."""
COUNTED = ("progress", "diversity")
"""Kinds whose horizontal axis can be chosen."""
AT_END = ("genome", "neurons", "progress", "lineage", "species", "cell", "stack", "front")
"""Kinds that are drawn when a run ends; the others are drawn when they are asked for."""


@runtime_checkable
class Paints(Protocol):
    """An encoding whose genomes are CPPNs that paint something else."""

    @property
    def painter(self) -> Encoding[Any]:
        """The encoding of the CPPNs themselves."""


@runtime_checkable
class Stacks(Protocol):
    """An encoding whose networks are a stack of stages."""

    def stack_rows(self, genome: Any, input_shape: Shape, n_outputs: int) -> list[tuple[str, int, tuple[int, ...]]]:
        """Name, count and output shape of every stage, from the image on."""


def fitting(campaign: Campaign) -> tuple[str, ...]:
    """The kinds to draw when a run ends: of cells those and their stack, for the whole network is too large.

    Args:
        campaign: One that was run or loaded.
    """
    found = tuple(kind for kind in AT_END if unfit(kind, campaign) is None)
    return tuple(kind for kind in found if kind != "genome") if "stack" in found else found


def unfit(kind: str, campaign: Campaign) -> str | None:
    """Why a campaign has no such picture; None if it has."""
    spec, encoding = campaign.spec, campaign.spec.encoding
    got, names = f"got {encoding.name}", _objectives(campaign)
    neurons, weighted = NEURONS in encoding.abilities, WEIGHTED in encoding.abilities
    paints = isinstance(encoding, Paints)
    networks = f"plot {'neurons' if neurons and not paints else 'genome'} draws its networks"
    objectives = 'run a campaign with another beside it, such as minimize = ["parameters"]'
    expected = {
        "front": len(names) < 2 and f"two objectives to draw a front of, got {', '.join(names)}; {objectives}",
        "genome": neurons and not paints and f"layers to draw, {got}; {networks}",
        "neurons": not (neurons or paints) and f"neurons to draw, {got}; {networks}",
        "pattern": not (neurons or paints) and f"neurons that paint, {got}; {networks}",
        "substrate": (neurons or not weighted) and f"layers whose weights are painted, {got}; {networks}",
        "species": spec.search.name != "speciated" and f"a search in species, got {spec.search.name}; use speciated",
        "genealogy": weighted and f"weights that were inherited, {got}, which has them in genomes; plot ancestry",
        "curves": spec.untrained and "candidates that are trained, got those judged as they are; plot progress",
        "stack": not isinstance(encoding, Stacks) and f"an encoding that stacks cells, {got}; {networks}",
    }
    if kind == "pattern" and getattr(encoding, "recurrent", False):
        expected[kind] = f"neurons without a state, got recurrent ones; {networks}"
    if kind == "cell" and not all(isinstance(_genome_of(campaign, one), OF_CELLS) for one in _first(campaign)):
        expected[kind] = f"an encoding of cells to draw, {got}; {networks}"
    return f"{campaign.directory}: expected {expected[kind]}" if expected.get(kind) else None


def require(kind: str, campaign: Campaign) -> None:
    """Check that a campaign has such a picture.

    Raises:
        SpecError: With the reason, if it has none.
    """
    if reason := unfit(kind, campaign):
        raise SpecError(reason)


def draw(kind: str, campaign: Campaign, one: Individual | None, axis: Axis | None = None) -> "Axes":
    """Draw one kind of picture.

    Args:
        kind: A key of `KINDS` that the campaign has.
        campaign: One that was run or loaded.
        one: The individual to draw, or the one whose ancestry is drawn strong; None only for kinds not in `OF_ONE`.
        axis: What the horizontal axis counts, for kinds in `COUNTED`; None: epochs where there is a control, which
            spends others on an evaluation, else evaluations.
    """
    return KINDS[kind](campaign, one, axis)


def compared(campaigns: Sequence[Campaign], axis: Axis) -> "Axes":
    """Draw what several comparable campaigns had found at any time.

    Args:
        campaigns: Those that were run or loaded.
        axis: What the horizontal axis counts.
    """
    grid, bands = comparison.bands(campaigns, axis)
    measured = _fitness(campaigns[0], "best fitness so far")
    return view.anytime(grid, bands, counted=axis, measured=measured)


def _fitness(campaign: Campaign, words: str = "fitness") -> str:
    """What fitness is; a problem's own is called nothing else."""
    label = campaign.spec.objectives.label
    return words if label == "fitness" else f"{words}: {label}"


def _objectives(campaign: Campaign) -> tuple[str, ...]:
    return (*campaign.spec.objectives.maximize, *campaign.spec.objectives.minimize)


def _first(campaign: Campaign) -> Sequence[Individual]:
    return campaign.individuals[:1]


def _genome_of(campaign: Campaign, one: Individual) -> Any:
    return campaign.genome(one)


def _sides(campaign: Campaign) -> tuple[Shape, int]:
    """The shape of the input and the number of outputs."""
    facts = campaign.facts
    return tuple(facts["input_shape"]), facts["n_outputs"]


def _draw_genome(campaign: Campaign, one: Individual | None, axis: Axis | None) -> "Axes":
    """Its layers, or the neurons that a CPPN painted."""
    assert one is not None
    if isinstance(neurons := campaign.phenotype(one), NeuronGraph):
        names = campaign.facts.get("features") or ()
        return view.neurons(neurons, inputs=names, title=f"individual {one.id}")
    return view.genome(_layers_of(campaign, one), *_sides(campaign), title=f"individual {one.id}")


def _usual_axis(campaign: Campaign) -> Axis:
    return "epochs" if campaign.control else "evaluations"


def _draw_progress(campaign: Campaign, one: Individual | None, axis: Axis | None) -> "Axes":
    """The best fitness, or of several objectives the hypervolume."""
    individuals, control = campaign.individuals, campaign.control
    rivals = control.individuals if control else []
    axis = axis or _usual_axis(campaign)
    label, objectives = campaign.spec.search.name, campaign.spec.objectives
    if objectives.several:
        both = [*individuals, *rivals]
        curve, rival = (hypervolume_curve(told, objectives, scale=both) for told in (individuals, rivals))
        return view.hypervolume(individuals, curve, control=rivals, control_curve=rival, label=label, axis=axis)
    ax = view.progress(individuals, control=rivals, label=label, axis=axis)
    ax.set_ylabel(_fitness(campaign))
    return ax


def _draw_diversity(campaign: Campaign, one: Individual | None, axis: Axis | None) -> "Axes":
    axis, control = axis or _usual_axis(campaign), campaign.control
    rival = None if control is None else _diversity(control, axis)
    return view.diversity(_diversity(campaign, axis), control=rival, axis=axis)


def _diversity(campaign: Campaign, axis: Axis) -> Diversity:
    spec = campaign.spec
    return measured_diversity(campaign.individuals, campaign.genome, spec.encoding.distance, axis=axis, seed=spec.seed)


def _draw_lineage(campaign: Campaign, one: Individual | None, axis: Axis | None) -> "Axes":
    ax = view.lineage(campaign.individuals, winner=one.id if one else None, lifespans=_lifespans(campaign))
    ax.set_ylabel(_fitness(campaign))
    return ax


def _lifespans(campaign: Campaign) -> dict[int, int | None] | None:
    """How long each lived; None where that depends on a user's own toolbox, which is not at hand."""
    try:
        campaign.search(campaign.spec.encoding)
    except StoreError:
        return None
    return campaign.lifespans()


def _draw_ancestry(campaign: Campaign, one: Individual | None, axis: Axis | None) -> "Axes":
    encoding = campaign.spec.encoding
    # Weights that are painted differ with the CPPN, and the layers that have them do not.
    painted = isinstance(encoding, Paints) and WEIGHTED in encoding.abilities
    return view.ancestry(
        campaign.individuals,
        partial(_neurons_of, campaign) if painted else campaign.phenotype,
        winner=one.id if one else None,
        score=campaign.spec.kind.score,
        measured=campaign.spec.objectives.label,
    )


def _draw_genealogy(campaign: Campaign, one: Individual | None, axis: Axis | None) -> "Axes":
    assert one is not None
    return view.genealogy(campaign.individuals, _layers_of(campaign, one), *_sides(campaign), winner=one.id)


def _draw_effects(campaign: Campaign, one: Individual | None, axis: Axis | None) -> "Axes":
    return view.effects(measured_effects(campaign.individuals), measured=_fitness(campaign))


def _draw_curves(campaign: Campaign, one: Individual | None, axis: Axis | None) -> "Axes":
    kind, winner = campaign.spec.kind, one.id if one else None
    return view.curves(campaign.individuals, winner=winner, score=kind.score, maximise=kind.maximise)


def _draw_cell(campaign: Campaign, one: Individual | None, axis: Axis | None) -> "Axes":
    assert one is not None
    genome, title = _genome_of(campaign, one), f"individual {one.id}"
    return (
        view.recurrent(genome.developed, title=title)
        if isinstance(genome, RecurrentGenome)
        else view.cell(genome, title=title)
    )


def _draw_stack(campaign: Campaign, one: Individual | None, axis: Axis | None) -> "Axes":
    encoding: Any = campaign.spec.encoding
    assert one is not None
    stages = encoding.stack_rows(_genome_of(campaign, one), *_sides(campaign))
    return view.stack(stages, title=f"individual {one.id}")


def _draw_front(campaign: Campaign, one: Individual | None, axis: Axis | None) -> "Axes":
    """The first two objectives, the second to the right."""
    y, x = _objectives(campaign)[:2]
    return view.front(campaign.individuals, x, y, maximize=campaign.spec.objectives.maximize)


def _draw_neurons(campaign: Campaign, one: Individual | None, axis: Axis | None) -> "Axes":
    assert one is not None
    names = _inputs_of(campaign, one)
    ends: dict[str, Any] = {"inputs": names, "outputs": _answers_of(campaign)}
    return view.neurons(_neurons_of(campaign, one), **ends, title=_title_of(campaign, one))


def _answers_of(campaign: Campaign) -> list[str]:
    """Names of what a CPPN is asked for; none where there are no names."""
    return list(getattr(campaign.spec.encoding, "answers", ()))


def _inputs_of(campaign: Campaign, one: Individual) -> list[str]:
    """Names of what its neurons are given: a task's, or what a CPPN is asked with; none where there are no names."""
    if not isinstance(campaign.spec.encoding, Paints):
        return list(campaign.facts.get("features", ()))
    paints = _paints_of(campaign, one)
    queries = getattr(campaign.spec.encoding, "queries", ())
    return list(query_names(queries, len(paints[0].sources.places[0]) if paints else 2))


def _paints_of(campaign: Campaign, one: Individual) -> list[Paint]:
    """How the tensors of its layers are painted; none where there are other things to paint."""
    return [paint for node in getattr(campaign.phenotype(one), "nodes", ()) for _, paint in node.paints]


def _title_of(campaign: Campaign, one: Individual) -> str:
    """What its neurons are: of itself, or of the CPPN that paints it."""
    return f"{'CPPN of ' if isinstance(campaign.spec.encoding, Paints) else ''}individual {one.id}"


def _draw_pattern(campaign: Campaign, one: Individual | None, axis: Axis | None) -> "Axes":
    """Over the plane of the first sheet that is read, for the target in the middle; else of the first two inputs."""
    assert one is not None
    graph = _neurons_of(campaign, one)
    side = np.linspace(-1, 1, PATTERN)
    plane = np.stack(np.meshgrid(side, side, indexing="ij"), -1).reshape(-1, 2)
    if not (paints := _paints_of(campaign, one)):
        inputs = np.zeros((len(plane), graph.n_inputs))
        inputs[:, : min(2, graph.n_inputs)] = plane[:, : min(2, graph.n_inputs)]
    else:
        places = np.array(paints[0].sources.places)
        targets = np.array(paints[0].targets.places)
        sources = np.repeat(places[:1], len(plane), 0)
        widest = sorted(np.argsort([-len(np.unique(column)) for column in places.T], kind="stable")[:2])
        sources[:, widest] = plane[:, : len(widest)]
        middle = targets[np.square(targets).sum(1).argmin()]
        inputs = asked(paints[0].queries, sources, middle)
    names: dict[str, Any] = {"names": _inputs_of(campaign, one), "outputs": _answers_of(campaign)}
    return view.pattern(graph, inputs, (PATTERN, PATTERN), **names, title=_title_of(campaign, one))


def _draw_substrate(campaign: Campaign, one: Individual | None, axis: Axis | None) -> "Axes":
    assert one is not None
    phenotype: Any = campaign.phenotype(one)
    network: Any = campaign.network(one.id).network
    painted = {f"{node}.{role}": values for node, roles in network.painted().items() for role, values in roles.items()}
    state = {**network.state_dict(), **painted}
    names = [f"{node.id}.{role}" for node in phenotype.nodes for role, _ in node.paints if role.endswith("weight")]
    return view.substrate({name: state[name].detach().numpy() for name in names}, title=f"individual {one.id}")


def _draw_species(campaign: Campaign, one: Individual | None, axis: Axis | None) -> "Axes":
    return view.species(
        [
            (one.generation, {number: len(members) for number, members in one.members.items()})
            for one in campaign.species()
        ]
    )


def _layers_of(campaign: Campaign, one: Individual) -> Architecture:
    found = campaign.phenotype(one)
    assert isinstance(found, Architecture)
    return found


def _neurons_of(campaign: Campaign, one: Individual) -> NeuronGraph:
    """What a genome of neurons develops into, or the CPPN that paints."""
    encoding = campaign.spec.encoding
    painter = encoding.painter if isinstance(encoding, Paints) else encoding
    found = painter.develop(campaign.genome(one))
    assert isinstance(found, NeuronGraph)
    return found


KINDS: dict[str, Callable[[Campaign, Individual | None, Axis | None], "Axes"]] = {
    "genome": _draw_genome,
    "progress": _draw_progress,
    "lineage": _draw_lineage,
    "cell": _draw_cell,
    "stack": _draw_stack,
    "front": _draw_front,
    "diversity": _draw_diversity,
    "ancestry": _draw_ancestry,
    "genealogy": _draw_genealogy,
    "effects": _draw_effects,
    "curves": _draw_curves,
    "neurons": _draw_neurons,
    "pattern": _draw_pattern,
    "substrate": _draw_substrate,
    "species": _draw_species,
}
"""How each kind is drawn."""
