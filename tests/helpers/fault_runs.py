"""Runs that faults are injected into: settings, and what must not depend on the faults."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replication.data.dataset import write_dataset
from replication.system.digests import canonical_json
from support import run_settings, schedule_of, tiny_dataset
from trainer_forks import DONE, TrainerForks, at_moment

Results = dict[str, Any]


@dataclass(frozen=True)
class FaultRun:
    """One run, on a tiny data set."""

    forks: TrainerForks
    settings: str
    dataset: Path
    place: Path

    @classmethod
    def of(
        cls, forks: TrainerForks, place: Path, schedule: str = "loss_probing", **changes: Any
    ) -> "FaultRun":
        """Return a run with dropout, augmentation and momentum, so that every kind of state counts."""
        settings = run_settings(
            schedule=schedule_of(schedule),
            optimizer={"name": "sgd", "learning_rate": 0.05, "momentum": 0.9},
            data={"augmentation": "crop_and_flip"},
            **{"epochs": 4, "evaluate_test": "every_epoch", "record_every_step": True, **changes},
        )
        dataset = place / "tiny.safetensors"
        if not dataset.exists():
            write_dataset(tiny_dataset(), dataset)
        return cls(forks, canonical_json(settings.model_dump(mode="json")), dataset, place)

    def job(self, folder: Path, **more: Any) -> dict[str, Any]:
        """Return the job of training this run in `folder`; its log is beside it."""
        log = str(folder) + ".log"
        return {
            "settings": self.settings, "dataset": str(self.dataset), "folder": str(folder), "log": log, **more,
        }  # fmt: skip

    def undisturbed(self, of: str = "", **more: Any) -> tuple[Results, int]:
        """Return the results without any fault, and how many moments (see moments.py) they take."""
        name = hashlib.sha256(f"{self.settings}{more}{of}".encode()).hexdigest()[:8]
        job = self.job(self.place / f"undisturbed-{name}", **more)
        if not Path(job["folder"]).exists():
            assert self.forks.run(**job, **at_moment(0, 0, of)) == DONE, Path(job["log"]).read_text()
        return results_of(Path(job["folder"])), int(Path(job["log"] + ".moments").read_text())


def results_of(folder: Path) -> Results:
    """Return everything in a run folder that must not depend on interruptions; it must hold nothing else."""
    record = json.loads((folder / "record.json").read_text())
    names = {"history.csv", "timings.csv", "steps.csv", "predictions.safetensors", "record.json"}
    assert {path.name for path in folder.iterdir()} == names
    for name, digest in record["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    contents = {name: (folder / name).read_bytes() for name in names - {"timings.csv", "record.json"}}
    for key in ("started", "ended", "sessions", "sha256", "git"):
        del record[key]
    del record["files"]["timings.csv"]
    return contents | {"record": record}
