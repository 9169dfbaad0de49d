import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as some

from replication.schedules import Budget
from replication.schedules.sampling import at_fractions, every_epoch, every_percent, every_step, sampled

BUDGETS = some.builds(Budget, steps=some.integers(1, 5_000), steps_per_epoch=some.integers(1, 300))
PERCENTS = some.integers(1, 1_000).map(lambda tenths: tenths / 10)
FRACTIONS = some.lists(some.integers(1, 999), min_size=1, max_size=5, unique=True).map(
    lambda thousandths: [number / 1000 for number in sorted(thousandths)]
)


def last_at_or_before(step, positions):
    """Slow reference: look at every position in turn, in exact fractions of a step."""
    found = Fraction(0)
    for position in positions:
        if position > step:
            break
        found = position
    return found


def percent_positions(percent, steps):
    period = Fraction(round(percent * 10), 10) * steps / 100
    position = Fraction(0)
    while True:
        yield position
        position += period


def fraction_positions(fractions, steps):
    return [Fraction(round(fraction * 1000), 1000) * steps for fraction in fractions]


def samplings(budget, percent, fractions):
    return {
        "every_step": every_step(budget.steps_per_epoch),
        "every_epoch": every_epoch(budget.steps_per_epoch),
        "every_percent": every_percent(percent, budget),
        "at_fractions": at_fractions(fractions, budget),
    }


@pytest.mark.parametrize("steps", [100, 1_000, 50_000])
@pytest.mark.parametrize("percent", [1, 2, 5, 10])
def test_each_percent_of_the_steps_starts_its_own_sample(steps, percent):
    sampling = every_percent(percent, Budget(steps, steps_per_epoch=1))
    period = steps * percent // 100
    for index in range(100 // percent):
        assert sampling(index * period) == index * period
        assert sampling((index + 1) * period - 1) == index * period


@pytest.mark.parametrize("tenths", [1, 3, 7, 9, 21, 35, 125, 333])
def test_each_sample_that_falls_on_a_whole_step_starts_there(tenths):
    """Where dividing by a rounded period, or by a rounded percentage, can be one sample late."""
    for steps in range(1, 2_000):
        period = Fraction(tenths, 1000) * steps
        sampling = every_percent(tenths / 10, Budget(steps, steps_per_epoch=1))
        for step in range(period.numerator, steps, period.numerator):
            assert sampling(step) == step


@given(budget=BUDGETS, percent=PERCENTS, share=some.floats(0, 1.2))
def test_every_percent_agrees_with_exact_fractions(budget, percent, share):
    step = int(share * budget.steps)
    expected = last_at_or_before(step, percent_positions(percent, budget.steps))
    assert every_percent(percent, budget)(step) == expected / budget.steps_per_epoch


@given(budget=BUDGETS, fractions=FRACTIONS, share=some.floats(0, 1.2))
def test_at_fractions_agrees_with_exact_fractions(budget, fractions, share):
    step = int(share * budget.steps)
    expected = last_at_or_before(step, fraction_positions(fractions, budget.steps))
    assert at_fractions(fractions, budget)(step) == expected / budget.steps_per_epoch


@given(budget=BUDGETS, step=some.integers(0, 10_000))
def test_every_step_and_every_epoch_agree_with_exact_fractions(budget, step):
    assert every_step(budget.steps_per_epoch)(step) == Fraction(step, budget.steps_per_epoch)
    assert every_epoch(budget.steps_per_epoch)(step) == math.floor(Fraction(step, budget.steps_per_epoch))


@given(budget=BUDGETS, percent=PERCENTS, fractions=FRACTIONS, step=some.integers(0, 6_000))
def test_samplings_start_at_0_never_look_ahead_and_never_go_back(budget, percent, fractions, step):
    for sampling in samplings(budget, percent, fractions).values():
        assert sampling(0) == 0
        assert sampling(step) <= sampling(step + 1)
        assert sampling(step) <= Fraction(step, budget.steps_per_epoch)


@given(budget=BUDGETS, percent=PERCENTS, fractions=FRACTIONS, step=some.integers(0, 6_000))
def test_samplings_are_idempotent(budget, percent, fractions, step):
    """The first step at or after the sampled position has the same sample."""
    for sampling in samplings(budget, percent, fractions).values():
        first = math.ceil(sampling(step) * budget.steps_per_epoch)
        assert first <= step
        assert sampling(first) == sampling(step)


def test_a_schedule_holds_the_value_between_samples():
    budget = Budget(steps=100, steps_per_epoch=10)
    schedule = sampled(lambda time: 10 - time, at_fractions([0.5, 0.75], budget))
    assert [schedule(step) for step in (0, 49, 50, 74, 75, 99, 100, 200)] == [
        10,
        10,
        5,
        5,
        2.5,
        2.5,
        2.5,
        2.5,
    ]


@pytest.mark.parametrize(("steps", "steps_per_epoch"), [(0, 1), (1, 0), (-5, 1)])
def test_an_empty_budget_is_refused(steps, steps_per_epoch):
    with pytest.raises(ValueError, match="at least one step"):
        Budget(steps, steps_per_epoch)
