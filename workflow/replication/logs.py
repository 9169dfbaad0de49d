"""Where a job's messages go."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import IO

from replication.errors import ReplicationError


@contextmanager
def logged(path: str | Path) -> Iterator[IO[str]]:
    """Send what the block prints to the file `path`, and yield that file.

    An error that the user can mend ends the process with its message in the log; any other is raised further,
    its traceback in the log too.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", buffering=1) as log, redirect_stdout(log), redirect_stderr(log):
        try:
            yield log
        except ReplicationError as error:
            print(f"{type(error).__name__}: {error}", file=log)
            sys.exit(1)
        except Exception:
            traceback.print_exc(file=log)
            raise
