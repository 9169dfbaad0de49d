"""Small studies, and the tables and folders of runs that were never trained."""

import copy
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from replication.runs.plan import PlannedStudy, load_plan
from replication.settings.config import Config

NAME = "small"
GONE = object()  # as a changed value: the key is deleted
SETTINGS: dict[str, Any] = {
    "data": {
        "dataset": "mnist",
        "train_images": 1000,
        "test_images": 400,
        "validation_fraction": 0.2,
        "scaling": "unit",
    },
    "model": {"name": "mnist-cnn"},
    "optimizer": {"name": "adam", "learning_rate": 0.001, "epsilon": 1.0e-7},
    "schedule": {"name": "constant"},
    "batch_size": 32,
    "epochs": 4,
}
_ALL_CLAIMS = {"section": "3", "quote": "so it is", "arm": "a", "measure": "test_accuracy"}
VALUE: dict[str, Any] = {
    **_ALL_CLAIMS,
    "id": "value",
    "kind": "value",
    "expected": 0.5,
    "margin": {"absolute": 0.1, "reason": "wide"},
}
ORDER: dict[str, Any] = {
    **_ALL_CLAIMS,
    "id": "order",
    "kind": "order",
    "direction": "higher",
    "than": ["b"],
}
EVENT: dict[str, Any] = {
    **_ALL_CLAIMS,
    "id": "event",
    "kind": "shape",
    "measure": "validation_loss",
    "event": "second_descent",
    "expected": True,
    "threshold": 0.1,
    "reason": "clear",
}


def stated(*claims: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return claims as a study's statements, each with one reading; `section` and `quote` are the statement's."""
    of_statement = ("section", "quote")
    return [
        {key: claim[key] for key in ("id", *of_statement)}
        | {"readings": [{key: value for key, value in claim.items() if key not in of_statement}]}
        for claim in claims
    ]


STUDY: dict[str, Any] = {
    "title": "A small study",
    "report": "report.txt",
    "description": "What the tests plan.",
    "seeds": 3,
    "settings": SETTINGS,
    "scales": {"laptop": {}, "demo": {"seeds": 2, "substitute": {"mnist": "digits"}}},
    "arms": {
        "a": {"title": "A"},
        "b": {"title": "B", "settings": {"schedule": {"name": "cosine", "final": 0.5}}},
        "c": {"title": "C", "settings": {"schedule": {"name": "step", "step_epochs": 2}}},
    },
    "statements": stated(VALUE),
}
FIRST = "statements.0.readings.0"  # the path of its only reading


def changed(raw: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of `raw` with values put under keys such as `arms.b.settings` or `FIRST`."""
    result = copy.deepcopy(dict(raw))
    for path, value in changes.items():
        *holders, last = (int(key) if key.isdigit() else key for key in path.split("."))
        place: Any = result
        for key in holders:
            place = place[key] if isinstance(place, list) else place.setdefault(key, {})
        if value is GONE:
            del place[last]
        else:
            place[last] = copy.deepcopy(value)
    return result


def write_study(folder: Path, changes: Mapping[str, Any] | None = None, name: str = NAME) -> Path:
    """Write the small study, changed, as a YAML file."""
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(changed(STUDY, changes or {}), sort_keys=False), encoding="utf-8")
    return path


def planned_study(folder: Path, changes: Mapping[str, Any] | None = None, **config: Any) -> PlannedStudy:
    """Return the plan of the small study, changed; at paper scale if `config` does not say otherwise."""
    write_study(folder, changes)
    return load_plan(Config(**{"scale": "paper", **config}), folder)[NAME]


def key_of(arm: str, seed: int) -> dict[str, Any]:
    """Return the columns that tell a run of the small study from others."""
    return {"run_id": f"{NAME}/{arm}/seed-{seed}", "study": NAME, "arm": arm, "seed": seed}


def tables_of(
    curves: Mapping[str, Sequence[Sequence[float] | None]],
    measure: str = "test_accuracy",
    best_epoch: int = 1,
    **of_runs: float,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the tables of runs and of history from the values of one measure after each epoch.

    Parameters
    ----------
    curves
        For each arm, the curve of each seed from 1 on; None is a run that is missing.
    of_runs
        Other columns of the table of runs.
    """
    runs, history = [], []
    for arm, by_seed in curves.items():
        for seed, curve in enumerate(by_seed, 1):
            facts = {"outcome": "missing"}
            if curve is not None:
                facts = {"outcome": "completed", "epochs": len(curve), "best_epoch": best_epoch, **of_runs}
                rows = [{"epoch": epoch, measure: value} for epoch, value in enumerate(curve, 1)]
                history += [key_of(arm, seed) | row for row in rows]
            runs.append(key_of(arm, seed) | facts)
    empty = [*key_of("", 0), "epoch"]
    return pd.DataFrame(runs), pd.DataFrame(history) if history else pd.DataFrame(columns=empty)


def write_run(folder: Path, run_id: str, columns: Mapping[str, Sequence[float]], **record: Any) -> None:
    """Write the folder of a run: `columns` are those of its history, `record` changes its record."""
    epochs = len(next(iter(columns.values())))
    numbers = range(1, epochs + 1)
    seconds = {f"seconds_{part}": [0.1 * n for n in numbers] for part in ("training", "evaluation")}
    place = folder / run_id
    place.mkdir(parents=True, exist_ok=True)
    steps = [10 * n for n in numbers]
    pd.DataFrame({"epoch": numbers, "steps": steps, **columns}).to_csv(place / "history.csv", index=False)
    timings = pd.DataFrame({"epoch": numbers, **seconds, "seconds_probing": [0.05] * epochs})
    timings["peak_memory_mb"] = [100.0 + n for n in numbers]
    timings.to_csv(place / "timings.csv", index=False)
    facts = {
        "run_id": run_id,
        "settings": {"epochs": 8, "budget_percent": 100.0},
        "settings_sha256": "5e",
        "code_sha256": "c0",
        "git": {"commit": "abc", "dirty": False},
        "versions": {"torch": "2.14.1"},
        "machine": {"device": "cpu"},
        "dataset": {"name": "digits", "identity": "d1"},
        "outcome": "completed",
        "epochs": epochs,
        "best_epoch": 1,
        "weights_sha256": "ee",
        "costs": {},
    }
    (place / "record.json").write_text(json.dumps(facts | record), encoding="utf-8")
