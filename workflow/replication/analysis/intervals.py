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


def paired_p_value(differences: Sequence[float]) -> float:
    """Return the two-sided p value of Student's t test that the mean of paired differences is 0.

    1 where there are fewer than two. Equal differences give 0, or 1 if they are all 0.
    """
    if len(differences) < 2:
        return 1.0
    mean, error = _mean_and_error(differences)
    if error == 0:
        return 0.0 if mean else 1.0
    return 2 * float(special.stdtr(len(differences) - 1, -abs(mean) / error))


def holm_levels(p_values: Sequence[float], error_rate: float) -> list[float]:
    """Return for each of several tests the confidence level of the interval that decides it.

    Holm's step-down method at a family-wise `error_rate`: the test with the i-th smallest p value (from 0) of m
    is decided at `error_rate / (m - i)`; the first that is not significant and all after it are decided at the
    level of that one. So an interval excludes 0 exactly where Holm rejects.
    """
    count = len(p_values)
    levels = [0.0] * count
    alpha = error_rate
    failed = False
    for rank, index in enumerate(sorted(range(count), key=lambda i: p_values[i])):
        if not failed:
            alpha = error_rate / (count - rank)
            failed = p_values[index] >= alpha
        levels[index] = 1 - alpha
    return levels
