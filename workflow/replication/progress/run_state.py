"""How far one run is, from its folder and its log, which another process may be writing."""

import os
import pickle
import re
import socket
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Set
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from replication.runs.folder import LOCK, RECORD
from replication.system.files import lives

CHECKPOINTS = (".checkpoint-0", ".checkpoint-1")  # as `training.checkpoint` has them, which imports PyTorch
TAIL_BYTES = 4096  # of a log: its last message, or its last lines of progress
HOLDER = re.compile(r"process (?P<process>\d+) on (?P<host>\S+) \(since (?P<since>[^)]+)\)")
INTERRUPTED = "RunInterruptedError"
# What the log of a run holds that has not failed: its progress, and where it goes on.
_HARMLESS = re.compile(r"\d+/\d+ \[|^goes on after|^no checkpoint: |, not used$|^RunInterruptedError")


class State(StrEnum):
    """What is known of a run."""

    FINISHED = "finished"
    RUNNING = "running"
    FAILED = "failed"
    STOPPED = "stopped"  # begun, and no process is known to go on with it; the next call does
    WAITING = "waiting"


@dataclass(frozen=True)
class RunState:
    """A run as it was found.

    Attributes
    ----------
    note
        Of a running one: who runs it. Of one that failed or stopped: why, as far as it is known.
    """

    state: State
    note: str = ""


@dataclass(frozen=True)
class UnderWay:
    """What a checkpoint says.

    Attributes
    ----------
    epochs
        How many are whole.
    seconds
        What these took.
    accuracy
        The last one on validation images, as a share; None if there is none.
    """

    epochs: int
    seconds: float
    accuracy: float | None


def run_state(folder: Path, log: Path) -> RunState:
    """Tell how far the run in `folder` is; neither it nor the log need exist."""
    names = _names(folder)
    if RECORD in names:  # written last, and whole
        return RunState(State.FINISHED)
    stale = ""
    if LOCK in names:
        alive, holder = _holder(folder / LOCK)
        if alive:
            return RunState(State.RUNNING, holder)
        stale = f"{holder} has ended without a word"
    message = last_message(log)
    if message is None and not names:
        return RunState(State.WAITING)
    if message and is_failure(message):
        return RunState(State.FAILED, message)
    if not names and not message:
        return RunState(State.STOPPED, "its log is empty: it may be about to start, or have been killed")
    if message and message.startswith(INTERRUPTED):
        return RunState(State.STOPPED, message.partition(": ")[2])
    return RunState(State.STOPPED, stale or "no process is known to go on with it")


def _names(folder: Path) -> Set[str]:
    try:
        return set(os.listdir(folder))  # noqa: PTH208 - names are enough, of thousands of folders
    except (FileNotFoundError, NotADirectoryError):
        return set()


def _holder(lock: Path) -> tuple[bool, str]:
    """Say whether the process that a lock file names may be alive, and which it is.

    Trying the lock would tell for sure, and could stop a run that tries it in the same moment.
    """
    try:
        text = lock.read_text(encoding="utf-8", errors="replace")
    except OSError:  # removed since the folder was read: the run has just ended, one way or the other
        return True, "about to end"
    found = HOLDER.match(text)
    if found is None:
        return True, "a process that has not said yet which it is"
    here = found["host"] == socket.gethostname()
    who = f"process {found['process']}" if here else f"process {found['process']} on {found['host']}"
    return not here or lives(int(found["process"])), who


def is_failure(message: str) -> bool:
    """Say whether the last line of a run's log is that of a run that has failed."""
    return bool(message) and not _HARMLESS.search(message)


def last_message(log: Path) -> str | None:
    """Return the last line of a log that says anything, empty if none does; None if there is no log."""
    try:
        with log.open("rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(stream.tell() - TAIL_BYTES, 0))
            text = stream.read().decode("utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    lines = [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()]
    return lines[-1] if lines else ""


def under_way(folder: Path) -> UnderWay | None:
    """Return what the newer checkpoint of a run says; None if there is none that can be read.

    Only its table of contents and the plain values in it are read, not the weights, which may be large. A checkpoint
    that is damaged otherwise is still shown: the trainer alone decides whether it goes on from it.
    """
    found = [told for name in CHECKPOINTS if (told := _read_checkpoint(folder / name))]
    return max(found, key=lambda told: told[0])[1] if found else None


def _read_checkpoint(path: Path) -> tuple[int, UnderWay] | None:
    try:
        # A digest stands before it, which zipfile passes over as it does over the head of any other file.
        with zipfile.ZipFile(path) as archive:
            name = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
            with archive.open(name) as stream:
                saved = _PlainValues(stream).load()
        result = saved["state"]["result"]
        rows, timings = result["history"], result["timings"]
        seconds = sum(value for row in timings for key, value in row.items() if key.startswith("seconds_"))
        accuracy = rows[-1]["validation_accuracy"] if rows else None
        return saved["number"], UnderWay(len(rows), seconds, accuracy if accuracy == accuracy else None)
    except Exception:  # replaced or removed while it was read, or damaged, which can raise almost anything
        return None


class _PlainValues(pickle.Unpickler):
    """Reads the plain values of what `torch.save` has written; tensors, and what they are made of, are None."""

    def find_class(self, module_name: str, global_name: str, /) -> Callable[..., Any]:
        """Never import what a pickle names."""
        if (module_name, global_name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module_name.partition(".")[0] != "torch":
            raise pickle.UnpicklingError(f"refuses {module_name}.{global_name}")
        return _nothing

    def persistent_load(self, _identity: Any, /) -> None:
        """Leave out the content of tensors."""


def _nothing(*_arguments: Any) -> None:
    """Stand in for whatever makes a tensor."""
