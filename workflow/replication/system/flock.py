"""The kernel's locks on files (flock): they end with the process that holds them, however that ends."""

import fcntl
from typing import IO


def try_exclusively(file: IO[str] | int) -> bool:
    """Lock an open file if nobody else has; return whether it is locked.

    Raises
    ------
    OSError
        The file system has no such locks.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
