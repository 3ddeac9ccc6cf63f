"""Many neuron graphs computed at once compute what each of them computes alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import evonas.network.population as module
from evonas.network.population import NeuronPopulation
from genomes.neurons import ACTIVATIONS, AGGREGATIONS, NeuronGraph
from tests.network.graphs import agree, graph

GRAPHS = [graph(np.random.default_rng(seed)) for seed in range(500)]
RECURRENT = [graph(np.random.default_rng(seed), recurrent=True) for seed in range(300)]


def inputs(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_each_computes_what_it_computes_alone(dtype: torch.dtype, tolerance: float) -> None:
    # Graphs that multiply rounding by large numbers are compared in float64 alone.
    x = inputs(6, 3).to(dtype)
    found = NeuronPopulation(GRAPHS, dtype=dtype)(x)
    assert found.dtype == dtype
    assert found.shape == (500, 6, 2)
    for got, one in zip(found, GRAPHS, strict=True):
        expected = one.run(x.numpy())
        if dtype == torch.float64 or well_conditioned(one, x.numpy()):
            agree(got, expected, tolerance)


def well_conditioned(one: NeuronGraph, x: np.ndarray) -> bool:
    """True where float32's rounding of the inputs and weights moves no output by more than a few units of it."""
    moved = replace(one, weights=tuple(w * (1 + 1e-6) for w in one.weights))
    return bool(np.allclose(moved.run(x * (1 - 1e-6)), one.run(x), rtol=1e-5, atol=1e-5))


def test_nearly_all_graphs_are_well_conditioned() -> None:
    assert np.mean([well_conditioned(one, inputs(6, 3).double().numpy()) for one in GRAPHS]) > 0.9


def test_each_may_have_inputs_of_its_own() -> None:
    x = inputs(len(GRAPHS), 4, 3)
    population = NeuronPopulation(GRAPHS, dtype=torch.float64)
    for got, one, given in zip(population(x.double()), GRAPHS, x, strict=True):
        agree(got, one.run(given.numpy()), 1e-10)
    assert torch.equal(population(x.double())[3], population(x[3].double())[3])


def test_recurrent_ones_step_as_each_does_alone() -> None:
    population = NeuronPopulation(RECURRENT, dtype=torch.float64)
    states: list[np.ndarray | None] = [None] * len(RECURRENT)
    state = None
    for at in range(4):
        x = inputs(5, 3, seed=at).double()
        found, state = population.step(x, state)
        for i, one in enumerate(RECURRENT):
            expected, states[i] = one.step(x.numpy(), states[i])
            agree(found[i], expected, 1e-9)


def test_recurrent_ones_begin_with_zeros() -> None:
    population = NeuronPopulation(RECURRENT)
    x = inputs(2, 3)
    first, state = population.step(x)
    assert torch.equal(population(x), first)
    assert not torch.equal(population.step(x, state)[0], first)
    assert torch.equal(population(x), first)


@pytest.mark.parametrize("word", ACTIVATIONS)
def test_every_activation(word: str) -> None:
    one = NeuronGraph(1, (1,), ("a",), (word,), ("sum",), (0.1,), (1.3,), (0,), (1,), (0.9,), ("m",))
    x = torch.linspace(-4, 4, 101)[:, None]
    agree(NeuronPopulation([one])(x)[0], one.run(x.numpy()), 2e-6)


@pytest.mark.parametrize("word", AGGREGATIONS)
@pytest.mark.parametrize("n", [0, 1, 3])
def test_every_aggregation_of_no_input_and_of_some(word: str, n: int) -> None:
    sources, weights = tuple(range(n)), (0.5, -2.0, 3.0)[:n]
    one = NeuronGraph(
        3, (3,), ("a",), ("tanh",), (word,), (0.1,), (0.3,), sources, (3,) * n, weights, tuple(map(str, sources))
    )
    agree(NeuronPopulation([one])(inputs(7, 3))[0], one.run(inputs(7, 3).numpy()), 1e-6)


def test_what_one_puts_out_does_not_depend_on_the_others() -> None:
    x = inputs(9, 3)
    together = NeuronPopulation(GRAPHS)(x)
    for at in range(0, 500, 7):
        assert torch.equal(NeuronPopulation([GRAPHS[at]])(x)[0], together[at])


def test_large_batches_are_computed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    x = inputs(70, 3)
    whole, after = NeuronPopulation(RECURRENT).step(x)
    monkeypatch.setattr(module, "CPU_VALUES", 1)
    monkeypatch.setattr(module, "MIN_PART", 16)
    parts, state = NeuronPopulation(RECURRENT).step(x)
    assert torch.equal(parts, whole)
    assert after is not None
    assert state is not None
    assert torch.equal(state, after)


@pytest.mark.parametrize("graphs", [GRAPHS, RECURRENT], ids=["feed-forward", "recurrent"])
def test_some_are_chosen_with_their_states(graphs: list[NeuronGraph]) -> None:
    population = NeuronPopulation(graphs)
    which = torch.from_numpy(np.random.default_rng(1).permutation(len(graphs))[:40])
    x = inputs(len(graphs), 2, 3)
    first, state = population.step(x)
    second, _ = population.step(x, state)
    chosen = population.choose(which)
    assert chosen.n == 40
    expected = first if state is None else second
    found, _ = chosen.step(x[which], None if state is None else state[which])
    assert torch.equal(found, expected[which])
    again = chosen.choose(torch.tensor([5, 2]))
    assert torch.equal(again(x[which][[5, 2]]), chosen(x[which])[[5, 2]])


def test_gradients_are_not_kept() -> None:
    assert not NeuronPopulation(GRAPHS)(inputs(2, 3).requires_grad_()).requires_grad


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one graph"):
        NeuronPopulation([])
    with pytest.raises(ValueError, match=r"got \(2, 2\) feed-forward and \(3, 2\) feed-forward"):
        NeuronPopulation([GRAPHS[0], graph(np.random.default_rng(0), n_inputs=2)])
    with pytest.raises(ValueError, match="recurrent"):
        NeuronPopulation([GRAPHS[0], RECURRENT[0]])
    with pytest.raises(ValueError, match="no cycle"):
        NeuronPopulation([replace(one, recurrent=False) for one in RECURRENT])
    with pytest.raises(ValueError, match="register_activation"):
        NeuronPopulation([replace(GRAPHS[0], activations=("wiggle",) * len(GRAPHS[0].ids))])


def test_inputs_and_states_of_another_shape_are_refused() -> None:
    population = NeuronPopulation(RECURRENT)
    for shape in [(3,), (4, 2), (2, 4, 3)]:
        with pytest.raises(ValueError, match=r"inputs: expected the shape \(batch, 3\)"):
            population(torch.zeros(shape))
    with pytest.raises(ValueError, match="state: expected the shape"):
        population.step(torch.zeros(4, 3), torch.zeros(2, 2))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU here")
def test_a_gpu_computes_the_same() -> None:
    for graphs in (GRAPHS, RECURRENT):
        x = inputs(8, 3).double()
        population = NeuronPopulation(graphs, "cuda", torch.float64)
        found, state = population.step(x.cuda())
        agree(
            population.step(x.cuda(), state)[0],
            (there := NeuronPopulation(graphs, dtype=torch.float64)).step(x, there.step(x)[1])[0].numpy(),
            1e-9,
        )
        assert found.device.type == "cuda"
