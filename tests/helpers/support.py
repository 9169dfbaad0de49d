"""What tests of training share: data sets that train in milliseconds, and settings for them."""

import io
import json
import math
from dataclasses import asdict
from typing import Any, get_args

import numpy as np
import torch

from replication.data.dataset import Dataset, Source
from replication.settings.run import RunSettings
from replication.settings.schedule import ScheduleSettings
from replication.training.session import RunResult, train

CPU = torch.device("cpu")

# Every schedule, with settings that change the rate within a few epochs.
SCHEDULES: dict[str, dict[str, Any]] = {
    "constant": {},
    "step": {"step_epochs": 1, "gamma": 0.5},
    "multi_step": {"milestones": [1, 2], "gamma": 0.5},
    "exponential": {"decay_rate": 0.7},
    "linear": {},
    "geometric": {"final": 0.01},
    "floored_exponential": {"floor": 0.01, "rate": 4},
    "polynomial": {"power": 2},
    "inverse_power": {"time_scale_epochs": 1, "power": 0.5},
    "fractal": {"nodes": 8, "condition": 20},
    "cosine": {"sampling": {"name": "every_step"}},
    "sgdr": {"first_cycle_epochs": 1, "sampling": {"name": "every_step"}},
    "rex": {"warm_up": {"name": "linear", "epochs": 1, "start": 0.1}},
    "triangular": {"half_cycle_epochs": 1, "minimum": 0.1},
    "triangular2": {"half_cycle_epochs": 0.5, "minimum": 0.1},
    "exp_range": {"half_cycle_epochs": 1, "minimum": 0.1, "gamma": 0.9},
    "range_test": {"minimum": 0.1},
    "one_cycle": {},
    "function": {"file": "schedules/wsd.py", "function": "warmup_stable_decay", "stable": 0.5},
    "reduce_on_plateau": {"patience": 1, "threshold": 0.9, "threshold_mode": "rel", "factor": 0.5},
    "loss_probing": {"factors": [2, 1, 0.5]},
    "beam_search": {"factors": [2, 0.5], "beam_size": 2},
    "hypergradient": {"hypergradient_rate": 0.01},
    "newton": {},
    "range_tested": {
        "half_cycle_epochs": 1,
        "test_epochs": 1,
        "test_minimum_rate": 0.04,
        "test_maximum_rate": 0.1,
        "smoothing": 0,
    },
    "reinforcement_learned": {"updates": 2, "epochs": 3, "images": 16, "units": [4]},
}
STATEFUL = {
    "reduce_on_plateau",
    "loss_probing",
    "beam_search",
    "hypergradient",
    "newton",
    "range_tested",
    "reinforcement_learned",
}
PURE = sorted(set(SCHEDULES) - STATEFUL)


def names_of(union: Any) -> set[str]:
    """Give the names that tell apart the sections of a discriminated union of settings."""
    sections = get_args(get_args(union)[0])
    return {get_args(section.model_fields["name"].annotation)[0] for section in sections}


assert set(SCHEDULES) == names_of(ScheduleSettings)


def tiny_dataset(
    train_count=45, test_count=13, size=28, channels=1, classes=3, noise=0.5, wrong_labels=0.0, seed=0
) -> Dataset:
    """Make images that are a pattern of their class plus noise; a share of the labels may be wrong."""
    random = np.random.default_rng(seed)
    patterns = random.random((classes, size, size, channels))

    def split(count):
        labels = random.integers(0, classes, count)
        images = (1 - noise) * patterns[labels] + noise * random.random((count, size, size, channels))
        labels = np.where(random.random(count) < wrong_labels, random.integers(0, classes, count), labels)
        return np.round(255 * images).astype(np.uint8), labels.astype("<u2")

    names = [f"class {number}" for number in range(classes)]
    source = Source("embedded", "random numbers", "none needed")
    return Dataset.from_splits("tiny", split(train_count), split(test_count), names, source)


def run_settings(**changes: Any) -> RunSettings:
    """Return settings of a tiny run with some of them changed: mappings key by key, all else whole."""
    base: dict[str, Any] = {
        "data": {"dataset": "tiny", "validation_fraction": 0.2, "scaling": "unit"},
        "model": {"name": "mnist-cnn"},
        "optimizer": {"name": "sgd", "learning_rate": 0.05, "momentum": 0.5},
        "schedule": {"name": "constant"},
        "batch_size": 16,
        "epochs": 3,
    }
    for key, value in changes.items():
        named = isinstance(value, dict) and "name" in value
        base[key] = base[key] | value if isinstance(value, dict) and key in base and not named else value
    return RunSettings.model_validate(base)


def schedule_of(name: str, **changes: Any) -> dict[str, Any]:
    """Return the settings of a schedule of `SCHEDULES`, some of them changed."""
    return {"name": name, **SCHEDULES[name], **changes}


def trained(dataset=None, seed=1, device=CPU, log=None, **changes: Any) -> RunResult:
    """Train a tiny run."""
    return train(run_settings(**changes), dataset or tiny_dataset(), seed, device, log)


def numbers_of(result: RunResult) -> str:
    """Return everything that a run promises to repeat, as text in which NaN equals NaN."""
    facts = asdict(result)
    del facts["timings"], facts["sessions"], facts["predictions"]
    predictions = {name: array.tolist() for name, array in result.predictions.tensors().items()}
    return json.dumps(facts | {"predictions": predictions})


def column(result: RunResult, name: str) -> list[float]:
    """Return one column of a history."""
    return [row[name] for row in result.history]


def last_epoch_in_keras(values, monitor="validation_loss", patience=2, minimum_delta=0.0) -> int | None:
    """Count early stopping as the callback of Keras 3 does, `on_epoch_end` by `on_epoch_end`.

    Returns the epoch, counted from 1, after which training stops; None if it does not.
    """
    falling = monitor == "validation_loss"
    best = math.inf if falling else -math.inf
    wait = 0
    for epoch, value in enumerate(values):
        wait += 1
        if value + minimum_delta < best if falling else value - minimum_delta > best:
            best, wait = value, 0
        elif wait >= patience and epoch > 0:
            return epoch + 1
    return None


def through_a_checkpoint(state: Any) -> Any:
    """Return what is left of a state that was saved and loaded: tensors and plain values."""
    stream = io.BytesIO()
    torch.save(state, stream)
    return torch.load(io.BytesIO(stream.getvalue()), weights_only=True)
