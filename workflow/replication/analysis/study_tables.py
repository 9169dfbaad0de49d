"""From run folders to tables, on an explicit key: the planned run identities."""

import io
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from replication.analysis.derived_arms import with_derived_arms
from replication.analysis.intervals import t_interval
from replication.analysis.likelihoods import explanation_table
from replication.analysis.measures import at_epoch
from replication.analysis.passes import passes
from replication.analysis.range_tests import range_tests
from replication.analysis.recommendations import recommendations
from replication.errors import ResultsError
from replication.runs.folder import HISTORY, RECORD, TIMINGS
from replication.runs.plan import PlannedStudy
from replication.runs.results import STUDY_TABLES, parts_of_run
from replication.settings.measures import MEASURES
from replication.settings.run import budget_epochs
from replication.settings.study import Study
from replication.system.digests import canonical_json
from replication.system.tables import read_table, write_table

KEY = ["run_id", "study", "arm", "seed"]
PEAK_MEMORY = "peak_memory_mb"
# What a run's record gives, whatever its schedule.
FACTS = (
    *("outcome", "epochs", "best_epoch", "share_of_epochs_saved", "forward_passes", "backward_passes"),
    *("dataset", "dataset_sha256", "settings_sha256", "code_sha256", "commit", "dirty", "device", "torch"),
    "weights_sha256",
)
SECONDS = ("seconds_training", "seconds_evaluation", "seconds_probing")


