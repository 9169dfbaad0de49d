import pytest
from pydantic import TypeAdapter, ValidationError

from replication.schedules.from_settings import CURVES, SAMPLINGS, WARM_UPS
from replication.settings import schedule as settings
from replication.settings.schedule import PureSchedule, ScheduleSettings

SCHEDULE = TypeAdapter(ScheduleSettings)
STATEFUL = {"reduce_on_plateau", "loss_probing", "newton", "reinforcement_learned", "range_tested"}

# The least that each schedule must be told.
LEAST = {
    "constant": {},
    "step": {"step_epochs": 30},
    "multi_step": {"milestones": [50, 75]},
    "exponential": {"decay_rate": 0.9},
    "linear": {},
    "geometric": {"final": 0.01},
    "floored_exponential": {"floor": 0.01, "rate": 4},
    "polynomial": {},
    "inverse_power": {"time_scale_epochs": 5, "power": 0.5},
    "fractal": {"nodes": 32, "condition": 100},
    "cosine": {},
    "sgdr": {"first_cycle_epochs": 10},
    "rex": {},
    "triangular": {"half_cycle_epochs": 5, "minimum": 0.1},
    "triangular2": {"half_cycle_epochs": 5, "minimum": 0.1},
    "exp_range": {"half_cycle_epochs": 5, "minimum": 0.1, "gamma": 0.999},
    "range_test": {"minimum": 0.1},
    "one_cycle": {},
    "function": {"file": "schedules/wsd.py", "function": "warmup_stable_decay"},
    "reduce_on_plateau": {"patience": 10},
    "loss_probing": {"factors": [2, 1, 0.5]},
    "newton": {},
    "reinforcement_learned": {},
    "range_tested": {
        "half_cycle_epochs": 5,
        "test_epochs": 2,
        "test_minimum_rate": 0.001,
        "test_maximum_rate": 1,
    },
}
BY_STEP = {
    "triangular",
    "triangular2",
    "exp_range",
    "range_test",
    "one_cycle",
    "function",
    "fractal",
}


def schedule(name, **fields):
    return SCHEDULE.validate_python({"name": name, **LEAST[name], **fields})


@pytest.mark.parametrize("name", LEAST)
def test_the_least_settings_are_accepted(name):
    built = schedule(name)
    assert built.name == name
    assert isinstance(built, PureSchedule) == (name not in STATEFUL)


def test_names_are_those_of_the_registries():
    assert set(LEAST) - STATEFUL == set(CURVES)
    assert {
        section.model_fields["name"].annotation.__args__[0]
        for section in (settings.EveryStep, settings.EveryEpoch, settings.EveryPercent, settings.AtFractions)
    } == set(SAMPLINGS)
    assert set(settings.WarmUp.model_fields["name"].annotation.__args__) == set(WARM_UPS)


@pytest.mark.parametrize("name", sorted(set(LEAST) - STATEFUL))
def test_default_sampling_is_by_epoch_but_for_cycles(name):
    assert schedule(name).sampling.name == ("every_step" if name in BY_STEP else "every_epoch")
    assert schedule(name).warm_up is None


@pytest.mark.parametrize("name", LEAST)
def test_every_field_but_the_name_is_described(name):
    fields = type(schedule(name)).model_fields
    assert [field for field, info in fields.items() if field != "name" and not info.description] == []


def test_what_the_report_leaves_unsaid_is_marked():
    fields = settings.LossProbing.model_fields
    unmarked = {name for name, info in fields.items() if "our reading" not in (info.description or "")}
    assert unmarked == {"name", "factors"}


