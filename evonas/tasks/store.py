"""One memory-mapped copy of every data set, shared by all processes: normalised once, then only mapped.

A data set's folder in the cache is named by what it was made of: the content of its files, its configuration and this
format. It is written beside its place and renamed, so that it is there whole or not at all.
"""

import hashlib
import json
import os
import shutil
import socket
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from evonas.tasks.checks import Array
from evonas.tasks.task import DataError, Split, Task

FORMAT = 2
"""Changes with what is written, or with how data are prepared."""
PARTS = ("train", "validation", "test")
DESCRIPTION = "task.json"
TEMPORARY = ".new-"
BLOCK = 2**22
"""Bytes hashed or written at a time."""
LISTED = 20
"""So many source files are named in the record; of more, it has one hash."""
UNFIT = (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError)
"""What reading a damaged store raises."""


def cache() -> Path:
    """The folder of stores and downloads: EVONAS_CACHE, else the one of the operating system's user."""
    named = os.environ.get("EVONAS_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    import pooch

    return Path(pooch.os_cache("evonas"))


def stored(config: BaseModel, files: Mapping[str, Path], build: Callable[[], Task]) -> Task:
    """A task from the store; built and stored at first.

    Args:
        config: The task's configuration; all but its `path` is part of the store's name.
        files: What the data are read from, by a name that tells nothing of the place.
        build: Makes the task of the files; called only where nothing fit is stored.

    Returns:
        The task. Its arrays are mapped: processes share their pages, and what one writes stays its own. Images are
        kept with their channels last, and are views `(n, channels, height, width)` of that.

    Raises:
        DataError: A file cannot be read or changes meanwhile, the cache cannot be written, or whatever `build` raises.
    """
    before = _stamps(files)
    sources = {name: sha256(path) for name, path in sorted(files.items())}
    place = cache() / "tasks" / _key(config, sources)
    try:
        return _mapped(place)
    except UNFIT:
        pass
    task = replace(build(), files=_listed(sources))
    if _stamps(files) != before:
        raise DataError(f"{next(iter(files))}: expected files that stay as they are, one changed meanwhile; try again")
    try:
        _write(place, task)
        return _mapped(place)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(
            f"{place.parent}: expected a folder for prepared data, cannot write it ({reason}); make room or set "
            "EVONAS_CACHE to another folder"
        ) from error


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hex.

    Raises:
        DataError: If it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                digest.update(block)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from error
    return digest.hexdigest()


def _stamps(files: Mapping[str, Path]) -> list[tuple[int, int]]:
    try:
        found = [path.stat() for path in files.values()]
    except OSError as error:
        raise DataError(f"{error.filename}: cannot be read ({error.strerror}); check the path") from error
    return [(entry.st_size, entry.st_mtime_ns) for entry in found]


def _key(config: BaseModel, sources: Mapping[str, str]) -> str:
    fields = config.model_dump(mode="json", exclude={"path"})
    # numpy's sums, and so the last bit of a mean, may differ between its versions.
    made_of = [FORMAT, np.__version__, type(config).__name__, fields, sources]
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()


def _listed(sources: Mapping[str, str]) -> dict[str, str]:
    if len(sources) <= LISTED:
        return dict(sources)
    return {f"{len(sources)} files": hashlib.sha256(json.dumps(sources, sort_keys=True).encode()).hexdigest()}


def _write(place: Path, task: Task) -> None:
    """Put a task in its place, unless another process has put it there meanwhile."""
    place.parent.mkdir(parents=True, exist_ok=True)
    _sweep(place.parent)
    temporary = Path(tempfile.mkdtemp(prefix=f"{TEMPORARY}{socket.gethostname()}-{os.getpid()}-", dir=place.parent))
    try:
        sums = {}
        for part in PARTS:
            split: Split = getattr(task, part)
            for name, array in (("inputs", split.inputs), ("targets", split.targets)):
                sums[f"{part}-{name}"] = _save(temporary / f"{part}-{name}.npy", _as_kept(array))
        (temporary / DESCRIPTION).write_text(json.dumps({**_described(task), "sums": sums}, indent=1), "utf-8")
        _rename(temporary, place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _rename(temporary: Path, place: Path) -> None:
    for _ in range(2):
        try:
            os.rename(temporary, place)
            return
        except OSError:
            if not place.exists():
                raise
            try:
                _mapped(place)
                return
            except UNFIT:
                # A damaged store makes way at once, under a name that nothing reads.
                aside = tempfile.mkdtemp(prefix=f"{TEMPORARY}damaged-", dir=place.parent)
                os.rename(place, aside)
                shutil.rmtree(aside, ignore_errors=True)
    os.rename(temporary, place)


def _sweep(folder: Path) -> None:
    """Delete what builds that were killed have left; those of other hosts are not ours to judge."""
    for path in folder.glob(f"{TEMPORARY}*"):
        _, _, name = path.name.partition(TEMPORARY)
        host, _, rest = name.rpartition("-")[0].rpartition("-")
        if host in ("", socket.gethostname()) and not (rest.isdigit() and _alive(int(rest))):
            shutil.rmtree(path, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _as_kept(array: Array) -> Array:
    """Images with their channels last; of one channel the axis makes no difference."""
    return array.transpose(0, 2, 3, 1) if array.ndim == 4 else array


def _as_given(array: Array) -> Array:
    if array.ndim != 4:
        return array
    n, height, width, channels = array.shape
    # One channel: strides as of an array in memory, since torch chooses its algorithms by them.
    return array.reshape(n, 1, height, width) if channels == 1 else array.transpose(0, 3, 1, 2)


def _save(path: Path, array: Array) -> int:
    """Write an array a block at a time, and return the CRC-32 of its bytes."""
    with path.open("wb") as file:
        header = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape}
        np.lib.format.write_array_header_1_0(file, header)
        total = 0
        rows = max(1, BLOCK // max(1, array[:1].nbytes))
        for start in range(0, len(array), rows):
            block = np.ascontiguousarray(array[start : start + rows])
            file.write(block.data)
            total = zlib.crc32(block.data, total)
    return total


def _described(task: Task) -> dict[str, Any]:
    names = ("name", "classes", "features", "fingerprint", "mean", "deviation", "kind", "targets", "target_mean")
    fields = {name: getattr(task, name) for name in (*names, "target_deviation")}
    return {**fields, "files": dict(task.files)}


def _mapped(place: Path) -> Task:
    """The task in a folder; raises one of `UNFIT` where it is missing, damaged or cut short."""
    fields: dict[str, Any] = json.loads((place / DESCRIPTION).read_text("utf-8"))
    sums = fields.pop("sums")
    found: dict[str, Any] = {}
    for part in PARTS:
        arrays = []
        for name in ("inputs", "targets"):
            # Copy on write: torch warns of arrays that cannot be written.
            array = np.load(place / f"{part}-{name}.npy", mmap_mode="c", allow_pickle=False)
            if _crc(array) != sums[f"{part}-{name}"]:
                raise ValueError("another checksum")
            arrays.append(_as_given(np.asarray(array)))
        found[part] = Split(*arrays)
    for name, value in fields.items():
        found[name] = tuple(value) if isinstance(value, list) else value
    return Task(**found)


def _crc(array: Array) -> int:
    total = 0
    for block in _blocks(array):
        total = zlib.crc32(block, total)
    return total


def _blocks(array: Array) -> Iterator[memoryview]:
    rows = max(1, BLOCK // max(1, array[:1].nbytes))
    return (array[start : start + rows].data for start in range(0, len(array), rows))
