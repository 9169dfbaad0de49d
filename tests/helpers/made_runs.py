"""Run folders made without training: consistent in everything that can be computed again."""

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from replication.data.dataset import Dataset, Source, describe, write_dataset
from replication.runs.plan import PlannedStudy
from replication.runs.provenance import study_facts
from replication.runs.same_code import code_of_run
from replication.schedules import build
from replication.settings.run import RunSettings
from replication.settings.schedule import PureSchedule
from replication.system.digests import canonical_json, digest_of_file, digest_of_text, sealed
from replication.system.files import write_json
from replication.training.predictions import (
    PredictionLog,
    Predictions,
    class_type,
    read_predictions,
    write_predictions,
)

TIME = "2026-01-01T00:00:00+00:00"
HASH = "ab" * 32
SECONDS = ("seconds_training", "seconds_evaluation", "seconds_probing")
MACHINE = {
    "system": "Linux",
    "architecture": "x86_64",
    "processor": "a processor",
    "device": "cpu",
    "driver": None,
    "threads": 1,
}
DETERMINISM = {"deterministic_algorithms": True, "cudnn_benchmark": False, "tf32": False}
Row = dict[str, Any]


def made_dataset(name: str, train_count: int = 200, test_count: int = 50, classes: int = 4) -> Dataset:
    """Return a data set of random pixels."""
    random = np.random.default_rng(7)

    def split(count: int) -> tuple[np.ndarray, np.ndarray]:
        images = random.integers(0, 256, (count, 8, 8, 1)).astype(np.uint8)
        return images, random.integers(0, classes, count).astype("<u2")

    source = Source("embedded", "random numbers", "none needed")
    names = [f"class {number}" for number in range(classes)]
    return Dataset.from_splits(name, split(train_count), split(test_count), names, source)


def write_made_dataset(dataset: Dataset, folder: Path) -> None:
    """Write a data set as the workflow does."""
    write_dataset(dataset, folder / f"{dataset.name}.safetensors")
    write_json(folder / f"{dataset.name}.json", describe(dataset))


def parts(settings: RunSettings, dataset: Dataset) -> tuple[int, np.ndarray, np.ndarray]:
    """Return the number of images trained on, and the labels of validation and test."""
    wanted = settings.data
    count = wanted.train_images or len(dataset.train_labels)
    border = count - round(count * wanted.validation_fraction)
    return border, dataset.train_labels[border:count], dataset.test_labels[: wanted.test_images]


def made_predictions(random: np.random.Generator, labels: np.ndarray, classes: int) -> Predictions:
    """Return predictions of which about two thirds are right."""
    guesses = np.where(random.random(len(labels)) < 0.6, labels, random.integers(0, classes, len(labels)))
    return Predictions(guesses.astype(class_type(classes)), random.random(len(labels), np.float32) + 0.1)


def made_history(
    settings: RunSettings, dataset: Dataset, epochs: int, random: np.random.Generator
) -> tuple[list[Row], PredictionLog]:
    """Return history and predictions of `epochs` epochs."""
    border, validation, test = parts(settings, dataset)
    an_epoch = math.ceil(border / settings.batch_size)
    log, rows = PredictionLog(), []
    for epoch in range(1, epochs + 1):
        log.by_split["validation"][epoch] = made_predictions(random, validation, len(dataset.classes))
        log.by_split["test"][epoch] = made_predictions(random, test, len(dataset.classes))
        rate, momentum = rate_of(settings, epoch * an_epoch - 1, an_epoch)
        # So that the mean over steps of this loss is, in floating point, this loss.
        trained = {"train_loss": round(1024 * random.random()) / 1024, "train_accuracy": 3 / border}
        evaluated = ("validation_loss", "validation_accuracy", "test_loss", "test_accuracy")
        row = {"epoch": epoch, "steps": epoch * an_epoch, **trained, **dict.fromkeys(evaluated, math.nan)}
        rows.append(row | {"learning_rate": rate, "momentum": momentum})
    losses = [log.by_split["validation"][row["epoch"]].loss() for row in rows]
    if settings.evaluate_test == "end":
        kept = (epochs, losses.index(min(losses)) + 1)
        log.by_split["test"] = {epoch: log.by_split["test"][epoch] for epoch in sorted({*kept})}
    for split, labels in (("validation", validation), ("test", test)):
        for epoch, found in log.by_split[split].items():
            rows[epoch - 1] |= {f"{split}_loss": found.loss(), f"{split}_accuracy": found.accuracy(labels)}
    return rows, log


def rate_of(settings: RunSettings, step: int, steps_per_epoch: int) -> tuple[float, float]:
    """Return learning rate and momentum of a step; of a schedule that is not pure, just any."""
    own = getattr(settings.optimizer, "beta1", None) or getattr(settings.optimizer, "momentum", 0.0)
    if not isinstance(settings.schedule, PureSchedule):
        return settings.optimizer.learning_rate / 3, own
    plan = build(settings.schedule, steps_per_epoch, settings.budget_epochs)
    rate = settings.optimizer.learning_rate * plan.learning_rate(step)
    return rate, plan.momentum(step) if plan.momentum else own


