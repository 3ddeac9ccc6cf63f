"""The same mutation has the same marking everywhere, and no genome holds one twice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomes import Dag, DagGenome
from genomes.dag.genome import OUTPUT, SOURCE, Gene
from genomes.dag.operators import OPERATORS
from genomes.encoding import uniform
from genomes.innovation import fresh_marking, marking

ORIGINS = st.lists(st.one_of(st.text(max_size=8), st.integers(-9, 9)), max_size=4).map(tuple)
CHAIN = DagGenome(
    (Gene("aa", "conv", width=8), Gene(OUTPUT, "head")),
    ((SOURCE, "aa"), ("aa", OUTPUT)),
)


def test_a_marking_is_64_bits_of_its_origin_for_ever() -> None:
    assert marking("edge", "input", "output") == "b851ff67283c7b38"
    assert marking("split", "b851ff67283c7b38", 0) == "fcc350e44b16e25b"


@given(a=ORIGINS, b=ORIGINS)
def test_markings_are_equal_where_their_origins_are(a: tuple[str | int, ...], b: tuple[str | int, ...]) -> None:
    assert (marking(*a) == marking(*b)) == (a == b)
    assert len(marking(*a)) == 16


def test_a_number_is_not_its_digits() -> None:
    assert marking("node", 1) != marking("node", "1")
    assert marking("ab", "c") != marking("a", "bc")


def test_an_edge_is_marked_by_its_ends_in_their_order() -> None:
    assert CHAIN.edge_markings == {edge: marking("edge", *edge) for edge in CHAIN.edges}
    assert CHAIN.edge_markings["aa", OUTPUT] != marking("edge", OUTPUT, "aa")


def test_the_ordinal_is_the_smallest_not_in_use() -> None:
    first = fresh_marking((), "split", "e")
    second = fresh_marking({first}, "split", "e")
    third = fresh_marking({first, second}, "split", "e")
    assert [first, second, third] == [marking("split", "e", ordinal) for ordinal in range(3)]
    assert fresh_marking({second, third}, "split", "e") == first


@pytest.mark.parametrize("operator", ["split_edge", "add_node"])
def test_the_same_mutation_has_the_same_marking_in_every_lineage(operator: str) -> None:
    config = Dag()
    made: dict[tuple[str, str], set[str]] = {}
    operations = set()
    for seed in range(60):
        child = OPERATORS[operator](config, CHAIN, np.random.default_rng(seed)).genome
        (new,) = set(child.genes) - set(CHAIN.genes)
        place = (child.inputs[new][0], *(target for source, target in child.edges if source == new))
        made.setdefault(place, set()).add(new)
        operations.add(child.genes[new].operation)
    assert len(operations) > 3
    assert {len(names) for names in made.values()} == {1}
    assert len(set.union(*made.values())) == len(made) == 2


def test_a_gene_removed_and_made_again_gets_its_marking_back() -> None:
    config = Dag()
    edges = ((SOURCE, "aa"), ("aa", "bb"), ("bb", OUTPUT))
    genome = DagGenome((Gene("aa", "conv"), Gene("bb", "conv"), Gene(OUTPUT, "head")), edges)
    made = set()
    for seed in range(30):
        rng = np.random.default_rng(seed)
        child = OPERATORS["split_edge"](config, genome, rng).genome
        (new,) = set(child.genes) - set(genome.genes)
        made.add(new)
        back = genome
        while new not in (again := OPERATORS["split_edge"](config, back, rng).genome).genes:
            pass
        assert again.inputs == child.inputs
    assert len(made) == 3


def test_sampled_nodes_that_read_the_same_are_told_apart() -> None:
    config = Dag(operations=("conv",), min_nodes=6, max_sampled=6)
    genome = config.sample(lambda site, n_options: 0, rng=np.random.default_rng(0))
    assert list(genome.inputs.values())[:-1] == [[SOURCE]] * 6
    assert set(genome.genes) == {OUTPUT, *(marking("node", "conv", SOURCE, ordinal) for ordinal in range(6))}


def test_no_genome_holds_one_marking_twice_over_10_000_variations() -> None:
    config = Dag(input_shape=(3, 8, 8), max_nodes=12)
    rng = np.random.default_rng(0)
    population = [config.sample(uniform(rng), rng=rng) for _ in range(16)]
    for _ in range(10_000):
        first, second, replaced = (int(index) for index in rng.integers(len(population), size=3))
        if rng.random() < 0.3:
            genome = config.crossover(population[first], population[second], rng=rng).genome
        else:
            genome = config.mutate(population[first], rng=rng).genome
        markings = [gene.marking for gene in genome.nodes] + [marking("edge", *edge) for edge in genome.edges]
        assert len(set(markings)) == len(markings)
        assert set(genome.markings) == set(markings)
        population[replaced] = genome
