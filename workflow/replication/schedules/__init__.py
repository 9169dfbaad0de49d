"""Learning-rate schedules as pure functions.

A profile or curve gives the shape, a sampling how often it is read, and a join puts a warm-up before it. In
this package's namespace `build` and `gallery` are the functions, not the modules of the same names.
"""

from replication.schedules.budget import Budget
from replication.schedules.cyclical import exp_range, sgdr, triangular, triangular2
from replication.schedules.decay import (
    exponential_decay,
    inverse_square_root,
    multi_step_decay,
    step_decay,
)
from replication.schedules.examples import gallery
from replication.schedules.from_settings import RatePlan, build
from replication.schedules.join import join_schedules, scaled
from replication.schedules.one_cycle import Phases, one_cycle_momentum, one_cycle_rate
from replication.schedules.profiles import constant, cosine, geometric, linear, polynomial, rex, stretch
from replication.schedules.range_test import (
    LEAST_FALL,
    RangeSuggestion,
    cycles_within,
    range_test,
    rates_of_test,
    smoothed,
    steps_of_test,
    suggest_range,
    until_divergence,
)
from replication.schedules.sampling import at_fractions, every_epoch, every_percent, every_step, sampled
from replication.schedules.signatures import Curve, Profile, Sampling, Schedule

__all__ = [
    "LEAST_FALL",
    "Budget",
    "Curve",
    "Phases",
    "Profile",
    "RangeSuggestion",
    "RatePlan",
    "Sampling",
    "Schedule",
    "at_fractions",
    "build",
    "constant",
    "cosine",
    "cycles_within",
    "every_epoch",
    "every_percent",
    "every_step",
    "exp_range",
    "exponential_decay",
    "gallery",
    "geometric",
    "inverse_square_root",
    "join_schedules",
    "linear",
    "multi_step_decay",
    "one_cycle_momentum",
    "one_cycle_rate",
    "polynomial",
    "range_test",
    "rates_of_test",
    "rex",
    "sampled",
    "scaled",
    "sgdr",
    "smoothed",
    "step_decay",
    "steps_of_test",
    "stretch",
    "suggest_range",
    "triangular",
    "triangular2",
    "until_divergence",
]
