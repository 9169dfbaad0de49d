"""Kernels of notebooks that are forked from a process in surroundings of their own."""

import os
from pathlib import Path

import nbformat
import pytest

from replication.report.notebooks import execute
from replication.report.surroundings import environment
from replication.runs.forks.client import KERNELS
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


def test_a_kernel_is_a_fork_and_comes_to_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(KERNELS, "off")
    path = notebook(tmp_path / "study.ipynb", CELLS)
    execute(path, tmp_path / "alone/notebook.ipynb", tmp_path)
    home = tmp_path / "home"
    server = start_fork_server("s", "kernel-server.log", "cpu", KERNELS, environment(os.environ, home))
    assert server
    execute(path, tmp_path / "forked/notebook.ipynb", tmp_path)
    alone, forked = (tmp_path / name / "notebook.ipynb" for name in ("alone", "forked"))
    assert alone.read_bytes() == forked.read_bytes()
    assert Path("parents").read_text().split() == [str(os.getpid()), str(server.pid)]
    assert "Traceback" not in capfd.readouterr().err
    server.stdin.close()
    assert server.wait() == 0
    assert Path("kernel-server.log").read_text() == ""
    assert [*Path("s").iterdir()] == []
