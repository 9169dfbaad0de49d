"""SHA256SUMS: one hash for each file, and with its own hash one for all of them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from replication.system.digests import digest_of_file


def sums_text(results: Path, files: Iterable[str], known: Mapping[Path, str]) -> str:
    """Return the hashes of files in the form that `sha256sum -c` reads.

    Parameters
    ----------
    files
        Relative to `results`.
    known
        Hashes that were computed before, by path.
    """
    digests = ((path, known.get(results / path) or digest_of_file(results / path)) for path in sorted(files))
    return "".join(f"{digest}  {path}\n" for path, digest in digests)


def read_sums(text: str) -> dict[str, str]:
    """Return the hashes of such a text, by file."""
    lines = (line.partition("  ") for line in text.splitlines())
    return {path: digest for digest, _, path in lines}


def changed_files(before: str, now: str) -> list[str]:
    """Return the files whose hashes differ between two such texts, or that only one names."""
    old, new = read_sums(before), read_sums(now)
    return sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))
