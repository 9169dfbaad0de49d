"""Runs that are forked from a process which has imported PyTorch, and what may happen to it and to their jobs."""

import errno
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from fault_runs import results_of
from places import ROOT
from project import inside
from replication.data.dataset import write_dataset
from replication.runs.forks import client, launch, server
from replication.runs.forks.client import OFF, VARIABLE, process_state
from replication.runs.forks.launch import THREADS, start_fork_server
from replication.runs.forks.server import identity
from replication.system import interruption
from replication.system.digests import canonical_json
from support import run_settings, schedule_of, tiny_dataset
from traps import trap
from waiting import is_stopped, lives, wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the server needs Linux"),
]

PYTEST = "PYTEST_CURRENT_TEST"  # its value changes with each test
# The script of the workflow, and whether it has trained by itself; `early`, a signal that comes at once.
JOB = """
import runpy, sys
sys.path[1:1] = [sys.argv[1]]
early = int(sys.argv[3])
sys.argv = [sys.argv[2], *sys.argv[4:]]
if early:
    import signal
    from replication.runs.forks import client
    class Signals(client._Signals):
        def __init__(self, *connection, **named):
            super().__init__(*connection, **named)
            signal.raise_signal(early)
    client._Signals = Signals
runpy.run_path(sys.argv[0])
print("torch" in sys.modules)
"""
# A job that only asks whether it is served.
ASK = """
import sys
sys.path.extend([sys.argv[1]])
from replication.runs.forks.client import done_in_fork
print(done_in_fork("asked.log"), "torch" in sys.modules)
"""
# A process that starts a server, says so, and lives until it is told more.
SNAKEMAKE = """
import sys
sys.path.insert(0, sys.argv[1])
from replication.runs.forks.launch import start_fork_server
server = start_fork_server("s", "server.log")
print(server.pid, flush=True)
sys.stdin.readline()
"""


# What starts a job, and lives until it is killed.
PARENT = """
import signal, subprocess, sys
subprocess.Popen(sys.argv[1:])
signal.pause()
"""
# A script called with nothing but its log, and whether it has imported a module for its work.
LACKING = """
import runpy, sys
module = sys.argv.pop()
sys.argv = [sys.argv[1], "log=lacking.log"]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    print(module in sys.modules)
"""
# A job of another kind, which does not listen to signals, and has no end.
ENDLESS = """
import os, signal, sys
sys.path[0] = sys.argv[1]
from pathlib import Path
from replication.runs.forks.client import done_in_fork
if not done_in_fork("endless.log"):
    Path("endless.pid.partial").write_text(str(os.getpid()))
    os.rename("endless.pid.partial", "endless.pid")
    signal.pause()
"""


