"""Positions in time, exactly: where a period, a cycle or a step is, that everything else asks.

A position decides on which side of a restart or a drop a step is. Floats do not tell: 55 times 1.2 epochs are 66, but
added up in floating point they are 66.00000000000001, and epoch 66 would still be the last of the cycle before. So
time is a fraction, settings count as the decimal numbers that they are written as, and only what is read at a position
is a float.
"""

from dataclasses import dataclass
from fractions import Fraction

from replication.schedules.signatures import Time
from replication.system.decimals import share_of, written


def whole_steps(epochs: float, steps_per_epoch: int) -> int:
    """Return the length of some epochs in whole optimizer steps, to the nearest, halves to the even one.

    Examples
    --------
    >>> whole_steps(0.3, steps_per_epoch=5), whole_steps(0.5, steps_per_epoch=5)
    (2, 2)
    """
    return share_of(steps_per_epoch, epochs)


def whole_periods(time: Time, period: Time) -> int:
    """Count the periods that have passed entirely: ``floor(time / period)``, exactly.

    Examples
    --------
    >>> whole_periods(0.7, 0.1), 0.7 // 0.1
    (7, 6.0)
    """
    passed, of = ratio(time, period)
    return passed // of


def progress(time: Time, length: Time) -> float:
    """Return the share of a length that has passed: the exact quotient, rounded once.

    Examples
    --------
    >>> progress(0.3, 0.1), 0.3 / 0.1
    (3.0, 2.9999999999999996)
    """
    passed, of = ratio(time, length)
    return passed / of


def ratio(time: Time, length: Time) -> tuple[int, int]:
    """Return ``time / length`` as two whole numbers: to reduce a fraction takes long, and each step asks.

    Examples
    --------
    >>> ratio(0.5, 2)
    (1, 4)
    """
    passed, of = written(time), written(length)
    return passed.numerator * of.denominator, passed.denominator * of.numerator


@dataclass(frozen=True)
class Cycles:
    """Cycles one after the other, each so many times as long as the one before.

    Cycle i, counted from 0, has the length ``first * multiplier ** i``, and begins where the one before ends: that
    instant belongs to it.

    Parameters
    ----------
    first
        Length of the first cycle in epochs, above 0.
    multiplier
        At least 1.

    Examples
    --------
    >>> cycles = Cycles(Fraction(10), multiplier=2)
    >>> [cycles.progress(time) for time in (0, 5, 10, 25)]
    [0.0, 0.5, 0.0, 0.75]
    """

    first: Fraction
    multiplier: int = 1

    def ended(self, time: Time) -> int:
        """Return how many cycles have ended at `time`, which is also the number of the one under way."""
        lengths = whole_periods(time, self.first)
        if self.multiplier == 1:
            return lengths
        number = 0
        while lengths >= self._before(number + 1):
            number += 1
        return number

    def at(self, time: Time) -> tuple[Fraction, Fraction]:
        """Return the start and the length, in epochs, of the cycle that `time` falls in."""
        number = self.ended(time)
        return self.first * self._before(number), self.first * self.multiplier**number

    def progress(self, time: Time) -> float:
        """Return the share of the cycle that `time` falls in that has passed then, in [0, 1)."""
        passed, of = ratio(time, self.first)
        number = self.ended(time)
        share: float = (passed - self._before(number) * of) / (of * self.multiplier**number)
        return share

    def _before(self, number: int) -> int:
        """Return how many times the first cycle's length fits before cycle `number`."""
        if self.multiplier == 1:
            return number
        return sum(self.multiplier**earlier for earlier in range(number))
