"""Every position in time against fractions, which a slow reference finds by going through all of them in turn."""

import math
from bisect import bisect_right
from fractions import Fraction
from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import TypeAdapter

from replication.schedules import build
from replication.schedules.cycles import cycle_ends
from replication.schedules.positions import Cycles, progress, whole_periods, whole_steps
from replication.settings.schedule import ScheduleSettings

EPOCHS = 400
EVERY_STEP = {"name": "every_step"}
TENTHS = some.integers(10, 159)
STEPS_PER_EPOCH = some.integers(1, 40) | some.sampled_from([235, 391, 1000])


def settings(name, **fields):
    return TypeAdapter(ScheduleSettings).validate_python({"name": name, **fields})


def starts_of(first, multiplier):
    """Yield where each cycle starts, by adding up lengths."""
    start, length = Fraction(0), first
    while True:
        yield start
        start, length = start + length, length * multiplier


def starts_until(end, first, multiplier):
    found = []
    for start in starts_of(first, multiplier):
        if start > end:
            return found
        found.append(start)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("multiplier", [1, 2, 3])
def test_sgdr_restarts_in_every_epoch_in_which_it_should(multiplier):
    """All lengths of the first cycle from 1.0 to 15.9 epochs, one step an epoch, 400 epochs, restarts or not."""
    for tenths in range(10, 160):
        schedule = settings("sgdr", first_cycle_epochs=tenths / 10, cycle_multiplier=multiplier)
        rate = build(schedule, 1, EPOCHS).learning_rate
        rates = [rate(epoch) for epoch in range(EPOCHS)]
        starts = starts_until(EPOCHS, Fraction(tenths, 10), multiplier)
        restarts = {int(start) for start in starts if start.denominator == 1}
        found = {epoch for epoch in range(EPOCHS) if rates[epoch] == 1.0}
        assert found == {epoch for epoch in restarts if epoch < EPOCHS}, tenths
        assert all(value > 0 for value in rates), tenths
        ends = sorted({math.ceil(start) for start in starts[1:]})
        assert cycle_ends(schedule, 1, EPOCHS) == ends, tenths


def test_the_55th_restart_after_1_2_epochs_is_in_epoch_66():
    rate = build(settings("sgdr", first_cycle_epochs=1.2), steps_per_epoch=1, epochs=100).learning_rate
    assert rate(66) == 1.0


def test_cycles_end_where_the_plan_ends_them():
    """A warm-up of half an epoch takes 118 of 235 steps, and cycles end after 2.002, 3.502, ... epochs."""
    warm_up = {"name": "linear", "epochs": 0.5, "start": 0.1}
    by_step = settings("sgdr", first_cycle_epochs=1.5, warm_up=warm_up, sampling=EVERY_STEP)
    assert cycle_ends(by_step, 235, 7) == [3, 4, 6, 7]
    assert cycle_ends(by_step, 236, 7) == [2, 4, 5, 7]
    # Read once an epoch, counted from the end of the warm-up, the rate rises again only half-way through the next.
    by_epoch = settings("sgdr", first_cycle_epochs=1.5, warm_up=warm_up)
    assert cycle_ends(by_epoch, 235, 7) == cycle_ends(by_epoch, 236, 7) == [3, 4, 6, 7]


def samplings():
    percents = some.integers(1, 999).map(lambda tenths: {"name": "every_percent", "percent": tenths / 10})
    shares = some.lists(some.integers(1, 999), min_size=1, max_size=4, unique=True)
    fractions = shares.map(lambda s: {"name": "at_fractions", "fractions": [n / 1000 for n in sorted(s)]})
    return some.sampled_from([EVERY_STEP, {"name": "every_epoch"}]) | percents | fractions


WARM_UPS = some.none() | some.integers(1, 250).map(lambda hundredths: hundredths / 100)


