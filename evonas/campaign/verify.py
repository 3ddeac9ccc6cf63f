"""Does a campaign's directory hold what its log says?"""

import hashlib
import sqlite3
from pathlib import Path
from typing import Any

from evonas.campaign import source
from evonas.campaign.campaign import CONTROL, Campaign
from evonas.campaign.front import front_of
from evonas.campaign.loop import Loop
from evonas.campaign.store import DATABASE, Store, StoreError
from evonas.record import COMPLETE, Individual
from evonas.search import EvolutionConfig
from genomes.encoding import Encoding
from genomes.reading import read_genome


def damage(directory: Path) -> list[str]:
    """What is wrong with a campaign's directory and with that of its control, one line each; empty if nothing is.

    The log is read from end to end: its pages, its genomes and their digests, the order of its events; then the content
    of every weights file that it needs. Nothing is changed.

    Raises:
        StoreError: If there is no campaign.
    """
    if not (directory / DATABASE).is_file():
        Store.open(directory)
    try:
        found = _damage(directory)
    except sqlite3.Error as error:
        found = [f"{directory / DATABASE}: expected a log that SQLite can read, got an error: {error}; put back a copy"]
    except (StoreError, KeyError, TypeError, ValueError) as error:
        found = [" ".join(str(error).split()) or type(error).__name__]
    if (directory / CONTROL / DATABASE).is_file():
        found += damage(directory / CONTROL)
    return found


def _damage(directory: Path) -> list[str]:
    campaign = Campaign.load(directory)
    store = Store.open(directory)
    try:
        found = [f"{directory}: {line}" for line in store.integrity()]
        individuals = store.individuals()
        encoding = campaign.spec.encoding
        for number, one in enumerate(individuals):
            found += [f"{directory}: individual {one.id}: {line}" for line in _problems(number, one, encoding)]
        if not found:
            spared = _spared(campaign, store, individuals)
            needed = {one.id: one.weights_sha256 for one in individuals if one.id in spared and one.weights_sha256}
            found += [line for id, sha256 in needed.items() if (line := _damaged(store.weights_path(id), sha256))]
    finally:
        store.close()
    listed = campaign.spec.listed
    if listed is not None and listed.source is not None:
        found += source.damage(directory, listed.source)
    return found


def _spared(campaign: Campaign, store: Store, individuals: list[Individual]) -> set[int]:
    """Whose weights are needed; without a user's operators to tell, the best, the front and whoever has some."""
    spec = campaign.spec
    if not (isinstance(spec.search, EvolutionConfig) and spec.search.operators):
        return Loop(spec, spec.encoding, store, campaign.search(spec.encoding), None).spared()
    complete = [one for one in individuals if one.state == COMPLETE]
    best = sorted(complete, key=lambda one: spec.rank(one.id, one.metrics), reverse=True)[: spec.keep_best]
    best += front_of(individuals, spec.objectives)
    return {one.id for one in best} | {one.id for one in complete if store.weights_path(one.id).exists()}


def _problems(number: int, one: Individual, encoding: Encoding[Any]) -> list[str]:
    found = []
    if one.id != number:
        found.append(f"expected the number {number}; the log has a gap")
    if any(not 0 <= parent < one.id for parent in one.parents):
        found.append(f"expected parents born before it, got {one.parents}")
    try:
        genome = read_genome(encoding, one.genome)
        digests = genome.digest, encoding.develop(genome).digest
    except ValueError as error:
        return [*found, f"its genome cannot be read ({error})"]
    if digests != (one.genome_digest, one.digest):
        found.append("its genome is not the one that its digest names")
    return found


def _damaged(path: Path, sha256: str) -> str | None:
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return f"{path}: expected weights, found none"
    return None if found == sha256 else f"{path}: expected the recorded content, got another"
