"""What a run's own files say it must have done, computed again."""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from replication.audit.datasets import Labels
from replication.early_stopping import Stopper
from replication.predictions import SPLITS, PredictionLog, Predictions, class_type
from replication.schedules import build
from replication.settings.run import Adam, RunSettings
from replication.settings.schedule import PureSchedule

Row = dict[str, float]
HISTORY_COLUMNS = (
    "epoch",
    "steps",
    "train_loss",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
    "test_loss",
    "test_accuracy",
    "learning_rate",
    "momentum",
)


def read_rows(path: str | Path) -> list[Row]:
    """Read a table of numbers, NaN where there is none.

    Raises
    ------
    OSError, ValueError
        It cannot be read, or holds something else.
    """
    text = Path(path).read_bytes().decode("utf-8")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    if any(None in row or None in row.values() for row in rows):
        raise ValueError("its rows are not of equal length")
    return [{key: float(value) if value else math.nan for key, value in row.items()} for row in rows]


def ending(settings: RunSettings, history: Sequence[Row]) -> tuple[str, int]:
    """Return how the run must have ended, and after how many of the rows of its history."""
    stopper = Stopper(settings.early_stopping) if settings.early_stopping else None
    for number, row in enumerate(history, start=1):
        if not math.isfinite(row["train_loss"]):
            return "diverged", number
        if stopper is not None and stopper.should_stop(row):
            return "stopped early", number
    return "completed", settings.epochs


def best_epoch(history: Sequence[Row]) -> int | None:
    """Return the first epoch of the lowest validation loss; None if there is none."""
    losses = [row["validation_loss"] for row in history]
    finite = [loss for loss in losses if math.isfinite(loss)]
    return losses.index(min(finite)) + 1 if finite else None


def steps_per_epoch(settings: RunSettings, labels: Labels) -> int:
    """Return the number of optimizer steps in an epoch."""
    return -(-labels.border(settings.data) // settings.batch_size)


def rates(settings: RunSettings, steps: Sequence[int], steps_an_epoch: int) -> Iterator[tuple[float, float]]:
    """Yield learning rate and momentum of some steps, counted from 0, of a schedule that is pure."""
    assert isinstance(settings.schedule, PureSchedule)
    plan = build(settings.schedule, steps_an_epoch, settings.epochs)
    for step in steps:
        momentum = plan.momentum(step) if plan.momentum else _own_momentum(settings)
        yield settings.optimizer.learning_rate * plan.learning_rate(step), momentum


def _own_momentum(settings: RunSettings) -> float:
    optimizer = settings.optimizer
    return optimizer.beta1 if isinstance(optimizer, Adam) else optimizer.momentum


def expected_epochs(settings: RunSettings, split: str, epochs: int, best: int | None) -> list[int]:
    """Return the epochs after which a split must have been evaluated."""
    if split == "validation" or settings.evaluate_test == "every_epoch":
        return list(range(1, epochs + 1))
    return sorted({epochs} | ({best} if best else set()))


def metric_problems(
    settings: RunSettings, history: Sequence[Row], log: PredictionLog, labels: Labels
) -> Iterator[str]:
    """Yield in what the metrics of a history are not those of the predictions."""
    for split in SPLITS:
        found = log.by_split[split]
        expected = expected_epochs(settings, split, len(history), best_epoch(history))
        if sorted(found) != expected:
            yield f"holds {split} predictions of epochs {sorted(found)}, not {expected}"
            continue
        truth = labels.of_split(settings.data, split)
        for row in history:
            problems = _metric_problems(split, row, found.get(int(row["epoch"])), truth, labels.classes)
            yield from (f"epoch {row['epoch']:.0f}: {problem}" for problem in problems)


def _metric_problems(
    split: str, row: Row, found: Predictions | None, truth: NDArray[Any], classes: int
) -> Iterator[str]:
    if found is not None and not _fits(found, len(truth), classes):
        yield f"holds no {split} predictions of {len(truth)} images and {classes} classes"
        return
    loss = math.nan if found is None else found.loss()
    accuracy = math.nan if found is None else found.accuracy(truth)
    for name, value in ((f"{split}_loss", loss), (f"{split}_accuracy", accuracy)):
        if not same_number(row[name], value):
            yield f"gives a {name} of {value}, history.csv has {row[name]}"


def _fits(found: Predictions, images: int, classes: int) -> bool:
    shapes = found.classes.shape == found.losses.shape == (images,)
    types = found.classes.dtype == class_type(classes) and found.losses.dtype == "float32"
    return shapes and types and bool((found.classes < classes).all())


def same_number(written: float, value: float) -> bool:
    """Compare exactly; what is not finite is written as nothing."""
    return written == value if math.isfinite(value) else math.isnan(written)
