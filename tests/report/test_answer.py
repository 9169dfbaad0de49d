"""The first screen: counts, bars and the findings to begin with."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from places import ROOT
from replication.report.answer import MOST_FINDINGS, answer
from replication.report.report_facts import load_reports
from replication.runs.plan import PlannedStudy
from replication.system.tables import read_table
from study_results import planned_study, write_results

KNOWN = load_reports(ROOT / "reports/reports.yaml")
TITLES = {("tiny", "cosine"): "Cosine <1>", ("tiny", "probing"): "Loss probing"}


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> PlannedStudy:
    return planned_study(tmp_path_factory.mktemp("config"), scale="laptop", seeds=4)


@pytest.fixture
def order(planned: PlannedStudy, tmp_path: Path) -> dict[str, Any]:
    """Return the row of the order that the tiny study holds, which is reproduced."""
    write_results(tmp_path, planned)
    return read_table(tmp_path / "claims.csv").set_index("id", drop=False).loc["cosine-better"].to_dict()


def answered(planned: PlannedStudy, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return answer({"tiny": planned}, pd.DataFrame(rows), TITLES, KNOWN)


def test_bars_are_as_long_as_their_reports_have_statements(
    planned: PlannedStudy, order: dict[str, Any]
) -> None:
    other = order | {"report": "004_be3a51cf1d0278c7.txt", "evidence": "reduced", "outcome": "contradicted"}
    not_run = other | {"outcome": "not run", "evidence": "direct"}
    first, second = answered(planned, [other, not_run, order])["bars"]
    assert first["report"].id == "early-stopping"  # in the order of the list
    assert [(each["kind"], each["share"]) for each in first["kinds"]] == [("direct", "50.0%")]
    (only,) = second["kinds"]
    assert (only["kind"], only["share"]) == ("reduced", "100.0%")
    assert {name: count for name, count in only["counts"].items() if count} == {
        "contradicted": 1,
        "not run": 1,
    }


def test_the_sentence_counts_statements_and_not_readings(
    planned: PlannedStudy, order: dict[str, Any]
) -> None:
    rows = [
        order,
        order | {"plainest": False},
        order | {"outcome": "undecided"},
        order | {"outcome": "not run"},
    ]
    assert answered(planned, rows)["sentence"] == (
        "Of 3 statements in 1 report, 1 hold in our own runs and 0 do not (1 undecided; 1 not tested)."
    )


def test_findings_are_of_all_reports_before_a_second_of_one(
    planned: PlannedStudy, order: dict[str, Any]
) -> None:
    files = [*KNOWN]
    rows = [order | {"report": files[0], "p_so": 1e-9, "quote": str(number)} for number in range(9)]
    rows += [order | {"report": file, "p_so": 1e-3, "quote": "last"} for file in files[1:]]
    findings = answered(planned, rows)["findings"]
    assert [each["report"].file for each in findings] == files
    assert len(findings) <= MOST_FINDINGS


def test_better_evidence_comes_before_clearer_results(planned: PlannedStudy, order: dict[str, Any]) -> None:
    rows = [
        order | {"evidence": "conceptual", "p_so": 1e-9, "quote": "clear"},
        order | {"evidence": "direct", "p_so": 1e-3, "quote": "direct"},
    ]
    assert [each["quote"] for each in answered(planned, rows)["findings"]] == ["direct", "clear"]


def test_what_contradicts_a_report_comes_before_what_agrees(
    planned: PlannedStudy, order: dict[str, Any]
) -> None:
    rows = [
        order | {"p_so": 1e-9, "quote": "agrees"},
        order | {"outcome": "contradicted", "p_not_so": 1e-3, "quote": "does not"},
    ]
    assert [each["quote"] for each in answered(planned, rows)["findings"]] == ["does not", "agrees"]


def test_of_one_study_there_are_three(planned: PlannedStudy, order: dict[str, Any]) -> None:
    rows = [order | {"quote": str(number), "p_so": number / 1e4} for number in range(5)]
    assert [each["quote"] for each in answered(planned, rows)["findings"]] == ["0", "1", "2"]


def test_what_we_saw_is_said_with_titles_escaped(planned: PlannedStudy, order: dict[str, Any]) -> None:
    (finding,) = answered(planned, [order])["findings"]
    assert finding["seen"] == (
        "Test accuracy of <em>Cosine &lt;1&gt;</em> is higher than that of <em>Loss probing</em> by 9.00 points."
    )
    (finding,) = answered(planned, [order | {"outcome": "contradicted", "estimate": -0.02}])["findings"]
    assert "is lower than" in finding["seen"]
    assert not finding["holds"]


def test_where_nothing_is_decided_there_is_no_finding(planned: PlannedStudy, order: dict[str, Any]) -> None:
    found = answered(planned, [order | {"outcome": "incomplete"}])
    assert found["findings"] == []
    assert found["sentence"] == "Of 1 statement in 1 report, none is decided yet (1 not tested)."
