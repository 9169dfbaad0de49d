import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from replication.schedules.cyclical import exp_range, sgdr, triangular, triangular2
from replication.schedules.positions import Cycles
from replication.system.decimals import written

HALF_CYCLE, MINIMUM = 4.0, 0.2
CYCLES = {
    "triangular": triangular(HALF_CYCLE, MINIMUM),
    "triangular2": triangular2(HALF_CYCLE, MINIMUM),
    "exp_range": exp_range(HALF_CYCLE, MINIMUM, gamma=0.99, steps_per_epoch=10),
}


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("triangular", {0: 0.2, 2: 0.6, 4: 1, 6: 0.6, 8: 0.2, 12: 1, 16: 0.2, 17: 0.4}),
        ("triangular2", {0: 0.2, 2: 0.6, 4: 1, 6: 0.6, 8: 0.2, 12: 0.6, 16: 0.2, 20: 0.4}),
        (
            "exp_range",
            {0: 0.2, 2: 0.2 + 0.4 * 0.99**20, 4: 0.2 + 0.8 * 0.99**40, 8: 0.2, 12: 0.2 + 0.8 * 0.99**120},
        ),
    ],
)
def test_pinned_points_of_triangular_cycles(name, points):
    assert {time: CYCLES[name](time) for time in points} == pytest.approx(points)


@pytest.mark.parametrize("curve", CYCLES.values(), ids=CYCLES)
@given(time=some.floats(0, 1e5))
def test_triangular_cycles_stay_within_their_bounds(curve, time):
    assert MINIMUM - 1e-12 <= curve(time) <= 1


@pytest.mark.parametrize("curve", CYCLES.values(), ids=CYCLES)
@given(time=some.floats(0, 1000))
def test_triangular_cycles_have_no_jumps(curve, time):
    assert curve(time + 1e-6) == pytest.approx(curve(time), abs=1e-6)


def test_late_cycles_of_triangular2_fade_away():
    assert CYCLES["triangular2"](8.0 * 2000 + HALF_CYCLE) == MINIMUM


COSINE_QUARTER = (1 + math.sqrt(0.5)) / 2


@pytest.mark.parametrize(
    ("multiplier", "points"),
    [
        (1, {0: 1, 2.5: COSINE_QUARTER, 5: 0.5, 10: 1, 15: 0.5, 20: 1, 75: 0.5}),
        (2, {0: 1, 5: 0.5, 10: 1, 15: COSINE_QUARTER, 20: 0.5, 30: 1, 50: 0.5, 70: 1, 110: 0.5}),
    ],
)
def test_pinned_points_of_sgdr(multiplier, points):
    curve = sgdr(10.0, multiplier, final=0.0)
    assert {time: curve(time) for time in points} == pytest.approx(points)


def test_sgdr_falls_to_its_final_value_just_before_a_restart():
    curve = sgdr(10.0, 2, final=0.1)
    assert curve(10 - 1e-9) == pytest.approx(0.1)
    assert curve(30 - 1e-9) == pytest.approx(0.1)


@given(time=some.floats(0, 1000), first=some.floats(1, 50), multiplier=some.integers(1, 4))
def test_sgdr_stays_within_its_bounds_and_in_its_cycle(time, first, multiplier):
    start, length = Cycles(written(first), multiplier).at(time)
    assert start <= written(time) < start + length
    assert 0.1 - 1e-12 <= sgdr(first, multiplier, final=0.1)(time) <= 1


@pytest.mark.parametrize("restart", range(1, 40))
def test_sgdr_restarts_on_the_step_of_a_restart(restart):
    """In floating point, 1.1 added up again and again drifts away from the step's own time."""
    step, steps_per_epoch = 11 * restart, 10
    assert sgdr(1.1, 1, final=0.0)(step / steps_per_epoch) == pytest.approx(1.0)
