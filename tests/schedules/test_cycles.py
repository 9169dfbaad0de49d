"""Where cycles end: against the curves themselves, which are lowest (or restart) there."""

import math

import pytest
from pydantic import TypeAdapter

from replication.errors import ConfigurationError
from replication.schedules import build
from replication.schedules.cycles import CYCLES, cycle_ends
from replication.settings.schedule import ScheduleSettings
from support import SCHEDULES, schedule_of

STEPS = 100  # an epoch


def settings(name, **fields):
    return TypeAdapter(ScheduleSettings).validate_python({"name": name, **fields})


def triangle(name="triangular", half=1.0, **fields):
    extra = {"gamma": 0.9999} if name == "exp_range" else {}
    return settings(name, half_cycle_epochs=half, minimum=0.1, **extra, **fields)


def warm_up(epochs):
    return {"name": "linear", "epochs": epochs, "start": 0.1}


@pytest.mark.parametrize(
    ("schedule", "epochs", "ends"),
    [
        (triangle(), 6, [2, 4, 6]),
        (triangle(), 7, [2, 4, 6]),  # the budget cuts the last one short
        (triangle(half=2.0), 11, [4, 8]),
        (triangle(half=0.5), 3, [1, 2, 3]),
        (triangle(half=0.75), 6, [2, 3, 5, 6]),  # 1.5, 3, 4.5, 6
        (triangle(half=0.25), 3, [1, 2, 3]),  # two in each epoch
        (triangle(half=0.35), 7, [1, 2, 3, 4, 5, 6, 7]),  # 0.7, 1.4, ..., 7.0 but for rounding
        (triangle("triangular2"), 5, [2, 4]),
        (triangle("exp_range"), 5, [2, 4]),
        (triangle(warm_up=warm_up(1.0)), 6, [3, 5]),
        (triangle(warm_up=warm_up(0.5)), 6, [3, 5]),  # 2.5, 4.5, and 6.5 after the end
        (settings("sgdr", first_cycle_epochs=10, cycle_multiplier=2), 150, [10, 30, 70, 150]),
        (settings("sgdr", first_cycle_epochs=10, cycle_multiplier=2), 149, [10, 30, 70]),
        (settings("sgdr", first_cycle_epochs=2), 7, [2, 4, 6]),
        (settings("sgdr", first_cycle_epochs=1.5, cycle_multiplier=3), 20, [2, 6, 20]),  # 1.5, 6, 19.5
        (settings("sgdr", first_cycle_epochs=1, cycle_multiplier=2, warm_up=warm_up(2.0)), 9, [3, 5, 9]),
    ],
)  # fmt: skip
def test_cycles_end_by_hand(schedule, epochs, ends):
    assert cycle_ends(schedule, STEPS, epochs) == ends


@pytest.mark.parametrize("warm", [0, 1, 3])
@pytest.mark.parametrize("half", [0.5, 1.0, 1.5, 3.0])
@pytest.mark.parametrize("name", ["triangular", "triangular2", "exp_range"])
def test_a_triangle_is_lowest_where_its_cycle_ends(name, half, warm):
    schedule = triangle(name, half, warm_up=warm_up(float(warm)) if warm else None)
    rate = build(schedule, STEPS, 20).learning_rate
    lowest = [epoch for epoch in range(warm + 1, 21) if rate(epoch * STEPS) == pytest.approx(0.1)]
    assert cycle_ends(schedule, STEPS, 20) == lowest


@pytest.mark.parametrize("multiplier", [1, 2, 3])
@pytest.mark.parametrize("first", [1, 2, 5])
def test_a_cosine_restarts_where_its_cycle_ends(first, multiplier):
    schedule = settings("sgdr", first_cycle_epochs=first, cycle_multiplier=multiplier)
    rate = build(schedule, STEPS, 40).learning_rate
    assert cycle_ends(schedule, STEPS, 40) == [epoch for epoch in range(1, 41) if rate(epoch * STEPS) == 1.0]


def test_schedules_without_cycles_say_so():
    for name in sorted(SCHEDULES.keys() - CYCLES.keys()):
        with pytest.raises(ConfigurationError, match=f"the schedule {name} has no cycles: take one that has"):
            cycle_ends(TypeAdapter(ScheduleSettings).validate_python(schedule_of(name)), STEPS, 9)


def test_schedules_with_cycles_have_ends():
    for name in CYCLES:
        ends = cycle_ends(TypeAdapter(ScheduleSettings).validate_python(schedule_of(name)), STEPS, 99)
        assert ends
        assert ends == sorted(set(ends))


def test_a_budget_shorter_than_a_cycle_is_refused():
    with pytest.raises(ConfigurationError, match="no cycle ends within the budget of 3 epochs: shorten"):
        cycle_ends(triangle(half=2.0), STEPS, 3)
    assert cycle_ends(triangle(half=2.0), STEPS, 4) == [4]


def test_ends_are_whole_epochs_within_the_budget():
    for half in (0.1, 0.3, 0.7, 1.1, math.pi):
        ends = cycle_ends(triangle(half=half), STEPS, 30)
        assert all(isinstance(end, int) and 1 <= end <= 30 for end in ends)
