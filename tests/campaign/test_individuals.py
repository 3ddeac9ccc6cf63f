"""Individuals as one value: a sequence that nobody changes, a table, a data frame."""

import builtins
from pathlib import Path
from typing import Any

import pytest

from evonas.analysis import ancestors
from evonas.campaign import Campaign, Individuals, Store, StoreError
from evonas.record import Individual


@pytest.fixture(scope="module")
def found(finished: Path) -> Individuals:
    return Campaign.load(finished).individuals


def test_they_are_a_sequence_in_the_order_of_their_numbers(found: Individuals) -> None:
    assert len(found) == 10
    assert [one.id for one in found] == list(range(10))
    assert found[-1] is found[9]
    assert isinstance(found[2:4], Individuals)
    assert [one.id for one in found[2:4]] == [2, 3]
    assert found[3] in found
    assert next(reversed(found)).id == 9


def test_they_equal_any_sequence_of_the_same_records(found: Individuals, finished: Path) -> None:
    assert found == Campaign.load(finished).individuals == list(found)
    assert found != found[1:]
    assert found != 3


def test_nobody_changes_them(found: Individuals) -> None:
    with pytest.raises(TypeError):
        found[0] = found[1]  # type: ignore[index]
    assert not hasattr(found, "append")


def test_their_repr_is_short(found: Individuals) -> None:
    assert repr(found) == "<10 individuals: 10 complete>"
    assert repr(Individuals()) == "<0 individuals>"


def test_a_frame_has_a_row_each_and_a_column_for_every_metric(found: Individuals) -> None:
    frame = found.to_frame()
    assert list(frame.index) == list(range(10))
    assert frame.index.name == "id"
    assert list(frame["accuracy"]) == [one.metrics["accuracy"] for one in found]
    assert frame["accuracy_at_birth"].isna().sum() == sum(not one.donors for one in found) > 0
    assert frame.loc[7, "parents"] == found[7].parents
    assert next(iter(Individuals().to_frame().columns)) == "state"


def test_without_pandas_a_frame_says_how_to_get_it(found: Individuals, monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name == "pandas":
            raise ImportError(name)
        return imported(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ImportError, match=r"pip install evonas\[frames\]"):
        found.to_frame()


def test_a_lineage_is_all_ancestors_the_oldest_first(finished: Path) -> None:
    campaign = Campaign.load(finished)
    for one in campaign.individuals:
        assert list(campaign.lineage(one.id)) == ancestors(campaign.individuals, one.id)
    assert max(len(campaign.lineage(one.id)) for one in campaign.individuals) > 2
    for id in (-1, 10):
        with pytest.raises(StoreError, match=rf"expected an individual from 0 to \d+, got {id}"):
            campaign.lineage(id)


def test_a_front_is_one_too(finished: Path) -> None:
    campaign = Campaign.load(finished)
    assert isinstance(campaign.front, Individuals)
    assert [one.id for one in campaign.front] == [campaign.best.id if campaign.best else None]


def test_a_campaign_says_what_it_is(finished: Path) -> None:
    campaign = Campaign.load(finished)
    assert campaign.best is not None
    text = repr(campaign)
    for part in (
        "small: arrays, dag, evolution",
        str(finished),
        "10 complete",
        f"best {campaign.best.id}: accuracy 0.",
    ):
        assert part in text
    assert repr(Campaign("digits")) == "<Campaign campaign: digits, dag, evolution; not run yet>"


def test_the_face_names_all_that_it_has() -> None:
    import evonas

    assert {"Campaign", "load", "retrain", "from_arrays", "SpecError", "__version__"} <= set(dir(evonas))
    for name in evonas.__all__:
        assert getattr(evonas, name) is not None
    with pytest.raises(AttributeError, match=r"has no attribute 'campaing'; it has Campaign"):
        _ = evonas.campaing


def test_one_is_read_without_the_others(finished: Path, found: Individuals, monkeypatch: pytest.MonkeyPatch) -> None:
    def all_read(store: Store) -> list[Individual]:
        raise AssertionError("every individual was read")

    monkeypatch.setattr(Store, "individuals", all_read)
    campaign = Campaign.load(finished)
    assert campaign.individual(7) == found[7]
    with pytest.raises(StoreError, match="from 0 to 9, got 10"):
        campaign.individual(10)


def test_one_of_those_that_were_read_is_not_read_again(finished: Path) -> None:
    campaign = Campaign.load(finished)
    assert campaign.individuals[7] is campaign.individual(7)
