"""The whole audit, from the configuration to its verdict."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from replication.audit import layout
from replication.audit.certificate import check_last, write_outcome
from replication.audit.checksums import changed_files, sums_text
from replication.audit.comparison import difference
from replication.audit.datasets import check_datasets
from replication.audit.derivation import REPORTS, Derived, derive, runs_of
from replication.audit.environments import check_environments, check_fixed_before
from replication.audit.findings import Findings
from replication.audit.run_checks import CheckedRun, RunCheck
from replication.audit.signature import check_signature
from replication.errors import ConfigurationError, ReplicationError, ResultsError
from replication.report.audit_stamp import NOT_AUDITED, stamped
from replication.report.formatting import counted
from replication.report.parts import STYLE
from replication.runs.plan import STUDIES, PlannedStudy, load_plan
from replication.runs.provenance import git_state
from replication.runs.same_code import FILE
from replication.settings.config import Config, config_of
from replication.system.files import PACKAGE

RESULTS = Path("results")
# The knobs that decide what is planned; the others are of one machine or one call.
PLANNING = ("scale", "seeds", "only", "substitute", "image_folders")
ON_SCREEN = 40  # failures; all of them are in the log and in audit.html
AGAIN = "delete it, and run `snakemake --cores all`"


def run_audit(raw: Mapping[str, Any], screen: IO[str], log: IO[str]) -> bool:
    """Audit the results of the configured scale, and return whether they are sound.

    Parameters
    ----------
    raw
        The configuration as Snakemake hands it to a script.
    screen
        Takes the failures and, on one line, the verdict.
    log
        Takes everything that was found.

    Raises
    ------
    ReplicationError
        There is nothing to audit; `screen` says so, too.
    """
    try:
        config = config_of(raw)
        findings, audit = Audit(config, load_plan(config, STUDIES)).run()
    except ReplicationError as error:
        screen.write(f"Audit impossible: {error}\n")
        screen.flush()
        raise
    failures = [f"failure {finding}" for finding in findings.failures]
    more = [f"… and {len(failures) - ON_SCREEN} more"] if len(failures) > ON_SCREEN else []
    verdict = verdict_line(audit, RESULTS / config.scale / layout.PAGE)
    screen.write("\n".join([*failures[:ON_SCREEN], *more, verdict, ""]))
    screen.flush()
    kinds = (("not derived", findings.not_derived), ("warning", findings.warnings), ("note", findings.notes))
    others = [f"{kind} {finding}" for kind, found in kinds for finding in found]
    log.write("\n".join([*failures, *others, verdict, ""]))
    return not findings.failures


def verdict_line(audit: Mapping[str, Any], page: Path) -> str:
    """Return the verdict of an audit, given as in `audit.json`, on one line."""
    counts = audit["counts"]
    of = f"{counted(counts['runs'], 'run')}, {counted(counts['files'], 'file')}"
    warnings = counted(len(audit["warnings"]), "warning")
    if audit["verdict"] == "passed":
        return f"Audit passed: {of}, {warnings}; root digest {audit['root_sha256']}; {page}"
    failures, skipped = counted(len(audit["failures"]), "failure"), len(audit["not_derived"])
    undone = f", {skipped} not derived" if skipped else ""
    return f"Audit FAILED: {failures} in {of}{undone}, {warnings}; {page}"


class Audit:
    """One audit of `results/<scale>`."""

    def __init__(self, config: Config, plan: Mapping[str, PlannedStudy]) -> None:
        self.config = config
        self.plan = plan
        self.results = RESULTS / config.scale
        self.findings = Findings()
        self.runs: dict[str, CheckedRun] = {}
        self.fixed_before = True

    def run(self) -> tuple[Findings, dict[str, Any]]:
        """Check everything, write what was found, and return it.

        Raises
        ------
        ResultsError
            There are no results.
        """
        if not self.results.is_dir() or not set(layout.files_below(self.results)) - layout.OWN:
            raise ResultsError(f"{self.results} holds no results: run `snakemake --cores all` first")
        last = check_last(self.results, self.findings)
        self._check_runs()
        with tempfile.TemporaryDirectory(prefix="audit-") as place:
            derived = derive(self.plan, self.results, Path(place), self._broken())
            outputs = self._compare(derived)
        files = layout.check_layout(self.results, self.runs, outputs, self.findings)
        return self.findings, self._write(files, last)

    def _check_runs(self) -> None:
        names = sorted({name for planned in self.plan.values() for name in planned.datasets})
        datasets = check_datasets(names, self.config, self.findings)
        for planned in self.plan.values():
            for run_id in planned.run_ids:
                check = RunCheck(run_id, self.results / "runs" / run_id, self.findings)
                self.runs[run_id] = check.check(planned, datasets)
            ours = (self.runs[run_id].record for run_id in planned.run_ids)
            records = [record for record in ours if record is not None]
            self.fixed_before &= check_fixed_before(planned, records, self.findings)
        self.findings.counts["runs"] += len(self.runs)
        if published := self.findings.counts["runs with classes only"]:
            self.findings.note(
                self.results / "runs",
                f"{counted(published, 'run')} as published: of the predictions only the classes of the last and the "
                "best epoch are here; losses, and other epochs, are not computed again from predictions",
            )
        if changed := self.findings.counts["runs of changed code"]:
            self.findings.note(
                FILE.relative_to(PACKAGE.parents[1]),
                f"{counted(changed, 'run')} of code that has been changed since it got the name in their records, and "
                "was shown by runs executed before and after to come to the same bytes",
            )
        records = [run.record for run in self.runs.values() if run.record is not None]
        self._git = git_state()
        check_environments(records, self._git, self.results / "runs", self.findings)

    def _broken(self) -> dict[str, str]:
        """Return the studies that have runs from which nothing can be derived, with these runs."""
        reasons = {}
        for planned in self.plan.values():
            bad = [run_id for run_id in planned.run_ids if not self.runs[run_id].intact]
            if bad:
                more = f" and {counted(len(bad) - 1, 'other')} are" if len(bad) > 1 else " is"
                reasons[runs_of(planned.name)] = f"{bad[0]}{more} missing or damaged"
        return reasons

    def _compare(self, derived: Derived) -> list[str]:
        """Compare everything derived with the existing files; return the workflow's outputs."""
        made = layout.files_below(derived.folder)
        for output, error in derived.failed.items():
            self.findings.fail(self.results / output, f"cannot be derived again ({error})")
        for output, reason in derived.skipped.items():
            if output not in derived.failed:
                self.findings.skip(self.results / output, reason)
            if not (self.results / output).exists():
                self.findings.fail(self.results / output, "missing; run `snakemake --cores all`")
        # Files that a step wrote before it failed prove nothing.
        whole = [output for output in made if not output.startswith(tuple(derived.skipped))]
        self.findings.counts["derived files"] += len(whole)
        for output in whole:
            self._compare_file(output, derived.folder)
        return [*whole, *derived.skipped]

    def _compare_file(self, output: str, folder: Path) -> None:
        path = self.results / output
        try:
            found = path.read_bytes()
        except OSError as error:
            said = f"cannot be read ({error.strerror})" if path.exists() else "missing"
            self.findings.fail(path, f"{said}; {AGAIN}")
            return
        if output == layout.REPORT:
            found = _unstamped(found)
        text = difference(found, (folder / output).read_bytes(), path.suffix)
        if text is not None:
            self.findings.fail(path, f"differs from what its inputs give: {text}; {AGAIN}")

    def _write(self, files: list[str], last: Mapping[str, Any] | None) -> dict[str, Any]:
        known = {path: digest for run in self.runs.values() for path, digest in run.digests.items()}
        self.findings.counts["files"] += len(files)
        readable = [path for path in files if os.access(self.results / path, os.R_OK)]
        sums = sums_text(self.results, readable, known)
        facts = {
            "scale": self.config.scale,
            "configuration": self.config.model_dump(mode="json", exclude_defaults=True, include={*PLANNING}),
            **self._git,
            "fixed_before": self.fixed_before,
            "signature": self._check_signature(sums),
            "changed_since_last": self._changed(sums, last),
        }
        passed = None if self.findings.failures else sums
        return write_outcome(self.results, facts, self.findings, passed, REPORTS / STYLE)

    def _check_signature(self, sums: str) -> str | None:
        path = self.results / layout.SIGNATURE
        if not path.is_file():
            return None
        try:
            return check_signature(path, sums.encode(), self.config.allowed_signers)
        except (ConfigurationError, ResultsError) as error:
            self.findings.fail(path, str(error))
            return None

    def _changed(self, sums: str, last: Mapping[str, Any] | None) -> list[str]:
        """Return the files that have changed since the last audit that passed, if its list is intact."""
        path = self.results / layout.SUMS
        named = {finding.file for finding in self.findings.failures}
        if last is None or last["root_sha256"] is None or str(path) in named:
            return []
        changed = changed_files(path.read_text(encoding="utf-8"), sums)
        if changed:
            shown = ", ".join(changed[:5]) + (f" and {len(changed) - 5} more" if len(changed) > 5 else "")
            self.findings.note(path, f"changed since the last audit that passed: {shown}")
        return changed


def _unstamped(page: bytes) -> bytes:
    """Return a report as it is before any audit."""
    try:
        return stamped(page.decode("utf-8"), NOT_AUDITED).encode()
    except UnicodeDecodeError:
        return page
