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
    inverse_square_root,
    multi_step_decay,
    step_decay,
)
from replication.schedules.join import join_schedules, scaled
from replication.schedules.one_cycle import Phases, one_cycle_momentum, one_cycle_rate
from replication.schedules.positions import whole_steps
from replication.schedules.profiles import constant, cosine, geometric, linear, polynomial, rex, stretch
from replication.schedules.range_test import range_test
from replication.schedules.sampling import at_fractions, every_epoch, every_percent, every_step, sampled
from replication.schedules.signatures import Curve, Sampling, Schedule
from replication.settings import schedule as settings_of
from replication.settings.validation import unknown_name

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


def _every_step(_settings: settings_of.EveryStep, budget: Budget) -> Sampling:
    return every_step(budget.steps_per_epoch)


def _every_epoch(_settings: settings_of.EveryEpoch, budget: Budget) -> Sampling:
    return every_epoch(budget.steps_per_epoch)


def _every_percent(settings: settings_of.EveryPercent, budget: Budget) -> Sampling:
    return every_percent(settings.percent, budget)


def _at_fractions(settings: settings_of.AtFractions, budget: Budget) -> Sampling:
    return at_fractions(settings.fractions, budget)


def _linear_warm_up(settings: settings_of.WarmUp, budget: Budget) -> Curve:
    return stretch(linear(settings.start, 1.0), budget.epochs)


def _exponential_warm_up(settings: settings_of.WarmUp, budget: Budget) -> Curve:
    return stretch(geometric(settings.start, 1.0), budget.epochs)


def _constant_warm_up(settings: settings_of.WarmUp, budget: Budget) -> Curve:
    return stretch(constant(settings.start), budget.epochs)


def _constant(_settings: settings_of.Constant, budget: Budget) -> Curve:
    return stretch(constant(1.0), budget.epochs)


def _step(settings: settings_of.Step, _budget: Budget) -> Curve:
    return step_decay(settings.step_epochs, settings.gamma)


def _multi_step(settings: settings_of.MultiStep, _budget: Budget) -> Curve:
    return multi_step_decay(settings.milestones, settings.gamma)


def _exponential(settings: settings_of.Exponential, _budget: Budget) -> Curve:
    return exponential_decay(settings.decay_rate, settings.decay_epochs, settings.staircase)


def _geometric(settings: settings_of.Geometric, budget: Budget) -> Curve:
    return stretch(geometric(1.0, settings.final), budget.epochs)


def _linear(settings: settings_of.Linear, budget: Budget) -> Curve:
    return stretch(linear(1.0, settings.final), budget.epochs)


def _polynomial(settings: settings_of.Polynomial, budget: Budget) -> Curve:
    return stretch(polynomial(1.0, settings.final, settings.power), budget.epochs)


def _inverse_square_root(settings: settings_of.InverseSquareRoot, _budget: Budget) -> Curve:
    return inverse_square_root(settings.time_scale_epochs)


def _cosine(settings: settings_of.Cosine, budget: Budget) -> Curve:
    return stretch(cosine(1.0, settings.final), budget.epochs)


def _sgdr(settings: settings_of.Sgdr, _budget: Budget) -> Curve:
    return sgdr(settings.first_cycle_epochs, settings.cycle_multiplier, settings.final)


def _rex(_settings: settings_of.Rex, budget: Budget) -> Curve:
    return stretch(rex, budget.epochs)


def _triangular(settings: settings_of.Triangular, _budget: Budget) -> Curve:
    return triangular(settings.half_cycle_epochs, settings.minimum)


def _triangular2(settings: settings_of.Triangular2, _budget: Budget) -> Curve:
    return triangular2(settings.half_cycle_epochs, settings.minimum)


def _exp_range(settings: settings_of.ExpRange, budget: Budget) -> Curve:
    return exp_range(settings.half_cycle_epochs, settings.minimum, settings.gamma, budget.steps_per_epoch)


def _range_test(settings: settings_of.RangeTest, budget: Budget) -> Curve:
    return stretch(range_test(settings.minimum, settings.growth), budget.epochs_to_last_step)


def _one_cycle(settings: settings_of.OneCycle, budget: Budget) -> Curve:
    return one_cycle_rate(_phases(settings, budget), settings.initial_divisor, settings.final_divisor)


def _one_cycle_momentum(settings: settings_of.OneCycle, budget: Budget) -> Curve | None:
    if not settings.cycle_momentum:
        return None
    return one_cycle_momentum(_phases(settings, budget), settings.minimum_momentum, settings.maximum_momentum)


def _phases(settings: settings_of.OneCycle, budget: Budget) -> Phases:
    annealing = _entry(ANNEALINGS, settings.annealing, "annealing")
    return Phases(budget, settings.warm_fraction, settings.three_phases, annealing)


CURVES: dict[str, Callable[[Any, Budget], Curve]] = {
    "constant": _constant,
    "step": _step,
    "multi_step": _multi_step,
    "exponential": _exponential,
    "geometric": _geometric,
    "linear": _linear,
    "polynomial": _polynomial,
    "inverse_square_root": _inverse_square_root,
    "cosine": _cosine,
    "sgdr": _sgdr,
    "rex": _rex,
    "triangular": _triangular,
    "triangular2": _triangular2,
    "exp_range": _exp_range,
    "range_test": _range_test,
    "one_cycle": _one_cycle,
}

MOMENTUM_CURVES: dict[str, Callable[[Any, Budget], Curve | None]] = {
    "one_cycle": _one_cycle_momentum,
}

WARM_UPS: dict[str, Callable[[settings_of.WarmUp, Budget], Curve]] = {
    "linear": _linear_warm_up,
    "exponential": _exponential_warm_up,
    "constant": _constant_warm_up,
}

SAMPLINGS: dict[str, Callable[[Any, Budget], Sampling]] = {
    "every_step": _every_step,
    "every_epoch": _every_epoch,
    "every_percent": _every_percent,
    "at_fractions": _at_fractions,
}

ANNEALINGS = {
    "cosine": cosine,
    "linear": linear,
}
