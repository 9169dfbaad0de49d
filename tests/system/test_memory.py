"""Memory that is freed stays with the process."""

import platform
import subprocess
import sys

import pytest

from places import WORKFLOW

PASS = """
import resource, sys
import torch
from replication.system.memory import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
torch.set_num_threads(1)
faults = []
for _ in range(3):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        pieces = [torch.ones(2_000_000) for _ in range(6)]
        del pieces
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(faults[-1])
"""


def faults(how: str) -> int:
    """Return how many pages the system has to map for work that has been done before."""
    # With a threshold of its own, glibc moves none by itself: else it depends on chance what it gives back.
    environment = {"PYTHONPATH": str(WORKFLOW), "OMP_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": "100000"}
    command = [sys.executable, "-c", PASS, how]
    return int(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_what_is_freed_is_not_mapped_again() -> None:
    assert faults("keep") < 100
    assert faults("give back") > 10_000
