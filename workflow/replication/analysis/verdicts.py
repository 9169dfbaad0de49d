"""Verdicts: what the runs say about each reading of each statement of a report.

The rules, in short. Each reading is tested for being so and for not being so, one-sided, with Welch's t test (orders,
differences) or a binomial test (events); all comparisons of an order must hold, so its largest p value decides. Holm's
correction goes over the readings of a study. A number that the report gives of one run is *contradicted* if a further
run of ours would not have had it, even if shifted by the margin, and *reproduced* if it might have been one, and runs
scatter little enough to tell. Numbers are judged only with the report's data and settings, orders, differences and
events with others too. Each test is at `LOOK_LEVEL`, so that seeds may be added, and the study be judged again, after
each of 3 to 12 seeds: false alarms in all these looks together stay below 5 %. No seed is dropped. All this is fixed
before the runs, and each run's record holds a digest of it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from replication.analysis.comparisons import (
    Estimate,
    difference,
    holm,
    p_share_above_half,
    share_bounds,
)
from replication.analysis.kinds_of_evidence import DIRECT, evidence_for
from replication.analysis.observations import Observations, Sample, further_run
from replication.runs.plan import PlannedStudy
from replication.settings.claims import (
    Claim,
    DifferenceClaim,
    EventClaim,
    Margin,
    OrderClaim,
    Side,
    ValueClaim,
)

LOOK_LEVEL = 0.004  # see benchmarks/verdict_errors.py for what it comes to over all looks and readings
LEAST_SEEDS = 3  # for a spread to be worth anything, and so for an interval
MOST_SEEDS = 1000  # that "undecided" thinks of
PREDICTION_TAIL = 0.025  # of the interval in which a further run lies
WIDEST_PREDICTION = 2.0  # its half width, in margins: a wider one contains too much to confirm a number

ROUNDING = 1e-12  # relative; far above the errors of the arithmetic, far below any difference

REPRODUCED, SUPPORTED = "reproduced", "supported"  # the second: by reduced or conceptual evidence
CONTRADICTED = "contradicted"
UNDECIDED = "undecided"
NOT_TESTABLE = "not testable here"
IDENTICAL = "identical runs"
INCOMPLETE = "incomplete"
NOT_RUN = "not run"
OUTCOMES = (
    REPRODUCED,
    SUPPORTED,
    CONTRADICTED,
    UNDECIDED,
    IDENTICAL,
    NOT_TESTABLE,
    INCOMPLETE,
    NOT_RUN,
)
DECIDED = (REPRODUCED, SUPPORTED, CONTRADICTED)


@dataclass(frozen=True)
class Judgement:
    """What the runs say about one reading.

    Attributes
    ----------
    outcome
        One of `OUTCOMES`.
    count
        Seeds with a value, in each arm that is compared.
    estimate, low, high, level
        In the unit of the measure: ours, or the deciding difference (of an order: positive where the report is right),
        or the share of seeds that show an event; and its interval at the level of the decision. The interval of a
        number is that of one further run.
    expected, margin
        As the report has it, and the half width around it, or the least effect; NaN where there is none.
    p_so, p_not_so
        P values of the tests that the reading is so, and that it is not; NaN where it was not tested.
    seeds_to_decide
        How many are expected to decide it, if it goes on like this; NaN where it is decided, or more than
        `MOST_SEEDS` were needed.
    detail
        All comparisons of an order, in words.
    """

    outcome: str
    count: int = 0
    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    level: float = math.nan
    expected: float = math.nan
    margin: float = math.nan
    p_so: float = math.nan
    p_not_so: float = math.nan
    seeds_to_decide: float = math.nan
    detail: str = ""


@dataclass(frozen=True)
class _Test:
    """A reading that can be tested.

    Attributes
    ----------
    p_so, p_not_so
        As in the judgement.
    interval
        What to say of ours, given the outcome and the level of the decision.
    seeds
        How many seeds are expected to decide it at a level.
    otherwise
        The outcome where neither test is significant.
    """

    claim: Claim
    stated: Judgement
    p_so: float
    p_not_so: float
    interval: Callable[[str, float], Judgement]
    seeds: Callable[[float], int | None]
    otherwise: str = UNDECIDED


@dataclass(frozen=True)
class _Comparison:
    """A pair of arms of an order.

    Attributes
    ----------
    difference
        Positive where the report is right.
    beyond
        The same, less the least effect: it must be above 0.
    """

    than: str
    difference: Estimate
    beyond: Estimate


def margin_around(margin: Margin, expected: float) -> float:
    """Return the half width of a margin, in the unit of `expected`."""
    if margin.binomial_images is None:
        assert margin.absolute is not None
        return margin.absolute
    return 2 * math.sqrt(expected * (1 - expected) / margin.binomial_images)


def judge(planned: PlannedStudy, runs: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """Return the table of readings of a study, one row per reading, in the order of its file."""
    observations = Observations(planned, runs, history)
    judgements: dict[str, Judgement] = {}
    tests: list[_Test] = []
    for claim in planned.study.claims:
        found = _prepared(planned, claim, observations)
        if isinstance(found, Judgement):
            judgements[claim.id] = found
        else:
            tests.append(found)
    judgements |= _decided_together(planned, tests)
    return pd.DataFrame([_row(planned, claim, judgements[claim.id], runs) for claim in planned.study.claims])


def _decided_together(planned: PlannedStudy, tests: Sequence[_Test]) -> dict[str, Judgement]:
    """Decide all readings of a study that can be tested, with Holm's correction over them."""
    so = _levels({test.claim.id: test.p_so for test in tests})
    not_so = _levels({test.claim.id: test.p_not_so for test in tests})
    decided = {}
    for test in tests:
        name = test.claim.id
        level_so, level_not = so.get(name, LOOK_LEVEL), not_so.get(name, LOOK_LEVEL)
        if test.p_so < level_so:
            outcome, level = REPRODUCED, level_so
        elif test.p_not_so < level_not:
            outcome, level = CONTRADICTED, level_not
        else:
            outcome, level = test.otherwise, min(level_so, level_not)
        if outcome == REPRODUCED and evidence_for(planned, test.claim)[0] != DIRECT:
            outcome = SUPPORTED
        seeds = test.seeds(level) if outcome == UNDECIDED else None
        decided[name] = replace(
            test.interval(outcome, level),
            outcome=outcome,
            p_so=test.p_so,
            p_not_so=test.p_not_so,
            seeds_to_decide=math.nan if seeds is None else seeds,
        )
    return decided


