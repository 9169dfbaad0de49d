"""Which arms to run where hours are too few for all: those that decide most statements."""

from collections.abc import Mapping
from dataclasses import dataclass

from replication.analysis.power import UNDECIDABLE, UNTESTED, what_seeds_decide
from replication.forecast.estimates import Plan
from replication.runs.plan import PlannedStudy

Arms = frozenset[str]  # as `study/arm`


@dataclass(frozen=True)
class Selection:
    """Arms, and what they are worth.

    Attributes
    ----------
    arms
        As `study/arm`, in the order of the plan.
    hours
        Of cores or GPUs, for what is not finished.
    statements
        How many the arms can decide.
    of
        How many the whole plan can.
    """

    arms: list[str]
    hours: float
    statements: int
    of: int


def most_statements(plan: Plan, hours: Mapping[str, float], budget: float) -> Selection:
    """Choose arms statement by statement: next comes the one that brings most for its hours, of those that still fit.

    The best choice of all is a hard problem (maximum coverage under a budget), and takes hours that this one spares.

    Parameters
    ----------
    hours
        What each arm, as `study/arm`, still takes; arms that take nothing are chosen.
    budget
        In the same hours.
    """
    needed = [need for need in _needed(plan) if need <= hours.keys()]
    chosen = {arm for arm, left in hours.items() if not left}

    def worth(more: Arms) -> float:
        won = sum(need <= chosen | more and not need <= chosen for need in needed)
        return won / sum(hours[arm] for arm in more)

    while True:
        spent = sum(hours[arm] for arm in chosen)
        missing = {need - chosen for need in needed if not need <= chosen}
        fitting = [more for more in missing if spent + sum(hours[arm] for arm in more) <= budget]
        if not fitting:
            break
        best = max(fitting, key=lambda more: (worth(more), sorted(more)))
        chosen |= best
    decided = [need for need in needed if need <= chosen]
    useful = frozenset().union(*decided)
    arms = [f"{name}/{arm}" for name, planned in plan.items() for arm in planned.arms]
    return Selection([arm for arm in arms if arm in useful], spent, len(decided), len(needed))


def _needed(plan: Plan) -> list[Arms]:
    """Return the arms behind each statement's plainest reading, where the planned seeds can decide it."""
    return [
        frozenset(f"{name}/{trained}" for arm in reading.arms for trained in planned.study.trained_arms(arm))
        for name, planned in plan.items()
        for decidable in [_decidable(planned)]
        for statement in planned.study.statements
        for reading in statement.readings
        if reading.id == statement.plainest and reading.id in decidable
    ]


def _decidable(planned: PlannedStudy) -> set[str]:
    rows = what_seeds_decide(planned)
    hopeless = rows["decides"].isin(UNTESTED) | rows["decides"].str.startswith(UNDECIDABLE)
    return set(rows.loc[~hopeless, "id"])
