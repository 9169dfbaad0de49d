"""Derived arms in the tables of a study, in its claims, and in the trace of a number."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from project import inside
from recorded_runs import write_scale
from replication.analysis.derived_arms import with_derived_arms
from replication.analysis.study_tables import describe_arms
from replication.analysis.verdicts import judge
from replication.runs.plan import PlannedStudy, load_plan
from replication.settings.config import Config
from replication.settings.study import Study
from replication.settings.validation import validate
from replication.settings.yaml_file import read_yaml
from replication.system.tables import write_table
from replication.trace.text import trace_text
from replication.trace.tracer import Tracer
from replication.training.predictions import PredictionLog, Predictions, write_predictions
from study_results import TINY_STUDY, made_tables

ENSEMBLE = """
ensembles:
  both:
    title: Both together
    members: [{arm: cosine}, {arm: probing}]
"""
CLAIM = """
  - id: together-better
    section: s
    quote: q
    readings: [{kind: order, arm: both, direction: higher, than: [cosine], measure: test_accuracy}]
"""
LABELS = np.array([0, 1, 1, 0], np.uint8)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with made-up runs of the tiny study, whose predictions make an ensemble right everywhere."""
    folder = tmp_path / "config" / "studies"
    folder.mkdir(parents=True)
    text = TINY_STUDY.read_text(encoding="utf-8").rstrip("\n") + CLAIM + ENSEMBLE
    (folder / "tiny.yaml").write_text(text, encoding="utf-8")
    write_scale(tmp_path, planned(tmp_path))
    for record in (tmp_path / "results/demo/runs").rglob("record.json"):
        write_snapshot(record.parent)
    return tmp_path


def planned(project: Path) -> PlannedStudy:
    return load_plan(Config.model_validate({}), project / "config" / "studies")["tiny"]


def write_snapshot(folder: Path) -> None:
    of_truth = np.full(4, 0.9 if "cosine" in str(folder) else 0.4)
    both = np.stack(
        [np.where(LABELS == 0, of_truth, 1 - of_truth), np.where(LABELS == 1, of_truth, 1 - of_truth)], 1
    )
    log = PredictionLog(test_labels=LABELS)
    log.by_split["test"][2] = Predictions(
        both.argmax(1).astype(np.uint8), -np.log(of_truth), both.astype(np.float32)
    )
    write_predictions(log, folder / "predictions.safetensors")


def tables(project: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    plan = planned(project)
    return with_derived_arms(plan.study, "tiny", "demo", *made_tables(plan), project / "results/demo/runs")


def test_their_rows_follow_those_of_the_runs(project: Path) -> None:
    runs, history = tables(project)
    assert runs["outcome"].tolist() == ["completed"] * 4 + ["derived"] * 2
    last = runs.iloc[-1]
    assert (last["run_id"], last["seed"], last["epochs"]) == ("tiny/both/seed-2", 2, 1)
    assert last["made_of"] == "tiny/cosine/seed-2 tiny/probing/seed-2"
    assert last["seconds"] == 6.0
    assert history[history["arm"] == "both"]["test_accuracy"].tolist() == [1.0, 1.0]


def test_claims_and_tables_take_them_like_arms(project: Path) -> None:
    plan = planned(project)
    claim = judge(plan, *tables(project)).set_index("id").loc["together-better"]
    assert claim["n"] == 2
    assert claim["estimate"] == pytest.approx(1 - (0.90 + 0.92) / 2)
    assert claim["runs"].split() == [
        f"tiny/{arm}/seed-{seed}" for arm in ("cosine", "probing") for seed in (1, 2)
    ]
    arms = describe_arms(plan).set_index("arm")
    assert arms.loc["both", "title"] == "Both together"
    assert pd.isna(arms.loc["both", "settings"])


def test_without_any_of_its_runs_planned_there_is_no_row(project: Path) -> None:
    plan = planned(project)
    runs, history = made_tables(plan)
    none = runs.assign(arm="another"), history.assign(arm="another")
    found, _ = with_derived_arms(plan.study, "tiny", "demo", *none, project / "results/demo/runs")
    assert "derived" not in set(found["outcome"])


def test_a_number_is_traced_to_the_runs_behind_it(project: Path) -> None:
    for name, table in zip(("runs", "history"), tables(project), strict=True):
        write_table(table, project / "results/demo/tables" / f"{name}.csv")
    with inside(project):
        chain = Tracer("results/demo", "config/studies").number("runs:both/seed-1:seconds")
    assert [run["run_id"] for run in chain["runs"]] == [
        "tiny/both/seed-1", "tiny/cosine/seed-1", "tiny/probing/seed-1",
    ]  # fmt: skip
    assert chain["runs"][0]["outcome"] == "derived"
    assert all(run["files"] for run in chain["runs"][1:])
    text = trace_text(chain)
    assert "Derived tiny/both/seed-1" in text
    assert "computed from the runs below" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"members": [{"arm": "gone"}]}, "ensembles, both: no arm `gone`"),
        ({"members": [{"arm": "both"}]}, "ensembles, both: no arm `both`"),
        ({"members": []}, "at least 1 item"),
        ({"members": [{"arm": "cosine", "snapshots": "first"}]}, "should be 'all' or 'last'"),
    ],
)
def test_members_must_be_trained_arms(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    raw = read_yaml(TINY_STUDY) | {"ensembles": {"both": {"title": "B"} | json.loads(json.dumps(change))}}
    with pytest.raises(Exception, match=message):
        validate(Study, raw, str(tmp_path))


def test_a_derived_arm_needs_a_name_of_its_own(tmp_path: Path) -> None:
    raw = read_yaml(TINY_STUDY) | {"ensembles": {"cosine": {"title": "B", "members": [{"arm": "probing"}]}}}
    with pytest.raises(Exception, match="two arms are called `cosine`"):
        validate(Study, raw, str(tmp_path))
