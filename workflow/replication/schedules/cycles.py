"""The epochs with which the cycles of a schedule end: there a model trained with a cycling rate is judged."""

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

from replication.errors import ConfigurationError
from replication.settings import schedule as settings_of

# A sum of lengths may exceed a whole number by a rounding error. No step of a run is this short.
TOLERANCE_EPOCHS = 1e-9


def cycle_ends(settings: settings_of.ScheduleSettings, epochs: int) -> list[int]:
    """Return the epochs with which a cycle of the learning rate ends.

    Cycle i of length C_i ends at the time ``t_i = w + C_1 + ... + C_i`` in epochs, w being the length of the
    warm-up; the epoch that it ends with is ``ceil(t_i)``. A cycle that ends within an epoch thus counts at the
    end of that epoch, when the next has begun already: whole epochs as lengths avoid that. Of several that
    end within one epoch, the last counts. A cycle that the budget cuts short has no end.

    Parameters
    ----------
    settings
        A schedule that repeats.
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
    >>> cycle_ends(settings, epochs=100)
    [10, 30, 70]
    """
    if settings.name not in CYCLE_LENGTHS:
        raise ConfigurationError(
            f"the schedule {settings.name} has no cycles: take one that has ({', '.join(sorted(CYCLE_LENGTHS))})"
        )
    lengths = CYCLE_LENGTHS[settings.name](settings)
    times = itertools.accumulate(lengths, initial=_warm_up_epochs(settings))
    ends = (math.ceil(time - TOLERANCE_EPOCHS) for time in itertools.islice(times, 1, None))
    found = list(dict.fromkeys(itertools.takewhile(lambda end: end <= epochs, ends)))
    if not found:
        raise ConfigurationError(f"no cycle ends within the budget of {epochs} epochs: shorten the cycles")
    return found


def _warm_up_epochs(settings: settings_of.ScheduleSettings) -> float:
    if not isinstance(settings, settings_of.PureSchedule) or settings.warm_up is None:
        return 0.0
    return settings.warm_up.epochs


def _sgdr(settings: settings_of.Sgdr) -> Iterator[float]:
    """Yield T_0, T_0 T_mult, T_0 T_mult ** 2, ... (arXiv:1608.03983)."""
    return (settings.first_cycle_epochs * settings.cycle_multiplier**cycle for cycle in itertools.count())


def _there_and_back(settings: Any) -> Iterator[float]:
    """Yield twice Smith's stepsize without end: a rise and a fall (arXiv:1506.01186)."""
    return itertools.repeat(2.0 * settings.half_cycle_epochs)


CYCLE_LENGTHS: dict[str, Callable[[Any], Iterator[float]]] = {
    "sgdr": _sgdr,
    "triangular": _there_and_back,
    "triangular2": _there_and_back,
    "exp_range": _there_and_back,
    "range_tested": _there_and_back,
}
