"""Looking again and again, until nothing is left to look at."""

import sys
import time
from collections.abc import Callable
from typing import TextIO

CLEAR = "\x1b[H\x1b[2J"  # of a terminal: to the upper left, and everything away


def watch(
    look: Callable[[], tuple[str, bool]],
    seconds: float,
    stream: TextIO | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Show what `look` returns every `seconds`, until it says that all is finished; return the last.

    On a terminal each takes the place of the one before. Ctrl-C ends it.
    """
    stream = stream or sys.stdout
    try:
        while True:
            text, finished = look()
            clear = CLEAR if stream.isatty() else ""
            stream.write(clear)
            if finished:
                return text
            stream.write(text + "\n" * (1 if clear else 2))
            stream.flush()
            sleep(seconds)
    except KeyboardInterrupt:
        return ""
