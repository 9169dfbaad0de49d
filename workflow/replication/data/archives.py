"""Reading the files of a folder, a tar or a zip in the same way, without extracting anything."""

import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath

from replication.errors import DataError

Reader = Callable[[], bytes]
DAMAGE = (OSError, EOFError, RuntimeError, tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError)


@contextmanager
def open_members(path: Path) -> Iterator[dict[str, Reader]]:
    """Yield a reader for each file in a folder or archive, by its path within, with slashes.

    The order is that in which they are stored: other orders are slow in a compressed tar.

    Raises
    ------
    DataError
        It is neither a folder nor a tar or zip, or is damaged; or it holds what has no place in an archive of
        images: a link, a device, an absolute path, a path with `..`, or one path twice.
    """
    try:
        if path.is_dir():
            yield _folder_members(path)
        elif path.is_file() and tarfile.is_tarfile(path):
            with tarfile.open(path) as tar:
                yield _by_safe_name(path, _tar_members(path, tar))
        elif zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield _by_safe_name(path, _zip_members(path, archive))
        else:
            raise DataError(f"{path}: neither a folder nor a tar or zip that can be read; check the path")
    except DAMAGE as error:
        raise DataError(f"{path}: damaged, or not readable ({error}); get or make it again") from error


def _folder_members(path: Path) -> dict[str, Reader]:
    """Find files at any depth; links are followed, since the folder is the user's own."""
    return {
        (Path(folder) / name).relative_to(path).as_posix(): (Path(folder) / name).read_bytes
        for folder, _, names in os.walk(path, onerror=_raise, followlinks=True)
        for name in names
    }


def _raise(error: OSError) -> None:
    raise error


def _tar_members(path: Path, tar: tarfile.TarFile) -> Iterator[tuple[str, Reader]]:
    for member in tar.getmembers():
        if member.isfile():
            yield member.name, partial(_read_tar_member, tar, member)
        elif not member.isdir():
            raise DataError(f"{path}: refused, since {member.name} is a link or a device; archive the files")


def _read_tar_member(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None, "only regular files get here"
    return file.read()


def _zip_members(path: Path, archive: zipfile.ZipFile) -> Iterator[tuple[str, Reader]]:
    for member in archive.infolist():
        # The upper half holds the mode that Unix programs store.
        if stat.S_ISLNK(member.external_attr >> 16):
            raise DataError(f"{path}: refused, since {member.filename} is a link; archive the files")
        if not member.is_dir():
            yield member.filename, partial(archive.read, member)


def _by_safe_name(path: Path, members: Iterable[tuple[str, Reader]]) -> dict[str, Reader]:
    found: dict[str, Reader] = {}
    for name, read in members:
        inner = PurePosixPath(name)
        if inner.is_absolute() or ".." in inner.parts or "\\" in name:
            raise DataError(f"{path}: refused, since {name!r} leads out of the archive; make it again")
        if str(inner) in found:
            raise DataError(f"{path}: refused, since it holds {inner} twice; make it again")
        found[str(inner)] = read
    return found
