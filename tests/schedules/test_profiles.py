import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from replication.schedules.profiles import (
    constant,
    cosine,
    floored_exponential,
    geometric,
    linear,
    polynomial,
    rex,
    stretch,
)

SQRT_HALF = math.sqrt(0.5)

PINNED = {
    "constant": (constant(0.3), [0.3, 0.3, 0.3, 0.3, 0.3]),
    "linear": (linear(1.0, 0.0), [1, 0.75, 0.5, 0.25, 0]),
    "linear to 0.2": (linear(1.0, 0.2), [1, 0.8, 0.6, 0.4, 0.2]),
    "linear rise": (linear(0.2, 1.0), [0.2, 0.4, 0.6, 0.8, 1]),
    "geometric rise": (geometric(0.0001, 1.0), [0.0001, 0.001, 0.01, 0.1, 1]),
    "polynomial 2": (polynomial(1.0, 0.0, 2.0), [1, 9 / 16, 1 / 4, 1 / 16, 0]),
    "polynomial 2 to 0.2": (polynomial(1.0, 0.2, 2.0), [1, 0.65, 0.4, 0.25, 0.2]),
    "polynomial 1/2": (polynomial(1.0, 0.0, 0.5), [1, math.sqrt(0.75), SQRT_HALF, 0.5, 0]),
    "cosine": (cosine(1.0, 0.0), [1, (1 + SQRT_HALF) / 2, 0.5, (1 - SQRT_HALF) / 2, 0]),
    "cosine to 0.2": (cosine(1.0, 0.2), [1, 0.6 + 0.4 * SQRT_HALF, 0.6, 0.6 - 0.4 * SQRT_HALF, 0.2]),
    "floored exponential": (
        floored_exponential(0.25, math.log(16)),
        [1, 0.625, 0.4375, 0.34375, 0.296875],
    ),
    "rex": (rex(), [1, 6 / 7, 2 / 3, 2 / 5, 0]),
    "rex of report 002's code": (rex(0.9), [1, 30 / 31, 10 / 11, 10 / 13, 0]),
}

DECAYS = {name: profile for name, (profile, values) in PINNED.items() if "rise" not in name}


@pytest.mark.parametrize(("profile", "values"), PINNED.values(), ids=PINNED)
def test_pinned_points(profile, values):
    assert [profile(quarter / 4) for quarter in range(5)] == pytest.approx(values, abs=1e-15)


@pytest.mark.parametrize("profile", [profile for profile, _ in PINNED.values()], ids=PINNED)
def test_progress_is_clamped(profile):
    assert profile(-0.5) == profile(0.0)
    assert profile(1.5) == profile(1.0)


@pytest.mark.parametrize("profile", DECAYS.values(), ids=DECAYS)
@given(progress=some.tuples(some.floats(0, 1), some.floats(0, 1)))
def test_decays_never_rise_and_stay_within_their_ends(profile, progress):
    earlier, later = sorted(progress)
    tolerance = 1e-15
    assert profile(earlier) >= profile(later) - tolerance
    assert profile(1.0) - tolerance <= profile(later) <= profile(0.0) + tolerance


@given(initial=some.floats(0.001, 1), final=some.floats(0.001, 1))
@pytest.mark.parametrize(
    "make", [linear, geometric, cosine, lambda first, last: polynomial(first, last, 3.0)]
)
def test_ends_are_the_given_values(make, initial, final):
    profile = make(initial, final)
    # Themselves: rounded, 1 + (0.1 - 1) is 0.09999999999999998.
    assert (profile(0.0), profile(1.0), profile(1.5)) == (initial, final, final)


def test_stretch_spreads_a_profile_over_epochs():
    curve = stretch(linear(1.0, 0.0), epochs=20)
    assert [curve(time) for time in (0, 5, 19, 20, 30)] == pytest.approx([1, 0.75, 0.05, 0, 0])
