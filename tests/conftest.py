"""What all tests may use."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.campaigns import written_spec


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Prepared data go to a folder of the tests: nobody's home is touched."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVONAS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign's directory, run to its end with its control. Read only: copy it before anything is changed."""
    from evonas.campaign import Campaign
    from evonas.campaign.spec import read

    place = tmp_path_factory.mktemp("finished")
    spec = read(written_spec(place, evaluations=10), {"control": "random", "keep_best": 2})
    Campaign.of(spec).run(place / "out")
    return place / "out"


@pytest.fixture
def fast_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes are not waited for: for tests of many campaigns that no power cut can touch."""
    from evonas.campaign import store

    connected = store._connected

    def hasty(path: Path, *, write: bool) -> sqlite3.Connection:
        connection = connected(path, write=write)
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    monkeypatch.setattr(store, "_connected", hasty)
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
