"""Decimal numbers as people write them, which binary floats miss: positions and thresholds are decided by these."""

import math
import sys
from fractions import Fraction

# Of the larger number: a mean over images is rounded twice, and a difference of two of them and its threshold once
# more each. No difference that means anything is this small.
ROUNDING = 8 * sys.float_info.epsilon


def written(number: float | Fraction) -> Fraction:
    """Give the decimal number that a float is printed as, exactly: 0.1 is 1/10. A fraction stays as it is."""
    return number if isinstance(number, Fraction) else Fraction(str(number))


def share_of(whole: int, share: float | Fraction) -> int:
    """Return a share of a whole number, to the nearest whole number, halves to the even one.

    ``round(whole * share)``, the share being taken as it is written: 0.644 of 125, which is 80.5, is 80, where
    floats give 81.
    """
    return round(whole * written(share))


def exceeds(value: float, other: float, threshold: float = 0.0) -> bool:
    """Say whether a value is above another by more than a threshold: the one comparison of all rules that have one.

    ``value - other > threshold``, and a difference that is the threshold but for rounding errors does not exceed it:
    .4 is above .3, and .5 above .4, by no more than .1, though floats say so of the first. Where the threshold is 0
    nothing is rounded, and any higher value exceeds the other.

    Parameters
    ----------
    value, other
        Not a number: never exceeds, and is never exceeded. `other` may be minus infinity, which any number exceeds.
    threshold
        In the same unit, 0 or more.
    """
    if threshold == 0 or not (math.isfinite(value) and math.isfinite(other)):
        return value > other
    return value - other > threshold + ROUNDING * max(abs(value), abs(other))
