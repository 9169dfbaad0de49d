"""Schedules one after another."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from replication.schedules.signatures import Schedule


def join_schedules(schedules: Sequence[Schedule], boundaries: Sequence[int]) -> Schedule:
    """Follow one schedule up to a boundary, then the next.

    ``f(n) = f_i(n - b_i)``, ``b_i <= n < b_(i+1)``

    n is the step, f_i the i-th schedule and b_i its boundary, the first being 0. A boundary belongs to the
    later schedule, which sees its steps counted from there. The last one has no end. Source:
    ``optax.join_schedules``; ``torch.optim.lr_scheduler.SequentialLR``.

    Parameters
    ----------
    schedules
        At least one.
    boundaries
        Steps, above 0 and increasing; one fewer than `schedules`.

    Raises
    ------
    ValueError
        If the boundaries do not increase from above 0, or their number does not fit.

    Examples
    --------
    >>> rate = join_schedules([lambda step: step / 4, lambda step: 1 - step / 8], boundaries=[4])
    >>> [rate(step) for step in (0, 2, 4, 8)]
    [0.0, 0.5, 1.0, 0.5]
    """
    starts = [0, *boundaries]
    if len(starts) != len(schedules):
        raise ValueError(
            f"{len(schedules)} schedules need {len(schedules) - 1} boundaries, not {len(boundaries)}"
        )
    if any(later <= earlier for earlier, later in pairwise(starts)):
        raise ValueError(f"boundaries must increase from above 0: {list(boundaries)}")

    def schedule(step: int) -> float:
        current = bisect_right(starts, step) - 1
        return schedules[current](step - starts[current])

    return schedule


def scaled(schedule: Schedule, factor: float) -> Schedule:
    """Multiply every value of a schedule by `factor`.

    Examples
    --------
    >>> rate = scaled(lambda step: 1 - step / 10, factor=0.5)
    >>> [rate(step) for step in (0, 5, 10)]
    [0.5, 0.25, 0.0]
    """
    return lambda step: factor * schedule(step)
