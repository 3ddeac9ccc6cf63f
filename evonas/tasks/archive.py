"""Reading a tar archive into memory; nothing is ever extracted to disk."""

import tarfile
import zlib
from collections.abc import Set
from pathlib import Path, PurePosixPath

from evonas.tasks.task import DataError

LARGEST = 2**30
"""Bytes of one member."""
DAMAGED = (OSError, EOFError, zlib.error, tarfile.TarError, ValueError, OverflowError)


def members(path: Path, wanted: Set[str]) -> dict[str, bytes]:
    """The bytes of some members of a tar archive, plain or compressed.

    Args:
        path: The archive.
        wanted: Names of the members.

    Raises:
        DataError: It is damaged or lacks a member; or a member is a link or a device, is too large, or its name is
            absolute, leads upwards or has control characters, wanted or not.
    """
    found = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                _check(path, member)
                if member.name in wanted and member.isfile():
                    file = archive.extractfile(member)
                    found[member.name] = file.read() if file else b""
    except DataError:
        raise
    except DAMAGED as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise DataError(f"{path}: expected a tar archive, got a damaged one ({reason}); download it again") from error
    if missing := sorted(wanted - found.keys()):
        raise DataError(f"{path}: expected the member {missing[0]}, found none; download it again")
    return found


def _check(path: Path, member: tarfile.TarInfo) -> None:
    name = member.name
    if not name.isprintable() or "\\" in name:
        problem = "a name of printable characters without backslashes"
    elif name.startswith("/") or ".." in PurePosixPath(name).parts:
        problem = "a name inside the archive"
    elif not (member.isfile() or member.isdir()):
        problem = "a file or a folder"
    elif member.size > LARGEST:
        problem = f"at most {LARGEST} bytes"
    else:
        return
    raise DataError(f"{path}: member {name!r}: expected {problem}; get the archive from its publisher")
