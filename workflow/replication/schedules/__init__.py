"""Learning-rate schedules as pure functions.

A profile or curve gives the shape, a sampling how often it is read, and a join puts a warm-up before it. Here is what
the rest of the package takes; each formula is in the module of its family.
"""

from replication.schedules.budget import Budget
from replication.schedules.examples import gallery
from replication.schedules.from_settings import RatePlan, build
from replication.schedules.own_function import checked, is_current
from replication.schedules.range_test import (
    LEAST_FALL,
    RangeSuggestion,
    cycles_within,
    range_test,
    rates_of_test,
    steps_of_test,
    suggest_range,
    until_divergence,
)
from replication.schedules.signatures import Schedule

__all__ = [
    "LEAST_FALL",
    "Budget",
    "RangeSuggestion",
    "RatePlan",
    "Schedule",
    "build",
    "checked",
    "cycles_within",
    "gallery",
    "is_current",
    "range_test",
    "rates_of_test",
    "steps_of_test",
    "suggest_range",
    "until_divergence",
]
