"""What signals do to a run: it ends safely, with an exit code of its own."""

import signal
from typing import Any

STOPPED = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGUSR1: 75}
"""The exit code after each signal."""


class Interrupted(BaseException):
    """A signal asked the run to stop; its text, where it has one, is what to say of that."""


class Stop:
    """Turns a signal into a safe end: the training step goes to its end, and no further. A second one ends at once.

    Attributes:
        signal: The signal that came, if one did.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._immediate = False
        for number in STOPPED:
            signal.signal(number, self._note)

    def _note(self, number: int, frame: Any) -> None:
        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = signal.Signals(number)
        if self._immediate:
            raise Interrupted

    def check(self) -> None:
        """Raise `Interrupted` once a signal came."""
        if self.signal is not None:
            raise Interrupted

    def at_once(self) -> None:
        """Let a signal end the work wherever it is, from now on: all that counts is recorded.

        Raises:
            Interrupted: If a signal came already.
        """
        self._immediate = True
        self.check()
