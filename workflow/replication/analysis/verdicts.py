"""Verdicts: what the runs say about each claim of a report.

The rule, in short. A value is *reproduced* if the 90 % t interval of (ours - reported) lies within the margin,
*not reproduced* if it lies wholly outside, else *inconclusive*. An order is decided by t intervals of the
differences paired by seed, at 95 % after Holm's correction over all comparisons of the study. An event is
reproduced if all seeds agree with the report, not reproduced if none does. A missing or failed seed makes a
claim *incomplete*; no seed is dropped. A claim that needs an arm which its study leaves out at this scale is *not
run*, and its comparisons are not counted. All this is fixed before the runs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from replication.analysis.events import no_convergence, second_descent, stopped_too_early
from replication.analysis.intervals import Interval, holm_levels, paired_p_value, t_interval
from replication.analysis.measures import at_epoch
from replication.runs.plan import PlannedStudy
from replication.settings.claims import Claim, EventClaim, Margin, OrderClaim, ValueClaim

VALUE_LEVEL = 0.90
ORDER_ERROR_RATE = 0.05
ROUNDING = 1e-12  # relative; far above the errors of the arithmetic, far below any difference
REPRODUCED = "reproduced"
NOT_REPRODUCED = "not reproduced"
INCONCLUSIVE = "inconclusive"
INCOMPLETE = "incomplete"
NOT_COMPARABLE = "not comparable"
NOT_RUN = "not run"


@dataclass(frozen=True)
class Judgement:
    """What the runs say about one claim, before scale and data are considered.

    Attributes
    ----------
    count
        Seeds (or pairs of seeds) with a value.
    estimate, low, high, level
        In the unit of the measure. For a value: ours, with its interval. For an order: the smallest difference
        in the direction that the report gives. For an event: the share of seeds that show it, without bounds.
    expected, margin
        As the report has it, and the half width around it; NaN where the kind of claim has none.
    detail
        The comparisons behind an order, in words.
    """

    outcome: str
    count: int
    estimate: float
    low: float = math.nan
    high: float = math.nan
    level: float = math.nan
    expected: float = math.nan
    margin: float = math.nan
    detail: str = ""


class Observations:
    """The tables of one study, asked for one arm's values by seed."""

    def __init__(self, runs: pd.DataFrame, history: pd.DataFrame, seeds: Sequence[int]) -> None:
        self._runs = runs
        self._history = history
        self._seeds = seeds

    def values(self, arm: str, measure: str, epoch: str | int) -> list[float]:
        """Return the values of an arm, one for each planned seed, NaN where there is none."""
        runs = self._runs[self._runs["arm"] == arm]
        values = at_epoch(self._runs, self._history, measure, epoch)
        by_seed = {
            seed: values.loc[run_id] for seed, run_id in zip(runs["seed"], runs["run_id"], strict=True)
        }
        return [float(by_seed.get(seed, math.nan)) for seed in self._seeds]

    def curves(self, arm: str, measure: str) -> list[list[float]]:
        """Return the values over epochs of an arm, one list for each planned seed, empty where there is none."""
        history = self._history[self._history["arm"] == arm]
        by_seed = {
            seed: rows.sort_values("epoch")[measure].tolist() for seed, rows in history.groupby("seed")
        }
        return [by_seed.get(seed, []) for seed in self._seeds]


def margin_around(margin: Margin, expected: float) -> float:
    """Return the half width of a margin, in the unit of `expected`."""
    if margin.binomial_images is None:
        assert margin.absolute is not None
        return margin.absolute
    return 2 * math.sqrt(expected * (1 - expected) / margin.binomial_images)


def judge_value(claim: ValueClaim, observations: Observations) -> Judgement:
    """Judge a number, or a paired difference of two arms."""
    values = observations.values(claim.arm, claim.measure, claim.epoch)
    if claim.minus is not None:
        epoch = claim.epoch if claim.minus_epoch is None else claim.minus_epoch
        other = observations.values(claim.minus, claim.measure, epoch)
        values = [ours - theirs for ours, theirs in zip(values, other, strict=True)]
    found = [value for value in values if math.isfinite(value)]
    interval = t_interval(found, VALUE_LEVEL)
    margin = margin_around(claim.margin, claim.expected)
    outcome = INCOMPLETE if len(found) < len(values) else value_outcome(interval, claim.expected, margin)
    return Judgement(
        outcome,
        interval.count,
        interval.mean,
        interval.low,
        interval.high,
        VALUE_LEVEL,
        claim.expected,
        margin,
    )


