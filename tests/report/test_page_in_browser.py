"""The report in a browser: its first screen, its filters, its curves, in the dark and on paper."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from chromium import chromium, emulate, open_page, requests
from report_page import rendered
from study_results import planned_study

pytestmark = [pytest.mark.browser, pytest.mark.slow]
FIRST_SCREENS = [(1280, 800), (390, 844)]
LARGEST = (
    500_000  # bytes of the page of a tiny study: mostly the library and the style, which every page holds
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of a study with intervals, both of whose statements hold."""
    folder = tmp_path_factory.mktemp("laptop")
    rendered(folder, planned_study(folder / "config", scale="laptop", seeds=4))
    return folder / "report.html"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of a study whose two statements have different verdicts."""
    folder = tmp_path_factory.mktemp("demo")
    rendered(folder, planned_study(folder / "config"))
    return folder / "report.html"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("chromium")) as chrome:
        yield chrome


@pytest.fixture
def browser(started: webdriver.Chrome) -> webdriver.Chrome:
    """Return the browser as on a screen in the light, its logs read."""
    emulate(started, prefers_color_scheme="light")
    requests(started)
    started.get_log("browser")
    return started


def run(browser: webdriver.Chrome, expression: str) -> Any:
    """Return the value of an expression of JavaScript."""
    return browser.execute_script(f"return {expression}")


def wait_for(browser: webdriver.Chrome, expression: str) -> Any:
    """Wait until an expression is true; return its value."""
    return WebDriverWait(browser, 60).until(lambda _: run(browser, expression))


def shown(browser: webdriver.Chrome) -> list[str]:
    """Return the statements that are shown."""
    rows = run(browser, "[...document.querySelectorAll('.statement:not([hidden])')].map(row => row.id)")
    return [name.removeprefix("claim-tiny-") for name in rows]


def panel(browser: webdriver.Chrome) -> WebElement:
    """Scroll to the study's figure and return its chart, once it is drawn."""
    run(browser, "document.getElementById('figure-tiny-losses').scrollIntoView({block: 'center'})")
    wait_for(browser, "document.querySelector('#figure-tiny-losses .panel[data-x][data-y]')")
    return browser.find_element(By.CSS_SELECTOR, "#figure-tiny-losses .panel")


def limits(frame: WebElement) -> dict[str, list[float]]:
    """Return the limits of the axes of a chart."""
    return {
        axis: [float(bound) for bound in (frame.get_attribute(f"data-{axis}") or "").split()] for axis in "xy"
    }


@pytest.mark.parametrize(("width", "height"), FIRST_SCREENS)
def test_the_first_screen_is_the_answer(
    page: Path, browser: webdriver.Chrome, width: int, height: int
) -> None:
    open_page(browser, page, width, height)
    bars, finding = (
        browser.find_element(By.CSS_SELECTOR, each).rect for each in (".report-bar", ".matters li")
    )
    assert bars["y"] + bars["height"] < height
    assert finding["y"] + finding["height"] < height
    audit = browser.find_element(By.ID, "audit")
    assert audit.rect["y"] > finding["y"]
    assert run(browser, "document.documentElement.scrollWidth") <= width


def test_a_part_of_a_bar_leads_to_its_statements(demo: Path, browser: webdriver.Chrome) -> None:
    open_page(browser, demo, 1280)
    browser.find_element(By.CSS_SELECTOR, ".segment.undecided").click()
    wait_for(browser, "document.querySelector('#filter [name=verdict]').value === 'undecided'")
    assert shown(browser) == ["cosine-better"]
    assert run(browser, "document.getElementById('shown').textContent") == "1 of 2 statements"


