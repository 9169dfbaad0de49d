"""Intervals and tests of means over a few seeds, against scipy, statsmodels and by hand."""

import math

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as some
from scipy import stats

from replication.analysis.intervals import Interval, t_interval

LEVELS = some.sampled_from([0.8, 0.9, 0.95, 0.9875])
# Of three decimals, so that equal values and ties happen.
VALUES = some.integers(-3000, 3000).map(lambda number: number / 1000)
SAMPLES = some.lists(VALUES, min_size=2, max_size=8)


@settings(max_examples=50)
@given(values=SAMPLES, level=LEVELS)
def test_the_interval_is_that_of_scipy(values, level):
    assume(len(set(values)) > 1)
    low, high = stats.t.interval(
        level, len(values) - 1, loc=sum(values) / len(values), scale=stats.sem(values)
    )
    interval = t_interval(values, level)
    assert (interval.count, interval.level) == (len(values), level)
    assert interval.mean == pytest.approx(sum(values) / len(values), abs=1e-12)
    assert (interval.low, interval.high) == pytest.approx((low, high), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("values", "level", "half"),
    [
        ([1.0, 2.0, 3.0], 0.95, 4.302652729911275 / math.sqrt(3)),  # t(2) at 0.975, s = 1
        ([1.0, 3.0], 0.90, 6.313751514675043),  # t(1) at 0.95, s = sqrt(2), n = 2
        ([0.0, 0.0, 3.0, 3.0, 4.0], 0.95, 2.7764451051977987 * math.sqrt(3.5 / 5)),  # t(4) at 0.975
    ],
)
def test_the_interval_by_hand(values, level, half):
    interval = t_interval(values, level)
    assert interval.mean == 2.0
    assert (interval.low, interval.high) == pytest.approx((2 - half, 2 + half), rel=1e-9)


@pytest.mark.parametrize("values", [[], [0.3]])
def test_fewer_than_two_values_have_no_bounds(values):
    interval = t_interval(values, 0.9)
    assert (interval.count, interval.level) == (len(values), 0.9)
    assert math.isnan(interval.mean) if not values else interval.mean == 0.3
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)


@settings(max_examples=50)
@given(value=some.floats(-1e6, 1e6), count=some.integers(2, 12), level=LEVELS)
@example(value=0.1, count=3, level=0.9)  # whose sum, divided by 3, is not 0.1
def test_equal_values_have_an_interval_of_no_width_at_that_value(value, count, level):
    assert t_interval([value] * count, level) == Interval(count, value, value, value, level)
