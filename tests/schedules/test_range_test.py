"""The learning-rate range test, and what is read off it: curves made by hand, so that the answers are known."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from replication.schedules import RangeSuggestion, build, range_test, suggest_range, until_divergence
from replication.schedules.range_test import smoothed
from replication.settings.schedule import RangeReading, RangeTest

PLAIN = RangeReading(smoothing=0, fall_share=0.25, safety_factor=2, fallback_factor=4)
RATES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
# Down by a fifth, half-way, to the lowest at the fifth rate, and up.
VALLEY = [2.0, 1.8, 1.5, 1.2, 1.0, 1.1, 1.6, 3.0]


@pytest.mark.parametrize(
    ("growth", "values"),
    [
        ("linear", {0: 0.01, 0.25: 0.2575, 0.5: 0.505, 1: 1, 1.5: 1}),
        ("exponential", {0: 0.01, 0.25: 10**-1.5, 0.5: 0.1, 1: 1, 1.5: 1}),
    ],
)
def test_the_rise_from_lowest_to_highest(growth, values):
    profile = range_test(0.01, growth)
    assert {progress: profile(progress) for progress in values} == pytest.approx(values)


@pytest.mark.parametrize("growth", ["linear", "exponential"])
def test_the_rate_rises_at_every_step_of_the_budget(growth):
    plan = build(RangeTest(name="range_test", minimum=0.01, growth=growth), steps_per_epoch=10, epochs=4)
    rates = [plan.learning_rate(step) for step in range(42)]
    assert rates == pytest.approx([range_test(0.01, growth)(step / 39) for step in range(42)])
    assert all(later > earlier for earlier, later in pairwise(rates[:40]))
    assert rates[39:] == [1, 1, 1]
    assert plan.momentum is None


def test_smoothing_is_a_weighted_mean_of_all_losses_so_far():
    losses = [3.0, 1.0, 4.0, 1.0, 5.0]
    for number, value in enumerate(smoothed(losses, 0.6), start=1):
        weights = [0.6 ** (number - index) for index in range(1, number + 1)]
        mean = sum(w * loss for w, loss in zip(weights, losses, strict=False)) / sum(weights)
        assert value == pytest.approx(mean)


@given(loss=some.floats(0.1, 10), smoothing=some.floats(0, 0.99), count=some.integers(1, 50))
def test_smoothing_keeps_a_constant(loss, smoothing, count):
    assert list(smoothed([loss] * count, smoothing)) == pytest.approx([loss] * count)


def test_without_smoothing_losses_stay():
    assert list(smoothed(VALLEY, 0)) == VALLEY


def test_losses_are_taken_up_to_the_first_that_has_diverged():
    asked = []

    def losses():
        for loss in (2.0, 1.0, 3.9, 4.1, 1.0):
            asked.append(loss)
            yield loss

    assert until_divergence(losses(), 0) == [2.0, 1.0, 3.9, 4.1]
    assert asked == [2.0, 1.0, 3.9, 4.1]


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_has_diverged(loss):
    assert until_divergence([2.0, 1.0, loss, 1.0], 0.5)[:2] == [2.0, 1.0]
    assert len(until_divergence([2.0, 1.0, loss, 1.0], 0.5)) == 3
    assert len(until_divergence([loss, 1.0], 0.5)) == 1


def test_divergence_is_that_of_the_smoothed_loss():
    losses = [1.0, 1.0, 1.0, 1.0, 5.0, 1.0]
    assert until_divergence(losses, 0) == losses[:5]
    assert until_divergence(losses, 0.9) == losses


def test_the_range_of_a_valley():
    """Lowest at rate 0.5, half of which is the maximum; a quarter of the fall, to 1.75, is passed at rate 0.3."""
    reading = PLAIN.model_copy(update={"safety_factor": 1.25})
    assert suggest_range(RATES, VALLEY, reading) == RangeSuggestion(0.3, 0.4, rises=True)


@pytest.mark.parametrize(("share", "minimum"), [(0.1, 0.2), (0.19, 0.2), (0.21, 0.3), (0.5, 0.3), (0.7, 0.4)])
def test_the_minimum_is_where_a_share_of_the_fall_has_passed(share, minimum):
    reading = PLAIN.model_copy(update={"fall_share": share, "safety_factor": 1.0})
    assert suggest_range(RATES, VALLEY, reading) == RangeSuggestion(minimum, 0.5, rises=True)


def test_a_dip_before_the_fall_is_not_the_minimum():
    losses = [2.0, 1.5, 2.0, 1.9, 1.0, 1.6, 1.6, 1.6]
    reading = PLAIN.model_copy(update={"safety_factor": 1.0})
    found = suggest_range([1, 2, 3, 4, 8, 9, 10, 11], losses, reading)
    assert found == RangeSuggestion(2.0, 8.0, rises=True)


def test_a_minimum_above_the_maximum_falls_back_on_a_factor():
    assert suggest_range(RATES, VALLEY, PLAIN) == RangeSuggestion(0.0625, 0.25, rises=True)


def test_what_follows_divergence_does_not_count():
    diverged = [*VALLEY[:6], 4.1, 0.1]
    reading = PLAIN.model_copy(update={"safety_factor": 1.25})
    assert suggest_range(RATES, diverged, reading) == suggest_range(RATES, VALLEY, reading)
    assert suggest_range(RATES, [*VALLEY[:6], math.nan, math.nan], reading) == RangeSuggestion(
        0.3, 0.4, rises=True
    )


def test_a_loss_that_only_falls_is_said_to():
    reading = PLAIN.model_copy(update={"safety_factor": 1.0})
    assert suggest_range(RATES[:5], VALLEY[:5], reading) == RangeSuggestion(0.3, 0.5, rises=False)
    losses = [2.0, 1.7, 1.5, 1.2, math.nan]
    assert suggest_range(RATES[:5], losses, reading) == RangeSuggestion(0.2, 0.4, rises=True)


@pytest.mark.parametrize(
    "losses",
    [
        pytest.param([2.0, 9.0, 1.0], id="diverged at once"),
        pytest.param([math.nan, 1.0, 1.0], id="NaN from the start"),
        pytest.param([math.inf, 1.0, 1.0], id="infinite from the start"),
        pytest.param([2.0, math.nan, 1.0], id="NaN after a step"),
        pytest.param([2.0, 2.1, 2.2], id="only rises"),
        pytest.param([2.0, 2.0, 2.0], id="stays"),
        pytest.param([2.0, 1.91, 2.0], id="falls by less than a twentieth"),
        pytest.param([0.0, 0.0, 0.0], id="nothing to fall"),
        pytest.param([2.0], id="one step"),
        pytest.param([], id="no step"),
    ],
)
def test_without_a_fall_there_is_no_range(losses):
    assert suggest_range(RATES, losses, PLAIN) is None


def test_a_fall_by_more_than_a_twentieth_is_one():
    assert suggest_range(RATES, [2.0, 1.89, 2.0], PLAIN) == RangeSuggestion(0.025, 0.1, rises=True)


@given(some.lists(some.floats(0.01, 10), min_size=2, max_size=30), some.floats(0, 0.95))
def test_a_range_lies_within_what_was_tested_or_below(losses, smoothing):
    rates = [0.01 * (step + 1) for step in range(len(losses))]
    found = suggest_range(rates, losses, RangeReading(smoothing=smoothing))
    if found is not None:
        assert 0 < found.minimum_rate < found.maximum_rate <= rates[-1] / 2


def test_noise_is_smoothed_away():
    """A noisy valley in 200 steps: what is read off is that of the valley, but for the lag of nine steps."""
    rates = [10 ** (-4 + 4 * step / 200) for step in range(200)]
    valley = [2.3 - 1.8 * math.exp(-(((step - 120) / 40) ** 2)) for step in range(200)]
    noisy = [loss + 0.2 * (-1) ** step for step, loss in enumerate(valley)]
    found = suggest_range(rates, noisy, RangeReading())
    assert found is not None
    assert rates[115] < found.maximum_rate * 2 < rates[135]
    # Without noise a tenth of the fall has passed at step 60.
    assert rates[57] < found.minimum_rate < rates[75]


def test_a_first_loss_that_is_high_by_chance_is_no_start():
    losses = [2.2, *[2.0] * 50]
    assert suggest_range(range(1, 52), losses, PLAIN) is not None
    assert suggest_range(range(1, 52), losses, RangeReading()) is None
