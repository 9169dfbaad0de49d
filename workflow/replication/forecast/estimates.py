"""What the runs of a scale will cost, arm by arm, before any of them starts."""

import json
import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from replication.data import DATASETS
from replication.data.recipes import Shape
from replication.errors import ConfigurationError
from replication.forecast.costs import (
    ANY_START,
    Cost,
    Device,
    JobStart,
    Kind,
    kind_of,
    measure,
    visible_gpus,
)
from replication.runs.folder import RECORD
from replication.runs.forks.launch import can_start
from replication.runs.plan import PlannedStudy
from replication.runs.results import run_identity
from replication.schedules import steps_of_test
from replication.settings.run import RunSettings
from replication.settings.schedule import BeamSearch, LossProbing, RangeTested
from replication.settings.study import MOST_SEEDS
from replication.system.files import visible_files
from replication.system.memory import MEGABYTE

HOUR = 3600
PREPARED = Path("resources/datasets")
BYTES_PER_PREDICTION = 5  # a class and a loss
BYTES_PER_EPOCH = 400  # rows of history.csv and timings.csv

Plan = Mapping[str, PlannedStudy]
Name = TypeVar("Name", bound=str)


@dataclass(frozen=True)
class Size:
    """How much work one run is: at most, where it may stop early."""

    epochs: int
    steps: int
    probes: int
    evaluated: int
    images: int
    predictions: int
    kept_states: int = 0  # states of training that a search keeps


def shape_of(dataset: str, prepared: Path = PREPARED) -> Shape:
    """Return the shape of a data set: a built-in one need not be prepared, the user's own is looked at.

    Raises
    ------
    ConfigurationError
        It is the user's own, and not prepared.
    """
    if dataset in DATASETS:
        return DATASETS[dataset].shape
    manifest = prepared / f"{dataset}.json"
    if not manifest.is_file():
        raise ConfigurationError(
            f"no forecast for the image folder {dataset} before it is prepared: run `snakemake data` with the same "
            "configuration, or leave it out with `only`"
        )
    facts = json.loads(manifest.read_text(encoding="utf-8"))
    (train, *pixels), (test, *_) = (facts["shapes"][name] for name in ("train_images", "test_images"))
    height, width, channels = pixels
    return Shape(train, test, (height, width, channels), len(facts["classes"]))


