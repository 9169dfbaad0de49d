import math

import pytest
from pydantic import TypeAdapter

from replication.errors import ConfigurationError
from replication.schedules import build
from replication.schedules.from_settings import CURVES
from replication.settings.schedule import PureSchedule, ReduceOnPlateau, ScheduleSettings, WarmUp

STEPS_PER_EPOCH, EPOCHS = 4, 100
STEPS = STEPS_PER_EPOCH * EPOCHS
EVERY_STEP = {"name": "every_step"}
QUARTER, HALF, LAST, PAST = 100, 200, STEPS - 1, STEPS + 100
REMAINING = 1 / STEPS
SQRT_HALF = math.sqrt(0.5)
FRACTAL = (2 - SQRT_HALF) / (2 + SQRT_HALF)


def settings(name, **fields):
    return TypeAdapter(ScheduleSettings).validate_python({"name": name, **fields})


def rate(name, steps_per_epoch=STEPS_PER_EPOCH, epochs=EPOCHS, **fields):
    return build(settings(name, **fields), steps_per_epoch, epochs).learning_rate


# Values at 0, 1/4, 1/2, T - 1, T and past T, by every step.
WHOLE_CURVES = [
    ("constant", {}, [1, 1, 1, 1, 1, 1]),
    ("step", {"step_epochs": 30}, [1, 1, 0.1, 0.001, 0.001, 0.0001]),
    ("multi_step", {"milestones": [25, 75], "gamma": 0.2}, [1, 0.2, 0.2, 0.04, 0.04, 0.04]),
    (
        "multi_step", {"milestones": [0.25, 0.75], "gamma": 0.2, "of_budget": True},
        [1, 0.2, 0.2, 0.04, 0.04, 0.04],
    ),
    ("exponential", {"decay_rate": 0.9}, [1, 0.9**25, 0.9**50, 0.9**99.75, 0.9**100, 0.9**125]),
    (
        "exponential", {"decay_rate": 0.9, "decay_epochs": 10, "staircase": True},
        [1, 0.81, 0.9**5, 0.9**9, 0.9**10, 0.9**12],
    ),
    ("linear", {}, [1, 0.75, 0.5, REMAINING, 0, 0]),
    ("linear", {"final": 0.2}, [1, 0.8, 0.6, 0.2 + 0.8 * REMAINING, 0.2, 0.2]),
    ("geometric", {"final": 0.0001}, [1, 0.1, 0.01, 0.0001**0.9975, 0.0001, 0.0001]),
    ("polynomial", {"power": 2}, [1, 9 / 16, 1 / 4, REMAINING**2, 0, 0]),
    (
        "inverse_power", {"time_scale_epochs": 25, "power": 0.5},
        [1, SQRT_HALF, 3**-0.5, (1 + 99.75 / 25) ** -0.5, 5**-0.5, 6**-0.5],
    ),
    (
        "fractal", {"nodes": 2, "condition": 3, "steps_per_node": 100},
        [1, FRACTAL, 1, FRACTAL, 1, FRACTAL],
    ),
    (
        "inverse_power", {"time_scale_epochs": 25, "power": 2},
        [1, 1 / 4, 1 / 9, (1 + 99.75 / 25) ** -2, 1 / 25, 1 / 36],
    ),
    ("cosine", {}, [1, (1 + SQRT_HALF) / 2, 0.5, (1 - math.cos(math.pi / 400)) / 2, 0, 0]),
    ("sgdr", {"first_cycle_epochs": 50}, [1, 0.5, 1, (1 - math.cos(math.pi / 200)) / 2, 1, 0.5]),
    ("rex", {}, [1, 6 / 7, 2 / 3, 2 / 401, 0, 0]),
    ("rex", {"curvature": 0.9}, [1, 30 / 31, 10 / 11, 10 / 409, 0, 0]),
    (
        "floored_exponential", {"floor": 0.2, "rate": math.log(16)},
        [1, 0.6, 0.4, 0.2 + 0.8 * 16**-0.9975, 0.25, 0.25],
    ),
    ("triangular", {"half_cycle_epochs": 25, "minimum": 0.2}, [0.2, 1, 0.2, 0.208, 0.2, 1]),
    ("triangular2", {"half_cycle_epochs": 25, "minimum": 0.2}, [0.2, 1, 0.2, 0.204, 0.2, 0.4]),
    (
        "exp_range", {"half_cycle_epochs": 25, "minimum": 0.2, "gamma": 0.99},
        [0.2, 0.2 + 0.8 * 0.99**100, 0.2, 0.2 + 0.008 * 0.99**399, 0.2, 0.2 + 0.8 * 0.99**500],
    ),
    ("range_test", {"minimum": 0.2}, [0.2, 0.2 + 80 / 399, 0.2 + 160 / 399, 1, 1, 1]),
    (
        "range_test", {"minimum": 0.0001, "growth": "exponential"},
        [0.0001, 0.0001 ** (299 / 399), 0.0001 ** (199 / 399), 1, 1, 1],
    ),
    (
        "one_cycle", {"warm_fraction": 0.25, "annealing": "linear"},
        [1 / 25, 1 - (1 - 4e-6) / 300, 1 - 101 * (1 - 4e-6) / 300, 4e-6, 4e-6, 4e-6],
    ),
    (
        "function",
        {"file": "schedules/wsd.py", "function": "warmup_stable_decay", "warm": 0.25, "stable": 0.5},
        [0, 1, 1, 2 * REMAINING, 0, 0],
    ),
]  # fmt: skip
NAMES = [name for name, _, _ in WHOLE_CURVES]
SCHEDULES = [(name, fields) for name, fields, _ in WHOLE_CURVES]
FROM_ONE = [(name, fields) for name, fields, values in WHOLE_CURVES if values[0] == 1]


