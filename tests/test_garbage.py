"""The collector waits while a population is made."""

import gc

import pytest

from evonas.garbage import uncollected


def test_nothing_is_collected_in_it_and_everything_afterwards() -> None:
    class Cyclic:
        def __init__(self) -> None:
            self.itself = self

    known = gc.get_stats()[0]["collections"]
    with uncollected():
        kept = [Cyclic() for _ in range(5_000)]
        assert gc.get_stats()[0]["collections"] == known
    assert gc.isenabled()
    assert len([Cyclic() for _ in range(5_000)]) == len(kept)
    assert gc.get_stats()[0]["collections"] > known


def test_it_is_put_back_after_an_error() -> None:
    with pytest.raises(ValueError, match="no"), uncollected():
        raise ValueError("no")
    assert gc.isenabled()


def test_who_switched_it_off_finds_it_off() -> None:
    gc.disable()
    try:
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
