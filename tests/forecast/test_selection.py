"""Which arms are chosen where hours are too few for all."""

from pathlib import Path

import pytest

from replication.forecast.selection import most_statements
from replication.runs.plan import PlannedStudy
from tabulated import NAME, ORDER, VALUE, changed, planned_study, stated

OTHER = changed(ORDER, {"id": "other", "than": ["c"]})
HOURS = {f"{NAME}/a": 1.0, f"{NAME}/b": 1.0, f"{NAME}/c": 2.0}


def plan_of(folder: Path, **config: object) -> dict[str, PlannedStudy]:
    """Return the plan of three statements: about a, about a and b, and about a and c."""
    changes = {"statements": stated(VALUE, ORDER, OTHER)}
    return {NAME: planned_study(folder, changes, **config)}


@pytest.mark.parametrize(
    ("budget", "arms", "spent", "statements"),
    [(0.9, "", 0, 0), (1.0, "a", 1, 1), (2.9, "ab", 2, 2), (3.9, "ab", 2, 2), (4.0, "abc", 4, 3)],
)
def test_statements_that_cost_least_come_first(tmp_path, budget, arms, spent, statements):
    part = most_statements(plan_of(tmp_path), HOURS, budget)
    assert part.arms == [f"{NAME}/{arm}" for arm in arms]
    assert (part.hours, part.statements, part.of) == (spent, statements, 3)


def test_what_is_finished_costs_nothing(tmp_path):
    part = most_statements(plan_of(tmp_path), HOURS | {f"{NAME}/c": 0.0}, 1.0)
    assert part.arms == [f"{NAME}/a", f"{NAME}/c"]
    assert (part.hours, part.statements) == (1.0, 2)


@pytest.mark.parametrize(
    ("config", "of"),
    [
        ({"seeds": 2}, 0),  # too few to decide anything
        ({"seeds": 3, "scale": "demo"}, 2),  # a number is not testable on other data
        ({"only": [f"{NAME}/a", f"{NAME}/b"]}, 2),
    ],
)
def test_what_cannot_be_decided_is_no_reason(tmp_path, config, of):
    plan = plan_of(tmp_path, **config)
    hours = {key: value for key, value in HOURS.items() if key.split("/")[1] in plan[NAME].arms}
    part = most_statements(plan, hours, 4.0)
    assert (part.statements, part.of) == (of, of)
    assert bool(part.arms) == bool(of)
