"""The largest memory that this process has taken."""

import resource
from contextlib import suppress
from pathlib import Path

MEGABYTE = 1_000_000
KILOBYTE = 1024  # Linux's unit of memory


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
