"""Asking the fork server, where there is one, to do a job: the side of the job.

Only what takes milliseconds is imported here, since the purpose is to spare a job its imports.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress

from replication.system import interruption

# The path of the server's socket, or `off`; and of the one for the kernels of notebooks, which have surroundings of
# their own.
VARIABLE, KERNELS = "REPLICATION_FORK_SERVER", "REPLICATION_KERNEL_SERVER"
OFF = "off"
STARTED = b"started"
# As long as importing PyTorch takes on a slow disk: until then the server does not answer.
PATIENCE_SECONDS = 120.0


def arguments_of_job() -> dict[str, str]:
    """Return the arguments of this process, each `<name>=<value>`."""
    return dict(argument.split("=", 1) for argument in sys.argv[1:])


def done_in_fork(log: str) -> bool:
    """Let a fork do what this process was started for; return False if it cannot, and this process is to do it.

    The fork runs the same script with the same arguments. It gets the signals that this process gets, if this process
    listens to them, and ends with it in any case.

    Parameters
    ----------
    log
        The log of the job, for what a process that is killed cannot say itself.

    Raises
    ------
    SystemExit
        The job failed, or its process was killed.
    """
    path = os.environ.get(VARIABLE, OFF)
    if path == OFF:
        return False
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE_SECONDS)
            connection.connect(path)
            answer = _ask(connection, {"log": log, "arguments": sys.argv, **process_state()})
    except OSError:  # there is no server, or it has ended
        return False
    if answer is None:
        return False
    _end(answer, log)
    return True


def process_state() -> dict[str, object]:
    """Return what another process needs to know of this one to stand in for it: plain values for JSON."""
    return {
        "Python": [sys.executable, sys.version],
        "ignored signals": [n for n in interruption.SIGNALS if signal.getsignal(n) == signal.SIG_IGN],
        "listens": interruption.listens(),
        "environment": dict(os.environ),
        "folder": os.getcwd(),  # noqa: PTH109 - as text
    }


def _ask(connection: socket.socket, request: Mapping[str, object]) -> int | None:
    """Return the exit status of the child, or minus the signal that killed it; None if there was no whole answer."""
    socket.send_fds(connection, [b"\n"], [0, 1, 2])
    connection.sendall(json.dumps(request).encode() + b"\n")
    with connection.makefile("rb") as answers:
        if answers.readline().strip() != STARTED:
            return None
        connection.settimeout(None)
        with interruption.passed_on(lambda number: connection.sendall(bytes([number]))):
            # The child holds the other end open too, so the end of the stream means that it has ended.
            last = answers.readline()
    return int(last) if last else None


def _end(status: int, log: str) -> None:
    """End as the child has ended; return if it has succeeded."""
    if status == 0:
        return
    if status > 0:
        sys.exit(status)
    message = (
        f"the process of this job was killed ({signal.Signals(-status).name}): if the memory was used up, run fewer "
        "at a time (--cores); the same command goes on from here"
    )
    # On a new line, since the child may have written half a line. If the disk is full, standard error has the message.
    with suppress(OSError), open(log, "a", encoding="utf-8") as stream:  # noqa: PTH123 - pathlib takes as long to import
        print(f"\n{message}", file=stream)
    print(message, file=sys.stderr)  # noqa: T201 - as a job does that ends by itself
    sys.exit(128 - status)  # as a shell reports it
