"""Which of several processes in one folder are still alive, and the locks that ended ones have left."""

import fcntl
import socket
from pathlib import Path
from typing import IO

from replication.system.flock import try_exclusively

UNKNOWN = "unknown"


def register(path: str | Path, leftovers: str | Path) -> IO[str] | None:
    """Note that this process works here, and remove the files in the folder `leftovers` if no other does.

    Every process that works here holds a shared lock (flock) on `path`, which the kernel releases when it ends.
    One that gets an exclusive lock is therefore alone, and locks of others in `leftovers` are stale: those of
    processes that were killed. On network file systems that do not share such locks between hosts, processes of
    other hosts are not seen; therefore `path` lists the hosts that have worked here since one was last alone,
    and if that is not this one only, nothing is removed.

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
        if try_exclusively(held):
            _clear(held, host, Path(leftovers))
        # Waits, for an instant, while another process finds out whether it is alone.
        fcntl.flock(held, fcntl.LOCK_SH)
        if host not in _hosts(held):
            print(host, file=held, flush=True)
    except OSError:
        return None
    return held


def _hosts(held: IO[str]) -> set[str]:
    held.seek(0)
    return set(held.read().split())


def _clear(held: IO[str], host: str, leftovers: Path) -> None:
    found = [*leftovers.iterdir()] if leftovers.is_dir() else []
    hosts = _hosts(held)
    if found and hosts != {host}:
        # If no host is listed, they date from before any registration: this host must not look alone next time either.
        print(*([] if hosts else [UNKNOWN]), file=held, flush=True)
        return
    for file in found:
        file.unlink(missing_ok=True)
    held.truncate(0)
