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
    """
    words = [int.from_bytes(hashlib.blake2b(str(word).encode(), digest_size=8).digest(), "big") for word in purpose]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words])))


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
