"""Which of several processes in one folder still live, and what the dead have left."""

import fcntl
import shutil
import socket
from pathlib import Path
from typing import IO


def register(path: str | Path, leftovers: str | Path) -> IO[str] | None:
    """Note that this process works here, and remove `leftovers` if no other does.

    Every process that works here holds a shared lock (flock) on `path`, which ends with it, however that ends.
    One that gets an exclusive lock is therefore alone, and locks of others in the folder `leftovers` are stale:
    those of processes that were killed. Processes on other hosts may not be seen, on network file systems that
    do not share such locks; what a process of another host has left is never removed.

    Returns
    -------
    IO or None
        What holds the lock: keep it as long as the process lives. None where there are no such locks.
    """
    path = Path(path)
    host = socket.gethostname()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held = path.open("a+", encoding="utf-8")
        if _lock(held, fcntl.LOCK_EX):
            _clear(held, host, Path(leftovers))
        fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return None
    return held


def _lock(held: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(held, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _clear(held: IO[str], host: str, leftovers: Path) -> None:
    held.seek(0)
    last = held.read()
    if leftovers.is_dir() and any(leftovers.iterdir()):
        if last != host:
            return
        shutil.rmtree(leftovers)
    held.truncate(0)
    held.write(host)
    held.flush()
