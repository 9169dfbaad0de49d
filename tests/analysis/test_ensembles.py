"""Ensembles, from made-up predictions of three images and two classes."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from replication.analysis.ensembles import ensemble_rows
from replication.settings.ensembles import Ensemble
from replication.training.predictions import PredictionLog, Predictions, write_predictions

LABELS = np.array([0, 1, 1], np.uint8)
# Probabilities of class 0. Alone each model has two of three images right; their mean has all three.
SNAPSHOTS = {"a": {1: [0.1, 0.1, 0.1], 2: [0.9, 0.4, 0.7]}, "b": {2: [0.8, 0.7, 0.1]}}


def write_run(folder: Path, arm: str, snapshots: dict[int, list[float]]) -> str:
    """Write the predictions of a run of one arm, and return its identity."""
    log = PredictionLog(test_labels=LABELS)
    for epoch, first in snapshots.items():
        both = np.stack([first, 1 - np.array(first)], axis=1).astype(np.float32)
        losses = -np.log(np.maximum(both[np.arange(3), LABELS], 1e-30))
        log.by_split["test"][epoch] = Predictions(both.argmax(1).astype(np.uint8), losses, both)
    run_id = f"study/{arm}/seed-1"
    (folder / run_id).mkdir(parents=True)
    write_predictions(log, folder / run_id / "predictions.safetensors")
    return run_id


@pytest.fixture
def runs(tmp_path: Path) -> pd.DataFrame:
    """Return the table of two complete runs, whose predictions are below tmp_path."""
    run_ids = [write_run(tmp_path, arm, snapshots) for arm, snapshots in SNAPSHOTS.items()]
    columns = {"outcome": "completed", "seconds": [2.0, 3.0], "backward_passes": [10, 20]}
    return pd.DataFrame({"run_id": run_ids, **columns}).set_index("run_id")


def ensemble(*members: dict[str, str]) -> Ensemble:
    return Ensemble.model_validate({"title": "E", "members": list(members)})


BOTH = ensemble({"arm": "a"}, {"arm": "b"})


def test_the_mean_of_the_last_snapshots_decides(runs: pd.DataFrame, tmp_path: Path) -> None:
    _, epoch = ensemble_rows(BOTH, "study", 1, runs, tmp_path)
    assert epoch["test_accuracy"] == 2 / 3  # means of class 0: 0.85, 0.55 and 0.4
    losses = [-math.log(p) for p in (0.85, 0.45, 0.6)]
    assert epoch["test_loss"] == pytest.approx(sum(losses) / 3, rel=1e-6)


def test_all_snapshots_count_alike(runs: pd.DataFrame, tmp_path: Path) -> None:
    _, epoch = ensemble_rows(ensemble({"arm": "a", "snapshots": "all"}), "study", 1, runs, tmp_path)
    losses = [-math.log(p) for p in (0.5, 0.75, 0.6)]
    assert epoch["test_loss"] == pytest.approx(sum(losses) / 3, rel=1e-6)


def test_costs_are_those_of_all_runs_each_once(runs: pd.DataFrame, tmp_path: Path) -> None:
    both_and_again = ensemble({"arm": "a"}, {"arm": "b"}, {"arm": "a", "snapshots": "all"})
    run, _ = ensemble_rows(both_and_again, "study", 1, runs, tmp_path)
    assert run == {"made_of": "study/a/seed-1 study/b/seed-1", "seconds": 5.0, "backward_passes": 30}


@pytest.mark.parametrize("how", ["missing", "not planned"])
def test_a_missing_run_leaves_no_value(runs: pd.DataFrame, tmp_path: Path, how: str) -> None:
    if how == "missing":
        runs.loc["study/b/seed-1", "outcome"] = "missing"
    else:
        runs = runs.drop("study/b/seed-1")
    run, epoch = ensemble_rows(BOTH, "study", 1, runs, tmp_path)
    assert run == {"made_of": "study/a/seed-1"}
    assert all(math.isnan(value) for value in epoch.values())


def test_a_run_that_never_reached_its_snapshot_leaves_no_value(runs: pd.DataFrame, tmp_path: Path) -> None:
    write_predictions(PredictionLog(), tmp_path / "study/b/seed-1/predictions.safetensors")
    _, epoch = ensemble_rows(BOTH, "study", 1, runs, tmp_path)
    assert all(math.isnan(value) for value in epoch.values())


def test_a_probability_of_zero_gives_a_finite_loss(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"run_id": [write_run(tmp_path, "sure", {1: [0.0, 0.0, 0.0]})], "outcome": "completed"}
    )
    _, epoch = ensemble_rows(ensemble({"arm": "sure"}), "study", 1, table.set_index("run_id"), tmp_path)
    assert epoch["test_loss"] == pytest.approx(-math.log(np.finfo(np.float32).tiny) / 3)
