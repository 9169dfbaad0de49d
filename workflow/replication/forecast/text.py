"""A forecast in words: arms, hours by number of cores, and what fits into a budget."""

import math
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd

from replication.errors import ConfigurationError
from replication.forecast.costs import JobStart
from replication.forecast.estimates import (
    HOUR,
    Machine,
    Plan,
    actual_seconds,
    alone,
    fitting_seeds,
    forecasts,
    machine_here,
    wall_hours,
    what_is_left,
)
from replication.forecast.selection import most_statements
from replication.runs.plan import load_plan
from replication.runs.results import RUNS
from replication.settings.config import Config
from replication.settings.study import Scale
from replication.system.missing import MISSING
from replication.system.tables import write_table

SCALES: tuple[Scale, ...] = get_args(Scale)  # from the smallest to the largest


def plans_of(config: Config, studies: str | Path) -> dict[Scale, Plan]:
    """Return the plan of the chosen scale and, if there is a budget, those of the other scales.

    Scales for which the selection `only` is not valid are left out.
    """
    plans: dict[Scale, Plan] = {config.scale: load_plan(config, studies)}
    for scale in SCALES if config.budget_hours is not None else ():
        with suppress(ConfigurationError):
            plans[scale] = load_plan(config.model_copy(update={"scale": scale}), studies)
    return {scale: plans[scale] for scale in SCALES if scale in plans}


