"""The folder of each planned run: its record, and whether its files are those that it has written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from replication.audit.datasets import Labels
from replication.audit.findings import Findings, shown
from replication.audit.run_contents import content_problems, only_classes
from replication.errors import ResultsError
from replication.runs.folder import HISTORY, PREDICTIONS, RECORD, STEPS, TIMINGS
from replication.runs.plan import PlannedStudy
from replication.runs.record import Record, read_record
from replication.runs.same_code import code_of_run, present_code
from replication.settings.run import RunSettings
from replication.system.digests import canonical_json, digest_of_file, digest_of_text
from replication.training.sessions import COMPLETED

SETTINGS = TypeAdapter(RunSettings)
AGAIN = "delete the run's folder, and run `snakemake --cores all`"
STALE = "run `snakemake --cores all`"


@dataclass
class CheckedRun:
    """A run and the outcome of its check.

    Attributes
    ----------
    record
        None if there is no sound one.
    intact
        Whether its files are those that it has written, and agree with each other.
    """

    run_id: str
    folder: Path
    record: Record | None = None
    intact: bool = False
    digests: dict[Path, str] = field(default_factory=dict)


class RunCheck:
    """The check of one run; problems of its own files make it not intact, outdated settings or code do not."""

    def __init__(self, run_id: str, folder: Path, findings: Findings) -> None:
        self.run = CheckedRun(run_id, folder, intact=True)
        self._findings = findings

    def check(self, planned: PlannedStudy, datasets: Mapping[str, Labels]) -> CheckedRun:
        """Check everything, and return what a derivation from this run must know."""
        record = self._record()
        if record is None:
            return self.run
        _, arm, _ = self.run.run_id.split("/")
        settings = self._settings(record, planned, planned.arms[arm])
        if settings is not None:
            self._code(record, settings)
        labels = self._data(record, datasets)
        self._files(record)
        if settings is not None and self.run.intact:
            for name, problem in content_problems(self.run.folder, record, settings, labels):
                self._damaged(name, problem)
        return self.run

    def _damaged(self, name: str, problem: str, remedy: str = AGAIN) -> None:
        self.run.intact = False
        self._findings.fail(self.run.folder / name, f"{problem}; {remedy}")

    def _record(self) -> Record | None:
        path = self.run.folder / RECORD
        if not path.is_file():
            unfinished = self.run.folder.is_dir() and any(self.run.folder.iterdir())
            self._damaged(RECORD, f"missing{': the run is unfinished' if unfinished else ''}", STALE)
            return None
        try:
            record = read_record(path)
        except ResultsError as error:
            self._damaged(RECORD, str(error))
            return None
        self.run.record = record
        for problem in record_problems(record, self.run.run_id):
            self._damaged(RECORD, problem)
        return record

    def _settings(self, record: Record, planned: PlannedStudy, present: RunSettings) -> RunSettings | None:
        plain = present.model_dump(mode="json")
        if canonical_json(record.settings) == canonical_json(plain):
            return present
        difference = first_difference(record.settings, plain)
        self._findings.fail(
            self.run.folder / RECORD,
            f"outdated: was run with other settings than those of {planned.file} ({difference}); {STALE}",
        )
        try:
            return SETTINGS.validate_python(record.settings)
        except ValidationError:
            self._damaged(RECORD, "its settings are not those of a run")
            return None

    def _code(self, record: Record, settings: RunSettings) -> None:
        code = code_of_run(settings)
        if record.code_sha256 != code:
            self._findings.fail(
                self.run.folder / RECORD,
                f"outdated: was run by other code ({record.code_sha256[:12]}) than what "
                f"workflow/replication/runs/job.py now reaches ({code[:12]}); {STALE}",
            )
        elif code != present_code(settings):
            self._findings.counts["runs of changed code"] += 1

    def _data(self, record: Record, datasets: Mapping[str, Labels]) -> Labels | None:
        labels = datasets.get(record.dataset.name)
        if labels is None:
            return None  # reported elsewhere: the data set is damaged, or not the planned one
        if (record.dataset.identity, record.dataset.classes) != (labels.identity, labels.classes):
            self._findings.fail(
                self.run.folder / RECORD,
                f"outdated: was run on other data ({record.dataset.identity[:12]}) than the present "
                f"resources/datasets/{record.dataset.name}.safetensors ({labels.identity[:12]}); {STALE}",
            )
            return None
        return labels

    def _files(self, record: Record) -> None:
        for name, expected in sorted(record.files.items()):
            path = self.run.folder / name
            if name == PREDICTIONS and only_classes(self.run.folder):
                self._findings.counts["runs with classes only"] += 1
                continue
            try:
                found = self.run.digests[path] = digest_of_file(path)
            except OSError as error:
                self._damaged(name, f"cannot be read ({error.strerror})" if path.exists() else "missing")
                continue
            if found != expected:
                self._damaged(name, f"changed: its SHA-256 is {found[:12]}…, in {RECORD} {expected[:12]}…")


def first_difference(ours: Any, theirs: Any, key: str = "") -> str:
    """Return the first key, in order, whose values differ, with both."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        for name in sorted({*ours, *theirs}):
            if name not in ours or name not in theirs or ours[name] != theirs[name]:
                below = f"{key}.{name}" if key else str(name)
                return first_difference(ours.get(name), theirs.get(name), below)
    return f"{key}: {shown(ours)} for {shown(theirs)}"


def record_problems(record: Record, run_id: str) -> Iterator[str]:
    """Yield what is wrong within a record alone."""
    if record.run_id != run_id:
        yield f"is the record of {record.run_id}"
    if record.run_id.rpartition("-")[2] != str(record.seed):
        yield f"its seed is {record.seed}, and its run_id {record.run_id}"
    if record.settings_sha256 != digest_of_text(canonical_json(record.settings)):
        yield "its settings_sha256 is not that of its settings"
    if record.settings.get("data", {}).get("dataset") != record.dataset.name:
        yield f"its data set is {record.dataset.name}, not that of its settings"
    steps = {STEPS} if record.settings.get("record_every_step") else set()
    expected = {HISTORY, TIMINGS, PREDICTIONS} | steps
    if record.files.keys() != expected:
        yield f"lists the files {', '.join(sorted(record.files))}, not {', '.join(sorted(expected))}"
    if record.best_epoch is not None and record.best_epoch > record.epochs:
        yield f"its best epoch {record.best_epoch} comes after its last, {record.epochs}"
    yield from _session_problems(record)


def _session_problems(record: Record) -> Iterator[str]:
    first, last = record.sessions[0], record.sessions[-1]
    if last.end != COMPLETED:
        yield f"its last session has ended with {last.end}"
    # A session may begin before the end of the one before it, from an older checkpoint, but not after it.
    gaps = any(after.first_step > before.last_step for before, after in pairwise(record.sessions))
    if first.first_step != 0 or gaps:
        yield "its sessions leave steps out"
    if (record.started, record.ended) != (first.started, last.ended):
        yield "its start and end are not those of its sessions"
