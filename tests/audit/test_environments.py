"""What is said of runs that were not made alike."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from made_project import tiny_plan, write_project
from made_runs import MACHINE, change_record, made_dataset, make_run
from project import inside
from replication.audit.environments import check_environments, check_fixed_before
from replication.audit.findings import Findings
from replication.runs import provenance
from replication.runs.record import Record, read_record

HERE = {"commit": "c" * 40, "dirty": False}
DATASET = made_dataset("digits")


@pytest.fixture(autouse=True)
def _project(tmp_path: Path) -> Iterator[None]:
    write_project(tmp_path)
    with inside(tmp_path):
        yield


def records() -> list[Record]:
    """Return the records of three runs."""
    found = []
    for number in (1, 2, 3):
        place = make_run(Path("runs"), tiny_plan(), f"tiny/cosine/seed-{number}", DATASET)
        change_record(place, git=HERE)
        found.append(read_record(place / "record.json"))
    return found


def said(found: list[Record], git: dict[str, Any] = HERE) -> tuple[list[str], list[str]]:
    findings = Findings()
    check_environments(found, git, Path("runs"), findings)
    assert findings.failures == []
    return [str(warning) for warning in findings.warnings], [str(note) for note in findings.notes]


def test_runs_that_are_alike_give_no_word() -> None:
    assert said(records()) == ([], [])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"versions": {"python": "3.12"}}, "2 different versions"),
        ({"lock_sha256": None}, "2 different lock files"),
        ({"installed_sha256": "0"}, "2 different lists of installed packages"),
        ({"machine": MACHINE | {"processor": "another"}}, "2 different machines"),
        ({"machine": MACHINE | {"device": "NVIDIA"}}, "2 different devices"),
        ({"determinism": {"tf32": True}}, "2 different kinds of determinism"),
        ({"git": HERE | {"dirty": True}}, "1 of 3 runs made with uncommitted changes (the first: tiny/cosine/seed-3)"),
        ({"git": HERE | {"commit": "d" * 40}}, "1 of 3 runs made at another commit than the present one (cccc"),
    ],
)  # fmt: skip
def test_a_difference_is_a_warning(changes: dict[str, Any], words: str) -> None:
    found = records()
    place = Path("runs/tiny/cosine/seed-3")
    change_record(place, **changes)
    found[2] = read_record(place / "record.json")
    warnings, notes = said(found)
    assert len(warnings) == 1
    assert words in warnings[0]
    assert notes == []


def test_an_interrupted_run_and_an_unknown_commit_are_notes() -> None:
    found = records()
    place = Path("runs/tiny/cosine/seed-3")
    first = found[2].sessions[0].model_dump()
    change_record(place, sessions=[first | {"end": "SIGTERM"}, first], git={"commit": None, "dirty": None})
    found[2] = read_record(place / "record.json")
    warnings, notes = said(found)
    assert warnings == []
    assert [("resumed" in note, "no commit" in note) for note in notes] == [(False, True), (True, False)]


def test_statements_that_were_edited_after_the_runs_are_a_warning() -> None:
    found = records()
    path = Path("config/studies/tiny.yaml")
    path.write_text(path.read_text().replace("absolute: 0.05", "absolute: 0.50"))
    findings = Findings()
    assert not check_fixed_before(tiny_plan(), found, findings)
    assert len(findings.warnings) == 1
    assert "its statements are not those of 3 of 3 runs" in findings.warnings[0].problem


def test_rules_that_were_edited_after_the_runs_are_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    found = records()
    monkeypatch.setattr(provenance, "rules_digest", lambda: "other rules")
    findings = Findings()
    assert not check_fixed_before(tiny_plan(), found, findings)
    assert len(findings.warnings) == 1
    assert "its rules of verdicts are not those of 3 of 3 runs" in findings.warnings[0].problem


def test_another_edit_of_the_study_is_a_note() -> None:
    found = records()
    path = Path("config/studies/tiny.yaml")
    path.write_text(path.read_text() + "# A comment.\n")
    findings = Findings()
    check_fixed_before(tiny_plan(), found, findings)
    assert findings.warnings == []
    assert len(findings.notes) == 1
