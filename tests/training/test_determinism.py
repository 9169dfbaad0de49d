"""What makes a run repeatable, in processes of their own: the settings are those of the whole process."""

import json
import subprocess
import sys

import pytest

from places import WORKFLOW

pytestmark = pytest.mark.slow


def printed_by(code):
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(WORKFLOW)!r})\n{code}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_what_is_set():
    facts = json.loads(
        printed_by(
            """
import json, os, torch
from replication.training.determinism import determinism_flags, make_deterministic
torch.backends.cudnn.benchmark = True
before = determinism_flags()
make_deterministic(2)
print(json.dumps([before, determinism_flags(), torch.get_num_threads(), os.environ["CUBLAS_WORKSPACE_CONFIG"],
                  torch.utils.deterministic.fill_uninitialized_memory]))
"""
        )
    )
    before, after, threads, cublas, filled = facts
    assert before == {"deterministic_algorithms": False, "cudnn_benchmark": True, "tf32": before["tf32"]}
    assert after == {"deterministic_algorithms": True, "cudnn_benchmark": False, "tf32": before["tf32"]}
    assert (threads, cublas, filled) == (2, ":4096:8", False)


def test_an_operation_without_a_deterministic_algorithm_is_refused():
    code = """
import torch
from replication.training.determinism import make_deterministic
make_deterministic(1)
try:
    torch.zeros(3).put_(torch.tensor([0, 0]), torch.ones(2), accumulate=False)
except RuntimeError as error:
    print(error)
"""
    assert "does not have a deterministic implementation" in printed_by(code)


def test_a_run_has_the_threads_that_it_asks_for(monkeypatch):
    # Of fewer, oneDNN waits for those that are missing, for ever: so nothing is trained here.
    monkeypatch.setenv("OMP_DYNAMIC", "true")
    monkeypatch.setenv("OMP_THREAD_LIMIT", "1")
    code = """
import replication.training.determinism
import ctypes
libraries = {line.split()[-1] for line in open("/proc/self/maps") if "gomp" in line or "iomp" in line}
for library in map(ctypes.CDLL, libraries):
    print(library.omp_get_dynamic(), library.omp_get_thread_limit() > 1000)
"""
    assert set(printed_by(code).splitlines()) <= {"0 True"}
