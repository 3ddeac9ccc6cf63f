"""Running a study: several campaigns at once, each in a process of its own with one torch thread."""

import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from evonas.studies.study import Arm, Study
from evonas.studies.work import is_done, work

Watch = Callable[["Step"], None]
STOPPED = 75
"""Exit code of a worker that was asked to stop; nothing is wrong."""
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Step:
    """A campaign of a study that came to its end.

    Attributes:
        arm: Its arm's name.
        seed: Its seed.
        n_done: Campaigns of the study that have ended well, those of earlier runs included.
        n_all: Campaigns of the study.
        seconds: Time this run spent on it, wall clock.
        error: Why it failed, one line; empty if it did not.
    """

    arm: str
    seed: int
    n_done: int
    n_all: int
    seconds: float
    error: str = ""


class _StopError(BaseException):
    """A worker is asked to stop."""


@dataclass(frozen=True)
class _Worker:
    arm: Arm
    seed: int
    process: BaseProcess
    reasons: Connection
    began: float


def run(study: Study, n_processes: int = 1, *, watch: Watch = lambda step: None) -> list[Step]:
    """Run what a study lacks: campaigns that are finished are skipped, those that were stopped go on.

    A campaign that fails is reported and does not stop the rest. `KeyboardInterrupt` stops all of them safely and is
    raised again; so does the end of this process, however it comes.

    Args:
        study: The study.
        n_processes: Campaigns at once; each takes one core, or `evaluation.threads` of them.
        watch: Called once for each campaign that ends, well or not.

    Returns:
        The campaigns that failed.

    Raises:
        ValueError: If there are fewer cores than processes times threads: torch would then be many times slower.
    """
    _check_cores(study, n_processes)
    n_all = len(study.arms) * len(study.seeds)
    waiting = deque((arm, seed) for arm, seed in study.runs() if not _done(study, arm, seed))
    n_done, failed = n_all - len(waiting), []
    working: list[_Worker] = []
    context = multiprocessing.get_context("forkserver")
    with _few_threads():
        # torch is imported once, by the server that workers are forked from.
        context.set_forkserver_preload([work.__module__])
        try:
            while waiting or working:
                while waiting and len(working) < n_processes:
                    working.append(_started(context, study, *waiting.popleft()))
                ended = wait([worker.process.sentinel for worker in working])
                for worker in [worker for worker in working if worker.process.sentinel in ended]:
                    working.remove(worker)
                    error = _error_of(worker)
                    n_done += not error
                    seconds = time.perf_counter() - worker.began
                    step = Step(worker.arm.name, worker.seed, n_done, n_all, seconds, error)
                    failed += [step] if error else []
                    watch(step)
        finally:
            for worker in working:
                worker.process.terminate()
            for worker in working:
                worker.process.join()
    return failed


def _done(study: Study, arm: Arm, seed: int) -> bool:
    try:
        return is_done(study, arm, seed)
    except (ValueError, TypeError, RuntimeError, OSError):
        # A record that cannot be read: the campaign's own process says what is wrong with it.
        return False


def _check_cores(study: Study, n_processes: int) -> None:
    threads = max(study.spec(arm, study.seeds[0]).evaluation.threads for arm in study.arms)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if n_processes < 1 or n_processes * threads > max(cores, threads):
        raise ValueError(
            f"n_processes: expected 1 to {max(1, cores // threads)} ({cores} cores, {threads} torch threads each), got "
            f"{n_processes}; more would be many times slower"
        )


@contextmanager
def _few_threads() -> Any:
    """The processes begun in here give numerical libraries one thread each; their number is set again by the spec."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _started(context: Any, study: Study, arm: Arm, seed: int) -> _Worker:
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_main, args=(study, arm, seed, theirs), name=f"{arm.name}/{seed}")
    process.start()
    theirs.close()
    return _Worker(arm, seed, process, ours, time.perf_counter())


def _error_of(worker: _Worker) -> str:
    """Why a worker that has ended failed, one line; empty if it did not."""
    worker.process.join()
    code = worker.process.exitcode
    try:
        reason = worker.reasons.recv() if worker.reasons.poll() else ""
    except EOFError:
        reason = ""
    worker.reasons.close()
    worker.process.close()
    if code == STOPPED:
        return "it was asked to stop; run the study again to go on"
    return str(reason) or (f"expected an end, its process died with exit code {code}" if code else "")


def _main(study: Study, arm: Arm, seed: int, reasons: Connection) -> None:
    """What a worker process does."""
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: asked.append(number))
    parent = multiprocessing.parent_process()

    def check() -> None:
        if asked or (parent is not None and not parent.is_alive()):
            raise _StopError

    try:
        work(study, arm, seed, check=check)
    except _StopError:
        sys.exit(STOPPED)
    except Exception as error:
        # Whatever it is, the campaigns beside it go on: the reason is reported, its trace is left on the terminal.
        traceback.print_exc()
        reasons.send(f"{type(error).__name__}: {' '.join(str(error).split())}")
        sys.exit(1)
