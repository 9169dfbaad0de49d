"""The report: each number from the tables, at its place."""

import json
import math
import re
from html import unescape
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

from replication.runs.plan import PlannedStudy
from replication.system.tables import read_table
from report_page import rendered
from study_results import HASH, made_tables, planned_study, write_results


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
    return words(page.partition(f'id="claim-tiny-{name}"')[2].partition("</details>")[0])


def test_a_number_on_other_data_is_shown_and_not_judged(demo: str) -> None:
    row = claim_in(demo, "cosine-accuracy")
    assert "90.00 % ± 5.00 %" in row
    assert "91.00 %" in row
    assert "Verdict not testable here Evidence conceptual" in row
    assert "Its runs are not as reported in 1 setting data.dataset: digits for mnist" in words(demo)


def test_an_order_without_an_interval_says_how_many_seeds_are_needed(demo: str) -> None:
    row = claim_in(demo, "cosine-better")
    assert "Reported above 0 Ours +9.00 % test accuracy, last epoch; 2 of 2 seeds" in row
    assert "Verdict undecided 3 seeds at least are needed Evidence conceptual" in row


def test_claims_show_both_numbers_and_the_verdict(laptop: str) -> None:
    row = claim_in(laptop, "cosine-accuracy")
    # Four seeds around 0.91, whose spread counts as one of the 50 test images at least.
    half = stats.t.ppf(0.975, 3) * 0.02 * math.sqrt(1 + 1 / 4)
    assert "90.00 % ± 5.00 %" in row
    assert f"91.00 % [{91 - 100 * half:.2f}, {91 + 100 * half:.2f}]" in row
    assert "Verdict reproduced Evidence direct" in row


def test_an_order_shows_the_difference_with_its_sign(laptop: str) -> None:
    row = claim_in(laptop, "cosine-better")
    half = stats.t.ppf(1 - 0.004, 6) * 0.02 * math.sqrt(2 / 4)
    assert f"Reported above 0 Ours +9.00 % [{9 - 100 * half:+.2f}, {9 + 100 * half:+.2f}]" in row
    assert "Verdict reproduced Evidence direct" in row


def test_a_cell_of_a_table_leads_to_its_runs(demo: str) -> None:
    table = demo.partition('id="table-tiny-results"')[2].partition("</table>")[0]
    assert '<a href="#arm-tiny-cosine">91.00 %</a>' in table
    assert "reported 90.00 %" in words(table)


def test_each_run_is_listed_with_its_hashes(demo: str) -> None:
    entry = demo.partition('<details id="arm-tiny-probing">')[2].partition("</table>")[0]
    assert re.findall(r'<a href="runs/tiny/probing/seed-(\d)/record.json">seed (\d)</a>', entry) == [
        ("1", "1"),
        ("2", "2"),
    ]
    assert "data.dataset: digits for mnist" in entry
    assert f'settings sha-256 <code title="{HASH}">{HASH[:12]}</code>' in entry


def test_what_differs_between_the_runs_of_an_arm_has_cells_of_its_own(tmp_path: Path) -> None:
    planned = planned_study(tmp_path / "config", scale="laptop", seeds=4)
    runs, _ = made_tables(planned)
    cosine = runs["arm"] == "cosine"
    runs.loc[cosine, "commit"] = ["a" * 40, "a" * 40, "b" * 40, "c" * 40]
    runs.loc[cosine, "outcome"] = ["completed", "completed", "stopped early", "missing"]
    entry = rendered(tmp_path, planned, runs=runs).partition('<details id="arm-tiny-cosine">')[2]
    table = entry.partition("</table>")[0]
    assert re.findall(r'<th scope="col">([^<]*)', table) == ["Run", "Weights SHA-256", "Outcome", "Commit"]
    assert re.findall(r"(<td[^>]*>)<code title=\"(.)", table) == [('<td rowspan="2">', "a"), ("<td>", "b")]
    assert [words(row) for row in re.findall(r"<td>[a-z ]+</td>|missing", table)] == [
        " completed ",
        " completed ",
        " stopped early ",
        "missing",
    ]


@pytest.mark.slow
def test_text_of_the_study_is_escaped(tmp_path: Path) -> None:
    planned = planned_study(tmp_path / "config")
    study = planned.study.model_copy(update={"title": "Loss < 1 & falling"})
    changed = PlannedStudy(**{**vars(planned), "study": study})
    assert "Loss &lt; 1 &amp; falling" in rendered(tmp_path, changed)


