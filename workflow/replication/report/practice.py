"""Which schedule for which budget, from our own runs only; with settings to paste."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
import yaml

from replication.report.formatting import format_interval, format_value
from replication.report.torch_code import torch_code
from replication.runs.plan import PlannedStudy
from replication.settings.run import RunSettings
from replication.system.tables import records

Titles = Mapping[tuple[str, str], str]  # by study and arm


def budgets(
    plan: Mapping[str, PlannedStudy], recommendations: pd.DataFrame, runs: pd.DataFrame, titles: Titles
) -> list[dict[str, Any]]:
    """Return the practitioner's answer, one group per ranking, with what it was measured on."""
    return [
        {
            "study": study,
            "data": sorted(runs.loc[runs["study"] == study, "dataset"].dropna().unique()),
            "rows": [_budget(row, schedules) for row in records(rows)],
            "pastes": list(_pastes(plan[str(study)], rows, schedules)),
        }
        for (study, ranking), rows in recommendations.groupby(["study", "ranking"], sort=False)
        for schedules in [_titles_of_schedules(plan[str(study)], str(ranking), titles)]
    ]


def _titles_of_schedules(planned: PlannedStudy, ranking: str, titles: Titles) -> dict[str, str]:
    """Return the title of each arm's contestant, which names the schedule without the budget."""
    contests = planned.study.contests_at(planned.scale)
    contest = next(contest for contest in contests if contest.ranking.id == ranking)
    return {
        arm: titles[planned.name, contestant]
        for contestant, arms in contest.contestants.items()
        for arm in arms
    }


def _budget(row: dict[str, Any], schedules: Mapping[str, str]) -> dict[str, Any]:
    measure = row["measure"]
    as_good = (row["as_good"] or "").split()
    bounds = (math.nan if row[name] is None else row[name] for name in ("low", "high"))
    return {
        **row,
        "title": schedules[row["best"]],
        "value": format_value(measure, row["mean"]),
        "interval": format_interval(measure, *bounds),
        "loss": format_value(measure, row["largest_loss"]),
        "as_good": [(arm, schedules[arm]) for arm in as_good],
    }


def _pastes(
    planned: PlannedStudy, rows: pd.DataFrame, schedules: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Yield each schedule that is best for some budget, as our YAML and as PyTorch."""
    bests: dict[str, list[dict[str, Any]]] = {}
    for row in records(rows):
        schedule = planned.arms[row["best"]].schedule
        bests.setdefault(schedule.model_dump_json(), []).append(row)
    for same in bests.values():
        settings = planned.arms[same[0]["best"]]
        yield {
            "title": schedules[same[0]["best"]],
            "budgets": [row["setting"] for row in same],
            "yaml": _our_yaml(settings),
            "torch": torch_code(settings.schedule),
        }


def _our_yaml(settings: RunSettings) -> str:
    """Return schedule and optimizer as a study file has them, defaults left out."""
    parts = {
        name: json.loads(getattr(settings, name).model_dump_json(exclude_defaults=True))
        for name in ("optimizer", "schedule")
    }
    text: str = yaml.safe_dump({"settings": parts}, sort_keys=False)
    return text
