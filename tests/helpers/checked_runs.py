"""Runs of the tiny study that were never trained, each checked as the audit checks it."""

from pathlib import Path
from typing import Any

from made_project import tiny_plan
from made_runs import made_dataset, make_run
from replication.audit.datasets import check_datasets
from replication.audit.findings import Findings
from replication.audit.run_checks import CheckedRun, RunCheck
from replication.settings.run import RunSettings
from replication.settings.sources import DataSources

DATASET = made_dataset("digits")
RUN = "tiny/cosine/seed-1"
FOLDER = Path("runs")


def make(run_id: str = RUN, **changes: Any) -> Path:
    return make_run(FOLDER, tiny_plan(), run_id, DATASET, **changes)


def check(run_id: str = RUN, settings: RunSettings | None = None) -> tuple[CheckedRun, list[str]]:
    """Check a run against the plan, its settings changed if others are given."""
    planned = tiny_plan()
    if settings is not None:
        planned.arms[run_id.split("/")[1]] = settings
    findings = Findings()
    labels = check_datasets(["digits"], DataSources(), findings)
    assert findings.failures == []
    run = RunCheck(run_id, FOLDER / run_id, findings).check(planned, labels)
    return run, [str(failure) for failure in findings.failures]


def settings_with(**changes: Any) -> RunSettings:
    plain = tiny_plan().arms["cosine"].model_dump(mode="json")
    return RunSettings.model_validate(plain | changes)