@pytest.mark.parametrize(("name", "fields", "values"), WHOLE_CURVES, ids=NAMES)
def test_whole_curve_by_every_step(name, fields, values):
    schedule = rate(name, **fields, sampling=EVERY_STEP)
    steps = (0, QUARTER, HALF, LAST, STEPS, PAST)
    assert [schedule(step) for step in steps] == pytest.approx(values, abs=1e-12)


def test_every_registry_entry_has_a_pinned_curve():
    assert set(NAMES) == set(CURVES)


@pytest.mark.parametrize(("name", "fields"), SCHEDULES, ids=NAMES)
def test_by_every_epoch_the_value_of_an_epochs_first_step_is_held(name, fields):
    by_step = rate(name, **fields, sampling=EVERY_STEP)
    by_epoch = rate(name, **fields, sampling={"name": "every_epoch"})
    for epoch in (0, 1, 25, 99, 120):
        held = {by_epoch(epoch * STEPS_PER_EPOCH + step) for step in range(STEPS_PER_EPOCH)}
        assert held == {by_step(epoch * STEPS_PER_EPOCH)}


@pytest.mark.parametrize(
    ("sampling", "values"),
    [
        ({"name": "every_percent", "percent": 25}, [1, 1, 6 / 7, 6 / 7, 2 / 3, 2 / 3, 2 / 5, 2 / 5, 0]),
        ({"name": "at_fractions", "fractions": [0.5, 0.75]}, [1, 1, 1, 1, 2 / 3, 2 / 3, 2 / 5, 2 / 5, 2 / 5]),
    ],
)
def test_sampled_rex(sampling, values):
    schedule = rate("rex", sampling=sampling)
    assert [schedule(eighth * STEPS // 8) for eighth in range(9)] == pytest.approx(values)


@pytest.mark.parametrize(
    ("warm_up", "values"),
    [
        ({"name": "linear", "start": 0.2}, [0.2, 0.4, 0.6, 0.8]),
        ({"name": "linear", "start": 0.0}, [0.0, 0.25, 0.5, 0.75]),
        ({"name": "exponential", "start": 0.0001}, [0.0001, 0.001, 0.01, 0.1]),
        ({"name": "constant", "start": 0.1}, [0.1, 0.1, 0.1, 0.1]),
    ],
)
def test_warm_up_comes_first_and_the_schedule_spends_what_remains(warm_up, values):
    schedule = rate("linear", 10, 10, sampling=EVERY_STEP, warm_up={**warm_up, "epochs": 2})
    assert [schedule(step) for step in (0, 5, 10, 15)] == pytest.approx(values)
    assert [schedule(step) for step in (20, 60, 99, 100)] == pytest.approx([1, 0.5, 1 / 80, 0])


@pytest.mark.parametrize("name", ["linear", "exponential"])
@pytest.mark.parametrize(("schedule", "fields", "values"), WHOLE_CURVES, ids=NAMES)
def test_rising_warm_up_meets_the_schedule_without_a_jump(name, schedule, fields, values):
    warm_up = {"name": name, "epochs": 5, "start": 0.5}
    joined = rate(schedule, 1000, **fields, sampling=EVERY_STEP, warm_up=warm_up)
    assert joined(0) == pytest.approx(0.5 * values[0])
    assert joined(5000) == pytest.approx(values[0])
    assert joined(4999) == pytest.approx(joined(5000), rel=1e-3)


@pytest.mark.parametrize("warm_up_epochs", [1, 33, 99])
@pytest.mark.parametrize(("name", "fields"), FROM_ONE, ids=[name for name, _ in FROM_ONE])
def test_after_a_warm_up_a_schedule_is_the_one_of_the_shorter_budget(name, fields, warm_up_epochs):
    warm_up = {"name": "linear", "epochs": warm_up_epochs, "start": 0.1}
    joined = rate(name, **fields, warm_up=warm_up)
    alone = rate(name, **fields, epochs=EPOCHS - warm_up_epochs)
    boundary = warm_up_epochs * STEPS_PER_EPOCH
    assert all(joined(boundary + step) == alone(step) for step in range(STEPS + 100))


def test_warm_up_may_be_sampled_by_epoch_and_need_not_be_whole_epochs():
    by_epoch = {"name": "linear", "epochs": 2.5, "start": 0.0, "sampling": {"name": "every_epoch"}}
    schedule = rate("constant", warm_up=by_epoch)
    assert [schedule(step) for step in range(11)] == pytest.approx([0] * 4 + [0.4] * 4 + [0.8] * 2 + [1])


@pytest.mark.parametrize(
    ("epochs", "message"),
    [
        (100.0, "leaves nothing of a budget of 100"),
        (250.0, "leaves nothing"),
        (0.1, "shorter than one optimizer step"),
    ],
)
def test_a_warm_up_that_does_not_fit_is_refused(epochs, message):
    with pytest.raises(ConfigurationError, match=message):
        rate("cosine", warm_up={"name": "linear", "epochs": epochs, "start": 0.1})


def test_only_one_cycle_has_a_momentum():
    for name, fields in SCHEDULES:
        assert (build(settings(name, **fields), 4, 100).momentum is not None) == (name == "one_cycle")
    assert build(settings("one_cycle", cycle_momentum=False), 4, 100).momentum is None


def test_momentum_keeps_its_first_value_during_a_warm_up():
    warm_up = {"name": "linear", "epochs": 10, "start": 0.1}
    alone = build(settings("one_cycle"), STEPS_PER_EPOCH, EPOCHS - 10).momentum
    joined = build(settings("one_cycle", warm_up=warm_up), STEPS_PER_EPOCH, EPOCHS).momentum
    assert {joined(step) for step in range(41)} == {0.95}
    assert all(joined(40 + step) == alone(step) for step in range(400))


def test_momentum_is_sampled_as_the_learning_rate_is():
    by_epoch = build(
        settings("one_cycle", sampling={"name": "every_epoch"}), STEPS_PER_EPOCH, EPOCHS
    ).momentum
    by_step = build(settings("one_cycle"), STEPS_PER_EPOCH, EPOCHS).momentum
    assert all(by_epoch(step) == by_step(step // 4 * 4) for step in range(STEPS))


class Warp(PureSchedule):
    """A schedule that is not registered."""


UNKNOWN = [
    (Warp(name="warp"), "no schedule `warp`.*constant, cosine, exp_range.*triangular2"),
    (ReduceOnPlateau(name="reduce_on_plateau", patience=10), "no schedule `reduce_on_plateau`.*constant"),
    (settings("rex").model_copy(update={"sampling": Warp(name="daily")}), "no sampling `daily`.*every_epoch"),
    (
        settings("rex").model_copy(update={"warm_up": WarmUp.model_construct(name="hot", epochs=1.0)}),
        "no warm-up `hot`.*constant, exponential, linear",
    ),
    (settings("one_cycle").model_copy(update={"annealing": "steel"}), "no annealing `steel`.*cosine, linear"),
]


@pytest.mark.parametrize(("unknown", "message"), UNKNOWN)
def test_an_unknown_name_is_refused_with_the_valid_ones(unknown, message):
    with pytest.raises(ConfigurationError, match=message):
        build(unknown, STEPS_PER_EPOCH, EPOCHS)


def test_a_milestone_at_a_share_of_the_budget_is_taken_as_it_is_written():
    """7 percent of 100 epochs are 7, though the product of the floats is a little more."""
    rate = build(settings("multi_step", milestones=[0.07], of_budget=True), 1, 100).learning_rate
    assert (rate(6), rate(7)) == (1.0, pytest.approx(0.1))
