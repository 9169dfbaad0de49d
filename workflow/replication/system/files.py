"""Writing files whole or not at all."""

import glob
import json
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1]  # the folder of this package
PARTIAL = ".partial"  # how the names of temporary files end


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` that replaces it if the block succeeds.

    The content reaches the disk before the rename, so that after a crash `path` holds the old content or the
    new, never a part. Its permissions are those of any new file: 0666 less the umask. If the block fails, the
    temporary file is removed and `path` is left as it was. What a process that was killed has left of `path`
    is removed by the next one that writes it.

    Raises
    ------
    OSError
        The folder cannot be made or written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    temporary = _new_file(path)
    try:
        with naming(path):
            yield temporary
            _synchronise(temporary)
            temporary.replace(path)
            _synchronise(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _new_file(path: Path) -> Path:
    """Make an empty file beside `path`, readable by whom the umask and the folder say: a group may share results."""
    temporary = path.with_name(f"{_prefix(path)}{os.getpid()}-{secrets.token_hex(4)}{PARTIAL}")
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    return temporary


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Add `path` to an OSError of the block that names no file, as that of a full disk does not."""
    try:
        yield
    except OSError as error:
        if error.errno and not error.filename:
            error.filename = str(path)
        raise


def replace_folder(path: Path, new: Path) -> None:
    """Put a copy of the folder `new` in the place of `path`, or nothing if there is no `new`.

    What was at `path` stays until the copy is whole. Between the two there is an instant with neither.

    Raises
    ------
    OSError
        The copy cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    prefix = f"{_prefix(path)}{os.getpid()}-"
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=prefix, suffix=PARTIAL) as scratch:
        copy, old = Path(scratch, "new"), Path(scratch, "old")
        if new.exists():
            shutil.copytree(new, copy)
        if path.exists():
            path.rename(old)
        if new.exists():
            copy.rename(path)


def _prefix(path: Path) -> str:
    """Return the beginning of the names of temporary files for `path` on this host; the process number follows."""
    return f".{path.name}.{socket.gethostname()}-"


def _remove_leftovers(path: Path) -> None:
    """Remove the temporary files for `path` of processes of this host that have ended."""
    prefix = _prefix(path)
    for leftover in path.parent.glob(f"{glob.escape(prefix)}*{PARTIAL}"):
        number = leftover.name.removeprefix(prefix).partition("-")[0]
        if number.isdigit() and not lives(int(number)):
            if leftover.is_dir():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink(missing_ok=True)


def lives(number: int) -> bool:
    """Say whether there is a process of this number on this host, whoever's it is."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _synchronise(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def visible_files(folder: Path, pattern: str) -> list[Path]:
    """Return the files of a folder by a pattern, sorted, without hidden ones.

    Those belong to editors and systems (`.#x.yaml`, `._x.yaml`), and are often not what their names end in.
    """
    return sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def json_text(value: Any) -> str:
    """Return `value` as indented JSON with sorted keys; NaN and infinity are refused."""
    return json.dumps(value, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` to `path` as `json_text` gives it, whole or not at all."""
    write_text(path, json_text(value))
