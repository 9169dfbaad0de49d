"""Where a job's messages go."""

import errno
import io
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import IO

from replication.errors import ReplicationError

# What the machine may refuse, and what the user can do about it.
REMEDIES = {
    errno.ENOSPC: "make room and run again",
    errno.EDQUOT: "make room within your quota and run again",
    errno.EROFS: "make it writable, or work in a copy of the project elsewhere, and run again",
    errno.EACCES: "change its permissions, or work in a copy of the project elsewhere, and run again",
    errno.EPERM: "change its permissions, or work in a copy of the project elsewhere, and run again",
    errno.EIO: "the disk or the network behind it fails: see the system's log, and run again elsewhere",
}


class Log(io.TextIOWrapper):
    """A text file whose disk may be full: then what is written is lost, but not the work that it reports on.

    Attributes
    ----------
    failed
        Whether the last write did.
    """

    failed = False

    def write(self, text: str, /) -> int:
        """Write what the disk takes."""
        with self._forgiven():
            super().write(text)
        return len(text)

    def flush(self) -> None:
        """Write what the disk takes of what is still to be written."""
        with self._forgiven():
            super().flush()

    @contextmanager
    def _forgiven(self) -> Iterator[None]:
        self.failed = True
        with suppress(OSError):
            yield
            self.failed = False


@contextmanager
def logged(path: str | Path) -> Iterator[IO[str]]:
    """Send what the block prints to the file `path`, and yield that file.

    A full disk does not stop the block, but loses what it prints. An error that the user can correct ends the
    process with its message in the log; any other is raised further, its traceback in the log too.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        log = Log(path.open("wb"), encoding="utf-8", line_buffering=True)
    except OSError as error:
        sys.exit(_refusal(error))
    with _closed(log), redirect_stdout(log), redirect_stderr(log):
        try:
            yield log
        except ReplicationError as error:
            _end(log, f"{type(error).__name__}: {error}")
        except OSError as error:
            if error.errno in REMEDIES:
                _end(log, _refusal(error))
            traceback.print_exc(file=log)
            raise
        except Exception:
            traceback.print_exc(file=log)
            raise


@contextmanager
def _closed(log: IO[str]) -> Iterator[None]:
    """Close `log` at the end; on a full disk that fails for what is still to be written."""
    try:
        yield
    finally:
        with suppress(OSError):
            log.close()


@contextmanager
def children_logged() -> Iterator[None]:
    """Send what processes started in the block write to standard error where this one's goes, as under `logged`.

    Redirecting `sys.stderr` does not reach them; they have the descriptor.
    """
    try:
        target = sys.stderr.fileno()
    except OSError:  # not a file, as in tests
        yield
        return
    sys.stderr.flush()
    saved = os.dup(2)
    os.dup2(target, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def _refusal(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror}: {REMEDIES.get(error.errno or 0, 'correct this and run again')}"


def _end(log: Log, message: str) -> None:
    """End the process with `message`, in the log or, where that cannot be written, on standard error."""
    print(message, file=log)
    if log.failed:
        print(message, file=sys.__stderr__)
    sys.exit(1)