class Jobs:
    """Jobs of one folder, the paths of which are relative to it, as Snakemake's are."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[subprocess.Popen] = []
        self.environment = {**os.environ, **dict.fromkeys(THREADS, "1")}
        self.environment.pop(PYTEST, None)
        write_dataset(tiny_dataset(), folder / "tiny.safetensors")

    def start(
        self, name: str, early: int = 0, environment: Any = None, parent: Sequence[str] = (), **settings: Any
    ) -> subprocess.Popen:
        """Start the job of a run, in the folder of this name."""
        whole = run_settings(
            **{
                "schedule": schedule_of("loss_probing"),
                "optimizer": {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9},
                "data": {"augmentation": "crop_and_flip"},
                "record_every_step": True,
                **settings,
            }
        )
        job = {
            "log": f"{name}.log",
            "run_id": "study/arm/seed-7",
            "record": f"{name}/record.json",
            "dataset_path": "tiny.safetensors",
            "device": "cpu",
            "code": "code",
            "runs_per_gpu": 1,
            "checkpoint_seconds": 0,
            "settings_json": canonical_json(whole.model_dump(mode="json")),
        }
        arguments = [f"{key}={value}" for key, value in job.items()]
        process = subprocess.Popen(
            [*parent, sys.executable, "-c", JOB, *self.paths, str(early), *arguments],
            cwd=self.folder,
            env=self.environment | (environment or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    paths = (str(ROOT / "workflow"), str(ROOT / "workflow/scripts/train.py"))

    def run(self, name: str, **more: Any) -> tuple[int, str, str]:
        """Return the exit status of a job, and what it prints."""
        process = self.start(name, **more)
        printed = process.communicate()
        return process.returncode, *printed

    def refused(self, **environment: str) -> bool:
        """Return whether a job in this environment is left to train by itself."""
        command = [sys.executable, "-c", ASK, self.paths[0]]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment | environment, stdout=subprocess.PIPE, text=True
        )
        return done.stdout == "False False\n"

    def begun(self, name: str, **more: Any) -> tuple[subprocess.Popen, int]:
        """Start a job of many minutes, and wait until it trains; return it and the process that does."""
        process = self.start(name, epochs=100_000, **more)
        wait_for(lambda: [*self.folder.glob(f"{name}/.checkpoint-*")], "a checkpoint", process)
        lock = (self.folder / name / ".lock").read_text()
        return process, int(re.match(r"process (\d+) ", lock)[1])

    def stopped(self, name: str, path: Path, **more: Any) -> tuple[subprocess.Popen, int]:
        """Start a job for which the trap `path` is set, and wait until its run is caught; remove the trap."""
        process = self.start(name, **more)
        lock = self.folder / name / ".lock"

        def caught() -> int | None:
            holder = re.match(r"process (\d+) ", lock.read_text()) if lock.exists() else None
            return int(holder[1]) if holder and is_stopped(int(holder[1])) else None

        wait_for(caught, "a run that has stopped", process)
        path.unlink()
        number = caught()
        assert number
        return process, number

    def last_words(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text().splitlines()[-1]

    def kept(self, name: str) -> set[str]:
        return {path.name for path in (self.folder / name).iterdir()}


def server_for(jobs: Jobs, **environment: str) -> subprocess.Popen:
    """Start a server in this environment, and let these jobs know."""
    with pytest.MonkeyPatch.context() as patch, inside(jobs.folder):
        patch.delenv(VARIABLE, raising=False)
        patch.delenv(PYTEST)
        for name, value in environment.items():
            patch.setenv(name, value)
        server = start_fork_server("s", "server.log")
        jobs.environment |= environment | {VARIABLE: os.environ[VARIABLE]}
    assert server
    return server


@pytest.fixture(scope="module", autouse=True)
def signals() -> Iterator[None]:
    """Have signals end what is started here, also where the tests are in the background and ignore some."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in interruption.SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    """Return jobs for which there is a server."""
    jobs = Jobs(tmp_path_factory.mktemp("served"))
    server = server_for(jobs)
    yield jobs
    for process in jobs.started:  # where a test has failed
        process.kill()
    server.stdin.close()
    assert server.wait() == 0
    assert [*(jobs.folder / "s").iterdir()] == []


@pytest.fixture(scope="module")
def alone(served: Jobs) -> Jobs:
    """Return jobs in the same folder that train in their own processes."""
    jobs = Jobs(served.folder)
    jobs.environment[VARIABLE] = OFF
    return jobs


def test_a_fork_comes_to_the_same_bytes(served: Jobs, alone: Jobs) -> None:
    assert served.run("forked") == (0, "False\n", "")
    assert alone.run("alone") == (0, "True\n", "")
    assert results_of(served.folder / "forked") == results_of(served.folder / "alone")


def test_several_at_once_do_not_disturb_each_other(served: Jobs) -> None:
    jobs = {name: served.start(name, epochs=4) for name in ("one", "two", "three")}
    for process in jobs.values():
        assert process.communicate()[0] == "False\n"
    results = [results_of(served.folder / name) for name in jobs]
    assert results[0] == results[1] == results[2]


def test_a_child_works_in_the_folder_of_its_job(served: Jobs, tmp_path: Path) -> None:
    """The paths of a job are relative to it."""
    elsewhere = Jobs(tmp_path)
    path = served.folder / served.environment[VARIABLE]
    elsewhere.environment[VARIABLE] = served.environment[VARIABLE]
    (tmp_path / "s").symlink_to(path.parent)
    process, child = elsewhere.begun("run")
    assert child != process.pid
    assert Path(f"/proc/{child}/cwd").resolve() == tmp_path
    process.terminate()
    process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_the_child_which_saves_its_state(served: Jobs, number: int) -> None:
    name = signal.Signals(number).name
    process, child = served.begun(name)
    process.send_signal(number)
    printed = process.communicate()
    assert (process.returncode, *printed) == (1, "", "")
    assert not lives(child)
    assert (
        served.last_words(name) == f"RunInterruptedError: ended by {name}; the same command goes on from here"
    )
    assert "Traceback" not in (served.folder / f"{name}.log").read_text()
    assert served.kept(name) == {".checkpoint-0", ".checkpoint-1"}


@pytest.fixture
def trapped(tmp_path: Path) -> Iterator[tuple[Jobs, subprocess.Popen, Path]]:
    """Return jobs for which there is a server, the server, and a trap: their runs stop half-way."""
    jobs = Jobs(tmp_path)
    path = tmp_path / "trap"
    server = server_for(jobs, **trap(path, "os.rename", r"/\.checkpoint-\d$", at=3))
    yield jobs, server, path
    server.kill()
    server.wait()


def test_an_interrupted_run_goes_on_to_the_same_bytes(trapped) -> None:
    jobs, _, path = trapped
    process, child = jobs.stopped("pieces", path, epochs=6)
    process.terminate()
    os.kill(child, signal.SIGCONT)
    assert process.wait() == 1
    assert jobs.kept("pieces") >= {".checkpoint-0", ".checkpoint-1"}
    assert jobs.run("pieces", epochs=6)[0] == 0
    assert jobs.run("whole", epochs=6)[0] == 0
    assert results_of(jobs.folder / "pieces") == results_of(jobs.folder / "whole")


def test_a_signal_that_comes_before_the_child_is_not_lost(served: Jobs) -> None:
    for _ in range(5):
        assert served.run("early", early=signal.SIGTERM, epochs=100_000)[0] == 1
        assert "ended by SIGTERM" in served.last_words("early")


def test_a_signal_that_comes_while_nobody_serves_is_not_lost(served: Jobs) -> None:
    nobody = {VARIABLE: "s/nobody.socket"}
    process = served.start("early", early=signal.SIGTERM, environment=nobody, epochs=100_000)
    assert process.wait() == -signal.SIGTERM


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_job_that_does_not_listen_is_ended_by_a_signal_and_its_child_with_it(
    served: Jobs, number: int
) -> None:
    script, pid = served.folder / "endless.py", served.folder / "endless.pid"
    script.write_text(ENDLESS)
    pid.unlink(missing_ok=True)
    command = [sys.executable, str(script), served.paths[0]]
    process = subprocess.Popen(command, cwd=served.folder, env=served.environment, stderr=subprocess.DEVNULL)
    served.started.append(process)
    wait_for(pid.exists, "a child", process)
    child = int(pid.read_text())
    assert child != process.pid
    process.send_signal(number)
    assert process.wait() == -number
    wait_for(lambda: not lives(child), "the end of the child")


def test_a_child_ends_with_its_job_however_that_ends(served: Jobs) -> None:
    process, child = served.begun("orphan")
    process.kill()
    process.wait()
    wait_for(lambda: not lives(child), "the end of the child")
    assert "ended by SIGTERM" in served.last_words("orphan")
    assert served.kept("orphan") == {".checkpoint-0", ".checkpoint-1"}


def test_a_child_ends_with_what_started_its_job_however_that_ends(served: Jobs) -> None:
    parent, child = served.begun("left alone", parent=[sys.executable, "-c", PARENT])
    parent.kill()
    parent.wait()
    wait_for(lambda: not lives(child), "the end of the child")
    assert "ended by SIGTERM" in served.last_words("left alone")


def test_a_child_that_is_killed_fails_its_job(served: Jobs) -> None:
    process, child = served.begun("killed")
    os.kill(child, signal.SIGKILL)
    _, said = process.communicate()
    assert process.returncode == 128 + signal.SIGKILL
    message = "the process of this job was killed (SIGKILL): if the memory was used up, run fewer at a time (--cores)"
    assert said.startswith(message)
    assert served.last_words("killed").startswith(message)


def test_what_is_wrong_with_a_run_is_said_as_by_its_own_process(served: Jobs, alone: Jobs) -> None:
    wrong = {"data": {"train_images": 10**6}}
    said = {}
    for jobs in (served, alone):
        assert jobs.run("wrong", **wrong) == (1, "", "")
        said[jobs] = (served.folder / "wrong.log").read_text()
    assert said[served] == said[alone]
    assert "Error: " in said[served]


def test_an_error_of_ours_shows_where_it_happened(served: Jobs) -> None:
    (served.folder / "not-a-folder").touch()
    status, _, said = served.run("not-a-folder")
    assert status == 1
    assert "Traceback" in said
    assert "FileExistsError" in said


@pytest.mark.parametrize("difference", [{"MKL_CBWR": "COMPATIBLE"}, {"OMP_NUM_THREADS": "2"}])
def test_a_job_of_another_environment_trains_by_itself(served: Jobs, difference: dict[str, str]) -> None:
    assert not served.refused()
    assert served.refused(**difference)
    last = (served.folder / "server.log").read_text().splitlines()[-1]
    assert last == "not served: asked.log: of other environment"


def test_what_a_process_starts_with_is_compared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "package"
    (package / "deep").mkdir(parents=True)
    (package / "deep/code.py").write_text("one")
    monkeypatch.setattr(server, "PACKAGE", package)
    monkeypatch.setattr(server.sysconfig, "get_path", lambda _: str(package / "deep"))

    def changed(change: Any) -> list[str]:
        before = identity(process_state())
        change()
        return [name for name, value in identity(process_state()).items() if value != before[name]]

    assert changed(lambda: None) == []
    assert changed(lambda: (package / "deep/code.py").write_text("three")) == ["code"]
    assert changed(lambda: os.utime(package / "deep/code.py", ns=(1, 1))) == ["code"]
    assert changed(lambda: (package / "new.py").touch()) == ["code"]
    assert changed(lambda: (package / "deep/new.dist-info").mkdir()) == ["installed packages"]
    assert changed(lambda: monkeypatch.setattr(sys, "executable", "/other/python")) == ["Python"]
    assert changed(lambda: monkeypatch.setenv("LD_PRELOAD", "library.so")) == ["environment"]
    assert changed(lambda: monkeypatch.setattr(client._signal, "getsignal", lambda _: signal.SIG_IGN)) == [
        "ignored signals"
    ]
    assert changed(lambda: monkeypatch.setenv("TMPDIR", "/of/the/job")) == []


def test_without_a_server_a_job_trains_by_itself(served: Jobs) -> None:
    for path in ("s/nobody.socket", "tiny.safetensors", "s/" + "x" * 200):
        assert served.refused(**{VARIABLE: path})


def test_a_server_that_is_killed_costs_its_runs_nothing(trapped, tmp_path: Path) -> None:
    """The child ends with its state, and the job goes on by itself."""
    jobs, server, path = trapped
    process, child = jobs.stopped("run", path, epochs=6)
    server.kill()
    server.wait()
    os.kill(child, signal.SIGCONT)
    assert process.communicate() == ("True\n", "")
    assert process.returncode == 0
    record = json.loads((tmp_path / "run/record.json").read_text())
    assert [session["end"] for session in record["sessions"]] == ["SIGTERM", "completed"]
    with inside(tmp_path), pytest.MonkeyPatch.context() as patch:
        patch.setattr(launch, "_started", lambda *_: None)
        [left] = Path("s").iterdir()  # what a killed one has left
        patch.setattr(os, "getpid", lambda: 1)
        start_fork_server("s", "server.log")
        assert left not in Path("s").iterdir()


def test_a_server_ends_with_what_started_it_but_not_before_its_runs(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    started = subprocess.Popen(
        [sys.executable, "-c", SNAKEMAKE, str(ROOT / "workflow")],
        cwd=tmp_path,
        env={name: value for name, value in jobs.environment.items() if name not in {*THREADS, VARIABLE}},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    server = int(started.stdout.readline())
    [path] = (tmp_path / "s").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    jobs.environment[VARIABLE] = f"s/{path.name}"
    process, child = jobs.begun("run")
    started.kill()
    started.wait()
    wait_for(lambda: not path.exists(), "a server that serves nobody any more")
    assert lives(child)
    assert lives(server)
    process.terminate()
    assert process.wait() == 1
    assert not lives(child)
    wait_for(lambda: not lives(server), "the end of the server")


@pytest.mark.parametrize(("device", "variable"), [("cuda", None), ("cpu", OFF)])
def test_none_is_started_where_none_is_wanted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, device: str, variable: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    if variable:
        monkeypatch.setenv(VARIABLE, variable)
    assert start_fork_server("s", "server.log", device) is None
    assert os.environ.get(VARIABLE) == variable
    assert [*tmp_path.iterdir()] == []


def test_none_is_started_where_there_cannot_be_a_socket(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(VARIABLE, "before")
    monkeypatch.chdir(tmp_path)
    assert start_fork_server("x" * 150, "server.log") is None

    def refuse(*_: Any) -> None:
        raise OSError(errno.EPERM, "no sockets here")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    assert start_fork_server("s", "server.log") is None
    assert os.environ[VARIABLE] == "before"


def test_a_process_with_threads_or_a_gpu_does_not_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    for script in server.IMPORTS:
        assert "threads would be lost" in str(server._reason_not_to_fork(script, "cpu"))
    end.set()
    thread.join()
    monkeypatch.setattr(server.Path, "iterdir", lambda _: iter(["one"]))
    for sees, device, shared in [(True, "auto", False), (True, "cpu", True), (False, "auto", True)]:
        monkeypatch.setattr(server, "_sees_gpu", lambda sees=sees: sees)
        reason = None if shared else "a GPU is not shared with a fork"
        assert server._reason_not_to_fork("train.py", device) == reason
        assert server._reason_not_to_fork("study_tables.py", device) is None


@pytest.mark.parametrize(
    ("script", "module"),
    [
        ("study_tables.py", "pandas"),
        ("execute_notebook.py", "papermill"),
        ("combine.py", "pandas"),
        ("schedules.py", "pandas"),
        ("report.py", "nbconvert"),
    ],
)
def test_tables_notebooks_and_the_report_are_made_by_forks_too(
    served: Jobs, alone: Jobs, script: str, module: str
) -> None:
    """Asked for without the arguments that they need, which whoever does the work says."""
    path = str(ROOT / "workflow/scripts" / script)
    for jobs, imported in ((served, "False"), (alone, "True")):
        command = [sys.executable, "-c", LACKING, path, module]
        done = subprocess.run(command, cwd=jobs.folder, env=jobs.environment, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (1, f"{imported}\n")
        assert "KeyError" in done.stderr


def test_what_is_imported_beforehand_is_what_scripts_import() -> None:
    scripts = {path.name: path.read_text() for path in (ROOT / "workflow/scripts").glob("*.py")}
    assert server.IMPORTS.keys() == {name for name, text in scripts.items() if "done_in_fork(" in text}
    for name, modules in server.IMPORTS.items():
        assert f"from {modules[0]} import" in scripts[name]


def test_a_job_that_is_served_imports_no_more_than_it_needs() -> None:
    """Each of these takes as long to import as Python to start."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); from replication.runs.forks import client; print(*sys.modules)"
    command = [sys.executable, "-c", code, str(ROOT / "workflow")]
    imported = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert not {
        "torch",
        "snakemake",
        "pathlib",
        "typing",
        "enum",
        "socket",
        "json",
        "ctypes",
        "contextlib",
    } & {*imported}
    assert client.SIGNALS == interruption.SIGNALS
