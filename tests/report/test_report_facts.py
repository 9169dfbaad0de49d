"""The list of reports: who wrote what, as the documents say."""

from pathlib import Path

import pytest

from places import ROOT
from replication.errors import ConfigurationError
from replication.report.report_facts import load_reports, report_of
from replication.runs.plan import STUDIES, load_plan
from replication.settings.config import Config
from reports import FOLDER, MISSING, plain

LIST = ROOT / "reports/reports.yaml"


def test_every_report_of_a_study_is_listed_under_a_name_of_its_own() -> None:
    known = load_reports(LIST)
    assert {planned.study.report for planned in load_plan(Config(), ROOT / STUDIES).values()} == set(known)
    for name in ("id", "short", "title"):
        assert len({getattr(facts, name) for facts in known.values()}) == len(known)


@pytest.mark.skipif(FOLDER is None, reason=MISSING)
def test_authors_and_years_stand_in_the_documents() -> None:
    for file, facts in load_reports(LIST).items():
        text = plain((Path(FOLDER or "") / file).read_text(encoding="utf-8"))
        for name in (facts.authors or "").removesuffix(" and others").split(", "):
            assert name in text, file
        assert str(facts.year or "") in text, file


def test_the_byline_says_what_is_known() -> None:
    known = load_reports(LIST)
    assert known["003_708238029b68d1c3.txt"].byline == "Sarah Lee and others, 2025"
    assert known["000_75a4cf886b356ddd.txt"].byline == "2025"
    assert known["001_ce78013d74c295a0.txt"].byline == ""


def test_a_report_that_is_not_listed_is_known_by_its_file() -> None:
    facts = report_of("mine.txt", {})
    assert (facts.id, facts.title, facts.short, facts.byline) == ("mine.txt", "mine.txt", "mine.txt", "")


def test_a_wrong_key_is_named(tmp_path: Path) -> None:
    file = tmp_path / "reports.yaml"
    file.write_text("reports:\n  - {file: a.txt, id: a, title: A, short: A, published: here, yaer: 2025}\n")
    with pytest.raises(ConfigurationError, match="did you mean `year`"):
        load_reports(file)
