"""Decays whose pace is set in epochs, so that they do not depend on the length of the budget.

Time is in epochs from the start of the schedule, and the multiplier at time 0 is 1. None has an end: past the
budget each goes on by its own rule.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence

from replication.schedules.positions import progress, whole_periods
from replication.schedules.signatures import Curve
from replication.system.decimals import written


def step_decay(step_epochs: float, gamma: float) -> Curve:
    """Multiply by `gamma` after every `step_epochs` epochs.

    ``f(t) = gamma ** floor(t / step_epochs)``

    t is the time in epochs; the new value holds from ``t = step_epochs`` itself on.
    Source: ``torch.optim.lr_scheduler.StepLR``.

    Examples
    --------
    >>> rate = step_decay(step_epochs=30, gamma=0.1)
    >>> [round(rate(time), 3) for time in (0, 29.9, 30, 60)]
    [1.0, 1.0, 0.1, 0.01]
    """
    period = written(step_epochs)
    return lambda time: gamma ** whole_periods(time, period)


def multi_step_decay(milestones: Sequence[float], gamma: float) -> Curve:
    """Multiply by `gamma` at each milestone.

    ``f(t) = gamma ** n(t)``

    t is the time in epochs and n(t) the number of milestones at or before t; milestones are in epochs and
    increase. Past the last one the value stays. Source: ``torch.optim.lr_scheduler.MultiStepLR``.

    Examples
    --------
    >>> rate = multi_step_decay([50, 75], gamma=0.1)
    >>> [round(rate(time), 3) for time in (0, 49.9, 50, 75, 100)]
    [1.0, 1.0, 0.1, 0.01, 0.01]
    """
    positions = [written(milestone) for milestone in milestones]
    return lambda time: gamma ** bisect_right(positions, written(time))


def exponential_decay(decay_rate: float, decay_epochs: float, staircase: bool) -> Curve:
    """Multiply by `decay_rate` over every `decay_epochs` epochs.

    ``f(t) = decay_rate ** (t / decay_epochs)``, or ``decay_rate ** floor(t / decay_epochs)`` as a staircase

    t is the time in epochs. It approaches 0 and does not end.
    Source: report 001 (``initial_lr * decay_rate^(epoch/decay_steps)``); with `decay_epochs` 1, read once an
    epoch, ``torch.optim.lr_scheduler.ExponentialLR``.

    Examples
    --------
    >>> rate = exponential_decay(decay_rate=0.5, decay_epochs=10, staircase=False)
    >>> [round(rate(time), 3) for time in (0, 5, 10, 20)]
    [1.0, 0.707, 0.5, 0.25]
    """
    if staircase:
        return step_decay(decay_epochs, decay_rate)
    period = written(decay_epochs)
    return lambda time: decay_rate ** progress(time, period)


def inverse_square_root(time_scale_epochs: float) -> Curve:
    """Decay with the square root of the time, counted from `time_scale_epochs` before the start.

    ``f(t) = sqrt(s / (s + t))``

    t is the time in epochs and s is `time_scale_epochs`; ``f(0) = 1``, ``f(3 s) = 1/2``. It approaches 0
    and does not end. Source: Zhai et al., arXiv:2106.04560 ("reciprocal square-root"), whose time scale is
    free. Joined to a linear warm-up from 0 of exactly s epochs, it is the schedule of Vaswani et al.,
    arXiv:1706.03762, equation 3, divided by its peak: min(T / s, sqrt(s / T)), T being the time from the
    start of the warm-up.

    Examples
    --------
    >>> rate = inverse_square_root(time_scale_epochs=10)
    >>> [round(rate(time), 3) for time in (0, 10, 30, 90)]
    [1.0, 0.707, 0.5, 0.316]
    """
    return lambda time: math.sqrt(time_scale_epochs / (time_scale_epochs + float(time)))


def time_based(decay: float, by: float) -> Curve:
    """Divide by a number that grows by equal amounts.

    ``f(t) = 1 / (1 + decay by t)``

    t is the time in epochs, and `by` the units of time in an epoch: optimizer steps, or 1. ``f(0) = 1``, and 1/2 after
    ``1 / decay`` units. It approaches 0 and does not end. Source: the argument `decay` of Keras' optimizers up to
    version 2, ``rate / (1 + decay * iterations)``, which tutorials call time-based decay; scikit-learn's "optimal",
    ``1 / (alpha (t0 + t))`` with ``t0 = 1 / (alpha eta0)``, is that with ``decay = alpha eta0``.

    Examples
    --------
    >>> rate = time_based(decay=0.1, by=1)
    >>> [round(rate(time), 3) for time in (0, 5, 10, 30)]
    [1.0, 0.667, 0.5, 0.25]
    """
    return lambda time: 1.0 / (1.0 + decay * float(by * written(time)))


def inverse_scaling(power: float, by: float) -> Curve:
    """Divide by a power of the time, counted from 1.

    ``f(t) = (1 + by t) ** -power``

    t is the time in epochs, and `by` the units of time in an epoch: optimizer steps, or 1. It approaches 0 and does
    not end. Source: scikit-learn's "invscaling", ``eta0 / t ** power_t``, whose t counts samples from 1.

    Examples
    --------
    >>> rate = inverse_scaling(power=0.5, by=1)
    >>> [round(rate(time), 3) for time in (0, 3, 8, 99)]
    [1.0, 0.5, 0.333, 0.1]
    """
    return lambda time: (1.0 + float(by * written(time))) ** -power
