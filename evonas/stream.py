"""Where randomness comes from: every purpose has a stream of its own, named, never stored."""

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


def stream(seed: int, *purpose: str | int) -> np.random.Generator:
    """The generator of one purpose: the same seed and words give the same draws, in any process and order.

    Args:
        seed: The campaign's seed, 0 or more.
        *purpose: What the draws are for, e.g. `("ask", 412)`.

    Raises:
        ValueError: If the seed is negative.
    """
    if seed < 0:
        raise ValueError(f"seed: expected a non-negative integer, got {seed}; choose another")
    parts: list[int] = []
    for number in (seed, *map(_number, purpose)):
        # What SeedSequence makes of whole numbers, at a fifth of its time: 32 bits at a time, the lowest first.
        parts.append(number & 0xFFFFFFFF)
        while number := number >> 32:
            parts.append(number & 0xFFFFFFFF)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(np.array(parts, np.uint32))))


def _number(word: str | int) -> int:
    return int.from_bytes(hashlib.blake2b(str(word).encode(), digest_size=8).digest(), "big")


@contextmanager
def global_random(rng: np.random.Generator) -> Iterator[None]:
    """Seed Python's global `random`, which DEAP's operators draw from, and put it back as it was afterwards.

    Args:
        rng: Gives the seed.
    """
    before = random.getstate()
    random.seed(int(rng.integers(2**63)))
    try:
        yield
    finally:
        random.setstate(before)
