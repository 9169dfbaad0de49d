"""Samplings: how often the multiplier is read from a curve; in between it is held.

A sampling maps an optimizer step to the time, in epochs, at which the curve is read for that step. Every
position is compared in whole numbers or exact fractions of a step: in floating point ``29 / 100`` of 100
steps is 28.999999999999996, and step 29 would still use sample 28. The time is the exact quotient, rounded
once.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction

from replication.schedules.budget import Budget
from replication.schedules.signatures import Curve, Sampling, Schedule


def sampled(curve: Curve, sampling: Sampling) -> Schedule:
    """Read `curve` at the times of `sampling`: ``schedule(step) = curve(sampling(step))``.

    Examples
    --------
    >>> rate = sampled(lambda time: 1 - time / 10, every_epoch(steps_per_epoch=4))
    >>> [rate(step) for step in (0, 3, 4, 8)]
    [1.0, 1.0, 0.9, 0.8]
    """
    return lambda step: curve(sampling(step))


def every_step(steps_per_epoch: int) -> Sampling:
    """Read the curve at every optimizer step: ``t(n) = n / steps_per_epoch``, in epochs.

    Examples
    --------
    >>> time = every_step(steps_per_epoch=4)
    >>> [time(step) for step in (0, 1, 4, 6)]
    [0.0, 0.25, 1.0, 1.5]
    """
    return lambda step: step / steps_per_epoch


def every_epoch(steps_per_epoch: int) -> Sampling:
    """Read the curve at the first step of every epoch: ``t(n) = floor(n / steps_per_epoch)``, in epochs.

    Examples
    --------
    >>> time = every_epoch(steps_per_epoch=4)
    >>> [time(step) for step in (0, 1, 4, 6)]
    [0.0, 0.0, 1.0, 1.0]
    """
    return lambda step: float(step // steps_per_epoch)


def every_percent(percent: float, budget: Budget) -> Sampling:
    """Read the curve each time that another `percent` of the budget has passed.

    ``t(n) = k P / steps_per_epoch``, ``P = percent / 100 * budget.steps``, ``k = floor(n / P)``

    n is the step, P the period in steps, not always whole, and k the number of the sample. A sample is used
    from the first step at or after its position. Past the budget, sampling goes on. `percent` counts as the
    decimal number that it is written as. Source: the sampling rates of Chen et al., arXiv:2107.04197.

    Examples
    --------
    >>> time = every_percent(25, Budget(steps=100, steps_per_epoch=10))
    >>> [time(step) for step in (0, 24, 25, 99)]
    [0.0, 0.0, 2.5, 7.5]
    """
    period = written(percent) * budget.steps / 100

    def sampling(step: int) -> float:
        index = step * period.denominator // period.numerator
        return index * period.numerator / (period.denominator * budget.steps_per_epoch)

    return sampling


def at_fractions(fractions: Sequence[float], budget: Budget) -> Sampling:
    """Read the curve at the start and at given fractions of the budget.

    ``t(n) = q / steps_per_epoch``, q being the last of ``0, fractions * budget.steps`` up to n

    n is the step and q a position in steps, not always whole; a sample is used from the first step at or
    after its position. `fractions` increase within (0, 1), and count as the decimal numbers that they are
    written as. Past the last one the value stays. Source: "50-75" of Chen et al., arXiv:2107.04197, is
    ``[0.5, 0.75]``.

    Examples
    --------
    >>> time = at_fractions([0.5, 0.75], Budget(steps=100, steps_per_epoch=10))
    >>> [time(step) for step in (0, 49, 50, 75, 99)]
    [0.0, 0.0, 5.0, 7.5, 7.5]
    """
    positions = [Fraction(0), *(written(fraction) * budget.steps for fraction in fractions)]
    times = [float(position / budget.steps_per_epoch) for position in positions]
    first_steps = [math.ceil(position) for position in positions]
    return lambda step: times[bisect_right(first_steps, step) - 1]


def written(number: float) -> Fraction:
    """Give the decimal number that a float is printed as, exactly: 0.1 is 1/10.

    Examples
    --------
    >>> written(0.1), Fraction(0.1)
    (Fraction(1, 10), Fraction(3602879701896397, 36028797018963968))
    """
    return Fraction(str(number))
