"""Memory in huge pages, in a process of its own."""

import platform
import re
import subprocess
import sys

import pytest

from places import WORKFLOW
from replication.system import huge_pages

GATHER = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from replication.system.huge_pages import gather_into_huge_pages
memory = bytearray(range(256)) * (40 * 4096)
before = Path("/proc/self/smaps_rollup").read_text()
gather_into_huge_pages()
print(before, "after", Path("/proc/self/smaps_rollup").read_text())
print(memory == bytearray(range(256)) * (40 * 4096))
"""


# From this version on Linux can be asked to gather memory at once.
LINUX = (6, 1)


def can_gather() -> bool:
    version = re.match(r"(\d+)\.(\d+)", platform.release())
    return (
        huge_pages.HUGE_PAGE.exists() and version is not None and tuple(map(int, version.groups())) >= LINUX
    )


@pytest.mark.skipif(not can_gather(), reason="needs Linux 6.1 with transparent huge pages")
def test_memory_is_gathered_and_keeps_what_it_holds():
    done = subprocess.run(
        [sys.executable, "-c", GATHER, str(WORKFLOW)], check=True, capture_output=True, text=True
    )
    before, after = (int(kilobytes) for kilobytes in re.findall(r"AnonHugePages: +(\d+)", done.stdout))
    assert done.stdout.endswith("\nTrue\n")
    assert after > before


def test_where_there_are_none_nothing_happens(tmp_path, monkeypatch):
    monkeypatch.setattr(huge_pages, "HUGE_PAGE", tmp_path / "none")
    monkeypatch.setattr(huge_pages, "_own_memory", None)
    huge_pages.gather_into_huge_pages()
