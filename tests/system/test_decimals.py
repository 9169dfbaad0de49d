"""Decimals as written, and the one comparison at a threshold, against exact fractions."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as some

from replication.system.decimals import exceeds, share_of, written


def test_a_float_is_the_decimal_that_it_is_written_as():
    assert written(0.1) == Fraction(1, 10)
    assert written(1e-07) == Fraction(1, 10**7)
    assert written(3) == 3
    assert written(Fraction(1, 3)) == Fraction(1, 3)


@given(whole=some.integers(0, 100_000), thousandths=some.integers(0, 1000))
def test_shares_are_those_of_fractions(whole, thousandths):
    assert share_of(whole, thousandths / 1000) == round(Fraction(thousandths * whole, 1000))


def test_a_half_goes_to_the_even_one():
    assert share_of(125, 0.644) == 80  # 80.5
    assert share_of(100, 0.575) == 58  # 57.5
    assert share_of(1000, 0.0005) == 0  # 0.5


@given(
    value=some.integers(-2_000, 2_000), other=some.integers(-2_000, 2_000), threshold=some.integers(0, 500)
)
@pytest.mark.parametrize("unit", [100, 1000, 12_000, 60, 7])
def test_multiples_of_a_unit_are_compared_as_whole_numbers(value, other, threshold, unit):
    assert exceeds(value / unit, other / unit, threshold / unit) == (value - other > threshold)


def test_equal_changes_are_judged_alike():
    assert not exceeds(0.4, 0.3, 0.1)
    assert not exceeds(0.5, 0.4, 0.1)
    assert 0.4 - 0.3 > 0.1  # what floats say


def test_without_a_threshold_any_higher_value_exceeds():
    assert exceeds(math.nextafter(0.3, 1), 0.3)
    assert not exceeds(0.3, 0.3)


@pytest.mark.parametrize("threshold", [0.0, 0.1])
def test_what_is_not_finite(threshold):
    assert exceeds(1.0, -math.inf, threshold)
    assert exceeds(math.inf, 1.0, threshold)
    assert not exceeds(-math.inf, -math.inf, threshold)
    assert not exceeds(math.inf, math.inf, threshold)
    assert not exceeds(math.nan, -math.inf, threshold)
    assert not exceeds(1.0, math.nan, threshold)
