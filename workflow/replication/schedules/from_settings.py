"""From settings to schedules.

Each name of the settings is an entry of a registry here, and each entry leads to its own formula only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from replication.errors import ConfigurationError
from replication.schedules.budget import Budget
from replication.schedules.cyclical import exp_range, sgdr, triangular, triangular2
from replication.schedules.decay import (
    exponential_decay,
    inverse_power,
    multi_step_decay,
    step_decay,
)
from replication.schedules.fractal import fractal
from replication.schedules.join import join_schedules, scaled
from replication.schedules.one_cycle import Phases, one_cycle_momentum, one_cycle_rate
from replication.schedules.own_function import own_function
from replication.schedules.positions import whole_steps
from replication.schedules.profiles import (
    constant,
    cosine,
    floored_exponential,
    geometric,
    linear,
    polynomial,
    rex,
    stretch,
)
from replication.schedules.range_test import range_test
from replication.schedules.sampling import at_fractions, every_epoch, every_percent, every_step, sampled
from replication.schedules.signatures import Curve, Sampling, Schedule
from replication.settings import schedule as settings_of
from replication.settings.validation import unknown_name
from replication.system.decimals import written

Entry = TypeVar("Entry")


@dataclass(frozen=True)
class RatePlan:
    """What a run applies at each optimizer step.

    Parameters
    ----------
    learning_rate
        Step to multiplier of the base learning rate.
    momentum
        Step to the momentum itself (Adam: beta1), not a multiplier; None if the schedule leaves it alone.
    """

    learning_rate: Schedule
    momentum: Schedule | None


def build(settings: settings_of.PureSchedule, steps_per_epoch: int, epochs: int) -> RatePlan:
    """Make the schedule of a run, its warm-up included.

    The warm-up takes its steps out of the budget; the schedule itself starts after it, and has what remains.
    The warm-up leads to the first value of the schedule, which is 1 but for cyclical and 1cycle schedules.
    Momentum keeps its first value during the warm-up.

    Parameters
    ----------
    settings
        A schedule that depends on the step alone.
    steps_per_epoch
        Optimizer steps in an epoch, at least 1.
    epochs
        The budget of the run, at least 1.

    Raises
    ------
    ConfigurationError
        If a name is unknown, the warm-up has no step or leaves none, or the phases of a 1cycle do not fit
        the budget.
    """
    curve_of = _entry(CURVES, settings.name, "schedule")
    before = warm_up_steps(settings.warm_up, steps_per_epoch, epochs)
    budget = Budget(epochs * steps_per_epoch - before, steps_per_epoch)
    sampling = _sampling(settings.sampling, budget)
    plan = RatePlan(sampled(curve_of(settings, budget), sampling), _momentum(settings, budget, sampling))
    if settings.warm_up is None:
        return plan
    return _preceded(plan, settings.warm_up, Budget(before, steps_per_epoch))


def _entry(registry: Mapping[str, Entry], name: str, what: str) -> Entry:
    if name not in registry:
        raise ConfigurationError(unknown_name(what, name, registry))
    return registry[name]


def _momentum(settings: settings_of.PureSchedule, budget: Budget, sampling: Sampling) -> Schedule | None:
    if settings.name not in MOMENTUM_CURVES:
        return None
    curve = MOMENTUM_CURVES[settings.name](settings, budget)
    return sampled(curve, sampling) if curve else None


def warm_up_steps(warm_up: settings_of.WarmUp | None, steps_per_epoch: int, epochs: int) -> int:
    """Length of the warm-up in whole steps, 0 without one."""
    if warm_up is None:
        return 0
    steps = whole_steps(warm_up.epochs, steps_per_epoch)
    if steps < 1:
        raise ConfigurationError(f"a warm-up of {warm_up.epochs} epochs is shorter than one optimizer step")
    if steps >= epochs * steps_per_epoch:
        raise ConfigurationError(
            f"a warm-up of {warm_up.epochs} epochs leaves nothing of a budget of {epochs}; shorten it"
        )
    return steps


def _preceded(plan: RatePlan, warm_up: settings_of.WarmUp, budget: Budget) -> RatePlan:
    """Put a warm-up of the length of `budget` before a plan."""
    curve = _entry(WARM_UPS, warm_up.name, "warm-up")(warm_up, budget)
    rise = scaled(sampled(curve, _sampling(warm_up.sampling, budget)), plan.learning_rate(0))
    learning_rate = join_schedules([rise, plan.learning_rate], [budget.steps])
    return RatePlan(learning_rate, plan.momentum and _held_until(plan.momentum, budget.steps))


def _held_until(schedule: Schedule, boundary: int) -> Schedule:
    """Give a schedule's first value up to `boundary`, and start the schedule there."""
    first = schedule(0)
    return join_schedules([lambda _step: first, schedule], [boundary])