def value_outcome(interval: Interval, expected: float, margin: float) -> str:
    """Compare the interval of (ours - reported) with the margin, to which both of its bounds belong."""
    if math.isnan(interval.low):
        return INCONCLUSIVE
    low, high = interval.low - expected, interval.high - expected
    # A value on a bound, as 0.65 - 0.5 is on 0.15, should not fall outside because of a rounding error.
    margin += ROUNDING * max(abs(expected), abs(interval.low), abs(interval.high))
    if -margin <= low and high <= margin:
        return REPRODUCED
    return NOT_REPRODUCED if high < -margin or low > margin else INCONCLUSIVE


@dataclass(frozen=True)
class _Comparison:
    """One pair of arms of an order: differences by seed, positive where the report is right."""

    than: str
    differences: list[float]
    planned: int
    interval: Interval | None = None


def judge_orders(claims: Sequence[OrderClaim], observations: Observations) -> dict[str, Judgement]:
    """Judge all orders of a study together, with Holm's correction over all their comparisons."""
    compared = [
        (claim.id, comparison) for claim in claims for comparison in _comparisons(claim, observations)
    ]
    levels = holm_levels([paired_p_value(c.differences) for _, c in compared], ORDER_ERROR_RATE)
    decided = [
        (claim_id, replace(comparison, interval=t_interval(comparison.differences, level)))
        for (claim_id, comparison), level in zip(compared, levels, strict=True)
    ]
    return {
        claim.id: _order_judgement([c for claim_id, c in decided if claim_id == claim.id]) for claim in claims
    }


def _comparisons(claim: OrderClaim, observations: Observations) -> list[_Comparison]:
    sign = 1 if claim.direction == "higher" else -1
    ours = observations.values(claim.arm, claim.measure, claim.epoch)
    comparisons = []
    for than in claim.than:
        theirs = observations.values(
            than, claim.measure, claim.epoch if claim.than_epoch is None else claim.than_epoch
        )
        differences = [sign * (a - b) for a, b in zip(ours, theirs, strict=True)]
        finite = [difference for difference in differences if math.isfinite(difference)]
        comparisons.append(_Comparison(than, finite, len(differences)))
    return comparisons


def _order_judgement(comparisons: Sequence[_Comparison]) -> Judgement:
    outcomes = [_comparison_outcome(comparison) for comparison in comparisons]
    # One contradiction refutes the order; it holds only if every comparison does.
    by_weight = (INCOMPLETE, NOT_REPRODUCED, INCONCLUSIVE, REPRODUCED)
    outcome = next(outcome for outcome in by_weight if outcome in outcomes)
    intervals = [comparison.interval for comparison in comparisons if comparison.interval]
    weakest = min(intervals, key=lambda i: (not math.isnan(i.mean), i.mean))
    detail = "; ".join(
        f"against {comparison.than}: {_in_words(interval)}"
        for comparison, interval in zip(comparisons, intervals, strict=True)
    )
    return Judgement(
        outcome, weakest.count, weakest.mean, weakest.low, weakest.high, weakest.level, detail=detail
    )


def _in_words(interval: Interval) -> str:
    """Return a mean difference, with its interval where there are enough seeds for one."""
    if math.isnan(interval.low):
        return f"{interval.mean:+.4g}"
    return f"{interval.mean:+.4g} [{interval.low:+.4g}, {interval.high:+.4g}] at {interval.level:.2%}"


def _comparison_outcome(comparison: _Comparison) -> str:
    interval = comparison.interval
    assert interval is not None
    if interval.count < comparison.planned:
        return INCOMPLETE
    if math.isnan(interval.low):
        return INCONCLUSIVE
    if interval.low > 0:
        return REPRODUCED
    # An interval of width 0 at 0, as between arms with equal values, contradicts a difference too.
    return NOT_REPRODUCED if interval.high <= 0 else INCONCLUSIVE


def judge_event(claim: EventClaim, observations: Observations) -> Judgement:
    """Judge something that each run shows or does not."""
    shown = _shown(claim, observations)
    known = [event for event in shown if event is not None]
    share = sum(known) / len(known) if known else math.nan
    if len(known) < len(shown):
        outcome = INCOMPLETE
    elif len(known) < 2 or 0 < share < 1:
        outcome = INCONCLUSIVE
    else:
        outcome = REPRODUCED if share == float(claim.expected) else NOT_REPRODUCED
    return Judgement(outcome, len(known), share, expected=float(claim.expected))


