"""ES-HyperNEAT: many quadtrees at once find what one recursive search after another finds."""

from typing import Any

import numpy as np
import pytest

from genomes.cppn import Cppn
from genomes.encoding import MEASURES_MANY, NEURONS, WEIGHTED, uniform
from genomes.es_hyperneat import EsHyperNeat
from genomes.es_hyperneat.program import compiled
from genomes.es_hyperneat.quadtree import Division, Found, expressed, middle
from genomes.es_hyperneat.search import discovered, key_of, place_of
from genomes.neat.genome import BIAS, Connection, NeatGenome, Neuron, assembled, input_ids, output_ids
from genomes.neurons import NeuronGraph
from tests.genomes.cppns import random_graph
from tests.genomes.quadtrees import Recursive

GROWING = Cppn(mutations={"add_node": 0.3, "add_connection": 0.3}, aggregations=("sum", "max", "product"))
CASES: dict[str, tuple[tuple[int, ...], int, dict[str, Any]]] = {
    "usual": ((2,), 1, {}),
    "deep": ((2,), 2, {"initial_depth": 2, "max_depth": 4}),
    "leo": ((2,), 2, {"initial_depth": 2, "leo": True, "band": 0.1}),
    "recurrent": ((3,), 2, {"recurrent": True, "iterations": 3, "biases": False, "initial_depth": 2, "band": 0.1}),
    "grid": ((1, 2, 2), 2, {"inputs": "grid", "initial_depth": 1, "queries": ("source", "target", "distance")}),
}


def config(shape: tuple[int, ...] = (2,), n_outputs: int = 1, **fields: Any) -> EsHyperNeat:
    return EsHyperNeat(**{"cppn": GROWING, **fields}).for_task(shape, n_outputs)


def population(encoding: EsHyperNeat, n: int, n_steps: int = 40) -> list[NeatGenome]:
    found = []
    for seed in range(n):
        rng = np.random.default_rng(seed)
        genome = encoding.sample(uniform(rng), rng=rng)
        for _ in range(n_steps):
            genome = encoding.mutate(genome, rng=rng).genome
        found.append(genome)
    return found


# The search


@pytest.mark.parametrize("case", CASES)
def test_many_at_once_equal_the_recursive_search_of_each(case: str) -> None:
    shape, n_outputs, fields = CASES[case]
    encoding = config(shape, n_outputs, **fields)
    many = population(encoding, 60)
    linked = [len(graph.weights) for graph in encoding.develop_many(many)]
    genomes = [one for one, n in zip(many, linked, strict=True) if 4 < n < 100][:3] + many[:1]
    found = encoding.develop_many(genomes)
    assert found == [Recursive(encoding, genome).graph() for genome in genomes]
    assert found == [encoding.develop(genome) for genome in genomes]
    assert len([graph for graph in found if graph.weights]) >= 2


def test_nobody_is_nothing() -> None:
    assert config().develop_many([]) == []


def test_a_pattern_without_information_has_no_neurons() -> None:
    encoding = config()
    graph = encoding.develop(painting(encoding, "identity", []))
    assert (len(graph.ids), graph.weights) == (1, ())


def painting(encoding: EsHyperNeat, activation: str, sources: list[tuple[int, float]], bias: float = 0.0) -> NeatGenome:
    """A CPPN whose weight is a function of a weighted sum of its inputs x1, y1, x2, y2."""
    painter = encoding.painter
    weight, *others = output_ids(painter.n_outputs or 0)
    neurons = [Neuron(weight, activation, "sum"), *(Neuron(name, "identity", "sum") for name in others)]
    links = [Connection(input_ids(4)[at], weight, value) for at, value in sources]
    return assembled(4, len(neurons), neurons, [*links, Connection(BIAS, weight, bias)])


def test_a_band_is_found_where_it_is() -> None:
    """The weight is a ridge along x2 = 0.3: the places nearest to it are connected, others are not."""
    encoding = config(biases=False, initial_depth=4, max_depth=4, iterations=0, band=0.2)
    genome = painting(encoding, "gaussian", [(2, 30.0)], -9.375)
    places = connected(encoding, genome)
    assert {x for x, _ in places} == {0.3125}
    assert len(places) == 16


