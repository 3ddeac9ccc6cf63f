"""Verifying finds what was changed behind the log's back."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from evonas.campaign import Campaign, StoreError
from evonas.campaign.store import Store
from evonas.campaign.verify import damage
from evonas.cli import main


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def contents(directory: Path) -> dict[Path, bytes]:
    """All files but those of SQLite's that any reader may leave: shared memory, and a log without content."""
    found = {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    return {path: data for path, data in found.items() if "-shm" not in path.name and (data or "-wal" not in path.name)}


def execute(directory: Path, *statement: object) -> None:
    with sqlite3.connect(directory / "campaign.sqlite") as connection:
        connection.execute(*statement)  # type: ignore[arg-type]
    connection.close()


def test_a_sound_campaign_has_no_damage_and_is_not_changed(copy: Path) -> None:
    before = contents(copy)
    assert damage(copy) == []
    assert contents(copy) == before


def test_every_flipped_byte_of_weights_is_found(copy: Path) -> None:
    paths = sorted((copy / "weights").iterdir())
    assert len(paths) > 1
    for path in paths:
        sound = path.read_bytes()
        path.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
        assert damage(copy) == [f"{path}: expected the recorded content, got another"]
        path.write_bytes(sound)


def test_missing_and_truncated_weights_are_found(copy: Path) -> None:
    first, second = sorted((copy / "weights").iterdir())[:2]
    first.unlink()
    second.write_bytes(second.read_bytes()[:100])
    assert sorted(damage(copy)) == [
        f"{first}: expected weights, found none",
        f"{second}: expected the recorded content, got another",
    ]


@pytest.mark.parametrize("part", [0.0, 0.01, 0.2, 0.5, 0.95])
def test_a_truncated_log_is_found(part: float, copy: Path) -> None:
    path = copy / "campaign.sqlite"
    path.write_bytes(path.read_bytes()[: int(part * path.stat().st_size)])
    found = damage(copy)
    assert found
    assert all("\n" not in line for line in found)


def test_an_edited_genome_is_found(copy: Path) -> None:
    genome = json.loads(Campaign.load(copy).individuals[3].genome)
    other = json.loads(Campaign.load(copy).individuals[1].genome)
    assert genome != other
    execute(copy, "UPDATE proposed SET genome = ? WHERE id = 3", (json.dumps(other),))
    assert damage(copy) == [f"{copy}: individual 3: its genome is not the one that its digest names"]


@pytest.mark.parametrize("genome", ["{}", "[1, 2]", "no json", "null", '{"format": 99}'])
def test_a_genome_that_is_none_is_found(genome: str, copy: Path) -> None:
    execute(copy, "UPDATE proposed SET genome = ? WHERE id = 3", (genome,))
    (line,) = damage(copy)
    assert line.startswith(f"{copy}: individual 3: its genome cannot be read (")


@pytest.mark.parametrize(
    ("genome", "reason"),
    [
        ("[" * 200_000, "at most 16 lists and objects in each other"),
        (" " * 5_000_000, "at most 4,194,304 characters, got 5,000,000"),
        (b"{}", "expected JSON text, got bytes"),
        ('{"encoding": "dag", "version": 1, "nodes": [' + "[1]," * 9_999 + "[1]]" + ', "edges": []}', "at most 4,096"),
        ('{"encoding": "dag", "version": NaN}', "finite numbers, got NaN"),
    ],
    ids=["deep", "huge", "bytes", "many", "nan"],
)
def test_hostile_text_in_place_of_a_genome(
    genome: object, reason: str, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    execute(copy, "UPDATE proposed SET genome = ? WHERE id = 3", (genome,))
    (line,) = damage(copy)
    assert line.startswith(f"{copy}: individual 3: its genome cannot be read (genome: ") or "nodes: " in line
    assert reason in line
    with pytest.raises(SystemExit) as end:
        main(["verify", str(copy)])
    assert end.value.code == 4
    assert capsys.readouterr().err == f"{line}\n"
    campaign = Campaign.load(copy)
    with closing(Store.open(copy)) as store, pytest.raises(StoreError, match=r"got a damaged file \(") as refusal:
        list(store.events(campaign.spec.encoding))
    assert reason in str(refusal.value)
    with pytest.raises(StoreError, match="individual 3: its genome cannot be read") as refusal:
        campaign.phenotype(campaign.individuals[3])
    assert reason in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("column", ["parents", "donors", "memory"])
def test_deep_text_in_any_column(column: str, copy: Path) -> None:
    execute(copy, f"UPDATE proposed SET {column} = ? WHERE id = 3", ("[" * 200_000,))
    assert any("got a damaged file" in line for line in damage(copy))


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("DELETE FROM proposed WHERE id = 2", "expected the number 2; the log has a gap"),
        ("UPDATE proposed SET parents = '[99]' WHERE id = 8", "individual 8: expected parents born before it"),
        ("UPDATE proposed SET parents = '[8]' WHERE id = 8", "individual 8: expected parents born before it"),
        ("DELETE FROM proposed WHERE id = 9", "a result without its proposal"),
        ("UPDATE told SET metrics = '{' WHERE id = 1", "got a damaged file"),
        ("DELETE FROM facts WHERE name = 'spec'", "expected the record of a spec"),
        ("UPDATE facts SET value = '7' WHERE name = 'spec'", "expected the record of a spec"),
        ("UPDATE facts SET value = '{}' WHERE name = 'format'", "expected format 2, got {}"),
    ],
)
def test_a_log_that_makes_no_sense_is_found(statement: str, expected: str, copy: Path) -> None:
    execute(copy, statement)
    assert any(expected in line for line in damage(copy))


def test_damage_of_the_control_is_found(copy: Path) -> None:
    (path,) = list((copy / "control" / "weights").iterdir())[:1]
    path.write_bytes(b"")
    assert damage(copy) == [f"{path}: expected the recorded content, got another"]
    (copy / "control" / "campaign.sqlite").write_bytes(b"junk")
    (line,) = damage(copy)
    assert "control" in line


def test_a_directory_that_is_no_campaign_is_no_damage(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"found no campaign.sqlite"):
        damage(tmp_path)


@pytest.mark.parametrize("page", [1, 3])
def test_pages_of_the_log_that_are_overwritten_are_found_with_its_path(page: int, copy: Path) -> None:
    path = copy / "campaign.sqlite"
    with path.open("r+b") as file:
        file.seek(4096 * page)
        file.write(b"\x55" * 4096)
    found = damage(copy)
    assert found
    assert all(line.startswith(str(copy)) for line in found), found
    assert any("put back a copy" in line for line in found)
