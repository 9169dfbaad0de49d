"""A lock on a folder, so that two processes never write one run."""

import errno
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from replication.errors import ReplicationError
from replication.system import interruption
from replication.system.clock import now
from replication.system.files import naming
from replication.system.flock import try_exclusively

# A process whose parent was killed takes some seconds to save its state, and its successor should not fail.
PATIENCE_SECONDS = 30.0
PAUSE_SECONDS = 0.1

WITHOUT_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK}  # what file systems without flock answer


class FolderInUseError(ReplicationError):
    """Another process writes this folder."""


@contextmanager
def locked(path: str | Path, patience_seconds: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Hold the lock file `path` during the block.

    The lock is the kernel's (flock): it ends when the process that holds it ends, for whatever reason. The file says
    who holds it, and is removed at the end. On a file system without such locks there is none: there the
    workflow's own locks must be enough.

    Raises
    ------
    FolderInUseError
        Another process still holds it after `patience_seconds`.
    RunInterruptedError
        A signal has asked this process to end while it waited.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + patience_seconds
    while (descriptor := _try(path)) is None:
        if time.monotonic() > deadline:
            raise FolderInUseError(
                f"{path.parent}: {_holder(path)} writes this run: wait for it, or end it, and run again"
            )
        interruption.check()
        time.sleep(PAUSE_SECONDS)
    try:
        with naming(path):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, _introduction().encode())
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _try(path: Path) -> int | None:
    """Return a descriptor that holds the lock, or None if another process does."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        # The last holder may have removed the file between opening and locking: then this is the lock of nothing.
        if _lock(descriptor) and os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
    except FileNotFoundError:
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _lock(descriptor: int) -> bool:
    try:
        return try_exclusively(descriptor)
    except OSError as error:
        if error.errno not in WITHOUT_LOCKS:
            raise
        return True


def _introduction() -> str:
    return f"process {os.getpid()} on {socket.gethostname()} (since {now()})"


def _holder(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8") or "another process"
    except OSError:
        return "another process"
