"""A reading in words: what the report says, what our runs show, and what would decide it."""

import math
from collections.abc import Mapping
from typing import Any

from replication.analysis.verdicts import LEAST_SEEDS, UNDECIDED
from replication.report.formatting import format_interval, format_value
from replication.settings.claims import Claim, EventClaim, LeastEffect, OrderClaim
from replication.system.missing import MISSING

Reading = Mapping[str, Any]  # a row of claims.csv, None where a cell is empty
_BOUNDS = {"at_least": "at least ", "at_most": "at most "}


def is_event(reading: Reading) -> bool:
    """Say whether a reading is about something that each run shows or does not."""
    return reading["kind"] in ("divergence", "shape")


def is_difference(reading: Reading) -> bool:
    """Say whether the estimate is a difference between arms."""
    return reading["kind"] in ("order", "difference") or reading["minus"] is not None


def our_words(reading: Reading) -> str:
    """Return our estimate with its interval, such as `+9.00 % [+1.00, +17.00]`; a dash where there is none."""
    estimate, low, high = (reading[key] for key in ("estimate", "low", "high"))
    if is_event(reading):
        return MISSING if estimate is None else f"{estimate:.0%} of seeds"
    bounds = (math.nan if bound is None else bound for bound in (low, high))
    sign = is_difference(reading)
    value = format_value(reading["measure"], estimate, sign=sign)
    return f"{value} {format_interval(reading['measure'], *bounds, sign=sign)}".rstrip()


def reported_words(reading: Reading, claim: Claim) -> str:
    """Return what the report says, as bounds for what stands beside it, such as `at least 90.00 % ± 5.00 %`.

    Parameters
    ----------
    claim
        The reading as the study file has it: a least effect that is a share of the other arm's value is only there.
    """
    margin = None if reading["margin"] is None else format_value(reading["measure"], reading["margin"])
    match claim:
        case EventClaim():
            return "happens" if claim.expected else "does not happen"
        case OrderClaim(least=LeastEffect(relative=float(share))):
            return f"above {share:.0%} of the other"
        case OrderClaim():
            return f"above {margin or 0}"
        case _:
            stated = format_value(reading["measure"], reading["expected"])
            return f"{_BOUNDS.get(claim.side, '')}{stated} ± {margin}"


def what_would_decide(reading: Reading) -> str:
    """Return how many seeds would decide an undecided reading; empty for one that is not."""
    if reading["outcome"] != UNDECIDED:
        return ""
    seeds = reading["seeds_to_decide"]
    if reading["n"] < LEAST_SEEDS:
        return f"{LEAST_SEEDS} seeds at least are needed"
    return f"about {seeds:.0f} seeds would decide it" if seeds else "more seeds will not decide it"
