"""A training step on text: our recurrent layer against torch's own module, alternated.

Both read the same symbols, map the outputs of one recurrent layer to the symbols, and go forward and backward once. The
ratio is of the time of each pair; a tree of the encoding has no peer, its time is given alone.

    python benchmarks/recurrent.py [--quick] [--json]
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evonas.evaluation.inline import prepare_process
from evonas.network import Network, inherit
from genomes import Recurrent, RecurrentGenome
from genomes.encoding import uniform

N_SYMBOLS = 65
PEERS: dict[str, Callable[..., nn.Module]] = {"lstm": nn.LSTM, "gru": nn.GRU, "tanh": nn.RNN}
SIZES = ((64, 32, 32), (64, 32, 64), (128, 64, 64))
"""Units, streams, characters of a window."""
WARM_UP = 2


class Peer(nn.Module):
    """The same network with torch's module."""

    def __init__(self, kind: Callable[..., nn.Module], width: int) -> None:
        super().__init__()
        self.cell = kind(N_SYMBOLS, width, batch_first=True)
        self.head = nn.Linear(width, N_SYMBOLS)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs `(batch, time, symbols)` for symbols `(batch, time)`."""
        return self.head(self.cell(F.one_hot(x, N_SYMBOLS).float())[0])


def ours(genome: RecurrentGenome) -> Network:
    """A network of this engine."""
    network = Network(Recurrent().develop(genome), (N_SYMBOLS,), N_SYMBOLS)
    inherit(network, (), seed=0, individual=0)
    return network


def milliseconds(network: nn.Module, x: Tensor, y: Tensor) -> float:
    """Time of one forward and backward pass."""
    began = time.perf_counter()
    network.zero_grad(set_to_none=True)
    F.cross_entropy(network(x).flatten(0, 1), y.flatten()).backward()
    return 1e3 * (time.perf_counter() - began)


def measure(n_pairs: int) -> dict[str, float]:
    """Medians and quartiles of ratios, and medians in milliseconds, by cell and size."""
    prepare_process(1)
    rng = np.random.default_rng(0)
    tree = Recurrent(max_layers=1).sample(uniform(rng), rng=rng).cell
    found: dict[str, float] = {"pairs": n_pairs, "torch_threads": torch.get_num_threads()}
    for width, batch, window in SIZES:
        size = f"{width}x{batch}x{window}"
        x, y = torch.from_numpy(rng.integers(N_SYMBOLS, size=(2, batch, window)))
        for name, kind in PEERS.items():
            pair = ours(RecurrentGenome(name, (width,))), Peer(kind, width)
            times = [[milliseconds(network, x, y) for network in pair] for _ in range(n_pairs + WARM_UP)][WARM_UP:]
            low, middle, high = statistics.quantiles([a / b for a, b in times], n=4)
            found |= {f"{name}_{size}_ratio_{part}": v for part, v in (("median", middle), ("q1", low), ("q3", high))}
            found[f"{name}_{size}_ms"] = statistics.median(a for a, _ in times)
        alone = ours(RecurrentGenome(tree, (width,)))
        times = [[milliseconds(alone, x, y)] for _ in range(n_pairs + WARM_UP)][WARM_UP:]
        found[f"tree_{size}_ms"] = statistics.median(a for (a,) in times)
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="A training step of recurrent layers, against torch's modules.")
    parser.add_argument("--quick", action="store_true", help="10 pairs instead of 60")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    arguments = parser.parse_args()
    found = measure(10 if arguments.quick else 60)
    if arguments.json:
        print(json.dumps(found))
        return
    print(f"{found['pairs']:.0f} pairs, alternated, on {found['torch_threads']:.0f} torch thread; median (quartiles)")
    for width, batch, window in SIZES:
        size = f"{width}x{batch}x{window}"
        print(f"{width} units, {batch} streams, {window} characters")
        for name in PEERS:
            middle, low, high = (found[f"{name}_{size}_ratio_{part}"] for part in ("median", "q1", "q3"))
            print(f"  {name:6} {middle:5.2f} × torch ({low:.2f} to {high:.2f})  {found[f'{name}_{size}_ms']:7.2f} ms")
        print(f"  {'tree':6} {'':23}  {found[f'tree_{size}_ms']:7.2f} ms")


if __name__ == "__main__":
    main()
