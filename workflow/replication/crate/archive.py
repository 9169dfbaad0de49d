"""A zip file whose bytes depend on its content only."""

import shutil
import zipfile
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path

from replication.system.files import whole_file

READABLE = 0o644 << 16
READABLE_FOLDER = 0o40755 << 16 | 0x10


def write_archive(
    path: str | Path,
    project: Path,
    files: Collection[str],
    folders: Collection[str],
    texts: Mapping[str, str],
    moment: str,
) -> None:
    """Write a zip file, whole or not at all; the same content gives the same bytes.

    Nothing is compressed: what a compressor makes of the same bytes differs from one of its versions to the next.

    Parameters
    ----------
    files
        Paths in `project`, and in the archive.
    folders
        Paths that end in a slash, which get entries of their own.
    texts
        From a path in the archive to the text of that file.
    moment
        ISO date and time that every entry gets, in UTC.
    """
    entries = sorted({*files, *folders, *texts})
    time = datetime.fromisoformat(moment).astimezone(UTC)
    with whole_file(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name in entries:
            entry = zipfile.ZipInfo(name, time.timetuple()[:6])
            entry.create_system = 3  # Unix, on whatever system it is written
            entry.external_attr = READABLE_FOLDER if name.endswith("/") else READABLE
            if name in texts or name.endswith("/"):
                archive.writestr(entry, texts.get(name, ""))
            else:
                with (project / name).open("rb") as source, archive.open(entry, "w") as target:
                    shutil.copyfileobj(source, target)
