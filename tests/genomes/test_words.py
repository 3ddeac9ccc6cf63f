"""An unknown word is mended by one that is like it, wherever it is chosen."""

from collections.abc import Callable
from typing import Any

import pytest

from genomes import Canvas, Cell, Dag, EsHyperNeat, HyperNeat, Neat, Recurrent
from genomes.words import meant


def test_the_word_that_is_most_like_it_is_named() -> None:
    assert meant("sigmod", ["tanh", "sigmoid", "steep_sigmoid"]) == "did you mean sigmoid?"
    assert meant(["tanh", "sigmod"], ["tanh", "sigmoid"]) == "did you mean sigmoid?", "the first is known"
    assert meant("xyz", ["tanh"], "name one") == "name one"
    assert meant("fitnes_2", ["fitness"], "", likeness=0.95) == ""
    assert meant([], ["tanh"]) == meant(3, ["tanh"]) == "correct it"


@pytest.mark.parametrize(
    ("make", "fields", "expected"),
    [
        (Neat, {"mutations": {"add_nod": 1}}, "add_node"),
        (Dag, {"activations": ("rel",)}, "relu"),
        (Dag, {"mutations": {"split_edg": 1}}, "split_edge"),
        (Cell, {"operations": ("identity", "conv_3x")}, "conv_3x3"),
        (Recurrent, {"activations": ("tan",)}, "tanh"),
        (HyperNeat, {"activation": "tan"}, "tanh"),
        (HyperNeat, {"queries": ("source", "targt")}, "target"),
        (EsHyperNeat, {"output_activation": "sigmod"}, "sigmoid"),
        (EsHyperNeat, {"queries": ("source", "targt")}, "target"),
        (Canvas, {"queries": ("source", "targt")}, "target"),
    ],
)
def test_choices_of_encodings(make: Callable[..., Any], fields: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=f"; did you mean {expected}\\?$"):
        make(**fields)
