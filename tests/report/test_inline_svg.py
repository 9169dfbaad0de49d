"""Drawings within the page: the same picture, with what they share once."""

import re

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from replication.report.drawing import own_style
from replication.report.figures import svg_of
from replication.report.inline_svg import Drawings, _compact


def drawn(title: str) -> str:
    with own_style():
        figure = Figure(figsize=(4, 3))
        axis = figure.subplots()
        axis.plot([0, 1, 2], [0.123456, 0.5, 0.25], "o-")
        axis.fill_between([0, 1, 2], 0, 0.5, alpha=0.2)
        axis.set_title(title)
    return svg_of(figure)


def test_two_drawings_share_their_letters() -> None:
    drawings = Drawings()
    first = drawings.inline(drawn("Loss"), "One.")
    size = len(drawings.definitions())
    second = drawings.inline(drawn("Loss"), "Two.")
    assert len(drawings.definitions()) == size
    assert first.replace("One.", "Two.") == second
    assert "<defs" not in first


def test_whatever_is_referred_to_is_defined_once() -> None:
    drawings = Drawings()
    page = drawings.inline(drawn("Loss"), "a") + drawings.inline(drawn("Accuracy"), "b")
    defined = re.findall(r' id="(\w+)"', drawings.definitions())
    assert len(defined) == len(set(defined))
    used = set(re.findall(r'href="#(\w+)"', page)) | set(re.findall(r"url\(#(\w+)\)", page))
    assert used
    assert used <= set(defined)
    assert not re.search(r' id="', page)


def test_letters_are_as_many_and_where_they_were() -> None:
    svg = drawn("Loss")
    page = Drawings().inline(svg, "a")
    assert page.count("<use") == svg.count("<use")
    shifts = [
        float(x)
        for x in re.findall(r'<use xlink:href="#DejaVuSans-[^"]*" transform="translate\(([\d.]+)', svg)
    ]
    kept = [float(x) for x in re.findall(r'<use[^>]* x="([\d.]+)"', page)]
    assert shifts
    assert all(any(abs(x - shift) < 0.051 for x in kept) for shift in shifts)


def test_it_is_half_as_large_and_says_what_it_shows() -> None:
    svg = drawn("Loss")
    page = Drawings().inline(svg, 'Losses, "falling" & more.')
    assert len(page) < len(svg) / 2
    assert 'aria-label="Losses, &quot;falling&quot; &amp; more."' in page
    assert "metadata" not in page
    assert mpl.__version__ not in page


def test_a_style_is_written_once() -> None:
    drawings = Drawings()
    page = drawings.inline(drawn("Loss"), "a") + drawings.inline(drawn("Accuracy"), "b")
    assert "style=" not in page.replace('style="--wide', "")
    styles = re.findall(r"\.(s\d+){([^}]*)}", drawings.definitions())
    assert len(styles) == len({style for _, style in styles})
    assert set(re.findall(r' class="(s\d+)"', page)) <= {name for name, _ in styles}
    assert any(style.startswith("fill:none;stroke:#") for _, style in styles)


@pytest.mark.parametrize(
    ("path", "shorter"),
    [
        ("M 0 0 L 1 2 L 3 4 z", "M0 0 1 2 3 4z"),
        ("M 0 0 M 1 1 L 2 2", "M0 0M1 1 2 2"),
        ("M 0 0 Q 1 1 2 2 Q 3 3 4 4 L 5 5 L 6 6", "M0 0Q1 1 2 2 3 3 4 4L5 5 6 6"),
        ("M 0 0 z M 1 1 z", "M0 0zM1 1z"),
        ("1.5 -2", "1.5 -2"),
    ],
)
def test_a_path_names_a_command_where_it_changes(path: str, shorter: str) -> None:
    assert _compact(path) == shorter
