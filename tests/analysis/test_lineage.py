"""Who came of whom."""

from dataclasses import replace

import pytest

from evonas.analysis import ancestors, with_parents
from evonas.analysis.lineage import fitter_line, tensor_lines
from evonas.record import COMPLETE, SOURCE, Individual


def individual(id: int, *parents: int, accuracy: float = 0.5) -> Individual:
    metrics = {"accuracy": accuracy, "accuracy_at_birth": accuracy / 2}
    return Individual(id, COMPLETE, parents, "split_edge", parents, 0, "{}", "g", "a", accuracy, metrics)


FAMILY = [individual(0), individual(1), individual(2, 0), individual(3, 2, 1, accuracy=0.9), individual(4, 1)]


def test_ancestors_are_all_that_an_individual_descends_from_the_oldest_first() -> None:
    assert [one.id for one in ancestors(FAMILY, 3)] == [0, 1, 2, 3]
    assert [one.id for one in ancestors(FAMILY, 4)] == [1, 4]
    assert [one.id for one in ancestors(FAMILY, 0)] == [0]


def test_ancestors_of_nobody() -> None:
    with pytest.raises(KeyError):
        ancestors(FAMILY, 9)


def test_the_accuracy_at_birth_stands_beside_that_of_the_first_donor() -> None:
    known = {one.id: one for one in FAMILY} | {2: individual(2, 0, accuracy=0.7)}
    row = with_parents(FAMILY[3], known, "accuracy")
    assert row["parent_accuracy"] == 0.7
    assert row["metrics"]["accuracy_at_birth"] == 0.45
    assert "parent_accuracy" not in with_parents(FAMILY[0], known, "accuracy")


def test_the_fitter_line_follows_first_parents_to_the_root() -> None:
    assert [one.id for one in fitter_line(FAMILY, 3)] == [0, 2, 3]
    assert [one.id for one in fitter_line([FAMILY[2], FAMILY[3]], 3)] == [2, 3]


def test_a_tensor_is_followed_to_where_it_began_also_away_from_the_fitter_parents() -> None:
    origins = [{"a": 0, "b": 0}, {"a": 1, "c": SOURCE}, {"a": 0, "b": 2}, {"a": 2, "b": 2, "c": 1, "d": 3}, {}]
    family = [replace(one, origins=origin) for one, origin in zip(FAMILY, origins, strict=True)]
    assert tensor_lines(family, 3) == {"a": (0, 2, 3), "b": (2, 3), "c": (SOURCE, 1, 3), "d": (3,)}
    assert tensor_lines(family, 4) == {}
