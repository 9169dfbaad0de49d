"""Schedules that repeat: cosine with warm restarts, and Smith's triangular cycles.

Time is in epochs from the start of the schedule. None has an end: past the budget the cycles go on.
"""

import math

from replication.schedules.decay import ROUNDING
from replication.schedules.profiles import cosine
from replication.schedules.signatures import Curve


def sgdr(first_cycle_epochs: float, cycle_multiplier: int, final: float) -> Curve:
    """Decay along a cosine, and restart at the end of every cycle.

    ``f(t) = final + (1 - final) (1 + cos(pi T_cur / T_i)) / 2``

    t is the time in epochs, T_cur the time since the last restart, and T_i the length of the cycle: ``T_0 =
    first_cycle_epochs``, ``T_(i+1) = cycle_multiplier * T_i``. At the start of each cycle, the instant of
    the restart included, the value is 1; it approaches `final` before the next restart. Source: Loshchilov
    & Hutter, arXiv:1608.03983, equation 5; ``torch.optim.lr_scheduler.CosineAnnealingWarmRestarts``.

    Examples
    --------
    >>> rate = sgdr(first_cycle_epochs=10, cycle_multiplier=2, final=0.0)
    >>> [round(rate(time), 3) for time in (0, 5, 9.9, 10, 20, 30)]
    [1.0, 0.5, 0.0, 1.0, 0.5, 1.0]
    """
    profile = cosine(1.0, final)

    def curve(time: float) -> float:
        start, length = cycle_at(time, first_cycle_epochs, cycle_multiplier)
        return profile((time - start) / length)

    return curve


def cycle_at(time: float, first_cycle_epochs: float, cycle_multiplier: int) -> tuple[float, float]:
    """Find start and length, in epochs, of the cycle that `time` falls in; a restart begins the new cycle.

    Examples
    --------
    >>> [cycle_at(time, first_cycle_epochs=10, cycle_multiplier=2) for time in (9.9, 10, 30)]
    [(0.0, 10), (10.0, 20), (30.0, 40)]
    """
    start, length = 0.0, first_cycle_epochs
    while time * (1.0 + ROUNDING) >= start + length:
        start, length = start + length, length * cycle_multiplier
    return start, length


def triangular(half_cycle_epochs: float, minimum: float) -> Curve:
    """Rise from `minimum` to 1 and fall back, both linearly, again and again.

    ``f(t) = minimum + (1 - minimum) height(t)``, ``height(t) = 1 - |x - 1|``, ``x = (t / h) mod 2``

    t is the time in epochs, h is `half_cycle_epochs` (Smith's stepsize) and `minimum` a fraction of the
    highest learning rate. ``f(0) = minimum``, ``f(h) = 1``, ``f(2 h) = minimum``. The period is that of the
    whole cycle: the curve has no jumps. Source: Smith, arXiv:1506.01186, section 3.1;
    ``torch.optim.lr_scheduler.CyclicLR`` with mode "triangular".

    Examples
    --------
    >>> rate = triangular(half_cycle_epochs=10, minimum=0.1)
    >>> [round(rate(time), 3) for time in (0, 5, 10, 20, 30)]
    [0.1, 0.55, 1.0, 0.1, 1.0]
    """
    return lambda time: minimum + (1.0 - minimum) * _height(time, half_cycle_epochs)


def triangular2(half_cycle_epochs: float, minimum: float) -> Curve:
    """Cycle as `triangular` does, with half the amplitude after every cycle.

    ``f(t) = minimum + (1 - minimum) height(t) / 2 ** floor(t / (2 h))``

    Symbols as in `triangular`. Peaks are at ``t = h, 3 h, 5 h, ...``; the curve has no jumps, since the
    amplitude halves where the height is 0. Source: Smith, arXiv:1506.01186, section 3.1;
    ``torch.optim.lr_scheduler.CyclicLR`` with mode "triangular2".

    Examples
    --------
    >>> rate = triangular2(half_cycle_epochs=10, minimum=0.1)
    >>> [round(rate(time), 3) for time in (0, 5, 10, 20, 30)]
    [0.1, 0.55, 1.0, 0.1, 0.55]
    """

    def curve(time: float) -> float:
        amplitude = (1.0 - minimum) * 0.5 ** math.floor(time / (2.0 * half_cycle_epochs))
        return minimum + amplitude * _height(time, half_cycle_epochs)

    return curve


def exp_range(half_cycle_epochs: float, minimum: float, gamma: float, steps_per_epoch: int) -> Curve:
    """Cycle as `triangular` does, with an amplitude that shrinks by `gamma` every optimizer step.

    ``f(t) = minimum + (1 - minimum) height(t) gamma ** (steps_per_epoch t)``

    Symbols as in `triangular`; ``steps_per_epoch t`` is the number of optimizer steps (iterations) at time
    t, so that the same `gamma` decays faster, per epoch, with smaller batches. Source:
    ``torch.optim.lr_scheduler.CyclicLR`` with mode "exp_range". Smith, arXiv:1506.01186, section 3.1, lets
    both bounds decline by ``gamma ** iteration``; torch, followed here, keeps the lower one.

    Examples
    --------
    >>> rate = exp_range(half_cycle_epochs=10, minimum=0.1, gamma=0.99, steps_per_epoch=5)
    >>> [round(rate(time), 3) for time in (0, 5, 10, 20, 30)]
    [0.1, 0.45, 0.645, 0.1, 0.299]
    """

    def curve(time: float) -> float:
        amplitude: float = (1.0 - minimum) * gamma ** (steps_per_epoch * time)
        return minimum + amplitude * _height(time, half_cycle_epochs)

    return curve


def _height(time: float, half_cycle_epochs: float) -> float:
    """Height of the triangle, from 0 at the start of a cycle to 1 in its middle."""
    return 1.0 - abs((time / half_cycle_epochs) % 2.0 - 1.0)
