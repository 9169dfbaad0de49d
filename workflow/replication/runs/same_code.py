"""Code that was shown to train to the same bytes as earlier code, whose name it goes on by.

A record names the code of its run by a digest, and results of other code than today's are outdated: an audit refuses
them, and Snakemake makes them again. Where a change was to leave each byte as it was, executing some runs with both
shows whether it has (`python -m replication same-code`, see `compare.same_code`). Each digest of which that was shown
has a line in `workflow/same-code.csv`, and stands from then on for what the earlier one does.
"""

import csv
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from replication.runs.provenance import registry_choices
from replication.settings.run import RunSettings
from replication.system.code_digest import code_digest
from replication.system.files import PACKAGE

# How a job is started decides no byte: all that it does is reached from here.
TRAINING = PACKAGE / "runs" / "job.py"
FILE = PACKAGE.parent / "same-code.csv"
DigestOf = Callable[[Path, Mapping[str, str]], str]
COLUMNS = ("code_sha256", "same_as", "run_id", "weights_sha256")


def code_of_run(settings: RunSettings, digest_of: DigestOf = code_digest) -> str:
    """Return the digest of the code that a run depends on, or the earlier one of code that comes to the same bytes.

    Parameters
    ----------
    digest_of
        `code_digest`, or something that remembers what it returns.
    """
    digest = present_code(settings, digest_of)
    return _earlier().get(digest, digest)


def present_code(settings: RunSettings, digest_of: DigestOf = code_digest) -> str:
    """Return the digest of the code that a run depends on, as it is."""
    return digest_of(TRAINING, registry_choices(settings))


@cache
def _earlier() -> Mapping[str, str]:
    return {row["code_sha256"]: row["same_as"] for row in read_same_code(FILE)}


def read_same_code(path: Path) -> list[dict[str, str]]:
    """Return the lines of the table, in its order; none if there is no such file."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))