def test_filters_and_search_stand_in_the_address(demo: Path, browser: webdriver.Chrome) -> None:
    open_page(browser, demo, 1280)
    assert len(shown(browser)) == 2
    browser.find_element(By.CSS_SELECTOR, "option[value='not testable here']").click()
    wait_for(browser, "document.querySelectorAll('.statement:not([hidden])').length === 1")
    assert shown(browser) == ["cosine-accuracy"]
    browser.find_element(By.NAME, "q").send_keys("accuracy 0.9")
    assert shown(browser) == ["cosine-accuracy"]
    browser.find_element(By.NAME, "q").send_keys(" momentum")
    assert shown(browser) == []
    place = run(browser, "location.hash")
    assert place == "#verdict=not+testable+here&q=accuracy+0.9+momentum"
    open_page(browser, demo, 1280, place=place)
    assert shown(browser) == []
    browser.find_element(By.CSS_SELECTOR, "#filter [type=reset]").click()
    wait_for(browser, "document.querySelectorAll('.statement:not([hidden])').length === 2")


@pytest.mark.parametrize(
    "place", ["#claim-tiny-cosine-better", "#verdict=undecided&open=claim-tiny-cosine-better"]
)
def test_a_link_leads_to_one_statement(demo: Path, browser: webdriver.Chrome, place: str) -> None:
    open_page(browser, demo, 390, place=place)
    row = browser.find_element(By.ID, "claim-tiny-cosine-better")
    assert row.get_attribute("open")
    assert (
        run(browser, "document.getElementById('claim-tiny-cosine-better').getBoundingClientRect().top") < 900
    )


def test_a_link_to_a_statement_that_is_filtered_out_shows_it(demo: Path, browser: webdriver.Chrome) -> None:
    open_page(browser, demo, 1280, place="#verdict=not+testable+here")
    assert shown(browser) == ["cosine-accuracy"]
    browser.execute_script("location.hash = '#claim-tiny-cosine-better'")
    wait_for(browser, "document.getElementById('claim-tiny-cosine-better').open")
    assert len(shown(browser)) == 2


def test_statements_are_used_by_keyboard(demo: Path, browser: webdriver.Chrome) -> None:
    open_page(browser, demo, 1280)
    ActionChains(browser).send_keys("/").send_keys("better").perform()
    assert shown(browser) == ["cosine-better"]
    for _ in range(6):  # past the button and the links above it
        ActionChains(browser).send_keys(Keys.TAB).perform()
        if run(browser, "document.activeElement.matches('.statement > summary')"):
            break
    ActionChains(browser).send_keys(Keys.ENTER).perform()
    assert run(browser, "document.getElementById('claim-tiny-cosine-better').open") is True
    assert run(browser, "location.hash") == "#q=better&open=claim-tiny-cosine-better"


def test_dragging_zooms_and_a_button_goes_back(page: Path, browser: webdriver.Chrome) -> None:
    open_page(browser, page, 1280)
    before = limits(panel(browser))
    over = browser.find_element(By.CSS_SELECTOR, "#figure-tiny-losses .u-over")
    drag = ActionChains(browser).move_to_element_with_offset(over, -100, -60).click_and_hold()
    drag.move_by_offset(60, 40).move_by_offset(60, 40).release().perform()
    after = limits(panel(browser))
    for axis in "xy":
        assert before[axis][0] < after[axis][0] < after[axis][1] < before[axis][1]
    browser.find_element(By.XPATH, "//*[@id='figure-tiny-losses']//button[text()='Whole range']").click()
    assert limits(panel(browser)) == before


def test_a_chart_is_read_and_zoomed_by_keyboard(page: Path, browser: webdriver.Chrome) -> None:
    open_page(browser, page, 1280)
    frame = panel(browser)
    before = limits(frame)["x"]
    run(browser, "document.querySelector('#figure-tiny-losses .panel').focus()")
    ActionChains(browser).send_keys(Keys.END).perform()
    assert frame.text.endswith("Epoch 2: Cosine 0.455; Loss probing 0.41")
    ActionChains(browser).send_keys("+").perform()
    WebDriverWait(browser, 60).until(lambda _: limits(frame)["x"] != before)


