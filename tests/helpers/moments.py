"""Signals that a process sends to itself at a moment that is counted: no clock decides when they come.

A moment is the begin or the end of a call of a function, of Python's or of C's.
"""

import json
import os
from pathlib import Path
from types import FrameType

HOOK = Path(__file__).parent / "hook"
VARIABLE = "REPLICATION_TEST_TRAP"


class Moments:
    """Counts the moments of this process, and sends it a signal at one of them.

    Parameters
    ----------
    number
        The signal; 0 to count only.
    at
        The moment, counted from 1.
    of
        The qualified name of a function, of whose calls alone the begins are counted.
    """

    def __init__(self, number: int = 0, at: int = 0, of: str = "") -> None:
        self.number, self.at, self.of = number, at, of
        self.count = 0

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        if self.of and (event != "call" or frame.f_code.co_qualname != self.of):
            return
        self.count += 1
        if self.count == self.at:
            self.reached()

    def reached(self) -> None:
        """Send the signal."""
        os.kill(os.getpid(), self.number)


class Trap(Moments):
    """Moments of a process that sends itself the signal only while there is the file that asks for it."""

    def __init__(self, path: Path) -> None:
        super().__init__(**json.loads(path.read_text()))
        self.path = path

    def reached(self) -> None:
        """Send the signal, if the file is still there."""
        if self.path.exists():
            super().reached()


def trap(path: Path, number: int, at: int, of: str) -> dict[str, str]:
    """Set a trap for every Python process that starts with the environment that this returns.

    It lasts until the file `path` is removed.
    """
    path.write_text(json.dumps({"number": int(number), "at": at, "of": of}))
    return {"PYTHONPATH": str(HOOK), VARIABLE: str(path)}
