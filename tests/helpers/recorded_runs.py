"""Folders of runs that were never trained, with records as a run writes them, for the made-up study results."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from replication.runs.plan import PlannedStudy
from replication.system.digests import canonical_json, digest_of_file, digest_of_text, sealed
from replication.system.files import write_json
from replication.system.tables import write_table
from replication.training.predictions import PredictionLog, Predictions, write_predictions
from study_results import made_tables, write_results

COMMIT = "0123456789abcdef0123456789abcdef01234567"
IDENTITY = "d1" * 32


def write_scale(project: Path, planned: PlannedStudy) -> Path:
    """Write run folders, tables, notebook and report of a scale; return `results/<scale>`."""
    results = project / "results" / planned.scale
    write_results(results, planned)
    write_table(pd.DataFrame({"schedule": ["Constant"]}), results / "tables" / "schedules.csv")
    for name in ("report.html", "studies/tiny/notebook.ipynb", "studies/tiny/figures/losses.svg"):
        (results / name).parent.mkdir(exist_ok=True)
        (results / name).write_text("made up")
    runs, history = made_tables(planned)
    for run in runs.to_dict("records"):
        rows = history[history["run_id"] == run["run_id"]]
        write_run(results / "runs" / run["run_id"], run, rows, planned)
    return results


def write_run(folder: Path, run: dict[str, Any], history: pd.DataFrame, planned: PlannedStudy) -> None:
    """Write the folder of one run, the record last."""
    write_table(history.drop(columns=["run_id", "study", "arm", "seed"]), folder / "history.csv")
    seconds = {f"seconds_{part}": 0.5 for part in ("training", "evaluation", "probing")}
    timings = [{"epoch": epoch, **seconds, "peak_memory_mb": 100.0} for epoch in (1, 2)]
    write_table(pd.DataFrame(timings), folder / "timings.csv")
    log = PredictionLog()
    log.by_split["test"][2] = Predictions(np.zeros(4, np.uint8), np.ones(4, np.float32))
    write_predictions(log, folder / "predictions.safetensors")
    settings = planned.arms[run["arm"]].model_dump(mode="json")
    names = ("history.csv", "timings.csv", "predictions.safetensors")
    record = {
        "run_id": run["run_id"],
        "seed": run["seed"],
        "settings": settings,
        "settings_sha256": digest_of_text(canonical_json(settings)),
        "code_sha256": "c0" * 32,
        "study": {
            "file": "config/studies/tiny.yaml",
            "sha256": "5f" * 32,
            "statements_sha256": "c1" * 32,
            "rules_sha256": "d1" * 32,
        },
        "dataset": {"name": settings["data"]["dataset"], "identity": IDENTITY, "classes": 10},
        "git": {"commit": COMMIT, "dirty": True},
        "versions": {"python": "3.11.7", "torch": "2.14.1", "torchvision": "0.29.1", "numpy": "2.4.6"},
        "lock_sha256": "10" * 32,
        "installed_sha256": "11" * 32,
        "machine": {
            "system": "Linux",
            "architecture": "x86_64",
            "processor": "Some Processor",
            "device": "cpu",
            "driver": None,
            "threads": 1,
        },
        "determinism": {"deterministic_algorithms": True, "cudnn_benchmark": False, "tf32": False},
        "sessions": [
            session("2026-01-02T03:04:05+00:00", "2026-01-02T03:05:05+00:00", "SIGTERM"),
            session("2026-01-02T03:06:05+00:00", f"2026-01-02T03:07:0{run['seed']}+00:00", "completed"),
        ],
        "started": "2026-01-02T03:04:05+00:00",
        "ended": f"2026-01-02T03:07:0{run['seed']}+00:00",
        "outcome": run["outcome"],
        "epochs": run["epochs"],
        "best_epoch": run["best_epoch"],
        "finite_weights": True,
        "weights_sha256": "ee" * 32,
        "costs": {},
        "files": {name: digest_of_file(folder / name) for name in names},
    }
    write_json(folder / "record.json", sealed(record))


def session(started: str, ended: str, end: str) -> dict[str, Any]:
    """Return one session of a record."""
    return {"started": started, "ended": ended, "first_step": 1, "last_step": 10, "end": end}


def change_record(folder: Path, *, seal: bool = True, **changes: Any) -> None:
    """Change some keys of a run's record, and seal it again or not."""
    record = json.loads((folder / "record.json").read_text(encoding="utf-8")) | changes
    old_seal = record.pop("sha256")
    write_json(folder / "record.json", sealed(record) if seal else record | {"sha256": old_seal})
