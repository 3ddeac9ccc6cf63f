"""What encodings that can do more keep to: each ability has a suite of its own."""

import itertools

import pytest

from genomes.encoding import (
    DEVELOPS_MANY,
    LEARNS,
    MEASURES_MANY,
    VARIES_MANY,
    Birth,
    Phenotype,
)
from genomes.neurons import NeuronGraph
from tests.contracts.test_encodings import Case, evolved, stream


def test_many_distances_are_those_of_every_pair(case: Case) -> None:
    encoding, _ = case
    if MEASURES_MANY not in encoding.abilities:
        return
    genomes = [evolved(encoding, seed, n_steps=seed * 4) for seed in range(12)]
    many = encoding.distances(genomes, genomes[::4])
    assert many.shape == (12, 3)
    assert many.tolist() == [[encoding.distance(a, b) for b in genomes[::4]] for a in genomes]
    assert encoding.distances(genomes, []).shape == (12, 0)


def test_many_children_are_whole_and_the_same_for_the_same_generator(case: Case) -> None:
    encoding, _ = case
    if VARIES_MANY not in encoding.abilities:
        return
    genomes = [evolved(encoding, seed, n_steps=seed * 3) for seed in range(6)]
    births = [Birth((one,)) for one in genomes] + [
        Birth((a, b), mutated) for a, b in itertools.pairwise(genomes) for mutated in (False, True)
    ]
    before = [one.digest for one in genomes]
    made = encoding.vary(births, rng=stream(1))
    assert [one.digest for one in genomes] == before
    assert encoding.vary(births, rng=stream(1)) == made
    for birth, (child, operator) in zip(births, made, strict=True):
        assert operator.startswith("crossover") == (len(birth.parents) == 2)
        assert ("+" in operator) == (len(birth.parents) == 2 and birth.mutated)
        assert encoding.from_json(encoding.to_json(child)) == child
        encoding.develop(child)


def test_many_develop_as_each_does(case: Case) -> None:
    encoding, _ = case
    if DEVELOPS_MANY not in encoding.abilities:
        return
    genomes = [evolved(encoding, seed, n_steps=seed * 4) for seed in range(12)]
    assert list(encoding.develop_many(genomes)) == [encoding.develop(genome) for genome in genomes]
    assert list(encoding.develop_many([])) == []


def neurons_of(phenotype: Phenotype) -> NeuronGraph:
    """What is trained: the network of neurons itself, or the CPPN that gradient flows through."""
    graph = phenotype if isinstance(phenotype, NeuronGraph) else phenotype.painter
    assert graph is not None
    return graph


def test_what_was_learnt_is_in_the_genome(case: Case) -> None:
    encoding, _ = case
    if LEARNS not in encoding.abilities:
        return
    for seed in range(12):
        genome = evolved(encoding, seed, n_steps=seed * 4)
        graph = neurons_of(encoding.develop(genome))
        assert encoding.learn(genome, {}) == genome
        names = (*graph.ids, *graph.markings)
        learnt = encoding.learn(genome, dict(zip(names, stream(seed).random(len(names)).tolist(), strict=True)))
        after = neurons_of(encoding.develop(learnt))
        assert (*after.biases, *after.weights) == pytest.approx(tuple(stream(seed).random(len(names))), abs=1e-15)
        assert (after.ids, after.markings, after.sources) == (graph.ids, graph.markings, graph.sources)
        for values in ({"0" * 16: 1.0}, {names[0]: float("nan")}):
            with pytest.raises(ValueError, match="expected"):
                encoding.learn(genome, values)
