"""Making sure that a file is the one its publisher made."""

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from replication.data.recipes import RawFile
from replication.errors import DataError

Content = BufferedReader | gzip.GzipFile

GZIP_MAGIC = b"\x1f\x8b"
GZIP_LEAST = 18  # bytes of a header and of what ends a member


def find_fault(path: Path, expected: RawFile) -> str | None:
    """Return why `path` is not the `expected` file, or None if it is. Reads it piece by piece."""
    try:
        with _open(path, expected) as content:
            actual = hashlib.file_digest(content, "sha256").hexdigest()
    except (OSError, EOFError, zlib.error) as error:
        return f"cannot be read ({error})"
    if actual != expected.sha256:
        return f"SHA-256 of the {expected.hashed} is {actual}, not {expected.sha256}"
    return None


def content_size(path: Path, expected: RawFile) -> int:
    """Return the bytes of what the hash of `expected` is of, without reading it: of gzip, what its end says.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    size = path.stat().st_size
    if expected.hashed == "file" or size < GZIP_LEAST:
        return size
    with path.open("rb") as file:
        if file.read(2) != GZIP_MAGIC:
            return size
        file.seek(-4, os.SEEK_END)
        return int.from_bytes(file.read(4), "little")


def check_file(path: Path, expected: RawFile) -> None:
    """Raise DataError, naming `path` and the remedy, unless it is the `expected` file."""
    fault = find_fault(path, expected)
    if fault:
        raise DataError(f"{path}: {fault}; put a good {expected.name} there")


@contextmanager
def open_uncompressed(path: Path) -> Iterator[Content]:
    """Open the content of `path`, whether it is compressed with gzip or not."""
    with path.open("rb") as file:
        if file.peek(2)[:2] == GZIP_MAGIC:
            with gzip.open(file) as content:
                yield content
        else:
            yield file


@contextmanager
def _open(path: Path, expected: RawFile) -> Iterator[Content]:
    opened = path.open("rb") if expected.hashed == "file" else open_uncompressed(path)
    with opened as content:
        yield content
