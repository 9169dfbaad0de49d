import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from replication.errors import ConfigurationError
from replication.schedules import Budget
from replication.schedules.one_cycle import Phases, one_cycle_momentum, one_cycle_rate
from replication.schedules.profiles import cosine, linear

STEPS_PER_EPOCH = 10


def phases(steps=101, warm_fraction=21 / 101, three_phases=False, annealing=linear):
    """With the defaults: a peak at step 20 and the end at step 100."""
    return Phases(Budget(steps, STEPS_PER_EPOCH), warm_fraction, three_phases, annealing)


def at_steps(curve, steps):
    return {step: curve(step / STEPS_PER_EPOCH) for step in steps}


LOW, FINAL = 1 / 4, 1 / 40
RATES = [
    (phases(), {0: LOW, 10: 0.625, 20: 1, 60: (1 + FINAL) / 2, 100: FINAL, 101: FINAL, 500: FINAL}),
    (phases(annealing=cosine), {0: LOW, 10: 0.625, 20: 1, 60: (1 + FINAL) / 2, 100: FINAL, 500: FINAL}),
    (
        phases(three_phases=True),
        {0: LOW, 20: 1, 30: 0.625, 40: LOW, 70: (LOW + FINAL) / 2, 100: FINAL, 101: FINAL},
    ),
]
MOMENTA = [
    (phases(), {0: 0.95, 10: 0.9, 20: 0.85, 60: 0.9, 100: 0.95, 101: 0.95}),
    (
        phases(three_phases=True),
        {0: 0.95, 10: 0.9, 20: 0.85, 30: 0.9, 40: 0.95, 70: 0.95, 100: 0.95, 101: 0.95},
    ),
]


@pytest.mark.parametrize(("shape", "points"), RATES)
def test_pinned_rates(shape, points):
    curve = one_cycle_rate(shape, initial_divisor=4.0, final_divisor=10.0)
    assert at_steps(curve, points) == pytest.approx(points)


@pytest.mark.parametrize(("shape", "points"), MOMENTA)
def test_pinned_momenta(shape, points):
    assert at_steps(one_cycle_momentum(shape, 0.85, 0.95), points) == pytest.approx(points)


def test_cosine_annealing_is_flat_at_the_ends_of_a_phase():
    curve = one_cycle_rate(phases(annealing=cosine), initial_divisor=4.0, final_divisor=10.0)
    assert curve(5 / STEPS_PER_EPOCH) == pytest.approx(LOW + (1 - LOW) * (1 - math.sqrt(0.5)) / 2)


@given(
    steps=some.integers(20, 2000),
    warm_fraction=some.floats(0.1, 0.5),
    three_phases=some.booleans(),
    share=some.floats(0, 2),
)
def test_rate_and_momentum_stay_within_their_bounds(steps, warm_fraction, three_phases, share):
    shape = phases(steps, warm_fraction, three_phases, cosine)
    time = share * steps / STEPS_PER_EPOCH
    assert 0 < one_cycle_rate(shape, 25.0, 1e4)(time) <= 1 + 1e-15
    assert 0.85 - 1e-15 <= one_cycle_momentum(shape, 0.85, 0.95)(time) <= 0.95 + 1e-15


@pytest.mark.parametrize(
    ("steps", "warm_fraction", "three_phases"), [(3, 0.3, False), (10, 0.1, False), (10, 0.55, True)]
)
def test_a_phase_without_a_step_is_refused(steps, warm_fraction, three_phases):
    with pytest.raises(
        ConfigurationError, match=f"one_cycle: {steps} steps with warm_fraction {warm_fraction}"
    ):
        one_cycle_rate(phases(steps, warm_fraction, three_phases), 25.0, 1e4)
