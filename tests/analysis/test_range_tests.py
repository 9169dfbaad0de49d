"""The table of range tests: one curve per run, and what each suggests."""

import math

import pandas as pd
import pytest

from replication.analysis.range_tests import COLUMNS, range_tests
from replication.errors import ConfigurationError, ResultsError
from replication.system.tables import read_table, write_table
from tabulated import NAME, planned_study, write_run

READING = {"smoothing": 0.5, "fall_share": 0.25, "safety_factor": 1.0}
TEST = {
    "arms.a.settings": {
        "schedule": {"name": "range_test", "minimum": 0.1, **READING},
        "record_every_step": True,
    }
}
RATES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
SEEDS = {
    1: [2.0, 1.6, 1.0, 0.6, 1.4, 9.0],
    2: [2.0, 1.9, 1.5, 0.5, 0.5, math.nan],
    3: [1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
}
# By hand: s = 2, 5.2/3, 9.2/7, 14/15 = 0.933, lowest; a quarter of the way from the median of the first two values,
# 1.867, is 1.633.
SMOOTHED = [2.0, 5.2 / 3, 9.2 / 7, 14 / 15]


def write_steps(folder, arm, seed, losses):
    run_id = f"{NAME}/{arm}/seed-{seed}"
    write_run(folder, run_id, {"test_accuracy": [0.5]})
    rows = {"step": range(len(losses)), "learning_rate": RATES, "momentum": 0.9, "train_loss": losses}
    write_table(pd.DataFrame(rows), folder / run_id / "steps.csv")


@pytest.fixture
def planned(tmp_path):
    return planned_study(tmp_path, TEST)


def test_the_curve_of_each_seed_with_its_suggestion(tmp_path, planned):
    for seed, losses in SEEDS.items():
        write_steps(tmp_path, "a", seed, losses)
    table = range_tests(planned, tmp_path)
    assert list(table.columns) == COLUMNS
    first, second, third = (table[table["seed"] == seed] for seed in SEEDS)
    assert set(first["run_id"]) == {f"{NAME}/a/seed-1"}
    assert set(first["arm"]) == {"a"}
    assert first["step"].tolist() == [0, 1, 2, 3, 4, 5]
    assert first["learning_rate"].tolist() == RATES
    assert first["train_loss"].tolist() == SEEDS[1]
    assert first["smoothed_loss"].tolist()[:4] == pytest.approx(SMOOTHED)
    assert set(
        zip(first["suggested_minimum_rate"], first["suggested_maximum_rate"], first["rises"], strict=True)
    ) == {(0.3, 0.4, 1.0)}
    assert second["suggested_maximum_rate"].unique().tolist() == [0.5]
    assert third[["suggested_minimum_rate", "suggested_maximum_rate", "rises"]].isna().all(axis=None)


def test_a_curve_ends_where_it_diverges(tmp_path, planned):
    write_steps(tmp_path, "a", 1, [2.0, 1.0, 0.5, 90.0, 1.0, 1.0])
    assert range_tests(planned, tmp_path)["step"].tolist() == [0, 1, 2, 3]


def test_runs_that_are_missing_have_no_rows(tmp_path, planned):
    write_steps(tmp_path, "a", 2, SEEDS[2])
    assert range_tests(planned, tmp_path)["seed"].unique().tolist() == [2]


def test_other_arms_have_no_rows_and_the_table_can_be_read_without_any(tmp_path, planned):
    write_steps(tmp_path, "b", 1, SEEDS[1])
    table = range_tests(planned, tmp_path)
    assert table.empty
    write_table(table, tmp_path / "range_tests.csv")
    assert list(read_table(tmp_path / "range_tests.csv").columns) == COLUMNS


def test_it_reads_back_as_it_was_written(tmp_path, planned):
    for seed, losses in SEEDS.items():
        write_steps(tmp_path, "a", seed, losses)
    table = range_tests(planned, tmp_path)
    write_table(table, tmp_path / "range_tests.csv")
    pd.testing.assert_frame_equal(
        read_table(tmp_path / "range_tests.csv"), table, check_exact=True, check_dtype=False
    )


def test_a_complete_run_without_its_steps_is_an_error(tmp_path, planned):
    write_run(tmp_path, f"{NAME}/a/seed-1", {"test_accuracy": [0.5]})
    with pytest.raises(ResultsError, match=r"small/a/seed-1/steps.csv: missing; delete the run's folder"):
        range_tests(planned, tmp_path)


def test_a_range_test_must_record_its_steps(tmp_path):
    changes = {"arms.a.settings": {"schedule": TEST["arms.a.settings"]["schedule"]}}
    with pytest.raises(
        ConfigurationError, match=r"arm a at paper scale: `record_every_step`: should be true"
    ):
        planned_study(tmp_path, changes)
