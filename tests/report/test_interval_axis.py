"""The small axes: what is reported, and ours, each at its place."""

import re
from typing import Any

import pytest

from replication.report.interval_axis import EDGE, WIDTH, interval_axis

VALUE: dict[str, Any] = {
    "kind": "value",
    "side": "both",
    "minus": None,
    "expected": 0.9,
    "margin": 0.02,
    "estimate": 0.91,
    "low": 0.905,
    "high": 0.915,
}


def places(reading: dict[str, Any]) -> dict[str, float]:
    """Return where dot and band are."""
    axis = interval_axis(reading, "90.00 %", "91.00 %")
    (dot,) = re.findall(r'<circle class="ours" cx="([\d.]+)"', axis)
    ((start, width),) = re.findall(r'<rect class="said" x="([\d.]+)" y="3" width="([\d.]+)"', axis)
    return {"dot": float(dot), "start": float(start), "end": float(start) + float(width)}


def test_an_estimate_within_the_margin_is_within_the_band() -> None:
    found = places(VALUE)
    assert EDGE < found["start"] < found["dot"] < found["end"] < WIDTH - EDGE


def test_an_estimate_outside_of_the_margin_is_outside_of_the_band() -> None:
    found = places(VALUE | {"estimate": 0.95, "low": 0.94, "high": 0.96})
    assert found["end"] < found["dot"]


@pytest.mark.parametrize(("side", "edge"), [("at_least", "end"), ("at_most", "start")])
def test_a_one_sided_claim_has_a_band_to_the_edge(side: str, edge: str) -> None:
    assert places(VALUE | {"side": side})[edge] == pytest.approx(
        {"end": WIDTH - EDGE, "start": EDGE}[edge], abs=0.1
    )


def test_an_order_has_its_band_beyond_the_least_effect() -> None:
    order = VALUE | {
        "kind": "order",
        "expected": None,
        "margin": 0.01,
        "estimate": 0.02,
        "low": 0.015,
        "high": 0.03,
    }
    found = places(order)
    assert found["start"] < found["dot"]
    assert found["end"] == pytest.approx(WIDTH - EDGE, abs=0.1)
    assert places(order | {"estimate": -0.02})["dot"] < places(order | {"estimate": -0.02})["start"]


@pytest.mark.parametrize(("expected", "inside"), [(1.0, True), (0.0, False)])
def test_an_event_is_a_share_of_seeds(expected: float, *, inside: bool) -> None:
    event = VALUE | {
        "kind": "shape",
        "expected": expected,
        "margin": None,
        "estimate": 0.75,
        "low": 0.4,
        "high": 1.0,
    }
    found = places(event)
    assert (found["start"] <= found["dot"] <= found["end"]) is inside


def test_an_interval_that_is_far_too_wide_leaves_the_axis_with_arrows() -> None:
    wide = interval_axis(VALUE | {"low": -13.0, "high": 15.0}, "90.00 %", "91.00 %")
    narrow = interval_axis(VALUE, "90.00 %", "91.00 %")
    assert len(re.findall(r'class="interval" d="[^"]*l', wide)) == 2
    assert len(re.findall(r'class="interval" d="[^"]*l', narrow)) == 0
    assert places(VALUE | {"low": -13.0, "high": 15.0}) == places(VALUE)


def test_it_says_in_words_what_it_shows() -> None:
    assert 'aria-label="Reported: 90.00 %; ours: &lt;91 %"' in interval_axis(VALUE, "90.00 %", "<91 %")


def test_without_an_estimate_there_is_nothing_to_show() -> None:
    assert interval_axis(VALUE | {"estimate": None}, "90.00 %", "–") == ""
