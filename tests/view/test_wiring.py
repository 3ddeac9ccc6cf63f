"""Which connections lead back, and that those that are bent clear what lies between."""

from dataclasses import replace

import numpy as np
import pytest

from evonas.view import wiring
from genomes.neurons import NeuronGraph


def graph(pairs, n_inputs=1, n_hidden=2, n_outputs=1, *, recurrent=True):
    """Neurons without biases: inputs, then hidden ones, then outputs."""
    n, m = n_hidden + n_outputs, len(pairs)
    outputs = tuple(range(n_inputs + n_hidden, n_inputs + n))
    names = tuple(f"n{at}" for at in range(n))
    sources, targets = (tuple(side) for side in zip(*pairs, strict=True))
    columns = (("tanh",) * n, ("sum",) * n, (0.0,) * n, (1.0,) * n)
    weights, markings = (1.0,) * m, tuple(f"c{at}" for at in range(m))
    return NeuronGraph(n_inputs, outputs, names, *columns, sources, targets, weights, markings, recurrent=recurrent)


def drawn(seed, n=9, n_connections=25):
    """A recurrent graph at random: the first two places are inputs, the last two outputs."""
    rng = np.random.default_rng(seed)
    found = {}
    while len(found) < n_connections:
        found[int(rng.integers(n)), int(rng.integers(2, n))] = None
    return graph(list(found), 2, n - 4, 2)


def without(one, back):
    """The graph without these connections, taken as a feed-forward one."""
    kept = [at for at in range(len(one.weights)) if at not in back]
    sources, targets = (tuple(side[at] for at in kept) for side in (one.sources, one.targets))
    return replace(one, sources=sources, targets=targets, recurrent=False)


def test_nothing_leads_back_where_there_is_no_cycle():
    # Two ways to the output, the longer through both hidden neurons, as far from the input as each other.
    pairs = [(0, 1), (0, 2), (1, 2), (2, 3), (0, 3)]
    for recurrent in (False, True):
        one = graph(pairs, recurrent=recurrent)
        assert wiring.leading_back(one) == frozenset()
        assert wiring.rows(one, frozenset()) == [[0], [1], [2], [3]]


def test_what_an_output_feeds_leads_back_before_others_do():
    one = graph([(0, 3), (3, 1), (1, 2), (2, 3), (1, 1)])
    back = wiring.leading_back(one)
    assert back == {1, 4}
    assert wiring.rows(one, back) == [[0], [1], [2], [3]]


@pytest.mark.parametrize("seed", range(20))
def test_without_what_leads_back_there_is_no_cycle_and_with_any_of_it_there_is(seed):
    one = drawn(seed)
    back = wiring.leading_back(one)
    assert len(without(one, back).levels) == len(one.ids)
    for at in back:
        with pytest.raises(ValueError, match="expected no cycle"):
            without(one, back - {at}).levels  # noqa: B018


def test_a_connection_is_bent_only_where_something_lies_between():
    where = [(0.0, 0.0), (0.0, -1.0), (0.0, -2.0), (2.0, -2.0)]
    pairs = [(0, 1), (0, 2), (0, 3)]
    bends, blocked = wiring.bends(pairs, where, [0.25] * 4, [])
    assert bends[0] == bends[2] == 0.0
    assert blocked == 0
    away = np.hypot(*(wiring.bent(where[0], where[2], bends[1:2])[0] - where[1]).T)
    assert 0.25 <= away.min() < 0.25 + wiring.STEP, "as little as will do"


def test_those_that_may_pass_on_either_side_alternate():
    where = [(0.0, 0.0), (0.0, -1.0), (0.0, -2.0), (5.0, 0.0), (5.0, -1.0), (5.0, -2.0)]
    bends, _ = wiring.bends([(0, 2), (3, 5)], where, [0.25] * 6, [])
    assert bends[0] == -bends[1] != 0.0


def test_two_connections_between_the_same_places_keep_apart():
    where = [(0.0, 0.0), (0.0, -2.0)]
    bends, _ = wiring.bends([(0, 1), (1, 0)], where, [0.25] * 2, [])
    there, back = wiring.bent(*where, bends[:1])[0], wiring.bent(*where[::-1], bends[1:])[0]
    assert np.hypot(*(there - back[::-1]).T).max() > wiring.NEAR


def test_a_text_is_covered_rather_than_a_neuron():
    where = [(0.0, 0.0), (0.0, -1.0), (0.0, -2.0)]
    free, _ = wiring.bends([(0, 2)], where, [0.25] * 3, [])
    x, y = wiring.bent(where[0], where[2], free)[0][wiring.SAMPLES // 2]
    found, blocked = wiring.bends([(0, 2)], where, [0.25] * 3, [(x, y, 0.1)])
    assert np.hypot(*(wiring.bent(where[0], where[2], found)[0] - [x, y]).T).min() >= 0.1
    everywhere = [(x, -1.0, 0.3) for x in np.arange(-6.0, 6.1, 0.4)]
    over, blocked = wiring.bends([(0, 2)], where, [0.25] * 3, everywhere)
    assert np.hypot(*(wiring.bent(where[0], where[2], over)[0] - where[1]).T).min() >= 0.25
    assert blocked == 0


def test_what_cannot_be_passed_is_told():
    # A wall as long as a connection can be bent.
    where = [(0.0, 0.0), (0.0, -2.0), *((x, -1.0) for x in np.arange(-6.0, 6.1, 0.4))]
    _, blocked = wiring.bends([(0, 1)], where, [0.25] * len(where), [])
    assert blocked == 1


def test_a_loop_is_not_bent():
    assert wiring.bends([(0, 0)], [(0.0, 0.0)], [0.25], []) == ([0.0], 0)
