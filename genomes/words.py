"""How an unknown word is mended."""

import difflib
from collections.abc import Iterable

OWN_ACTIVATION = ", or one of your own (evonas.register_activation)"
"""What follows the activations of which one is expected."""


def meant(got: object, known: Iterable[str], otherwise: str = "correct it", *, likeness: float = 0.6) -> str:
    """What the message on a word that is unknown ends with.

    Args:
        got: The word, or several of which some are unknown, or something that is none.
        known: The words there are.
        otherwise: How else to mend it, where no word is like it.
        likeness: 0 to 1: how alike a word must be to be named.
    """
    words = list(known)
    for one in got if isinstance(got, (list, tuple)) else (got,):
        if one not in words and (near := difflib.get_close_matches(str(one), words, 1, likeness)):
            return f"did you mean {near[0]}?"
    return otherwise
