"""The store: what is appended is read back; anything else than a campaign is refused in one line."""

import hashlib
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evonas.campaign import Store, StoreError
from evonas.campaign.rows import FORMAT, Told
from evonas.campaign.store import DATABASE, LOCK, is_locked
from evonas.record import COMPLETE, FAILED, Budget, Evaluation, Individual, Proposal
from evonas.search import RandomConfig
from tests.campaigns import context

ENCODING = context().encoding
EVALUATION = Evaluation(
    1,
    COMPLETE,
    {"accuracy": 0.1 + 0.2, "loss": 1e-17, "parameters": 12.0, "macs": 99.0},
    1.5,
    3,
    ({"epoch": 1, "loss": 0.3}, {"epoch": 2, "loss": 0.1}),
    0.25,
    {"a/weight": 0, "b/weight": 1},
    b"weights",
    "",
    1.25,
)


def proposed(n: int = 3) -> list[Proposal]:
    first, *rest = RandomConfig().build(context()).ask(n)
    bred = [replace(one, parents=(0,), operator="split_edge", donors=(0,), generation=one.id) for one in rest]
    bred[-1] = replace(bred[-1], budget=Budget(7), memory={"log_probability": -0.1})
    return [first, *bred]


@pytest.fixture
def store(tmp_path: Path) -> Any:
    made = Store.create(tmp_path / "a", {"spec": {"seed": 1}})
    yield made
    made.close()


def told(evaluation: Evaluation, *, keep: bool = True) -> Told:
    fitness = 0.5 if evaluation.state == COMPLETE else None
    return Told(evaluation, fitness, 2.5, keep)


def filled(store: Store) -> list[Proposal]:
    asked = proposed()
    store.append(asked[:2], ENCODING)
    store.append([told(Evaluation(0, FAILED, seconds=0.5, error="ValueError: no")), *asked[2:]], ENCODING)
    store.append([told(EVALUATION)], ENCODING)
    return asked


# Round trip


def test_events_come_back_in_their_order_without_loss(store: Store) -> None:
    asked = filled(store)
    failed = Evaluation(0, FAILED, seconds=0.5, error="ValueError: no")
    assert list(store.events(ENCODING)) == [*asked[:2], failed, asked[2], replace(EVALUATION, weights=None)]


def test_individuals_come_back_without_loss(store: Store) -> None:
    asked = filled(store)
    failed, complete, pending = store.individuals()
    assert (failed.id, failed.state, failed.error, failed.fitness) == (0, "failed", "ValueError: no", None)
    assert pending == Individual(
        2, "pending", (0,), "split_edge", (0,), 2, pending.genome, asked[2].genome.digest, pending.digest
    )
    assert complete.metrics == EVALUATION.metrics
    assert complete.curve == EVALUATION.curve
    assert complete.origins == EVALUATION.origins
    assert (complete.fitness, complete.elapsed, complete.seconds, complete.epochs) == (0.5, 2.5, 1.5, 3)
    assert complete.weights_sha256 == hashlib.sha256(b"weights").hexdigest()
    assert complete.digest == ENCODING.develop(asked[1].genome).digest
    assert store.elapsed() == 2.5


def test_a_store_read_anew_says_the_same(store: Store, tmp_path: Path) -> None:
    filled(store)
    viewer = Store.open(tmp_path / "a")
    assert viewer.individuals() == store.individuals()
    assert list(viewer.events(ENCODING)) == list(store.events(ENCODING))
    assert viewer.facts() == {"format": FORMAT, "spec": {"seed": 1}}
    store.set_fact("tested", {"accuracy": 0.5})
    store.set_fact("spec", {"seed": 2})
    assert viewer.facts() == {"format": FORMAT, "spec": {"seed": 2}, "tested": {"accuracy": 0.5}}
    viewer.close()


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    filled(store)
    before = list(store.events(ENCODING))
    unknown = replace(proposed(4)[3], id=2)
    with pytest.raises(sqlite3.IntegrityError):
        store.append([told(replace(EVALUATION, id=2)), unknown], ENCODING)
    assert list(store.events(ENCODING)) == before
    assert store.integrity() == []


def test_a_viewer_cannot_write(store: Store, tmp_path: Path) -> None:
    viewer = Store.open(tmp_path / "a")
    with pytest.raises(sqlite3.OperationalError, match=r"readonly"):
        viewer.set_fact("a", 1)
    viewer.close()


# Weights


def test_weights_are_written_checked_and_pruned(store: Store) -> None:
    filled(store)
    path = store.weights_path(1)
    assert path.read_bytes() == store.weights(1) == b"weights"
    (path.parent / "9-0.new").write_bytes(b"left by an interrupted write")
    (path.parent / "8-0.safetensors").write_bytes(b"of one that was never told")
    assert store.prune({1, 5}) == {1}
    assert list(path.parent.iterdir()) == [path]
    path.write_bytes(b"weightz")
    with pytest.raises(StoreError, match=r"expected the recorded content, got another"):
        store.weights(1)
    assert store.prune(set()) == set()
    with pytest.raises(StoreError, match=r"expected the weights of individual 1, found none"):
        store.weights(1)


