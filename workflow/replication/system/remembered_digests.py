"""Digests of code that an earlier call has computed: without it each call of Snakemake would take a second more.

They are kept with a digest of all that they depend on, which is the text of every module and script, and Python's
version. If that is another, or the file is not as it was written, they are computed again.
"""

import hashlib
import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from replication.system.code_digest import code_digest
from replication.system.digests import canonical_json
from replication.system.files import PACKAGE, visible_files, write_text


class RememberedDigests:
    """Digests of the code that scripts reach.

    Parameters
    ----------
    memory
        The file that keeps them from one call to the next.
    scripts
        The folder of the scripts.
    package
        The folder of the package that they import from.
    """

    def __init__(self, memory: Path, scripts: Path, package: Path = PACKAGE) -> None:
        self._memory = memory
        self._scripts = scripts
        self._sources = _digest_of_sources(scripts, package)
        self._digests = self._remembered()

    def of(self, script: str | Path, chosen: Mapping[str, str] | None = None) -> str:
        """Return what `code_digest` returns for a script, or any file, and the registries' chosen entries."""
        key = canonical_json([str(script), chosen or {}])
        if key not in self._digests:
            self._digests[key] = code_digest(self._scripts / script, chosen)
            with suppress(OSError):  # then the next call computes it too
                write_text(self._memory, canonical_json({"sources": self._sources, "digests": self._digests}))
        return self._digests[key]

    def _remembered(self) -> dict[str, str]:
        try:
            kept = json.loads(self._memory.read_text(encoding="utf-8"))
            return dict(kept["digests"]) if kept["sources"] == self._sources else {}
        except (OSError, ValueError, TypeError, KeyError):
            return {}


def _digest_of_sources(*folders: Path) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for folder in folders:
        for path in visible_files(folder, "**/*.py"):
            text = path.read_bytes()
            digest.update(f"\n{path.relative_to(folder)} {len(text)}\n".encode())
            digest.update(text)
    return digest.hexdigest()
