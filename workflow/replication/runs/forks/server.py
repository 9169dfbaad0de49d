"""A process that has imported PyTorch, and forks the runs of one Snakemake call.

Importing takes most of a short run's time: this process does it once. A job (`forks.client`) connects to its socket,
and it forks a child that trains in the job's place: with the job's folder, environment, arguments and standard
streams. It serves a job only if the job's own process would have started in the same state (`identity`); any other
job trains in its own process.

A child lives as its job does: it gets the job's signals, and is asked to end when the job has ended, or this
process. This process ends once the one that started it has, and its own children.
"""

import gc
import json
import os
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
from pathlib import Path
from typing import Any

from replication.errors import ReplicationError
from replication.runs.forks.client import STARTED, process_state
from replication.system import interruption
from replication.system.files import PACKAGE, visible_files
from replication.system.logs import logged
from replication.system.memory import forget_peak_memory

REQUEST_SECONDS = 10.0  # for a job to say what it wants; others wait meanwhile
# What Snakemake and its shell set for each job, or drop. They matter when they are used, and not when a process starts.
OF_ONE_JOB = {"_", "SHLVL", "PWD", "OLDPWD", "PS1", "PS2", "TMPDIR", "TMP", "TEMP", "TEMPDIR"}


def serve(listening: int, device: str) -> None:
    """Serve jobs until standard input ends.

    Parameters
    ----------
    listening
        The descriptor of the socket.
    device
        As for `forks.launch.start_fork_server`.
    """
    # Signals that this process gets are meant for the children too, and reach them through their jobs: blocked here.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, interruption.SIGNALS)
    own = identity(process_state())  # of the code that is imported now
    listener = socket.socket(fileno=listening)
    path = Path(listener.getsockname())
    try:
        prepare()
        reason = _reason_not_to_fork(device)
        if reason:
            _say(f"runs train in their own processes: {reason}")
        else:
            _Server(listener, own, mask).serve()
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


def prepare() -> None:
    """Import what a run imports, at its start and later, and start no thread.

    Nothing is differentiated here: PyTorch's automatic differentiation does not survive a fork.
    """
    import torch
    from torchvision.models import resnet  # noqa: F401 - imported by the models that need it

    from replication.runs import job, provenance  # noqa: F401

    torch.set_num_threads(1)
    parameter = torch.nn.Parameter(torch.zeros(1))
    parameter.grad = torch.zeros(1)
    torch.optim.SGD([parameter], lr=0.1).step()  # imports torch._dynamo, which takes as long as all the rest
    # The results are kept: `identity` notices if they change.
    provenance.installed_digest()
    provenance.installed_versions()
    provenance.rules_digest()
    gc.collect()
    gc.freeze()  # the children then share the memory of what is imported


def _reason_not_to_fork(device: str) -> str | None:
    """Return why children cannot train instead of jobs; None if they can."""
    threads = len([*Path("/proc/self/task").iterdir()])
    if threads > 1:
        return f"{threads} threads would be lost in a fork"
    if device == "auto" and _sees_gpu():
        return "PyTorch sees a GPU"
    return None


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
    """A process that trains, a descriptor that shows when it has ended, and the connection to its job."""

    number: int
    descriptor: int
    connection: socket.socket


class _Server:
    """The loop of the server: jobs, the signals that they pass on, and the ends of children, one event at a time."""

    def __init__(
        self, listener: socket.socket, own: Mapping[str, Any], mask: Collection[int | signal.Signals]
    ) -> None:
        self._listener = listener
        self._identity = own
        self._mask = mask
        self._open = True
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
                request = json.loads(lines.readline())
            self._check(request)
            _remember_study(request)
            self._fork(request, streams, connection)
        except (OSError, ValueError) as error:
            _say(f"not served: {error}")
            connection.close()
        for stream in streams:
            os.close(stream)

    def _check(self, request: Mapping[str, Any]) -> None:
        """Raise ValueError if a job would not have started as this process has."""
        theirs = identity(request)
        other = [name for name, value in self._identity.items() if theirs[name] != value]
        if other:
            raise ValueError(f"{request['log']}: of other {', other '.join(other)}")

    def _fork(self, request: Mapping[str, Any], streams: Sequence[int], connection: socket.socket) -> None:
        server = os.getpid()
        number = os.fork()
        if number == 0:
            os._exit(_status_of(lambda: self._train(request, streams, server)))
        child = _Child(number, os.pidfd_open(number), connection)
        self._children.append(child)
        with suppress(OSError):  # if the job has ended, the next read of the connection shows it
            connection.sendall(STARTED + b"\n")
        self._listen_to(child.descriptor, lambda: self._reap(child))
        self._listen_to(connection, lambda: self._hear(child))

    def _train(self, request: Mapping[str, Any], streams: Sequence[int], server: int) -> None:
        """In a child: do the job."""
        self._forget_others()
        _take_place(request, streams)
        _listen(server, self._mask)
        from replication.runs.job import run

        with logged(request["log"]) as log:
            run(**request["arguments"], log=log)

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


def _remember_study(request: Mapping[str, Any]) -> None:
    """Read the file of a run's study before the fork: the result is kept for those that come after it."""
    from replication.runs.provenance import study_facts

    with suppress(KeyError, ReplicationError):  # the child says what is wrong
        study_facts(request["arguments"]["run_id"].partition("/")[0])


def _take_place(request: Mapping[str, Any], streams: Sequence[int]) -> None:
    """Take over the folder, the environment and the standard streams of a job."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    tempfile.tempdir = None  # decided by the environment, when it is next asked for
    forget_peak_memory()


def _listen(server: int, mask: Collection[int | signal.Signals]) -> None:
    """Listen to signals as a job does. Those that were sent since the fork are delivered now."""
    interruption.listen()
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
    return 0
