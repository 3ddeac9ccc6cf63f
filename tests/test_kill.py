"""A run that is killed at any moment, or stopped by a signal, goes on as if it had never stopped."""

import multiprocessing
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evonas.campaign import Campaign
from evonas.campaign.spec import read
from evonas.campaign.verify import damage
from evonas.cli import main
from evonas.stopping import STOPPED, Interrupted, Stop
from tests.campaigns import record, written_spec

N_KILLS, N_EVALUATIONS = 10, 60
PATIENCE = 120.0
"""Seconds after which a process that does nothing is an error; no test waits for it to pass."""
SEARCHES = {
    "evolution": 'crossover = 0.5\nsurvival = "comma"',
    "ageing": "sample_size = 2",
    "speciated": "threshold = 0.4\nchampions = 2\nstagnation = 3",
    "controller": "batch = 4",
}


TEXT = f"""\
name = "small"
seed = 3
[task]
name = "text"
characters = 1500
[encoding]
name = "recurrent"
base = 2
widths = [4, 6]
[search]
population = 4
lag = 3
[training]
epochs = 1
batch_size = 4
window = 16
[budget]
evaluations = {N_EVALUATIONS}
"""


MANY = 4_000
"""Evaluations of networks that take hardly any time, in generations that are recorded together."""
PROBLEM = f"""\
name = "small"
seed = 3
[task]
name = "parity"
bits = 12
[encoding]
name = "neat"
mutations = {{ add_node = 0.2, add_connection = 0.2 }}
[search]
name = "speciated"
population = 8
champions = 2
[budget]
evaluations = {MANY}
"""
WRITTEN = {"text": TEXT, "problem": PROBLEM}


