"""Curves as small as a word."""

import math
import re

import pytest

from replication.report.sparklines import sparkline


def points(values: list[float]) -> list[tuple[int, int]]:
    found = re.findall(r"(-?\d+),(-?\d+)", sparkline(values, width=100, height=14))
    return [(int(x), int(y)) for x, y in found]


def test_a_line_has_two_ends_and_a_step_its_corners() -> None:
    assert points([1.0] * 101) == [(0, 2), (100, 2)]
    assert points([10 - value / 10 for value in range(101)])[:1] == [(0, 2)]
    assert points([1.0] * 51 + [0.0] * 50) == [(0, 2), (50, 2), (51, 12), (100, 12)]


def test_it_goes_from_nothing_to_the_highest_value() -> None:
    assert points([0.0, 5.0, 0.0]) == [(0, 12), (50, 2), (100, 12)]


@pytest.mark.parametrize("values", [[0.3], [0.0, 0.0], [math.nan, 1.0]])
def test_few_or_no_values_are_a_line_too(values: list[float]) -> None:
    assert len(points(values)) == 2
