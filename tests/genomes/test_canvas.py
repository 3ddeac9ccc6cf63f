"""An architecture painted by a CPPN: what a pattern becomes, its repairs, and ids that are places."""

from typing import Any

import numpy as np
import pytest

from evonas.network import Donor, Network, inherit
from genomes.canvas import CONNECTION, FIRST_WORD, PRESENCE, Canvas
from genomes.cppn import Cppn
from genomes.dag.genome import OUTPUT, SOURCE, DagGenome
from genomes.encoding import uniform
from genomes.innovation import marking
from genomes.neat.genome import BIAS, Connection, NeatGenome, Neuron, assembled, input_ids, output_ids

SHAPE = (1, 8, 8)
PLAIN: dict[str, Any] = {
    "layers": 3,
    "lanes": 3,
    "operations": ("conv", "max_pool"),
    "kernels": (3, 5),
    "widths": (4, 8, 12),
    "strides": (1,),
    "merges": ("sum",),
}
X1, Y1, X2, Y2 = range(4)
CONV, POOL, KERNEL, WIDTH = range(FIRST_WORD, FIRST_WORD + 4)


def config(**fields: Any) -> Canvas:
    return Canvas(**{**PLAIN, **fields}).for_task(SHAPE, 10)


def painting(encoding: Canvas, **outputs: Any) -> NeatGenome:
    """A CPPN whose outputs are linear, or what else is named: `(activation, bias, {input: weight})` by number."""
    painter = encoding.painter
    ends = output_ids(painter.n_outputs or 0)
    neurons, links = [], []
    for at, end in enumerate(ends):
        activation, bias, weights = outputs.get(f"o{at}", ("identity", 0.0, {}))
        neurons.append(Neuron(end, activation, "sum"))
        links.append(Connection(BIAS, end, bias))
        links += [Connection(input_ids(4)[one], end, weight) for one, weight in weights.items()]
    return assembled(4, len(ends), neurons, links)


def place(x: float, y: float) -> str:
    return marking("canvas", repr(x), repr(y))


def wiring(genome: DagGenome) -> dict[str, list[str]]:
    return genome.inputs


def constant(value: float) -> tuple[str, float, dict[int, float]]:
    return "identity", value, {}


def evolved(encoding: Canvas, seed: int, n_steps: int = 30) -> NeatGenome:
    rng = np.random.default_rng(seed)
    genome = encoding.sample(uniform(rng), rng=rng)
    for _ in range(n_steps):
        genome = encoding.mutate(genome, rng=rng).genome
    return genome


# What a pattern becomes


def test_everything_that_is_present_and_connected_stands() -> None:
    encoding = config()
    genome = painting(encoding, o0=constant(1.0), o1=constant(1.0), o2=constant(0.5))
    found = encoding.painted(genome)
    assert len(found.nodes) == 10
    assert [len(sources) for sources in found.inputs.values()] == [1] * 3 + [4] * 3 + [7] * 3 + [10]
    assert {gene.operation for gene in found.nodes[:-1]} == {"conv"}


def test_presence_is_asked_of_a_place_and_itself() -> None:
    """Presence grows to the right: of three lanes the last."""
    encoding = config()
    genome = painting(encoding, o0=("identity", -0.5, {X1: 0.5, X2: 0.5}), o1=constant(1.0))
    assert set(encoding.painted(genome).genes) == {place(1.0, -0.5), place(1.0, 0.0), place(1.0, 0.5), OUTPUT}


def test_connections_are_asked_of_pairs() -> None:
    """Connected are places of one lane: the gaussian of the difference of x. Further lanes read the input alone."""
    encoding = config(threshold=0.9)
    genome = painting(encoding, o0=constant(1.0), o1=("gaussian", 0.0, {X1: 3.0, X2: -3.0}))
    found = wiring(encoding.painted(genome))
    assert found[place(0.0, -0.5)] == [SOURCE]
    assert found[place(0.0, 0.5)] == [SOURCE, place(0.0, -0.5), place(0.0, 0.0)]
    assert found[OUTPUT] == [SOURCE, place(0.0, -0.5), place(0.0, 0.0), place(0.0, 0.5)]
    reach = wiring(config(threshold=0.9, reach=1).painted(genome))
    assert reach == {
        place(0.0, -0.5): [SOURCE],
        place(0.0, 0.0): [place(0.0, -0.5)],
        place(0.0, 0.5): [place(0.0, 0.0)],
        OUTPUT: [place(0.0, 0.5)],
    }