def test_a_table_without_runs_says_so(tmp_path: Path) -> None:
    planned = planned_study(tmp_path / "config")
    (table,) = planned.study.tables
    empty = table.model_copy(update={"id": "empty", "title": "Nobody's", "arms": ["left-out"]})
    study = planned.study.model_copy(update={"tables": [empty, table]})
    page = rendered(tmp_path, PlannedStudy(**{**vars(planned), "study": study}))
    assert "Nobody's No arm of this table has been run. Results Arm" in unescape(words(page))


def test_the_words_of_the_notebook_are_there(demo: str) -> None:
    assert "Words of the <em>notebook</em>." in demo


def test_the_page_says_what_evidence_there_is(demo: str, laptop: str) -> None:
    no_numbers = "Numbers and costs of the reports cannot be judged here"
    assert no_numbers in words(demo)
    assert no_numbers not in words(laptop)
    assert "conceptual : other data" in words(demo)
    assert "direct : the report's data, and what it states of the settings" in words(unescape(laptop))


def test_the_bars_count_every_statement_once(demo: str, tmp_path: Path) -> None:
    bars = demo.partition('<div class="report-bar">')[2].partition("</section>")[0]
    counted = {name: int(count) for count, name in re.findall(r'title="(\d+) ([\w ]+)"', bars)}
    study = write_results(tmp_path, planned_study(tmp_path / "config"))
    assert counted == {"not testable here": 1, "undecided": 1}
    assert sum(counted.values()) == read_table(study / "claims.csv")["statement"].nunique()


def test_the_answer_is_a_sentence_and_its_findings_lead_to_their_statements(laptop: str) -> None:
    assert "Of 2 statements in 1 report, 2 hold in our own runs and 0 do not." in words(laptop)
    found = laptop.partition('<ol class="matters">')[2].partition("</ol>")[0]
    assert re.findall(r'href="#([\w-]+)"', found) == [
        "claim-tiny-cosine-better",
        "claim-tiny-cosine-accuracy",
    ]
    assert "Test accuracy of Cosine is higher than that of Loss probing by 9.00 points." in words(found)


def test_reports_are_shown_by_title_and_their_files_only_as_evidence(demo: str) -> None:
    assert "Optimizing Runtime in Deep Learning: Early Stopping" in demo
    outside = re.sub(
        r'<p class="source">.*?</p>', "", demo.partition('<section id="discrepancies">')[0], flags=re.S
    )
    assert "000_75a4cf886b356ddd.txt" not in outside


def test_a_figure_is_a_drawing_with_its_words_and_a_chart_with_its_data(demo: str) -> None:
    figure = demo.partition('<figure id="figure-tiny-losses">')[2].partition("</figure>")[0]
    assert "data:image" not in figure
    assert 'aria-label="Losses, &quot;falling&quot;."' in figure
    charts = json.loads(demo.partition('id="charts">')[2].partition("</script>")[0])
    (panel,) = charts["tiny-losses"]["panels"]
    assert (panel["title"], panel["epochs"]) == ("Training loss", [1, 2])
    assert panel["arms"][0]["mean"] == [0.91, 0.455]
    assert panel["arms"][0]["seeds"] == [[0.9, 0.45], [0.92, 0.46]]


def test_drawings_refer_to_definitions_that_are_there_once(demo: str) -> None:
    defined = re.findall(r' id="(d\d+)"', demo)
    assert len(defined) == len(set(defined))
    assert set(re.findall(r'href="#(d\d+)"', demo)) | set(re.findall(r"url\(#(d\d+)\)", demo)) <= set(defined)


def test_a_study_says_which_choice_of_what_is_unsaid_explains_most(tmp_path):
    asked = {"study": "tiny", "question": "size", "title": "Which size?", "answer": "Size 64 does."}
    other = {"study": "tiny", "question": "stem", "title": "Which stem?", "answer": "Cannot be told here."}
    choices = [
        {**asked, "choice": "size 64", "log_likelihood": -1.0},
        {**asked, "choice": "size 32", "log_likelihood": -2000.0},
    ]
    table = pd.DataFrame([*choices, other])
    page = words(rendered(tmp_path, planned_study(tmp_path / "config"), explanations=table))
    assert (
        "Which size? Size 64 does. All choices Choice Times less likely size 64 1 size 32 more than" in page
    )
    assert "Which stem? Cannot be told here. Words of the" in page
