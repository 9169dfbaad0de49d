"""Signals that a process sends to itself at a moment that is counted: no clock decides when they come.

A moment is the begin or the end of a call of a function, of Python's or of C's.
"""

import os
from types import FrameType


class Moments:
    """Counts the moments of this process, as its profile function, and sends it a signal at one of them.

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
            os.kill(os.getpid(), self.number)