def write_forecast(
    plans: Mapping[Scale, Plan],
    config: Config,
    benchmarks: str | Path,
    cores: int,
    path: str | Path,
) -> str:
    """Forecast the chosen scale, write the table to `path` as CSV, and return it as text.

    Parameters
    ----------
    plans
        As returned by `plans_of`.
    benchmarks
        As for `actual_seconds`: for the error of the forecast once runs are finished.
    cores
        Cores that runs may use.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    plan = plans[config.scale]
    machine = machine_here(plan, config.device, cores, config.runs_per_gpu)
    start = JobStart(str(path.parent), next(iter(plan)))
    tables = forecasts(plans, config.device, machine, start)
    rows = actual_seconds(tables[config.scale], benchmarks)
    write_table(rows, path)
    lines = [describe(rows, machine, config.forecast_places)]
    if config.budget_hours is not None:
        left = {
            scale: what_is_left(table, plans[scale], path.parent / scale / RUNS)
            for scale, table in tables.items()
        }
        lines += ["", *budget(left, config.scale, machine, config.budget_hours)]
        places = machine.places(machine.count)
        lines += _part(plan, config.scale, left[config.scale], config.budget_hours * places)
    return "\n".join([*lines, f"Table: {path}"])


def describe(rows: pd.DataFrame, machine: Machine, counts: Sequence[int]) -> str:
    """Return a forecast as text: a line for each arm, sums by study, hours here and on `counts` cores or GPUs."""
    lines = [f"{'study / arm':<48}{'runs':>6}{'epochs':>8}{'steps':>9}{'hours':>9}{'MB':>7}{'actual':>9}"]
    for study, own in rows.groupby("study", sort=False):
        lines.append(f"{study:<48}{own['runs'].sum():>6}{'':>8}{'':>9}{own['hours'].sum():>9.3f}")
        lines += [_line(dict(row)) for row in own.to_dict("records")]
    lines.append("")
    lines.append(
        f"{rows['runs'].sum()} runs, {rows['hours'].sum():.2f} hours of one {machine.units[:-1]}, at most"
    )
    lines.append(
        f"Memory of a run: {rows['peak_memory_mb'].max():.0f} MB. Disk: {rows['disk_mb'].sum():.0f} MB, "
        f"and {rows['checkpoints_mb'].max():.0f} MB for each run under way"
    )
    return "\n".join([*lines, *_wall_times(rows, machine, counts), *_errors(rows)])


def _line(row: Mapping[Any, Any]) -> str:
    actual = f"{row['error']:+.0%}" if math.isfinite(row["error"]) else MISSING
    return (
        f"  {row['arm']:<46}{row['runs']:>6}{row['epochs']:>8}{row['steps']:>9}{row['hours']:>9.3f}"
        f"{row['peak_memory_mb']:>7.0f}{actual:>9}"
    )


def _wall_times(rows: pd.DataFrame, machine: Machine, counts: Sequence[int]) -> list[str]:
    units, here = machine.units, machine.count
    lines = [f"Wall time on this machine ({here} {units}): {_hours(rows, machine.places(here))}"]
    lines += [
        f"Wall time on {count} {units} like these: {_hours(rows, machine.places(count))}; "
        f"as {count} SLURM jobs at a time, each of which starts by itself: {_hours(alone(rows), count)}"
        for count in counts
    ]
    longest = max(rows.to_dict("records"), key=lambda row: row["seconds"])
    least = f"{longest['seconds'] / HOUR:.2f} hours, the longest run ({longest['study']}/{longest['arm']})"
    return [*lines, f"However many there are: no less than {least}"]


def _hours(rows: pd.DataFrame, places: int) -> str:
    return f"{wall_hours(rows, places):.2f} hours"


def _errors(rows: pd.DataFrame) -> list[str]:
    known = rows[np.isfinite(rows["error"])]
    if not len(known):
        return []
    total = known["seconds"].sum() / known["actual_seconds"].sum() - 1
    return [
        f"Error where runs are finished: {total:+.0%} in sum, {known['error'].abs().median():.0%} in the "
        f"median arm ({len(known)} arms)"
    ]


def budget(
    tables: Mapping[Scale, pd.DataFrame], chosen: Scale, machine: Machine, budget_hours: float
) -> list[str]:
    """Return what fits into a budget here: a line for each scale, and which to take.

    Parameters
    ----------
    tables
        What is left of each scale.
    chosen
        The scale that is configured.
    """
    places = machine.places(machine.count)
    seeds = {scale: fitting_seeds(rows, places, budget_hours) for scale, rows in tables.items()}
    hours = {scale: wall_hours(rows, places) for scale, rows in tables.items()}
    lines = [f"Of a budget of {budget_hours:g} hours on this machine, for what is not finished:"]
    for scale, rows in tables.items():
        fits = "fits" if hours[scale] <= budget_hours else "does not fit"
        most = (
            f"{seeds[scale]} seeds of each arm do" if seeds[scale] else "not even one seed of each arm does"
        )
        lines.append(
            f"  {scale:<8}{rows['runs'].sum():>6} runs take {hours[scale]:.2f} hours: {fits}; {most}"
        )
    lines += [f"  {scale:<8}  has nothing of what `only` selects" for scale in SCALES if scale not in tables]
    fitting = [scale for scale in SCALES if scale in tables and hours[scale] <= budget_hours]
    return [*lines, _advice(chosen, fitting, seeds)]


def _part(plan: Plan, scale: Scale, left: pd.DataFrame, hours: float) -> list[str]:
    """Return which part of a scale to take, if there are not hours for all that is left of it."""
    if left["hours"].sum() <= hours:
        return []
    part = most_statements(
        plan, dict(zip(left["study"] + "/" + left["arm"], left["hours"], strict=True)), hours
    )
    if not part.arms:
        return []
    only = shlex.quote(f"only=[{','.join(part.arms)}]")
    return [
        f"Or, with all seeds, the arms that decide most for their hours, {part.statements} of {part.of} statements:",
        f"  --config scale={scale} {only}",
    ]


def _advice(chosen: Scale, fitting: Sequence[Scale], seeds: Mapping[Scale, int]) -> str:
    if fitting:
        return f"The largest scale that fits: --config scale={fitting[-1]}, up to seeds={seeds[fitting[-1]]}"
    if seeds[chosen]:
        return f"No scale fits with all its seeds; of this one do fewer: --config seeds={seeds[chosen]}"
    possible = [scale for scale in SCALES if seeds.get(scale)]
    if possible:
        return f"Take a smaller scale with fewer seeds: --config scale={possible[-1]} seeds={seeds[possible[-1]]}"
    return "Not even one seed fits at any scale: take a part with `only`"
