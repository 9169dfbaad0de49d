"""Drawings within the page: the same picture, with what they share once."""

import re

import matplotlib as mpl
from matplotlib.figure import Figure

from replication.report.drawing import own_style
from replication.report.figures import svg_of
from replication.report.inline_svg import Drawings


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
