"""Historical markings derived from content: the same structural mutation has the same name in every lineage.

Stanley & Miikkulainen 2002 (https://doi.org/10.1162/106365602320169811) number innovations with a global counter and
match equal mutations only within one generation. Here a marking is a 64-bit hash of what made the gene: homology
holds across generations, workers and restarts, and there is no counter or registry to checkpoint. The price is that a
gene removed and made again gets its old marking back, which is wanted: it is the same place in the network.
"""

import hashlib
import json
from collections.abc import Container


def marking(*origin: str | int) -> str:
    """Name a gene after what made it.

    Args:
        *origin: What happened, e.g. `("edge", source, target)` or `("split", edge, ordinal)`.

    Returns:
        16 hexadecimal digits (64 bits).
    """
    return hashlib.blake2b(json.dumps(origin).encode(), digest_size=8).hexdigest()


def fresh_marking(taken: Container[str], *origin: str | int) -> str:
    """Name a gene after what made it and the smallest ordinal not in use in its genome.

    Args:
        taken: The markings this genome already holds.
        *origin: As in `marking`; the ordinal is appended.
    """
    ordinal = 0
    while (name := marking(*origin, ordinal)) in taken:
        ordinal += 1
    return name
