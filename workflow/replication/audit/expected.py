"""What a run's own files say it must have done, computed again."""

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from replication.audit.datasets import Labels
from replication.schedules import RangeSuggestion, build, cycles_within
from replication.settings.run import Adam, RunSettings, ScheduleFreeSgd
from replication.settings.schedule import PureSchedule, RangeTested
from replication.training.early_stopping import build_stopper
from replication.training.predictions import SPLITS, Classes, PredictionLog, Predictions, class_type

Row = dict[str, float]
PROBABILITY_ERROR = 1e-5  # far above that of float32, far below any that matters
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


def ending(settings: RunSettings, history: Sequence[Row], *, finite_weights: bool) -> tuple[str, int]:
    """Return how the run must have ended, and after how many of the rows of its history.

    Parameters
    ----------
    finite_weights
        What its record says of the weights after the last step, which are not kept themselves.
    """
    outcome, number = _ending(settings, history)
    best = best_epoch(history)
    judged = [history[-1], *([] if best is None else [history[best - 1]])]
    tested = all(math.isfinite(row["test_loss"]) for row in judged)
    return ("diverged" if not (finite_weights and tested) else outcome), number


def _ending(settings: RunSettings, history: Sequence[Row]) -> tuple[str, int]:
    stopper = build_stopper(settings, int(history[0]["steps"]))
    losses = ["train_loss", "validation_loss"]
    if settings.evaluate_test == "every_epoch":
        losses.append("test_loss")
    for number, row in enumerate(history, start=1):
        if not all(math.isfinite(row[name]) for name in losses):
            return "diverged", number
        if stopper is not None and stopper.should_stop(row):
            return "stopped early", number
    return "completed", settings.budget_epochs


def best_epoch(history: Sequence[Row]) -> int | None:
    """Return the first epoch of the lowest validation loss; None if there is none."""
    losses = [row["validation_loss"] for row in history]
    finite = [loss for loss in losses if math.isfinite(loss)]
    return losses.index(min(finite)) + 1 if finite else None


def steps_per_epoch(settings: RunSettings, labels: Labels) -> int:
    """Return the number of optimizer steps in an epoch."""
    return -(-labels.border(settings.data) // settings.batch_size)


def mean_step_loss(settings: RunSettings, losses: Sequence[float], images: int) -> float:
    """Return the mean training loss of an epoch of `images` images from those of its steps, as the trainer sums."""
    last = images - (len(losses) - 1) * settings.batch_size
    counts = [settings.batch_size] * (len(losses) - 1) + [last]
    pairs = zip(losses, counts, strict=True)
    return sum(float(np.float32(loss) * np.float32(count)) for loss, count in pairs) / images


def found_range(settings: RunSettings, costs: Mapping[str, float]) -> RangeSuggestion | None:
    """Return the range of rates that a run's test has suggested; None if its record holds none."""
    lowest, highest = (costs.get(f"suggested_{end}_rate", math.nan) for end in ("minimum", "maximum"))
    known = isinstance(settings.schedule, RangeTested) and 0 < lowest < highest
    return RangeSuggestion(lowest, highest, rises=True) if known else None


def as_planned(settings: RunSettings, found: RangeSuggestion | None) -> RunSettings:
    """Return settings that give the same learning rates without a range test, given what it has suggested."""
    if found is None or not isinstance(settings.schedule, RangeTested):
        return settings
    optimizer = settings.optimizer.model_copy(update={"learning_rate": found.maximum_rate})
    schedule = cycles_within(found, settings.schedule)
    return settings.model_copy(update={"schedule": schedule, "optimizer": optimizer})


def rates(settings: RunSettings, steps: Sequence[int], steps_an_epoch: int) -> Iterator[tuple[float, float]]:
    """Yield learning rate and momentum of some steps, counted from 0, of a schedule that is pure."""
    assert isinstance(settings.schedule, PureSchedule)
    plan = build(settings.schedule, steps_an_epoch, settings.budget_epochs)
    for step in steps:
        momentum = plan.momentum(step) if plan.momentum else _own_momentum(settings)
        yield (
            settings.optimizer.learning_rate * plan.learning_rate(step) * _own_warm_up(settings, step),
            momentum,
        )


def _own_warm_up(settings: RunSettings, step: int) -> float:
    """Return the multiplier of an optimizer that warms up by itself: at step n, from 0, (n + 1) / warmup_steps."""
    optimizer = settings.optimizer
    if isinstance(optimizer, ScheduleFreeSgd) and step < optimizer.warmup_steps:
        return (step + 1) / optimizer.warmup_steps
    return 1.0


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
    """Yield how the metrics of a history differ from those of the predictions."""
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
    yield from _snapshot_problems(settings, log, labels.of_split(settings.data, "test"), len(history))


def class_problems(
    settings: RunSettings, history: Sequence[Row], found: Mapping[str, Mapping[int, Classes]], labels: Labels
) -> Iterator[str]:
    """Yield how the accuracies of the last and the best epoch differ from those of the classes that were published."""
    wanted = {len(history), best_epoch(history) or len(history)}
    for split in SPLITS:
        expected = sorted(
            wanted.intersection(expected_epochs(settings, split, len(history), best_epoch(history)))
        )
        classes = found.get(split, {})
        if sorted(classes) != expected:
            yield f"holds {split} classes of epochs {sorted(classes)}, not {expected}"
            continue
        truth = labels.of_split(settings.data, split)
        for epoch, predicted in classes.items():
            written = history[epoch - 1][f"{split}_accuracy"]
            if predicted.shape != truth.shape:
                yield f"epoch {epoch}: holds no {split} classes of {len(truth)} images"
            elif not same_number(written, accuracy := int((predicted == truth).sum()) / len(truth)):
                yield f"epoch {epoch}: gives a {split}_accuracy of {accuracy}, history.csv has {written}"


def _snapshot_problems(
    settings: RunSettings, log: PredictionLog, truth: NDArray[Any], epochs: int
) -> Iterator[str]:
    """Yield how the probabilities that ensembles average disagree with the predictions of the same epoch."""
    expected = [epoch for epoch in settings.snapshot_epochs if epoch <= epochs]
    if list(log.snapshots) != expected:
        yield f"holds snapshots of epochs {list(log.snapshots)}, not {expected}"
        return
    if expected and (log.test_labels is None or not np.array_equal(log.test_labels, truth)):
        yield "holds labels that are not those of the test images"
        return
    for epoch, probabilities in log.snapshots.items():
        test = log.by_split["test"][epoch]
        of_truth = probabilities[np.arange(len(truth)), truth]
        of_predicted = probabilities[np.arange(len(truth)), test.classes]
        if not np.array_equal(of_predicted, probabilities.max(1)):
            yield f"epoch {epoch}: holds probabilities of other classes than it predicts"
        elif not np.allclose(of_truth, np.exp(-test.losses), atol=PROBABILITY_ERROR):
            yield f"epoch {epoch}: holds probabilities that do not give its losses"


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
    """Compare exactly; values that are not finite are written as empty cells, which are read as NaN."""
    return written == value if math.isfinite(value) else math.isnan(written)
