"""A campaign's directory: the log in SQLite, weights as safetensors files; nothing in it is a pickle."""

import contextlib
import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from evonas.campaign.rows import (
    FACTS,
    FORMAT,
    INDIVIDUAL,
    INDIVIDUALS,
    PROPOSED,
    SCHEMA,
    TOLD,
    Told,
    evaluation_of,
    individual_of,
    proposed_row,
    told_row,
)
from evonas.record import Budget, Evaluation, Individual, Proposal
from genomes.encoding import Encoding
from genomes.reading import read_genome

DATABASE, LOCK, WEIGHTS = "campaign.sqlite", "campaign.lock", "weights"
MAX_NAMED = 20
"""Individuals that a message names."""
LOCK_TRIES, LOCK_SECONDS = 5, 0.05
"""A writer's tries and the time in between: a viewer that looks for a writer holds the lock for a moment."""


class StoreError(Exception):
    """A campaign that is missing, locked or incompatible; the message is one line."""


class DamagedError(StoreError):
    """A campaign that lacks what its log says it has; the message is one line."""


class Store:
    """The log and weights of one campaign. One writer at a time holds a lock; any number may read.

    The log is the union of the tables `proposed` and `told` in the order of `seq`; it only grows.
    """

    def __init__(self, directory: Path, connection: sqlite3.Connection, lock: int | None = None) -> None:
        self.directory = directory
        self._connection = connection
        self._lock = lock

    @classmethod
    def create(cls, directory: Path, facts: Mapping[str, Any]) -> "Store":
        """Make a new campaign and open it for writing.

        Args:
            directory: Made where it is missing.
            facts: What stays known of the campaign, as JSON values by name.

        Raises:
            StoreError: If another process writes here, or there is a campaign already.
            OSError: If the directory cannot be written.
        """
        (directory / WEIGHTS).mkdir(parents=True, exist_ok=True)
        lock = _locked(directory)
        path = directory / DATABASE
        if path.exists():
            os.close(lock)
            raise StoreError(f"{directory}: expected no campaign, found one; resume it or choose another directory")
        building = path.with_suffix(".new")
        for leftover in (building, Path(f"{building}-wal"), Path(f"{building}-shm"), Path(f"{building}-journal")):
            leftover.unlink(missing_ok=True)
        connection = sqlite3.connect(building, isolation_level=None)
        connection.executescript(f"BEGIN; {SCHEMA} COMMIT;")
        rows = [(name, json.dumps(value)) for name, value in {"format": FORMAT, **facts}.items()]
        connection.executemany("INSERT INTO facts VALUES (?, ?)", rows)
        connection.close()
        _make_durable(building)
        building.rename(path)
        _make_durable(directory)
        return cls(directory, _connected(path, write=True), lock)

    @classmethod
    def open(cls, directory: Path, *, write: bool = False) -> "Store":
        """Open a campaign.

        Raises:
            StoreError: If there is none, it is locked (writing), or it is not readable as one.
        """
        path = directory / DATABASE
        if not path.is_file():
            raise StoreError(f"{directory}: expected a campaign's directory, found no {DATABASE} in it; check the path")
        lock = _locked(directory) if write else None
        try:
            store = cls(directory, _connected(path, write=write), lock)
        except sqlite3.Error as error:
            if lock is not None:
                os.close(lock)
            raise _damaged(path, error) from None
        try:
            found = store.facts().get("format")
        except StoreError:
            store.close()
            raise
        if found != FORMAT:
            store.close()
            raise StoreError(f"{path}: expected format {FORMAT}, got {found}; use the evonas version that wrote it")
        return store

    def close(self) -> None:
        """Close the log and give the lock back."""
        self._connection.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def facts(self) -> dict[str, Any]:
        """What is known of the campaign: `spec`, `versions`, `fingerprint`, later `tested` and others."""
        with self._reading():
            return {name: json.loads(value) for name, value in self._connection.execute(FACTS)}

    def set_fact(self, name: str, value: Any) -> None:
        """Record or replace a fact; durable on return."""
        self._connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, json.dumps(value)))

    def append(self, events: Sequence[Told | Proposal], encoding: Encoding[Any]) -> None:
        """Append results and proposals in one transaction; durable on return, weights before the log.

        Args:
            events: In their order.
            encoding: Writes genomes, and develops them for the digest.
        """
        told = [event for event in events if isinstance(event, Told)]
        hashes = {one.evaluation.id: self._write_weights(one) for one in told}
        with self._transaction():
            proposed_rows, told_rows = [], []
            for seq, event in enumerate(events, self.n_events()):
                if isinstance(event, Told):
                    told_rows.append(told_row(seq, event, hashes[event.evaluation.id], encoding))
                else:
                    proposed_rows.append(proposed_row(seq, event, encoding))
            self._insert("proposed", PROPOSED, proposed_rows)
            self._insert("told", TOLD, told_rows)

    def events(self, encoding: Encoding[Any]) -> Iterator[Proposal | Evaluation]:
        """The log from its start; evaluations come without their weights.

        Raises:
            StoreError: If the log is damaged.
        """
        events = self._events(encoding)
        while True:
            with self._reading():
                event = next(events, None)
            if event is None:
                return
            yield event

    def _events(self, encoding: Encoding[Any]) -> Iterator[Proposal | Evaluation]:
        columns = "seq, id, parents, operator, donors, generation, epochs, genome, memory"
        proposed = self._connection.execute(f"SELECT {columns} FROM proposed ORDER BY seq")
        told = self._connection.execute(f"SELECT {TOLD} FROM told ORDER BY seq")
        result = told.fetchone()
        for seq, id, parents, operator, donors, generation, epochs, genome, memory in proposed:
            while result is not None and result[0] < seq:
                yield evaluation_of(result, encoding)
                result = told.fetchone()
            decoded = read_genome(encoding, genome)
            yield Proposal(
                id,
                decoded,
                tuple(json.loads(parents)),
                operator,
                tuple(json.loads(donors)),
                Budget(epochs),
                generation,
                json.loads(memory),
            )
        while result is not None:
            yield evaluation_of(result, encoding)
            result = told.fetchone()

    def individuals(self) -> list[Individual]:
        """Every individual in the order of its number.

        Raises:
            StoreError: If the log is damaged.
        """
        with self._reading():
            return [individual_of(row) for row in self._connection.execute(INDIVIDUALS)]

    def individual(self, id: int) -> Individual:
        """One individual that there is.

        Raises:
            StoreError: If the log is damaged.
        """
        with self._reading():
            return individual_of(self._connection.execute(INDIVIDUAL, (id,)).fetchone())

    def n_individuals(self) -> int:
        """Individuals in the log, numbered from 0."""
        return int(self._connection.execute("SELECT count(*) FROM proposed").fetchone()[0])

    def integrity(self) -> list[str]:
        """What SQLite finds wrong with the log, one line each."""
        lines = [str(row[0]) for row in self._connection.execute("PRAGMA integrity_check")]
        lines += [
            f"{table}: a result without its proposal"
            for table, *_ in self._connection.execute("PRAGMA foreign_key_check")
        ]
        return [line for line in lines if line != "ok"]

    def elapsed(self) -> float:
        """Seconds of the campaign's clock at the last result."""
        return float(self._connection.execute("SELECT coalesce(max(elapsed), 0) FROM told").fetchone()[0])

    def weights_path(self, individual: int) -> Path:
        """Where an individual's weights are, if they are kept."""
        return self.directory / WEIGHTS / f"{individual}-0.safetensors"

    def weights(self, individual: int, *, needed: bool = False) -> bytes:
        """An individual's trained tensors as safetensors bytes.

        Args:
            individual: Its number.
            needed: True where the log says that they are kept: if they are missing, they are lost.

        Raises:
            DamagedError: If they are damaged or lost.
            StoreError: If they were not kept.
        """
        row = self._connection.execute("SELECT weights_sha256 FROM told WHERE id = ?", (individual,)).fetchone()
        path = self.weights_path(individual)
        try:
            data = path.read_bytes()
        except OSError:
            if needed:
                raise DamagedError(
                    f"{path}: expected the weights of individual {individual}, which are needed, found none; "
                    "put back a copy, `evonas verify` tells what else is damaged"
                ) from None
            raise StoreError(
                f"{path}: expected the weights of individual {individual}, found none; they are kept for "
                f"the best and for possible parents only: {self._kept()}"
            ) from None
        if row is None or hashlib.sha256(data).hexdigest() != row[0]:
            raise DamagedError(
                f"{path}: expected the recorded content, got another; `evonas verify` tells what is damaged"
            )
        return data

    def _kept(self) -> str:
        """The first of those who have weights, for a message."""
        paths = (self.directory / WEIGHTS).glob("*-0.safetensors")
        numbers = sorted(int(name) for path in paths if (name := path.name.removesuffix("-0.safetensors")).isdigit())
        return ", ".join(map(str, numbers[:MAX_NAMED])) + (", …" if len(numbers) > MAX_NAMED else "") or "nobody yet"

    def left_weights(self, individual: int) -> bool:
        """True if the log says that this individual's weights were written."""
        query = "SELECT weights_sha256 IS NOT NULL FROM told WHERE id = ?"
        row = self._connection.execute(query, (individual,)).fetchone()
        return row is not None and bool(row[0])

    def prune(self, spared: set[int]) -> set[int]:
        """Delete the weights of all others, and what an interrupted write left; the individuals that have weights."""
        paths = {self.weights_path(individual): individual for individual in spared}
        found = set((self.directory / WEIGHTS).iterdir())
        for path in found - paths.keys():
            path.unlink(missing_ok=True)
        return {individual for path, individual in paths.items() if path in found}

    def _write_weights(self, told: Told) -> str | None:
        """Write what is to be kept; its hash."""
        data = told.evaluation.weights
        if not told.keep_weights or data is None:
            return None
        write_durably(self.weights_path(told.evaluation.id), data)
        return hashlib.sha256(data).hexdigest()

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """What the log holds is read in here: what is wrong with it is a damaged log."""
        try:
            yield
        except (sqlite3.DatabaseError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise _damaged(self.directory / DATABASE, error) from None

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def n_events(self) -> int:
        """Proposals and results in the log, which only grows: the same number is the same log."""
        query = (
            "SELECT max((SELECT coalesce(max(seq), -1) FROM proposed), (SELECT coalesce(max(seq), -1) FROM told)) + 1"
        )
        return int(self._connection.execute(query).fetchone()[0])

    def _insert(self, table: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
        places = ", ".join("?" * len(columns.split(",")))
        self._connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", rows)


def write_durably(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; on return it outlasts a power cut."""
    temporary = path.with_suffix(".new")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    _make_durable(path.parent)


def is_locked(directory: Path) -> bool:
    """True while a process writes this campaign; nothing is changed."""
    import fcntl

    try:
        descriptor = os.open(directory / LOCK, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _locked(directory: Path) -> int:
    """Take the writer's lock, which the system gives back however the process ends."""
    import fcntl

    descriptor = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(LOCK_SECONDS)
        else:
            return descriptor
    os.close(descriptor)
    raise StoreError(f"{directory}: expected no other writer, another process runs this campaign; wait or stop it")


def _damaged(path: Path, error: Exception) -> StoreError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return StoreError(f"{path}: expected a campaign's log, got a damaged file ({reason}); put back a copy")


def _connected(path: Path, *, write: bool) -> sqlite3.Connection:
    if not write:
        return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _make_durable(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