def collect(run_ids: Sequence[str], folder: str | Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the folders of the planned runs.

    Parameters
    ----------
    run_ids
        Identities `study/arm/seed-n` of all planned runs.
    folder
        The folder that holds `<run_id>/record.json`.

    Returns
    -------
    runs
        One row for each planned run, in their order; a run without a record has the outcome `missing`. Where none has
        a record, there are the same columns, without values.
    history
        One row for each run and epoch, timings included.

    Raises
    ------
    ResultsError
        An identity is planned twice, or a folder holds another run or not one row for each epoch.
    """
    repeated = sorted(run_id for run_id, count in Counter(run_ids).items() if count > 1)
    if repeated:
        raise ResultsError(f"planned twice: {', '.join(repeated)}")
    records = {run_id: _read_record(Path(folder), run_id) for run_id in run_ids}
    history = _read_histories(Path(folder), {run_id: r["epochs"] for run_id, r in records.items() if r})
    steps = {} if history.empty else history.groupby("run_id", sort=False)["steps"].last().to_dict()
    rows = [_key(run_id) | _run_row(record, steps.get(run_id)) for run_id, record in records.items()]
    runs = _with_columns(pd.DataFrame(rows), FACTS).merge(_from_timings(history), on="run_id", how="left")
    runs["seconds"] = runs[list(SECONDS)].sum(axis=1, min_count=1)
    runs["share_of_seconds_probing"] = runs["seconds_probing"] / runs["seconds"]
    return runs, history


def _with_columns(table: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """Add the columns that no row has given a value."""
    return table.assign(**{name: math.nan for name in columns if name not in table.columns})


def _key(run_id: str) -> dict[str, Any]:
    study, arm, seed = parts_of_run(run_id)
    return {"run_id": run_id, "study": study, "arm": arm, "seed": seed}


def _read_record(folder: Path, run_id: str) -> dict[str, Any] | None:
    path = folder / run_id / RECORD
    if not path.exists():
        return None
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if record["run_id"] != run_id:
        raise ResultsError(f"{path}: is the record of {record['run_id']}: delete the folder and run again")
    return record


def _read_histories(folder: Path, epochs: Mapping[str, int]) -> pd.DataFrame:
    """Return the rows of all runs, with timings; `epochs` says how many each has."""
    if not epochs:
        return pd.DataFrame(columns=[*KEY, "epoch"])
    keys = pd.DataFrame([_key(run_id) for run_id, count in epochs.items() for _ in range(count)])
    history, timings = (
        _read_together({folder / run_id / name: count for run_id, count in epochs.items()})
        for name in (HISTORY, TIMINGS)
    )
    return pd.concat([keys, history, timings.drop(columns="epoch")], axis=1)


def _read_together(epochs: Mapping[Path, int]) -> pd.DataFrame:
    """Read tables of one row for each epoch as one table; one by one, thousands take minutes."""
    lines: list[str] = []
    for path, count in epochs.items():
        heading, *rows = path.read_text(encoding="utf-8").splitlines()
        if [row.partition(",")[0] for row in rows] != [str(number) for number in range(1, count + 1)]:
            raise ResultsError(
                f"{path}: should have one row for each of {count} epochs: delete the folder and run again"
            )
        lines = lines or [heading]
        if heading != lines[0]:
            raise ResultsError(
                f"{path}: has other columns than that of other runs: delete the folder and run again"
            )
        lines += rows
    return read_table(io.StringIO("\n".join(lines)))


def _run_row(record: dict[str, Any] | None, steps: float | None) -> dict[str, Any]:
    """Return the columns of a run's row that come from its record, and the passes that its steps took."""
    if record is None or steps is None:
        return {"outcome": "missing"}
    budget = budget_epochs(record["settings"]["epochs"], record["settings"]["budget_percent"])
    return {
        "outcome": record["outcome"],
        "epochs": record["epochs"],
        "best_epoch": record["best_epoch"],
        "share_of_epochs_saved": 1 - record["epochs"] / budget,
        **record["costs"],
        **passes(record, int(steps)),
        "dataset": record["dataset"]["name"],
        "dataset_sha256": record["dataset"]["identity"],
        "settings_sha256": record["settings_sha256"],
        "code_sha256": record["code_sha256"],
        "commit": record["git"]["commit"],
        "dirty": record["git"]["dirty"],
        "device": record["machine"]["device"],
        "torch": record["versions"]["torch"],
        "weights_sha256": record["weights_sha256"],
    }


def _from_timings(history: pd.DataFrame) -> pd.DataFrame:
    """Return the seconds of each run, and the largest memory that one of its processes has taken."""
    if history.empty:
        return pd.DataFrame(columns=["run_id", *SECONDS, PEAK_MEMORY])
    by_run = history.groupby("run_id", sort=False)
    return pd.concat([by_run[list(SECONDS)].sum(), by_run[PEAK_MEMORY].max()], axis=1).reset_index()


def summarise(
    runs: pd.DataFrame, history: pd.DataFrame, columns: Iterable[tuple[str, str | int]]
) -> pd.DataFrame:
    """Return one row for each arm and column: the mean over seeds with its 95 % t interval.

    A seed without a value, or with one that is not finite, counts in `planned`, and not in `n`.
    """
    rows = []
    for measure, epoch in columns:
        values = at_epoch(runs, history, measure, epoch)
        for (study, arm), group in runs.groupby(["study", "arm"], sort=False):
            found = values.loc[group["run_id"]]
            found = found[np.isfinite(found)]
            interval = t_interval(found.tolist(), 0.95)
            rows.append(
                {
                    "study": study,
                    "arm": arm,
                    "measure": measure,
                    "epoch": epoch,
                    "planned": len(group),
                    "n": interval.count,
                    "mean": interval.mean,
                    "standard_deviation": found.std(ddof=1),
                    "low": interval.low,
                    "high": interval.high,
                }
            )
    return pd.DataFrame(rows)


def summary_columns(study: Study) -> list[tuple[str, str | int]]:
    """Return the measures that a study's summary holds: the usual ones, and those of its tables and claims."""
    usual: list[tuple[str, str | int]] = [
        (name, epoch)
        for name, measure in MEASURES.items()
        if measure.summarised
        for epoch in (("last", "best") if measure.source == "epoch" else ("last",))
    ]
    asked = [(column.measure, column.epoch) for table in study.tables for column in table.columns]
    return list(dict.fromkeys([*usual, *asked, *((claim.measure, claim.epoch) for claim in study.claims)]))


def describe_arms(planned: PlannedStudy) -> pd.DataFrame:
    """Return one row for each arm: what it is called, its settings, and how they differ from the report's.

    Derived arms come last, without settings of their own.
    """
    trained = [
        {
            "study": planned.name,
            "arm": arm,
            "title": planned.study.arms[arm].title,
            "note": planned.study.arms[arm].note,
            "differences": "; ".join(planned.differences(arm)),
            "settings": canonical_json(settings.model_dump(mode="json")),
        }
        for arm, settings in planned.arms.items()
    ]
    left_out = planned.study.left_out(planned.scale)
    derived = [
        {"study": planned.name, "arm": arm, "title": title, "note": planned.study.note_of(arm)}
        for arm, title in planned.study.derived_arms.items()
        if arm not in left_out and not set(planned.study.trained_arms(arm)).isdisjoint(planned.arms)
    ]
    return pd.DataFrame([*trained, *derived])


def write_study_tables(planned: PlannedStudy, runs_folder: str | Path, folder: str | Path) -> None:
    """Write each of `STUDY_TABLES` of a study to `folder`, as `<name>.csv`."""
    runs, history = with_derived_arms(
        planned.study, planned.name, planned.scale, *collect(planned.run_ids, runs_folder), runs_folder
    )
    tables = {
        "runs": runs,
        "history": history,
        "summary": summarise(runs, history, summary_columns(planned.study)),
        "arms": describe_arms(planned),
        "range_tests": range_tests(planned, runs_folder),
        "recommendations": recommendations(planned, runs, history),
        "explanations": explanation_table(planned, runs, history),
    }
    for name in STUDY_TABLES:
        write_table(tables[name], Path(folder) / f"{name}.csv")
