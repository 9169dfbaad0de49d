"""The folder of one run: train, and write down what came of it."""

import csv
import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import torch
from pydantic import TypeAdapter

from replication.data.dataset import Dataset, read_dataset
from replication.files import whole_file, write_json
from replication.provenance import digest_of_file, digest_of_text, git_state, installed_versions, machine
from replication.run_folder import HISTORY, RECORD, STEPS, TIMINGS
from replication.settings.run import RunSettings
from replication.training import Training, choose_device, train


def run(
    run_id: str,
    settings_json: str,
    dataset_path: str | Path,
    folder: str | Path,
    device_name: Any = "auto",
    code: str = "",
    log: IO[str] | None = None,
) -> None:
    """Train one run and write its folder: history, timings, and last of all the record.

    Parameters
    ----------
    run_id
        `study/arm/seed-n`.
    settings_json
        The resolved `RunSettings`, as canonical JSON; the record holds its hash.
    code
        Digest of the code that the run depends on, for the record.

    Raises
    ------
    ReplicationError
        The settings do not fit the data, the data set is damaged, or there is no such device.
    """
    folder = Path(folder)
    settings = TypeAdapter(RunSettings).validate_json(settings_json)
    device = choose_device(device_name)
    dataset = read_dataset(Path(dataset_path))
    started = _now()
    result = train(settings, dataset, int(run_id.rpartition("-")[2]), device, log)
    files = _write_tables(folder, result, steps=settings.record_every_step)
    write_json(
        folder / RECORD,
        {
            "run_id": run_id,
            "settings": json.loads(settings_json),
            "settings_sha256": digest_of_text(settings_json),
            "code_sha256": code,
            "git": git_state(),
            "versions": installed_versions(),
            "machine": machine() | {"device": _device_name(device), "threads": settings.threads},
            "started": started,
            "ended": _now(),
            "files": files,
            **_data_facts(dataset),
            **_results(result),
        },
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def _data_facts(dataset: Dataset) -> dict[str, Any]:
    return {"dataset": {"name": dataset.name, "identity": dataset.identity, "classes": len(dataset.classes)}}


def _results(result: Training) -> dict[str, Any]:
    return {
        "outcome": result.outcome,
        "epochs": len(result.history),
        "best_epoch": result.best_epoch,
        "weights_sha256": result.weights_digest,
        "costs": result.costs,
    }


def _write_tables(folder: Path, result: Training, *, steps: bool) -> dict[str, str]:
    """Write the tables of a run; return their names with their hashes."""
    tables = {HISTORY: result.history, TIMINGS: result.timings}
    if steps:
        tables[STEPS] = result.steps
    else:
        (folder / STEPS).unlink(missing_ok=True)
    for name, rows in tables.items():
        write_rows(folder / name, rows)
    return {name: digest_of_file(folder / name) for name in tables}


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of equal keys as CSV: floats in full precision, NaN and infinity as nothing."""
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)


def _cell(value: Any) -> Any:
    return "" if isinstance(value, float) and not math.isfinite(value) else value
