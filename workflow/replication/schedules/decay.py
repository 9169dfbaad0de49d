"""Decays whose pace is set in epochs, so that they do not depend on the length of the budget.

Time is in epochs from the start of the schedule, and the multiplier at time 0 is 1. None has an end: past the
budget each goes on by its own rule.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction

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


def multi_step_decay(milestones: Sequence[float | Fraction], gamma: float) -> Curve:
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


def inverse_power(time_scale_epochs: float, power: float) -> Curve:
    """Decay with a power of the time, counted from `time_scale_epochs` before the start.

    ``f(t) = (s / (s + t)) ** power``

    t is the time in epochs and s is `time_scale_epochs`; ``f(0) = 1``. It approaches 0 and does not end.

    - Power 1/2 is the inverse square root of Zhai et al., arXiv:2106.04560 ("reciprocal square-root"), whose time scale
      is free. Joined to a linear warm-up from 0 of exactly s epochs, it is the schedule of Vaswani et al.,
      arXiv:1706.03762, equation 3, divided by its peak: min(T / s, sqrt(s / T)), T being the time from the start of the
      warm-up.
    - Power 1 is what tutorials call time-based decay: the argument `decay` of Keras' optimizers up to version 2,
      ``1 / (1 + decay * iterations)``, with s = 1 / decay iterations; and scikit-learn's "optimal",
      ``1 / (alpha (t0 + t))``, with s = t0 samples.
    - scikit-learn's "invscaling", ``1 / t ** power_t``, counts samples from 1: s is one sample.

    Examples
    --------
    >>> rate = inverse_power(time_scale_epochs=10, power=0.5)
    >>> [round(rate(time), 3) for time in (0, 10, 30, 90)]
    [1.0, 0.707, 0.5, 0.316]
    """
    return lambda time: math.pow(time_scale_epochs / (time_scale_epochs + float(time)), power)
