"""Recurrent layers: against torch's own, against autograd on a plain loop, and their states and inheritance."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from evonas.network import Donor, Network, inherit
from evonas.network.recur import recur
from genomes import Recurrent, RecurrentGenome
from genomes.encoding import uniform
from genomes.operations import parameters
from genomes.recurrence import CELLS, MEMORY, RecurrentCell
from genomes.recurrent.genome import Tree, grown

BATCH, TIME, FEATURES, WIDTH = 3, 6, 5, 4
TORCH: dict[str, tuple[type[nn.RNNBase], list[str]]] = {
    "tanh": (nn.RNN, ["new"]),
    "gru": (nn.GRU, ["reset", "update", "candidate"]),
    "lstm": (nn.LSTM, ["input-gate", "forget-gate", "candidate", "output-gate"]),
}
"""torch's module of a cell, and the order of its gates."""


def tensors_of(cell: RecurrentCell, seed: int = 0, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    settings = {"cell": cell, "width": WIDTH}
    found = parameters("r", "recur", settings, (("input", FEATURES),), (("r", WIDTH),))
    return {p.role: torch.randn(p.shape, generator=generator, dtype=dtype).div_(2).requires_grad_() for p in found}


def trees(n: int, base: int = 4) -> list[RecurrentCell]:
    encoding = Recurrent(base=base)
    found = []
    for seed in range(n):
        rng = np.random.default_rng(seed)
        tree = encoding.sample(uniform(rng), rng=rng).cell
        assert isinstance(tree, Tree)
        found.append(grown(tree))
    return found


def rows(tensor: Tensor, steps: Any) -> dict[str, Tensor]:
    return dict(zip([step.name for step in steps], tensor.split(WIDTH), strict=True))


def plain(x: Tensor, h: Tensor, c: Tensor, tensors: dict[str, Tensor], cell: RecurrentCell) -> Tensor:
    """A cell as its definition says, step by step, for autograd."""
    of_x, of_h = rows(tensors["recur/input"], cell.input_maps), rows(tensors["recur/state"], cell.state_maps)
    bias = rows(tensors["recur/bias"], cell.input_maps)
    own = rows(tensors["recur/state_bias"], cell.biased_states) if cell.biased_states else {}
    act = {"identity": lambda v: v, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu}
    outputs = []
    for at in range(x.shape[1]):
        values, before = {"h": h, "c": c}, {}
        for step in cell.steps:
            name = step.name
            reads = [values[i] for i in step.inputs]
            if name in of_x:
                w = x[:, at] @ of_x[name].T + bias[name]
            if name in of_h:
                u = h @ of_h[name].T
            made = {
                "linear": lambda: w + u,  # noqa: B023
                "product": lambda: w * u,  # noqa: B023
                "input": lambda: w,  # noqa: B023
                "state": lambda: u + own[name],  # noqa: B023
                "add": lambda: reads[0] + reads[1],  # noqa: B023
                "multiply": lambda: reads[0] * reads[1],  # noqa: B023
                "one_minus": lambda: 1 - reads[0],  # noqa: B023
            }[step.operation]()
            before[name] = made
            values[name] = act[step.activation](made)
        h = values[cell.hidden]
        c = before[cell.memory] if cell.memory else c
        outputs.append(h)
    return torch.stack([*outputs, c], 1)


def theirs(name: str, tensors: dict[str, Tensor]) -> nn.RNNBase:
    """torch's module with the same weights; our one bias is the sum of its two, but for the candidate of the GRU."""
    kind, gates = TORCH[name]
    cell = CELLS[name]
    module = kind(FEATURES, WIDTH, batch_first=True)
    of_x, of_h = rows(tensors["recur/input"], cell.input_maps), rows(tensors["recur/state"], cell.state_maps)
    bias = rows(tensors["recur/bias"], cell.input_maps)
    own = rows(tensors["recur/state_bias"], cell.biased_states) if cell.biased_states else {}

    def gate(found: dict[str, Tensor], name: str, suffix: str) -> Tensor:
        return found.get(name, found.get(f"{name}-{suffix}", torch.zeros(WIDTH)))

    state = {
        "weight_ih_l0": torch.cat([gate(of_x, name, "input") for name in gates]),
        "weight_hh_l0": torch.cat([gate(of_h, name, "state") for name in gates]),
        "bias_ih_l0": torch.cat([gate(bias, name, "input") for name in gates]),
        "bias_hh_l0": torch.cat([gate(own, name, "state") for name in gates]),
    }
    module.load_state_dict(state)
    return module


@pytest.mark.parametrize("name", TORCH)
def test_the_cells_of_the_field_are_those_of_torch(name: str) -> None:
    cell = CELLS[name]
    tensors = tensors_of(cell)
    x = torch.randn(BATCH, TIME, FEATURES, generator=torch.Generator().manual_seed(1))
    state = tuple(torch.randn(BATCH, WIDTH) for _ in range(1 if cell.memory is None else 2))
    outputs, last = recur(x, state, tensors, cell, WIDTH)
    given = tuple(part[None] for part in state)
    expected, after = theirs(name, tensors)(x, given if len(given) > 1 else given[0])
    torch.testing.assert_close(outputs, expected, atol=1e-5, rtol=1e-5)
    for ours, other in zip(last, after if isinstance(after, tuple) else (after,), strict=True):
        torch.testing.assert_close(ours, other[0], atol=1e-5, rtol=1e-5)


def test_parameters_are_those_of_torch_less_the_second_bias() -> None:
    for name, (kind, gates) in TORCH.items():
        ours = sum(tensor.numel() for tensor in tensors_of(CELLS[name]).values())
        others = sum(tensor.numel() for tensor in kind(FEATURES, WIDTH).parameters())
        # The candidate of the GRU has both biases here too.
        assert ours == others - WIDTH * (len(gates) - (name == "gru"))


@pytest.mark.parametrize("cell", [*CELLS.values(), *trees(12), *trees(3, base=2), *trees(3, base=8)], ids=str)
def test_outputs_states_and_gradients_are_those_of_a_plain_loop(cell: RecurrentCell) -> None:
    generator = torch.Generator().manual_seed(2)
    x, h, c = (
        torch.randn(BATCH, *shape, generator=generator).requires_grad_()
        for shape in ((TIME, FEATURES), (WIDTH,), (WIDTH,))
    )
    tensors = tensors_of(cell)
    target = torch.randn(BATCH, TIME + 1, WIDTH, generator=generator)
    state = (h,) if cell.memory is None else (h, c)
    outputs, last = recur(x, state, tensors, cell, WIDTH)
    memory = last[1] if cell.memory else c
    ours = torch.cat([outputs, memory[:, None]], 1)
    expected = plain(x, h, c, tensors, cell)
    scale = expected.detach().abs().max().item()
    torch.testing.assert_close(ours, expected, atol=1e-5 * scale, rtol=1e-4)
    leaves = [x, *state, *tensors.values()]
    found = torch.autograd.grad((ours * target).sum() / scale, leaves)
    for got, other in zip(found, torch.autograd.grad((expected * target).sum() / scale, leaves), strict=True):
        torch.testing.assert_close(got, other, atol=1e-5 * max(1.0, other.abs().max().item()), rtol=1e-4)


def built(genome: RecurrentGenome, n: int = FEATURES, donors: tuple[Donor, ...] = (), individual: int = 0) -> Network:
    network = Network(Recurrent().develop(genome), (n,), n)
    inherit(network, donors, seed=0, individual=individual)
    return network.eval()


def donor(network: Network) -> Donor:
    return Donor(7, network.described, {name: tensor.clone() for name, tensor in network.state_dict().items()})


SYMBOLS = torch.randint(FEATURES, (BATCH, TIME), generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("name", TORCH)
@torch.no_grad()
def test_symbols_are_one_hot_vectors_and_one_step_is_a_window_of_one(name: str) -> None:
    network = built(RecurrentGenome(name, (4, 3)))
    vectors = nn.functional.one_hot(SYMBOLS, FEATURES).float()
    outputs = network(SYMBOLS)
    assert outputs.shape == (BATCH, TIME, FEATURES)
    torch.testing.assert_close(outputs, network(vectors))
    torch.testing.assert_close(outputs[:, 0], network(vectors[:, 0]))


@pytest.mark.parametrize("name", TORCH)
@torch.no_grad()
def test_a_state_carried_over_windows_is_one_long_window(name: str) -> None:
    network = built(RecurrentGenome(name, (4, 3)))
    whole = network(SYMBOLS)
    states = None
    parts = []
    for window in SYMBOLS.split([1, 3, 2], 1):
        outputs, states = network.step(window, states)
        parts.append(outputs)
    torch.testing.assert_close(torch.cat(parts, 1), whole)
    assert torch.equal(network(SYMBOLS), whole), "a call left a state behind"
    assert states is not None
    assert {id: len(state) for id, state in states.items()} == dict.fromkeys(
        ("layer-0", "layer-1"), 2 if name == "lstm" else 1
    )


def tree_genome(seed: int, widths: tuple[int, ...]) -> RecurrentGenome:
    rng = np.random.default_rng(seed)
    genome = Recurrent(activations=("tanh", "sigmoid")).sample(uniform(rng), rng=rng)
    return replace(genome, widths=widths)


@torch.no_grad()
def test_wider_layers_and_one_more_keep_the_function_where_no_new_unit_is_read() -> None:
    """New columns of old rows are zero: old units, and the head that reads them, compute what they did."""
    for seed in range(10):
        parent = built(tree_genome(seed, (4, 3)))
        for widths in ((6, 3), (4, 5), (4, 3, 8)):
            child = built(tree_genome(seed, widths), donors=(donor(parent),), individual=1)
            torch.testing.assert_close(child(SYMBOLS), parent(SYMBOLS))


@torch.no_grad()
def test_places_keep_their_weights_whatever_they_do() -> None:
    genome = tree_genome(1, (4,))
    assert isinstance(genome.cell, Tree)
    parent = built(genome)
    gene = genome.cell.genes[2]
    genes = list(genome.cell.genes)
    genes[2] = gene._replace(method="add" if gene.method == "multiply" else "multiply", activation="relu")
    child = Network(Recurrent().develop(replace(genome, cell=genome.cell._replace(genes=tuple(genes)))), (5,), 5)
    assert inherit(child, (donor(parent),), seed=0, individual=1).fraction == 1.0
    for role in ("recur/input", "recur/state", "recur/bias"):
        mine, other = (
            rows(dict(net.named_parameters())[f"layer-0.{role}"], net.architecture.nodes[1].settings["cell"].input_maps)
            for net in (child, parent)
        )
        assert all(torch.equal(mine[owner], other[owner]) for owner in other)


def test_weights_begin_uniform_within_one_over_the_root_of_the_width() -> None:
    network = built(RecurrentGenome("lstm", (100,)), n=50)
    state = network.state_dict()
    for role in ("input", "state"):
        values = state[f"layer-0.recur/{role}"]
        assert values.abs().max() <= 0.1
        assert values.std().item() == pytest.approx(0.2 / 12**0.5, rel=0.02)
    assert not state["layer-0.recur/bias"].any()


def test_memory_is_what_a_step_was_before_its_activation() -> None:
    assert CELLS["lstm"].memory == "memory"
    assert MEMORY not in {name for step in CELLS["gru"].steps for name in step.inputs}