def write_rows(path: Path, rows: list[Row]) -> None:
    """Write rows as a run does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        for row in rows:
            writer.writerow({key: "" if value != value else value for key, value in row.items()})


def make_run(
    folder: Path,
    planned: PlannedStudy,
    run_id: str,
    dataset: Dataset,
    *,
    settings: RunSettings | None = None,
    epochs: int | None = None,
    outcome: str = "completed",
) -> Path:
    """Write the folder of a run below `folder`, and return it."""
    settings = settings or planned.arms[run_id.split("/")[1]]
    random = np.random.default_rng(sum(run_id.encode()))
    history, log = made_history(settings, dataset, epochs or settings.budget_epochs, random)
    place = folder / run_id
    write_rows(place / "history.csv", history)
    write_rows(
        place / "timings.csv",
        [{"epoch": row["epoch"], **dict.fromkeys(SECONDS, 0.5), "peak_memory_mb": 100.0} for row in history],
    )
    write_predictions(log, place / "predictions.safetensors")
    if settings.record_every_step:
        write_rows(place / "steps.csv", made_steps(settings, history))
    facts = made_facts(run_id, settings, dataset) | made_outcome(history, outcome)
    write_json(place / "record.json", sealed(facts | {"files": digests(place)}))
    return place


def made_steps(settings: RunSettings, history: list[Row]) -> list[Row]:
    """Return learning rate, momentum and training loss of every step."""
    an_epoch = history[0]["steps"]
    rates = (rate_of(settings, step, an_epoch) for step in range(len(history) * an_epoch))
    return [
        {"step": n, "learning_rate": rate, "momentum": m, "train_loss": history[n // an_epoch]["train_loss"]}
        for n, (rate, m) in enumerate(rates)
    ]


def made_facts(run_id: str, settings: RunSettings, dataset: Dataset) -> dict[str, Any]:
    """Return what a record says about the origin of a run."""
    plain = settings.model_dump(mode="json")
    return {
        "run_id": run_id,
        "seed": int(run_id.rpartition("-")[2]),
        "settings": plain,
        "settings_sha256": digest_of_text(canonical_json(plain)),
        "code_sha256": code_of_run(settings),
        "study": study_facts(run_id.partition("/")[0]),
        "dataset": {"name": dataset.name, "identity": dataset.identity, "classes": len(dataset.classes)},
        "git": {"commit": None, "dirty": None},
        "versions": {"python": "3.11", "torch": "2"},
        "lock_sha256": HASH,
        "installed_sha256": HASH,
        "machine": MACHINE,
        "determinism": DETERMINISM,
    }


def made_outcome(history: list[Row], outcome: str) -> dict[str, Any]:
    """Return what a record says about the results of a run."""
    losses = [row["validation_loss"] for row in history]
    session = {"started": TIME, "ended": TIME, "first_step": 0, "last_step": history[-1]["steps"]}
    return {
        "sessions": [session | {"end": "completed"}],
        "started": TIME,
        "ended": TIME,
        "outcome": outcome,
        "epochs": len(history),
        "best_epoch": losses.index(min(losses)) + 1,
        "finite_weights": True,
        "weights_sha256": HASH,
        "costs": {},
    }


def digests(place: Path) -> dict[str, str]:
    """Return the hashes of a run's files but its record."""
    return {path.name: digest_of_file(path) for path in sorted(place.iterdir()) if path.name != "record.json"}


def change_record(place: Path, *, reseal: bool = True, rehash: bool = True, **changes: Any) -> None:
    """Edit the record of a run; by default as one would who hides it, all hashes computed again."""
    path = place / "record.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    seal = record.pop("sha256")
    if rehash:
        record["files"] = digests(place)
    record |= changes
    if "settings" in changes:
        record["settings_sha256"] = digest_of_text(canonical_json(record["settings"]))
    write_json(path, sealed(record) if reseal else record | {"sha256": seal})


def change_predictions(place: Path, split: str, part: str, dataset: Dataset) -> None:
    """Edit one prediction of a run's last epoch so that loss or accuracy changes, and hide it."""
    record = json.loads((place / "record.json").read_text(encoding="utf-8"))
    _, validation, test = parts(RunSettings.model_validate(record["settings"]), dataset)
    labels = {"validation": validation, "test": test}[split]
    log = read_predictions(place / "predictions.safetensors")
    epoch = max(log.by_split[split])
    found = log.by_split[split][epoch]
    classes, losses = found.classes.copy(), found.losses.copy()
    right = classes[0] == labels[0]
    if part == "classes":
        classes[0] = (labels[0] + 1) % len(dataset.classes) if right else labels[0]
    else:
        losses[0] *= 1.001
    log.by_split[split][epoch] = Predictions(classes, losses)
    write_predictions(log, place / "predictions.safetensors")
    change_record(place)
