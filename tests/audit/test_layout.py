"""Which files belong to a results folder."""

from pathlib import Path

import pytest

from replication.audit.findings import Findings
from replication.audit.layout import check_layout, is_leftover
from replication.audit.run_checks import CheckedRun
from replication.system.digests import sealed
from replication.system.files import json_text, write_json

RUN = "tiny/cosine/seed-1"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for name in (
        f"runs/{RUN}/record.json",
        f"runs/{RUN}/history.csv",
        "claims.csv",
        "studies/tiny/figures/a.svg",
    ):
        put(tmp_path, name)
    return tmp_path


def put(results: Path, name: str, text: str = "x") -> None:
    (results / name).parent.mkdir(parents=True, exist_ok=True)
    (results / name).write_text(text)


class _Record:
    files = {"history.csv": "0"}  # noqa: RUF012


def checked(results: Path, *, finished: bool = True) -> tuple[list[str], Findings]:
    findings = Findings()
    record = _Record() if finished else None
    runs = {RUN: CheckedRun(RUN, results / "runs" / RUN, record)}  # type: ignore[arg-type]
    return check_layout(results, runs, ["claims.csv", "studies/tiny/figures/"], findings), findings


def test_known_files_pass_and_are_listed_in_order(results: Path) -> None:
    put(results, "studies/tiny/figures/.snakemake_timestamp", "")
    for name in ("audit.json", "audit.html", "report.html", "SHA256SUMS", "SHA256SUMS.sig"):
        put(results, name)
    put(results, ".audit.json.host-12-ab.partial")  # of an audit that was killed
    files, findings = checked(results)
    assert findings == Findings()
    assert files == [
        "claims.csv",
        f"runs/{RUN}/history.csv",
        f"runs/{RUN}/record.json",
        "studies/tiny/figures/a.svg",
    ]


@pytest.mark.parametrize(
    "name",
    ["notes.txt", f"runs/{RUN}/steps.csv", "runs/tiny/stray.csv", "studies/other/claims.csv", "audit.json/x"],
)
def test_an_unknown_file_is_named(results: Path, name: str) -> None:
    put(results, name)
    _, findings = checked(results)
    assert [failure.file for failure in findings.failures] == [str(results / name)]
    assert "unknown" in findings.failures[0].problem


def test_a_file_that_calls_itself_a_date_is_named_unless_empty(results: Path) -> None:
    put(results, "studies/tiny/.snakemake_timestamp", "hidden")
    assert len(checked(results)[1].failures) == 1


def test_a_run_that_is_not_planned_is_named_once(results: Path) -> None:
    for name in ("record.json", "history.csv", "timings.csv"):
        put(results, f"runs/tiny/cosine/seed-9/{name}")
    _, findings = checked(results)
    assert [failure.file for failure in findings.failures] == [str(results / "runs/tiny/cosine/seed-9")]
    assert "3 files" in findings.failures[0].problem


@pytest.mark.parametrize(
    "name", [".lock", ".checkpoint-0", ".checkpoint-1", ".history.csv.host-12-ab.partial"]
)
def test_what_a_complete_run_has_left_behind_is_a_warning(results: Path, name: str) -> None:
    put(results, f"runs/{RUN}/{name}")
    files, findings = checked(results)
    assert findings.failures == []
    assert [warning.file for warning in findings.warnings] == [str(results / "runs" / RUN / name)]
    assert f"runs/{RUN}/{name}" not in files
    assert checked(results, finished=False)[1] == Findings()


@pytest.mark.parametrize(
    "name",
    [
        ".DS_Store",
        f"runs/{RUN}/._history.csv",
        "studies/tiny/figures/Thumbs.db",
        "studies/tiny/.ipynb_checkpoints/notebook-checkpoint.ipynb",
        ".~lock.claims.csv#",
    ],
)
def test_what_systems_and_editors_leave_is_a_warning_and_no_result(results: Path, name: str) -> None:
    put(results, name)
    (results / ".#claims.csv").symlink_to("me@host.4711:1700000000")
    files, findings = checked(results)
    assert not findings.failures
    assert {str(results / name), str(results / ".#claims.csv")} == {found.file for found in findings.warnings}
    assert name not in files


def test_a_half_written_table_is_named(results: Path) -> None:
    put(results, ".claims.csv.host-12-ab.partial")
    _, findings = checked(results)
    assert "half-written" in findings.failures[0].problem


def test_a_recheck_is_known_and_must_be_intact(results: Path) -> None:
    write_json(results / "recheck.json", sealed({"runs": 3}))
    files, findings = checked(results)
    assert findings == Findings()
    assert "recheck.json" not in files
    put(results, "recheck.json", json_text({"runs": 4}))
    assert [failure.file for failure in checked(results)[1].failures] == [str(results / "recheck.json")]


def test_names_of_leftovers() -> None:
    assert is_leftover("a/.checkpoint-1")
    assert not is_leftover("a/.checkpoint-x")
    assert not is_leftover("a/history.partial")
