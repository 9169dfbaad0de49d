"""A notebook whose kernel is killed: a message with a remedy, and no half-written notebook."""

import threading
from pathlib import Path

import nbformat
import psutil
import pytest

from replication.errors import ReplicationError
from replication.report.notebooks import execute
from waiting import wait_for

pytestmark = pytest.mark.fault

ENDLESS = "import signal\nsignal.pause()"


def notebook(path: Path, code: str) -> Path:
    parameters = nbformat.v4.new_code_cell("tables = None", metadata={"tags": ["parameters"]})
    nbformat.write(nbformat.v4.new_notebook(cells=[parameters, nbformat.v4.new_code_cell(code)]), path)
    return path


def kill_kernel(begun: Path) -> None:
    """Kill the kernel of this process once its notebook has come to the cell that makes the file `begun`."""
    wait_for(begun.exists, "the cell")
    for child in psutil.Process().children():
        if "kernel.py" in " ".join(child.cmdline()):
            child.kill()


def test_a_killed_kernel_is_told_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    begun, output = tmp_path / "begun", tmp_path / "results" / "notebook.ipynb"
    path = notebook(tmp_path / "study.ipynb", f"open({str(begun)!r}, 'w').close()\n{ENDLESS}")
    killer = threading.Thread(target=kill_kernel, args=[begun], daemon=True)
    killer.start()
    with pytest.raises(ReplicationError, match=r"study\.ipynb") as caught:
        execute(path, output, tmp_path)
    assert "run again" in str(caught.value)
    assert not output.parent.exists()
    # The same again, without a kill.
    execute(notebook(path, "print(tables)"), output, tmp_path)
    assert [*output.parent.iterdir()] == [output]
    assert str(tmp_path) in output.read_text()
