"""The findings and the README's answer say what is published, and nothing else."""

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from edits import edited
from made_project import project_with_results, tiny_plan
from places import ROOT
from project import STUDY, inside
from replication.audit.auditor import run_audit
from replication.errors import ResultsError
from replication.publication import publish
from replication.publication.findings import (
    BEGIN,
    END,
    PAGE,
    PICTURE,
    README,
    _other_readings,
    _plain,
    _study,
    findings,
    write_findings,
)
from replication.system.tables import read_table

pytestmark = pytest.mark.slow

RESULTS = Path("results/demo")
PUBLISHED = Path("published/demo")
STUDIES = Path("config/studies")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a project with published results."""
    with project_with_results(tmp_path_factory.mktemp("made") / "project") as folder:
        with inside(folder):
            README.write_text(f"# Title\n\n{BEGIN}\nold\n{END}\n\nThe rest.\n")
            screen = io.StringIO()
            assert run_audit({}, screen, io.StringIO()), screen.getvalue()
            publish(RESULTS)
            for name in ("findings.md.j2", "looked-into.yaml"):
                shutil.copy(ROOT / "reports" / name, "reports")
        yield folder


@pytest.fixture(autouse=True)
def _project(made: Path, tmp_path: Path) -> Iterator[None]:
    with inside(Path(shutil.copytree(made, tmp_path / "project"))):
        yield


def read_cost() -> dict[str, Any]:
    cost: dict[str, Any] = json.loads((PUBLISHED / "cost.json").read_text())
    return cost


def test_each_decided_statement_is_said_with_its_evidence() -> None:
    texts = findings(PUBLISHED)
    page = texts[PAGE]
    assert ", not run -->" not in texts[PICTURE]
    assert "not run." not in page
    claims = read_table(PUBLISHED / "claims.csv")
    for claim in claims[claims["plainest"]].to_dict("records"):
        said = claim["outcome"] in ("supported", "contradicted", "undecided", "identical runs")
        assert (f"`{claim['study']}/{claim['id']}`" in page) == said
    assert f"| A tiny study (`{STUDY}`) | 2 | 2 | 4 | digits |" in page


def test_what_became_of_the_other_readings_is_counted() -> None:
    rows = [("a", True, "supported"), ("a", False, "supported"), ("a", False, "undecided")]
    rows += [("a", False, "identical runs"), ("a", False, "not run"), ("b", False, "contradicted")]
    claims = pd.DataFrame(rows, columns=["statement", "plainest", "outcome"]).assign(study="one")
    assert _other_readings(claims, "one", "a") == "1 holds, 2 undecided"
    assert _other_readings(claims, "one", "b") == "1 contradicted"
    assert _other_readings(claims, "two", "a") == ""


def test_audit_and_cost_are_those_on_record() -> None:
    page = findings(PUBLISHED)[PAGE]
    audit = json.loads((PUBLISHED / "audit.json").read_text())
    cost = read_cost()
    assert audit["root_sha256"] in page
    assert f"{cost['core_hours']:.1f} hours of a core" in page
    assert "**not** those of before the runs" not in page
    (PUBLISHED / "audit.json").write_text(json.dumps({**audit, "fixed_before": False}))
    assert "**not** those of before the runs" in findings(PUBLISHED)[PAGE]


def test_what_all_arms_have_otherwise_than_the_report_is_said() -> None:
    def said() -> list[str]:
        return [line for line in findings(PUBLISHED)[PAGE].splitlines() if line.startswith(f"- `{STUDY}`: ")]

    assert said() == [f"- `{STUDY}`: data.dataset: digits for mnist"]
    substitute = "    substitute: {mnist: digits}\n"
    more = f"{substitute}    settings: {{batch_size: 16}}\n    arms: {{cosine: {{epochs: 3}}}}\n"
    study = STUDIES / f"{STUDY}.yaml"
    study.write_text(study.read_text().replace(substitute, more))
    assert said() == [f"- `{STUDY}`: data.dataset: digits for mnist; batch_size: 16 for 32"]


def test_a_study_without_runs_differs_in_nothing() -> None:
    runs = read_table(RESULTS / "tables/runs.csv").iloc[:0]
    assert _study(tiny_plan(), runs)["differences"] == []


def test_the_forecast_stands_beside_the_cost() -> None:
    hours = read_cost()["core_hours_by_study"][STUDY]
    assert f"| `{STUDY}` | {hours:.2f} | – |" in findings(PUBLISHED)[PAGE]
    (PUBLISHED / "forecast.csv").write_text(f"study,arm,hours\n{STUDY},cosine,1.5\n{STUDY},probing,2.25\n")
    assert f"| `{STUDY}` | {hours:.2f} | 3.75 |" in findings(PUBLISHED)[PAGE]


def test_the_readme_says_the_same_and_keeps_the_rest() -> None:
    write_findings(PUBLISHED)
    before, answer, after = README.read_text().replace(END, BEGIN).split(BEGIN)
    sentence = answer.split("**")[1]
    assert (before, after) == ("# Title\n\n", "\n\nThe rest.\n")
    assert sentence.startswith("Of 2 statements in 1 report, ")
    assert sentence in PAGE.read_text()
    assert PICTURE.read_text().startswith("<?xml")


def test_written_again_nothing_changes() -> None:
    paths = write_findings(PUBLISHED)
    first = {path: path.read_bytes() for path in paths}
    write_findings(PUBLISHED)
    assert {path: path.read_bytes() for path in paths} == first


def test_statements_of_a_study_that_was_not_published_are_not_run() -> None:
    shutil.copy(STUDIES / f"{STUDY}.yaml", STUDIES / "other.yaml")
    texts = findings(PUBLISHED)
    page = texts[PAGE]
    assert ", not run -->" in texts[PICTURE]
    assert "Of 4 statements in 1 report" in page
    assert "Not run yet at this scale: A tiny study." in page
    assert "\n\n2 were not run.\n\n" in page


def judge_otherwise(outcome: str) -> None:
    """Publish another outcome of one statement."""
    path = PUBLISHED / "claims.csv"
    [ours] = {row["outcome"] for row in read_table(path).to_dict("records") if row["id"] == "cosine-better"}
    path.write_text(path.read_text().replace(f",{ours},", f",{outcome},"))


def test_a_verdict_that_changes_changes_the_answer() -> None:
    judge_otherwise("contradicted")
    first = findings(PUBLISHED)
    judge_otherwise("supported")
    second = findings(PUBLISHED)
    assert all(first[each] != second[each] for each in (PAGE, README, PICTURE))


@pytest.mark.parametrize(("scale", "said"), [("demo", "It is not."), ("laptop", "Not looked into yet.")])
def test_where_a_statement_fails_it_is_said_what_was_looked_at(scale: str, said: str) -> None:
    looked_into = {"scales": {scale: {f"{STUDY}/cosine-better": "It is not."}}}
    Path("reports/looked-into.yaml").write_text(json.dumps(looked_into))
    judge_otherwise("contradicted")
    assert f"Is it us? {said}" in findings(PUBLISHED)[PAGE]
    judge_otherwise("undecided")
    assert ("Is it us?" in findings(PUBLISHED)[PAGE]) == (scale == "demo")  # only where somebody has looked


def test_a_study_that_is_gone_is_named() -> None:
    (STUDIES / f"{STUDY}.yaml").rename(STUDIES / "other.yaml")
    with pytest.raises(ResultsError, match=f"has no study {STUDY}, which was published"):
        findings(PUBLISHED)


def test_a_reading_that_is_gone_is_named() -> None:
    path = STUDIES / f"{STUDY}.yaml"
    path.write_text(edited(path.read_text(), "id: cosine-better", "id: another"))
    with pytest.raises(ResultsError, match=rf"{STUDY}/.*, which was published"):
        findings(PUBLISHED)


def test_a_readme_without_a_place_is_named() -> None:
    README.write_text("# Title\n")
    with pytest.raises(ResultsError, match=r"README\.md: has no place for the answer"):
        write_findings(PUBLISHED)
    assert not PAGE.exists()


@pytest.mark.parametrize(
    ("text", "shown"), [("a*b_c", r"a\*b\_c"), ("[x](y)", r"\[x\](y)"), ("<b>|", r"\<b\>\|")]
)
def test_what_a_report_says_is_no_markdown(text: str, shown: str) -> None:
    assert _plain(text) == shown
