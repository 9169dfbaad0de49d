"""What the planned seeds can decide, told before any run: the least effect that each reading's verdict would find."""

import math
from collections.abc import Iterable
from functools import cache

import numpy as np
import pandas as pd
from scipy import optimize, stats

from replication.analysis.comparisons import Estimate, p_share_above_half
from replication.analysis.kinds_of_evidence import DIRECT, evidence_for
from replication.analysis.verdicts import (
    LEAST_SEEDS,
    LOOK_LEVEL,
    MOST_SEEDS,
    NOT_RUN,
    NOT_TESTABLE,
    PREDICTION_TAIL,
    WIDEST_PREDICTION,
    margin_around,
)
from replication.runs.plan import PlannedStudy
from replication.settings.claims import Claim, DifferenceClaim, EventClaim, OrderClaim, ValueClaim

UNTESTED = (NOT_TESTABLE, NOT_RUN)
UNDECIDABLE = "nothing"  # is what the seeds decide, and how many are needed follows
POINTS = 101  # of the average over Welch's degrees of freedom
POWER = 0.8  # how often an effect is to be found that is there


@cache
def least_effect(seeds: int, level: float, power: float = POWER) -> float:
    """Return the difference of two means that a one-sided Welch test finds with a given power.

    Parameters
    ----------
    seeds
        Of each arm, two or more; both arms with the same spread.
    level
        Of the test.

    Returns
    -------
    float
        In standard deviations of a seed.
    """
    # The first one's share of both sample variances decides Welch's degrees of freedom, and nothing else does.
    shares = stats.beta.ppf((np.arange(POINTS) + 0.5) / POINTS, (seeds - 1) / 2, (seeds - 1) / 2)
    critical = stats.t.isf(level, (seeds - 1) / (shares**2 + (1 - shares) ** 2))

    def missing(shift: float) -> float:
        return float(stats.nct.sf(critical, 2 * (seeds - 1), shift).mean()) - power

    return float(optimize.brentq(missing, 0, 20 * critical.max())) * math.sqrt(2 / seeds)


def what_seeds_decide(planned: PlannedStudy) -> pd.DataFrame:
    """Return a row for each reading of a study: its evidence, and what must be so for the planned seeds to decide it.

    Orders, differences and events are taken at the strictest level of Holm's method: as if all of the study were to be
    decided. Of an order of several arms, each comparison needs that much.
    """
    tested = [claim for claim in planned.study.claims if _not_tested(planned, claim) is None]
    together = [claim for claim in tested if not isinstance(claim, ValueClaim)]
    level = LOOK_LEVEL / max(1, len(together))
    return pd.DataFrame(
        [
            {
                "study": planned.name,
                "id": claim.id,
                "kind": claim.kind,
                "evidence": evidence_for(planned, claim)[0],
                "seeds": len(planned.seeds),
                "level": math.nan if isinstance(claim, ValueClaim) else level,
                "decides": _not_tested(planned, claim) or _decides(claim, len(planned.seeds), level),
            }
            for claim in planned.study.claims
        ]
    )


def describe(plan: Iterable[PlannedStudy]) -> str:
    """Return what the seeds of each study decide as text: a line for each reading that is tested."""
    lines = [f"Decided with these seeds, {POWER:.0%} of the time (sd: standard deviation of a seed):"]
    for planned in plan:
        lines.append(f"{planned.name}, {len(planned.seeds)} seeds")
        rows = what_seeds_decide(planned)
        untested = rows["decides"].isin(UNTESTED)
        tested = rows[~untested].to_dict("records")
        lines += [f"  {row['id']:<46} {row['decides']} ({row['evidence']})" for row in tested]
        lines += [
            f"  {count} {words}" for words, count in rows.loc[untested, "decides"].value_counts().items()
        ]
    return "\n".join(lines)


def _not_tested(planned: PlannedStudy, claim: Claim) -> str | None:
    """Return why a reading will not be tested, None if it will be."""
    if not planned.left_out.isdisjoint(claim.arms):
        return NOT_RUN
    if isinstance(claim, ValueClaim) and evidence_for(planned, claim)[0] != DIRECT:
        return NOT_TESTABLE
    if not isinstance(claim, EventClaim) and len(planned.seeds) < LEAST_SEEDS:
        return f"{UNDECIDABLE}: needs {LEAST_SEEDS} seeds"
    return None


def _decides(claim: Claim, seeds: int, level: float) -> str:
    match claim:
        case OrderClaim():
            beyond = "" if claim.least is None else " beyond the least effect"
            return f"differences from {least_effect(seeds, level):.1f} sd{beyond}"
        case DifferenceClaim():
            # Of a margin on both sides, each test may miss half as often.
            power = (1 + POWER) / 2 if claim.side == "both" else POWER
            widest = margin_around(claim.margin, 0.0) / least_effect(seeds, level, power)
            return f"no difference beyond the margin, if sd is at most {widest:.2g}"
        case ValueClaim():
            arms = len(claim.arms)
            of_one_sd = Estimate(seeds, 0.0, math.sqrt(arms), arms * (seeds - 1), predicts=True)
            half = of_one_sd.bounds(PREDICTION_TAIL)[1]
            widest = WIDEST_PREDICTION * margin_around(claim.margin, claim.expected) / half
            return f"the number, if sd is at most {widest:.2g}"
        case EventClaim():
            return _events(seeds, level)


def _events(seeds: int, level: float) -> str:
    least = next((shown for shown in range(seeds + 1) if p_share_above_half(shown, seeds) < level), None)
    if least is not None:
        return f"what {least} of {seeds} seeds agree on"
    needed = next(count for count in range(seeds, MOST_SEEDS + 1) if p_share_above_half(count, count) < level)
    return f"{UNDECIDABLE}: needs {needed} seeds"