def _sampling(settings: settings_of.SamplingSettings, budget: Budget) -> Sampling:
    return _entry(SAMPLINGS, settings.name, "sampling")(settings, budget)


def _one_cycle_momentum(settings: settings_of.OneCycle, budget: Budget) -> Curve | None:
    if not settings.cycle_momentum:
        return None
    return one_cycle_momentum(_phases(settings, budget), settings.minimum_momentum, settings.maximum_momentum)


def _phases(settings: settings_of.OneCycle, budget: Budget) -> Phases:
    annealing = _entry(ANNEALINGS, settings.annealing, "annealing")
    return Phases(budget, settings.warm_fraction, settings.three_phases, annealing)


# Each entry takes the settings of its name, and the budget that they are spread over.
SAMPLINGS: dict[str, Callable[[Any, Budget], Sampling]] = {
    "every_step": lambda _, budget: every_step(budget.steps_per_epoch),
    "every_epoch": lambda _, budget: every_epoch(budget.steps_per_epoch),
    "every_percent": lambda settings, budget: every_percent(settings.percent, budget),
    "at_fractions": lambda settings, budget: at_fractions(settings.fractions, budget),
}

WARM_UPS: dict[str, Callable[[settings_of.WarmUp, Budget], Curve]] = {
    "linear": lambda settings, budget: stretch(linear(settings.start, 1.0), budget.epochs),
    "exponential": lambda settings, budget: stretch(geometric(settings.start, 1.0), budget.epochs),
    "constant": lambda settings, budget: stretch(constant(settings.start), budget.epochs),
}

CURVES: dict[str, Callable[[Any, Budget], Curve]] = {
    "constant": lambda _, budget: stretch(constant(1.0), budget.epochs),
    "step": lambda settings, _: step_decay(settings.step_epochs, settings.gamma),
    "multi_step": lambda settings, budget: multi_step_decay(
        [written(share) * budget.epochs for share in settings.milestones]
        if settings.of_budget
        else settings.milestones,
        settings.gamma,
    ),
    "exponential": lambda settings, _: exponential_decay(
        settings.decay_rate, settings.decay_epochs, settings.staircase
    ),
    "geometric": lambda settings, budget: stretch(geometric(1.0, settings.final), budget.epochs),
    "floored_exponential": lambda settings, budget: stretch(
        floored_exponential(settings.floor, settings.rate), budget.epochs
    ),
    "linear": lambda settings, budget: stretch(linear(1.0, settings.final), budget.epochs),
    "polynomial": lambda settings, budget: stretch(
        polynomial(1.0, settings.final, settings.power), budget.epochs
    ),
    "inverse_power": lambda settings, _: inverse_power(settings.time_scale_epochs, settings.power),
    "fractal": lambda settings, budget: fractal(
        settings.nodes, settings.condition, settings.steps_per_node, budget.steps_per_epoch
    ),
    "cosine": lambda settings, budget: stretch(cosine(1.0, settings.final), budget.epochs),
    "sgdr": lambda settings, _: sgdr(settings.first_cycle_epochs, settings.cycle_multiplier, settings.final),
    "rex": lambda settings, budget: stretch(rex(settings.curvature), budget.epochs),
    "triangular": lambda settings, _: triangular(settings.half_cycle_epochs, settings.minimum),
    "triangular2": lambda settings, _: triangular2(settings.half_cycle_epochs, settings.minimum),
    "exp_range": lambda settings, budget: exp_range(
        settings.half_cycle_epochs, settings.minimum, settings.gamma, budget.steps_per_epoch
    ),
    "range_test": lambda settings, budget: stretch(
        range_test(settings.minimum, settings.growth), budget.epochs_to_last_step
    ),
    "one_cycle": lambda settings, budget: one_cycle_rate(
        _phases(settings, budget), settings.initial_divisor, settings.final_divisor
    ),
    "function": lambda settings, budget: stretch(own_function(settings), budget.epochs),
}

MOMENTUM_CURVES: dict[str, Callable[[Any, Budget], Curve | None]] = {"one_cycle": _one_cycle_momentum}

ANNEALINGS = {"cosine": cosine, "linear": linear}
