"""Waiting for what comes by itself, however slow the machine is or however much else it does."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

# Far beyond what any machine needs. pytest's own `timeout` is longer still, and ends whatever else hangs.
PATIENCE_SECONDS = 900.0
PAUSE_SECONDS = 0.01


def wait_for(condition: Callable[[], object], what: str, process: subprocess.Popen | None = None) -> None:
    """Wait until `condition` gives something true, which cannot come once `process` has ended."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert process is None or process.poll() is None, (what, process.communicate())
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(PAUSE_SECONDS)


def state_of(number: int) -> str:
    """Return what a process does, as Linux puts it: `T` if it was stopped; nothing if there is none."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def lives(number: int) -> bool:
    """Return whether there is this process, and it is more than an exit status that nobody has asked for."""
    return state_of(number) not in ("", "Z")


def is_stopped(number: int) -> bool:
    """Return whether a process has been stopped by a signal."""
    return state_of(number) == "T"
