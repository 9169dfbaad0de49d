"""Asking the fork server, where there is one, to do a job: the side of the job.

Only what takes a millisecond is imported here, since the purpose is to spare a job its imports: of `socket` and
`signal` the part that is written in C, as the rest takes as long as Python takes to start.
"""

import _signal  # type: ignore[import-not-found]
import _socket
import os
import sys

# The path of the server's socket, or `off`; and of the one for the kernels of notebooks, which have surroundings of
# their own.
VARIABLE, KERNELS = "REPLICATION_FORK_SERVER", "REPLICATION_KERNEL_SERVER"
OFF = "off"
STARTED = b"started"
# As long as importing PyTorch takes on a slow disk: until then the server does not answer.
PATIENCE_SECONDS = 120.0
# How often a job that takes signals looks whether its parent still lives.
PARENT_SECONDS = 1.0
SIGNALS = (_signal.SIGTERM, _signal.SIGINT, _signal.SIGHUP)  # as in `system.interruption`


def arguments_of_job() -> dict[str, str]:
    """Return the arguments of this process, each `<name>=<value>`."""
    return dict(argument.split("=", 1) for argument in sys.argv[1:])


def done_in_fork(log: str, *, listens: bool = False) -> bool:
    """Let a fork do what this process was started for; return False if it cannot, and this process is to do it.

    The fork runs the same script with the same arguments, and ends with this process in any case.

    Parameters
    ----------
    log
        The log of the job, for what a process that is killed cannot say itself.
    listens
        Whether signals, and the end of the parent process as SIGTERM, are for the fork to note (`system.interruption`),
        while this process goes on until the fork has ended. Else they end both.

    Raises
    ------
    SystemExit
        The job failed, or its process was killed.
    """
    path = os.environ.get(VARIABLE, OFF)
    if path == OFF:
        return False
    try:
        connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    except OSError:  # too many files are open
        return False
    signals = _Signals(connection, listens=listens)
    try:
        connection.settimeout(PATIENCE_SECONDS)
        connection.connect(path)
        status = _ask(connection, {"log": log, "listens": listens, **process_state()}, signals)
    except OSError:  # there is no server, or it has ended
        status = None
    connection.close()
    signals.let_go(again=status is None)
    if status is None:
        return False
    _end(status, log)
    return True


def process_state() -> dict[str, object]:
    """Return what another process needs to know of this one to stand in for it: plain values."""
    return {
        "Python": [sys.executable, sys.version],
        "ignored signals": [number for number in SIGNALS if _signal.getsignal(number) == _signal.SIG_IGN],
        "environment": dict(os.environ),
        "folder": os.getcwd(),  # noqa: PTH109 - as text
        "arguments": sys.argv,
    }


class _Signals:
    """The signals of a process that listens: noted until there is a fork, and then passed on to it."""

    def __init__(self, connection: _socket.socket, *, listens: bool) -> None:
        self._connection = connection
        self._parent = os.getppid()
        self._noted: list[int] = []
        self._passes_on = False
        self._before = {}
        for number in SIGNALS if listens else ():
            before = _signal.getsignal(number)
            if before != _signal.SIG_IGN:  # as under nohup
                self._before[number] = before
                _signal.signal(number, self._note)

    def _note(self, number: int, _frame: object) -> None:
        self._noted.append(number)
        if self._passes_on:
            self._send(number)

    def _send(self, number: int) -> None:
        try:  # noqa: SIM105 - contextlib takes longer to import than all of this
            self._connection.sendall(bytes([number]))
        except OSError:  # the fork has ended, and so will what this process waits for
            pass

    def pass_on(self) -> None:
        """From now on pass signals on, and first those that have come so far."""
        noted = [*self._noted]
        self._passes_on = True
        for number in noted:
            self._send(number)

    def look_for_parent(self) -> None:
        """Tell the fork if the parent process has ended."""
        if self._before and os.getppid() != self._parent:
            self._send(_signal.SIGTERM)

    def let_go(self, *, again: bool) -> None:
        """Take signals as before; `again`: those that have come too."""
        for number, before in self._before.items():
            _signal.signal(number, before)
        for number in self._noted if again else ():
            _signal.raise_signal(number)


def _ask(connection: _socket.socket, request: dict[str, object], signals: _Signals) -> int | None:
    """Return the exit status of the child, or minus the signal that killed it; None if there was no whole answer."""
    streams = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
    connection.sendmsg([b"\n"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
    connection.sendall(ascii(request).encode() + b"\n")
    answers = _Lines(connection)
    if answers.next() != STARTED:
        return None
    signals.pass_on()
    connection.settimeout(PARENT_SECONDS)
    while True:
        try:
            # The child holds the other end open too, so the end of the stream means that it has ended.
            last = answers.next()
        except TimeoutError:
            signals.look_for_parent()
        else:
            return None if last is None else int(last)


class _Lines:
    """The lines that the other end of a connection sends."""

    def __init__(self, connection: _socket.socket) -> None:
        self._connection = connection
        self._read = b""

    def next(self) -> bytes | None:
        """Return the next line; None if there is no whole one any more."""
        while b"\n" not in self._read:
            piece = self._connection.recv(64)
            if not piece:
                return None
            self._read += piece
        line, _, self._read = self._read.partition(b"\n")
        return line


def _end(status: int, log: str) -> None:
    """End as the child has ended; return if it has succeeded."""
    if status == 0:
        return
    if status > 0:
        sys.exit(status)
    import signal

    message = (
        f"the process of this job was killed ({signal.Signals(-status).name}): if the memory was used up, run fewer "
        "at a time (--cores); the same command goes on from here"
    )
    # On a new line, since the child may have written half a line. If the disk is full, standard error has the message.
    try:
        with open(log, "a", encoding="utf-8") as stream:  # noqa: PTH123 - pathlib takes as long to import
            print(f"\n{message}", file=stream)
    except OSError:
        pass
    print(message, file=sys.stderr)  # noqa: T201 - as a job does that ends by itself
    sys.exit(128 - status)  # as a shell reports it
