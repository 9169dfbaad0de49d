"""A process that has imported what jobs need, and forks the jobs of one Snakemake call.

Importing takes most of a short job's time: this process does it once, when the first job of a kind comes. A job
(`forks.client`) connects to its socket, and it forks a child that runs the job's script in its place: with the job's
folder, environment, arguments and standard streams. It serves a job only if the job's own process would have started
in the same state (`identity`); any other job does its work itself.

A child lives as its job does: it gets the job's signals, and is asked to end when the job has ended, or this
process. This process ends once the one that started it has, and its own children.
"""

import ast
import gc
import importlib
import os
import runpy
import selectors
import signal
import socket
import sys
import sysconfig
import tempfile
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from replication.errors import ReplicationError
from replication.runs.forks.client import OFF, STARTED, VARIABLE, process_state
from replication.system import interruption
from replication.system.files import PACKAGE, visible_files
from replication.system.huge_pages import gather_into_huge_pages
from replication.system.memory import forget_peak_memory

REQUEST_SECONDS = 10.0  # for a job to say what it wants; others wait meanwhile
# What Snakemake and its shell set for each job, or drop. They matter when they are used, and not when a process starts.
OF_ONE_JOB = {"_", "SHLVL", "PWD", "OLDPWD", "PS1", "PS2", "TMPDIR", "TMP", "TEMP", "TEMPDIR"}
# Until then a server has imported most of what it will; what gathering takes, some forty forks then save.
FORKS_BEFORE_GATHERING = 20
TRAINING = "train.py"
# What the scripts that this process serves import, in the folder of the scripts.
IMPORTS = {
    TRAINING: ("replication.runs.job", "torchvision.models.resnet"),
    "study_tables.py": ("replication.analysis.study_tables", "replication.analysis.verdicts"),
    "execute_notebook.py": ("replication.report.notebooks",),
    "combine.py": ("replication.system.tables",),
    "schedules.py": ("replication.schedules", "replication.system.tables"),
    "report.py": ("replication.report.page",),
    "kernel.py": ("ipykernel.kernelapp", "replication.report.figures"),
}


def serve(listening: int, device: str, *, of_own_environment: bool = False) -> None:
    """Serve jobs until standard input ends.

    Parameters
    ----------
    listening
        The descriptor of the socket.
    device
        As for `forks.launch.start_fork_server`.
    of_own_environment
        Whether jobs have this process' environment by the way in which they are started, so that it is not compared.
    """
    # Signals that this process gets are meant for the children too, and reach them through their jobs: blocked here.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, interruption.SIGNALS)
    own = identity(process_state())  # of the code that is imported now
    if of_own_environment:
        del own["environment"]
    listener = socket.socket(fileno=listening)
    path = Path(listener.getsockname())
    try:
        _Server(listener, own, mask, device).serve()
    finally:
        path.unlink(missing_ok=True)