@given(
    tenths=TENTHS,
    multiplier=some.integers(1, 3),
    steps_per_epoch=some.integers(1, 9),
    warm=WARM_UPS,
    sampling=samplings(),
    epochs=some.integers(3, 20),
)
def test_cycle_ends_are_the_epochs_with_the_last_step_of_a_cycle(
    tenths, multiplier, steps_per_epoch, warm, sampling, epochs
):
    """Reference: go through the steps of the plan, and see at which the number of the cycle changes."""
    warm_steps = 0 if warm is None else round(Fraction(str(warm)) * steps_per_epoch)
    if warm is not None and warm_steps < 1:
        return
    warm_up = warm and {"name": "constant", "epochs": warm, "start": 0.5}
    schedule = settings(
        "sgdr",
        first_cycle_epochs=tenths / 10,
        cycle_multiplier=multiplier,
        sampling=sampling,
        warm_up=warm_up,
    )
    steps = epochs * steps_per_epoch - warm_steps
    starts = starts_until(Fraction(epochs), Fraction(tenths, 10), multiplier)
    times = [*read_at(sampling, steps, steps_per_epoch), Fraction(steps, steps_per_epoch)]
    numbers = [sum(start <= time for start in starts) for time in times]
    changes = [step for step, (a, b) in enumerate(pairwise(numbers), start=1) if a != b]
    ends = sorted({math.ceil(Fraction(warm_steps + step, steps_per_epoch)) for step in changes})
    if ends:
        assert cycle_ends(schedule, steps_per_epoch, epochs) == ends


def read_at(sampling, steps, steps_per_epoch):
    """Return the time at which the curve is read for each step."""
    match sampling["name"]:
        case "every_step":
            places = [Fraction(step) for step in range(steps)]
        case "every_epoch":
            places = [Fraction(step) for step in range(0, steps, steps_per_epoch)]
        case "every_percent":
            period = Fraction(str(sampling["percent"])) * steps / 100
            places = [number * period for number in range(math.ceil(steps / period))]
        case "at_fractions":
            places = [Fraction(0), *(Fraction(str(share)) * steps for share in sampling["fractions"])]
    return [places[bisect_right(places, step) - 1] / steps_per_epoch for step in range(steps)]


@given(tenths=TENTHS, gamma=some.sampled_from([0.1, 0.5]), steps_per_epoch=STEPS_PER_EPOCH)
def test_steps_and_staircases_drop_on_the_first_step_at_or_after_each_period(tenths, gamma, steps_per_epoch):
    period = Fraction(tenths, 10)
    curves = [
        settings("step", step_epochs=tenths / 10, gamma=gamma, sampling=EVERY_STEP),
        settings(
            "exponential", decay_rate=gamma, decay_epochs=tenths / 10, staircase=True, sampling=EVERY_STEP
        ),
    ]
    for curve in curves:
        rate = build(curve, steps_per_epoch, EPOCHS).learning_rate
        for number in range(1, 20):
            first = math.ceil(number * period * steps_per_epoch)
            assert (rate(first - 1), rate(first)) == (gamma ** (number - 1), gamma**number)


@given(
    hundredths=some.lists(some.integers(1, 9_999), min_size=1, max_size=6, unique=True).map(sorted),
    steps_per_epoch=STEPS_PER_EPOCH,
    warm=WARM_UPS,
)
def test_milestones_drop_on_the_first_step_at_or_after_them(hundredths, steps_per_epoch, warm):
    warm_steps = 0 if warm is None else round(Fraction(str(warm)) * steps_per_epoch)
    if warm is not None and warm_steps < 1:
        return
    schedule = settings(
        "multi_step",
        milestones=[number / 100 for number in hundredths],
        gamma=0.5,
        sampling=EVERY_STEP,
        warm_up=warm and {"name": "constant", "epochs": warm, "start": 0.5},
    )
    rate = build(schedule, steps_per_epoch, 110).learning_rate
    assert rate(warm_steps) == 1.0
    if warm_steps:
        assert rate(warm_steps - 1) == 0.5
    firsts = [warm_steps + math.ceil(Fraction(number, 100) * steps_per_epoch) for number in hundredths]
    for first in firsts:
        assert rate(first) == 0.5 ** sum(other <= first for other in firsts)
        before = sum(other <= first - 1 for other in firsts)
        assert rate(first - 1) == 0.5**before or first - 1 < warm_steps