def size_of(settings: RunSettings, shape: Shape) -> Size:
    """Return how much work a run with `settings` is."""
    images = settings.data.train_images or shape.train_images
    test = settings.data.test_images or shape.test_images
    held_out = settings.data.held_out(images)
    steps = -(-(images - held_out) // settings.batch_size)
    epochs = settings.budget_epochs
    tested = epochs if settings.evaluate_test == "every_epoch" else 0
    probing = isinstance(settings.schedule, LossProbing)
    interval = settings.schedule.interval_epochs if isinstance(settings.schedule, LossProbing) else 1
    test_steps = steps_of_test(settings.schedule, steps) if isinstance(settings.schedule, RangeTested) else 0
    return Size(
        epochs=epochs,
        steps=passes_of(settings) * steps + test_steps,
        probes=-(-epochs // interval) if probing else 0,
        evaluated=epochs * held_out + (tested + 2) * test,
        images=images + test,
        predictions=epochs * held_out + max(tested, 2) * test,
        kept_states=2 * settings.schedule.beam_size if isinstance(settings.schedule, BeamSearch) else 0,
    )


def passes_of(settings: RunSettings) -> int:
    """Return how often a run trains on the training images: each epoch once, but for a search."""
    epochs = range(1, settings.budget_epochs + 1)
    if isinstance(settings.schedule, BeamSearch):
        return sum(settings.schedule.candidates(epoch) for epoch in epochs)
    return len(epochs)


@dataclass(frozen=True)
class Machine:
    """Where runs train side by side.

    Attributes
    ----------
    cores
        Cores that runs may use.
    threads
        Cores of the run that takes the most.
    gpus
        GPUs that runs are spread over; 0 if they train on the CPU.
    runs_per_gpu
        How many runs share one.
    """

    cores: int
    threads: int = 1
    gpus: int = 0
    runs_per_gpu: int = 1

    @property
    def units(self) -> str:
        """What limits how many runs go at a time."""
        return "GPUs" if self.gpus else "cores"

    @property
    def count(self) -> int:
        """How many of these units there are."""
        return self.gpus or self.cores

    @property
    def side_by_side(self) -> int:
        """How many runs slow each other down: those of one GPU, or of all cores."""
        return self.runs_per_gpu if self.gpus else self.places(self.cores)

    def places(self, count: int) -> int:
        """Return how many runs go at a time on `count` cores or GPUs."""
        return count * self.runs_per_gpu if self.gpus else max(count // self.threads, 1)


def machine_here(plan: Plan, device: Device, cores: int, runs_per_gpu: int = 1) -> Machine:
    """Describe this machine as the runs of a plan would use it."""
    threads = max(settings.threads for settings in _all_settings([plan]))
    return Machine(cores, threads, visible_gpus(device), runs_per_gpu)


def forecast(plan: Plan, device: Device, cores: int) -> pd.DataFrame:
    """Forecast one plan on this machine: see `forecasts`."""
    return forecasts({"": plan}, device, machine_here(plan, device, cores))[""]


def forecasts(
    plans: Mapping[Name, Plan], device: Device, machine: Machine, start: JobStart = ANY_START
) -> dict[Name, pd.DataFrame]:
    """Measure each kind of run on this machine, and return what each plan costs: one row per arm.

    Parameters
    ----------
    device
        `auto`, `cpu` or `cuda`.
    machine
        As many processes are measured side by side, as runs will be: they slow each other down.

    Returns
    -------
    dict
        A table for each plan: `study`, `arm`, `runs`, `epochs` and `steps` of a run, `seconds` of a run and the part
        of them spent on starting, `import_seconds` more where a run does not share its imports (`shared_imports`
        says whether it does here), `hours` of all runs, `peak_memory_mb` of a run, `disk_mb` of all runs.
    """
    kinds: dict[str, Kind] = {}
    for settings in _all_settings(plans.values()):
        shape = shape_of(settings.data.dataset)
        kinds[kind_of(settings, shape)] = (settings, shape)
    costs = measure(kinds, device, machine.side_by_side, start)
    return {name: _table(plan, costs, machine) for name, plan in plans.items()}


def _all_settings(plans: Iterable[Plan]) -> list[RunSettings]:
    return [settings for plan in plans for study in plan.values() for settings in study.arms.values()]


def _table(plan: Plan, costs: Mapping[str, Cost], machine: Machine) -> pd.DataFrame:
    forks = not machine.gpus and can_start("cpu") and sum(len(study.run_ids) for study in plan.values()) > 1
    rows = []
    for study in plan.values():
        for arm, settings in study.arms.items():
            shape = shape_of(settings.data.dataset)
            cost = costs[kind_of(settings, shape)]
            shared = forks and settings.threads == 1
            row = _row(size_of(settings, shape), cost, shape, len(study.seeds), shared=shared)
            rows.append({"study": study.name, "arm": arm, "runs": len(study.seeds), **row})
    return pd.DataFrame(rows)


def _row(size: Size, cost: Cost, shape: Shape, runs: int, *, shared: bool) -> dict[str, Any]:
    start_seconds = cost.start_seconds + (0.0 if shared else cost.import_seconds)
    seconds = start_seconds + size.steps * cost.step_seconds
    seconds += size.probes * cost.probe_seconds + size.evaluated * cost.image_seconds
    kept = size.predictions * BYTES_PER_PREDICTION + size.epochs * BYTES_PER_EPOCH
    return {
        "epochs": size.epochs,
        "steps": size.steps,
        "seconds": seconds,
        "start_seconds": start_seconds,
        "import_seconds": cost.import_seconds,
        "shared_imports": shared,
        "hours": runs * seconds / HOUR,
        "peak_memory_mb": cost.memory_mb + size.images * math.prod(shape.pixels) / MEGABYTE,
        "disk_mb": runs * kept / MEGABYTE,
        # Two slots, each with weights, their best copy and at most two of the optimizer's; a kept state has three.
        "checkpoints_mb": 2 * ((4 + 3 * size.kept_states) * cost.weights_mb + kept / MEGABYTE),
    }


def wall_hours(rows: pd.DataFrame, places: int) -> float:
    """Return the hours that all runs take where `places` go side by side: no less than the longest of them."""
    longest = rows["seconds"].where(rows["runs"] > 0, 0.0).max()
    return float(max(rows["hours"].sum() / places, longest / HOUR))


def what_is_left(rows: pd.DataFrame, plan: Plan, runs: Path) -> pd.DataFrame:
    """Return the forecast of what is not finished: its `runs` and `hours`, and how many are `done`.

    Parameters
    ----------
    runs
        The folder of the scale's runs.
    """
    done = [
        sum((runs / run_identity(study, arm, seed) / RECORD).is_file() for seed in plan[study].seeds)
        for study, arm in zip(rows["study"], rows["arm"], strict=True)
    ]
    return _with_runs(rows.assign(done=done), rows["runs"] - done)


def fitting_seeds(rows: pd.DataFrame, places: int, budget_hours: float) -> int:
    """Return how many seeds of every arm, at most as many as may be, fit into a budget; those `done` cost nothing."""

    def hours(seeds: int) -> float:
        return wall_hours(_with_runs(rows, (seeds - rows["done"]).clip(lower=0)), places)

    return bisect_right(range(1, MOST_SEEDS + 1), budget_hours, key=hours)


def _with_runs(rows: pd.DataFrame, runs: pd.Series) -> pd.DataFrame:
    return rows.assign(runs=runs, hours=runs * rows["seconds"] / HOUR)


def alone(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the forecast where each run starts in a process of its own, as on a cluster."""
    seconds = rows["seconds"] + rows["import_seconds"].where(rows["shared_imports"], 0.0)
    return _with_runs(rows.assign(seconds=seconds), rows["runs"])


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
    lines = [path.read_text(encoding="utf-8").splitlines()[-1] for path in visible_files(arm, "*.jsonl")]
    totals = [float(json.loads(line)["s"]) for line in lines]
    return len(totals), sum(totals) / len(totals) if totals else math.nan