def _shown(claim: EventClaim, observations: Observations) -> list[bool | None]:
    """Return for each planned seed whether its run shows the event; None where there is no run."""
    curves = observations.curves(claim.arm, claim.measure)
    if claim.event == "second_descent":
        return [second_descent(curve, claim.threshold) if curve else None for curve in curves]
    assert claim.reference is not None
    if claim.event == "stopped_too_early":
        whole = observations.curves(claim.reference, claim.measure)
        return [
            stopped_too_early(curve, other, claim.threshold) if curve and other else None
            for curve, other in zip(curves, whole, strict=True)
        ]
    ours = observations.values(claim.arm, claim.measure, claim.epoch)
    references = observations.values(claim.reference, claim.measure, claim.epoch)
    return [
        no_convergence(value, reference, claim.threshold) if curve and math.isfinite(reference) else None
        for curve, value, reference in zip(curves, ours, references, strict=True)
    ]


def not_run(claim: Claim) -> Judgement:
    """Return the judgement of a claim some of whose arms are not run: it holds only what the report says."""
    expected = math.nan if isinstance(claim, OrderClaim) else float(claim.expected)
    margin = margin_around(claim.margin, claim.expected) if isinstance(claim, ValueClaim) else math.nan
    return Judgement(NOT_RUN, 0, math.nan, expected=expected, margin=margin)


def judge(planned: PlannedStudy, runs: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """Return the table of claims of a study, one row per claim, in the order of its file."""
    observations = Observations(runs, history, planned.seeds)
    is_run = {claim.id: planned.left_out.isdisjoint(claim.arms) for claim in planned.study.claims}
    orders = judge_orders(
        [claim for claim in planned.study.claims if isinstance(claim, OrderClaim) and is_run[claim.id]],
        observations,
    )
    rows = []
    for claim in planned.study.claims:
        match claim:
            case _ if not is_run[claim.id]:
                judgement = not_run(claim)
            case OrderClaim():
                judgement = orders[claim.id]
            case ValueClaim():
                judgement = judge_value(claim, observations)
            case EventClaim():
                judgement = judge_event(claim, observations)
        rows.append(_row(planned, claim, judgement, runs))
    return pd.DataFrame(rows)


def _row(planned: PlannedStudy, claim: Claim, judgement: Judgement, runs: pd.DataFrame) -> dict[str, object]:
    behind = [arm for named in claim.arms for arm in planned.study.trained_arms(named)]
    used = runs[runs["arm"].isin(behind) & (runs["outcome"] != "missing")]
    qualifier, comparable = qualify(planned, claim)
    if judgement.outcome == NOT_RUN:
        qualifier, comparable = f"{planned.scale} scale", True
    judged = judgement.outcome if comparable else NOT_COMPARABLE
    return {
        "study": planned.name,
        "id": claim.id,
        "report": planned.study.report,
        "section": claim.section,
        "quote": claim.quote,
        "kind": claim.kind,
        "reading": claim.reading or "",
        "arm": claim.arm,
        "minus": getattr(claim, "minus", None),
        "measure": claim.measure,
        "epoch": claim.epoch,
        "seeds": len(planned.seeds),
        "n": judgement.count,
        "estimate": judgement.estimate,
        "low": judgement.low,
        "high": judgement.high,
        "level": judgement.level,
        "expected": judgement.expected,
        "margin": judgement.margin,
        "margin_reason": claim.margin.reason
        if isinstance(claim, ValueClaim)
        else getattr(claim, "reason", ""),
        "detail": judgement.detail,
        "outcome": judgement.outcome,
        "qualifier": qualifier,
        "verdict": f"{judged} ({qualifier})" if qualifier else judged,
        "runs": " ".join(used["run_id"]),
    }


def qualify(planned: PlannedStudy, claim: Claim) -> tuple[str, bool]:
    """Return what a verdict must say about scale and data, and whether the numbers can be compared at all.

    At paper scale on the named data there is nothing to say. Other data are not comparable. What else differs
    from the report's settings, in the arms of the claim, is named.
    """
    behind = {arm for named in claim.arms for arm in planned.study.trained_arms(named)}
    differences = sorted({d for arm in behind & planned.at_scale.keys() for d in planned.differences(arm)})
    other_data = [d for d in differences if d.startswith("data.dataset:")]
    if other_data:
        return f"{planned.scale} scale, {'; '.join(other_data).replace('data.dataset: ', '')}", False
    if differences:
        return f"{planned.scale} scale, {'; '.join(differences)}", True
    return ("" if planned.scale == "paper" else f"{planned.scale} scale, the report's settings"), True
