"""What the runs of a scale will cost, arm by arm, before any of them starts."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from replication.data import DATASETS
from replication.data.recipes import Shape
from replication.errors import ConfigurationError
from replication.measuring import MEGABYTE, Cost, Device, Kind, kind_of, measure
from replication.plan import PlannedStudy
from replication.settings.run import RunSettings
from replication.settings.schedule import LossProbing
from replication.tables import write_table

HOUR = 3600
BYTES_PER_PREDICTION = 5  # a class and a loss
BYTES_PER_EPOCH = 400  # rows of history.csv and timings.csv


@dataclass(frozen=True)
class Size:
    """How much work one run is: at most, where it may stop early."""

    epochs: int
    steps: int
    probes: int
    evaluated: int
    images: int
    predictions: int


def shape_of(dataset: str) -> Shape:
    """Return the shape of a built-in data set, without preparing it.

    Raises
    ------
    ConfigurationError
        It is the user's own, whose shape is not known beforehand.
    """
    if dataset not in DATASETS:
        raise ConfigurationError(f"no forecast for the image folder {dataset}: leave it out with `only`")
    return DATASETS[dataset].shape


def size_of(settings: RunSettings, shape: Shape) -> Size:
    """Return how much work a run with `settings` is."""
    images = settings.data.train_images or shape.train_images
    test = settings.data.test_images or shape.test_images
    held_out = round(images * settings.data.validation_fraction)
    steps = -(-(images - held_out) // settings.batch_size)
    tested = settings.epochs if settings.evaluate_test == "every_epoch" else 0
    probing = isinstance(settings.schedule, LossProbing)
    interval = settings.schedule.interval_epochs if isinstance(settings.schedule, LossProbing) else 1
    return Size(
        epochs=settings.epochs,
        steps=settings.epochs * steps,
        probes=-(-settings.epochs // interval) if probing else 0,
        evaluated=settings.epochs * held_out + (tested + 2) * test,
        images=images + test,
        predictions=settings.epochs * held_out + max(tested, 2) * test,
    )


def forecast(plan: Mapping[str, PlannedStudy], device: Device, cores: int) -> pd.DataFrame:
    """Measure each kind of run on this machine, and return what the plan costs: one row an arm.

    Parameters
    ----------
    device
        `auto`, `cpu` or `cuda`.
    cores
        As many processes are measured side by side, as runs will be: they slow each other down.

    Returns
    -------
    DataFrame
        `study`, `arm`, `runs`, `epochs` and `steps` of a run, `seconds` of a run and the part of them spent on
        starting, `hours` of all runs, `peak_memory_mb` of a run, `disk_mb` of all runs.
    """
    kinds: dict[str, Kind] = {}
    rows = []
    for study in plan.values():
        for settings in study.arms.values():
            shape = shape_of(settings.data.dataset)
            kinds[kind_of(settings, shape)] = (settings, shape)
    threads = max(settings.threads for settings, _ in kinds.values())
    costs = measure(kinds, device, at_once=max(cores // threads, 1))
    for study in plan.values():
        for arm, settings in study.arms.items():
            shape = shape_of(settings.data.dataset)
            row = _row(size_of(settings, shape), costs[kind_of(settings, shape)], shape, len(study.seeds))
            rows.append({"study": study.name, "arm": arm, "runs": len(study.seeds), **row})
    return pd.DataFrame(rows)


def _row(size: Size, cost: Cost, shape: Shape, runs: int) -> dict[str, Any]:
    seconds = cost.start_seconds + size.steps * cost.step_seconds
    seconds += size.probes * cost.probe_seconds + size.evaluated * cost.image_seconds
    kept = size.predictions * BYTES_PER_PREDICTION + size.epochs * BYTES_PER_EPOCH
    return {
        "epochs": size.epochs,
        "steps": size.steps,
        "seconds": seconds,
        "start_seconds": cost.start_seconds,
        "hours": runs * seconds / HOUR,
        "peak_memory_mb": cost.memory_mb + size.images * math.prod(shape.pixels) / MEGABYTE,
        "disk_mb": runs * kept / MEGABYTE,
        # Two slots, each with weights, their best copy and at most two of the optimizer's.
        "checkpoints_mb": 2 * (4 * cost.weights_mb + kept / MEGABYTE),
    }


def wall_hours(rows: pd.DataFrame, places: int) -> float:
    """Return the hours that all runs take where `places` go side by side: no less than the longest of them."""
    return float(max(rows["hours"].sum() / places, rows["seconds"].max() / HOUR))


def fitting_seeds(rows: pd.DataFrame, places: int, budget_hours: float) -> int:
    """Return how many seeds of every arm fit into `budget_hours`; 0 if not even one does."""
    one_seed = rows.assign(hours=rows["hours"] / rows["runs"])
    if wall_hours(one_seed, places) > budget_hours:
        return 0
    return int(budget_hours * places / one_seed["hours"].sum() + 1e-9)


def write_forecast(
    plan: Mapping[str, PlannedStudy],
    benchmarks: str | Path,
    device: Device,
    cores: int,
    budget_hours: float | None,
    path: str | Path,
) -> str:
    """Forecast a plan, write the table to `path` as CSV, and return it as text.

    Parameters
    ----------
    benchmarks
        As of `actual_seconds`: for the error of the forecast once runs are finished.
    budget_hours
        If given, the text says how many seeds fit.
    """
    rows = actual_seconds(forecast(plan, device, cores), benchmarks)
    write_table(rows, path)
    places = {f"this machine ({cores} at a time)": cores, "4 at a time": 4, "16 at a time": 16}
    lines = [describe(rows, places)]
    if budget_hours is not None:
        lines.append(_advice(rows, cores, budget_hours))
    return "\n".join([*lines, f"Table: {path}"])


def _advice(rows: pd.DataFrame, cores: int, budget_hours: float) -> str:
    seeds = fitting_seeds(rows, cores, budget_hours)
    if seeds == 0:
        return (
            f"Not even one seed of each arm fits into {budget_hours:g} hours: take a smaller scale "
            "(scale=laptop, scale=demo), or a part with `only`"
        )
    return f"Into {budget_hours:g} hours here fit {seeds} seeds of each arm: --config seeds={seeds}"


def actual_seconds(rows: pd.DataFrame, benchmarks: str | Path) -> pd.DataFrame:
    """Add to a forecast what the jobs of finished runs took: `finished`, `actual_seconds` and `error`.

    Parameters
    ----------
    benchmarks
        The folder with `<study>/<arm>/seed-<n>.jsonl`, the last line of which holds the seconds as `s`.

    Returns
    -------
    DataFrame
        The error is that of the forecast, as a share of what the runs took.
    """
    found = [_mean_seconds(Path(benchmarks, row["study"], row["arm"])) for row in rows.to_dict("records")]
    rows = rows.assign(finished=[count for count, _ in found])
    rows["actual_seconds"] = [seconds for _, seconds in found]
    rows["error"] = rows["seconds"] / rows["actual_seconds"] - 1
    return rows


def _mean_seconds(arm: Path) -> tuple[int, float]:
    lines = [path.read_text(encoding="utf-8").splitlines()[-1] for path in sorted(arm.glob("*.jsonl"))]
    totals = [float(json.loads(line)["s"]) for line in lines]
    return len(totals), sum(totals) / len(totals) if totals else math.nan


def describe(rows: pd.DataFrame, places: Mapping[str, int]) -> str:
    """Return a forecast as text: one line an arm, sums by study, and the hours at so many places."""
    lines = [f"{'study / arm':<48}{'runs':>6}{'epochs':>8}{'steps':>9}{'hours':>9}{'MB':>7}{'actual':>9}"]
    for study, own in rows.groupby("study", sort=False):
        lines.append(f"{study:<48}{own['runs'].sum():>6}{'':>8}{'':>9}{own['hours'].sum():>9.3f}")
        lines += [_line(dict(row)) for row in own.to_dict("records")]
    lines.append("")
    lines.append(f"{rows['runs'].sum()} runs, {rows['hours'].sum():.2f} hours of one core or GPU, at most")
    lines.append(
        f"Memory of a run: {rows['peak_memory_mb'].max():.0f} MB. Disk: {rows['disk_mb'].sum():.0f} MB, "
        f"and {rows['checkpoints_mb'].max():.0f} MB for each run under way"
    )
    lines += [f"Wall time on {name}: {wall_hours(rows, count):.2f} hours" for name, count in places.items()]
    known = rows.dropna(subset=["error"])
    if len(known):
        total = known["seconds"].sum() / known["actual_seconds"].sum() - 1
        lines.append(
            f"Error where runs are finished: {total:+.0%} in sum, {known['error'].abs().median():.0%} in the "
            f"median arm ({len(known)} arms)"
        )
    return "\n".join(lines)


def _line(row: Mapping[Any, Any]) -> str:
    actual = "" if math.isnan(row["error"]) else f"{row['error']:+.0%}"
    return (
        f"  {row['arm']:<46}{row['runs']:>6}{row['epochs']:>8}{row['steps']:>9}{row['hours']:>9.3f}"
        f"{row['peak_memory_mb']:>7.0f}{actual:>9}"
    )
