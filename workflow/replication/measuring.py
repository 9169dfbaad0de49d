"""What one kind of run costs on this machine: a few of its steps, measured in a process of their own.

Nothing heavy is imported here, so that a measuring process can time its imports.
"""

import resource
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

from replication.data.recipes import Shape
from replication.settings.run import RunSettings
from replication.settings.schedule import Constant, PureSchedule

STEPS = 10  # an epoch; two epochs are trained, and the second is measured
EVALUATED = 500  # images: one batch of the evaluation
INTERPRETER_SECONDS = 1.0  # before a process comes to its first import, Snakemake's own work included
MEGABYTE = 1_000_000
KILOBYTE = 1024  # Linux's unit of memory

Kind = tuple[RunSettings, Shape]
Device = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True)
class Cost:
    """What a kind of run costs.

    Attributes
    ----------
    start_seconds
        What a process does only once, mostly imports.
    step_seconds, probe_seconds, image_seconds
        One optimizer step, what a schedule does before each epoch, and the evaluation of one image.
    memory_mb
        The largest resident memory of the process, its images apart.
    weights_mb
        One copy of the model's weights and buffers.
    """

    start_seconds: float
    step_seconds: float
    probe_seconds: float
    image_seconds: float
    memory_mb: float
    weights_mb: float


def kind_of(settings: RunSettings, shape: Shape) -> str:
    """Return what decides the cost of a step, as text: equal for runs of equal cost a step."""
    alike = _measurable(settings).model_dump_json(exclude={"early_stopping", "evaluate_test"})
    return f"{alike} {shape.pixels} {shape.classes}"


def measure(kinds: Mapping[str, Kind], device: Device, at_once: int) -> dict[str, Cost]:
    """Measure kinds of runs in `at_once` equal processes side by side, as runs will be, and return their means.

    Parameters
    ----------
    kinds
        Settings and the shape of the data set, in whose place come random images, by any name.
    device
        `auto`, `cpu` or `cuda`.
    """
    asked = {
        name: (_measurable(settings).model_dump_json(), shape) for name, (settings, shape) in kinds.items()
    }
    with ProcessPoolExecutor(at_once, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        futures = [pool.submit(_measure_all, asked, device) for _ in range(at_once)]
        measured = [future.result() for future in futures]
    return {name: _mean([costs[name] for costs in measured]) for name in kinds}


def _mean(costs: Sequence[Cost]) -> Cost:
    names = Cost.__dataclass_fields__
    return Cost(**{name: sum(getattr(cost, name) for cost in costs) / len(costs) for name in names})


def _measurable(settings: RunSettings) -> RunSettings:
    """Return settings of two short epochs; a pure schedule costs nothing, and may not fit so few."""
    schedule = Constant(name="constant") if isinstance(settings.schedule, PureSchedule) else settings.schedule
    data = settings.data.model_copy(update={"dataset": "random", "train_images": None, "test_images": None})
    changes: dict[str, Any] = {"schedule": schedule, "data": data, "epochs": 2, "early_stopping": None}
    return settings.model_copy(update=changes | {"evaluate_test": "end", "record_every_step": False})


def _measure_all(kinds: Mapping[str, tuple[str, Shape]], device: Device) -> dict[str, Cost]:
    """Measure in this process, which has imported nothing heavy yet."""
    start = time.perf_counter()
    import replication.runs  # noqa: F401 - what a run imports

    first = next(iter(kinds.values()))
    _measure(*first, device, 0.0)
    again = time.perf_counter()
    _measure(*first, device, 0.0)
    # What a process does only once: its imports, and those that PyTorch puts off until the first step.
    start_seconds = INTERPRETER_SECONDS + (again - start) - (time.perf_counter() - again)
    return {name: _measure(*kind, device, start_seconds) for name, kind in kinds.items()}


def _measure(settings_json: str, shape: Shape, device: Device, start_seconds: float) -> Cost:
    from replication.devices import choose_device
    from replication.models import build_model
    from replication.training import train

    settings = RunSettings.model_validate_json(settings_json)
    fraction = settings.data.validation_fraction
    count = min(round(STEPS * settings.batch_size / (1 - fraction)), shape.train_images)
    held_out = round(count * fraction)
    _forget_peak_memory()
    result = train(settings, _random_images(shape, count), seed=1, device=choose_device(device))
    timing = result.timings[-1]
    evaluated = held_out + EVALUATED * (1 if result.best_epoch is None else 2)
    model = build_model(settings.model, shape.pixels[2], shape.classes)
    return Cost(
        start_seconds=start_seconds,
        step_seconds=timing["seconds_training"] / -(-(count - held_out) // settings.batch_size),
        probe_seconds=timing["seconds_probing"],
        image_seconds=timing["seconds_evaluation"] / evaluated,
        memory_mb=_peak_memory_mb(),
        weights_mb=sum(value.nbytes for value in model.state_dict().values()) / MEGABYTE,
    )


def _forget_peak_memory() -> None:
    """Have Linux count the peak of resident memory from here; elsewhere it is that of the whole process."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak_memory_mb() -> float:
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes * KILOBYTE / MEGABYTE


def _random_images(shape: Shape, count: int) -> Any:
    import numpy as np

    from replication.data.dataset import Dataset, Source

    random = np.random.default_rng(0)

    def split(images: int) -> Any:
        labels = random.integers(0, shape.classes, images).astype("<u2")
        return random.integers(0, 256, (images, *shape.pixels), np.uint8), labels

    names = [str(number) for number in range(shape.classes)]
    source = Source("embedded", "random numbers", "none needed")
    return Dataset.from_splits("random", split(count), split(EVALUATED), names, source)
