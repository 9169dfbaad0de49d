"""What an audit leaves behind, and that the next one notices if that was changed."""

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import pytest

from places import ROOT
from project import inside
from replication.audit.certificate import check_last, write_outcome
from replication.audit.checksums import changed_files, sums_text
from replication.audit.findings import Finding, Findings
from replication.report.audit_stamp import NOT_AUDITED, stamp_of, stamped, stamps_in
from replication.runs.record import read_sealed
from replication.system.files import write_json

STYLE = ROOT / "reports/report.css"
FACTS = {
    "scale": "demo",
    "commit": None,
    "dirty": None,
    "fixed_before": True,
    "signature": None,
    "changed_since_last": [],
}
PAGE = f"<html><body><h1>Report</h1>\n{NOT_AUDITED}\n<p>More.</p></body></html>"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    (tmp_path / "report.html").write_text(PAGE)
    (tmp_path / "claims.csv").write_text("a,b\n")
    return tmp_path


def written(results: Path, *failures: Finding) -> dict[str, Any]:
    findings = Findings(failures=list(failures), warnings=[Finding("a file", "<b> & more")])
    findings.counts.update({"runs": 4, "files": 1, "derived files": 1})
    sums = None if failures else sums_text(results, ["claims.csv"], {})
    with inside(ROOT):
        return write_outcome(results, FACTS, findings, sums, STYLE)


def problems(results: Path) -> list[str]:
    findings = Findings()
    check_last(results, findings)
    return [f"{Path(failure.file).name}: {failure.problem}" for failure in findings.failures]


def test_a_passed_audit_is_stamped_on_the_report(results: Path) -> None:
    audit = written(results)
    page = (results / "report.html").read_text()
    assert stamps_in(page) == [stamp_of(audit)]
    assert "Audited</strong> 20" in page
    assert "4 runs, 1 file; statements, margins and rules were fixed before the runs" in page
    assert f"root digest <code>{audit['root_sha256']}</code>" in page
    assert stamped(page, NOT_AUDITED) == PAGE
    assert problems(results) == []


def test_the_stamp_says_so_where_rules_were_edited_after_runs(results: Path) -> None:
    assert "<strong>were edited after</strong>" in stamp_of(written(results) | {"fixed_before": False})


def test_a_failed_audit_is_stamped_on_the_report_and_has_no_root(results: Path) -> None:
    audit = written(results, Finding("claims.csv", "changed"))
    assert (audit["verdict"], audit["root_sha256"]) == ("failed", None)
    assert "Audit FAILED" in (results / "report.html").read_text()
    assert not (results / "SHA256SUMS").exists()
    assert problems(results) == []


def test_sha256sum_reads_the_list_and_its_hash_is_the_root(results: Path) -> None:
    audit = written(results)
    content = (results / "SHA256SUMS").read_bytes()
    assert hashlib.sha256(content).hexdigest() == audit["root_sha256"]
    subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=results, check=True, capture_output=True
    )


def test_an_unchanged_list_is_not_written_again(results: Path) -> None:
    written(results)
    before = (results / "SHA256SUMS").stat().st_ino
    written(results)
    assert (results / "SHA256SUMS").stat().st_ino == before


def test_the_record_of_an_audit_is_sealed_and_its_page_escaped(results: Path) -> None:
    audit = written(results)
    assert read_sealed(results / "audit.json") == audit
    page = (results / "audit.html").read_text()
    assert "&lt;b&gt; &amp; more" in page
    assert 'href="report.html"' in page


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("audit.json", "audit.json: damaged"),
        ("audit.html", "audit.html: changed"),
        ("SHA256SUMS", "SHA256SUMS: changed"),
        ("report.html", "report.html: what it says of its audit"),
    ],
)
def test_a_changed_file_is_named(results: Path, name: str, words: str) -> None:
    written(results)
    text = (results / name).read_text()
    (results / name).write_text(
        text.replace("4 runs", "5 runs").replace('"runs": 4', '"runs": 5').replace("  c", "  d")
    )
    assert [problem[: len(words)] for problem in problems(results)] == [words]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("audit.json", "report.html: says that it was audited, and there is no audit.json"),
        ("audit.html", "audit.html: missing"),
        ("SHA256SUMS", "SHA256SUMS: missing"),
    ],
)
def test_a_deleted_file_is_named(results: Path, name: str, words: str) -> None:
    written(results)
    (results / name).unlink()
    assert [problem[: len(words)] for problem in problems(results)] == [words]


def test_a_fresh_report_beside_an_old_audit_is_no_failure(results: Path) -> None:
    written(results)
    (results / "report.html").write_text(PAGE)
    assert problems(results) == []


def test_a_sealed_audit_without_its_facts_is_named(results: Path) -> None:
    written(results)
    from replication.system.digests import sealed

    write_json(results / "audit.json", sealed({"verdict": "passed"}))
    assert [problem.split(" ")[0] for problem in problems(results)] == ["audit.json:"]


def test_a_report_without_a_place_for_the_stamp_is_left_alone(results: Path) -> None:
    (results / "report.html").write_text("<p>no place</p>")
    written(results)
    assert (results / "report.html").read_text() == "<p>no place</p>"


def test_changes_between_two_lists() -> None:
    assert changed_files("1  a\n2  b\n", "1  a\n3  b\n4  c\n") == ["b", "c"]
