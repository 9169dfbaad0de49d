"""Paths that a user has written, in a setting or as the name of a file."""

import errno
import os
import stat
from pathlib import Path
from typing import Literal

from replication.errors import ConfigurationError

Wanted = Literal["file", "folder", "file or folder"]
LONGEST = 200  # characters of a user's own text that a message repeats

_FAULTS = {
    errno.ENOENT: "does not exist",
    errno.ELOOP: "is a link that leads back to itself",
    errno.ENAMETOOLONG: "is longer than a path may be",
    errno.ENOTDIR: "does not exist, since a part of it is a file and no folder",
    errno.EACCES: "may not be read by you",
}

# No quoting helps: Snakemake formats the paths of scripts and environments, and PYTHONPATH is a list with colons.
_MARKS = {
    "{": "Snakemake takes for the beginning of a placeholder",
    "}": "Snakemake takes for the end of a placeholder",
    os.pathsep: "ends a path in Python's list of them",
}


def user_path(written: str | Path, place: str, wanted: Wanted) -> Path:
    """Return the path that a user has written, `~` replaced, if there is what is wanted and it can be read.

    Parameters
    ----------
    written
        As it stands in the setting.
    place
        The setting, for the message; empty where the path says enough.

    Raises
    ------
    ConfigurationError
        There is no such user, file or folder, it is of another kind (a device, which may never end, is none
        of them), it may not be read, or the text can be no path at all.
    """
    if fault := _fault_of_text(str(written)):
        path = Path(written)
    else:
        path, fault = _found(Path(written), wanted)
    if not fault and set("{}") & set(str(path)):
        fault = "holds a brace, which Snakemake takes for a placeholder: rename it"
    if fault:
        before = f"{place}: " if place else ""
        raise ConfigurationError(f"{before}{shown(path)} {fault}; correct the path")
    return path


def check_project_folder(folder: str | Path) -> None:
    """Refuse a place for the project in which Snakemake or Python would fail halfway.

    Raises
    ------
    ConfigurationError
        The path holds what they give a meaning of their own, or is not UTF-8.
    """
    what = f"{shown(folder)}: the path of the project"
    if fault := _fault_of_text(str(folder)):
        raise ConfigurationError(f"{what} {fault}")
    for mark, meaning in _MARKS.items():
        if mark in str(folder):
            raise ConfigurationError(
                f"{what} holds `{mark}`, which {meaning}: rename that folder, or move the project"
            )


def _fault_of_text(text: str) -> str | None:
    if "\0" in text:
        return "holds a NUL character, which no path does"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "is not UTF-8, which Snakemake needs: rename it"
    return None


def _found(written: Path, wanted: Wanted) -> tuple[Path, str | None]:
    """Return the path, and what is wrong with it."""
    try:
        path = written.expanduser()
    except RuntimeError:
        return written, "begins with a user whose home folder is not known"
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if error.errno == errno.ENOENT and path.is_symlink():
            return path, f"is a link to {shown(path.readlink())}, which does not exist"
        return path, _FAULTS.get(error.errno or 0, f"cannot be read ({error.strerror})")
    kind = "folder" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else "device"
    if kind not in wanted.split(" or "):
        return path, f"is not a {wanted}, but a {kind}"
    needed = os.R_OK | os.X_OK if kind == "folder" else os.R_OK
    return path, None if os.access(path, needed) else _FAULTS[errno.EACCES]


def shown(text: object) -> str:
    """Return a user's text for a message: on one line, what cannot be printed escaped, and not endless."""
    whole = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in str(text)[: LONGEST + 1])
    return whole if len(str(text)) <= LONGEST else f"{whole[:LONGEST]}..."