def test_a_name_hides_its_arm(page: Path, browser: webdriver.Chrome) -> None:
    open_page(browser, page, 1280)
    frame = panel(browser)
    names = browser.find_elements(By.CSS_SELECTOR, "#figure-tiny-losses .arms button")
    assert [name.text for name in names] == ["Cosine", "Loss probing"]
    names[0].click()
    assert names[0].get_attribute("aria-pressed") == "false"
    run(browser, "document.querySelector('#figure-tiny-losses .panel').focus()")
    ActionChains(browser).send_keys(Keys.END).perform()
    assert frame.text.endswith("Epoch 2: Loss probing 0.41")


def test_a_chart_shows_single_seeds_on_a_logarithmic_axis(page: Path, browser: webdriver.Chrome) -> None:
    open_page(browser, page, 1280)
    linear = limits(panel(browser))["y"]
    for text in ("Logarithmic", "Single seeds"):
        button = browser.find_element(By.XPATH, f"//*[@id='figure-tiny-losses']//button[text()='{text}']")
        button.click()
        assert button.get_attribute("aria-pressed") == "true"
    assert limits(panel(browser))["y"] != linear


@pytest.mark.parametrize("width", [width for width, _ in FIRST_SCREENS])
def test_nothing_is_asked_for_and_the_console_is_quiet(
    page: Path, browser: webdriver.Chrome, width: int
) -> None:
    open_page(browser, page, width)
    panel(browser)
    assert run(browser, "document.documentElement.scrollWidth") <= width
    asked = [address for address in requests(browser) if not address.startswith(("data:", "about:"))]
    assert asked == [page.as_uri()]
    assert browser.get_log("browser") == []


def brightness(colour: str) -> float:
    """Return the mean of red, green and blue of a computed colour, from 0 to 255."""
    parts = [float(part) for part in colour.partition("(")[2].rstrip(")").split(",")]
    return sum(parts[:3]) / 3


def test_it_is_dark_for_those_who_prefer_that(page: Path, browser: webdriver.Chrome) -> None:
    emulate(browser, prefers_color_scheme="dark")
    open_page(browser, page, 1280)
    paper, ink = (
        brightness(run(browser, f"getComputedStyle(document.body).{name}"))
        for name in ("backgroundColor", "color")
    )
    assert paper < 40
    assert ink > 200


def test_paper_shows_drawings_and_everything_that_opens(page: Path, browser: webdriver.Chrome) -> None:
    open_page(browser, page, 1280)
    panel(browser)
    visible = "getComputedStyle(document.querySelector('#figure-tiny-losses {}')).display !== 'none'"
    assert [run(browser, visible.format(each)) for each in (".chart", ".drawn")] == [True, False]
    emulate(browser, media="print", prefers_color_scheme="light")
    assert [run(browser, visible.format(each)) for each in (".chart", ".drawn")] == [False, True]
    run(browser, "dispatchEvent(new Event('beforeprint'))")
    assert run(browser, "document.querySelectorAll('main details:not([open])').length") == 0
    run(browser, "dispatchEvent(new Event('afterprint'))")
    assert run(browser, "document.querySelectorAll('main details:not([open])').length") > 0


def test_without_scripts_there_are_drawings(page: Path, browser: webdriver.Chrome) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        open_page(browser, page, 1280)
        found = browser.execute_cdp_cmd("DOM.getDocument", {"depth": 0})["root"]["nodeId"]
        drawing = browser.execute_cdp_cmd(
            "DOM.querySelector", {"nodeId": found, "selector": "#figure-tiny-losses .drawing"}
        )
        box = browser.execute_cdp_cmd("DOM.getBoxModel", {"nodeId": drawing["nodeId"]})["model"]
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert box["width"] > 300
    assert box["height"] > 100


def test_what_every_page_holds_is_small(page: Path) -> None:
    assert page.stat().st_size < LARGEST
    text = page.read_text(encoding="utf-8")
    assert len(json.loads(text.partition('id="charts">')[2].partition("</script>")[0])) == 1
