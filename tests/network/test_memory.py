"""Peak memory, against tensors that are alive in a forward pass."""

import weakref
from typing import Any

import pytest
import torch

from evonas.network import Network
from genomes import Architecture
from genomes.memory import peak_memory
from genomes.operations import Shape
from tests.genomes.dags import CONFIGS, POPULATIONS
from tests.network.nets import network


def counted(net: Network, shape: Shape, batch: int) -> int:
    """Bytes of the network's tensors and of the outputs alive at once, at most, each storage once."""
    outputs: list[weakref.ref[torch.Tensor]] = []
    most = 0

    def note(module: torch.nn.Module, args: Any, output: torch.Tensor) -> torch.Tensor:
        nonlocal most
        if getattr(module, "node").operation == "input":  # noqa: B009
            output = output.clone()  # one that no caller holds
        outputs.append(weakref.ref(output))
        alive = {one.untyped_storage().data_ptr(): one.nbytes for ref in outputs if (one := ref()) is not None}
        most = max(most, sum(alive.values()))
        return output

    hooks = [module.register_forward_hook(note) for module in net.children()]
    with torch.no_grad():
        net.eval()(torch.zeros(batch, *shape))
    for hook in hooks:
        hook.remove()
    return most + sum(tensor.nbytes for tensor in net.state_dict().values())


@pytest.mark.parametrize("name", CONFIGS)
def test_it_is_what_a_forward_pass_holds(name: str) -> None:
    config = CONFIGS[name]
    for genome in POPULATIONS[name]:
        phenotype: Architecture = config.develop(genome)
        net = network(phenotype, config.input_shape, 5)
        assert peak_memory(phenotype, config.input_shape, 5, batch=2) == counted(net, config.input_shape, 2)