def _levels(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return the level at which each test of a study is judged; those without a p value are none."""
    tested = {name: p for name, p in p_values.items() if not math.isnan(p)}
    return dict(zip(tested, holm(list(tested.values()), LOOK_LEVEL), strict=True))


def _prepared(planned: PlannedStudy, claim: Claim, observations: Observations) -> Judgement | _Test:
    """Return the test of a reading, or its judgement where it cannot be tested."""
    stated = _stated(claim)
    if not planned.left_out.isdisjoint(claim.arms):
        return replace(stated, outcome=NOT_RUN)
    if isinstance(claim, EventClaim):
        return _event(claim, observations, stated)
    samples = observations.samples(claim)
    count = min(len(sample.found) for sample in samples)
    stated = replace(stated, count=count)
    if count < len(planned.seeds):
        return replace(stated, outcome=INCOMPLETE)
    if isinstance(claim, ValueClaim) and evidence_for(planned, claim)[0] != DIRECT:
        ours = samples[0].mean - (samples[1].mean if claim.minus else 0)
        return replace(stated, outcome=NOT_TESTABLE, estimate=ours)
    if any(observations.identical(samples[0], other) for other in samples[1:]):
        return replace(stated, outcome=IDENTICAL, estimate=0.0)
    if count < LEAST_SEEDS:
        ours = samples[0].mean - samples[1].mean if len(samples) == 2 else math.nan
        ours = samples[0].mean if isinstance(claim, ValueClaim) and claim.minus is None else ours
        return replace(stated, outcome=UNDECIDED, estimate=ours, seeds_to_decide=LEAST_SEEDS)
    match claim:
        case ValueClaim():
            return _value(claim, samples, stated)
        case DifferenceClaim():
            return _difference(claim, samples, stated)
        case OrderClaim():
            return _order(claim, samples, stated)


def _stated(claim: Claim) -> Judgement:
    """Return a judgement that holds only what the report says."""
    match claim:
        case ValueClaim():
            return Judgement("", expected=claim.expected, margin=margin_around(claim.margin, claim.expected))
        case DifferenceClaim():
            return Judgement("", expected=0.0, margin=margin_around(claim.margin, 0.0))
        case OrderClaim():
            absolute = math.nan if claim.least is None else claim.least.absolute
            return Judgement("", margin=math.nan if absolute is None else absolute)
        case EventClaim():
            return Judgement("", expected=float(claim.expected))


def _value(claim: ValueClaim, samples: Sequence[Sample], stated: Judgement) -> _Test:
    """Test whether a further run of ours might have had the number that the report gives of one run."""
    ours = further_run(samples)
    lowest, highest = _allowed(claim.side, claim.expected, stated.margin, ours.mean)
    low, high = ours.bounds(PREDICTION_TAIL)
    half = (high - low) / 2
    precise = half <= WIDEST_PREDICTION * stated.margin
    inside = low <= highest and high >= lowest

    def interval(_outcome: str, _level: float) -> Judgement:
        return replace(stated, estimate=ours.mean, low=low, high=high, level=1 - 2 * PREDICTION_TAIL)

    def seeds(_level: float) -> int | None:
        if not inside:
            return None
        numbers = range(ours.count + 1, MOST_SEEDS + 1)
        return next((n for n in numbers if _half_at(ours, n) <= WIDEST_PREDICTION * stated.margin), None)

    return _Test(
        claim,
        stated,
        math.nan,
        _p_outside(ours, claim.side, lowest, highest),
        interval,
        seeds,
        REPRODUCED if inside and precise else UNDECIDED,
    )


def _half_at(ours: Estimate, count: int) -> float:
    """Return half the width of the interval of a further run, if there were `count` seeds with the same spread."""
    degrees = ours.degrees * (count - 1) / (ours.count - 1)
    low, high = replace(ours, count=count, degrees=degrees).bounds(PREDICTION_TAIL)
    return (high - low) / 2


def _difference(claim: DifferenceClaim, samples: Sequence[Sample], stated: Judgement) -> _Test:
    """Test whether the means of two arms differ by no more than a margin."""
    ours = _difference_of(samples[0], samples[1])
    lowest, highest = _allowed(claim.side, 0.0, stated.margin, ours.mean)
    distance = min(ours.mean - lowest, highest - ours.mean)

    def interval(_outcome: str, level: float) -> Judgement:
        return _with_interval(stated, ours, level)

    def seeds(level: float) -> int | None:
        return ours.seeds_to_decide(distance, level, MOST_SEEDS)

    p_inside = max(ours.p_above(lowest), ours.p_below(highest))
    return _Test(claim, stated, p_inside, _p_outside(ours, claim.side, lowest, highest), interval, seeds)


def _order(claim: OrderClaim, samples: Sequence[Sample], stated: Judgement) -> _Test:
    """Test whether an arm is ahead of all others; one that is ahead of it contradicts the order."""
    comparisons = [_comparison(claim, samples[0], other) for other in samples[1:]]
    ahead = [comparison.beyond.p_above(0) for comparison in comparisons]
    behind = [comparison.beyond.p_below(0) for comparison in comparisons]

    def interval(outcome: str, level: float) -> Judgement:
        deciding = behind.index(min(behind)) if outcome == CONTRADICTED else ahead.index(max(ahead))
        words = [f"against {each.than}: {_in_words(each.difference, level)}" for each in comparisons]
        return replace(
            _with_interval(stated, comparisons[deciding].difference, level), detail="; ".join(words)
        )

    def seeds(level: float) -> int | None:
        against = [each.beyond for each in comparisons if each.beyond.mean <= 0]
        estimates = against or [each.beyond for each in comparisons]
        counts = [each.seeds_to_decide(each.mean, level, MOST_SEEDS) for each in estimates]
        known = [count for count in counts if count is not None]
        if against:
            return min(known, default=None)
        return max(known) if len(known) == len(counts) else None

    return _Test(claim, stated, max(ahead), min(1.0, len(behind) * min(behind)), interval, seeds)


def _comparison(claim: OrderClaim, ours: Sample, theirs: Sample) -> _Comparison:
    sign = 1 if claim.direction == "higher" else -1
    plain = _difference_of(ours, theirs)
    shown = plain if sign == 1 else replace(plain, mean=-plain.mean)
    if claim.least is None:
        beyond = shown
    elif claim.least.absolute is not None:
        beyond = replace(shown, mean=shown.mean - claim.least.absolute)
    else:
        assert claim.least.relative is not None
        factor = 1 + sign * claim.least.relative
        beyond = _difference_of(ours, replace(theirs, found=[factor * value for value in theirs.found]))
        beyond = beyond if sign == 1 else replace(beyond, mean=-beyond.mean)
    return _Comparison(theirs.arm, shown, beyond)


def _event(claim: EventClaim, observations: Observations, stated: Judgement) -> Judgement | _Test:
    """Test whether most seeds show something, or do not."""
    shown = observations.shown(claim)
    known = [event for event in shown if event is not None]
    count, showing = len(known), sum(known)
    stated = replace(stated, count=count, estimate=showing / count if count else math.nan)
    if count < len(shown):
        return replace(stated, outcome=INCOMPLETE)
    agreeing = showing if claim.expected else count - showing

    def interval(_outcome: str, level: float) -> Judgement:
        low, high = share_bounds(showing, count, level)
        return replace(stated, low=low, high=high, level=1 - 2 * level)

    def seeds(level: float) -> int | None:
        most = max(agreeing, count - agreeing) / count
        return next(
            (n for n in range(count + 1, MOST_SEEDS + 1) if p_share_above_half(int(most * n), n) < level),
            None,
        )

    return _Test(
        claim,
        stated,
        p_share_above_half(agreeing, count),
        p_share_above_half(count - agreeing, count),
        interval,
        seeds,
    )


def _difference_of(ours: Sample, theirs: Sample) -> Estimate:
    return difference(ours.found, theirs.found, max(ours.grain, theirs.grain))


def _allowed(side: Side, expected: float, margin: float, ours: float) -> tuple[float, float]:
    """Return the bounds between which a value agrees with what is stated; they belong to it."""
    # A value on a bound, as 0.65 - 0.5 is on 0.15, should not fall outside because of a rounding error.
    margin += ROUNDING * max(abs(expected), abs(ours))
    lowest = -math.inf if side == "at_most" else expected - margin
    highest = math.inf if side == "at_least" else expected + margin
    return lowest, highest


def _p_outside(ours: Estimate, side: Side, lowest: float, highest: float) -> float:
    p = min(ours.p_below(lowest), ours.p_above(highest))
    return min(1.0, 2 * p) if side == "both" else p


def _with_interval(stated: Judgement, ours: Estimate, level: float) -> Judgement:
    low, high = ours.bounds(level)
    return replace(stated, estimate=ours.mean, low=low, high=high, level=1 - 2 * level)


def _in_words(ours: Estimate, level: float) -> str:
    low, high = ours.bounds(level)
    return f"{ours.mean:+.4g} [{low:+.4g}, {high:+.4g}]"


def _row(planned: PlannedStudy, claim: Claim, judgement: Judgement, runs: pd.DataFrame) -> dict[str, object]:
    behind = [arm for named in claim.arms for arm in planned.study.trained_arms(named)]
    used = runs[runs["arm"].isin(behind) & (runs["outcome"] != "missing")]
    statement = planned.study.statement_of(claim.id)
    kind, differences = evidence_for(planned, claim)
    outcome = judgement.outcome
    return {
        "study": planned.name,
        "statement": statement.id,
        "id": claim.id,
        "plainest": claim.id == statement.plainest,
        "report": planned.study.report,
        "section": statement.section,
        "quote": statement.quote,
        "kind": claim.kind,
        "reading": claim.reading or "",
        "arm": claim.arm,
        "minus": getattr(claim, "minus", None),
        "measure": claim.measure,
        "epoch": claim.epoch,
        "side": getattr(claim, "side", ""),
        "seeds": len(planned.seeds),
        "n": judgement.count,
        "estimate": judgement.estimate,
        "low": judgement.low,
        "high": judgement.high,
        "level": judgement.level,
        "expected": judgement.expected,
        "margin": judgement.margin,
        "margin_reason": _reason(claim),
        "p_so": judgement.p_so,
        "p_not_so": judgement.p_not_so,
        "seeds_to_decide": judgement.seeds_to_decide,
        "detail": judgement.detail,
        "outcome": outcome,
        "evidence": kind,
        "qualifier": "; ".join(differences),
        "verdict": outcome if outcome == NOT_RUN else f"{outcome} ({kind})",
        "runs": " ".join(used["run_id"]),
    }


def _reason(claim: Claim) -> str:
    """Return why a margin, a least effect or a threshold is what it is; empty where there is none."""
    match claim:
        case ValueClaim() | DifferenceClaim():
            return claim.margin.reason
        case OrderClaim():
            return claim.least.reason if claim.least else ""
        case EventClaim():
            return claim.reason
