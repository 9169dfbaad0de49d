"""Memory in huge pages, of which a fork has fewer to copy: a page table has one entry for 2 MiB instead of 512."""

import ctypes
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

HUGE_PAGE = Path("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size")
MADV_COLLAPSE = 25  # from linux/mman.h, since version 6.1


def gather_into_huge_pages() -> None:
    """Gather the memory of this process that no file backs, where the system can; the rest stays as it is."""
    with suppress(OSError, AttributeError):  # other systems
        size = int(HUGE_PAGE.read_text(encoding="ascii"))
        advise = ctypes.CDLL(None).madvise
        advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        for start, end in _own_memory():
            first, last = -(-start // size) * size, end // size * size
            if first < last:
                advise(first, last - first, MADV_COLLAPSE)


def _own_memory() -> Iterator[tuple[int, int]]:
    """Yield the first address and the one after the last of each stretch."""
    for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines():
        addresses, rights, *_, inode = line.split(maxsplit=5)[:5]
        if rights == "rw-p" and inode == "0":
            start, end = addresses.split("-")
            yield int(start, 16), int(end, 16)
