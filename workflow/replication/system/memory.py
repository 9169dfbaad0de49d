"""The memory of this process: the largest that it has taken, and what it does with what it no longer needs."""

import ctypes
import resource
from contextlib import suppress
from pathlib import Path

MEGABYTE = 1_000_000
KILOBYTE = 1024  # Linux's unit of memory
# From glibc's malloc.h, with the largest values that it takes.
M_TRIM_THRESHOLD, NEVER = -1, 2**31 - 1
M_MMAP_THRESHOLD, LARGEST = -3, 32 * KILOBYTE**2


def keep_freed_memory() -> None:
    """Keep for later what is freed, instead of giving it back to the system to get it again, page by page.

    Each batch frees what the next one needs. Only glibc can be told, and only for pieces of less than 32 MiB.
    """
    with suppress(OSError, AttributeError):
        malloc_option = ctypes.CDLL(None).mallopt
        malloc_option(M_MMAP_THRESHOLD, LARGEST)
        malloc_option(M_TRIM_THRESHOLD, NEVER)


def forget_peak_memory() -> None:
    """Reset the peak of resident memory on Linux; elsewhere it stays that of the whole process."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_memory_mb() -> float:
    """Return the largest resident memory of this process, in megabytes (10^6 bytes)."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes * KILOBYTE / MEGABYTE
