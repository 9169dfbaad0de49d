"""What one kind of run costs on this machine: a few of its steps, measured in a process of their own.

Nothing heavy is imported here, so that a measuring process can time its imports.
"""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from replication.data.recipes import Shape
from replication.runs.folder import seconds_of_run
from replication.settings.run import RunSettings, WeightAveraging
from replication.settings.schedule import (
    BeamSearch,
    Constant,
    PureSchedule,
    RangeTested,
    ReinforcementLearned,
)
from replication.system.files import PACKAGE
from replication.system.memory import MEGABYTE, forget_peak_memory, peak_memory_mb

STEPS = 10  # an epoch
EPOCHS = 2  # trained, of which the second is measured
PREFIX = ".forecast-"
EVALUATED = 512  # images: whole batches of the evaluation
LEARNING_RATE = 1e-3  # of every kind: the rate does not change the cost, so a grid of rates is one kind
# What a job does before it trains. `$0` is Python, `$1` its script.
JOB = 'set -euo pipefail; "$0" -c "$1"'
JOB_SCRIPT = """
import sys
sys.path.insert(0, {path!r})
from replication.runs.forks.client import process_state
process_state()
"""

Kind = tuple[RunSettings, Shape]
Device = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True)
class Cost:
    """What a kind of run costs.

    Attributes
    ----------
    start_seconds
        What a run does only once: the start of its job's process, reading the data, writing the results.
    step_seconds, probe_seconds, image_seconds
        One optimizer step, what a schedule does before each epoch, and the evaluation of one image.
    memory_mb
        The largest resident memory of the process, its images apart.
    weights_mb
        One copy of the model's weights and buffers.
    import_seconds
        Seconds in addition to `start_seconds` if the process imports PyTorch by itself.
    """

    start_seconds: float
    step_seconds: float
    probe_seconds: float
    image_seconds: float
    memory_mb: float
    weights_mb: float
    import_seconds: float = 0.0


def kind_of(settings: RunSettings, shape: Shape) -> str:
    """Return what decides the cost of a step, as text: equal for runs of equal cost a step."""
    alike = _measurable(settings).model_dump_json(exclude={"early_stopping", "evaluate_test"})
    return f"{alike} {shape.pixels} {shape.classes}"


@dataclass(frozen=True)
class JobStart:
    """What a run's start depends on.

    Attributes
    ----------
    folder
        A folder on the disk that results go to; None: where the system has its temporary files.
    study
        Name of the study whose file the measured runs read.
    """

    folder: str | None = None
    study: str = "none"


ANY_START = JobStart()


def measure(
    kinds: Mapping[str, Kind], device: Device, at_once: int, start: JobStart = ANY_START
) -> dict[str, Cost]:
    """Measure kinds of runs in `at_once` equal processes side by side, as runs will be, and return their means.

    Parameters
    ----------
    kinds
        By any name: settings, and the shape of the data set, which is replaced by random images.
    device
        `auto`, `cpu` or `cuda`.
    """
    asked = {
        name: (_measurable(settings).model_dump_json(), shape) for name, (settings, shape) in kinds.items()
    }
    with _processes(at_once) as pool:
        futures = [pool.submit(_measure_all, asked, device, start) for _ in range(at_once)]
        measured = [future.result() for future in futures]
    return {name: _mean([costs[name] for costs in measured]) for name in kinds}


def visible_gpus(device: Device) -> int:
    """Return how many GPUs runs would be spread over; 0 if they train on the CPU."""
    if device == "cpu":
        return 0
    with _processes(1) as pool:
        return pool.submit(_visible_gpus, device).result()


