"""Kernels of notebooks that are forked from a process in surroundings of their own."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from replication.errors import ReplicationError
from replication.report.notebooks import execute
from replication.report.surroundings import environment
from replication.runs.forks.client import KERNELS, OFF
from replication.runs.forks.launch import start_fork_server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the server needs Linux"),
]

CELLS = """
import os, sys
open("parents", "a").write(f"{os.getppid()}\\n")
print(sorted(name for name in os.environ if name.startswith("REPLICATION")), hash("a"), "seaborn" in sys.modules)
print(tables)
"""


def notebook(path: Path, code: str) -> Path:
    parameters = nbformat.v4.new_code_cell("tables = None", metadata={"tags": ["parameters"]})
    parameters.id, cell = "parameters", nbformat.v4.new_code_cell(code)
    cell.id = "cell"
    nbformat.write(nbformat.v4.new_notebook(cells=[parameters, cell]), path)
    return path


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen]:
    """Start a server for kernels in the test's folder, and see that it ends."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(KERNELS, OFF)
    home = tmp_path / "home"
    server = start_fork_server("s", "kernel-server.log", "cpu", KERNELS, environment(os.environ, home))
    assert server
    yield server
    server.stdin.close()
    assert server.wait() == 0
    assert Path("kernel-server.log").read_text() == ""
    assert [*Path("s").iterdir()] == []


def test_a_kernel_is_a_fork_and_comes_to_the_same_bytes(
    server: subprocess.Popen,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path = notebook(tmp_path / "study.ipynb", CELLS)
    with monkeypatch.context() as patch:
        patch.setenv(KERNELS, OFF)
        execute(path, tmp_path / "alone/notebook.ipynb", tmp_path)
    execute(path, tmp_path / "forked/notebook.ipynb", tmp_path)
    alone, forked = (tmp_path / name / "notebook.ipynb" for name in ("alone", "forked"))
    assert alone.read_bytes() == forked.read_bytes()
    assert Path("parents").read_text().split() == [str(os.getpid()), str(server.pid)]
    assert "Traceback" not in capfd.readouterr().err


def test_a_fork_that_is_killed_is_told_as_any_kernel(server: subprocess.Popen, tmp_path: Path) -> None:
    path = notebook(tmp_path / "study.ipynb", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(ReplicationError, match="its kernel was killed"):
        execute(path, tmp_path / "results/notebook.ipynb", tmp_path)
    assert not (tmp_path / "results").exists()
    assert server.poll() is None
