"""Ending on request: signals that ask a run to end are noted, and the trainer ends after its step.

It imports nothing that takes time, so that a job can listen before it imports PyTorch.
"""

import ctypes
import signal
import sys
from types import FrameType

from replication.errors import ReplicationError

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
PR_SET_PDEATHSIG = 1  # from linux/prctl.h

_received: list[signal.Signals] = []


class RunInterruptedError(ReplicationError):
    """A signal has asked the run to end. What it has done so far is in its checkpoint."""

    def __init__(self, name: str) -> None:
        super().__init__(f"ended by {name}; the same command goes on from here")
        self.signal = name


def listen() -> None:
    """From now on note the signals of `SIGNALS`, of which the first counts, and end when the parent process ends."""
    if not listens():
        _received.clear()
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
            signal.signal(number, _note)
    end_with_parent()


def listens() -> bool:
    """Return whether this process notes signals, instead of being ended by them."""
    return any(signal.getsignal(number) == _note for number in SIGNALS)


def stop_listening() -> None:
    """From now on be ended by these signals, as Python is."""
    for number in SIGNALS:
        if signal.getsignal(number) == _note:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def _note(number: int, _frame: FrameType | None) -> None:
    _received.append(signal.Signals(number))


def end_with_parent() -> None:
    """Ask Linux to send SIGTERM to this process when its parent ends, however it ends; other systems cannot."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def check() -> None:
    """Return if nothing has asked the run to end.

    Raises
    ------
    RunInterruptedError
        A signal has.
    """
    if _received:
        raise RunInterruptedError(_received[0].name)