def test_words_and_sizes_follow_the_pattern() -> None:
    """Pools below, convolutions above; widths go through the list from left to right."""
    encoding = config()
    genome = painting(
        encoding,
        **{f"o{PRESENCE}": constant(1.0), f"o{CONNECTION}": constant(1.0)},
        **{f"o{CONV}": ("identity", 0.0, {Y1: 1.0}), f"o{POOL}": constant(-0.1)},
        **{f"o{KERNEL}": ("identity", 0.0, {Y2: 1.0}), f"o{WIDTH}": ("identity", 0.0, {X2: 1.0})},
    )
    genes = encoding.painted(genome).genes
    columns = {(x, y): genes[place(x, y)] for x in (-1.0, 0.0, 1.0) for y in (-0.5, 0.0, 0.5)}
    assert {at: gene.operation for at, gene in columns.items()} == {
        at: "max_pool" if at[1] < 0 else "conv" for at in columns
    }
    assert {at: gene.width for at, gene in columns.items()} == {at: 8 + 4 * int(at[0]) for at in columns}
    assert {at: gene.kernel for at, gene in columns.items()} == {at: 3 if at[1] < 0 else 5 for at in columns}


# Repairs


def test_the_most_present_place_is_always_there() -> None:
    encoding = config()
    genome = painting(encoding, o0=("identity", -0.9, {X1: 0.05, Y2: -0.05}))
    assert wiring(encoding.painted(genome)) == {place(1.0, -0.5): [SOURCE], OUTPUT: [place(1.0, -0.5)]}


def test_who_reads_nothing_reads_the_strongest() -> None:
    """No connection is above the threshold, those to the right are the strongest."""
    encoding = config()
    genome = painting(encoding, o0=constant(1.0), o1=("identity", -0.5, {X1: 0.2}))
    found = wiring(encoding.painted(genome))
    assert found[OUTPUT] == [place(1.0, -0.5)]
    assert found[place(1.0, -0.5)] == [SOURCE]
    assert len(found) == 2


def test_who_leads_nowhere_is_left_out() -> None:
    encoding = config(threshold=0.9, reach=1)
    genome = painting(encoding, o0=constant(1.0), o1=("gaussian", 0.0, {X1: 3.0, X2: -3.0}))
    assert all(place(1.0, y) not in encoding.painted(genome).genes for y in (-0.5, 0.0, 0.5))


def test_a_pattern_that_is_no_number_develops() -> None:
    encoding = config()
    genome = painting(encoding, o0=("square", 1e300, {}), o1=("identity", 1e308, {X1: 1e308, X2: 1e308}))
    assert encoding.develop(genome).shapes(SHAPE, 10)[OUTPUT] == (10,)


def test_random_canvases_are_varied() -> None:
    encoding = Canvas(cppn=Cppn(mutations={"add_node": 0.3})).for_task(SHAPE, 10)
    genomes = [evolved(encoding, seed) for seed in range(30)]
    phenotypes = [encoding.develop(genome) for genome in genomes]
    assert len({phenotype.digest for phenotype in phenotypes}) > 20
    assert len({len(phenotype.nodes) for phenotype in phenotypes}) > 5
    assert len({node.operation for phenotype in phenotypes for node in phenotype.nodes}) > 5


# Ids


def test_weights_are_inherited_by_place() -> None:
    encoding = config()
    both = painting(encoding, o0=constant(1.0), o1=constant(1.0), o2=constant(0.5))
    right = painting(encoding, o0=("identity", -0.5, {X1: 0.5, X2: 0.5}), o1=constant(1.0), o2=constant(0.5))
    parent = Network(encoding.develop(both), SHAPE, 10)
    inherit(parent, [], seed=0, individual=1)
    child = Network(encoding.develop(right), SHAPE, 10)
    donor = Donor(1, parent.described, parent.state_dict())
    assert inherit(child, [donor], seed=0, individual=2).fraction == 1.0
    name = f"{place(1.0, -0.5)}.conv/weight"
    assert (child.state_dict()[name] == parent.state_dict()[name]).all()


# The encoding


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"layers": 0}, "layers, lanes: expected 1 or more each"),
        ({"layers": 100, "lanes": 100}, "at most 1,024 places, got 100 and 100"),
        ({"reach": 0}, "reach: expected 1 or more"),
        ({"threshold": 2.0}, "threshold: expected a number from -1 to 1"),
        ({"queries": ("here",)}, "queries: expected some of"),
        ({"operations": ("fly",)}, "operations: expected some of"),
        ({"widths": (8, 4)}, "widths: expected ascending numbers"),
        ({"cppn": Cppn(recurrent=True)}, "expected a CPPN without cycles"),
    ],
)
def test_what_is_no_canvas(fields: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        config(**fields)


def test_it_needs_as_many_outputs_as_it_decides() -> None:
    assert config().painter.n_outputs == 2 + 2 + 2
    assert config(merges=("sum", "concat"), strides=(1, 2)).painter.n_outputs == 2 + 2 + 4
    assert config(queries=("source", "target", "distance")).painter.n_inputs == 5
