"""A reading in words: what the report says, what our runs show, and what would decide it."""

import math
from collections.abc import Mapping

from replication.analysis.verdicts import CONTRADICTED, LEAST_SEEDS, UNDECIDED
from replication.report.formatting import format_interval, format_value
from replication.report.readings import NUMBERS, Reading, is_difference, is_event
from replication.settings.claims import (
    Claim,
    DifferenceClaim,
    EventClaim,
    LeastEffect,
    OrderClaim,
    ValueClaim,
)
from replication.settings.measures import MEASURES
from replication.system.missing import MISSING

Titles = Mapping[str, str]  # from an arm of the study to its title
EVENTS = {
    "second_descent": "fall a second time",
    "no_convergence": "do not converge",
    "stopped_too_early": "stop too early",
}
_OPPOSITE = {"higher": "lower", "lower": "higher"}
_WHEN = {"last": "at the end", "best": "at its best epoch"}
_BOUNDS = {"at_least": "at least ", "at_most": "at most "}


def our_words(reading: Reading) -> str:
    """Return our estimate with its interval, such as `+9.00 % [+1.00, +17.00]`; a dash where there is none."""
    value = our_number(reading)
    if is_event(reading):
        return value if value == MISSING else f"{value} of seeds"
    bounds = (math.nan if reading[key] is None else reading[key] for key in ("low", "high"))
    return f"{value} {format_interval(reading['measure'], *bounds, sign=is_difference(reading))}".rstrip()


def our_number(reading: Reading, key: str = "estimate") -> str:
    """Return our estimate, or one end of its interval, such as `+9.00 %`; a dash where there is none."""
    value = reading[key]
    if is_event(reading):
        return MISSING if value is None else f"{value:.0%}"
    return format_value(reading["measure"], value, sign=is_difference(reading))


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
    if seeds:
        return f"about {seeds:.0f} seeds would decide it"
    return "more seeds may contradict it" if _lies_apart(reading) else "more seeds will not decide it"


def _lies_apart(reading: Reading) -> bool:
    """Return whether a report's number lies outside what a further run of ours gives, if not by enough yet to say so.

    How many seeds that takes is not in the table. With more of them the same distance says more.
    """
    if reading["kind"] not in NUMBERS:
        return False
    low, high, expected, margin = (reading[key] for key in ("low", "high", "expected", "margin"))
    above, below = low > expected + margin, high < expected - margin
    return bool((above and reading["side"] != "at_least") or (below and reading["side"] != "at_most"))


def what_we_saw(reading: Reading, claim: Claim, titles: Titles) -> str:
    """Return our result as a sentence, such as `Test accuracy of A is higher than that of B by 1.30 points`.

    Parameters
    ----------
    claim
        The reading as the study file has it.
    titles
        Of the arms that were run. The reading has an estimate.
    """
    measure = MEASURES[claim.measure]
    arm, estimate = titles[claim.arm], reading["estimate"]
    match claim:
        case EventClaim():
            return f"{estimate:.0%} of the runs of {arm} {EVENTS[claim.event]}."
        case OrderClaim():
            return f"{measure.title} of {arm} is {_order_words(reading, claim, titles)}."
        case ValueClaim(minus=None):
            return f"{measure.title} of {arm} is {format_value(claim.measure, estimate)}."
        case ValueClaim() | DifferenceClaim():
            assert claim.minus is not None
            size = _size(claim.measure, estimate)
            return f"{measure.title} of {arm} and of {titles[claim.minus]} differ by {size}."


def _order_words(reading: Reading, claim: OrderClaim, titles: Titles) -> str:
    """Return where the arm is in its order, by the comparison that decides."""
    estimate, against = reading["estimate"], reading["outcome"] == CONTRADICTED
    direction = claim.direction if estimate >= 0 else _OPPOSITE[claim.direction]
    # One that is ahead and yet contradicted lacks the size that the words ask for.
    by = f"by {_size(claim.measure, estimate)}" + (" only" if against and estimate >= 0 else "")
    if claim.than == [claim.arm]:
        there, then = (
            _WHEN.get(str(each), f"after epoch {each}") for each in (claim.epoch, claim.than_epoch)
        )
        return f"{direction} {there} than {then} {by}"
    if len(claim.than) == 1:
        return f"{direction} than that of {titles[claim.than[0]]} {by}"
    if against:
        return f"{direction} than that of one of the others {by}"
    return f"{direction} than that of each of the others, {by} in the comparison that decides"


def _size(measure: str, difference: float) -> str:
    """Return the size of a difference; one of percentages is in points."""
    shown = format_value(measure, abs(difference))
    return shown.replace(" %", " points") if shown.endswith("%") else shown
