"""The folder of one run: train, and write the results."""

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import torch
from pydantic import TypeAdapter

from replication.data.dataset import read_dataset
from replication.errors import RunError
from replication.runs.folder import HISTORY, LOCK, PREDICTIONS, RECORD, STEPS, TIMINGS
from replication.runs.gpu_slots import gpu_slot
from replication.runs.provenance import environment, git_state, installed_versions, machine, study_facts
from replication.settings.run import RunSettings
from replication.system.digests import digest_of_file, digest_of_text, sealed
from replication.system.files import whole_file, write_json
from replication.system.folder_lock import locked
from replication.training.checkpoint import Checkpoints
from replication.training.determinism import determinism_flags
from replication.training.devices import choose_device, device_name, driver_version
from replication.training.predictions import write_predictions
from replication.training.session import RunResult, train

# What torch's plain RuntimeErrors say when the memory is used up.
MEMORY_WORDS = ("memory", "could not create a primitive")


@contextmanager
def _memory_errors() -> Iterator[None]:
    """Turn errors for lack of memory into one that says what to do."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        first = _memory_error(error)
        if first is None:
            raise
        reason = (str(first) or type(first).__name__).splitlines()[0]
        raise RunError(
            f"not enough memory ({reason}): run fewer at a time (--cores), or make `batch_size` or the model "
            "smaller; the run goes on from its last checkpoint"
        ) from error


def _memory_error(error: BaseException | None) -> BaseException | None:
    """Return the error that reports a lack of memory: `error`, or one during whose handling it was raised."""
    while error is not None:
        told = isinstance(error, RuntimeError) and any(words in str(error) for words in MEMORY_WORDS)
        if told or isinstance(error, MemoryError):
            return error
        error = error.__context__
    return None


@_memory_errors()
def run(
    run_id: str,
    settings_json: str,
    dataset_path: str | Path,
    folder: str | Path,
    device: Any = "auto",
    runs_per_gpu: int = 1,
    checkpoint_seconds: float = math.inf,
    code: str = "",
    log: IO[str] | None = None,
) -> None:
    """Train one run, or go on with it, and write its folder: tables, predictions, and last of all the record.

    Parameters
    ----------
    run_id
        `study/arm/seed-n`.
    settings_json
        The resolved `RunSettings`, as canonical JSON; the record holds its hash.
    device
        `auto`, `cpu` or `cuda`.
    runs_per_gpu
        How many runs share a GPU, this one among them.
    checkpoint_seconds
        How often the state is saved; it always is when a signal asks the run to end.
    code
        Digest of the code that the run depends on, for the record.

    Raises
    ------
    ReplicationError
        The settings do not fit the data, the data set is damaged, there is no such device or not the memory,
        another process writes this run, or a signal has asked it to end.
    """
    folder = Path(folder)
    settings = TypeAdapter(RunSettings).validate_json(settings_json)
    chosen = choose_device(device)
    dataset = read_dataset(Path(dataset_path))
    seed = int(run_id.rpartition("-")[2])
    facts = {
        "run_id": run_id,
        "seed": seed,
        "settings_sha256": digest_of_text(settings_json),
        "code_sha256": code,
        "dataset": {"name": dataset.name, "identity": dataset.identity, "classes": len(dataset.classes)},
        "versions": installed_versions(),
    }
    study = study_facts(run_id.partition("/")[0])
    with locked(folder / LOCK), gpu_slot(chosen, runs_per_gpu) as place:
        checkpoints = Checkpoints(folder, facts | {"device": chosen.type}, log, checkpoint_seconds)
        result = train(settings, dataset, seed, place, log, checkpoints)
        files = _write_results(folder, result, steps=settings.record_every_step)
        facts |= {"settings": json.loads(settings_json), "study": study}
        facts |= _environment(place, settings.threads) | _outcome(result)
        write_json(folder / RECORD, sealed(facts | {"files": files}))
        # Only now: until the record is complete, a run that is interrupted has nothing but its checkpoints.
        checkpoints.clear()


def _environment(device: torch.device, threads: int) -> dict[str, Any]:
    """Return what the run was made with and on."""
    where = {"device": device_name(device), "driver": driver_version(device), "threads": threads}
    return {
        "git": git_state(),
        "machine": machine() | where,
        "determinism": determinism_flags(),
        **environment(),
    }


def _outcome(result: RunResult) -> dict[str, Any]:
    return {
        "outcome": result.outcome,
        "epochs": len(result.history),
        "best_epoch": result.best_epoch,
        "finite_weights": result.finite_weights,
        "weights_sha256": result.weights_digest,
        "costs": result.costs,
        "sessions": result.sessions.rows,
        "started": result.sessions.rows[0]["started"],
        "ended": result.sessions.rows[-1]["ended"],
    }


def _write_results(folder: Path, result: RunResult, *, steps: bool) -> dict[str, str]:
    """Write the tables and the predictions of a run; return the names of the files with their hashes."""
    # From here on an earlier record would describe files that are no longer there.
    (folder / RECORD).unlink(missing_ok=True)
    tables = {HISTORY: result.history, TIMINGS: result.timings}
    if steps:
        tables[STEPS] = result.steps
    else:
        (folder / STEPS).unlink(missing_ok=True)
    for name, rows in tables.items():
        write_rows(folder / name, rows)
    write_predictions(result.predictions, folder / PREDICTIONS)
    return {name: digest_of_file(folder / name) for name in (*tables, PREDICTIONS)}


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of equal keys as CSV: floats in full precision, NaN and infinity as empty cells."""
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)


def _cell(value: Any) -> Any:
    return "" if isinstance(value, float) and not math.isfinite(value) else value
