"""Events: what a curve shows."""

import math

import pytest

from replication.analysis.events import no_convergence, second_descent, stopped_too_early

NAN, INF = math.nan, math.inf
THRESHOLD = 0.1

CURVES = [
    ("falls", [3, 2, 1], False),
    ("rises", [1, 2, 3], False),
    ("falls and rises", [3, 1, 2], False),
    ("falls, rises, falls below", [3, 1, 2, 0.9], True),
    ("falls, rises, falls to where it was", [3, 1, 2, 1], False),
    ("falls, rises, falls not as low", [3, 1, 2, 1.01], False),
    ("rises by just the threshold", [2, 1, 1.1, 0.9], False),
    ("rises by just more", [2, 1, 1.1001, 0.9], True),
    ("rises by less, twice", [2, 1, 1.09, 1.0, 1.09, 0.9], False),
    ("rises from the lowest, not from the last", [2, 1, 1.05, 1.12, 0.9], True),
    ("rises from its last value, not from its lowest", [2, 1, 0.9, 1.0, 0.95, 0.8], True),
    ("falls slowly with small rises", [2, 1.9, 2.0, 1.8, 1.9, 1.7], False),
    ("does so from the start", [1, 2, 0.5], True),
    ("does so late", [5, 4, 3, 2, 1, 1.5, 1.2, 1.1, 0.99], True),
    ("falls below only long after", [2, 1, 2, 3, 4, 0.5, 9], True),
    ("is equal", [1, 1, 1, 1], False),
    ("has one value", [1], False),
    ("has none", [], False),
    ("is nothing but NaN", [NAN, NAN], False),
    ("has NaN between", [3, NAN, 1, NAN, 2, NAN, 0.9], True),
    ("has NaN for its rise", [3, 1, NAN, 0.9], False),
    ("has infinity for its rise", [3, 1, INF, 0.9], False),
    ("ends in NaN", [3, 1, 2, NAN], False),
    ("begins with NaN", [NAN, 1, 2, 0.9], True),
    ("has minus infinity for its fall", [3, 1, 2, -INF], False),
]


@pytest.mark.parametrize(
    ("losses", "shown"), [curve[1:] for curve in CURVES], ids=[curve[0] for curve in CURVES]
)
def test_a_curve_descends_a_second_time_if_it(losses, shown):
    assert second_descent(losses, THRESHOLD) is shown


@pytest.mark.parametrize(
    ("threshold", "shown"), [(0.01, True), (0.5, True), (0.99, True), (1.0, False), (3.0, False)]
)
def test_a_rise_is_measured_as_a_share_of_the_lowest_loss(threshold, shown):
    assert second_descent([0.4, 0.2, 0.4, 0.1], threshold) is shown


@pytest.mark.parametrize(
    ("value", "reference", "threshold", "shown"),
    [
        (0.39, 0.8, 0.5, True),
        (0.4, 0.8, 0.5, False),
        (0.41, 0.8, 0.5, False),
        (0.9, 0.8, 0.5, False),
        (0.9, 0.8, 1.2, True),
        (0.0, 0.8, 0.5, True),
        (NAN, 0.8, 0.5, True),
        (INF, 0.8, 0.5, True),
        (-INF, 0.8, 0.5, True),
    ],
)
def test_a_run_has_not_converged_below_a_share_of_its_reference(value, reference, threshold, shown):
    assert no_convergence(value, reference, threshold) is shown


@pytest.mark.parametrize(
    ("stopped", "whole", "shown"),
    [
        ([3, 2, 2.5], [3, 2, 2.5, 1.7], True),
        ([3, 2, 2.5], [3, 2, 2.5, 1.9], False),  # lower, and not by a tenth
        ([3, 2, 2.5], [3, 2, 2.5, 1.8], False),  # by just a tenth
        ([3, 2, 2.5], [3, 2, 2.5, 9, 9, 1], True),
        ([3, 2, 2.5], [3, 1, 2.5, 2.2], False),  # lower before the end of the first only
        ([3, 2, 2.5], [3, 2, 2.5], False),
        ([3, 2, 2.5], [3, 2], False),
        ([3, 1, 2], [3, 1, 2, 1.5], False),  # against the lowest, not the last
        ([3, 2, NAN], [3, 2, NAN, 1], True),
        ([3, 2, 3], [3, 2, 3, NAN, -INF], False),
        ([NAN, NAN], [NAN, NAN, 7], True),
        ([NAN, NAN], [NAN, NAN, NAN], False),
    ],
)
def test_a_run_was_stopped_too_early_if_it_would_have_fallen_further(stopped, whole, shown):
    assert stopped_too_early(stopped, whole, THRESHOLD) is shown
