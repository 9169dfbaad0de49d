"""Traps for processes that a test does not start itself: they stop at a file that is counted, and it finds them so."""

import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

HOOK = Path(__file__).parent / "hook"
VARIABLE = "REPLICATION_TEST_TRAP"


class Trap:
    """An audit hook that stops its process before it opens, or puts in its place, the `at`-th file of some name."""

    def __init__(self, path: Path) -> None:
        self.path = path
        wanted = json.loads(path.read_text())
        self.event, self.name, self.at = wanted["event"], re.compile(wanted["name"]), wanted["at"]
        self.count = 0

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != self.event or not self.name.search(str(arguments[event == "os.rename"])):
            return
        self.count += 1
        if self.count == self.at and self.path.exists():
            os.kill(os.getpid(), signal.SIGSTOP)


def trap(path: Path, event: str, name: str, at: int = 1) -> dict[str, str]:
    """Set a trap for every Python process that starts with the environment that is returned.

    Parameters
    ----------
    path
        A file that is written; the trap lasts until it is removed.
    event
        `open`, or `os.rename` for the new name.
    name
        A regular expression that is found in the file's path.
    at
        Which of these events in a process it is.
    """
    path.write_text(json.dumps({"event": event, "name": name, "at": at}))
    return {"PYTHONPATH": str(HOOK), VARIABLE: str(path)}


def fall_into_trap() -> None:
    """Listen for the trap of the environment, if there is one."""
    path = Path(os.environ.get(VARIABLE, "none"))
    if path.exists():
        sys.addaudithook(Trap(path))
