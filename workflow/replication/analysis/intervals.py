"""Confidence intervals of a mean over few seeds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import special  # `scipy.stats` computes the same with it, and takes a second to import


@dataclass(frozen=True)
class Interval:
    """A mean over seeds and its t interval; NaN bounds where there are fewer than two values.

    Attributes
    ----------
    level
        Its confidence, such as 0.95.
    """

    count: int
    mean: float
    low: float
    high: float
    level: float


def t_interval(values: Sequence[float], level: float) -> Interval:
    """Return the t interval of the mean: `mean +- t * s / sqrt(n)`, with n - 1 degrees of freedom.

    With fewer than about 20 values, a bootstrap interval covers the mean far less often than its nominal level;
    this interval keeps its level for values that are about normal. Equal values give an interval of width 0.
    """
    count = len(values)
    if count == 0:
        return Interval(0, math.nan, math.nan, math.nan, level)
    if count == 1:
        return Interval(1, values[0], math.nan, math.nan, level)
    mean, error = _mean_and_error(values)
    half = float(special.stdtrit(count - 1, (1 + level) / 2)) * error
    return Interval(count, mean, mean - half, mean + half, level)


def _mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean of two or more values, and its standard error."""
    if min(values) == max(values):  # their computed mean may differ from them in the last bit
        return values[0], 0.0
    count = len(values)
    mean = math.fsum(values) / count
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (count - 1) / count)
