"""Tests of means and shares, against scipy and by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from replication.analysis.comparisons import (
    difference,
    holm,
    one_mean,
    p_share_above_half,
    share_bounds,
)

SAMPLES = [
    ([0.91, 0.92, 0.90], [0.88, 0.89, 0.90]),
    ([0.5, 0.7, 0.6, 0.65, 0.55], [0.51, 0.52, 0.53, 0.50, 0.49]),
    ([3.0, 1.0, 2.0], [2.0, 3.0, 1.0]),
]


@pytest.mark.parametrize(("ours", "theirs"), SAMPLES)
def test_a_difference_is_tested_as_scipy_does_it(ours: list[float], theirs: list[float]) -> None:
    found = difference(ours, theirs, grain=0)
    for alternative, p in (("greater", found.p_above(0)), ("less", found.p_below(0))):
        expected = stats.ttest_ind(ours, theirs, equal_var=False, alternative=alternative).pvalue
        assert p == pytest.approx(expected, rel=1e-9)
    interval = stats.ttest_ind(ours, theirs, equal_var=False).confidence_interval(0.95)
    assert found.bounds(0.025) == pytest.approx((interval.low, interval.high), rel=1e-9)


def test_a_mean_and_a_further_run() -> None:
    values = [0.90, 0.92, 0.94, 0.96]  # mean 0.93, standard deviation sqrt(0.002 / 3)
    spread = math.sqrt(0.002 / 3)
    t = 3.182446305284263  # of 3 degrees of freedom at 2.5 %
    mean, run = one_mean(values, 0), one_mean(values, 0, predicts=True)
    assert mean.bounds(0.025) == pytest.approx((0.93 - t * spread / 2, 0.93 + t * spread / 2))
    half = t * spread * math.sqrt(1.25)
    assert run.bounds(0.025) == pytest.approx((0.93 - half, 0.93 + half))
    assert run.p_above(0.93 - half) == pytest.approx(0.025)


def test_equal_values_are_certain_unless_the_measure_moves_in_steps() -> None:
    assert one_mean([0.7] * 3, 0).p_above(0.7 - 1e-9) == 0
    assert one_mean([0.7] * 3, 0).p_above(0.7) == 1
    # Always one image of 200 more: it may be chance.
    ours, theirs = [0.705] * 5, [0.700] * 5
    assert difference(ours, theirs, 0).p_above(0) == 0
    assert difference(ours, theirs, 1 / 200).p_above(0) == pytest.approx(
        float(stats.t.sf(1 / math.sqrt(2 / 5), 8))
    )


def test_a_grain_is_a_least_spread_and_no_more() -> None:
    values = [0.5, 0.7, 0.9]
    assert one_mean(values, 0.01) == one_mean(values, 0)


@given(
    spread=st.floats(0.1, 3), effect=st.floats(0.2, 5), count=st.integers(3, 12), alpha=st.floats(1e-4, 0.05)
)
def test_the_seeds_that_would_decide_are_the_least_that_do(
    spread: float, effect: float, count: int, alpha: float
) -> None:
    start = difference(
        [effect + spread * (-1) ** n for n in range(count)], [spread * (-1) ** n for n in range(count)], 0
    )
    seeds = start.seeds_to_decide(start.mean, alpha, 400)

    def decides(n: int) -> bool:
        degrees = start.degrees * (n - 1) / (count - 1)
        return start.mean > float(stats.t.isf(alpha, degrees)) * start.spread / math.sqrt(n)

    if seeds is None:
        assert not decides(400)
    else:
        assert decides(seeds)
        assert seeds == count + 1 or not decides(seeds - 1)


@pytest.mark.parametrize(
    ("shown", "count", "p"),
    [(5, 5, 1 / 32), (7, 7, 1 / 128), (4, 5, 6 / 32), (0, 5, 1.0), (9, 10, 11 / 1024)],
)
def test_a_share_is_tested_against_one_half(shown: int, count: int, p: float) -> None:
    assert p_share_above_half(shown, count) == pytest.approx(p)


@pytest.mark.parametrize(("shown", "count"), [(0, 5), (2, 5), (5, 5), (9, 10)])
def test_the_interval_of_a_share_is_the_exact_one(shown: int, count: int) -> None:
    expected = stats.binomtest(shown, count).proportion_ci(0.95, method="exact")
    assert share_bounds(shown, count, 0.025) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(
    ("p_values", "levels"),
    [
        ([], []),
        ([0.01], [0.05]),
        ([0.01, 0.04], [0.025, 0.05]),
        ([0.04, 0.01], [0.05, 0.025]),
        ([0.03, 0.04], [0.025, 0.025]),
        ([0.001, 0.02, 0.03], [0.05 / 3, 0.025, 0.05]),
        ([0.001, 0.03, 0.02], [0.05 / 3, 0.05, 0.025]),
        ([0.02, 0.02, 0.02], [0.05 / 3] * 3),
    ],
)
def test_holms_levels_by_hand(p_values: list[float], levels: list[float]) -> None:
    assert holm(p_values, 0.05) == pytest.approx(levels)


@given(st.lists(st.floats(0, 1), max_size=8))
def test_what_holm_rejects_is_what_adjusted_p_values_reject(p_values: list[float]) -> None:
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, (len(p_values) - rank) * p_values[index])
        adjusted[index] = largest
    levels = holm(p_values, 0.05)
    for p, level, value in zip(p_values, levels, adjusted, strict=True):
        if abs(value - 0.05) > 1e-12:
            assert (p < level) == (value < 0.05)
