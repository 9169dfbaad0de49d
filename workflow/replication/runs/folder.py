"""The files of a run's folder."""

import csv
from pathlib import Path

HISTORY = "history.csv"
TIMINGS = "timings.csv"
STEPS = "steps.csv"
PREDICTIONS = "predictions.safetensors"
CLASSES = "classes.safetensors"  # in its place where results were published
RECORD = "record.json"
LOCK = ".lock"


def seconds_of_run(folder: Path) -> float:
    """Return the seconds of training, evaluation and probing that a run has measured of itself."""
    with (folder / TIMINGS).open(newline="", encoding="utf-8") as stream:
        rows = [*csv.DictReader(stream)]
    return sum(float(row[name] or 0) for row in rows for name in row if name.startswith("seconds_"))
