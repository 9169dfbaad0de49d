"""The report: each number from the tables, at its place."""

import math
import re
from html import unescape
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from scipy import stats

from places import REPORTS
from replication.analysis.verdicts import OUTCOMES
from replication.report.page import render
from replication.runs.plan import PlannedStudy
from replication.schedules import gallery
from replication.system.tables import read_table, write_table
from study_results import planned_study, write_results


def rendered(folder: Path, planned: PlannedStudy, **tables: pd.DataFrame) -> str:
    study = write_results(folder, planned)
    for name, table in tables.items():
        write_table(table, folder / f"tables/{name}.csv")
    schedules = pd.DataFrame(gallery(11), columns=["schedule", "progress", "multiplier"])
    # Each has a picture of its own: two are drawn as all are, in a tenth of the time.
    schedules = schedules[schedules["schedule"].isin(schedules["schedule"].unique()[:2])]
    write_table(schedules, folder / "tables/schedules.csv")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("Words of the *notebook*.")])
    nbformat.write(notebook, study / "notebook.ipynb")
    output = folder / "report.html"
    render({"tiny": planned}, folder, REPORTS, output)
    return output.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("demo")
    return rendered(folder, planned_study(folder / "config"))


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the page of results with the report's own data, of enough seeds for intervals."""
    folder = tmp_path_factory.mktemp("laptop")
    return rendered(folder, planned_study(folder / "config", scale="laptop", seeds=4))


def words(text: str) -> str:
    """Return the page's text without tags, white space folded."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def claim_in(page: str, name: str) -> str:
    """Return the words of what the page says of a claim of the tiny study."""
    return words(page.partition(f'id="claim-tiny-{name}"')[2].partition("</tr>")[0])


def test_a_number_on_other_data_is_shown_and_not_judged(demo: str) -> None:
    row = claim_in(demo, "cosine-accuracy")
    assert "90.00 % ± 5.00 %" in row
    assert "91.00 %" in row
    assert "not testable here conceptual evidence; data.dataset: digits for mnist" in row


def test_an_order_without_an_interval_says_how_many_seeds_are_needed(demo: str) -> None:
    row = claim_in(demo, "cosine-better")
    assert "above 0 +9.00 % test accuracy, last epoch; 2 of 2 seeds" in row
    assert "undecided 3 seeds at least are needed conceptual evidence" in row


def test_claims_show_both_numbers_and_the_verdict(laptop: str) -> None:
    row = claim_in(laptop, "cosine-accuracy")
    # Four seeds around 0.91, whose spread counts as one of the 50 test images at least.
    half = stats.t.ppf(0.975, 3) * 0.02 * math.sqrt(1 + 1 / 4)
    assert "90.00 % ± 5.00 %" in row
    assert f"91.00 % [{91 - 100 * half:.2f}, {91 + 100 * half:.2f}]" in row
    assert "reproduced direct evidence" in row


def test_an_order_shows_the_difference_with_its_sign(laptop: str) -> None:
    row = claim_in(laptop, "cosine-better")
    half = stats.t.ppf(1 - 0.004, 6) * 0.02 * math.sqrt(2 / 4)
    assert f"above 0 +9.00 % [{9 - 100 * half:+.2f}, {9 + 100 * half:+.2f}]" in row
    assert "reproduced direct evidence" in row


def test_a_cell_of_a_table_leads_to_its_runs(demo: str) -> None:
    table = demo.partition('id="table-tiny-results"')[2].partition("</table>")[0]
    assert '<a href="#arm-tiny-cosine">91.00 %</a>' in table
    assert "reported 90.00 %" in words(table)


def test_each_run_is_listed_with_its_hashes(demo: str) -> None:
    entry = demo.partition('<details id="arm-tiny-probing">')[2].partition("</table>")[0]
    assert re.findall(r"<code>(tiny/probing/seed-\d)</code>", entry) == [
        "tiny/probing/seed-1",
        "tiny/probing/seed-2",
    ]
    assert "data.dataset: digits for mnist" in entry


@pytest.mark.slow
def test_text_of_the_study_is_escaped(tmp_path: Path) -> None:
    planned = planned_study(tmp_path / "config")
    study = planned.study.model_copy(update={"title": "Loss < 1 & falling"})
    changed = PlannedStudy(**{**vars(planned), "study": study})
    assert "Loss &lt; 1 &amp; falling" in rendered(tmp_path, changed)


def test_the_words_of_the_notebook_are_there(demo: str) -> None:
    assert "Words of the <em>notebook</em>." in demo


def test_the_banner_says_what_evidence_there_is(demo: str, laptop: str) -> None:
    no_numbers = "Numbers and costs of the reports cannot be judged here"
    assert no_numbers in demo
    assert no_numbers not in laptop
    assert "2 conceptual (other data)" in words(demo)
    assert "2 direct (the report's data, and what it states of the settings)" in words(unescape(laptop))


def test_the_scoreboard_counts_every_statement_once(demo: str, tmp_path: Path) -> None:
    counted = dict(re.findall(r'<li><span class="badge [\w-]+">([\w ]+)</span> (\d+)</li>', demo))
    study = write_results(tmp_path, planned_study(tmp_path / "config"))
    assert tuple(counted) == OUTCOMES
    assert sum(map(int, counted.values())) == read_table(study / "claims.csv")["statement"].nunique()
    assert (counted["not testable here"], counted["undecided"]) == ("1", "1")


def test_a_study_says_which_choice_of_what_is_unsaid_explains_most(tmp_path):
    asked = {"study": "tiny", "question": "size", "title": "Which size?", "answer": "Size 64 does."}
    other = {"study": "tiny", "question": "stem", "title": "Which stem?", "answer": "Cannot be told here."}
    choices = [
        {**asked, "choice": "size 64", "less_likely": 1.0},
        {**asked, "choice": "size 32", "less_likely": 1e9},
    ]
    page = words(
        rendered(tmp_path, planned_study(tmp_path / "config"), explanations=pd.DataFrame([*choices, other]))
    )
    assert (
        "Which size? Size 64 does. All choices Choice Times less likely size 64 1 size 32 more than a million"
        in page
    )
    assert "Which stem? Cannot be told here. Words of the" in page
