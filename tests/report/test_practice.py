"""The practitioner's page: what is best, and settings that can be pasted as they are."""

from typing import Any

import pandas as pd
import pytest
import yaml
from pydantic import TypeAdapter

from places import ROOT
from replication.report.practice import budgets
from replication.runs.plan import STUDIES, PlannedStudy, load_plan
from replication.settings.config import Config
from replication.settings.schedule import ScheduleSettings


@pytest.fixture(scope="module")
def plan() -> dict[str, PlannedStudy]:
    return load_plan(Config(scale="paper"), ROOT / STUDIES)


def row(setting: str, best: str, as_good: str) -> dict[str, Any]:
    facts = {"study": "budgets", "ranking": "rank", "measure": "test_accuracy", "n": 10, "compared": 4}
    numbers = {"mean": 0.9, "low": 0.89, "high": 0.91, "largest_loss": 0.05}
    return {**facts, **numbers, "setting": setting, "best": best, "as_good": as_good}


@pytest.fixture(scope="module")
def group(plan: dict[str, PlannedStudy]) -> dict[str, Any]:
    """Return the answer of three budgets, two of which have the same best schedule."""
    rows = pd.DataFrame(
        [row("25", "linear-25", "rex-25"), row("50", "cosine-100", ""), row("100", "linear-100", "")]
    )
    runs = pd.DataFrame({"study": ["budgets"], "dataset": ["moved-digits"]})
    (contest,) = plan["budgets"].study.contests
    titles = {("budgets", contestant): title for contestant, title in contest.titles.items()}
    (only,) = budgets(plan, rows, runs, titles)
    return only


def test_each_budget_has_its_best_and_those_that_are_as_good(group: dict[str, Any]) -> None:
    first = group["rows"][0]
    assert (first["value"], first["interval"], first["loss"]) == ("90.00 %", "[89.00, 91.00]", "5.00 %")
    assert first["as_good"] == [("rex-25", "REX")]
    assert [each["title"] for each in group["rows"]] == ["Linear", "Cosine", "Linear"]
    assert group["data"] == ["moved-digits"]


def test_a_schedule_that_is_best_twice_is_pasted_once(group: dict[str, Any]) -> None:
    pastes = [(paste["title"], paste["budgets"]) for paste in group["pastes"]]
    assert pastes == [("Linear", ["25", "100"]), ("Cosine", ["50"])]


def test_the_settings_are_those_of_the_runs(group: dict[str, Any], plan: dict[str, PlannedStudy]) -> None:
    for paste, arm in zip(group["pastes"], ("linear-25", "cosine-100"), strict=True):
        settings = yaml.safe_load(paste["yaml"])["settings"]
        ours = plan["budgets"].arms[arm]
        assert TypeAdapter(ScheduleSettings).validate_python(settings["schedule"]) == ours.schedule
        assert type(ours.optimizer).model_validate(settings["optimizer"]) == ours.optimizer
        assert paste["torch"].startswith("scheduler = torch.optim.lr_scheduler.")
