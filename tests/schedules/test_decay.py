import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from sklearn.linear_model import SGDClassifier

from replication.schedules.decay import (
    exponential_decay,
    inverse_power,
    multi_step_decay,
    step_decay,
)
from replication.schedules.positions import whole_periods

CURVES = {
    "step": step_decay(30, 0.1),
    "multi-step": multi_step_decay([50, 75], 0.1),
    "exponential": exponential_decay(0.9, 2.0, staircase=False),
    "staircase": exponential_decay(0.9, 2.0, staircase=True),
    "inverse square root": inverse_power(5.0, 0.5),
    "time-based": inverse_power(5.0, 1.0),
    "inverse scaling": inverse_power(0.2, 0.25),
}


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("step", {0: 1, 29.99: 1, 30: 0.1, 59.99: 0.1, 60: 0.01, 90: 0.001, 120: 0.0001}),
        ("multi-step", {0: 1, 49.99: 1, 50: 0.1, 74.99: 0.1, 75: 0.01, 1000: 0.01}),
        ("exponential", {0: 1, 1: math.sqrt(0.9), 2: 0.9, 4: 0.81, 7: 0.9**3.5}),
        ("staircase", {0: 1, 1.99: 1, 2: 0.9, 3.99: 0.9, 4: 0.81, 7: 0.9**3}),
        ("time-based", {0: 1, 5: 1 / 2, 10: 1 / 3, 95: 1 / 20}),
        ("inverse scaling", {0: 1, 3: 1 / 2, 16: 1 / 3, 51: 1 / 4}),
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
    curve = inverse_power(time_scale, 0.5)
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


@pytest.mark.parametrize("alpha", [1e-4, 0.01])
@pytest.mark.parametrize("schedule", ["optimal", "invscaling"])
def test_scikit_learns_schedules(alpha, schedule):
    """What SGDClassifier subtracts at each sample: where the gradient is 1, the change of the intercept is the rate."""
    typical = math.sqrt(1 / math.sqrt(alpha))
    first = typical  # over max(1, |dloss(-typical)|), which is 1 for the hinge loss
    curve = inverse_power(1 / (alpha * first), 1.0) if schedule == "optimal" else inverse_power(1.0, 0.25)
    base = first if schedule == "optimal" else 0.1
    model = SGDClassifier(
        loss="hinge", penalty=None, alpha=alpha, learning_rate=schedule, eta0=0.1, power_t=0.25, shuffle=False
    )
    # A sample of all zeros trains the intercept alone, by the rate, for as long as its label is on the wrong side.
    model.coef_, model.intercept_, model.t_ = np.zeros((1, 1)), np.array([-1e6]), 1.0
    model.classes_ = np.array([0, 1])
    rates, before = [], None
    for _ in range(20):
        model.partial_fit(np.zeros((1, 1)), [1], classes=[0, 1])
        rates.append(model.intercept_[0] - before if before is not None else math.nan)
        before = model.intercept_[0]
    assert rates[1:] == pytest.approx([base * curve(time) for time in range(1, 20)], rel=1e-3)
