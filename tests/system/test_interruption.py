"""Ending on request, in processes of their own: signals while PyTorch is imported, while training, and no parent."""

import json
import os
import signal
import subprocess
import sys

import pytest

from places import WORKFLOW
from replication.data.dataset import write_dataset
from replication.system import interruption
from replication.system.interruption import RunInterruptedError
from support import run_settings, tiny_dataset
from waiting import wait_for

pytestmark = pytest.mark.slow

# As workflow/scripts/train.py.
TRAIN = """
import sys
sys.path.insert(0, sys.argv[1])
from replication.system import interruption
interruption.listen()
print("listening", flush=True)
from pathlib import Path
from replication.system.logs import logged
from replication.runs.job import run
folder = Path(sys.argv[2])
with logged(folder / "log") as log:
    run("study/arm/seed-1", (folder / "settings.json").read_text(), folder / "tiny.safetensors", folder / "run",
        device="cpu", checkpoint_seconds=0.0, log=log)
"""
PARENT = """
import signal, subprocess, sys
subprocess.Popen([sys.executable, "-c", *sys.argv[1:]])
signal.pause()
"""
LISTEN = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from replication.system import interruption
interruption.listen()
Path(sys.argv[2]).touch()
import os
while True:
    os.sched_yield()
    try:
        interruption.check()
    except interruption.RunInterruptedError as error:
        Path(sys.argv[3]).write_text(str(error))
        break
"""


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a run of many minutes."""
    write_dataset(tiny_dataset(), tmp_path / "tiny.safetensors")
    settings = run_settings(epochs=100_000).model_dump(mode="json")
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    return tmp_path


def started(script, *arguments):
    command = [sys.executable, "-c", script, str(WORKFLOW), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("moment", ["importing", "training"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_run_with_its_checkpoint_and_a_message(folder, number, moment):
    process = started(TRAIN, folder)
    assert process.stdout.readline() == "listening\n"
    if moment == "training":
        wait_for(lambda: [*folder.glob("run/.checkpoint-*")], "a checkpoint", process)
    process.send_signal(number)
    printed = process.communicate()
    assert process.returncode == 1
    assert printed == ("", "")
    last = (folder / "log").read_text().splitlines()[-1]
    assert last == f"RunInterruptedError: ended by {number.name}; the same command goes on from here"
    assert "Traceback" not in (folder / "log").read_text()
    kept = {path.name for path in (folder / "run").iterdir()}
    assert kept <= {".checkpoint-0", ".checkpoint-1"}
    assert kept


def test_the_first_of_several_signals_counts(monkeypatch):
    monkeypatch.setattr(interruption, "_received", [])
    interruption.check()
    interruption._note(signal.SIGINT, None)
    interruption._note(signal.SIGTERM, None)
    for _ in range(2):
        with pytest.raises(RunInterruptedError, match="ended by SIGINT") as caught:
            interruption.check()
        assert caught.value.signal == "SIGINT"


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells a process of its parent's end")
def test_a_process_ends_with_its_parent_however_that_ends(tmp_path):
    listening, ended = tmp_path / "listening", tmp_path / "ended"
    command = [sys.executable, "-c", PARENT, LISTEN, str(WORKFLOW), str(listening), str(ended)]
    parent = subprocess.Popen(command)
    wait_for(listening.exists, "a process that listens", parent)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    wait_for(lambda: ended.exists() and ended.read_text(), "its end")
    assert ended.read_text() == "ended by SIGTERM; the same command goes on from here"


def test_listening_takes_no_time():
    """It comes before PyTorch in a job, and must not import it, nor anything else that takes seconds."""
    code = "import sys; sys.path[:0] = sys.argv[1:]; from replication.system import interruption; print(*sys.modules)"
    command = [sys.executable, "-c", code, str(WORKFLOW)]
    imported = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "numpy", "pandas", "pydantic"} & set(imported)
    script = (WORKFLOW / "scripts/train.py").read_text()
    assert script.index("interruption.listen()") < script.index("from replication.runs.job")
    assert script.index("interruption.listen()") < script.index("from replication.system.logs")


def run_code(code):
    """Run code in a process of its own that finds the package."""
    code = f"import signal, sys; sys.path.insert(0, {str(WORKFLOW)!r})\n{code}"
    return subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)


def test_listening_again_forgets_nothing_and_ends_when_asked():
    done = run_code(
        "from replication.system import interruption\n"
        "print(interruption.listens()); interruption.listen(); print(interruption.listens())\n"
        "signal.raise_signal(signal.SIGTERM); interruption.listen()\n"
        "try: interruption.check()\n"
        "except interruption.RunInterruptedError as error: print(error.signal, flush=True)\n"
        "interruption.stop_listening(); print(interruption.listens(), flush=True)\n"
        "try: signal.raise_signal(signal.SIGINT)\n"
        "except KeyboardInterrupt: print('interrupted', flush=True)\n"
        "signal.raise_signal(signal.SIGTERM)\n"
    )
    assert done.stdout == "False\nTrue\nSIGTERM\nFalse\ninterrupted\n"
    assert done.returncode == -signal.SIGTERM


def test_a_signal_that_is_ignored_stays_so():
    done = run_code(
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from replication.system import interruption; interruption.listen()\n"
        "signal.raise_signal(signal.SIGHUP); interruption.check()\n"
        "signal.raise_signal(signal.SIGTERM)\n"
        "try: interruption.check()\n"
        "except interruption.RunInterruptedError as error: print(error.signal)\n"
    )
    assert (done.returncode, done.stdout) == (0, "SIGTERM\n")