def test_weights_that_are_not_to_be_kept_are_not_written(store: Store) -> None:
    store.append(proposed()[:2], ENCODING)
    store.append([told(EVALUATION, keep=False)], ENCODING)
    assert not store.weights_path(1).exists()
    assert store.individuals()[1].weights_sha256 is None


def test_weights_are_durable_before_the_log_says_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.append(proposed()[:2], ENCODING)
    seen = []

    def insert(table: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
        seen.extend([(table, store.weights_path(1).read_bytes())] * len(rows))

    monkeypatch.setattr(store, "_insert", insert)
    store.append([told(EVALUATION)], ENCODING)
    assert seen == [("told", b"weights")]


# Anything else


@pytest.mark.parametrize("content", [b"", b"junk", b"SQLite format 3\0" + b"junk" * 999, b"\0" * 8192])
def test_a_junk_file_is_refused_in_one_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(content)
    for write in (False, True):
        with pytest.raises(StoreError, match=r"expected a campaign's log, got a damaged file") as caught:
            Store.open(tmp_path, write=write)
        assert "\n" not in str(caught.value)
    assert not is_locked(tmp_path)


@pytest.mark.parametrize("part", [0.02, 0.1, 0.3, 0.6, 0.9])
def test_a_truncated_file_is_refused_or_read_up_to_there(part: float, finished: Path, tmp_path: Path) -> None:
    content = (finished / DATABASE).read_bytes()
    (tmp_path / DATABASE).write_bytes(content[: int(part * len(content))])
    with pytest.raises(StoreError, match=r"expected a campaign's log, got a damaged file"):
        read_all(tmp_path)


def read_all(directory: Path) -> None:
    store = Store.open(directory)
    try:
        store.individuals()
        list(store.events(ENCODING))
    finally:
        store.close()


def test_rows_that_are_no_json_are_a_damaged_log(store: Store, tmp_path: Path) -> None:
    filled(store)
    store._connection.execute("UPDATE told SET metrics = '{' WHERE id = 1")
    with pytest.raises(StoreError, match=r"got a damaged file"):
        store.individuals()
    with pytest.raises(StoreError, match=r"got a damaged file"):
        list(store.events(ENCODING))
    store._connection.execute("UPDATE facts SET value = 'x'")
    with pytest.raises(StoreError, match=r"got a damaged file"):
        store.facts()


def test_a_missing_campaign_is_refused(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "none"):
        for write in (False, True):
            with pytest.raises(StoreError, match=r"expected a campaign's directory, found no campaign.sqlite in it"):
                Store.open(place, write=write)
    assert list(tmp_path.iterdir()) == []


def test_another_format_is_refused(store: Store, tmp_path: Path) -> None:
    store.set_fact("format", 1)
    with pytest.raises(StoreError, match=r"expected format 2, got 1; use the evonas version that wrote it"):
        Store.open(tmp_path / "a")


def test_a_campaign_is_not_made_twice(store: Store, tmp_path: Path) -> None:
    filled(store)
    store.close()
    with pytest.raises(StoreError, match=r"expected no campaign, found one"):
        Store.create(tmp_path / "a", {})
    again = Store.open(tmp_path / "a", write=True)
    assert len(again.individuals()) == 3
    again.close()


def test_what_an_interrupted_making_left_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "campaign.new").write_bytes(b"half a file")
    Store.create(tmp_path, {}).close()
    assert sorted(path.name for path in tmp_path.iterdir()) == [LOCK, DATABASE, "weights"]


# One writer


def test_a_second_writer_is_refused_and_a_viewer_is_not(store: Store, tmp_path: Path) -> None:
    filled(store)
    code = (
        "import sys; from pathlib import Path; from evonas.campaign.store import Store, StoreError, is_locked\n"
        "path = Path(sys.argv[1])\n"
        "print(is_locked(path), len(Store.open(path).individuals()))\n"
        "try: Store.open(path, write=True)\n"
        "except StoreError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "a"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "True 3",
        f"{tmp_path / 'a'}: expected no other writer, another process runs this campaign; wait or stop it",
    ]
    with pytest.raises(StoreError, match=r"expected no other writer"):
        Store.open(tmp_path / "a", write=True)
    store.close()
    assert not is_locked(tmp_path / "a")


def test_a_viewer_that_looks_for_a_writer_does_not_keep_one_out(store: Store, tmp_path: Path) -> None:
    import fcntl

    store.close()
    with (tmp_path / "a" / LOCK).open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        assert not is_locked(tmp_path / "a")
        release = threading.Thread(target=lambda: (time.sleep(0.05), fcntl.flock(looking, fcntl.LOCK_UN)))
        release.start()
        Store.open(tmp_path / "a", write=True).close()
        release.join()


def test_to_look_for_a_writer_leaves_no_trace(tmp_path: Path) -> None:
    assert not is_locked(tmp_path)
    assert not is_locked(tmp_path / "none")
    assert list(tmp_path.iterdir()) == []
