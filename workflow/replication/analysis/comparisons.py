"""Tests of a mean, of two means and of a share over few seeds: Welch's t test, prediction, the binomial test.

Of two means, Welch's: pairing by seed would halve the degrees of freedom, and pooled variances err where the variances
differ. `benchmarks/verdict_errors.py` simulates how often it errs, with equal and unequal variances and with seeds that
go together.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import special  # `scipy.stats` computes the same with it, and takes a second to import


@dataclass(frozen=True)
class Estimate:
    """A mean, or a difference of two means, with what its t distribution needs.

    Attributes
    ----------
    count
        Seeds behind it, in each of two samples.
    mean
        In the unit of the measure.
    spread
        Standard deviation of one value, or of the difference of two values; not of the mean.
    degrees
        Of freedom, of the spread.
    predicts
        Whether it is about one further run, rather than about the mean.
    """

    count: int
    mean: float
    spread: float
    degrees: float
    predicts: bool = False

    @property
    def error(self) -> float:
        """Standard error of the mean, or of what one further run differs from it."""
        return self.spread * math.sqrt((1 if self.predicts else 0) + 1 / self.count)

    def p_above(self, bound: float) -> float:
        """Return the p value of the one-sided test that it lies above `bound`."""
        return self._tail(self.mean - bound)

    def p_below(self, bound: float) -> float:
        """Return the p value of the one-sided test that it lies below `bound`."""
        return self._tail(bound - self.mean)

    def _tail(self, distance: float) -> float:
        if self.error == 0:
            return 0.0 if distance > 0 else 1.0
        return float(special.stdtr(self.degrees, -distance / self.error))

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Return the interval each of whose sides is passed with the probability `alpha`."""
        half = -float(special.stdtrit(self.degrees, alpha)) * self.error
        return self.mean - half, self.mean + half

    def seeds_to_decide(self, distance: float, alpha: float, most: int) -> int | None:
        """Return the least number of seeds at which a test at `alpha` decides, if the estimates stay as they are.

        Parameters
        ----------
        distance
            How far the mean is from the bound that it is tested against.
        most
            The largest number that is tried.
        """
        for count in range(self.count + 1, most + 1):
            degrees = self.degrees * (count - 1) / (self.count - 1)
            if abs(distance) > -float(special.stdtrit(degrees, alpha)) * self.spread / math.sqrt(count):
                return count
        return None


def one_mean(values: Sequence[float], grain: float, *, predicts: bool = False) -> Estimate:
    """Return the mean of two or more values, with their standard deviation.

    Parameters
    ----------
    grain
        The least standard deviation: that of a measure which moves in steps, as an accuracy does by single images,
        may come out as 0 by chance.
    """
    mean, variance = _mean_and_variance(values, grain)
    return Estimate(len(values), mean, math.sqrt(variance), len(values) - 1, predicts)


def difference(
    ours: Sequence[float], theirs: Sequence[float], grain: float, *, predicts: bool = False
) -> Estimate:
    """Return the mean of `ours` minus that of `theirs`, equally many, with Welch's degrees of freedom."""
    count = len(ours)
    (mean, variance), (other, their_variance) = (_mean_and_variance(each, grain) for each in (ours, theirs))
    both = variance + their_variance
    squares = variance**2 + their_variance**2
    degrees = (count - 1) * (both**2 / squares if squares else 2)
    return Estimate(count, mean - other, math.sqrt(both), degrees, predicts)


def _mean_and_variance(values: Sequence[float], grain: float) -> tuple[float, float]:
    count = len(values)
    # The computed mean of equal values may differ from them in the last bit.
    mean = values[0] if min(values) == max(values) else math.fsum(values) / count
    variance = math.fsum((value - mean) ** 2 for value in values) / (count - 1)
    return mean, max(variance, grain**2)


def p_share_above_half(shown: int, count: int) -> float:
    """Return the p value of the one-sided binomial test that more than half of all seeds show something."""
    return float(special.betainc(shown, count - shown + 1, 0.5)) if shown else 1.0


def share_bounds(shown: int, count: int, alpha: float) -> tuple[float, float]:
    """Return Clopper and Pearson's interval of a share, each side passed with probability `alpha` at most."""
    low = 0.0 if shown == 0 else float(special.betaincinv(shown, count - shown + 1, alpha))
    high = 1.0 if shown == count else float(special.betaincinv(shown + 1, count - shown, 1 - alpha))
    return low, high


def holm(p_values: Sequence[float], error_rate: float) -> list[float]:
    """Return for each of several tests the level that it is judged at: Holm's step-down method.

    The test with the i-th smallest p value (from 0) of m is judged at `error_rate / (m - i)`; the first that is not
    significant and all after it are judged at the level of that one. A test rejects where its p value is below its
    level, and the probability that any of them errs is at most `error_rate`.
    """
    count = len(p_values)
    levels = [error_rate] * count
    level = error_rate
    failed = False
    for rank, index in enumerate(sorted(range(count), key=lambda i: p_values[i])):
        if not failed:
            level = error_rate / (count - rank)
            failed = p_values[index] >= level
        levels[index] = level
    return levels
