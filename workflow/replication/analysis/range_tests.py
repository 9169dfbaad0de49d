"""Learning-rate range tests: the curve of each run, and the range that it suggests."""

import math
from pathlib import Path

import pandas as pd

from replication.errors import ResultsError
from replication.runs.folder import RECORD, STEPS
from replication.runs.plan import PlannedStudy
from replication.runs.results import run_identity
from replication.schedules import suggest_range, until_divergence
from replication.schedules.range_test import smoothed
from replication.settings.schedule import RangeReading, RangeTest
from replication.system.tables import read_table

COLUMNS = [
    "run_id",
    "study",
    "arm",
    "seed",
    "step",
    "learning_rate",
    "train_loss",
    "smoothed_loss",
    "suggested_minimum_rate",
    "suggested_maximum_rate",
    "rises",
]


def range_tests(planned: PlannedStudy, runs_folder: str | Path) -> pd.DataFrame:
    """Return the curves of all runs of a study whose schedule is `range_test`, one row per step.

    A curve ends with the step at which it diverges; a missing run has no rows.

    Parameters
    ----------
    runs_folder
        The folder that holds `<run_id>/steps.csv`.

    Returns
    -------
    DataFrame
        `run_id`, `study`, `arm`, `seed`; `step`, counted from 0; `learning_rate` of the step; `train_loss` of its
        batch before it, and `smoothed_loss`, in nats; and, the same in each row of a run, `suggested_minimum_rate` and
        `suggested_maximum_rate` with `rises` (see `suggest_range`), NaN where the curve suggests nothing.

    Raises
    ------
    ResultsError
        A run is complete, but has no table of its steps.
    """
    tests = (
        _curve(planned.name, arm, seed, settings.schedule, Path(runs_folder))
        for arm, settings in planned.arms.items()
        if isinstance(settings.schedule, RangeTest)
        for seed in planned.seeds
    )
    found = [curve for curve in tests if curve is not None]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=COLUMNS)


def _curve(study: str, arm: str, seed: int, reading: RangeReading, runs_folder: Path) -> pd.DataFrame | None:
    run_id = run_identity(study, arm, seed)
    if not (runs_folder / run_id / RECORD).exists():
        return None
    path = runs_folder / run_id / STEPS
    if not path.exists():
        raise ResultsError(f"{path}: missing; delete the run's folder, and run `snakemake --cores all`")
    steps = read_table(path)
    rates, losses = steps["learning_rate"].tolist(), steps["train_loss"].tolist()
    taken = until_divergence(losses, reading.smoothing)
    suggestion = suggest_range(rates, losses, reading)
    curve = steps.loc[: len(taken) - 1, ["step", "learning_rate", "train_loss"]]
    return curve.assign(
        run_id=run_id,
        study=study,
        arm=arm,
        seed=seed,
        smoothed_loss=list(smoothed(taken, reading.smoothing)),
        suggested_minimum_rate=suggestion.minimum_rate if suggestion else math.nan,
        suggested_maximum_rate=suggestion.maximum_rate if suggestion else math.nan,
        rises=float(suggestion.rises) if suggestion else math.nan,
    )[COLUMNS]
