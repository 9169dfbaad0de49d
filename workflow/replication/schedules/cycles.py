"""The epochs with which the cycles of a schedule end: there a model trained with a cycling rate is judged."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

from replication.errors import ConfigurationError
from replication.schedules.budget import Budget
from replication.schedules.from_settings import SAMPLINGS, warm_up_steps
from replication.schedules.positions import Cycles
from replication.schedules.signatures import Sampling
from replication.settings import schedule as settings_of
from replication.system.decimals import written


def cycle_ends(settings: settings_of.ScheduleSettings, steps_per_epoch: int, epochs: int) -> list[int]:
    """Return the epochs with which a cycle of the learning rate ends, as the plan of the run applies it.

    A cycle ends at the first step whose rate is read from the next one, or with the budget; the epoch that it ends
    with is the one before that step, or the one that the step is in. So warm-up, steps and sampling count as they do
    in the plan (see `build`). A cycle that ends within an epoch counts at the end of that epoch, when the next has
    begun already: whole epochs as lengths avoid that. Of several that end within one epoch, the last counts. A cycle
    that the budget cuts short has no end.

    Parameters
    ----------
    settings
        A schedule that repeats.
    steps_per_epoch
        Optimizer steps in an epoch, at least 1.
    epochs
        The budget of the run, at least 1.

    Returns
    -------
    list
        Epochs, counted from 1, increasing, none after `epochs`.

    Raises
    ------
    ConfigurationError
        If the schedule has no cycles, or none of them ends within the budget.

    Examples
    --------
    >>> from replication.settings.schedule import Sgdr
    >>> settings = Sgdr(name="sgdr", first_cycle_epochs=10, cycle_multiplier=2)
    >>> cycle_ends(settings, epochs=100, steps_per_epoch=1)
    [10, 30, 70]
    """
    if settings.name not in CYCLES:
        raise ConfigurationError(
            f"the schedule {settings.name} has no cycles: take one that has ({', '.join(sorted(CYCLES))})"
        )
    cycles = CYCLES[settings.name](settings)
    times = _times(settings, steps_per_epoch, epochs)
    ended = [cycles.ended(time) for time in times]
    found = [epoch for epoch, (before, after) in enumerate(pairwise(ended), start=1) if after > before]
    if not found:
        raise ConfigurationError(f"no cycle ends within the budget of {epochs} epochs: shorten the cycles")
    return found


def _times(settings: settings_of.ScheduleSettings, steps_per_epoch: int, epochs: int) -> list[Fraction]:
    """Return the time of the schedule itself at the start of the run and after each epoch; 0 during the warm-up."""
    if not isinstance(settings, settings_of.PureSchedule):
        # Between the rates that a test has found, read at every step.
        return [Fraction(epoch) for epoch in range(epochs + 1)]
    before = warm_up_steps(settings.warm_up, steps_per_epoch, epochs)
    budget = Budget(epochs * steps_per_epoch - before, steps_per_epoch)
    sampling: Sampling = SAMPLINGS[settings.sampling.name](settings.sampling, budget)
    starts = [epoch * steps_per_epoch - before for epoch in range(epochs)]
    # What is held until the end of the budget ends there, too.
    return [*(sampling(max(step, 0)) for step in starts), budget.epochs]


def _sgdr(settings: settings_of.Sgdr) -> Cycles:
    """Return T_0, T_0 T_mult, T_0 T_mult ** 2, ... (arXiv:1608.03983)."""
    return Cycles(written(settings.first_cycle_epochs), settings.cycle_multiplier)


def _there_and_back(settings: Any) -> Cycles:
    """Return twice Smith's stepsize for ever: a rise and a fall (arXiv:1506.01186)."""
    return Cycles(2 * written(settings.half_cycle_epochs))


CYCLES: dict[str, Callable[[Any], Cycles]] = {
    "sgdr": _sgdr,
    "triangular": _there_and_back,
    "triangular2": _there_and_back,
    "exp_range": _there_and_back,
    "range_tested": _there_and_back,
}
