"""The report: each number from the tables, at its place."""

import re
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from places import REPORTS
from replication.analysis.intervals import t_interval
from replication.report.page import render
from replication.runs.plan import PlannedStudy
from replication.schedules import gallery
from replication.system.tables import read_table, write_table
from study_results import planned_study, write_results


def rendered(folder: Path, planned: PlannedStudy) -> str:
    study = write_results(folder, planned)
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


def words(text: str) -> str:
    """Return the page's text without tags, white space folded."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def test_a_claim_shows_both_numbers_and_the_verdict(demo: str) -> None:
    row = words(demo.partition('id="claim-tiny-cosine-accuracy"')[2].partition("</tr>")[0])
    low, high = t_interval([0.90, 0.92], 0.90).low, t_interval([0.90, 0.92], 0.90).high
    assert "90.00 % ± 5.00 %" in row
    assert f"91.00 % [{100 * low:.2f}, {100 * high:.2f}]" in row
    assert "not comparable demo scale, digits for mnist; on these data: inconclusive" in row


def test_an_order_shows_the_difference_with_its_sign(demo: str) -> None:
    row = words(demo.partition('id="claim-tiny-cosine-better"')[2].partition("</tr>")[0])
    assert "+9.00 %" in row
    assert "higher than 0" in row


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


@pytest.mark.slow
def test_the_banner_tells_the_reports_own_data(tmp_path: Path, demo: str) -> None:
    page = rendered(tmp_path, planned_study(tmp_path / "config", scale="laptop"))
    assert "no number here can be compared" in demo
    assert "no number here can be compared" not in page
    assert "laptop scale, the report's settings" in words(page).replace("&#39;", "'")


def test_the_scoreboard_counts_every_claim_once(demo: str, tmp_path: Path) -> None:
    counted = re.findall(r'<li><span class="badge [\w-]+">([\w ]+)</span> (\d+)</li>', demo)
    write_results(tmp_path, planned_study(tmp_path / "config"))
    assert sum(int(count) for _, count in counted) == len(read_table(tmp_path / "claims.csv"))
    assert dict(counted)["not comparable"] == "2"
