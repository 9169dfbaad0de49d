"""The kinds of function that a schedule is composed of.

A multiplier is relative to the base learning rate of the arm. For cyclical and 1cycle schedules the base
learning rate is the highest one.
"""

from collections.abc import Callable
from fractions import Fraction

Profile = Callable[[float], float]
"""Progress through the budget, in [0, 1], to a multiplier. Progress outside [0, 1] is clamped."""

Time = Fraction | float
"""Epochs, 0 or more, whole or not. A schedule gives fractions; a float counts as the decimal that it is written as."""

Curve = Callable[[Time], float]
"""Time in epochs to a multiplier."""

Sampling = Callable[[int], Fraction]
"""Optimizer step, counted from 0, to the time in epochs, exactly, at which a curve is read for that step."""

Schedule = Callable[[int], float]
"""Optimizer step, counted from 0, to the multiplier used for that step."""
