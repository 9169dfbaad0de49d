"""From run folders to tables: every planned run in its place, and nothing else."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from replication.analysis.intervals import t_interval
from replication.analysis.study_tables import (
    at_epoch,
    collect,
    describe_arms,
    summarise,
    summary_columns,
    write_study_tables,
)
from replication.errors import ResultsError
from replication.settings.measures import EPOCH_MEASURES
from replication.system.tables import read_table, write_table
from tabulated import NAME, ORDER, VALUE, planned_study, stated, tables_of, write_run

IDS = [f"{NAME}/{arm}/seed-{seed}" for arm in ("b", "a") for seed in (1, 2)]
CURVES = {
    IDS[0]: [0.1, 0.2, 0.3],
    IDS[1]: [0.4],
    IDS[2]: [0.5, 0.6],
    IDS[3]: [0.7, 0.8, 0.9, 1.0],
}


@pytest.fixture
def folder(tmp_path):
    """Make a folder of four runs, and of one that is not planned."""
    for run_id, curve in CURVES.items():
        write_run(tmp_path, run_id, {"test_accuracy": curve})
    write_run(tmp_path, f"{NAME}/a/seed-3", {"test_accuracy": [9.9]})
    return tmp_path


def edit_record(run_folder, **changes):
    path = run_folder / "record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


# --- collecting ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ids", [IDS, IDS[::-1], IDS[1:3]])
def test_there_is_one_row_for_each_planned_run_in_their_order(folder, ids):
    runs, history = collect(ids, folder)
    assert runs["run_id"].tolist() == ids
    assert runs["epochs"].tolist() == [len(CURVES[run_id]) for run_id in ids]
    assert history["run_id"].tolist() == [run_id for run_id in ids for _ in CURVES[run_id]]
    assert history["test_accuracy"].tolist() == [value for run_id in ids for value in CURVES[run_id]]
    assert history["epoch"].tolist() == [
        epoch for run_id in ids for epoch in range(1, len(CURVES[run_id]) + 1)
    ]
    for table in (runs, history):
        keys = table["study"] + "/" + table["arm"] + "/seed-" + table["seed"].astype(str)
        assert keys.tolist() == table["run_id"].tolist()


def test_a_row_says_what_the_record_says(folder):
    write_run(
        folder,
        IDS[0],
        {"test_accuracy": [0.1, 0.2]},
        outcome="stopped early",
        best_epoch=2,
        costs={"probes": 2, "parameter_copies": 1.0},
        git={"commit": "abc", "dirty": True},
    )
    run = collect(IDS, folder)[0].iloc[0]
    assert (run["outcome"], run["epochs"], run["best_epoch"]) == ("stopped early", 2, 2)
    assert run["share_of_epochs_saved"] == 0.75  # 2 of 8
    assert (run["probes"], run["parameter_copies"]) == (2, 1.0)
    assert (run["dataset"], run["dataset_sha256"]) == ("digits", "d1")
    assert (run["settings_sha256"], run["code_sha256"], run["weights_sha256"]) == ("5e", "c0", "ee")
    assert (run["commit"], run["dirty"], run["device"], run["torch"]) == ("abc", True, "cpu", "2.14.1")


def test_epochs_are_saved_of_the_share_of_the_budget(folder):
    run_id = f"{NAME}/a/seed-1"
    edit_record(folder / run_id, settings={"epochs": 8, "budget_percent": 50.0})
    assert collect([run_id], folder)[0]["share_of_epochs_saved"].tolist() == [0.5]  # 2 of 4


def test_seconds_are_summed_over_a_run(folder):
    run = collect(IDS, folder)[0].iloc[0]
    assert run["seconds_training"] == pytest.approx(0.1 + 0.2 + 0.3)
    assert run["seconds_probing"] == pytest.approx(3 * 0.05)
    assert run["seconds"] == pytest.approx(2 * 0.6 + 0.15)
    assert run["share_of_seconds_probing"] == pytest.approx(0.15 / 1.35)


def test_the_memory_of_a_run_is_the_largest_of_its_epochs(folder):
    # A later process of a run that was interrupted may take less.
    timings = read_table(folder / IDS[0] / "timings.csv")
    write_table(timings.assign(peak_memory_mb=[120.0, 150.0, 90.0]), folder / IDS[0] / "timings.csv")
    assert collect(IDS[:1], folder)[0]["peak_memory_mb"].tolist() == [150.0]


def test_passes_are_those_of_the_steps_and_of_what_the_controller_has_spent(folder):
    edit_record(folder / IDS[1], costs={"trial_forward_passes": 5, "trial_backward_passes": 2})
    runs = collect(IDS, folder)[0].set_index("run_id")
    assert runs["forward_passes"].tolist() == [30, 15, 20, 40]  # ten steps an epoch
    assert runs["backward_passes"].tolist() == [30, 12, 20, 40]


def test_a_run_without_a_record_is_missing(folder):
    (folder / IDS[1] / "record.json").unlink()  # the tables of a run that did not end do not count
    runs, history = collect(IDS, folder)
    assert runs["run_id"].tolist() == IDS
    assert runs["outcome"].tolist() == ["completed", "missing", "completed", "completed"]
    missing = runs.drop(columns=["run_id", "study", "arm", "seed", "outcome"]).iloc[1]
    assert missing.isna().all()
    assert IDS[1] not in set(history["run_id"])


def test_all_runs_may_be_missing(tmp_path):
    runs, history = collect(IDS, tmp_path / "none")
    assert runs["run_id"].tolist() == IDS
    assert set(runs["outcome"]) == {"missing"}
    assert runs["seconds"].isna().all()
    assert history.empty


def test_a_run_that_diverged_in_its_first_epoch_has_its_row(folder):
    write_run(folder, IDS[0], {"test_accuracy": [math.nan]}, outcome="diverged", best_epoch=None)
    runs, history = collect(IDS, folder)
    assert (runs["outcome"][0], runs["epochs"][0]) == ("diverged", 1)
    assert math.isnan(runs["best_epoch"][0])
    assert history["test_accuracy"].isna().tolist()[:2] == [True, False]


@pytest.mark.parametrize("ids", [[*IDS, IDS[2]], [IDS[2], IDS[2]]])
def test_a_run_that_is_planned_twice_is_refused(folder, ids):
    with pytest.raises(ResultsError, match=f"^planned twice: {IDS[2]}$"):
        collect(ids, folder)


def test_the_record_of_another_run_is_refused(folder):
    edit_record(folder / IDS[1], run_id=IDS[0])
    path = folder / IDS[1] / "record.json"
    with pytest.raises(
        ResultsError, match=f"{path}: is the record of {IDS[0]}: delete the folder and run again"
    ):
        collect(IDS, folder)


@pytest.mark.parametrize("name", ["history.csv", "timings.csv"])
@pytest.mark.parametrize("epochs", [[1, 2], [1, 2, 3, 4], [1, 2, 2], [2, 3, 4], [3, 2, 1], []])
def test_a_run_needs_one_row_for_each_epoch(folder, name, epochs):
    path = folder / IDS[0] / name
    table = pd.read_csv(path)
    table.loc[[0] * len(epochs)].assign(epoch=epochs).to_csv(path, index=False)
    with pytest.raises(
        ResultsError, match=f"{path}: should have one row for each of 3 epochs: delete the folder"
    ):
        collect(IDS, folder)


def test_the_record_decides_how_many_epochs_there_were(folder):
    edit_record(folder / IDS[0], epochs=2)
    with pytest.raises(ResultsError, match="one row for each of 2 epochs"):
        collect(IDS, folder)


# --- values at an epoch ----------------------------------------------------------------------------------------

RUNS, HISTORY = tables_of(
    {"a": [[0.1, 0.2, 0.3], [0.4, 0.5]], "b": [None, [0.6, 0.7, 0.8]]}, best_epoch=2, seconds=1.5
)
NAN = math.nan


@pytest.mark.parametrize(
    ("measure", "epoch", "values"),
    [
        ("test_accuracy", "last", [0.3, 0.5, NAN, 0.8]),
        ("test_accuracy", "best", [0.2, 0.5, NAN, 0.7]),
        ("test_accuracy", 1, [0.1, 0.4, NAN, 0.6]),
        ("test_accuracy", 3, [0.3, NAN, NAN, 0.8]),
        ("test_accuracy", 4, [NAN, NAN, NAN, NAN]),
        ("epochs", "last", [3, 2, NAN, 3]),
        ("best_epoch", 1, [2, 2, NAN, 2]),
        ("seconds", "best", [1.5, 1.5, NAN, 1.5]),
        ("parameter_copies", "last", [NAN, NAN, NAN, NAN]),
        ("train_loss", "last", [NAN, NAN, NAN, NAN]),
    ],
)
def test_a_measure_is_read_at_the_epoch_asked_for(measure, epoch, values):
    found = at_epoch(RUNS, HISTORY, measure, epoch)
    assert found.index.tolist() == RUNS["run_id"].tolist()
    assert found.tolist() == pytest.approx(values, nan_ok=True)
    shuffled = at_epoch(RUNS, HISTORY.sample(frac=1, random_state=1), measure, epoch)
    pd.testing.assert_series_equal(shuffled, found)


def test_the_best_epoch_is_that_of_each_run():
    runs = RUNS.assign(best_epoch=[1, 2, NAN, 3])
    assert at_epoch(runs, HISTORY, "test_accuracy", "best").tolist() == pytest.approx(
        [0.1, 0.5, NAN, 0.8], nan_ok=True
    )


@pytest.mark.parametrize("epoch", ["last", "best", 1])
def test_without_any_run_there_is_no_value(epoch):
    tables = tables_of({"a": [None, None]})
    for measure in ("test_accuracy", "epochs"):
        assert at_epoch(*tables, measure, epoch).isna().tolist() == [True, True]


# --- summaries -------------------------------------------------------------------------------------------------


def test_a_summary_is_the_mean_and_its_t_interval():
    values = {"a": [0.91, 0.95, 0.94, 0.90], "b": [0.5, 0.7, 0.9, 0.1]}
    runs, history = tables_of({arm: [[0.0, value] for value in each] for arm, each in values.items()})
    table = summarise(runs, history, [("test_accuracy", "last"), ("epochs", "last")])
    assert list(zip(table["measure"], table["arm"], strict=True)) == [
        ("test_accuracy", "a"),
        ("test_accuracy", "b"),
        ("epochs", "a"),
        ("epochs", "b"),
    ]
    for (_, row), each in zip(table[:2].iterrows(), values.values(), strict=True):
        interval = t_interval(each, 0.95)
        assert (row["n"], row["planned"], row["epoch"]) == (4, 4, "last")
        assert (row["mean"], row["low"], row["high"]) == (interval.mean, interval.low, interval.high)
        assert row["standard_deviation"] == pytest.approx(np.std(each, ddof=1))
    assert table[2:][["mean", "low", "high", "standard_deviation"]].to_numpy().tolist() == [[2, 2, 2, 0]] * 2


def test_a_seed_without_a_value_counts_as_planned_only():
    table = summarise(RUNS, HISTORY, [("test_accuracy", 3)])
    assert table[["arm", "planned", "n", "mean"]].to_numpy().tolist() == [["a", 2, 1, 0.3], ["b", 2, 1, 0.8]]
    assert table[["low", "high", "standard_deviation"]].isna().all(axis=None)


def test_a_summary_holds_the_usual_measures_and_those_asked_for(tmp_path):
    column = {"heading": "H", "measure": "learning_rate", "epoch": "best"}
    table = {"id": "t", "title": "T", "arms": ["a"], "columns": [column, column]}
    claims = [VALUE | {"epoch": 3}, ORDER | {"measure": "trial_losses_per_probe"}]
    columns = summary_columns(
        planned_study(tmp_path, {"tables": [table], "statements": stated(*claims)}).study
    )
    asked = [("learning_rate", "best"), ("test_accuracy", 3), ("trial_losses_per_probe", "last")]
    assert columns[-3:] == asked
    usual = columns[:-3]
    assert {("test_accuracy", "last"), ("test_accuracy", "best"), ("validation_loss", "best")} <= set(usual)
    assert {("epochs", "last"), ("seconds", "last"), ("peak_memory_mb", "last")} <= set(usual)
    assert {epoch for measure, epoch in usual if measure not in EPOCH_MEASURES} == {"last"}


def test_arms_are_described(tmp_path):
    changes = {"arms.b.note": "Our reading.", "scales.demo.settings.epochs": 2}
    planned = planned_study(tmp_path, changes, scale="demo", only=[f"{NAME}/b", f"{NAME}/c"])
    table = describe_arms(planned)
    assert table["arm"].tolist() == ["b", "c"]
    assert table["title"].tolist() == ["B", "C"]
    assert table["note"].fillna("").tolist() == ["Our reading.", ""]
    assert set(table["differences"]) == {"data.dataset: digits for mnist; epochs: 2 for 4"}
    assert [json.loads(text)["schedule"]["name"] for text in table["settings"]] == ["cosine", "step"]


# --- on disk ---------------------------------------------------------------------------------------------------


def test_tables_on_disk_hold_every_digit(tmp_path):
    planned = planned_study(tmp_path, seeds=2, only=[f"{NAME}/a", f"{NAME}/b"])
    values = np.random.default_rng(0).random((4, 3)) * 10.0 ** np.arange(-20, 1, 10)
    for run_id, row in zip(planned.run_ids, values, strict=True):
        write_run(
            tmp_path / "runs", run_id, {"test_accuracy": row, "train_loss": [1 / 3, math.nan, 0.1 + 0.2]}
        )
    write_study_tables(planned, tmp_path / "runs", tmp_path / "tables")
    history = read_table(tmp_path / "tables/history.csv")
    assert history["test_accuracy"].tolist() == values.ravel().tolist()
    assert history["train_loss"].tolist()[:3] == pytest.approx(
        [1 / 3, NAN, 0.1 + 0.2], rel=0, abs=0, nan_ok=True
    )
    summary = read_table(tmp_path / "tables/summary.csv").set_index(["arm", "measure", "epoch"])
    interval = t_interval(values[:2, 2].tolist(), 0.95)
    row = summary.loc[("a", "test_accuracy", "last")]
    assert (row["mean"], row["low"], row["high"]) == (interval.mean, interval.low, interval.high)
    runs = read_table(tmp_path / "tables/runs.csv")
    assert runs["run_id"].tolist() == planned.run_ids
    pd.testing.assert_frame_equal(runs, collect(planned.run_ids, tmp_path / "runs")[0])
    assert read_table(tmp_path / "tables/arms.csv")["arm"].tolist() == ["a", "b"]


def test_a_study_without_runs_has_tables_too(tmp_path):
    planned = planned_study(tmp_path, seeds=2)
    write_study_tables(planned, tmp_path / "runs", tmp_path / "tables")
    runs, history, summary = (
        read_table(tmp_path / f"tables/{name}.csv") for name in ("runs", "history", "summary")
    )
    assert set(runs["outcome"]) == {"missing"}
    assert history.empty
    assert set(summary["n"]) == {0}
    assert set(summary["planned"]) == {2}
