"""audit.json, audit.html and what the report says of them: read, checked, and written."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from replication.audit.checksums import read_sums
from replication.audit.findings import Finding, Findings
from replication.audit.layout import AUDIT, PAGE, REPORT, SUMS
from replication.errors import ResultsError
from replication.report.audit_stamp import NOT_AUDITED, readable_time, stamp_of, stamped, stamps_in
from replication.report.formatting import counted
from replication.report.templates import filled_in, verbatim
from replication.runs.record import read_sealed
from replication.system.clock import now
from replication.system.digests import digest_of_file, sealed
from replication.system.files import write_json, write_text

TEMPLATE = Path("reports/audit.html.j2")
LATER = "it is written again by this audit"


def check_last(results: Path, findings: Findings) -> dict[str, Any] | None:
    """Check what the last audit has left, and return its audit.json, None if there is none or it is damaged."""
    path = results / AUDIT
    if not path.is_file():
        for stamp in _stamps(results):
            if stamp != NOT_AUDITED:
                findings.fail(
                    results / REPORT,
                    f"says that it was audited, and there is no {AUDIT}: it was deleted; {LATER}",
                )
        return None
    try:
        last = read_sealed(path)
        _check_page(results, last, findings)
        _check_sums(results, last, findings)
        _check_stamp(results, last, findings)
    except (ResultsError, KeyError) as error:
        findings.fail(path, f"{error}; {LATER}")
        return None
    return last


def _check_page(results: Path, last: Mapping[str, Any], findings: Findings) -> None:
    path = results / PAGE
    if not path.is_file():
        findings.fail(path, f"missing, and {AUDIT} belongs to it; {LATER}")
    elif digest_of_file(path) != last["page_sha256"]:
        findings.fail(path, f"changed: it is not what the audit has written; {LATER}")


def _check_sums(results: Path, last: Mapping[str, Any], findings: Findings) -> None:
    path, expected = results / SUMS, last["root_sha256"]
    if expected is None:
        return
    if not path.is_file():
        findings.fail(
            path, f"missing, and {AUDIT} names its hash; the next audit that passes writes it again"
        )
    elif digest_of_file(path) != expected:
        findings.fail(
            path, f"changed: its SHA-256 is not that in {AUDIT}; the next audit that passes writes it again"
        )


def _check_stamp(results: Path, last: Mapping[str, Any], findings: Findings) -> None:
    for stamp in _stamps(results):
        if stamp not in (NOT_AUDITED, stamp_of(last)):
            findings.fail(results / REPORT, f"what it says of its audit is not what {AUDIT} says; {LATER}")


def _stamps(results: Path) -> list[str]:
    try:
        return stamps_in((results / REPORT).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return []  # the comparison with the page made again reports this


def check_certified(results: Path, digests: Mapping[str, str | None]) -> dict[str, Any]:
    """Return the content of audit.json, if it says that the audit has passed, of these very files.

    Parameters
    ----------
    digests
        The SHA-256 of each file that there is now, by its path in `results`; what is not audited does not matter.

    Raises
    ------
    ResultsError
        The last audit has failed, a file has changed since, or what the audit has written is damaged.
    """
    remedy = "run `snakemake audit`, and then this again"
    path = results / AUDIT
    try:
        audit = read_sealed(path)
    except ResultsError as error:
        raise ResultsError(f"{path}: {error}: {remedy}") from error
    if audit["verdict"] != "passed":
        raise ResultsError(f"{path}: the last audit has failed: correct what it names; {remedy}")
    sums = _text(results / SUMS) or ""
    if hashlib.sha256(sums.encode()).hexdigest() != audit["root_sha256"]:
        raise ResultsError(f"{results / SUMS}: missing, or changed since the last audit: {remedy}")
    for name, digest in read_sums(sums).items():
        if digests.get(name) != digest:
            raise ResultsError(f"{results / name}: missing, or changed since the last audit: {remedy}")
    return audit


def write_outcome(
    results: Path, facts: Mapping[str, Any], findings: Findings, sums: str | None, style: Path
) -> dict[str, Any]:
    """Write what the audit has found; return the content of audit.json.

    The order of writing is such that, wherever it is interrupted, the next audit takes nothing for an edit.

    Parameters
    ----------
    sums
        Content of SHA256SUMS if the audit has passed.
    """
    _stamp(results, NOT_AUDITED)
    (results / AUDIT).unlink(missing_ok=True)
    if sums is not None and _text(results / SUMS) != sums:
        write_text(results / SUMS, sums)
    root = None if sums is None else hashlib.sha256(sums.encode()).hexdigest()
    audit = {**facts, **_found(findings), "root_sha256": root}
    page = audit_page(audit, style)
    write_text(results / PAGE, page)
    audit = sealed(audit | {"page_sha256": hashlib.sha256(page.encode()).hexdigest()})
    write_json(results / AUDIT, audit)
    _stamp(results, stamp_of(audit))
    return audit


def _found(findings: Findings) -> dict[str, Any]:
    return {
        "verdict": "failed" if findings.failures else "passed",
        "time": now(),
        "counts": dict(findings.counts),
        "failures": _plain(findings.failures),
        "warnings": _plain(findings.warnings),
        "notes": _plain(findings.notes),
        "not_derived": _plain(findings.not_derived),
    }


def _plain(found: list[Finding]) -> list[dict[str, str]]:
    return [asdict(finding) for finding in found]


def _text(path: Path) -> str | None:
    return path.read_bytes().decode("utf-8", errors="replace") if path.is_file() else None


def _stamp(results: Path, stamp: str) -> None:
    """Stamp the report if it exists and has a place for the stamp."""
    if _stamps(results):
        path = results / REPORT
        page = path.read_bytes().decode("utf-8")
        if (changed := stamped(page, stamp)) != page:
            write_text(path, changed)


def audit_page(audit: Mapping[str, Any], style: str | Path, template: str | Path = TEMPLATE) -> str:
    """Return the page of an audit, given as in `audit.json`."""
    time = readable_time(audit["time"])
    return filled_in(template, audit=audit, style=verbatim(style), counted=counted, time=time)