def _processes(count: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"), max_tasks_per_child=1)


def _visible_gpus(device: Device) -> int:
    import torch

    from replication.training.devices import choose_device

    return torch.cuda.device_count() if choose_device(device).type == "cuda" else 0


def _mean(costs: Sequence[Cost]) -> Cost:
    names = Cost.__dataclass_fields__
    return Cost(**{name: sum(getattr(cost, name) for cost in costs) / len(costs) for name in names})


def _measurable(settings: RunSettings) -> RunSettings:
    """Return settings of two short epochs.

    A pure schedule costs nothing, and may not fit into two epochs: a constant rate takes its place. So it does for
    `range_tested`: only the steps of its test cost, and on random images the test finds nothing; and for
    `reinforcement_learned`, whose small models cost next to nothing beside a model that is worth it.
    """
    free = isinstance(settings.schedule, PureSchedule | RangeTested | ReinforcementLearned)
    schedule = Constant(name="constant") if free else settings.schedule
    data = settings.data.model_copy(update={"dataset": "random", "train_images": None, "test_images": None})
    changes: dict[str, Any] = {"schedule": schedule, "data": data, "epochs": EPOCHS, "early_stopping": None}
    changes |= {"budget_percent": 100.0, "evaluate_test": "end", "record_every_step": False}
    changes |= {"optimizer": settings.optimizer.model_copy(update={"learning_rate": LEARNING_RATE})}
    changes |= {"snapshot_epochs": [], "member": 1}
    if settings.averaging is not None:  # which may wait for the end of a cycle, of which there is none here
        changes |= {"averaging": WeightAveraging(at="every_epoch")}
    return settings.model_copy(update=changes)


def _measure_all(kinds: Mapping[str, tuple[str, Shape]], device: Device, start: JobStart) -> dict[str, Cost]:
    """Measure in this process, which has imported nothing heavy yet."""
    job_seconds = _seconds_of_job()
    first = next(iter(kinds.values()))
    began = time.perf_counter()
    from replication.runs.provenance import installed_digest

    installed_digest()
    _measure(*first, device, start.folder)
    again = time.perf_counter()
    _measure(*first, device, start.folder)
    # All imports, those included that PyTorch delays until the first step.
    import_seconds = (again - began) - (time.perf_counter() - again)
    costs = {name: _measure(*kind, device, start.folder) for name, kind in kinds.items()}
    # Once for each shape of data set: the data are the larger part of the start.
    apart = {shape: (settings, shape) for settings, shape in kinds.values()}
    once = {shape: _seconds_apart(*kind, device, start) for shape, kind in apart.items()}
    return {
        name: replace(
            cost, start_seconds=job_seconds + once[kinds[name][1]], import_seconds=max(import_seconds, 0.0)
        )
        for name, cost in costs.items()
    }


def _seconds_of_job() -> float:
    """Return the seconds that a job takes before training starts, once its files are in memory."""
    script = JOB_SCRIPT.format(path=str(PACKAGE.parent))
    for _ in range(2):
        start = time.perf_counter()
        subprocess.run(["bash", "-c", JOB, sys.executable, script], check=True)
    return time.perf_counter() - start


def _measure(settings_json: str, shape: Shape, device: Device, folder: str | None) -> Cost:
    from replication.training.devices import choose_device
    from replication.training.models import build_model
    from replication.training.session import train

    settings = RunSettings.model_validate_json(settings_json)
    count, held_out = _counts(settings, shape)
    with TemporaryDirectory(prefix=PREFIX, dir=folder) as temporary:
        forget_peak_memory()
        images = _random_images(shape, count, EVALUATED)
        save = _save_at(_steps(settings, shape), temporary)
        result = train(settings, images, seed=1, device=choose_device(device), checkpoints=save)
    timing = result.timings[-1]
    evaluated = held_out + EVALUATED * (1 if result.best_epoch is None else 2)
    model = build_model(settings.model, shape.pixels[2], shape.classes)
    return Cost(
        start_seconds=0.0,
        step_seconds=timing["seconds_training"] / (_passes(settings) * _steps(settings, shape)),
        probe_seconds=timing["seconds_probing"],
        image_seconds=timing["seconds_evaluation"] / evaluated,
        memory_mb=peak_memory_mb(),
        weights_mb=sum(value.nbytes for value in model.state_dict().values()) / MEGABYTE,
    )


def _counts(settings: RunSettings, shape: Shape) -> tuple[int, int]:
    """Return how many images are measured, and how many of them are held out."""
    fraction = settings.data.validation_fraction
    count = min(round(STEPS * settings.batch_size / (1 - fraction)), shape.train_images)
    return count, settings.data.held_out(count)


def _steps(settings: RunSettings, shape: Shape) -> int:
    """Return the steps of an epoch that is measured."""
    count, held_out = _counts(settings, shape)
    return -(-(count - held_out) // settings.batch_size)


def _passes(settings: RunSettings) -> int:
    """Return how often the second epoch goes over its images: a search does so more than once."""
    return settings.schedule.candidates(EPOCHS) if isinstance(settings.schedule, BeamSearch) else 1


def _save_at(step: int, folder: str) -> Any:
    """Return checkpoints that are due once, before a step, as saving takes memory too."""
    from replication.training.checkpoint import Checkpoints

    class Once(Checkpoints):
        steps = 0

        def due(self) -> bool:
            self.steps += 1
            return self.steps == step

    return Once(folder, {})


def _seconds_apart(settings_json: str, shape: Shape, device: Device, start: JobStart) -> float:
    """Return the seconds of a run beside its epochs: it reads a data set of the full size, and writes a record."""
    from replication.data.dataset import write_dataset
    from replication.runs.job import run

    settings = RunSettings.model_validate_json(settings_json)
    fewer = {"train_images": _counts(settings, shape)[0], "test_images": min(EVALUATED, shape.test_images)}
    settings = settings.model_copy(update={"data": settings.data.model_copy(update=fewer)})
    with TemporaryDirectory(prefix=PREFIX, dir=start.folder) as temporary:
        dataset, folder = Path(temporary, "random.safetensors"), Path(temporary, "run")
        write_dataset(_random_images(shape, shape.train_images, shape.test_images), dataset)
        began = time.perf_counter()
        run(f"{start.study}/none/seed-1", settings.model_dump_json(), dataset, folder, device)
        seconds = time.perf_counter() - began
        spent = seconds_of_run(folder)
    return max(seconds - spent, 0.0)


def _random_images(shape: Shape, train: int, test: int) -> Any:
    import numpy as np

    from replication.data.dataset import Dataset, Source

    random = np.random.default_rng(0)

    def split(images: int) -> Any:
        labels = random.integers(0, shape.classes, images).astype("<u2")
        return random.integers(0, 256, (images, *shape.pixels), np.uint8), labels

    names = [str(number) for number in range(shape.classes)]
    source = Source("embedded", "random numbers", "none needed")
    return Dataset.from_splits("random", split(train), split(test), names, source)
