"""What a results folder says of its runs and verdicts, for a comparison with another one."""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replication.errors import ResultsError
from replication.runs.folder import HISTORY, RECORD, TIMINGS
from replication.runs.record import read_sealed
from replication.runs.results import RUNS
from replication.system.tables import read_table, records

# What is compared, after the last epoch. Not the seconds, which are the machine's.
MEASURED = ("test_accuracy", "test_loss")
NEEDED = {
    *("run_id", "settings", "settings_sha256", "code_sha256", "dataset", "git", "versions", "machine"),
    *("weights_sha256", "files", "epochs"),
}
COMPARED = (*MEASURED, "epochs")


@dataclass(frozen=True)
class StoredRun:
    """A run on disk.

    Attributes
    ----------
    record
        As written, perhaps by another version: what a comparison needs, all have.
    values
        Of each measure that is compared; NaN where there is none.
    """

    record: Mapping[str, Any]
    values: Mapping[str, float]

    @property
    def computed(self) -> tuple[str, Mapping[str, str]]:
        """The hashes of all that it computed: of its weights and files, but for how long it took."""
        files = {name: digest for name, digest in self.record["files"].items() if name != TIMINGS}
        return self.record["weights_sha256"], files

    @property
    def circumstances(self) -> dict[str, Any]:
        """All that decides what it computes."""
        return {**definition_of(self.record), **surroundings_of(self.record)}


def definition_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was run: settings, data and code."""
    return {
        "settings": record["settings_sha256"],
        "data": record["dataset"]["identity"],
        "code": record["code_sha256"],
    }


def surroundings_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what it was run with and on, each by its name."""
    return {**record["versions"], **record["machine"]}


@dataclass(frozen=True)
class Results:
    """A results folder.

    Attributes
    ----------
    runs
        By identity.
    verdicts
        The row of each reading, by study and id; None if the folder holds no verdicts.
    """

    folder: Path
    runs: Mapping[str, StoredRun]
    verdicts: Mapping[tuple[str, str], Mapping[str, Any]] | None


def read_results(folder: Path) -> Results:
    """Read a results folder.

    Raises
    ------
    ResultsError
        There is none, it holds no finished run, or one is damaged.
    """
    paths = sorted((folder / RUNS).glob(f"*/*/*/{RECORD}"))
    if not paths:
        raise ResultsError(
            f"{folder}: holds no finished run ({RUNS}/<study>/<arm>/seed-<n>/{RECORD}): name a results folder, such "
            "as results/demo; what was published is unpacked by `python -m replication restore`"
        )
    runs = [_stored_run(path) for path in paths]
    verdicts = folder / "claims.csv"
    rows = records(read_table(verdicts)) if verdicts.is_file() else None
    return Results(
        folder,
        {run.record["run_id"]: run for run in runs},
        None if rows is None else {(row["study"], row["id"]): row for row in rows},
    )


def _stored_run(path: Path) -> StoredRun:
    try:
        record = read_sealed(path)
        missing = NEEDED - record.keys()
        with (path.parent / HISTORY).open(newline="", encoding="utf-8") as stream:
            last = list(csv.DictReader(stream))[-1]
        values = {name: float(last[name]) if last[name] else math.nan for name in MEASURED}
    except (ResultsError, OSError, IndexError, KeyError, ValueError) as error:
        raise ResultsError(f"{path.parent}: {error}") from None
    if missing:
        raise ResultsError(
            f"{path}: lacks {', '.join(sorted(missing))}: it is too old, or no record of a run"
        )
    return StoredRun(record, {**values, "epochs": float(record["epochs"])})