def identity(process: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is decided when a process starts: one that started now can be forked from here if these are equal.

    That is Python, the code of this package (as times and sizes of its files), what is installed beside it (as
    the times of the folders), the environment, and the signals that are ignored, as under nohup.

    Parameters
    ----------
    process
        As `process_state` returns it.
    """
    installed = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
    return {
        "Python": process["Python"],
        "code": [_stamp(path) for path in visible_files(PACKAGE, "**/*.py")],
        "installed packages": [_stamp(Path(path)) for path in sorted(installed)],
        "ignored signals": process["ignored signals"],
        "environment": {
            name: value for name, value in process["environment"].items() if name not in OF_ONE_JOB
        },
    }


def _stamp(path: Path) -> list[str | int]:
    status = path.stat()
    return [str(path), status.st_size, status.st_mtime_ns]


def prepare(script: str) -> None:
    """Import what a script imports, at its start and later, and start no thread."""
    for module in IMPORTS.get(script, ()):
        importlib.import_module(module)
    if script == TRAINING:
        _prepare_training()
    gc.collect()
    gc.freeze()  # the children then share the memory of what is imported


def _prepare_training() -> None:
    """Import what a run imports late, and compute what its record holds of the surroundings.

    Nothing is differentiated here: PyTorch's automatic differentiation does not survive a fork.
    """
    import torch

    from replication.runs import provenance

    torch.set_num_threads(1)
    parameter = torch.nn.Parameter(torch.zeros(1))
    parameter.grad = torch.zeros(1)
    torch.optim.SGD([parameter], lr=0.1).step()  # imports torch._dynamo, which takes as long as all the rest
    # The results are kept: `identity` notices if they change.
    provenance.installed_digest()
    provenance.installed_versions()
    provenance.rules_digest()


def _reason_not_to_fork(script: str, device: str) -> str | None:
    """Return why a child cannot do what a script does, once that is prepared; None if it can."""
    threads = len([*Path("/proc/self/task").iterdir()])
    if threads > 1:
        return f"{threads} threads would be lost in a fork"
    if script == TRAINING and device == "auto" and _sees_gpu():
        return "a GPU is not shared with a fork"
    return None


@cache
def _sees_gpu() -> bool:
    """Ask a child process: one that has looked for a GPU cannot be forked afterwards."""
    number = os.fork()
    if number == 0:
        import torch

        os._exit(torch.cuda.is_available())
    return os.waitpid(number, 0)[1] != 0


def _say(message: str) -> None:
    print(message, flush=True)  # noqa: T201 - standard output is the server's log


@dataclass(frozen=True)
class _Child:
    """A process that does a job, a descriptor that shows when it has ended, and the connection to the job."""

    number: int
    descriptor: int
    connection: socket.socket


class _Server:
    """The loop of the server: jobs, the signals that they pass on, and the ends of children, one event at a time."""

    def __init__(
        self,
        listener: socket.socket,
        own: Mapping[str, Any],
        mask: Collection[int | signal.Signals],
        device: str,
    ) -> None:
        self._listener = listener
        self._identity = own
        self._mask = mask
        self._device = device
        self._prepared: set[str] = set()
        self._open = True
        self._forks = 0
        self._children: list[_Child] = []
        self._selector = selectors.DefaultSelector()
        self._listen_to(listener, self._accept)
        self._listen_to(sys.stdin.fileno(), self._close)

    def _listen_to(self, source: socket.socket | int, answer: Callable[[], None]) -> None:
        self._selector.register(source, selectors.EVENT_READ, answer)

    def serve(self) -> None:
        """Serve until no job can connect any more and the children have ended."""
        while self._open or self._children:
            # One event at a time: handling it may close what the other events are about.
            for key, _ in self._selector.select()[:1]:
                key.data()

    def _close(self) -> None:
        self._open = False
        Path(self._listener.getsockname()).unlink(missing_ok=True)
        for source in (self._listener, sys.stdin.fileno()):
            self._selector.unregister(source)
        self._listener.close()

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.settimeout(REQUEST_SECONDS)
        streams: list[int] = []
        try:
            streams = socket.recv_fds(connection, 1, 3)[1]
            with connection.makefile("rb") as lines:
                request = ast.literal_eval(lines.readline().decode())
            self._check(request)
            _remember_study(request["arguments"])
            self._fork(request, streams, connection)
        except (OSError, ValueError, SyntaxError) as error:
            _say(f"not served: {error}")
            connection.close()
        for stream in streams:
            os.close(stream)

    def _check(self, request: Mapping[str, Any]) -> None:
        """Raise ValueError if a job cannot be forked from here, or would not have started as this process has."""
        theirs = identity(request)
        other = [name for name, value in self._identity.items() if theirs[name] != value]
        script = Path(request["arguments"][0]).name
        reason = f"of other {', '.join(other)}" if other else self._prepare(script)
        if reason:
            raise ValueError(f"{request['log']}: {reason}")

    def _prepare(self, script: str) -> str | None:
        """Prepare for the jobs of a script, unless that is done; return why one cannot be forked, if it cannot."""
        if script not in self._prepared:
            prepare(script)
            self._prepared.add(script)
        return _reason_not_to_fork(script, self._device)

    def _fork(self, request: Mapping[str, Any], streams: Sequence[int], connection: socket.socket) -> None:
        if self._forks == FORKS_BEFORE_GATHERING:
            gather_into_huge_pages()
        self._forks += 1
        server = os.getpid()
        number = os.fork()
        if number == 0:
            os._exit(_status_of(lambda: self._do(request, streams, server)))
        child = _Child(number, os.pidfd_open(number), connection)
        self._children.append(child)
        with suppress(OSError):  # if the job has ended, the next read of the connection shows it
            connection.sendall(STARTED + b"\n")
        self._listen_to(child.descriptor, lambda: self._reap(child))
        self._listen_to(connection, lambda: self._hear(child))

    def _do(self, request: Mapping[str, Any], streams: Sequence[int], server: int) -> None:
        """In a child: run the job's script."""
        self._forget_others()
        _take_place(request, streams)
        _hear_signals(server, self._mask, listens=request["listens"])
        sys.argv = request["arguments"]
        runpy.run_path(sys.argv[0], run_name="__main__")

    def _forget_others(self) -> None:
        """Close the server's descriptors: as long as others hold a connection open, its end does not show."""
        self._selector.close()
        self._listener.close()
        for other in self._children:
            os.close(other.descriptor)
            other.connection.close()

    def _hear(self, child: _Child) -> None:
        """Pass on the signals of a job, and its end as SIGTERM."""
        try:
            numbers = child.connection.recv(16)
        except OSError:
            numbers = b""
        if not numbers:
            self._selector.unregister(child.connection)
        for number in numbers or [signal.SIGTERM]:
            os.kill(child.number, number)

    def _reap(self, child: _Child) -> None:
        status = os.waitstatus_to_exitcode(os.waitpid(child.number, 0)[1])
        self._children.remove(child)
        self._selector.unregister(child.descriptor)
        with suppress(KeyError):  # its job had ended before
            self._selector.unregister(child.connection)
        os.close(child.descriptor)
        with suppress(OSError):
            child.connection.sendall(f"{status}\n".encode())
        child.connection.close()


def _remember_study(arguments: Sequence[str]) -> None:
    """Read the file of a run's study before the fork: the result is kept for those that come after it."""
    run_id = next((each.removeprefix("run_id=") for each in arguments if each.startswith("run_id=")), None)
    if run_id:
        from replication.runs.provenance import study_facts

        with suppress(ReplicationError):  # the child says what is wrong
            study_facts(run_id.partition("/")[0])


def _take_place(request: Mapping[str, Any], streams: Sequence[int]) -> None:
    """Take over the folder, the environment and the standard streams of a job."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"] | {VARIABLE: OFF})  # the script is to do its work itself
    tempfile.tempdir = None  # decided by the environment, when it is next asked for
    forget_peak_memory()


def _hear_signals(server: int, mask: Collection[int | signal.Signals], *, listens: bool) -> None:
    """Take signals as a job does. Those that were sent since the fork are delivered now."""
    if listens:
        interruption.listen()
    else:
        interruption.end_with_parent()
    if os.getppid() != server:  # it has ended before this process asked to be told
        os.kill(os.getpid(), signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _status_of(work: Callable[[], None]) -> int:
    """Do some work, and return the exit status of a process that would do only this."""
    try:
        work()
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)  # noqa: T201 - as Python does
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        with suppress(OSError):
            sys.stdout.flush()
    return 0
