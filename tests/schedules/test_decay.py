import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as some

from replication.schedules.decay import exponential_decay, inverse_square_root, multi_step_decay, step_decay
from replication.schedules.positions import whole_periods

CURVES = {
    "step": step_decay(30, 0.1),
    "multi-step": multi_step_decay([50, 75], 0.1),
    "exponential": exponential_decay(0.9, 2.0, staircase=False),
    "staircase": exponential_decay(0.9, 2.0, staircase=True),
    "inverse square root": inverse_square_root(5.0),
}


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("step", {0: 1, 29.99: 1, 30: 0.1, 59.99: 0.1, 60: 0.01, 90: 0.001, 120: 0.0001}),
        ("multi-step", {0: 1, 49.99: 1, 50: 0.1, 74.99: 0.1, 75: 0.01, 1000: 0.01}),
        ("exponential", {0: 1, 1: math.sqrt(0.9), 2: 0.9, 4: 0.81, 7: 0.9**3.5}),
        ("staircase", {0: 1, 1.99: 1, 2: 0.9, 3.99: 0.9, 4: 0.81, 7: 0.9**3}),
        ("inverse square root", {0: 1, 15: 1 / 2, 40: 1 / 3, 75: 1 / 4}),
    ],
)
def test_pinned_points(name, points):
    assert {time: CURVES[name](time) for time in points} == pytest.approx(points)


@pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES)
@given(times=some.tuples(some.floats(0, 300), some.floats(0, 300)))
def test_decays_never_rise(curve, times):
    earlier, later = sorted(times)
    assert 0 < curve(later) <= curve(earlier) <= 1


@pytest.mark.parametrize("time_scale", [1.0, 5.0, 12.5])
def test_inverse_square_root_after_a_warm_up_is_the_transformers_schedule(time_scale):
    """Vaswani et al.: min(T ** -0.5, T * s ** -1.5), divided by its peak s ** -0.5."""
    curve = inverse_square_root(time_scale)
    for since_warm_up in (0.0, 0.5, 3.0, 100.0):
        total = time_scale + since_warm_up
        vaswani = min(total**-0.5, total * time_scale**-1.5)
        assert curve(since_warm_up) == pytest.approx(vaswani / time_scale**-0.5)


@given(
    step=some.integers(0, 1_000_000),
    steps_per_epoch=some.integers(1, 5_000),
    hundredths=some.integers(1, 20_000),
)
def test_whole_periods_agrees_with_exact_fractions(step, steps_per_epoch, hundredths):
    exact = Fraction(step, steps_per_epoch) // Fraction(hundredths, 100)
    assert whole_periods(step / steps_per_epoch, hundredths / 100) == exact


def test_whole_periods_where_plain_division_falls_short():
    assert math.floor(0.7 / 0.1) == 6
    assert whole_periods(0.7, 0.1) == 7
