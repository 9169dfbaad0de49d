"""Intervals and tests of means over a few seeds, against scipy, statsmodels and by hand."""

import gc
import math

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as some
from scipy import stats
from statsmodels.stats.multitest import multipletests

from replication.analysis.intervals import Interval, holm_levels, paired_p_value, t_interval

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


@settings(max_examples=50)
@given(differences=SAMPLES)
def test_the_p_value_is_that_of_scipys_paired_test(differences):
    assume(len(set(differences)) > 1)
    theirs = [0.25] * len(differences)
    ours = [0.25 + difference for difference in differences]
    expected = stats.ttest_rel(ours, theirs).pvalue
    assert paired_p_value(differences) == pytest.approx(expected, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(
    ("differences", "p"),
    [
        ([], 1.0),
        ([0.5], 1.0),
        ([0.0, 0.0, 0.0], 1.0),
        ([0.5, 0.5], 0.0),
        ([-0.1, -0.1, -0.1], 0.0),
        ([1.0, 3.0], 2 * math.atan(1 / 2) / math.pi),  # Student's t with 1 degree is Cauchy's; t = 2
        ([-1.0, 1.0], 1.0),
    ],
)
def test_p_values_by_hand(differences, p):
    assert paired_p_value(differences) == pytest.approx(p, rel=1e-9)


@pytest.mark.parametrize(
    ("p_values", "tested_at"),
    [
        ([], []),
        ([0.01], [0.05]),
        ([0.01, 0.04], [0.025, 0.05]),
        ([0.04, 0.01], [0.05, 0.025]),
        ([0.03, 0.04], [0.025, 0.025]),  # the first fails, and all after it at its level
        ([0.001, 0.02, 0.9, 0.021], [0.05 / 4, 0.05 / 3, 0.05 / 3, 0.05 / 3]),
        ([0.001, 0.01, 0.9, 0.02], [0.05 / 4, 0.05 / 3, 0.05, 0.05 / 2]),
        ([0.02, 0.02], [0.025, 0.05]),
    ],
)
def test_holms_levels_by_hand(p_values, tested_at):
    assert holm_levels(p_values, 0.05) == pytest.approx([1 - alpha for alpha in tested_at], abs=1e-15)


@pytest.fixture(scope="module")
def holm():
    """Return statsmodels' method, which collects garbage at each call: existing objects are exempted from that."""
    gc.freeze()
    yield lambda p_values, error_rate: multipletests(p_values, error_rate, method="holm")[0].tolist()
    gc.unfreeze()


@given(
    p_values=some.lists(some.floats(0, 1) | some.floats(0, 0.06), min_size=1, max_size=8),
    error_rate=some.sampled_from([0.01, 0.05, 0.1]),
)
def test_a_test_at_its_level_decides_as_holm_does(holm, p_values, error_rate):
    # On a border, the decision depends on the last bit.
    assume(all(abs(p * m - error_rate) > 1e-9 for p in p_values for m in range(1, len(p_values) + 1)))
    levels = holm_levels(p_values, error_rate)
    rejected = [p < 1 - level for p, level in zip(p_values, levels, strict=True)]
    assert rejected == holm(p_values, error_rate)


@pytest.mark.slow
@given(comparisons=some.lists(SAMPLES, min_size=1, max_size=6))
@example(comparisons=[[0.5, 0.5], [0.0, 0.0], [0.1, 0.2]])
def test_intervals_at_these_levels_leave_0_out_exactly_where_holm_rejects(holm, comparisons):
    p_values = [paired_p_value(differences) for differences in comparisons]
    assume(all(abs(p * m - 0.05) > 1e-9 for p in p_values for m in range(1, len(p_values) + 1)))
    levels = holm_levels(p_values, 0.05)
    intervals = [t_interval(d, level) for d, level in zip(comparisons, levels, strict=True)]
    leave_out = [not interval.low <= 0 <= interval.high for interval in intervals]
    assert leave_out == holm(p_values, 0.05)
