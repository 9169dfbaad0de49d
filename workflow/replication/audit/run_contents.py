"""What the files of a run say, and whether its record, its settings and its data say the same."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from replication.audit import expected
from replication.audit.datasets import Labels
from replication.audit.expected import Row
from replication.audit.findings import shown
from replication.errors import ConfigurationError, ResultsError
from replication.report.formatting import counted
from replication.runs.folder import CLASSES, HISTORY, PREDICTIONS, RECORD, STEPS, TIMINGS
from replication.runs.record import Record
from replication.schedules import is_current
from replication.settings.run import RunSettings
from replication.settings.schedule import OwnFunction, PureSchedule, RangeTested
from replication.training.predictions import read_classes, read_predictions

Problem = tuple[str, str]  # a file of the run's folder, and what is wrong with it


def only_classes(folder: Path) -> bool:
    """Return whether a run has been published, with its classes in the place of all predictions."""
    return (folder / CLASSES).is_file() and not (folder / PREDICTIONS).exists()


@dataclass(frozen=True)
class _Tables:
    """The tables of a run; `steps` is None where they are not recorded."""

    history: list[Row]
    timings: list[Row]
    steps: list[Row] | None

    @classmethod
    def read(cls, folder: Path, settings: RunSettings) -> "_Tables":
        history, timings = (expected.read_rows(folder / name) for name in (HISTORY, TIMINGS))
        return cls(
            history, timings, expected.read_rows(folder / STEPS) if settings.record_every_step else None
        )


def content_problems(
    folder: Path, record: Record, settings: RunSettings, labels: Labels | None
) -> Iterator[Problem]:
    """Yield every contradiction in the folder of a run, whose files are those that its record names.

    Parameters
    ----------
    settings
        Those of the record.
    labels
        Of the run's data; None: what needs them is not checked.
    """
    try:
        tables = _Tables.read(folder, settings)
    except (OSError, ValueError) as error:
        yield HISTORY, f"it, {TIMINGS} or {STEPS} is not a table of numbers ({error})"
        return
    problems = list(_shape_problems(tables, record))
    yield from problems
    if not problems:
        yield from _ending_problems(record, settings, tables.history)
        found = expected.found_range(settings, record.costs)
        if found is None and isinstance(settings.schedule, RangeTested):
            yield RECORD, "its costs hold no range of rates, though its schedule is range_tested"
        if labels is not None:
            yield from _data_problems(folder, expected.as_planned(settings, found), labels, tables)


def _shape_problems(tables: _Tables, record: Record) -> Iterator[Problem]:
    if not tables.history or set(tables.history[0]) != set(expected.HISTORY_COLUMNS):
        yield HISTORY, f"should have rows with the columns {', '.join(expected.HISTORY_COLUMNS)}"
        return
    for name, rows in ((HISTORY, tables.history), (TIMINGS, tables.timings)):
        if [row.get("epoch") for row in rows] != list(range(1, record.epochs + 1)):
            yield name, f"should have one row for each of {counted(record.epochs, 'epoch')}, as {RECORD} says"
    first = tables.history[0]["steps"]
    if not (math.isfinite(first) and first >= 1 and first == int(first)):
        yield HISTORY, f"its first epoch has {first} steps"
    if any(not value >= 0 for row in tables.timings for value in row.values()):
        yield TIMINGS, "holds a time that is not a number of seconds"


def _ending_problems(record: Record, settings: RunSettings, history: Sequence[Row]) -> Iterator[Problem]:
    try:
        outcome, epochs = expected.ending(settings, history, finite_weights=record.finite_weights)
    except ConfigurationError as error:
        yield HISTORY, f"its steps do not fit the settings of the run ({error})"
        return
    if (record.outcome, record.epochs) != (outcome, epochs):
        says = f"says {record.outcome} after {counted(record.epochs, 'epoch')}"
        yield RECORD, f"{says}; {HISTORY} gives {outcome} after {epochs}"
    best = expected.best_epoch(history)
    if record.best_epoch != best:
        yield RECORD, f"says that epoch {shown(record.best_epoch)} is the best; {HISTORY} gives {shown(best)}"
    ours, last = record.sessions[-1].last_step, history[-1]["steps"]
    if ours != last:
        yield RECORD, f"its last session ends after step {ours}, {HISTORY} after {last:.0f}"


def _data_problems(folder: Path, settings: RunSettings, labels: Labels, tables: _Tables) -> Iterator[Problem]:
    """Yield what only the data can tell: images, steps, rates and metrics."""
    images = labels.border(settings.data)
    if not 0 < images < labels.train_count(settings.data) <= len(labels.train):
        yield (
            RECORD,
            f"its settings do not fit its data set of {counted(len(labels.train), 'training image')}",
        )
        return
    for row in tables.history:
        share = row["train_accuracy"]
        if share != round(share * images) / images:
            yield (
                HISTORY,
                f"epoch {row['epoch']:.0f}: train_accuracy {shown(share)} is no share of {images} images",
            )
    yield from _step_problems(settings, expected.steps_per_epoch(settings, labels), images, tables)
    name = CLASSES if only_classes(folder) else PREDICTIONS
    try:
        if name == CLASSES:
            found = read_classes(folder / CLASSES)
            problems = expected.class_problems(settings, tables.history, found, labels)
        else:
            log = read_predictions(folder / PREDICTIONS)
            problems = expected.metric_problems(settings, tables.history, log, labels)
    except ResultsError as error:
        yield name, str(error).partition(": ")[2]
        return
    for problem in problems:
        yield name, problem


def _step_problems(settings: RunSettings, an_epoch: int, images: int, tables: _Tables) -> Iterator[Problem]:
    for row in tables.history:
        if row["steps"] != row["epoch"] * an_epoch:
            right = f"{row['epoch'] * an_epoch:.0f}"
            yield HISTORY, f"epoch {row['epoch']:.0f}: {row['steps']:.0f} steps, not {right}"
            return
    last_steps = [int(row["steps"]) - 1 for row in tables.history]
    yield from _rate_problems(settings, an_epoch, HISTORY, tables.history, last_steps)
    if tables.steps is None:
        return
    every = list(range(len(tables.history) * an_epoch))
    if [row.get("step") for row in tables.steps] != every:
        yield STEPS, f"should have one row for each of {counted(len(every), 'step')}, as {HISTORY} says"
        return
    yield from _rate_problems(settings, an_epoch, STEPS, tables.steps, every)
    losses = [row.get("train_loss", math.nan) for row in tables.steps]
    for number, row in enumerate(tables.history):
        own = losses[number * an_epoch : (number + 1) * an_epoch]
        mean = expected.mean_step_loss(settings, own, images)
        if not expected.same_number(row["train_loss"], mean):
            yield (
                STEPS,
                f"epoch {number + 1}: gives a train_loss of {shown(mean)}, {HISTORY} has {shown(row['train_loss'])}",
            )


def _rate_problems(
    settings: RunSettings, an_epoch: int, name: str, rows: Sequence[Row], numbers: Sequence[int]
) -> Iterator[Problem]:
    """Yield where learning rate or momentum are not those of a schedule that depends on the step alone."""
    if not isinstance(settings.schedule, PureSchedule):
        return
    if isinstance(settings.schedule, OwnFunction) and not is_current(settings.schedule):
        return  # its curve is no longer known, and the run outdated, which is reported with its settings
    rates = expected.rates(settings, numbers, an_epoch)
    for row, step, (rate, momentum) in zip(rows, numbers, rates, strict=True):
        for column, value in (("learning_rate", rate), ("momentum", momentum)):
            if row.get(column) != value:
                yield (
                    name,
                    f"step {step}: {column} is {shown(row.get(column))}, its schedule gives {shown(value)}",
                )
