"""The files of a recipe in a folder of the user's: by their published names, else by their content."""

import os
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path

from replication.data.recipes import RawFile, Recipe
from replication.data.verification import content_size, find_fault

DEPTH = 2  # folders below the user's that are looked through, as in MNIST/raw
# A folder with more entries holds images, or the like: nothing in it is looked at.
MOST_ENTRIES = 1000


def find_files(recipe: Recipe, folder: Path) -> dict[str, Path]:
    """Return the files of the recipe that `folder` holds, by their published names.

    A file that has its published name, in a usual place, is taken for what its name says, and verified later. Else any
    file will do that has the content, whatever its name: its size is asked first, so that few are read.
    """
    found = {file.name: path for file in recipe.files if (path := _by_name(file, recipe, folder))}
    missing = [file for file in recipe.files if file.name not in found]
    for path in _files_below(folder, DEPTH) if missing else ():
        for file in missing:
            if file.name not in found and _is(file, path):
                found[file.name] = path
    return {file.name: found[file.name] for file in recipe.files if file.name in found}


def _by_name(file: RawFile, recipe: Recipe, folder: Path) -> Path | None:
    paths = (folder / part / name for part in recipe.subfolders for name in file.accepted_names)
    return next((path for path in paths if path.is_file()), None)


def _is(file: RawFile, path: Path) -> bool:
    try:
        return content_size(path, file) == file.size and _fits(file, path, path.stat().st_mtime_ns)
    except OSError:
        return False


@cache
def _fits(file: RawFile, path: Path, _: int) -> bool:
    """Read a file as it is at a time, once."""
    return find_fault(path, file) is None


def _files_below(folder: Path, depth: int) -> Iterator[Path]:
    """Yield the files of a folder, then those of the folders below it, in order; hidden ones are passed over."""
    try:
        with os.scandir(folder) as entries:
            listed = {Path(entry): _kind(entry) for entry in islice(entries, MOST_ENTRIES + 1)}
    except OSError:
        return
    if len(listed) > MOST_ENTRIES:
        return
    shown = sorted(path for path in listed if not path.name.startswith("."))
    yield from (path for path in shown if listed[path] == "file")
    for path in shown if depth else ():
        if listed[path] == "folder":
            yield from _files_below(path, depth - 1)


def _kind(entry: os.DirEntry[str]) -> str | None:
    try:
        return "folder" if entry.is_dir() else "file" if entry.is_file() else None
    except OSError:  # a link to where one may not look
        return None
