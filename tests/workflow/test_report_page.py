"""The report as a page: whole, offline, and not cut off in a browser."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from selenium import webdriver

from chromium import chromium, open_page
from project import Project

pytestmark = pytest.mark.workflow

WIDTHS = (1280, 390)


class Page(HTMLParser):
    """Collects what the page refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.sources: list[str] = []
        self.images: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note ids, links, sources and images."""
        found = dict(attrs)
        self.ids += [found["id"]] if found.get("id") else []
        self.links += [found["href"] or ""] if "href" in found else []
        self.sources += [found["src"] or ""] if "src" in found else []
        self.images += [tag] if tag == "img" else []


@pytest.fixture(scope="module")
def text(finished: Project) -> str:
    return (finished.folder / "results/demo/report.html").read_text(encoding="utf-8")


def test_the_page_asks_no_host_for_anything(finished: Project, text: str) -> None:
    page = Page(text)
    folder = finished.folder / "results/demo"  # a run leads to its record there
    assert all(link.startswith(("#", "data:")) or (folder / link).is_file() for link in page.links)
    assert all(source.startswith("data:") for source in page.sources)
    assert not re.search(r"url\((?!#)|@import|<iframe|fetch\(|XMLHttpRequest", text)


def test_links_lead_somewhere_and_ids_are_unique(text: str) -> None:
    page = Page(text)
    # One with `=` in it is a filter.
    targets = {link.removeprefix("#") for link in page.links if link.startswith("#") and "=" not in link}
    assert targets
    assert targets <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_every_figure_has_an_alternative_text(text: str) -> None:
    drawings = re.findall(r'<svg class="drawing"[^>]*>', text)
    assert drawings
    assert all(re.search(r'role="img" aria-label="[^"]+"', drawing) for drawing in drawings)
    assert not Page(text).images


def test_the_page_says_that_demo_data_are_not_the_reports(text: str) -> None:
    assert "Demo scale" in text
    assert "Numbers and costs of the reports cannot be judged here" in text


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("chromium")) as chrome:
        yield chrome


def width_of_content(browser: webdriver.Chrome, path: Path, width: int) -> int:
    """Open the page on a screen of the given width, everything unfolded; return how wide its content is."""
    open_page(browser, path, width)
    browser.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
    return int(browser.execute_script("return document.documentElement.scrollWidth"))


@pytest.mark.browser
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_cut_off_and_the_console_is_quiet(
    finished: Project, browser: webdriver.Chrome, width: int
) -> None:
    assert width_of_content(browser, finished.folder / "results/demo/report.html", width) <= width
    assert browser.get_log("browser") == []


@pytest.mark.browser
def test_a_page_that_is_too_wide_would_be_noticed(browser: webdriver.Chrome, tmp_path: Path) -> None:
    page = tmp_path / "wide.html"
    page.write_text("<div style='width: 700px'>wide</div>")
    assert width_of_content(browser, page, 390) > 390


@pytest.mark.browser
def test_a_number_leads_to_its_runs(finished: Project, browser: webdriver.Chrome) -> None:
    browser.get((finished.folder / "results/demo/report.html").as_uri())
    browser.execute_script("document.querySelector('td a[href^=\"#arm-tiny-cosine\"]').click()")
    opened = "return document.getElementById('arm-tiny-cosine').open"
    assert browser.execute_script(opened) is True