REFUSED = [
    ("cosine", {"fnal": 0.1}, "Extra inputs"),
    ("cosine", {"final": 1.0}, "less than 1"),
    ("cosine", {"final": -0.1}, "greater than or equal to 0"),
    ("cosine", {"final": float("nan")}, "finite number"),
    ("cosine", {"final": "0.1"}, "valid number"),
    ("step", {"step_epochs": 0}, "greater than 0"),
    ("step", {"gamma": 1.0}, "less than 1"),
    ("multi_step", {"milestones": []}, "at least 1 item"),
    ("multi_step", {"milestones": [75, 50]}, "should increase from each number to the next"),
    ("multi_step", {"milestones": [50, 50]}, "should increase from each number to the next"),
    ("multi_step", {"milestones": [0, 50]}, "greater than 0"),
    ("exponential", {"decay_rate": 0.0}, "greater than 0"),
    ("exponential", {"decay_epochs": 0}, "greater than 0"),
    ("geometric", {"final": 0.0}, "greater than 0"),
    ("polynomial", {"power": 0}, "greater than 0"),
    ("inverse_power", {"time_scale_epochs": 0}, "greater than 0"),
    ("inverse_power", {"power": -0.5}, "greater than 0"),
    ("fractal", {"nodes": 24}, "should be a power of two"),
    ("fractal", {"nodes": 0}, "greater than or equal to 1"),
    ("fractal", {"condition": 1}, "greater than 1"),
    ("fractal", {"steps_per_node": 0}, "greater than or equal to 1"),
    ("sgdr", {"first_cycle_epochs": 0}, "greater than or equal to 1"),
    ("sgdr", {"cycle_multiplier": 0}, "greater than or equal to 1"),
    ("sgdr", {"cycle_multiplier": 1.5}, "valid integer"),
    ("triangular", {"half_cycle_epochs": 0}, "greater than 0"),
    ("triangular2", {"minimum": 1.0}, "less than 1"),
    ("exp_range", {"gamma": 1.1}, "less than or equal to 1"),
    ("one_cycle", {"warm_fraction": 0}, "greater than 0"),
    ("one_cycle", {"warm_fraction": 1}, "less than 1"),
    ("one_cycle", {"three_phases": True, "warm_fraction": 0.6}, "at most 0.5"),
    ("one_cycle", {"annealing": "quadratic"}, "'cosine' or 'linear'"),
    ("one_cycle", {"initial_divisor": 0.5}, "greater than or equal to 1"),
    ("one_cycle", {"minimum_momentum": 0.96}, "should not exceed maximum_momentum"),
    ("rex", {"sampling": {"name": "hourly"}}, "does not match any of the expected tags"),
    ("rex", {"sampling": {"name": "every_percent", "percent": 0}}, "greater than 0"),
    ("rex", {"sampling": {"name": "every_percent", "percent": 101}}, "less than or equal to 100"),
    ("rex", {"sampling": {"name": "at_fractions", "fractions": []}}, "at least 1 item"),
    ("rex", {"sampling": {"name": "at_fractions", "fractions": [0.75, 0.5]}}, "should increase"),
    ("rex", {"sampling": {"name": "at_fractions", "fractions": [0.5, 1]}}, "less than 1"),
    ("rex", {"warm_up": {"name": "linear", "epochs": 0, "start": 0.1}}, "greater than 0"),
    ("rex", {"warm_up": {"name": "linear", "epochs": 5, "start": 1}}, "less than 1"),
    ("rex", {"warm_up": {"name": "exponential", "epochs": 5, "start": 0}}, "warm-up should start above 0"),
    ("rex", {"warm_up": {"name": "constant", "epochs": 5, "start": 0}}, "warm-up should start above 0"),
    ("reduce_on_plateau", {"factor": 1.0}, "less than 1"),
    ("reduce_on_plateau", {"patience": 0}, "greater than or equal to 1"),
    ("reduce_on_plateau", {"monitor": "test_loss"}, "validation_loss"),
    ("reduce_on_plateau", {"best": "last"}, "'improved' or 'lowest'"),
    ("loss_probing", {"factors": []}, "at least 1 item"),
    ("loss_probing", {"factors": [1, 0]}, "greater than 0"),
    ("loss_probing", {"factors": [1, 2, 1]}, "should not hold a number twice"),
    ("loss_probing", {"batches": 0}, "greater than or equal to 1"),
    ("loss_probing", {"interval_epochs": 0}, "greater than or equal to 1"),
    ("loss_probing", {"normalisation": "max"}, "min_max"),
    ("loss_probing", {"temperature": 0}, "greater than 0"),
    ("loss_probing", {"minimum_rate": 0.1, "maximum_rate": 0.1}, "should be below maximum_rate"),
    ("newton", {"damping": 0}, "greater than 0"),
    ("reinforcement_learned", {"updates": 0}, "greater than or equal to 1"),
    ("reinforcement_learned", {"epochs": 2}, "greater than or equal to 3"),
    ("reinforcement_learned", {"images": 1}, "greater than or equal to 2"),
    ("reinforcement_learned", {"units": []}, "at least 1 item"),
    ("reinforcement_learned", {"units": [0]}, "greater than or equal to 1"),
    ("reinforcement_learned", {"largest_factor": 1}, "greater than 1"),
    ("newton", {"damping": 1.5}, "less than or equal to 1"),
    ("newton", {"interval_epochs": 2}, "less than or equal to 1"),
    ("newton", {"largest_change": 1}, "greater than 1"),
    ("range_test", {"minimum": 0.0}, "greater than 0"),
    ("range_test", {"growth": "cosine"}, "'linear' or 'exponential'"),
    ("range_test", {"smoothing": 1.0}, "less than 1"),
    ("range_test", {"safety_factor": 0.9}, "greater than or equal to 1"),
    ("range_test", {"fallback_factor": 1.0}, "greater than 1"),
    ("range_test", {"fall_share": 0.0}, "greater than 0"),
    ("range_tested", {"test_minimum_rate": 1.0}, "should be below test_maximum_rate"),
    ("range_tested", {"policy": "cosine"}, "'triangular', 'triangular2' or 'exp_range'"),
    ("range_tested", {"policy": "exp_range"}, "`gamma` goes with the policy exp_range, and only with it"),
    ("range_tested", {"gamma": 0.9}, "`gamma` goes with the policy exp_range, and only with it"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "fields", "message"), REFUSED)
def test_impossible_values_are_refused(name, fields, message):
    with pytest.raises(ValidationError, match=message):
        schedule(name, **fields)


@pytest.mark.parametrize(
    "fields", [{"minimum_rate": 0.1}, {"maximum_rate": 0.1}, {"minimum_rate": 0.1, "maximum_rate": 1}]
)
def test_one_bound_of_loss_probing_is_enough(fields):
    assert schedule("loss_probing", **fields).model_dump(include=set(fields)) == fields


def test_an_unknown_schedule_is_refused_with_the_valid_names():
    with pytest.raises(ValidationError, match=r"'cosin' found.*'constant', 'step'.*'loss_probing'"):
        SCHEDULE.validate_python({"name": "cosin"})
