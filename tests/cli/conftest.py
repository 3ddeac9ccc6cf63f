"""What tests of the command line share."""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from evonas.cli import STOPPED, main
from tests.cli.commands import Command


@pytest.fixture
def evonas(capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """Runs a command here: its exit code, stdout and stderr."""
    handlers = {number: signal.getsignal(number) for number in STOPPED}

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments])
        code = caught.value.code
        assert isinstance(code, int)
        return code, *capsys.readouterr()

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))
