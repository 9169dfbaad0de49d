"""The statements of a study, as rows of the page."""

from pathlib import Path

import pytest

from places import ROOT
from replication.report.report_facts import load_reports
from replication.report.statements import statements
from replication.system.tables import read_table
from study_results import planned_study, write_results

KNOWN = load_reports(ROOT / "reports/reports.yaml")
CHANGED = "data.dataset: digits for mnist"


def test_the_plainest_reading_speaks_for_its_statement(tmp_path: Path) -> None:
    planned = planned_study(tmp_path / "config")
    write_results(tmp_path, planned)
    claims = read_table(tmp_path / "claims.csv")
    claims.loc[0, ["statement", "plainest"]] = ["cosine-better", False]
    (only,), _ = statements(planned, claims, ["cosine"], KNOWN)
    assert [(each["id"], each["plainest"]) for each in only["readings"]] == [
        ("cosine-better", True),
        ("cosine-accuracy", False),
    ]
    assert only["quote"] == "cosine is better"
    assert only["report"].short == "Optimizing Runtime"
    assert only["plainest"]["arms"] == ["cosine"]  # the other one has no entry on the page
    assert only["plainest"]["measured"] == "test accuracy, last epoch"


@pytest.mark.parametrize(
    ("qualifiers", "shared", "own"),
    [
        ((f"{CHANGED}; epochs: 2 for 3", CHANGED), [CHANGED], [["epochs: 2 for 3"], []]),
        ((CHANGED, ""), [], [[CHANGED], []]),
    ],
)
def test_what_differs_for_all_readings_is_said_once(
    tmp_path: Path, qualifiers: tuple[str, str], shared: list[str], own: list[list[str]]
) -> None:
    planned = planned_study(tmp_path / "config")
    write_results(tmp_path, planned)
    claims = read_table(tmp_path / "claims.csv").assign(qualifier=[each or None for each in qualifiers])
    found, different = statements(planned, claims, ["cosine", "probing"], KNOWN)
    assert different == shared
    assert [each["plainest"]["differences"] for each in found] == own
