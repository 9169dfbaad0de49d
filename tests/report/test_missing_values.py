"""One way to say that there is no value, on every page, table and in every text that a person reads.

A results folder with none, half and all of its runs.
"""

import base64
import csv
import io
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from made_project import make_results, remember_derivations, tiny_plan, write_project
from project import STUDY, inside
from replication.analysis.power import describe
from replication.audit.auditor import run_audit
from replication.compare.comparison import compare
from replication.compare.results import read_results
from replication.compare.text import comparison_text
from replication.errors import ResultsError
from replication.progress.survey import survey
from replication.progress.text import progress_text
from replication.report.verdict_table import verdict_summary, verdict_table
from replication.trace.text import trace_text
from replication.trace.tracer import Tracer

NOT_WORDS = re.compile(r"(?<![\w-])[+-]?(nan|NaN|None|inf|Infinity|NaT)(?![\w-])")
RESULTS = Path("results/demo")

pytestmark = pytest.mark.slow


class Texts(HTMLParser):
    """What a reader of a page sees, or hears: text, titles and alternative texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.of = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note texts within a tag, and the text of the images that it holds."""
        self.of = tag
        for name, value in attrs:
            if name in ("alt", "title", "aria-label", "id", "href"):
                self.found.append(value or "")
            if name == "src" and value and value.startswith("data:image/svg+xml;base64,"):
                svg = base64.b64decode(value.partition(",")[2]).decode()
                self.found += re.findall(r"<!--(.*?)-->", svg, re.DOTALL)  # the words of outlined text

    def handle_data(self, data: str) -> None:
        """Note text."""
        if self.of not in ("style", "script"):
            self.found.append(data)


@pytest.fixture(scope="module", params=["none", "half", "all"])
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    write_project(folder)
    with inside(folder), pytest.MonkeyPatch.context() as patch:
        # The audit makes again what it compares.
        remember_derivations(patch)
        planned = len(tiny_plan().run_ids)
        make_results({"none": 0, "half": planned // 2, "all": planned}[request.param])
        screen, log = io.StringIO(), io.StringIO()
        run_audit({}, screen, log)
        (folder / "audit.txt").write_text(screen.getvalue() + log.getvalue())
    return folder


def texts(project: Path) -> Iterator[tuple[str, str]]:
    """Yield what a person reads there, with where it stands."""
    for page in ("report.html", "audit.html"):
        for text in Texts((project / RESULTS / page).read_text(encoding="utf-8")).found:
            yield page, text
    yield "audit.txt", (project / "audit.txt").read_text()
    for path in (project / RESULTS).rglob("*.csv"):
        for row in csv.reader(path.open(encoding="utf-8")):
            yield from ((path.name, cell) for cell in row)
    for path in (project / RESULTS).rglob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            yield path.name, json.dumps(cell.get("outputs", []))
    for path in (project / RESULTS).rglob("*.svg"):
        for words in re.findall(r"<!--(.*?)-->", path.read_text(encoding="utf-8"), re.DOTALL):
            yield path.name, words
    with inside(project):
        yield "verdicts", verdict_table(RESULTS)
        yield "verdict summary", verdict_summary(RESULTS, {})
        yield "forecast", describe([tiny_plan()])
        yield (
            "progress",
            progress_text(survey({STUDY: tiny_plan()}, "demo"), datetime.now(UTC), every_arm=True),
        )
        with suppress(ResultsError):  # there is nothing to compare
            yield "comparison", comparison_text(compare(read_results(RESULTS), read_results(RESULTS)))
        for chain in chains():
            yield "trace", trace_text(chain)
            yield "trace as JSON", json.dumps(chain, allow_nan=False)


def chains() -> Iterator[dict[str, object]]:
    tracer = Tracer(RESULTS, "config/studies")
    for claim in tracer.claims["id"]:
        yield tracer.claim(claim)
        for column in ("estimate", "low", "minus", "detail"):
            yield tracer.number(f"claims:{claim}:{column}")
    for run_id in tracer.runs["run_id"]:
        yield tracer.number(f"runs:{run_id}:epochs")
    yield tracer.number("summary:cosine:test_accuracy@last")


def test_nothing_is_not_a_number_and_nothing_is_none(project: Path) -> None:
    found = list(texts(project))
    assert len(found) > 300
    wrong = [(place, text) for place, text in found if NOT_WORDS.search(text)]
    assert wrong == []


def test_the_banner_says_what_is_there(project: Path) -> None:
    page = (project / RESULTS / "report.html").read_text(encoding="utf-8")
    said = {
        "no run is there yet, of 4 planned": project.name.startswith("none"),
        "2 planned runs are missing": project.name.startswith("half"),
        "4 runs on digits": not project.name.startswith("none"),
    }
    assert {words: words in page for words in said} == said


@pytest.mark.parametrize("text", ["+nan", "a: nan", "None", "(None)", "[inf, 1]", "-inf"])
def test_what_should_not_be_there_would_be_found(text: str) -> None:
    assert NOT_WORDS.search(text)