@given(tenths=some.integers(1, 159), steps_per_epoch=STEPS_PER_EPOCH, name=some.sampled_from([1, 2]))
def test_triangles_are_lowest_and_highest_where_half_cycles_meet_a_step(tenths, steps_per_epoch, name):
    half = Fraction(tenths, 10)
    schedule = settings(
        "triangular" if name == 1 else "triangular2", half_cycle_epochs=tenths / 10, minimum=0.25
    )
    rate = build(schedule, steps_per_epoch, EPOCHS).learning_rate
    for number in count():
        place = number * half * steps_per_epoch
        if place >= 50 * steps_per_epoch:
            break
        if place.denominator == 1:
            height = 1.0 if name == 1 else 0.5 ** (number // 2)
            assert rate(int(place)) == (0.25 if number % 2 == 0 else 0.25 + 0.75 * height)


@given(
    first=TENTHS,
    multiplier=some.integers(1, 3),
    step=some.integers(0, 100_000),
    steps_per_epoch=some.integers(1, 5_000),
)
def test_a_time_is_in_the_last_cycle_that_has_started(first, multiplier, step, steps_per_epoch):
    time = Fraction(step, steps_per_epoch)
    if time > 5_000:
        return
    cycles = Cycles(Fraction(first, 10), multiplier)
    starts = starts_until(time, Fraction(first, 10), multiplier)
    assert cycles.ended(time) == len(starts) - 1
    assert cycles.at(time) == (starts[-1], cycles.first * multiplier ** (len(starts) - 1))
    assert cycles.at(step / steps_per_epoch) == cycles.at(time)


@given(thousandths=some.integers(1, 30_000), steps_per_epoch=some.integers(1, 5_000))
def test_lengths_are_rounded_to_whole_steps_by_their_decimals(thousandths, steps_per_epoch):
    exact = Fraction(thousandths, 1000) * steps_per_epoch
    assert whole_steps(thousandths / 1000, steps_per_epoch) == round(exact)
    assert whole_periods(thousandths / 1000, 0.1) == Fraction(thousandths, 1000) // Fraction(1, 10)


def test_half_a_step_goes_to_the_even_one():
    assert whole_steps(0.575, 100) == 58  # 57.5, which floats make 57.49999999999999
    assert whole_steps(0.5, 235) == 118
    assert whole_steps(0.5, 237) == 118


@pytest.mark.parametrize("warm_fraction", [0.07, 0.29, 0.3, 0.57])
def test_a_1cycle_is_highest_at_the_step_that_its_fraction_gives(warm_fraction):
    for hundreds in range(1, 60):
        steps = 100 * hundreds
        rate = build(settings("one_cycle", warm_fraction=warm_fraction), 1, steps).learning_rate
        peak = round(warm_fraction * 100) * hundreds - 1
        assert rate(peak) == 1.0
        assert rate(0) == 1 / 25


@given(
    steps=some.integers(1, 500),
    minimum=some.floats(1e-6, 0.5),
    growth=some.sampled_from(["linear", "exponential"]),
)
def test_the_last_step_of_a_range_test_has_the_highest_rate(steps, minimum, growth):
    rate = build(settings("range_test", minimum=minimum, growth=growth), 1, steps).learning_rate
    assert rate(0) == minimum
    if steps > 1:
        assert rate(steps - 1) == 1.0


def test_a_progress_is_rounded_once():
    assert progress(Fraction(7, 30), Fraction(1, 3)) == 0.7
    assert progress(0.3, 0.1) == 3.0
