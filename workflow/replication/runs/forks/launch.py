"""Starting the fork server: the side of Snakemake's main process."""

import glob
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from replication.runs.forks.client import OFF, VARIABLE
from replication.system.files import PACKAGE

BACKLOG = 1000  # jobs that come while the server imports
# As Snakemake sets them for a job of one thread. They decide the order of sums, and a process of one
# thread loses none in a fork.
THREADS = (
    "OMP_NUM_THREADS",
    "GOTO_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def can_start(device: str) -> bool:
    """Return whether runs on `device` (`auto`, `cpu` or `cuda`) may be forks of a server here."""
    # Without these (other systems than Linux) jobs train in their own processes.
    possible = hasattr(os, "pidfd_open") and hasattr(socket, "send_fds")
    return possible and device != "cuda" and os.environ.get(VARIABLE) != OFF


def start_fork_server(
    folder: str | Path,
    log: str | Path,
    device: str = "cpu",
    variable: str = VARIABLE,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes] | None:
    """Start a server for the jobs that this process will start, unless the environment says `off`.

    It ends when this process ends, for whatever reason.

    Parameters
    ----------
    folder
        Where its socket goes, named as the log is.
    log
        Where it says which jobs it does not serve, and why.
    device
        Where runs train: `cuda` needs no server, since a GPU is not shared with a fork; with `auto` runs are not
        served where PyTorch sees one.
    variable
        The variable of this process' environment that tells jobs of it.
    environment
        The one that it works in, which is then that of its jobs by whatever way they are started; None: that of this
        process, and jobs of any other are not served.

    Returns
    -------
    Popen or None
        The server: keep it as long as it should live.
    """
    if not can_start(device):
        return None
    # Relative, as the path of a socket has a hundred bytes at most.
    name = f"{Path(log).stem}-{socket.gethostname()}"
    path = Path(folder, f"{name}-{os.getpid()}.socket")
    try:
        with _listener(path, name) as listener:
            os.environ[variable] = str(path)
            return _started(listener, Path(log), device, environment)
    except OSError:  # a file system without sockets
        return None


def _listener(path: Path, name: str) -> socket.socket:
    """Return a socket that this user's processes can connect to from now on: the first ones wait for the server."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in path.parent.glob(f"{glob.escape(name)}-*.socket"):
        _remove_if_dead(leftover)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen(BACKLOG)
    return listener


def _remove_if_dead(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
        except OSError:
            pass


def _started(
    listener: socket.socket, log: Path, device: str, environment: Mapping[str, str] | None
) -> subprocess.Popen[bytes]:
    log.parent.mkdir(parents=True, exist_ok=True)
    code = (
        f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); "
        f"from replication.runs.forks.server import serve; "
        f"serve({listener.fileno()}, {device!r}, of_own_environment={environment is not None})"
    )
    with log.open("wb") as stream:
        return subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,  # it is closed when this process ends, which tells the server to end
            stdout=stream,
            stderr=stream,
            pass_fds=[listener.fileno()],
            env={**(os.environ if environment is None else environment), **dict.fromkeys(THREADS, "1")},
        )
