"""Weights from parents to child, block by block, knowing no encoding."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from evonas.network.build import Network
from evonas.network.initial import initial
from evonas.network.painting import painted
from evonas.stream import stream
from genomes.architecture import duplicates
from genomes.operations import KERNEL, Axis, Parameter

Blocks = Iterator[tuple[tuple[int, ...], tuple[slice, ...], tuple[slice, ...]]]


@dataclass(frozen=True)
class Donor:
    """A trained network that leaves its weights.

    Attributes:
        individual: Whose network it is.
        described: Its tensors' descriptions by name, `node.role`.
        tensors: Its tensors by name.
    """

    individual: int
    described: Mapping[str, Parameter]
    tensors: Mapping[str, Tensor]


@dataclass(frozen=True)
class Inheritance:
    """What a network was left.

    Attributes:
        fraction: Part of its trainable values that a donor left, 0 to 1.
        origins: For every tensor by name, the individual that left most of it; its own number where nobody did.
    """

    fraction: float
    origins: Mapping[str, int]


@torch.no_grad()
def inherit(network: Network, donors: Sequence[Donor], *, seed: int, individual: int) -> Inheritance:
    """Fill a network's tensors: every block that a donor has, the rest as it begins.

    A block is a combination of segments, one an axis, and matches where the owners of all its segments do. The first
    donor that has a block leaves it, the others fill in. It is copied from the start of its axes, from the centre of
    kernel axes. In a row of which something was left, what was not is zero: new inputs and kernel rims keep the
    function. BatchNorm's statistics come along. A painted tensor is painted, and never inherited.

    Args:
        network: The network to fill, on the CPU.
        donors: In order of precedence; none makes all of it new.
        seed: The campaign's seed; new values are from the stream (seed, "init", individual, node id, role).
        individual: The number of the individual whose network it is.
    """
    state = network.state_dict(keep_vars=True)
    left = total = 0
    origins: dict[str, int] = {}
    for layer in network.layers:
        for parameter in layer.parameters:
            if parameter.paint is not None:
                origins[parameter.name] = individual
                total += math.prod(parameter.shape) if parameter.trainable else 0
                if parameter.paint.mode != "through":
                    state[parameter.name].copy_(painted(parameter.paint).reshape(parameter.shape))
                continue
            target = state[parameter.name]
            shares = _whole(target, parameter, donors)
            if not shares:
                rng = stream(seed, "init", individual, parameter.node, parameter.role)
                target.copy_(initial(parameter, layer.node, rng=rng))
                shares = _filled(target, parameter, donors)
            origins[parameter.name] = max(shares, key=lambda who: shares[who]) if shares else individual
            if parameter.trainable:
                left += sum(shares.values())
                total += target.numel()
    return Inheritance(left / total if total else 0.0, origins)


def _whole(target: Tensor, parameter: Parameter, donors: Sequence[Donor]) -> dict[int, int]:
    """Copy a tensor that the first donor has with the very same axes, the usual case; whose it is and how much."""
    if not donors or (theirs := donors[0].described.get(parameter.name)) is None or theirs.axes != parameter.axes:
        return {}
    target.copy_(donors[0].tensors[parameter.name])
    return {donors[0].individual: target.numel()}


def _filled(target: Tensor, parameter: Parameter, donors: Sequence[Donor]) -> dict[int, int]:
    """Copy every block that a donor has; how many values each donor left."""
    shares: dict[int, int] = {}
    known: set[tuple[int, ...]] = set()
    copied = torch.zeros(target.shape, dtype=torch.bool)
    for donor in donors:
        if (theirs := donor.described.get(parameter.name)) is None:
            continue
        found = [block for block in _blocks(parameter.axes, theirs.axes) if block[0] not in known]
        for key, here, there in found:
            known.add(key)
            target[here] = donor.tensors[parameter.name][there]
            copied[here] = True
            shares[donor.individual] = shares.get(donor.individual, 0) + copied[here].numel()
    if shares and parameter.fan_in:
        begun = copied.flatten(1).any(1).view(-1, *[1] * (target.dim() - 1))
        target.masked_fill_(begun & ~copied, 0.0)
    return shares


def _blocks(ours: tuple[Axis, ...], theirs: tuple[Axis, ...]) -> Blocks:
    """The blocks of two tensors whose owners match on all axes, each with its place in both."""
    for block in product(*(_segments(a, b) for a, b in zip(ours, theirs, strict=True))):
        yield (
            tuple(place for place, _, _ in block),
            tuple(here for _, here, _ in block),
            tuple(there for _, _, there in block),
        )


def _segments(ours: Axis, theirs: Axis) -> list[tuple[int, slice, slice]]:
    """The segments of one axis whose owners match: `(place among ours, slice of ours, slice of theirs)`."""
    places: dict[tuple[str, int], tuple[int, int]] = {}
    at = 0
    for owner, occurrence, length in duplicates(theirs):
        places[owner, occurrence] = at, length
        at += length
    found, at = [], 0
    for place, (owner, occurrence, length) in enumerate(duplicates(ours)):
        if (owner, occurrence) in places:
            start, available = places[owner, occurrence]
            shared = min(length, available)
            here, there = at, start
            if owner == KERNEL:
                here, there = at + (length - shared) // 2, start + (available - shared) // 2
            found.append((place, slice(here, here + shared), slice(there, there + shared)))
        at += length
    return found
