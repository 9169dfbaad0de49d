"""The page of known discrepancies: its quotes, its places, and its numbers against plain calculations."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_sample_images
from torch.optim import lr_scheduler

from places import ROOT
from replication.errors import ConfigurationError
from replication.report import parts
from replication.report.discrepancies import Discrepancy, discrepancies_html, load_discrepancies
from replication.report.discrepancy_facts import (
    FACTS,
    deviations_by_pixel_and_by_image,
    epochs_before_plateau_drop,
    facts_text,
    momentum_after_drop,
    torch_multipliers,
)
from replication.report.report_facts import load_reports
from reports import FOLDER, MISSING, plain

CONTENT = ROOT / "reports/discrepancies.yaml"
TEMPLATE = ROOT / "reports/discrepancies.html.j2"
FACTS_PATH = CONTENT.with_name(parts.FACTS)
ONE = """
groups:
  - title: A group
    kind: definition
    discrepancies:
      - {{id: one, title: One, differ: "{differ}", ours: Ours, where: [README.md]}}
"""


@pytest.fixture(scope="module")
def discrepancies() -> list[Discrepancy]:
    return [each for group in load_discrepancies(CONTENT).groups for each in group.discrepancies]


@pytest.mark.skipif(FOLDER is None, reason=MISSING)
def test_every_quote_of_the_page_stands_in_its_report(discrepancies: list[Discrepancy]) -> None:
    quotes = [quote for each in discrepancies for quote in each.quotes]
    texts = {
        quote.report: plain((Path(FOLDER or "") / quote.report).read_text(encoding="utf-8"))
        for quote in quotes
    }
    assert [quote for quote in quotes if plain(quote.words) not in texts[quote.report]] == []
    assert len(texts) == 5, "every report has been read for discrepancies"


def test_every_place_is_there(discrepancies: list[Discrepancy]) -> None:
    places = [place.partition(": ") for each in discrepancies for place in each.where]
    assert [file for file, _, _ in places if not (ROOT / file).is_file()] == []
    missing = [
        (file, name)
        for file, _, names in places
        for name in names.split(", ")
        if name.rpartition(".")[2] not in (ROOT / file).read_text(encoding="utf-8")
    ]
    assert missing == []


def test_names_are_distinct(discrepancies: list[Discrepancy]) -> None:
    names = [each.id for each in discrepancies]
    assert len(set(names)) == len(names)


def test_each_number_that_is_computed_is_shown(discrepancies: list[Discrepancy]) -> None:
    assert set(re.findall(r"{(\w+)}", CONTENT.read_text(encoding="utf-8"))) == set(FACTS)
    assert [each.id for each in discrepancies if "{" in each.differ + each.ours] == []


def test_every_discrepancy_is_a_row_with_its_words_escaped(discrepancies: list[Discrepancy]) -> None:
    page = discrepancies_html(CONTENT, TEMPLATE, load_reports(ROOT / "reports/reports.yaml"))
    assert re.findall(r'<tr id="discrepancy-([\w-]+)">', page) == [each.id for each in discrepancies]
    assert "0.667 of the peak half-way" in page
    assert ">Optimizing Runtime</span>" in page


def test_the_file_of_numbers_holds_what_is_computed() -> None:
    """Else: `python -m replication facts > reports/discrepancy-facts.json`."""
    assert FACTS_PATH.read_text(encoding="utf-8") == facts_text()


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Return where a page may be, beside the file of numbers."""
    shutil.copy(FACTS_PATH, tmp_path)
    return tmp_path / "page.yaml"


def test_words_are_escaped(page: Path) -> None:
    page.write_text(ONE.format(differ="a < {rex_half}"), encoding="utf-8")
    assert "a &lt; 0.667" in discrepancies_html(page, TEMPLATE, {})


def test_a_number_that_nothing_computes_is_named(page: Path) -> None:
    page.write_text(ONE.format(differ="{rex_halve}"), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"page.yaml: one: `differ`: .*`rex_halve`.*rex_half"):
        load_discrepancies(page)


@pytest.mark.parametrize(
    ("fact", "text"),
    [
        # By hand: (1/2) / (1 - d + d / 2) for d = 1/2, 1/10 and 9/10.
        ("rex_half", "0.667"),
        ("rex_half_low", "0.526"),
        ("rex_half_high", "0.909"),
        # A third, and the rest of the way in five equal steps, or at once.
        ("linear_torch", "0.333, 0.467, 0.6, 0.733, 0.867, 1, 1"),
        ("constant_torch", "0.333, 0.333, 0.333, 0.333, 0.333, 1, 1"),
        ("cosine_torch_past", "0.5"),
        ("cosine_past", "0"),
        # Of the fall from step 299 to 999, 451 / 700 is done: (1 + cos(0.6443 pi)) / 2. With three phases, of the last
        # one, from 1 / 25 at step 598: 152 / 401.
        ("one_cycle_cosine", "0.281"),
        ("one_cycle_linear", "0.0248"),
        ("plateau_torch", "3"),
        ("plateau_ours", "2"),
        ("momentum_torch", "1"),
        ("momentum_inside", "9.1"),
        ("adam_epsilon_torch", "1e-08"),
        ("cycles_10_2", "10, 20, 40"),
        ("cycles_10_2_total", "70"),
        ("cycle_of_stepsize_2", "4"),
        ("cycle_of_stepsize_10", "20"),
        ("restart_end", "1"),
        ("triangular_end", "0"),
        ("step_halving_3", "1, 1, 1"),
        ("step_30", "0.001"),
        ("step_30_by", "-0.09"),
        ("exp_range_100", f"{0.999**50:.3g}"),
        ("exp_range_1000", f"{0.999**500:.3g}"),
        ("exponential_epochs", f"{0.9**70:.3g}"),
        ("exponential_slow", f"{0.99**70:.3g}"),
    ],
)
def test_numbers_of_the_page(fact: str, text: str) -> None:
    assert FACTS[fact]() == text


def test_multipliers_of_a_scheduler_begin_before_the_first_step() -> None:
    assert torch_multipliers(lambda optimizer: lr_scheduler.StepLR(optimizer, 2, 0.5), 5) == [
        1,
        1,
        0.5,
        0.5,
        0.25,
    ]


@pytest.mark.parametrize("patience", [0, 1, 5])
def test_torch_waits_one_epoch_more_than_its_patience(patience: int) -> None:
    assert epochs_before_plateau_drop(patience) == patience + 1


def test_the_forms_of_momentum_differ_only_if_the_rate_changes() -> None:
    torchs, others = momentum_after_drop(1.0)
    assert torchs == pytest.approx(others)
    velocity, buffer = 0.0, 0.0
    for _ in range(500):
        velocity, buffer = 0.9 * velocity + 1.0, 0.9 * buffer + 1.0
    assert momentum_after_drop(0.1) == pytest.approx((0.1 * (0.9 * velocity + 1.0), 0.9 * buffer + 0.1))


def test_deviations_are_those_of_numpy() -> None:
    patches = [
        photograph[row : row + 32, column : column + 32, 0] / 255
        for photograph in load_sample_images().images
        for row in range(0, 13 * 32, 32)
        for column in range(0, 20 * 32, 32)
    ]
    assert deviations_by_pixel_and_by_image() == pytest.approx(
        (np.std(patches), np.mean([np.std(patch) for patch in patches]))
    )