def connected(encoding: EsHyperNeat, genome: NeatGenome) -> list[tuple[float, float]]:
    """Places that the first input is connected to."""
    program = compiled(encoding.painter.develop(genome), 0)
    settings = Division(encoding.initial_depth, encoding.max_depth, encoding.division, encoding.variance, encoding.band)
    here = encoding.input_places[0]

    def ask(job: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        assert (np.diff(job) >= 0).all()
        return program.run(np.stack([np.full(len(x), here[0]), np.full(len(x), here[1]), x, y]))

    found = expressed(ask, 1, settings)
    return list(zip(middle(found.x, found.depth).tolist(), middle(found.y, found.depth).tolist(), strict=True))


def test_what_is_not_expressed_is_not_connected() -> None:
    """The weight is a ridge along y2, expressed to the right of the middle."""
    encoding = config((1,), biases=False, leo=True, initial_depth=4, max_depth=4)
    genome = painting(encoding, "gaussian", [(3, 30.0)], -9.375)
    neurons = list(genome.neurons)
    links = [*genome.connections, Connection(input_ids(4)[2], neurons[1].id, 1.0)]
    programs = [[compiled(encoding.painter.develop(assembled(4, 2, neurons, links)), at)] for at in range(2)]
    settings = Division(4, 4, encoding.division, encoding.variance, encoding.band)
    places = encoding.input_places, encoding.output_places
    found = discovered(*programs, *places, settings, queries=("source", "target"), rounds=0)
    x, y = place_of(found.inputs.target, 4)
    assert sorted(x.tolist()) == [(2 * at + 1) / 16 for at in range(8)]
    assert set(y.tolist()) == {0.3125}


def test_a_square_of_one_value_stays_one_place() -> None:
    """A ridge in the left half alone: the right half is not looked into more closely."""
    encoding = config(
        biases=False, initial_depth=1, max_depth=5, iterations=0, division=0.001, variance=0.001, band=0.05
    )
    places = connected(encoding, painting(encoding, "gaussian", [(2, 20.0)], 10.0))
    assert places
    assert all(x < 0 for x, _ in places)


# What is made of it


@pytest.mark.parametrize("case", CASES)
def test_every_hidden_neuron_leads_from_an_input_to_an_output(case: str) -> None:
    shape, n_outputs, fields = CASES[case]
    encoding = config(shape, n_outputs, **fields)
    for graph in encoding.develop_many(population(encoding, 20)):
        assert graph.recurrent == encoding.recurrent
        if not graph.recurrent:
            assert len(graph.levels) == len(graph.ids)
        hidden = set(range(graph.n_inputs, graph.n_inputs + len(graph.ids))) - set(graph.outputs)
        assert hidden <= set(graph.sources) & set(graph.targets)
        assert len(set(zip(graph.sources, graph.targets, strict=True))) == len(graph.sources)
        assert not set(graph.outputs) & set(graph.sources)


def test_a_place_is_the_same_at_any_depth() -> None:
    column, row = np.array([3, 0]), np.array([1, 2])
    for depth in (2, 3, 6):
        found = Found(np.zeros(2, int), np.array([2, 2]), column, row, np.zeros(2))
        x, y = place_of(key_of(found, depth), depth)
        assert (x.tolist(), y.tolist()) == ([0.75, -0.75], [-0.25, 0.25])


def test_weights_and_biases_are_scaled() -> None:
    for genome in population(config(), 5):
        plain, scaled = (config(scale=scale).develop(genome) for scale in (1.0, 2.0))
        np.testing.assert_allclose(np.array(scaled.weights), 2 * np.array(plain.weights))
        np.testing.assert_allclose(np.array(scaled.biases), 2 * np.array(plain.biases))
        assert any(plain.biases)


# Programs


def test_a_program_computes_what_its_graph_does() -> None:
    for seed in range(20):
        graph = random_graph(seed, 4, 2, 6)
        points = np.random.default_rng(seed).normal(size=(50, 4))
        for output in range(2):
            np.testing.assert_array_equal(compiled(graph, output).run(points.T), graph.run(points)[:, output])
            one = compiled(graph, output).run(np.ascontiguousarray(points[:1].T))
            np.testing.assert_array_equal(one, graph.run(points)[:1, output])


def test_a_program_has_what_its_output_needs() -> None:
    graph = NeuronGraph(
        1, (2, 3), ("a", "b", "c"), ("tanh",) * 3, ("sum", "product", "max"), (0.5,) * 3, (2.0,) * 3,
        (0, 1), (1, 2), (1.0, 1.0), ("x", "y"),
    )  # fmt: skip
    assert [step.place for step in compiled(graph, 0).steps] == [1, 2]
    assert [step.place for step in compiled(graph, 1).steps] == [3]
    points = np.linspace(-1, 1, 7)[:, None]
    for output in range(2):
        np.testing.assert_array_equal(compiled(graph, output).run(points.T), graph.run(points)[:, output])


# The encoding


def test_abilities() -> None:
    assert config().abilities >= {WEIGHTED, NEURONS, MEASURES_MANY}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"initial_depth": 4}, "initial_depth, max_depth: expected 1 <= each <= the next <= 8, got 4 and 3"),
        ({"max_depth": 9}, "initial_depth, max_depth"),
        ({"iterations": -1}, "iterations: expected"),
        ({"variance": 0.0}, "variance: expected a number above 0, got 0.0"),
        ({"band": -1.0}, "band: expected a number of 0 or more"),
        ({"scale": float("inf")}, "scale: expected"),
        ({"activation": "x"}, "activation: expected one of"),
        ({"queries": ()}, "queries: expected some of"),
        ({"cppn": Cppn(recurrent=True)}, "expected a CPPN without cycles"),
        ({"inputs": "grid", "input_shape": (3,)}, "inputs: expected an image of one channel"),
    ],
)
def test_what_cannot_be_searched(fields: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        EsHyperNeat(**fields)


def test_the_number_of_outputs_must_be_known() -> None:
    encoding = EsHyperNeat()
    with pytest.raises(ValueError, match="n_outputs: expected the number of outputs"):
        encoding.develop(population(encoding, 1)[0])
