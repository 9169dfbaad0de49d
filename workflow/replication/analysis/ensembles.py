"""Ensembles: what several models predict together, from the predictions that their runs have kept.

The probabilities of the members are averaged with equal weights, as Huang et al. do with the snapshots at the ends of
cycles (arXiv:1704.00109); report 002, section [2], compares that with "independent, fully-trained models".
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from replication.runs.folder import PREDICTIONS
from replication.runs.results import run_identity
from replication.settings.ensembles import Ensemble, Member
from replication.settings.measures import MEASURES
from replication.training.predictions import PredictionLog, read_predictions

SMALLEST = np.finfo(np.float32).tiny  # a probability of 0 has no logarithm
COSTS = tuple(name for name, measure in MEASURES.items() if measure.adds_up)
Row = dict[str, Any]


def ensemble_rows(
    ensemble: Ensemble, study: str, seed: int, runs: pd.DataFrame, folder: str | Path
) -> tuple[Row, Row]:
    """Return the values of an ensemble of one seed for the tables of runs and of history, without its key.

    Parameters
    ----------
    runs
        The runs of the study, indexed by run identity.
    folder
        The folder that holds `<run_id>/predictions.safetensors`.

    Returns
    -------
    run
        What the runs of all members have cost together, and `made_of`, their identities.
    epoch
        `test_accuracy` and `test_loss`, the mean cross-entropy in nats; NaN where a snapshot is missing.
    """
    run_ids = [run_identity(study, arm, seed) for arm in ensemble.arms]
    finished = [run_id for run_id in run_ids if run_id in runs.index and runs["outcome"][run_id] != "missing"]
    run: Row = {"made_of": " ".join(finished)}
    if len(finished) < len(run_ids):
        return run, _measures([], None)
    run |= {name: runs.loc[run_ids, name].sum() for name in COSTS if name in runs.columns}
    logs = {run_id: read_predictions(Path(folder, run_id, PREDICTIONS)) for run_id in run_ids}
    found = [_snapshots(member, logs[run_identity(study, member.arm, seed)]) for member in ensemble.members]
    probabilities = [] if not all(found) else [snapshot for snapshots in found for snapshot in snapshots]
    return run, _measures(probabilities, logs[run_ids[0]])


def _snapshots(member: Member, log: PredictionLog) -> list[NDArray[np.float32]]:
    snapshots = list(log.snapshots.values())
    return snapshots if member.snapshots == "all" else snapshots[-1:]


def _measures(probabilities: list[NDArray[np.float32]], log: PredictionLog | None) -> Row:
    if not probabilities or log is None or log.test_labels is None:
        return {"test_accuracy": math.nan, "test_loss": math.nan}
    mean: NDArray[np.float64] = np.stack(probabilities).mean(axis=0, dtype=np.float64)
    labels = log.test_labels.astype(int)
    of_truth = np.maximum(mean[np.arange(len(labels)), labels], SMALLEST)
    losses = -np.log(of_truth)
    return {
        "test_accuracy": int((mean.argmax(1) == labels).sum()) / len(labels),
        "test_loss": math.fsum(losses.tolist()) / len(labels),
    }
