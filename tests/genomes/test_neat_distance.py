"""NEAT's compatibility distance, against the paper's formula in plain Python."""

from dataclasses import replace
from statistics import fmean

import numpy as np
import pytest

from genomes import Cppn, Neat, NeatGenome
from genomes.neat.genome import BIAS, input_ids
from tests.genomes.neats import evolved, genome

NEAT = Neat(n_inputs=3, n_outputs=1)
MUTATIONS = {"add_node": 0.3, "add_connection": 0.3, "toggle_connection": 0.1, "remove_connection": 0.05}


def slow(config: Neat, a: NeatGenome, b: NeatGenome) -> float:
    ours, theirs = ({(one.source, one.target): one for one in some.connections} for some in (a, b))
    shared = ours.keys() & theirs.keys()
    known_a, known_b = ({*some.ids, *input_ids(some.wiring.n_inputs), BIAS} for some in (a, b))
    only = [(end, known_b) for end in ours.keys() - shared] + [(end, known_a) for end in theirs.keys() - shared]
    n_disjoint = sum(set(ends) <= known for ends, known in only)
    n = max(len(ours), len(theirs))
    gaps = [abs(ours[end].weight - theirs[end].weight) + (ours[end].enabled != theirs[end].enabled) for end in shared]
    rows, others = ({row.id: row for row in some.neurons} for some in (a, b))
    apart = [
        abs(rows[name].bias - others[name].bias)
        + abs(rows[name].response - others[name].response)
        + (rows[name].activation != others[name].activation)
        + (rows[name].aggregation != others[name].aggregation)
        for name in rows.keys() & others.keys()
    ]
    structure = config.disjoint * n_disjoint + config.excess * (len(only) - n_disjoint)
    mean = (fmean(gaps) if gaps else 0) + (fmean(apart) if apart else 0)
    return structure / (1 if n < config.small else n) + config.difference * mean


@pytest.mark.parametrize(
    "config",
    [
        Neat(n_inputs=3, n_outputs=2, mutations=MUTATIONS),
        Neat(n_inputs=3, n_outputs=2, mutations=MUTATIONS, excess=2.0, disjoint=0.5, difference=3.0, small=8),
        Neat(n_inputs=3, n_outputs=2, mutations=MUTATIONS, excess=2.0, disjoint=0.0, bias="both", small=0),
        Neat(n_inputs=3, n_outputs=2, mutations=MUTATIONS, initial="none", recurrent=True),
        Cppn(n_inputs=3, n_outputs=1, mutations={**MUTATIONS, "perturb_responses": 0.2}, aggregations=("sum", "max")),
    ],
)
def test_the_distance_is_the_papers(config: Neat) -> None:
    genomes = [evolved(config, seed % 5, seed * 2) for seed in range(30)]
    found = config.distances(genomes, genomes[::3])
    expected = [[slow(config, a, b) for b in genomes[::3]] for a in genomes]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    assert np.array_equal(found, config.distances(genomes[::3], genomes).T)


def test_distances_by_hand() -> None:
    a, b = genome("1x:1 2x:2 1a:1 ax:3"), genome("1x:2 2x:2! 3x:5")
    # Matching: 1x and 2x, apart by 1 and by being disabled. a lacks 3x; 1a and ax are built upon a, which b lacks.
    assert NEAT.distance(a, b) == 3 + 0.4 * 1
    assert replace(NEAT, excess=10.0).distance(a, b) == 1 + 20 + 0.4
    assert replace(NEAT, disjoint=10.0).distance(b, a) == 10 + 2 + 0.4
    assert replace(NEAT, small=4).distance(a, b) == 3 / 4 + 0.4
    assert replace(NEAT, small=5).distance(a, b) == 3 + 0.4


def test_more_genomes_than_are_measured_at_once() -> None:
    genomes = [evolved(NEAT, seed, 12) for seed in range(20)]
    many = genomes * 900
    found = NEAT.distances(many, genomes)
    assert np.array_equal(found, np.tile(NEAT.distances(genomes, genomes), (900, 1)))


def test_genomes_without_connections_are_measured() -> None:
    empty, full = genome(""), genome("1x:1 2x:-4")
    assert NEAT.distances([empty, full, empty], [empty, full]).tolist() == [[0, 2], [2, 0], [0, 2]]
    assert replace(NEAT, excess=3.0).distances([empty], [empty, full]).tolist() == [[0, 2]]
    assert NEAT.distances([], [full]).shape == (0, 1)
