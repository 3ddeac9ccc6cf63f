"""Where the files of a published data set are: named by the user, at hand, or downloaded with a checksum."""

import gzip
import hashlib
import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evonas.tasks.store import BLOCK, cache
from evonas.tasks.task import DataError

DATA = "EVONAS_DATA"
TIMEOUT = (10.0, 60.0)
"""Seconds to wait for a server: to connect, and between two packets."""


@dataclass(frozen=True)
class File:
    """One published file.

    Attributes:
        name: As it is published.
        checksum: Its hash, `ALGORITHM:HEX`.
        plain: What it is called unpacked, where it is an archive of one file.
        plain_checksum: The hash of the unpacked file; empty where nobody published it.
    """

    name: str
    checksum: str
    plain: str = ""
    plain_checksum: str = ""


@dataclass(frozen=True)
class Published:
    """A data set as it is published.

    Attributes:
        word: Its name in a spec.
        forms: What it may consist of, as files at hand or as an archive; the last form is the one to download.
        mirrors: Where each file can be downloaded: beginnings of an address.
        folders: Where its files usually lie in a folder of data sets.
    """

    word: str
    forms: tuple[tuple[File, ...], ...]
    mirrors: tuple[str, ...]
    folders: tuple[str, ...]


def located(published: Published, path: str | None) -> dict[str, Path]:
    """The files of a data set, by the names they are published under.

    Looked for in `path` if it is given, and nowhere else then; else in the folder that EVONAS_DATA names and its usual
    subfolders, in the cache, and at last on the mirrors.

    Args:
        published: The data set.
        path: A folder that holds the files, itself or in a usual subfolder; or the file, where there is a form of one.

    Raises:
        DataError: They are nowhere; names the files, the places, and where to put them.
    """
    places = list(_places(published, path))
    for place in places:
        for form in published.forms:
            if os.path.isfile(place) and len(form) == 1:
                return {form[0].name: place}
            found = {file.name: at for file in form if (at := _at(place, file)) is not None}
            if len(found) == len(form):
                return found
    if path is not None:
        raise DataError(
            f"{path}: expected {_names(published)} there or in {', '.join(published.folders)}, did not find them; "
            "check the path"
        )
    return downloaded(published, places)


def downloaded(published: Published, looked: list[Path]) -> dict[str, Path]:
    """Download the files of a data set into the cache; each appears there whole and checked, or not at all.

    Args:
        published: The data set.
        looked: Where they were looked for, for the error.

    Raises:
        DataError: No mirror gave one of the files.
    """
    import pooch
    from pooch import HTTPDownloader

    folder = _kept(published)
    found = {}
    for file in published.forms[-1]:
        reasons = []
        for mirror in published.mirrors:
            try:
                downloader = HTTPDownloader(timeout=TIMEOUT)
                path = pooch.retrieve(mirror + file.name, file.checksum, file.name, folder, downloader=downloader)
            except (OSError, ValueError) as error:
                reasons.append(f"{mirror}: {_reason(error)}")
                continue
            found[file.name] = Path(path)
            break
        else:
            places = ", ".join(map(str, dict.fromkeys(place for place in looked if os.path.exists(place)))) or folder
            raise DataError(
                f"{published.word}: expected {_names(published)}, found none in {places} and could not download "
                f"{file.name} ({'; '.join(reasons)}); put them into {folder}, or set path or {DATA} to their folder"
            )
    return found


def check(file: File, path: Path) -> None:
    """Compare a file with the checksum of its publisher.

    A gzipped file may have been packed anew: then what it holds is compared.

    Raises:
        DataError: It is another one, or damaged.
    """
    packed = path.name != file.plain
    expected = file.checksum if packed else file.plain_checksum
    if not expected or _hash(path, expected) == expected:
        return
    if packed and file.plain_checksum and _hash(path, file.plain_checksum, unpack=True) == file.plain_checksum:
        return
    raise DataError(
        f"{path}: expected the published file with checksum {expected}, got another or a damaged one; delete it and "
        "download it again"
    )


def _kept(published: Published) -> Path:
    return cache() / "downloads" / published.word


def _places(published: Published, path: str | None) -> Iterator[Path]:
    if path is None and not os.environ.get(DATA):
        yield _kept(published)
        return
    root = Path(path or os.environ[DATA]).expanduser()
    yield from (root / name for name in (*published.folders, ""))
    if path is None:
        yield _kept(published)


def _names(published: Published) -> str:
    return " or ".join(", ".join(file.name for file in form) for form in published.forms)


def _at(place: Path, file: File) -> Path | None:
    for name in filter(None, (file.name, file.plain)):
        if os.path.exists(path := place / name):
            return path
    return None


def _hash(path: Path, expected: str, *, unpack: bool = False) -> str:
    algorithm = expected.partition(":")[0]
    digest = hashlib.new(algorithm, usedforsecurity=False)
    try:
        with gzip.open(path) if unpack else path.open("rb") as file:
            while block := file.read(BLOCK):
                digest.update(block)
    except OSError as error:
        if not isinstance(error, gzip.BadGzipFile):
            raise DataError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from error
        return ""
    except (EOFError, zlib.error):
        return ""
    return f"{algorithm}:{digest.hexdigest()}"


def _reason(error: Exception) -> str:
    text = str(error).partition("\n")[0]
    if "does not match" in text:
        return "another checksum"
    if cause := re.search(r"Caused by (\w+)", text):
        return cause[1]
    return text[:200] or type(error).__name__