@pytest.fixture(params=[*SEARCHES, *WRITTEN])
def spec(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param in WRITTEN:
        path = tmp_path / "spec.toml"
        path.write_text(WRITTEN[request.param], "utf-8")
        return path
    return written_spec(
        tmp_path, search=request.param, evaluations=N_EVALUATIONS, search_fields=SEARCHES[request.param]
    )


def arguments(spec: Path, out: Path) -> list[str]:
    return ["run", str(spec), "--out", str(out)]


def started(spec: Path, out: Path) -> "subprocess.Popen[str]":
    """A process of its own, from its first import on."""
    command = [sys.executable, "-m", "evonas.cli", *arguments(spec, out)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def forks() -> Any:
    """Makes processes that have all imports behind them."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch._dynamo", "evonas.evaluation", "evonas.campaign", "evonas.cli"])
    return context


def whole(spec: Path, out: Path) -> list[dict[str, Any]]:
    """The individuals of a run that is not stopped, or of the rest of one that was."""
    return record(Campaign.of(read(spec)).run(out).individuals)


def n_told(out: Path) -> int:
    """Results in the log, as a viewer sees them."""
    path = out / "campaign.sqlite"
    if not path.exists():
        return 0
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        return int(connection.execute("SELECT count(*) FROM told").fetchone()[0])
    finally:
        connection.close()


def wait_for(ended: Callable[[], bool], out: Path, n: int) -> None:
    """Wait until `n` results are in the log or the process ended."""
    until = time.monotonic() + PATIENCE
    while not ended() and n_told(out) < n:
        assert time.monotonic() < until, "it does nothing"
        time.sleep(0.004)


def kill_young(spec: Path, out: Path, seconds: float) -> int:
    """Kill a new process after some seconds, whatever it does by then; its exit code."""
    process = started(spec, out)
    time.sleep(seconds)
    process.kill()
    process.communicate()
    return process.returncode


def kill_forked(forks: Any, spec: Path, out: Path, n: int, seconds: float) -> int:
    """Kill a process some seconds after the log has `n` results; its exit code."""
    process = forks.Process(target=main, args=([*arguments(spec, out), "--quiet"],))
    process.start()
    wait_for(lambda: not process.is_alive(), out, n)
    time.sleep(seconds)
    process.kill()
    process.join()
    code: int = process.exitcode
    process.close()
    return code


def test_killed_at_ten_moments_and_resumed_equals_never_stopped(spec: Path, tmp_path: Path, forks: Any) -> None:
    rng, out = random.Random(7), tmp_path / "killed"
    acknowledged: list[dict[str, Any]] = []
    for kill in range(N_KILLS):
        if kill in (0, 5, 8):
            code = kill_young(spec, out, rng.uniform(0.0, 4.0))
        else:
            code = kill_forked(forks, spec, out, len(acknowledged) + rng.randint(1, 3), rng.uniform(0.0, 0.04))
        assert code == -signal.SIGKILL, "it ended before it was killed; raise N_EVALUATIONS"
        if (out / "campaign.sqlite").exists():
            assert damage(out) == []
            found = record(one for one in Campaign.load(out).individuals if one.state != "pending")
            assert found[: len(acknowledged)] == acknowledged, "nothing acknowledged is lost"
            acknowledged = found
    assert 7 <= len(acknowledged) < (read(spec).budget.evaluations or 0)
    assert whole(spec, out) == whole(spec, tmp_path / "whole")
    assert damage(out) == []


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGUSR1, 75)], ids=lambda case: str(case)
)
def test_a_signal_stops_it_safely(number: signal.Signals, code: int, tmp_path: Path) -> None:
    spec, out = written_spec(tmp_path, search="ageing", evaluations=400), tmp_path / "out"
    process = started(spec, out)
    wait_for(lambda: process.poll() is not None, out, 2)
    process.send_signal(number)
    began = time.monotonic()
    stdout, stderr = process.communicate(timeout=PATIENCE)
    assert (process.returncode, stdout) == (code, "")
    assert time.monotonic() - began < 5
    n = n_told(out)
    assert f"stopped after {n} evaluations, all recorded; go on with: evonas resume {out}" in stderr
    assert "Traceback" not in stderr
    assert damage(out) == []
    assert n < 300, "it ends soon, not at the end of its budget"
    written_spec(tmp_path, search="ageing", evaluations=n + 5)
    assert whole(spec, out)[: n + 5] == whole(spec, tmp_path / "whole")


def test_a_signal_in_the_first_moment_stops_it_as_well(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys\n"
        "from evonas import cli\n"
        "stop = cli.Stop.__init__\n"
        "def signalled(self):\n"
        "    stop(self)\n"
        "    assert 'numpy' not in sys.modules\n"
        "    os.kill(os.getpid(), signal.SIGUSR1)\n"
        "cli.Stop.__init__ = signalled\n"
        f"cli.main(['run', {str(written_spec(tmp_path))!r}, '--out', {str(tmp_path / 'out')!r}])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (75, "")
    assert "stopped after 0 evaluations, all recorded" in done.stderr


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGUSR1, 75)], ids=lambda case: str(case)
)
def test_a_signal_while_it_draws_ends_it_at_once(number: signal.Signals, code: int, tmp_path: Path) -> None:
    out = tmp_path / "out"
    program = (
        "import signal\n"
        "from evonas import cli, view\n"
        "save = view.save\n"
        "def slow(ax, path):\n"
        "    if path.stem == 'lineage':\n"
        f"        signal.raise_signal({int(number)})\n"
        "        raise AssertionError('it went on drawing')\n"
        "    return save(ax, path)\n"
        "view.save = slow\n"
        f"cli.main(['run', {str(written_spec(tmp_path, evaluations=3))!r}, '--out', {str(out)!r}, '-q'])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == code, done.stderr
    expected = f"stopped after 3 evaluations, all recorded; draw what is left with: evonas plot lineage {out}\n"
    assert done.stderr == expected
    assert {path.name for path in (out / "figures").iterdir()} == {
        f"{kind}.{suffix}" for kind in ("genome", "progress") for suffix in ("png", "svg")
    }


def test_a_signal_that_came_before_it_draws_is_not_forgotten() -> None:
    handlers = {number: signal.getsignal(number) for number in STOPPED}
    try:
        stop = Stop()
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Interrupted):
            stop.at_once()
        assert stop.signal == signal.SIGTERM
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
