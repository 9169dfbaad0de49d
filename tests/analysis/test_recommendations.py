"""The best schedule of each budget, from made-up accuracies."""

from pathlib import Path

import pandas as pd
import pytest

from replication.analysis.recommendations import recommendations
from replication.runs.plan import PlannedStudy, load_plan
from replication.settings.config import Config

STUDY = """
title: T
report: 000_75a4cf886b356ddd.txt
description: D
seeds: 3
settings:
  data: {dataset: digits, validation_fraction: 0.2, scaling: unit}
  model: {name: mnist-cnn}
  optimizer: {name: sgd, learning_rate: 0.1}
  schedule: {name: constant}
  batch_size: 32
  epochs: 10
scales: {laptop: {}, demo: {}}
grids:
  - arm: "{profile}-{budget}"
    title: "{profile} at {budget}"
    axes:
      profile:
        linear: {schedule: {name: linear}}
        rex: {schedule: {name: rex}}
        cosine: {schedule: {name: cosine}}
      budget: {"50": {budget_percent: 50.0}, "100": {}}
rankings:
  - {id: rank, title: "{profile}", arm: "{profile}-{budget}", over: [budget], measure: test_accuracy, direction: higher}
statements:
  - id: c
    section: s
    quote: q
    readings:
      - {kind: cost, arm: rex-50, measure: epochs, expected: 5, margin: {absolute: 0, reason: r}}
"""
# By seed. At 50, linear is behind REX by exactly 0.1 each time, cosine sometimes ahead of it.
ACCURACY = {
    "rex-50": [0.80, 0.82, 0.84],
    "linear-50": [0.70, 0.72, 0.74],
    "cosine-50": [0.75, 0.85, 0.79],
    "rex-100": [0.9, 0.9, 0.9],
    "linear-100": [0.9, 0.9, 0.9],
    "cosine-100": [0.8, 0.8, 0.8],
}


@pytest.fixture
def planned(tmp_path: Path) -> PlannedStudy:
    """Return the plan of a study of three profiles at two budgets."""
    (tmp_path / "made.yaml").write_text(STUDY, encoding="utf-8")
    return load_plan(Config.model_validate({}), tmp_path)["made"]


def tables(accuracy: dict[str, list[float]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return tables of runs and history of one epoch."""
    keys = [
        {"run_id": f"made/{arm}/seed-{seed}", "study": "made", "arm": arm, "seed": seed}
        for arm in accuracy
        for seed in (1, 2, 3)
    ]
    runs = pd.DataFrame(keys).assign(outcome="completed", epochs=1, best_epoch=1)
    values = [value for of_arm in accuracy.values() for value in of_arm]
    return runs, pd.DataFrame(keys).assign(epoch=1, test_accuracy=values)


def test_the_best_stands_with_all_that_cannot_be_told_from_it(planned: PlannedStudy) -> None:
    table = recommendations(planned, *tables(ACCURACY)).set_index("setting")
    assert table.loc["50", "best"] == "rex-50"
    assert table.loc["50", "mean"] == pytest.approx(0.82)
    assert (table.loc["50", "low"], table.loc["50", "high"]) == pytest.approx((0.7703, 0.8697), abs=1e-4)
    assert table.loc["50", "as_good"] == "cosine-50"
    assert table.loc["50", "compared"] == 2
    assert table.loc["50", "largest_loss"] == pytest.approx(0.1)


def test_equal_values_are_as_good(planned: PlannedStudy) -> None:
    row = recommendations(planned, *tables(ACCURACY)).set_index("setting").loc["100"]
    assert {row["best"], *row["as_good"].split()} == {"rex-100", "linear-100"}


def test_a_setting_with_a_missing_run_has_no_row(planned: PlannedStudy) -> None:
    runs, history = tables(ACCURACY)
    gone = "made/linear-50/seed-2"
    table = recommendations(planned, runs[runs["run_id"] != gone], history[history["run_id"] != gone])
    assert table["setting"].tolist() == ["100"]


def test_lower_can_be_better(tmp_path: Path) -> None:
    (tmp_path / "made.yaml").write_text(
        STUDY.replace("direction: higher}\nstatements", "direction: lower}\nstatements")
    )
    planned = load_plan(Config.model_validate({}), tmp_path)["made"]
    table = recommendations(planned, *tables(ACCURACY)).set_index("setting")
    assert table.loc["50", "best"] == "linear-50"
    assert table.loc["50", "largest_loss"] == pytest.approx(0.1)
